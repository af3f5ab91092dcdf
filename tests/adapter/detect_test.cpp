// Detection reads a text with few forms; what it finds is what trying one after the other finds.

#include "lib/adapter/detect.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "lib/adapter/text.hpp"
#include "tests/adapter/cases.hpp"
#include "tests/adapter/many.hpp"

using namespace bencher;
using namespace bencher::adapter;

namespace {

/// All forms in their order, whatever is in the text.
std::optional<Parsed> one_by_one(AdapterKind kind, std::string_view text, const ParseOptions& options) {
  auto prepared = Prepared::of(text);
  if (!prepared) return {};
  for (const auto& form : forms_of(kind, options)) {
    if (form.shape == Shape::json && (!begins_json(prepared->text()) || prepared->malformed() > 0)) continue;
    // Further forms are found by their marks only.
    const auto& grammar = *form.grammar;
    const auto there = [&](std::string_view m) { return !m.empty() && prepared->plain().find(m) != m.npos; };
    if (form.shape == Shape::text && !grammar.mark.empty() && !there(grammar.mark) && !there(grammar.or_mark) &&
        !(options.all_measures && there(grammar.extras_mark)))
      continue;
    if (auto parsed = run(form, *prepared, options)) return *std::move(parsed);
  }
  return {};
}

/// Whether detection found something.
bool same_found(AdapterKind kind, std::string_view text, const ParseOptions& options = {}) {
  const auto want = one_by_one(kind, text, options);
  const auto found = parse(kind, text, options);
  CAPTURE(text.substr(0, 400));
  REQUIRE(found.has_value() == want.has_value());
  if (!want) return false;
  CHECK(name(found->adapter) == name(want->adapter));
  CHECK(found->results == want->results);
  CHECK(found->warnings == want->warnings);
  return true;
}

/// The members of an object, without its braces; empty: the text is none.
std::string members_of(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('{') || !text.ends_with('}') || !begins_json(text)) return {};
  return std::string(text.substr(1, text.size() - 2));
}

constexpr std::string_view pytest = R"("machine_info":{},"commit_info":{},"benchmarks":[
    {"fullname":"p","stats":{"mean":1,"stddev":0,"median":1,"iqr":0}}])";

}  // namespace

TEST_SUITE("adapter/detect") {
  TEST_CASE("every form, alone and with the setting of its average") {
    ParseOptions mean, median;
    mean.average = Average::mean;
    median.average = Average::median;
    for (const auto& form : test::forms()) {
      CAPTURE(form.name);
      const auto text = test::text_with(form, 3);
      CHECK(same_found(AdapterKind::magic, text));
      (void)same_found(AdapterKind::magic, text, mean);
      (void)same_found(AdapterKind::magic, text, median);
      for (const auto kind : adapter_kinds())
        if (normalize(kind) == AdapterKind::magic) (void)same_found(kind, text);
      (void)same_found(AdapterKind::magic, text.substr(0, text.size() * 2 / 3));
    }
  }

  TEST_CASE("two forms in one text: the earlier one in the order has it, wherever it stands") {
    std::vector<std::string> texts;
    for (const auto& form : test::forms())
      texts.push_back(test::text_with(form, 2));
    // Farther apart than what the beginning tells.
    const std::string far(20'000, ' ');
    int found = 0;
    for (const auto& a : texts)
      for (const auto& b : texts) {
        found += same_found(AdapterKind::magic, a + "\n" + b);
        const auto one = members_of(a), other = members_of(b);
        if (!one.empty() && !other.empty())
          found += same_found(AdapterKind::magic, "{" + one + "," + far + other + "}");
      }
    CHECK(found > 1500);
  }

  TEST_CASE("a key that comes late, or is written with an escape, is one") {
    const std::string far(20'000, ' '), begin = std::string("{").append(pytest).append(",").append(far);
    const auto read_by = [](const std::string& text) { return test::must_parse(AdapterKind::magic, text).adapter; };
    CHECK(read_by(begin + "\"x\":1}") == AdapterKind::python_pytest);
    std::string net;
    for (const auto& form : test::forms())
      if (form.name == "c_sharp_dot_net") net = members_of(test::text_with(form, 1));
    REQUIRE(net.find("\"Benchmarks\"") != std::string::npos);
    CHECK(read_by(begin + net + "}") == AdapterKind::c_sharp_dot_net);
    net.replace(net.find("\"Benchmarks\""), 12, "\"\\u0042enchmarks\"");
    net.replace(net.find("\"HostEnvironmentInfo\""), 21, "\"Host\\u0045nvironmentInfo\"");
    CHECK(read_by(begin + net + "}") == AdapterKind::c_sharp_dot_net);
    CHECK(same_found(AdapterKind::magic, begin + net + "}"));
  }

  TEST_CASE("a line within JSON may be one of another adapter") {
    const auto text = std::string("{").append(pytest).append(",\"log\":[\n\"BenchmarkX 100 12 ns/op 3 B/op\"\n]}");
    CHECK(test::must_parse(AdapterKind::magic, text).adapter == AdapterKind::go_bench);
    CHECK(same_found(AdapterKind::magic, text));
  }

  TEST_CASE("no changed byte makes a difference") {
    std::mt19937 random(29);
    int found = 0;
    for (const auto& form : test::forms()) {
      CAPTURE(form.name);
      const auto text = test::text_with(form, 2);
      for (int i = 0; i < 20; ++i) {
        auto changed = text;
        for (int j = 0; j < 2; ++j) {
          const auto at = random() % changed.size();
          if (random() % 2)
            changed[at] = "{}[]\",:\n "[random() % 9];
          else
            changed.erase(at, 1 + random() % 3);
        }
        found += same_found(AdapterKind::magic, changed);
      }
    }
    CHECK(found > 300);
  }
}
