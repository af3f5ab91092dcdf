#include "bencher/adapter/read.hpp"

#include <doctest/doctest.h>

#include "tests/adapter/cases.hpp"

using namespace bencher;
using test::metric;

namespace {

constexpr std::string_view go = "BenchmarkA-8  100  5 ns/op  16 B/op  1 allocs/op\nBenchmarkA-8  100  7 ns/op\n";
constexpr std::string_view bmf = R"({"b":{"latency":{"value":3}}})";

}  // namespace

TEST_SUITE("adapter/read") {
  TEST_CASE("each output is a result of its own, a file by the adapter it is given") {
    const Output outputs[]{{"a.json", bmf}, {"b.txt", go}};
    ReadSettings settings{.adapter = AdapterKind::json, .file_adapters = {{"b.txt", AdapterKind::go_bench}}};
    const auto read = read_outputs(settings, outputs).value();
    REQUIRE(read.results.size() == 2);
    CHECK(read.results[0] == test::results({{"b", {{"latency", metric(3)}}}}));
    CHECK(read.results[1] == test::results({{"BenchmarkA-8", {{"latency", metric(7)}}}}));
    settings.file_adapters.clear();
    const auto refused = read_outputs(settings, outputs);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message().starts_with("b.txt: "));
    const Output plain[]{{{}, bmf}, {{}, go}};
    CHECK(read_outputs(settings, plain).error().message().starts_with("result 1: "));
  }

  TEST_CASE("the options hold for every output, and warnings say of which one they are") {
    const Output one[]{{{}, go}};
    ReadSettings settings{.adapter = AdapterKind::go_bench};
    const auto plain = read_outputs(settings, one).value();
    REQUIRE(plain.warnings.size() == 2);
    settings.options = {.average = {}, .all_measures = true, .distinct_names = false, .fold_repeats = Fold::mean};
    const auto all = read_outputs(settings, one).value();
    CHECK(all.warnings.empty());
    CHECK(all.results.at(0) ==
          test::results({{"BenchmarkA-8", {{"latency", metric(6)}, {"B/op", metric(16)}, {"allocs/op", metric(1)}}}}));
    settings.options = {};
    const Output two[]{{{}, bmf}, {"x.txt", go}};
    settings.adapter = AdapterKind::magic;
    const auto named = read_outputs(settings, two).value();
    REQUIRE(named.warnings.size() == 2);
    for (const auto& warning : named.warnings)
      CHECK(warning.starts_with("x.txt: "));
  }

  TEST_CASE("a mapping reads what no file adapter is named for") {
    ReadSettings settings{.file_adapters = {{"b.txt", AdapterKind::go_bench}}};
    settings.mapping = R"({"format":"csv","name":"n","metrics":[{"measure":"latency","value":"v","unit":"ns"}]})";
    const Output outputs[]{{"a.csv", "n,v\nx,3\n"}, {"b.txt", go}};
    const auto read = read_outputs(settings, outputs).value();
    CHECK(read.results.at(0) == test::results({{"x", {{"latency", metric(3)}}}}));
    CHECK(read.results.at(1) == test::results({{"BenchmarkA-8", {{"latency", metric(7)}}}}));
    settings.mapping = "{";
    CHECK(read_outputs(settings, outputs).error().message().starts_with("mapping: "));
  }

  TEST_CASE("folding makes one result of all") {
    const Output outputs[]{{{}, bmf}, {{}, R"({"b":{"latency":{"value":5}}})"}};
    const auto read = read_outputs({.fold = Fold::mean}, outputs).value();
    REQUIRE(read.results.size() == 1);
    CHECK(read.results[0] == test::results({{"b", {{"latency", metric(4)}}}}));
    CHECK(read_outputs({.fold = Fold::mean}, {}).value().results.empty());
  }

  TEST_CASE("warnings have an end") {
    std::vector<std::string> paths;
    std::vector<Output> outputs;
    for (int i = 0; i < 100; ++i)
      paths.push_back("file" + std::to_string(i));
    for (const auto& path : paths)
      outputs.push_back({path, go});
    const auto warnings = read_outputs({}, outputs).value().warnings;
    REQUIRE(warnings.size() == max_read_warnings);
    CHECK(warnings.back() == "and 137 more");
  }
}
