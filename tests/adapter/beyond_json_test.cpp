// Harnesses whose outputs are JSON and that the protocol's reference does not read.

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/adapter/cases.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using enum AdapterKind;
using test::metric;

namespace {

struct File {
  const char* name;
  AdapterKind kind;
};

constexpr File files[]{
    {"other/mitata_v1.json", js_mitata},
    {"other/nanobench.csv", cpp_nanobench},
    {"other/nanobench.json", cpp_nanobench},
    {"other/pyperf_v2.json", python_pyperf},
    {"other/tinybench_v6_results.json", js_tinybench},
    {"further/cpp_nanobench/made_tables.md", cpp_nanobench},
    {"further/js_deno/v2.9.json", js_deno},
    {"further/js_mitata/v0.1.6.json", js_mitata},
    {"further/js_mitata/v0.1.14.json", js_mitata},
    {"further/js_mitata/v1.0.34.json", js_mitata},
    {"further/js_tinybench/v2.9_table.json", js_tinybench},
    {"further/js_tinybench/v2.9_tasks.json", js_tinybench},
    {"further/js_tinybench/v4.1_tasks.json", js_tinybench},
    {"further/js_tinybench/v6.2_console_table.txt", js_tinybench},
    {"further/js_tinybench/v6.2_names_and_results.json", js_tinybench},
    {"further/js_tinybench/v6.2_results.json", js_tinybench},
    {"further/js_tinybench/v6.2_table.json", js_tinybench},
    {"further/julia_benchmark_tools/made_groups.json", julia_benchmark_tools},
    {"further/julia_benchmark_tools/made_old_trial.json", julia_benchmark_tools},
    {"further/python_pyperf/v2.11_memory.json", python_pyperf},
    {"further/python_pyperf/v2.11_single.json", python_pyperf},
    {"further/python_pyperf/v2.11_suite.json", python_pyperf},
    {"further/rust_criterion_json/cargo-criterion1.1.json", rust_criterion_json},
    {"further/shell_k6/v1.8_handle_summary.json", shell_k6},
    {"further/shell_k6/v1.8_machine_readable.json", shell_k6},
    {"further/shell_k6/v1.8_summary_export.json", shell_k6},
};

void check(AdapterKind kind, std::string_view text, const ParseOptions& options, std::string_view bmf) {
  test::check_same(test::results_of(kind, text, options), boost::json::parse(bmf).as_object());
}

std::string data(const char* file) {
  return test::read_data(std::string("adapters/") + file);
}

ParseOptions with(Average average) {
  ParseOptions options;
  options.average = average;
  return options;
}

ParseOptions everything() {
  ParseOptions options;
  options.all_measures = true;
  options.distinct_names = true;
  return options;
}

std::vector<std::string> warnings(AdapterKind kind, std::string_view text) {
  return test::must_parse(kind, text).warnings;
}

}  // namespace

