#include "bencher/adapter/bmf.hpp"

#include "lib/json/json.hpp"

namespace bencher {
namespace {

constexpr std::size_t piece = 64 * 1024;

void write(std::string& out, const Metric& metric) {
  out += R"({"value":)";
  json::write_number(out, metric.value);
  if (metric.lower) {
    out += R"(,"lower_value":)";
    json::write_number(out, *metric.lower);
  }
  if (metric.upper) {
    out += R"(,"upper_value":)";
    json::write_number(out, *metric.upper);
  }
  out += '}';
}

void write(std::string& out, const Results::Benchmark& benchmark) {
  json::write_text(out, benchmark.name);
  out += ":{";
  bool first = true;
  for (const auto& [measure, metric] : benchmark.measures) {
    if (!first) out += ',';
    first = false;
    json::write_text(out, measure);
    out += ':';
    write(out, metric);
  }
  out += '}';
}

}  // namespace

void print_bmf(const Results& results, const std::function<void(std::string_view)>& to) {
  std::string out = "{";
  bool first = true;
  for (const auto& benchmark : results) {
    out += first ? "\n" : ",\n";
    first = false;
    write(out, benchmark);
    if (out.size() < piece) continue;
    to(out);
    out.clear();
  }
  out += first ? "}\n" : "\n}\n";
  to(out);
}

std::string print_bmf(const Results& results) {
  std::string out;
  print_bmf(results, [&](std::string_view text) { out += text; });
  return out;
}

}  // namespace bencher
