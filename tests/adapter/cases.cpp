#include "tests/adapter/cases.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/data.hpp"
#include "tests/support/golden.hpp"

namespace bencher::test {
namespace {

boost::json::value data(const std::string& name) {
  return boost::json::parse(read_data("adapters/" + name));
}

std::string text_of(const boost::json::value& value) {
  return std::string(value.as_string());
}

std::optional<double> bound(const boost::json::value* value) {
  if (!value || value->is_null()) return {};
  return value->to_number<double>();
}

bool close(double a, double b) {
  return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}
bool close(std::optional<double> a, std::optional<double> b) {
  return a.has_value() == b.has_value() && (!a || close(*a, *b));
}

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// One case a line, in order.
void write_beyond(const boost::json::object& all) {
  std::map<std::string, std::string> lines;
  for (const auto& [label, results] : all)
    lines[std::string(label)] =
        boost::json::serialize(boost::json::string(label)) + ": " + boost::json::serialize(results);
  std::ofstream out(std::string(BENCHER_TEST_DATA) + "/adapters/beyond.json");
  const char* separator = "{\n";
  for (const auto& [label, line] : lines) {
    out << separator << line;
    separator = ",\n";
  }
  out << "\n}\n";
}

std::string shown(const Parsed& parsed) {
  auto out = as_bmf(parsed.results);
  for (const auto& warning : parsed.warnings)
    out += "warning: " + warning + "\n";
  return out;
}

}  // namespace

void check_same(const Results& results, const boost::json::object& expected) {
  CAPTURE(as_bmf(results));
  REQUIRE(results.size() == expected.size());
  for (const auto benchmark : results) {
    CAPTURE(benchmark.name);
    const auto* measures = expected.if_contains(benchmark.name);
    REQUIRE(measures);
    REQUIRE(benchmark.measures.size() == measures->as_object().size());
    for (const auto m : benchmark.measures) {
      CAPTURE(m.measure);
      const auto* want = measures->as_object().if_contains(m.measure);
      REQUIRE(want);
      CHECK(close(m.metric.value, want->at("value").to_number<double>()));
      CHECK(close(m.metric.lower, bound(want->as_object().if_contains("lower_value"))));
      CHECK(close(m.metric.upper, bound(want->as_object().if_contains("upper_value"))));
    }
  }
}

int check_cases(std::string_view folder, AdapterKind adapter) {
  static const auto index = data("index.json");
  static auto beyond = data("beyond.json").as_object();
  int count = 0;
  auto added = beyond;
  for (const auto& item : index.at("cases").as_array()) {
    const auto& one = item.as_object();
    const auto input = text_of(one.at("input"));
    if (!input.starts_with(std::string(folder) + "/") || text_of(one.at("adapter")) != name(adapter)) continue;
    ++count;
    ParseOptions options;
    if (one.at("average").is_string()) options.average = parse_average(text_of(one.at("average"))).value();
    const auto label =
        std::string(name(adapter)) + (options.average ? "." + std::string(name(*options.average)) : "") + " " + input;
    CAPTURE(label);
    const auto parsed = parse(adapter, read_data("adapters/" + input), options);
    if (!one.contains("error")) {
      if (parsed)
        check_same(parsed->results, data(text_of(one.at("expected"))).as_object());
      else
        FAIL_CHECK(parsed.error().message());
      continue;
    }
    const auto* ours = beyond.if_contains(label);
    if (!parsed) {
      CHECK_FALSE(parsed.error().message().empty());
      CHECK_MESSAGE(!ours, "listed in beyond.json, but refused: ", parsed.error().message());
    } else if (!ours && std::getenv("BENCHER_UPDATE_GOLDEN")) {
      added[label] = boost::json::parse(as_bmf(parsed->results));
    } else if (ours) {
      check_same(parsed->results, ours->as_object());
    } else {
      FAIL_CHECK("the reference refuses it, ours reads, and beyond.json does not list it: ", as_bmf(parsed->results));
    }
  }
  if (added.size() > beyond.size()) write_beyond(beyond = std::move(added));
  return count;
}

Parsed must_parse(AdapterKind kind, std::string_view text, const ParseOptions& options) {
  auto parsed = parse(kind, text, options);
  if (!parsed) FAIL(parsed.error().message());
  return *std::move(parsed);
}

Results results_of(AdapterKind kind, std::string_view text, const ParseOptions& options) {
  return must_parse(kind, text, options).results;
}

std::string refusal(AdapterKind kind, std::string_view text, const ParseOptions& options) {
  const auto parsed = parse(kind, text, options);
  if (parsed) FAIL("read: ", as_bmf(parsed->results));
  CHECK(parsed.error().code() == Errc::invalid_argument);
  return parsed.error().message();
}

void check_output(const std::string& file, AdapterKind kind) {
  CAPTURE(file);
  const auto text = read_data(file);
  const auto plain = must_parse(kind, text);
  ParseOptions all;
  all.all_measures = true;
  all.distinct_names = true;
  check_golden(file + ".golden",
               shown(plain) + "with all_measures and distinct_names:\n" + shown(must_parse(kind, text, all)));
  const auto found = must_parse(AdapterKind::magic, text);
  CHECK(name(found.adapter) == name(kind));
  CHECK(found.results == plain.results);
  // On Windows every line ends in CR LF.
  std::string crlf;
  for (const char c : text)
    crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK(results_of(kind, crlf) == plain.results);
}

Results results(Listed listed) {
  Results out;
  for (const auto& [benchmark, measures] : listed) {
    out.add_benchmark(benchmark);
    for (const auto& [measure, metric] : measures)
      out.add_metric(measure, metric);
  }
  return out;
}

std::string as_bmf(const Results& results) {
  std::string out = "{";
  const auto quoted = [](std::string_view text) { return boost::json::serialize(boost::json::string(text)); };
  bool first = true;
  for (const auto benchmark : results) {
    out += std::string(first ? "" : ",") + "\n  " + quoted(benchmark.name) + ": {";
    first = false;
    bool first_measure = true;
    for (const auto m : benchmark.measures) {
      out += std::string(first_measure ? "" : ",") + "\n    " + quoted(m.measure) +
             ": {\"value\": " + shortest(m.metric.value);
      first_measure = false;
      if (m.metric.lower) out += ", \"lower_value\": " + shortest(*m.metric.lower);
      if (m.metric.upper) out += ", \"upper_value\": " + shortest(*m.metric.upper);
      out += "}";
    }
    out += first_measure ? "}" : "\n  }";
  }
  return out + (first ? "}\n" : "\n}\n");
}

}  // namespace bencher::test
