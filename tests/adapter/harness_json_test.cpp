// The JSON reports of harnesses that the protocol's reference reads.

#include <doctest/doctest.h>

#include "tests/adapter/cases.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using test::metric;

TEST_SUITE("adapter/harness_json") {
  TEST_CASE("every recorded case gives the reference's results") {
    using enum AdapterKind;
    CHECK(test::check_cases("c_sharp_dot_net", c_sharp_dot_net) > 10);
    CHECK(test::check_cases("c_sharp_dot_net", c_sharp) > 5);
    CHECK(test::check_cases("cpp_google", cpp_google) > 8);
    CHECK(test::check_cases("java_jmh", java_jmh) > 8);
    CHECK(test::check_cases("java_jmh", java) > 4);
    CHECK(test::check_cases("js_vitest", js_vitest) > 8);
    CHECK(test::check_cases("python_pytest", python_pytest) > 8);
    CHECK(test::check_cases("rust_gungraun_json", rust_gungraun_json) > 10);
    CHECK(test::check_cases("shell_hyperfine", shell_hyperfine) > 8);
    CHECK(test::check_cases("shell_hyperfine", shell) > 4);
  }

  TEST_CASE("Google Benchmark: entries of Complexity() are left out, with a warning") {
    const auto parsed = test::must_parse(AdapterKind::cpp_google,
                                         test::read_data("adapters/refused/cpp_google/v1.9.5_complexity.json"));
    CHECK(parsed.results.size() == 4);
    CHECK(parsed.results[0].name == "BM_Sort/64");
    CHECK(parsed.results[0].measures[0].metric == metric(7.7189286548740166e-01 * 1e3));
    CHECK(parsed.results[3].name == "BM_Sort/4096");
    REQUIRE(parsed.warnings.size() == 2);
    CHECK(parsed.warnings[0] == "entries without a time (of Complexity(), skipped ones) are left out");
    CHECK(parsed.warnings[1] == "not kept as measures: cpu_time × 4, items_per_second × 4; all_measures keeps them");
  }

  TEST_CASE("Google Benchmark: all measures, repeats folded") {
    const auto* text = R"({"context":{"caches":[]},"benchmarks":[
      {"name":"a","run_name":"a","iterations":5,"real_time":1,"cpu_time":2,"time_unit":"us","bytes_per_second":7,"mine":8,"label":"x"},
      {"name":"a","run_name":"a","iterations":5,"real_time":3,"cpu_time":4,"time_unit":"us","bytes_per_second":9,"mine":10}]})";
    ParseOptions options;
    CHECK(test::results_of(AdapterKind::cpp_google, text, options) ==
          test::results({{"a", {{"latency", metric(3000)}}}}));
    CHECK(test::must_parse(AdapterKind::cpp_google, text).warnings.size() == 2);
    options.all_measures = true;
    options.fold_repeats = Fold::min;
    const auto parsed = test::must_parse(AdapterKind::cpp_google, text, options);
    CHECK(parsed.warnings.empty());
    CHECK(parsed.results == test::results({{"a",
                                            {{"latency", metric(1000)},
                                             {"cpu_time", metric(2000)},
                                             {"bytes_per_second", metric(7)},
                                             {"mine", metric(8)}}}}));
  }

  TEST_CASE("JMH: one iteration has no confidence, which costs the bounds only") {
    const auto results =
        test::results_of(AdapterKind::java_jmh, test::read_data("adapters/refused/java_jmh/v1.37_one_iteration.json"));
    REQUIRE(results.size() >= 2);
    CHECK(results[0].name == "demo.NoParams.log");
    CHECK(results[0].measures[0].measure == "throughput");
    CHECK(results[0].measures[0].metric == metric(2.9813794469861228E7));
    CHECK(results[1].measures[0].metric == metric(2.8564904444444443 * 1e6));
  }

  TEST_CASE("JMH: names that collide are told apart, secondary metrics kept on request") {
    ParseOptions options;
    options.distinct_names = true;
    CHECK(test::results_of(AdapterKind::java_jmh, test::read_data("adapters/java_jmh/made_params_collide.input.json"),
                           options) == test::results({{"a.x [avgt, n=1]", {{"latency", metric(1.5, 1, 2)}}},
                                                      {"a.x [avgt, n=2]", {{"latency", metric(2.5, 2, 3)}}}}));
    options.all_measures = true;
    const auto* text =
        R"([{"benchmark":"b","mode":"avgt","primaryMetric":{"score":1,"scoreConfidence":[1,1],"scoreUnit":"us/op"},
      "secondaryMetrics":{"·gc.alloc.rate.norm":{"score":24.5,"scoreConfidence":["NaN","NaN"],"scoreUnit":"B/op"}}}])";
    CHECK(test::results_of(AdapterKind::java_jmh, text, options) ==
          test::results({{"b", {{"latency", metric(1000, 1000, 1000)}, {"gc.alloc.rate.norm", metric(24.5)}}}}));
    CHECK(test::must_parse(AdapterKind::java_jmh, text).warnings ==
          std::vector<std::string>{"not kept as measures: gc.alloc.rate.norm × 1; all_measures keeps them"});
  }

  TEST_CASE("Vitest 5") {
    const auto results =
        test::results_of(AdapterKind::js_vitest, test::read_data("adapters/refused/js_vitest/v5.1.1.json"));
    REQUIRE(results.size() == 4);
    CHECK(results[0].name == "fibonacci > fib > fib(10)");
    CHECK(results[3].name == "compare > b");
    const double mean = 0.0016612832733132069 * 1e6, sd = 0.047321772792520506 * 1e6;
    CHECK(results[0].measures[0].metric == metric(mean, mean - sd, mean + sd));
    CHECK(results[0].measures[1].measure == "throughput");
    CHECK(results[0].measures[1].metric.value == 876070.5414092006);
  }

  TEST_CASE("Gungraun 0.20, schema 7") {
    const auto parsed = test::must_parse(AdapterKind::rust_gungraun_json,
                                         test::read_data("adapters/refused/rust_gungraun/v0.20.0_json.txt"));
    REQUIRE(parsed.results.size() >= 2);
    CHECK(parsed.results[0].name == "lib_bench::fib_group::bench_fib::short");
    CHECK(parsed.results[1].name == "lib_bench::fib_group::bench_fib::long");
    bool found = false;
    for (const auto m : parsed.results[1].measures)
      if (m.measure == "instructions") found = m.metric == metric(221505);
    CHECK(found);
  }

  TEST_CASE("hyperfine 2") {
    const auto text = test::read_data("adapters/refused/shell_hyperfine/v2.0.0_two.json");
    const auto results = test::results_of(AdapterKind::shell_hyperfine, text);
    REQUIRE(results.size() == 2);
    CHECK(results[0].name == "sleep 0.01");
    const double mean = 0.0007897726666666666, sd = 0.0007639017266318142;
    CHECK(results[1].measures[0].metric == metric(mean * 1e9, (mean - sd) * 1e9, (mean + sd) * 1e9));
    ParseOptions options;
    options.average = Average::median;
    options.all_measures = true;
    const auto all = test::results_of(AdapterKind::shell_hyperfine, text, options);
    CHECK(all[1].measures[0].metric ==
          metric(0.00048105800000000003 * 1e9, 0.00045488600000000005 * 1e9, 0.0023482710000000003 * 1e9));
    CHECK(all[1].measures.size() == 5);
  }

  TEST_CASE("BenchmarkDotNet: types and parameters tell names apart") {
    const auto* text = R"({"HostEnvironmentInfo":{},"Benchmarks":[
      {"Namespace":"N","Type":"T","Method":"M","Parameters":"n=1","Statistics":{"Mean":1,"StandardDeviation":0,"Median":1,"InterquartileRange":0}},
      {"Namespace":"N","Type":"T","Method":"M","Parameters":"n=2","Statistics":{"Mean":2,"StandardDeviation":0,"Median":2,"InterquartileRange":0}},
      {"Namespace":"N","Type":"T","Method":"X","Statistics":null}]})";
    ParseOptions options;
    options.distinct_names = true;
    const auto parsed = test::must_parse(AdapterKind::c_sharp_dot_net, text, options);
    CHECK(parsed.results == test::results({{"N.T.M(n=1)", {{"latency", metric(1, 1, 1)}}},
                                           {"N.T.M(n=2)", {{"latency", metric(2, 2, 2)}}}}));
    CHECK(parsed.warnings ==
          std::vector<std::string>{"'N.X' has no statistics, so it may have failed, and is left out"});
  }

  TEST_CASE("what is no report is refused with the pointer and the line") {
    CHECK(test::refusal(AdapterKind::cpp_google,
                        "{\"benchmarks\":[\n {\"name\":\"a\",\"real_time\":true,\"time_unit\":\"ns\"}]}") ==
          "cpp_google results: at /benchmarks/0/real_time: expected a number, found true (line 2, column 26)");
    CHECK(test::refusal(AdapterKind::shell_hyperfine, R"({"results":[{"command":"a","mean":"1"}]})") ==
          "shell_hyperfine results: at /results/0/mean: expected a number, found a string (line 1, column 35)");
    CHECK(test::refusal(AdapterKind::java_jmh, "[]") ==
          "java_jmh results: the text is well-formed but has no benchmark in it");
    CHECK(test::refusal(AdapterKind::java_jmh, "[]", {.average = Average::median}) ==
          "java_jmh results have no median: leave the average out or choose mean");
    CHECK(test::refusal(AdapterKind::python_pytest, "{\"a\":1}").find("lacks its field") != std::string::npos);
    CHECK(test::refusal(AdapterKind::python_pytest, "hello").find("does not read as 'Name (time in us)") !=
          std::string::npos);
  }

  TEST_CASE("JSON behind other lines is pointed at") {
    for (const auto kind : {AdapterKind::python_pytest, AdapterKind::js_vitest, AdapterKind::js_deno})
      for (const std::string_view json : {"{\n}", "{\"a\":1}", "[{\"a\":1}]"})
        CHECK(test::refusal(kind, std::string("> run\n\n").append(json)).find("begins at line 3 may be JSON") !=
              std::string::npos);
    CHECK(test::refusal(AdapterKind::python_pytest, "a\nb {\n").find("may be JSON") == std::string::npos);
  }

  TEST_CASE("no prefix of a report is one, and no nesting brings a reader down") {
    const std::pair<AdapterKind, const char*> reports[]{
        {AdapterKind::cpp_google, "cpp_google/made_extra_fields"},
        {AdapterKind::java_jmh, "java_jmh/made_all_units"},
        {AdapterKind::js_vitest, "js_vitest/made_nested_and_empty_group"},
        {AdapterKind::shell_hyperfine, "shell_hyperfine/made_duplicates"},
        {AdapterKind::c_sharp_dot_net, "c_sharp_dot_net/made_same_method_two_types"},
    };
    for (const auto& [kind, file] : reports) {
      const auto text = test::read_data("adapters/" + std::string(file) + ".input.json");
      const auto end = text.find_last_of("}]");
      for (std::size_t length = 0; length <= end; ++length)
        CHECK_FALSE(parse(kind, text.substr(0, length)).has_value());
    }
    const std::string deep(100'000, '[');
    CHECK(test::results_of(AdapterKind::cpp_google,
                           R"({"context":{"caches":[],"x":)" + deep + std::string(100'000, ']') +
                               R"(},"benchmarks":[{"name":"a","real_time":1,"time_unit":"ns"}]})")
              .size() == 1);
    for (const auto kind : adapter_kinds())
      CHECK_FALSE(parse(kind, deep).has_value());
  }

  TEST_CASE("a beginning of names that is too long for one costs its bytes once, not with each name") {
    std::string text = R"({"files":[{"groups":[{"fullName":")" + std::string(1'000'000, 'g') + R"(","benchmarks":[)";
    for (int i = 0; i < 5'000; ++i)
      text += (i ? "," : "") + std::string(R"({"name":")") + std::to_string(i) +
              R"(","hz":1,"mean":1,"median":1,"sd":1,"rme":1})";
    const auto results = test::results_of(AdapterKind::js_vitest, text + "]}]}]}");
    REQUIRE(results.size() == 5'000);
    CHECK(results[4'999].name == "4999");
  }
}
