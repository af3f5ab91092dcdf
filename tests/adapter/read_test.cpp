#include "bencher/adapter/read.hpp"

#include <doctest/doctest.h>

#include "bencher/adapter/bmf.hpp"

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

TEST_SUITE("adapter/bmf") {
  TEST_CASE("what is printed is read as the same") {
    const auto results = test::results({{"a \"quoted\"\n\xc3\xa9", {{"latency", metric(0.1, 1e-300, 1e300)}}},
                                        {"b", {{"latency", metric(-3)}, {"B/op", metric(16, {}, 17)}}},
                                        {"c", {}}});
    const auto text = print_bmf(results);
    CHECK(
        text ==
        "{\n\"a \\\"quoted\\\"\\n\xc3\xa9\":{\"latency\":{\"value\":0.1,\"lower_value\":1e-300,\"upper_value\":1e+300}}"
        ",\n\"b\":{\"latency\":{\"value\":-3.0},\"B/op\":{\"value\":16.0,\"upper_value\":17.0}},\n\"c\":{}\n}\n");
    CHECK(parse(AdapterKind::json, text).value().results == results);
    CHECK(print_bmf(Results()) == "{}\n");
  }

  TEST_CASE("many benchmarks are printed in pieces") {
    Results results;
    for (int i = 0; i < 20'000; ++i) {
      results.add_benchmark("benchmark" + std::to_string(i));
      results.add_metric("latency", metric(i / 3.0));
    }
    std::string all;
    std::size_t largest = 0, pieces = 0;
    print_bmf(results, [&](std::string_view piece) {
      all += piece;
      largest = std::max(largest, piece.size());
      ++pieces;
    });
    CHECK(pieces > 10);
    CHECK(largest < 70'000);
    CHECK(parse(AdapterKind::json, all).value().results == results);
  }
}