TEST_SUITE("adapter/beyond_json") {
  TEST_CASE("each output is read, and magic finds its adapter") {
    for (const auto& [file, kind] : files)
      test::check_output(std::string("adapters/") + file, kind);
  }

  TEST_CASE("no other adapter takes one for its own") {
    for (const auto& [file, own] : files) {
      CAPTURE(file);
      const auto text = data(file);
      for (const auto kind : adapter_kinds()) {
        if (kind == own || kind == magic || normalize(kind) != kind) continue;
        CAPTURE(name(kind));
        CHECK_FALSE(parse(kind, text).has_value());
      }
    }
  }

  TEST_CASE("bare names of the tools are aliases") {
    CHECK(parse_adapter("criterion_json").value() == rust_criterion_json);
    CHECK(parse_adapter("nanobench").value() == cpp_nanobench);
    CHECK(parse_adapter("mitata").value() == js_mitata);
    CHECK(parse_adapter("tinybench").value() == js_tinybench);
    CHECK(parse_adapter("deno").value() == js_deno);
    CHECK(parse_adapter("pyperf").value() == python_pyperf);
    CHECK(parse_adapter("k6").value() == shell_k6);
    CHECK(parse_adapter("benchmark_tools").value() == julia_benchmark_tools);
    CHECK(adapter_of(27).value() == rust_criterion_json);
    CHECK(adapter_of(33).value() == cpp_nanobench);
    CHECK(adapter_of(74).value() == js_mitata);
    CHECK(adapter_of(75).value() == js_tinybench);
    CHECK(adapter_of(76).value() == js_deno);
    CHECK(adapter_of(83).value() == python_pyperf);
    CHECK(adapter_of(102).value() == shell_k6);
    CHECK(adapter_of(120).value() == julia_benchmark_tools);
    CHECK(normalize(julia_benchmark_tools) == julia_benchmark_tools);
  }

  // The expected numbers were computed from the files by another program.
  TEST_CASE("the average that is asked for") {
    const auto median = with(Average::median), mean = with(Average::mean);
    check(python_pyperf, data("other/pyperf_v2.json"), median,
          R"({"timeit":{"latency":{"value":2316.348655710676,"lower_value":2276.0919189609986,
              "upper_value":2356.6053924603534}}})");
    check(
        js_mitata, data("other/mitata_v1.json"), median,
        R"-({"fib 10":{"latency":{"value":590.969970703125,"lower_value":553.72607421875,"upper_value":1537.989501953125}},
              "fib(3)":{"latency":{"value":13.413330078125,"lower_value":13.0283203125,"upper_value":13.900390625}},
              "fib(5)":{"latency":{"value":45.286376953125,"lower_value":43.912109375,"upper_value":47.432861328125}}})-");
    check(
        js_tinybench, data("other/tinybench_v6_results.json"), median,
        R"({"a":{"latency":{"value":193.99999996494444,"lower_value":174.00000001543958,"upper_value":213.9999999144493},
                   "throughput":{"value":5154639.176189169,"lower_value":4562151.916106691,"upper_value":5747126.436271648}},
              "b":{"latency":{"value":82.00000002034358,"lower_value":78.99999991423101,"upper_value":85.00000012645614},
                   "throughput":{"value":12195121.948193995,"lower_value":11732016.034543896,
                                 "upper_value":12658227.861844094}}})");
    check(cpp_nanobench, data("other/nanobench.json"), median,
          R"({"fill \"64\"":{"latency":{"value":19.3724628153505,"lower_value":18.8901305384608,
              "upper_value":19.8547950922402}}})");
    check(cpp_nanobench, data("other/nanobench.json"), mean,
          R"({"fill \"64\"":{"latency":{"value":46.83435246027129,"lower_value":-24.573815583159927,
              "upper_value":118.24252050370251}}})");
    CHECK(test::refusal(cpp_nanobench, data("other/nanobench.csv"), mean).find("gave a result") != std::string::npos);
    CHECK(test::refusal(js_deno, data("further/js_deno/v2.9.json"), median) ==
          "js_deno results have no median: leave the average out or choose mean");
    const auto* criterion =
        R"({"reason":"benchmark-complete","id":"a","typical":{"estimate":3,"lower_bound":2,"upper_bound":4,"unit":"us"},
            "mean":{"estimate":5,"lower_bound":4,"upper_bound":6,"unit":"us"},
            "median":{"estimate":7,"lower_bound":6,"upper_bound":8,"unit":"us"}})";
    CHECK(test::results_of(rust_criterion_json, criterion) ==
          test::results({{"a", {{"latency", metric(3000, 2000, 4000)}}}}));
    CHECK(test::results_of(rust_criterion_json, criterion, mean) ==
          test::results({{"a", {{"latency", metric(5000, 4000, 6000)}}}}));
    CHECK(test::results_of(rust_criterion_json, criterion, median) ==
          test::results({{"a", {{"latency", metric(7000, 6000, 8000)}}}}));
    const auto* julia = R"([{"BenchmarkTools":"1.0.0"},[["BenchmarkGroup",{"data":{"g":["BenchmarkGroup",{"data":{
        "a":["Trial",{"times":[12.25,12.75,14.5,31.0]}]}}]}}]]])";
    CHECK(test::results_of(julia_benchmark_tools, julia, median) ==
          test::results({{"g/a", {{"latency", metric(13.625, 12.5, 14.75)}}}}));
    const auto* k6 = R"-({"root_group":{},"metrics":{"http_req_duration":{"avg":2,"min":1,"med":3,"max":9,"p(99.9)":8},
        "only":{"min":1,"max":9,"avg":2}}})-";
    CHECK(test::results_of(shell_k6, k6, median) ==
          test::results({{"http_req_duration", {{"latency", metric(3e6, 1e6, 9e6)}}}}));
  }

  TEST_CASE("pyperf: names and units of the suite hold for benchmarks that have none") {
    const auto* text = R"({"version":"1.0","metadata":{"name":"common","unit":"integer"},"benchmarks":[
        {"runs":[{"warmups":[[1,9.5]]},{"values":[4]}]},
        {"metadata":{"name":"own","unit":"byte"},"runs":[{"values":[1,3],"metadata":{"mem_max_rss":7}}]},
        {"metadata":{"name":"odd","unit":"furlong"},"runs":[{"values":[1]}]},
        {"metadata":{"name":"calibrated"},"runs":[{"warmups":[[1,9.5]]}]}]})";
    const auto parsed = test::must_parse(python_pyperf, text);
    const double spread = std::sqrt(2.0);
    CHECK(parsed.results == test::results({{"common", {{"value", metric(4)}}},
                                           {"own", {{"memory", metric(2, 2 - spread, 2 + spread)}}}}));
    CHECK(parsed.warnings ==
          std::vector<std::string>{
              "'odd' is measured in 'furlong', which is none of second, byte and integer, and is left out",
              "'calibrated' has no values, only calibrations, and is left out",
              "not kept as measures: mem_max_rss × 1; all_measures keeps them"});
    // One benchmark alone, and one that has no name at all.
    CHECK(test::results_of(python_pyperf, R"({"version":"1.0","runs":[{"values":[0.5]}],"metadata":{"name":"a"}})") ==
          test::results({{"a", {{"latency", metric(5e8)}}}}));
    CHECK(test::refusal(python_pyperf, R"({"version":"1.0","benchmarks":[{"runs":[{"values":[1]}]}]})") ==
          "python_pyperf results: the text is well-formed but has no benchmark in it that gave a result");
  }

  TEST_CASE("mitata: names that collide are told apart by group and arguments; counters are kept on request") {
    const auto* text = R"({"benchmarks":[
        {"runs":[{"name":"a","args":{"n":1,"kind":"x"},"stats":{"avg":1,"heap":{"avg":8},"gc":{"avg":5},
                  "counters":{"cycles":{"avg":3,"min":1,"stalls":{"avg":2}},"instructions":{"avg":null}}}},
                 {"name":"a","args":{"n":2,"kind":"x"},"stats":{"avg":2,"min":1,"max":4}}],"group":1},
        {"name":"a","group":"old","stats":{"avg":3,"heap":{"avg":null}}}],"layout":[{"name":null},{"name":"g"}]})";
    CHECK(test::results_of(js_mitata, text, everything()) ==
          test::results({{"g > a (n=1, kind=x)",
                          {{"latency", metric(1)},
                           {"heap", metric(8)},
                           {"gc", metric(5)},
                           {"cycles", metric(3)},
                           {"cycles.stalls", metric(2)}}},
                         {"g > a (n=2, kind=x)", {{"latency", metric(2, 1, 4)}}},
                         {"old > a", {{"latency", metric(3)}}}}));
    CHECK(test::results_of(js_mitata, text) == test::results({{"a", {{"latency", metric(3)}}}}));
    CHECK(test::refusal(js_mitata, R"({"benchmarks":[{"name":"a","error":{"message":"boom"}}]})") ==
          "js_mitata results: the text is well-formed but has no benchmark in it that gave a result");
  }

  TEST_CASE("tinybench: fields beside the name, aborted tasks, and units of tables") {
    CHECK(test::results_of(js_tinybench, R"([{"name":"a","hz":4,"rme":50,"mean":0.5,"totalTime":3}])") ==
          test::results({{"a", {{"latency", metric(5e5)}, {"throughput", metric(4, 2, 6)}}}}));
    CHECK(warnings(js_tinybench, R"([{"name":"a","result":{"state":"aborted","latency":{"mean":1}}},{"name":"c"},
        {"name":"b","result":{"latency":{"mean":2,"p75":3},"aborted":false}}])") ==
          std::vector<std::string>{"'a' failed and is left out",
                                   "'c' has no result, so it may not have run, and is left out",
                                   "not kept as measures: p75 × 1; all_measures keeps them"});
    CHECK(test::results_of(js_tinybench, R"-([{"Task name":"a","Latency average (ms)":"1.5 ± 0.5",
        "Throughput average (ops/s)":"1,000 ± 10%"}])-") ==
          test::results({{"a", {{"latency", metric(1.5e6, 1e6, 2e6)}, {"throughput", metric(1000, 900, 1100)}}}}));
    CHECK(test::refusal(js_tinybench, R"-([{"Task name":"a","Latency avg (parsec)":"1.5"}])-").find("gave a result") !=
          std::string::npos);
    CHECK(test::refusal(js_tinybench, R"([{"name":"a","unit":"ms","value":1}])").find("gave a result") !=
          std::string::npos);
    CHECK(test::refusal(js_tinybench, "[{\"result\":{\"latency\":{\"mean\":1}}},\n {\"value\":1}]") ==
          "js_tinybench results: at /1: expected a task or result of tinybench, which has a name or a totalTime "
          "(line 2, column 13)");
    // What other tools write as arrays stays theirs.
    CHECK(test::must_parse(magic, data("java_jmh/six.input.json")).adapter == java_jmh);
    CHECK(test::must_parse(magic, data("js_vitest/four.input.json")).adapter == js_vitest);
  }

  TEST_CASE("nanobench: counters that are all 0 were not counted; templates of one's own, names as they are") {
    const auto* text = R"-([
        {
            "title": "t",
            "name": "C:\new "x"",
            "source" : "mine",
            "median(elapsed)": 2e-9,
            "median(instructions)": 0,
            "median(branchmisses)": 3
        },
        {
            "title": "t",
            "name": "nothing",
            "median(elapsed)": -nan
        }
])-";
    const auto parsed = test::must_parse(cpp_nanobench, text, everything());
    CHECK(parsed.results ==
          test::results(
              {{"C:\\new \"x\"", {{"latency", metric(2)}, {"instructions", metric(0)}, {"branchmisses", metric(3)}}}}));
    CHECK(parsed.warnings == std::vector<std::string>{"'nothing' has no median, and is left out"});
    // A text that breaks off has given nothing twice.
    CHECK(test::refusal(cpp_nanobench, std::string(text).substr(0, 300)) ==
          "cpp_nanobench results: at /1: expected a string, found the end of the text (line 13, column 6)");
    const auto two = test::results_of(cpp_nanobench, R"-({"results":[
        {"title":"s","name":"a","unit":"op","batch":1,"median(elapsed)":1e-9},
        {"title":"t","name":"a","unit":"byte","batch":2,"median(elapsed)":4e-9}]})-",
                                      everything());
    CHECK(two == test::results({{"s > a", {{"latency", metric(1)}}},
                                {"t > a", {{"latency", metric(4)}, {"byte/s", metric(2 / 4e-9)}}}}));
  }

  TEST_CASE("Criterion: lines of other tools between the messages; units that are no time") {
    const auto* text =
        "   Compiling demo v0.1.0\n{\"reason\":\"compiler-artifact\",\"id\":7}\n{broken\n"
        R"({"reason":"benchmark-complete","id":"a","mean":{"estimate":3,"lower_bound":2,"upper_bound":4,"unit":"cycles"}})"
        "\n"
        R"({"reason":"benchmark-complete","id":"b","typical":null,"mean":{"estimate":3,"unit":"ms"},"throughput":[]})"
        "\n{\"reason\":\"group-complete\",\"group_name\":\"g\"}\n";
    CHECK(test::results_of(rust_criterion_json, text) ==
          test::results({{"a", {{"cycles", metric(3, 2, 4)}}}, {"b", {{"latency", metric(3e6)}}}}));
    CHECK(test::refusal(rust_criterion_json, R"({"reason":"benchmark-complete","id":"a","mean":{"estimate":"3"}})") ==
          "rust_criterion_json results: at /mean/estimate: expected a number, found a string (line 1, column 60)");
    CHECK(test::refusal(rust_criterion_json, "no message\n") ==
          "rust_criterion_json results: no line is a message with the reason 'benchmark-complete'");
  }

  TEST_CASE("BenchmarkTools: groups lie only so deep, and long names are left out") {
    const auto nested = [](int depth, const std::string& key) {
      std::string text, end;
      for (int i = 0; i < depth; ++i) {
        text += R"(["BenchmarkGroup",{"data":{")" + key + "\":";
        end += "}}]";
      }
      return R"([{"BenchmarkTools":"1"},[)" + text + R"(["Trial",{"times":[1]}])" + end + "]]";
    };
    CHECK(test::results_of(julia_benchmark_tools, nested(3, "g")) ==
          test::results({{"g/g/g", {{"latency", metric(1)}}}}));
    CHECK(test::results_of(julia_benchmark_tools, nested(128, "g")).size() == 1);
    CHECK(test::refusal(julia_benchmark_tools, nested(100'000, "g")).find("more than 128 deep") != std::string::npos);
    CHECK(test::refusal(julia_benchmark_tools, nested(2, std::string(600, 'g'))).find("gave a result") !=
          std::string::npos);
    CHECK(test::refusal(julia_benchmark_tools, R"([{"BenchmarkTools":"1"},[["Parameters",{}]]])")
              .find("no benchmark in it") != std::string::npos);
  }

  TEST_CASE("k6: what holds no measure is counted only; what contains no times is none") {
    const auto* text = R"({"metrics":{
        "size":{"type":"trend","contains":"data","values":{"avg":6,"min":1,"max":9}},
        "vus":{"type":"gauge","contains":"default","values":{"value":2,"min":1,"max":3}},
        "empty":{"type":"trend","contains":"time","values":{"count":0}},
        "reqs":{"type":"counter","contains":"default","values":{"count":4,"rate":2}}}})";
    const auto parsed = test::must_parse(shell_k6, text);
    CHECK(parsed.results ==
          test::results({{"size", {{"bytes", metric(6, 1, 9)}}}, {"reqs", {{"throughput", metric(2)}}}}));
    CHECK(parsed.warnings ==
          std::vector<std::string>{"'empty' has no avg, and is left out: add it to summaryTrendStats",
                                   "not kept as measures: value × 1, count × 1; all_measures keeps them"});
    CHECK(test::results_of(shell_k6, text, everything()) ==
          test::results({{"size", {{"bytes", metric(6, 1, 9)}}},
                         {"vus", {{"value", metric(2, 1, 3)}}},
                         {"reqs", {{"throughput", metric(2)}, {"count", metric(4)}}}}));
    CHECK(test::refusal(shell_k6, R"({"metrics":{"a":{"avg":1}}})").find("lacks its field 'root_group'") !=
          std::string::npos);
  }

  TEST_CASE("Deno: the one result of old versions; groups tell names apart") {
    const auto* text = R"({"benches":[{"group":"g","name":"a","result":{"ok":{"avg":2,"min":1,"max":4}}},
        {"origin":"file:///x.ts","group":null,"name":"a","results":[{"ok":{"avg":3}}]}]})";
    CHECK(test::results_of(js_deno, text, everything()) ==
          test::results({{"g > a", {{"latency", metric(2, 1, 4)}}}, {"file:///x.ts > a", {{"latency", metric(3)}}}}));
    CHECK(
        test::refusal(js_deno, R"({"benches":[{"name":"a"}]})").find("/benches/0: a bench lacks its field 'results'") !=
        std::string::npos);
  }

  TEST_CASE("what is no report is refused with the pointer and the line") {
    CHECK(test::refusal(js_deno, "{\"benches\":[\n {\"name\":\"a\",\"results\":[{\"ok\":{\"avg\":\"1\"}}]}]}") ==
          "js_deno results: at /benches/0/results/0/ok/avg: expected a number, found a string (line 2, column 38)");
    CHECK(test::refusal(js_deno, R"({"benches":[{"name":"a","results":[{}]}]})") ==
          "js_deno results: at /benches/0/results/0: a result has neither 'ok' nor 'failed' (line 1, column 38)");
    CHECK(test::refusal(python_pyperf, R"({"benchmarks":[]})") ==
          "python_pyperf results: a suite of pyperf lacks its field 'version' (line 1, column 18)");
    CHECK(test::refusal(python_pyperf, R"({"version":"1.0","benchmarks":[{"runs":[{"values":[true]}]}]})") ==
          "python_pyperf results: at /benchmarks/0/runs/0/values/0: expected a number, found true (line 1, column 52)");
    CHECK(test::refusal(julia_benchmark_tools, "[{\"BenchmarkTools\":\"1\"},[[\"Trial\",{\"times\":7}]]]") ==
          "julia_benchmark_tools results: at /1/0/1/times: expected an array of times, found a number (line 1, column "
          "44)");
    CHECK(test::refusal(shell_k6, "[]").find("expected a summary of k6, found an array") != std::string::npos);
    CHECK(test::refusal(js_mitata, R"({"benchmarks":[{"name":"a"}]})")
              .find("/benchmarks/0: a benchmark has neither 'runs' nor 'stats' nor 'error'") != std::string::npos);
    CHECK(test::refusal(cpp_nanobench, R"({"results":[{"command":"a","mean":1}]})")
              .find("/results/0: a result lacks its field 'name'") != std::string::npos);
    CHECK(
        test::refusal(js_tinybench, "{}").find("expected an array of tasks or results of tinybench, found an object") !=
        std::string::npos);
  }
}
