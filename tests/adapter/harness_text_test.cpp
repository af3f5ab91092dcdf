// The text adapters over what their tools print in other versions and with other options.

#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"

using namespace bencher;
using enum AdapterKind;
using test::metric;

namespace {

Results latency(std::string_view name, const Metric& m) {
  return test::results({{name, {{"latency", m}}}});
}

ParseOptions all_options() {
  ParseOptions options;
  options.all_measures = true;
  options.distinct_names = true;
  return options;
}

ParseOptions average(Average which) {
  ParseOptions options;
  options.average = which;
  return options;
}

}  // namespace

TEST_SUITE("adapter/harness text") {
  TEST_CASE("go: names on a line above, other metrics first, options") {
    CHECK(test::results_of(go_bench, "BenchmarkP-2    \thello\nworld\n    1000\t        22.89 ns/op\n") ==
          latency("BenchmarkP-2", metric(22.89)));
    CHECK(test::results_of(go_bench, " BenchmarkX-2 \t 10\t 64 B/op\t 1.5 ms/op \n") ==
          latency("BenchmarkX-2", metric(1.5e6)));
    // Behind the last time too, once there is a result.
    const auto both = test::must_parse(go_bench, " BenchmarkX-2 \t 10\t 64 B/op\t 1.5 ms/op \nBenchmarkY-2 10 5 own\n");
    CHECK(both.results == latency("BenchmarkX-2", metric(1.5e6)));
    REQUIRE_FALSE(both.warnings.empty());
    CHECK(both.warnings[0].starts_with("benchmarks without ns/op"));
    CHECK_FALSE(parse(go_bench, "BenchmarkY-2 10 5 own\n").has_value());
    CHECK(test::results_of(go_bench, "BenchmarkY-2 10 5 own\n", all_options()).size() == 1);
    CHECK(test::results_of(go_bench, "BenchmarkX 10 5 ns/op 3 B/op 2 own\n", all_options()) ==
          test::results({{"BenchmarkX", {{"latency", metric(5)}, {"B/op", metric(3)}, {"own", metric(2)}}}}));
    const auto two = std::string("pkg: a\nBenchmarkX 1 5 ns/op\npkg: b\nBenchmarkX 1 6 ns/op\n");
    CHECK(test::results_of(go_bench, two) == latency("BenchmarkX", metric(6)));
    CHECK(test::results_of(go_bench, two, all_options()) ==
          test::results({{"a.BenchmarkX", {{"latency", metric(5)}}}, {"b.BenchmarkX", {{"latency", metric(6)}}}}));
    CHECK(test::refusal(go_bench, "ok\nBenchmarkX 10 five ns/op\n").find("line") != std::string::npos);
  }

  TEST_CASE("go: events of two packages in between each other, and lines that are no JSON") {
    const std::string text =
        "# building\n"
        "{\"Action\":\"output\",\"Package\":\"a\",\"Output\":\"BenchmarkX-2 \\t\"}\n"
        "{\"Action\":\"output\",\"Package\":\"b\",\"Output\":\"BenchmarkY-2 \\t\"}\n"
        "FAIL\tc [build failed]\n"
        "{\"Action\":\"output\",\"Package\":\"a\",\"Output\":\"  10\\t 5 ns/op\\n\"}\n"
        "{\"Action\":\"output\",\"Package\":\"b\",\"Output\":\"  10\\t 6 ns/op\\n\"}\n";
    CHECK(test::results_of(go_bench, text) ==
          test::results({{"BenchmarkX-2", {{"latency", metric(5)}}}, {"BenchmarkY-2", {{"latency", metric(6)}}}}));
  }

  TEST_CASE("rust bench: names with blanks, throughput, a line that the program cut") {
    CHECK(test::results_of(rust_bench, "test a b ... bench: 10 ns/iter (+/- 1) = 400 MB/s\n", all_options()) ==
          test::results({{"a b", {{"latency", metric(10, 9, 11)}, {"MB/s", metric(400)}}}}));
    CHECK(test::results_of(rust_bench, "test m::a ... printed\nmore\nbench:       1,234 us/iter (+/- 0)\n") ==
          latency("m::a", metric(1234e3, 1234e3, 1234e3)));
    CHECK(test::must_parse(rust_bench, "test a ... bench: 1 ns/iter (+/- 0)\ntest b c ... bench: 1 ns/iter (+/- 0)\n")
              .warnings.size() == 1);
    CHECK(test::results_of(rust_bench,
                           "{ \"type\": \"bench\", \"name\": \"b\", \"median\": 5, \"deviation\": 2, \"x\": [1] }\n") ==
          latency("b", metric(5, 3, 7)));
  }

  TEST_CASE("criterion: a name further above, blanks at the end, throughput") {
    CHECK(test::results_of(rust_criterion, "a long name\n\n\n   time:   [1 ns 2 ns 3 ns]  \n") ==
          latency("a long name", metric(2, 1, 3)));
    CHECK(test::results_of(rust_criterion, "Benchmarking x/1: Analyzing\n  time:   [1 min 2 min 3 min]\n") ==
          latency("x/1", metric(120e9, 60e9, 180e9)));
    CHECK(test::results_of(rust_criterion, "a  time: [1 ns 2 ns 3 ns]\n   thrpt: [1 KiB/s 2 KiB/s 3 KiB/s]\n",
                           all_options()) ==
          test::results({{"a", {{"latency", metric(2, 1, 3)}, {"thrpt", metric(2048, 1024, 3072)}}}}));
    // Of other measurements than time all three units are the same.
    CHECK(test::results_of(rust_criterion, "a  time:   [1 cycles 2.5 cycles 3 cycles]\n") ==
          test::results({{"a", {{"cycles", metric(2.5, 1, 3)}}}}));
    CHECK_FALSE(parse(rust_criterion, "a  time:   [1 cycles 2 kcycles 3 cycles]\n").has_value());
    CHECK_FALSE(parse(rust_criterion, "a  time:   [1 cycles 2 ns 3 cycles]\n").has_value());
    CHECK_FALSE(parse(rust_criterion, "a  time:   [1 ns 2 cycles 3 cycles]\n").has_value());
    CHECK_FALSE(parse(rust_criterion, "  change:\n  time: [-1% +0% +1%]\n").has_value());
  }

  TEST_CASE("iai and gungraun: what is missing, new, or at the very end") {
    CHECK(test::results_of(rust_iai, "b\n  L1 Accesses: 20 (+inf%)\n  Instructions: 10 (-inf%)") ==
          test::results({{"b", {{"l1-accesses", metric(20)}, {"instructions", metric(10)}}}}));
    CHECK(test::results_of(rust_gungraun, "a::b\n  Instructions:  2|N/A  (*********)\n") ==
          test::results({{"a::b", {{"instructions", metric(2)}}}}));
    CHECK(test::results_of(rust_gungraun_stdout,
                           "a::b\n  ======= DHAT =====\n  Total bytes:  7|6  (+1%) [+1x]\n  New: 1|1\n"
                           "  Reads bytes: N/A|5 (***)\n  Total blocks: 2") ==
          test::results({{"a::b", {{"total-bytes", metric(7)}, {"total-blocks", metric(2)}}}}));
    // The reference lists a benchmark without metrics, and drops one whose name is too long.
    CHECK(test::results_of(rust_gungraun_stdout,
                           "a::b::" + std::string(1100, 'x') + "\n  Dr: 1|N/A (*)\na::b::c\n  Dw: 2|N/A (*)\n") ==
          test::results({{"a::b::c", {{"dw", metric(2)}}}}));
    CHECK(test::results_of(rust_gungraun_stdout, "a::b::c\n  Dr: 1|2\t(+++inf+++%) [+++inf+++x]\r\n") ==
          test::results({{"a::b::c", {{"dr", metric(1)}}}}));
  }

  TEST_CASE("magic says when only the average is missing, and why a report of tests is not read") {
    CHECK(test::refusal(magic, "a  time:   [1 ns 2 ns 3 ns]\n", average(Average::median)) ==
          "rust_criterion results have no median: leave the average out or choose mean");
    CHECK(
        test::refusal(rust, "a  time:   [1 ns 2 ns 3 ns]\n", average(Average::median)).find("leave the average out") !=
        std::string::npos);
    CHECK(test::refusal(magic, "nothing\n", average(Average::median)).starts_with("no adapter found results"));
    CHECK(test::refusal(magic, "<testsuite><testcase name=\"a\" time=\"1\">\n")
              .find("shell_junit (shell_junit results: XML: ") != std::string::npos);
  }

  TEST_CASE("gungraun: metrics below a line of baselines or in a grid, else the benchmark alone") {
    const auto two = test::results({{"a::b::c", {{"instructions", metric(2)}}}, {"a::b::d", {{"dw", metric(3)}}}});
    CHECK(test::results_of(rust_gungraun,
                           "a::b::c\n  Baselines:  new|old\n  Instructions: 2|1 (+100%) [+2x]\n"
                           "a::b::d\n  Baselines:  |old\n  Dw: 3|3 (No change)\n") == two);
    // What is said of regressions is indented, and no name goes up to there.
    CHECK(test::results_of(
              rust_gungraun,
              "a::b::c\n|======== CALLGRIND ====\n| Instructions: 2|1 (+100%) [+2x]\na::b::d\n| Dw: 3|3 (No "
              "change)\n\nRegressions:\n\n  a::b::c:\n    Callgrind: Instructions (1): 1 exceeds 0\n") == two);
    // One that has its metrics in the reference's form leaves the others as they are.
    CHECK(test::results_of(rust_gungraun,
                           "a::b::c\n  Baselines: |x\n  Dr: 1|1 (No change)\na::b::d\n  Dw: 3|N/A (*)\n") ==
          test::results({{"a::b::c", {}}, {"a::b::d", {{"dw", metric(3)}}}}));
  }

  TEST_CASE("iai-callgrind's old summaries: parts are added up, a summary without metrics is none") {
    const auto summary = [](const std::string& events) {
      return R"({"module_path":"a::b","id":"c","version":"2","callgrind_summary":{"summaries":[)" + events + "]}}";
    };
    CHECK(test::results_of(
              rust_gungraun_json,
              summary(
                  R"({"events":{"Ir":{"new":2,"old":null},"Dr":{"new":null,"old":1}}},{"events":{"Ir":{"new":3}}})")) ==
          test::results({{"a::b::c", {{"instructions", metric(5)}}}}));
    CHECK_FALSE(parse(rust_gungraun_json, summary("")).has_value());
    CHECK_FALSE(parse(rust_gungraun_json, summary(R"({"events":{"Ir":{"new":"2"}}})")).has_value());
    std::string many;
    for (int i = 0; i < 50'000; ++i)
      many += R"("k)" + std::to_string(i) + R"(":{"new":1},)";
    CHECK(
        test::results_of(rust_gungraun_json, summary(R"({"events":{"Ir":{"new":1},)" + many + R"("Dr":{"new":1}}})")) ==
        test::results({{"a::b::c", {{"instructions", metric(1)}}}}));
  }

  TEST_CASE("k6 prints: groups are left out, rates by their counts, the median, long times, what is no metric") {
    const std::string text =
        "  \u2588 TOTAL RESULTS \n\n    http_req_duration...: avg=1m2.5s min=0s med=1.5ms max=1h0m1s p(90)=2s \n"
        "      { name:a b }...: avg=1ms med=2ms\n    size...: avg=7 med=8\n  \u2717 ok....: 33.33% 1 out of 3\n"
        "    none...: 0.00% 0 out of 0\n    bytes...: 4.6 kB 1.5 MB/s\n    a...: b\n    ...: 1 1/s\n    cut...: avg=\n"
        "  \u2588 GROUP: g \n    http_req_duration...: avg=9ms\n";
    CHECK(test::results_of(shell_k6, text) ==
          test::results({{"http_req_duration", {{"latency", metric(62.5e9, 0, 3601e9)}}},
                         {"http_req_duration{name:a b}", {{"latency", metric(1e6)}}},
                         {"size", {{"value", metric(7)}}},
                         {"ok", {{"rate", metric(1.0 / 3)}}},
                         {"none", {{"rate", metric(0)}}},
                         {"bytes", {{"throughput", metric(1.5e6)}}}}));
    CHECK(test::results_of(shell_k6, "x...: avg=1ms min=1ms med=2ms max=3ms\n", average(Average::median)) ==
          latency("x", metric(2e6, 1e6, 3e6)));
    CHECK(test::results_of(shell_k6, "vus...: 2 min=1 max=3\nwait...: 12.5ms min=1ms max=2s\n", all_options()) ==
          test::results({{"vus", {{"value", metric(2, 1, 3)}}}, {"wait", {{"value", metric(12.5, 1, 2000)}}}}));
    CHECK(test::refusal(shell_k6, "running (1.0s)\nhttp_reqs: 1\n").find("http_req_duration") != std::string::npos);
    // Its JSON over many lines, among others.
    CHECK(test::results_of(shell_k6,
                           "running\n{\n \"root_group\": {},\n \"metrics\": {\"x\": {\"rate\": 2, \"count\": 1}}\n}\n"
                           "default done\n") == test::results({{"x", {{"throughput", metric(2)}}}}));
  }

  TEST_CASE("divan: rows that are longer than the header was made for, and a benchmark that prints") {
    const std::string head = "d   fastest  \u2502 slowest  \u2502 median  \u2502 mean  \u2502 samples \u2502 iters\n";
    const std::string cells = "1 ns     \u2502 3 ns     \u2502 2 ns    \u2502 2 ns  \u2502 5       \u2502 5\n";
    CHECK(test::results_of(rust_divan, head + "\u2570\u2500 fib_of_many  " + cells) ==
          latency("d::fib_of_many", metric(2, 1, 3)));
    CHECK(test::results_of(rust_divan, head + "\u2570\u2500 f  printed\nmore\n" + cells + cells) ==
          latency("d::f", metric(2, 1, 3)));
    // A value that is wider than its column does not move the others.
    CHECK(test::results_of(rust_divan, head + "\u2570\u2500 f 123456.7 ns \u2502" + cells.substr(12)) ==
          latency("d::f", metric(2, 123456.7, 3)));
  }

  TEST_CASE("catch2: any place, a broken end, minutes") {
    const std::string head = std::string(79, '-') + "\nCase\n" + std::string(79, '-') + "\nx.cpp:1\n....\n\n";
    CHECK(test::results_of(cpp_catch2, head + "a long\nname  100 20 1.5 m \n   2 m 1 m 3 m \n   1 s 1 s 1 s ") ==
          latency("Case: a long name", metric(120e9, 119e9, 121e9)));
    CHECK(test::results_of(cpp_catch2, head + "a  100 20 1.5 ms\n   12 ns 11 ns 13 ns\n") ==
          latency("Case: a", metric(12)));
    CHECK_FALSE(parse(cpp_catch2, head + "a  100 20 1.5 ms\n").has_value());
    CHECK_FALSE(parse(cpp_catch2, "<Catch><BenchmarkResults name='x'><mean value='1'/>").has_value());
  }

  TEST_CASE("dart: other units and names") {
    CHECK(test::results_of(dart_benchmark_harness, "A(RunTime): 1.5 s\nB(RunTimeRaw): 2 us.\n") ==
          test::results({{"A", {{"latency", metric(1.5e9)}}}, {"B", {{"latency", metric(2e3)}}}}));
  }

  TEST_CASE("Benchmark.js: one run, no spread, a sign that was lost") {
    CHECK(test::results_of(js_benchmark, "a x 10 ops/sec \u00b10.00% (1 run sampled)\n") ==
          test::results({{"a", {{"throughput", metric(10, 10, 10)}}}}));
    CHECK(test::results_of(js_benchmark, "a b x 1,000 ops/sec (12 runs sampled) min..max=(1ns...2ns)\n") ==
          test::results({{"a b", {{"throughput", metric(1000)}}}}));
    CHECK(test::results_of(js_benchmark,
                           "a x 100 ops/sec \xb1"
                           "10% (2 runs sampled)\n") == test::results({{"a", {{"throughput", metric(100, 90, 110)}}}}));
  }

  TEST_CASE("Benchmark.js: what was sampled once is said to be left out beside the others") {
    const auto both = test::must_parse(
        js_benchmark, "a x 10 ops/sec \u00b11.00% (9 runs sampled)\nb x 2 ops/sec \u00b10.00% (1 run sampled)\n");
    CHECK(both.results == test::results({{"a", {{"throughput", metric(10, 9.9, 10.1)}}}}));
    REQUIRE(both.warnings.size() == 1);
    CHECK(both.warnings[0].find("'b' is the first") != std::string::npos);
  }

  TEST_CASE("bun: console.time among tests, for every name of the adapter") {
    const std::string text = "(pass) a > b [1.50ms]\n[2.00ms] in\n(fail) c [3.00ms]\n";
    const auto want = test::results({{"a > b", {{"latency", metric(1.5e6)}}}, {"in", {{"latency", metric(2e6)}}}});
    for (const auto kind : {js_bun, js, magic}) {
      CHECK(test::results_of(kind, text) == want);
      CHECK(test::must_parse(kind, text).adapter == js_bun);
    }
  }

  TEST_CASE("vitest: names with numbers, levels, rows that are of no table") {
    const std::string head = " name  hz  min  max  mean  p75  p99  p995  p999  rme  samples\n";
    const std::string row = "  100.0  1  2  10.0000  1  2  3  4  \u00b110.00%  5";
    const auto of = [](std::string_view name) {
      return test::results({{name, {{"latency", metric(1e7, 9e6, 1.1e7)}, {"throughput", metric(100, 90, 110)}}}});
    };
    CHECK(test::results_of(js_vitest, head + "  \u00b7 size 10 \u00b1 1" + row + "   fastest\n") ==
          of("size 10 \u00b1 1"));
    CHECK(test::results_of(js_vitest, " \u2713 f > g (2) 12ms\n" + head + "\u00b7 a" + row + "\n") ==
          of("f > g (2) > a"));
    CHECK(test::results_of(js_vitest,
                           " \u2713  bench  f (3 tests | 1 skipped) 12ms\n   \u2713 g (1)\n     \u00d7 x 4ms\n"
                           "     \u2713 t\n" +
                               head + "a" + row + "\n") == of("g > t > a"));
    for (const std::string_view label : {"|unit| ", " unit  ", ""})
      CHECK(test::results_of(js_vitest, std::string(" \u2713 ").append(label) + "a/f.ts > g 12ms\n" + head + "a" +
                                            row) == of("a/f.ts > g > a"));
    CHECK(test::results_of(js_vitest, " \u2713  unit (bench)  a/f.ts (1 test) 12ms\n   \u2713 g 1ms\n" + head + "a" +
                                          row) == of("g > a"));
    CHECK_FALSE(parse(js_vitest, " \u2713 f\n\u00b7 a" + row + "\n").has_value());
    CHECK(test::refusal(js_vitest, head + "\u00b7 a  0.0000  0  0  0  0  0  0  0  \u00b10.00%  0\n")
              .find("gave a result") != std::string::npos);
    // Of a mean that the rate does not have, what is printed counts.
    CHECK(test::results_of(js_vitest, head + "a  200.0  1  2  10.0000  1  2  3  4  \u00b110.00%  5\n") ==
          test::results({{"a", {{"latency", metric(1e7, 9e6, 1.1e7)}, {"throughput", metric(200, 180, 220)}}}}));
    CHECK(test::results_of(js_vitest, head + "a" + row + "\n", average(Average::median)) ==
          test::results({{"a", {{"throughput", metric(100, 90, 110)}}}}));
  }

  TEST_CASE("tinybench: a stack of more than one line, as Bun prints it") {
    const std::string head = "\u2502 \u2502 Task name \u2502 Latency avg (ns) \u2502 Error \u2502 Stack \u2502\n";
    const auto parsed =
        test::must_parse(js_tinybench, head +
                                           "\u2502 0 \u2502 a \u2502 2.00 \u00b1 50.00% \u2502 \u2502 \u2502\n\u2502 1 "
                                           "\u2502 b \u2502 \u2502 boom \u2502 Error: boom\n"
                                           "   at x:1 \u2502\n\u2502 2 \u2502 c \u2502 3.00\n");
    CHECK(parsed.results == latency("a", metric(2, 1, 3)));
    CHECK(parsed.warnings == std::vector<std::string>{"'b' failed and is left out"});
  }

  TEST_CASE("tinybench: a bar within a quoted name") {
    CHECK(test::results_of(js_tinybench,
                           "\u2502 (index) \u2502 Task name \u2502 Latency avg (ns) \u2502\n"
                           "\u2502 0 \u2502 'a \u2502 b' \u2502 '2.00 \u00b1 50.00%' \u2502\n"
                           "\u2502 1 \u2502 'c \u2502 4 \u2502\n") == latency("a \u2502 b", metric(2, 1, 3)));
  }

  TEST_CASE("mitata and deno: groups, ranges, what is broken off, Deno 1") {
    const std::string head = "benchmark  time (avg)  (min \u2026 max)  p75  p99  p999\n";
    const std::string text =
        head + "\u2022 g\na b 2 1'234 ns/iter (1 ns \u2026 2 us) 3 ns 4 ns 5 ns\n\u2022 h\na b 2 7 ns/iter\n";
    CHECK(test::results_of(js_mitata, text, all_options()) ==
          test::results(
              {{"g > a b 2",
                {{"latency", metric(1234, 1, 2000)}, {"p75", metric(3)}, {"p99", metric(4)}, {"p999", metric(5)}}},
               {"h > a b 2", {{"latency", metric(7)}}}}));
    CHECK_FALSE(parse(js_mitata, "a b 2 1'234 ns/iter\n").has_value());
    CHECK(test::refusal(js_mitata, text, average(Average::median)).find("no median") != std::string::npos);
    CHECK(test::refusal(js_mitata, head + "a   error: boom\n").find("gave a result") != std::string::npos);
    CHECK(test::results_of(js_deno,
                           "benchmark  time (avg)  iter/s  (min \u2026 max)  p75  p99  p995\n"
                           "a b  10.5 ns/iter  95,930,000.0  (2.9 ns \u2026 4.0 \u00b5s) 3.5 ns 126.5 ns 409.8 ns\n") ==
          latency("a b", metric(10.5, 2.9, 4000)));
    CHECK(test::results_of(js_deno, "| benchmark | time/iter (avg) | iter/s |\n| a | 1.5 ns |\n| b | 2 ns | 1 |\n") ==
          latency("b", metric(2)));
  }

  TEST_CASE("pytest and pyperf: columns, runs of before, comparisons, names") {
    const std::string head = "Name (time in us)  Mean  OPS (Kops/s)\n";
    CHECK(test::results_of(python_pytest, head + "-----\na b (1) 2.5 (1.0) 3.5 (inf)\nc 2\n", all_options()) ==
          test::results({{"a b (1)", {{"latency", metric(2500)}, {"throughput", metric(3500)}}}}));
    CHECK(test::results_of(python_pytest, head + "a (0001_x) 1 2\na (NOW) 2 (1.0) 3 (>1000.0)\n") ==
          latency("a", metric(2000)));
    CHECK(test::refusal(python_pytest, head + "a (0001_x) 1 2\n").find("saved before") != std::string::npos);
    CHECK(test::refusal(python_pytest, "Name (time in us)  Min\na  1\n").find("'Mean'") != std::string::npos);
    CHECK_FALSE(parse(python_pytest, head + "\na 1 2\n").has_value());
    CHECK(test::results_of(python_pyperf, "Mean +- std dev: 1.5 ms +- 0.5 ms\n") ==
          latency("unnamed 1", metric(1.5e6, 1e6, 2e6)));
    CHECK(test::results_of(python_pyperf, "\u00fc b\n---\n\nMedian +- MAD: 3 ns +- 1 ns\n", average(Average::median)) ==
          latency("\u00fc b", metric(3, 2, 4)));
    CHECK_FALSE(
        parse(python_pyperf, "a: Mean +- std dev: [x] 1 ns +- 1 ns -> [y] 2 ns +- 1 ns: 2.00x slower\n").has_value());
  }

  TEST_CASE("asv: several commits") {
    const auto of_commit = [](std::string_view hash, int value) {
      return fmt::format("[50%] \u00b7 For p commit {} <a>:\n[50%] \u00b7\u00b7\u00b7 m.a  {}\u00b11ns\n", hash, value);
    };
    CHECK(test::must_parse(python_asv, of_commit("f657e339", 5)).warnings.empty());
    const auto both = test::must_parse(python_asv, of_commit("f657e339", 5) + of_commit("c7ce8e5a", 6));
    CHECK(both.results == latency("m.a", metric(6, 5, 7)));
    REQUIRE_FALSE(both.warnings.empty());
    CHECK(both.warnings[0].find("2 times for a commit") != std::string::npos);
  }

  TEST_CASE("asv: files of results") {
    const auto file = [](std::string_view results) {
      return std::string(R"({"result_columns": ["result"], "results": {)").append(results).append("}}");
    };
    CHECK(test::results_of(python_asv, file(R"("m.time_a": [[2, NaN, null, 4], [["1", "2"], ["'x'", "3"]], "v", 1, 2,
                                                [1], [2], [1, null], [3, null]])")) ==
          test::results({{"m.time_a(1, x)", {{"latency", metric(2e9, 1e9, 3e9)}}},
                         {"m.time_a(2, 3)", {{"latency", metric(4e9)}}}}));
    CHECK(test::results_of(python_asv, file(R"("m.S.peakmem_a": [[5], []], "m.track_b": [[-Infinity, 7]])")) ==
          test::results({{"m.S.peakmem_a", {{"memory", metric(5)}}}, {"m.track_b", {{"value", metric(7)}}}}));
    CHECK(test::refusal(python_asv, file(R"("m.time_a": [null, []])")).find("gave a result") != std::string::npos);
    CHECK(test::refusal(python_asv, file(R"("m.time_a": [[1], [[]]])").substr(0, 60)).find("line 1") !=
          std::string::npos);
  }

  TEST_CASE("Benchmark.ips: a name on the line above, but nothing that a program printed") {
    const std::string row = "                    2.000k (\u00b110.0%) i/s -  1.000  in   0.3s\n";
    CHECK(test::results_of(ruby_benchmark, "a label of more than twenty\n" + row) ==
          test::results({{"a label of more than twenty", {{"throughput", metric(2000, 1800, 2200)}}}}));
    CHECK_FALSE(parse(ruby_benchmark, "             a label printed\n" + row).has_value());
    CHECK_FALSE(parse(ruby_benchmark, row).has_value());
  }

  TEST_CASE("console.time of every engine") {
    CHECK(test::results_of(js_time,
                           "a: 1:02.345 (m:ss.mmm)\nb: 1:00:00.000 (h:mm:ss.mmm)\nc: 3.5 ms\n[2.00us] d e\n"
                           "e: 1.5s - timer ended\nf: 12ms\n") == test::results({{"a", {{"latency", metric(62.345e9)}}},
                                                                                 {"b", {{"latency", metric(3600e9)}}},
                                                                                 {"c", {{"latency", metric(3.5e6)}}},
                                                                                 {"d e", {{"latency", metric(2e3)}}},
                                                                                 {"e", {{"latency", metric(1.5e9)}}},
                                                                                 {"f", {{"latency", metric(12e6)}}}}));
    for (const auto* log : {"took 3ms\n", "Time:        1.234 s\n", "a: 3ms later\n", ": 3ms\n", "a: b: ms\n",
                            "[12:00:01] 5 ms\n", "[INFO] started\n"}) {
      CAPTURE(log);
      CHECK_FALSE(parse(js_time, log).has_value());
    }
    CHECK(
        test::results_of(js_bun, "[3.15ms] a b\n(pass) math > adds [1.50ms]\n(fail) math > no [2ms]\n(pass) quick\n") ==
        test::results({{"a b", {{"latency", metric(3.15e6)}}}, {"math > adds", {{"latency", metric(1.5e6)}}}}));
  }

  TEST_CASE("console.time of Bun is given to its adapter where all lines are in its form") {
    const auto read_by = [](AdapterKind kind, std::string_view text) { return test::must_parse(kind, text).adapter; };
    CHECK(read_by(magic, "[3.15ms] a\nsome words\n[12ms] b\n") == js_bun);
    CHECK(read_by(js, "[3.15ms] a\n") == js_bun);
    CHECK(read_by(js_time, "[3.15ms] a\n") == js_time);
    CHECK(read_by(magic, "[3.15ms] a\nb: 12ms\n") == js_time);
    CHECK(read_by(magic, "[3.15ms] a: 12ms\n") == js_time);
    CHECK(read_by(magic, "b: 12ms\n") == js_time);
  }

  TEST_CASE("asv: the value elsewhere, no spread, other units, one parameter") {
    const std::string p = "[ 50.00%] \u00b7\u00b7\u00b7 ";
    CHECK(
        test::results_of(python_asv, p + "m.a\n" + p + "Running (m.a--)\n" + p + "Running 'x y'     1.5\u00b10.5h\n") ==
        latency("m.a", metric(5400e9, 3600e9, 7200e9)));
    CHECK(test::results_of(python_asv, p + "m.a   2m\n" + p + "m.mem  2.42k\n" + p + "m.b  failed\n") ==
          latency("m.a", metric(120e9)));
    CHECK(test::results_of(python_asv,
                           "[100.00%] \u00b7\u00b7\u00b7 m.a   ok\n[100.00%] \u00b7\u00b7\u00b7 === =====\n"
                           "                n        \n               --- -----\n"
                           "                1   2\u00b11ms \n                2    n/a \n"
                           "               === =====\n") == latency("m.a(1)", metric(2e6, 1e6, 3e6)));
  }

  TEST_CASE("ruby: Benchmark.ips, and the parts of the time") {
    CHECK(test::results_of(ruby_benchmark,
                           "Warming up ---\n   add  3.572M i/100ms\nCalculating ---\n"
                           "   add   2.000M (\u00b1 5.0%) i/s   (27.41 ns/i) -  182.172M in   5.060567s\n"
                           "   two words  1.5k (\u00b110.0%) i/s - 1 in 2s\n") ==
          test::results({{"add", {{"throughput", metric(2e6, 1.9e6, 2.1e6)}}},
                         {"two words", {{"throughput", metric(1500, 1350, 1650)}}}}));
    CHECK(test::results_of(ruby_benchmark, "  user system total real\na 1 2 3 ( 4)\n", all_options()) ==
          test::results(
              {{"a", {{"latency", metric(4e9)}, {"user", metric(1)}, {"system", metric(2)}, {"total", metric(3)}}}}));
  }

  TEST_CASE("JMH's table: parameters, errors, figures, small numbers, units") {
    const std::string text =
        "Benchmark                       (n)    Mode  Cnt    Score    Error   Units\n"
        "A.x                              10   thrpt    5   12.500 \u00b1  0.500  ops/ms\n"
        "A.x:gc.alloc.rate.norm           10   thrpt    5   24.000 \u00b1  0.001    B/op\n"
        "A.x                              20   thrpt    5   13.000 \u00b1  1.000  ops/ms\n"
        "A.y                             N/A  sample  100    2.000           min/op\n"
        "A.y:y\u00b7p0.50                    N/A  sample         1.000           min/op\n"
        "A.z                             N/A    avgt         \u2248 10\u207b\u2075            s/op\n"
        "\nBenchmark result is saved to x.json\n";
    CHECK(test::results_of(java_jmh, text) == test::results({{"A.x", {{"throughput", metric(13000, 12000, 14000)}}},
                                                             {"A.y", {{"latency", metric(120e9)}}},
                                                             {"A.z", {{"latency", metric(1e4)}}}}));
    const auto all = test::results_of(java_jmh, text, all_options());
    REQUIRE(all.size() == 4);
    CHECK(all[0].name == "A.x [thrpt, n=10]");
    CHECK(all[1].name == "A.x [thrpt, n=20]");
    CHECK(all[0].measures[1].measure == "gc.alloc.rate.norm");
    CHECK(all[0].measures[1].metric == metric(24, 24 - 0.001, 24 + 0.001));
    CHECK(all[2].measures[1].measure == "p0.50");
    CHECK(test::results_of(java_jmh,
                           "\"Benchmark\",\"Mode\",\"Threads\",\"Samples\",\"Score\",\"Score Error (99.9%)\","
                           "\"Unit\",\"Param: n\"\n\"p.A.x\",\"avgt\",1,5,2.5,0.5,\"us/op\",7\n") ==
          latency("p.A.x", metric(2500, 2000, 3000)));
    CHECK(test::results_of(java_jmh, "Result \"p.A.x\":\n  28.5 \u00b1(99.9%) 0.5 ns/op [Average]\n") ==
          latency("p.A.x", metric(28.5, 28, 29)));
    CHECK(test::results_of(java_jmh, "Benchmark Mode Cnt Score Error Units\nA.x thrpt 4 86400 \u00b1 NaN ops/day\n") ==
          test::results({{"A.x", {{"throughput", metric(1)}}}}));
  }

  TEST_CASE("BenchmarkDotNet's tables") {
    const std::string table =
        "| Method | N  |     Mean |    Error |   StdDev |   Median |   Gen0 | Allocated |\n"
        "|------- |--- |---------:|---------:|---------:|---------:|-------:|----------:|\n"
        "| Sleep  | 10 | 15.50 ms | 0.100 ms | 0.500 ms | 15.40 ms | 0.5000 |    1.5 KB |\n"
        "| Sleep  | 20 | 25.50 ms | 0.100 ms | 0.500 ms | 25.40 ms |      - |         - |\n"
        "| Bad    | 20 |       NA |       NA |       NA |       NA |      - |         - |\n";
    CHECK(test::results_of(c_sharp_dot_net, table) ==
          test::results({{"Sleep", {{"latency", metric(25.5e6, 25e6, 26e6)}, {"allocated", metric(0)}}}}));
    const auto all = test::results_of(c_sharp_dot_net, table, all_options());
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "Sleep(N=10)");
    CHECK(all[0].measures[1].measure == "Gen0");
    CHECK(all[0].measures[2].metric == metric(1536));
    CHECK(test::results_of(c_sharp_dot_net, table, average(Average::median))[0].measures[0].metric == metric(25.4e6));
    CHECK(test::results_of(c_sharp_dot_net,
                           "  Method |     Mean |    StdDev |\n-------- |--------- |---------- |\n"
                           " 'A b' | 1.234 us | 0.0040 us |\n") == latency("A b", metric(1234, 1230, 1238)));
    CHECK(test::results_of(c_sharp_dot_net, "Method;Job;Mean [ns];StdDev [ns]\nA;D;\"1,234.5\";0.5\n") ==
          latency("A", metric(1234.5, 1234, 1235)));
  }

  TEST_CASE("divan: the average, and no tree") {
    const std::string tree =
        "b         fastest       \u2502 slowest       \u2502 median        \u2502 mean          \u2502 samples \u2502 "
        "iters\n"
        "\u2570\u2500 a      1 \u00b5s          \u2502 4 \u00b5s          \u2502 2 \u00b5s          \u2502 3 \u00b5s   "
        "       \u2502 10      \u2502 100\n"
        "          2 MB/s        \u2502 3 MB/s        \u2502 4 MB/s        \u2502 5 Mitem/s     \u2502         "
        "\u2502\n";
    CHECK(test::results_of(rust_divan, tree) == latency("b::a", metric(3e3, 1e3, 4e3)));
    CHECK(test::results_of(rust_divan, tree, average(Average::median)) == latency("b::a", metric(2e3, 1e3, 4e3)));
    CHECK(test::results_of(rust_divan, tree, all_options()) ==
          test::results({{"b::a", {{"latency", metric(3e3, 1e3, 4e3)}, {"item/s", metric(5e6)}}}}));
    CHECK_FALSE(parse(rust_divan, "fastest slowest median\n").has_value());
  }

  TEST_CASE("wrk: two runs, wrk2's percentiles, the median") {
    const std::string text =
        "Running 30s test @ http://h/a\n  Thread Stats   Avg      Stdev     99%   +/- Stdev\n"
        "    Latency     2.00ms    1.00ms   6.00s    91.87%\n    Req/Sec     6.85k     4.65k   14.45k    70.00%\n"
        "  Latency Distribution (HdrHistogram - Recorded Latency)\n 50.000%    1.50ms\n 99.000%    1.00m\n"
        "Requests/sec:   1000.50\nTransfer/sec:      1.00KB\n"
        "Running 30s test @ http://h/b\n    Latency    10.00us    1.00us   6.00us    91.87%\nRequests/sec:   5\n";
    CHECK(test::results_of(shell_wrk, text) ==
          test::results({{"http://h/a", {{"latency", metric(2e6, 1e6, 3e6)}, {"throughput", metric(1000.5)}}},
                         {"http://h/b", {{"latency", metric(1e4, 9e3, 1.1e4)}, {"throughput", metric(5)}}}}));
    CHECK(test::results_of(shell_wrk, text, average(Average::median)) ==
          test::results({{"http://h/a", {{"latency", metric(1.5e6)}, {"throughput", metric(1000.5)}}}}));
    CHECK(test::refusal(shell_wrk, text.substr(text.find("Running 30s test @ http://h/b")), average(Average::median))
              .find("--latency") != std::string::npos);
  }

  TEST_CASE("JUnit: classes, nested suites, what did not pass, an end that is missing") {
    const std::string text =
        "Running <tests>\n<testsuites><testsuite name=\"s\"><testcase classname=\"p.C\" name=\"a&amp;b\" time=\"0.5\"/>"
        "<testcase classname=\"m::t\" name=\"c\" time=\"1,000.25\"></testcase>"
        "<testcase name=\"d\" time=\"1\"><failure message=\"no\"/></testcase>"
        "<testcase name=\"e\" time=\"0\"><skipped/></testcase><testcase name=\"f\"/></testsuite></testsuites>";
    const auto parsed = test::must_parse(shell_junit, text);
    CHECK(parsed.results ==
          test::results({{"p.C.a&b", {{"latency", metric(0.5e9)}}}, {"m::t::c", {{"latency", metric(1000.25e9)}}}}));
    REQUIRE(parsed.warnings.size() == 1);
    CHECK(parsed.warnings[0].starts_with("3 test cases"));
    CHECK(test::refusal(shell_junit, text.substr(0, text.size() - 5)).find("line 2") != std::string::npos);
  }

  TEST_CASE("JUnit: a class that is the name, what was not run, and the sums of libtest's benches") {
    const std::string cases =
        "<testcase classname=\"a b\" name=\"a b\" time=\"1\"/><testcase name=\"c\" time=\"0\" status=\"notrun\"/>"
        "<testcase name=\"d\" time=\"0\" status=\"run\" result=\"suppressed\"/>"
        "<testcase classname=\"benchmark::x\" name=\"e\" time=\"50\"/></testsuite>";
    CHECK(test::results_of(shell_junit, "<testsuite package=\"p\">" + cases) ==
          test::results({{"a b", {{"latency", metric(1e9)}}}, {"benchmark::x::e", {{"latency", metric(50e9)}}}}));
    CHECK(test::results_of(shell_junit, "<testsuite package=\"test\">" + cases) ==
          test::results({{"a b", {{"latency", metric(1e9)}}}, {"x::e", {{"latency", metric(1)}}}}));
  }

  TEST_CASE("as many results as lie in large pages are all kept, and of one name the last") {
    constexpr std::size_t count = 300'000;
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += "Benchmark" + std::to_string(i) + " 1 " + std::to_string(i % 1000) + " ns/op\n";
    text += "Benchmark7 1 8 ns/op\n";
    const auto results = test::results_of(go_bench, text);
    REQUIRE(results.size() == count);
    std::size_t right = 0;
    for (std::size_t i = 0; i < count; ++i)
      right += results[i].name == "Benchmark" + std::to_string(i) && results[i].measures.size() == 1 &&
               results[i].measures[0].metric == metric(i == 7 ? 8 : static_cast<double>(i % 1000));
    CHECK(right == count);
  }

  TEST_CASE("hyperfine: what has no median says so") {
    CHECK(test::refusal(shell_hyperfine, "Benchmark 1: x\n  Time (mean \u00b1 \u03c3): 1 ms \u00b1 1 ms [User: 1 ms]\n",
                        average(Average::median))
              .find("median") != std::string::npos);
    CHECK(test::results_of(shell_hyperfine, "command,mean,stddev,median,user,system,min,max\n\"a, b\",2,1,3,0,0,1,4\n",
                           average(Average::median)) == latency("a, b", metric(3e9, 1e9, 4e9)));
  }

  TEST_CASE("hostile texts of any adapter end soon and without results") {
    const std::string blanks(100'000, ' ');
    for (const auto kind : adapter_kinds()) {
      CAPTURE(name(kind));
      for (const std::string& text :
           {blanks, blanks + "\n" + blanks, std::string(100'000, ':'), std::string(100'000, '-'),
            std::string(100'000, '|'), std::string(100'000, '1'), std::string(100'000, '\n'), std::string(100'000, '['),
            std::string(100'000, '<'),
            "a" + blanks + "time:", "test a ... bench:" + std::string(100'000, '9') + " ns/iter (+/- 1)"})
        CHECK_FALSE(parse(kind, text).has_value());
    }
    CHECK_FALSE(parse(magic, std::string(1'000'000, ' ')).has_value());
    // Each line begins as a result does and has no end.
    for (const std::string_view start :
         {"a x 10 ops/sec ", "a::b::c ", "BenchmarkX 10 5 ns/op", "test a ... bench: ", "a time: [",
          "[ 50.00%] \u00b7\u00b7\u00b7 a 1\u00b1", "<testcase ", "{\"type\":\"bench\"", "Benchmark Mode Score Units\n",
          "Instructions: ", "| Method | Mean |\n"}) {
      std::string text;
      while (text.size() < 60'000)
        text.append(start).append(5, ' ');
      CAPTURE(start);
      for (const auto kind : adapter_kinds())
        (void)parse(kind, text);
    }
  }

  TEST_CASE("a line of many megabytes is read once") {
    const std::string text = std::string(20'000'000, 'x') + " time:   [1 ns 2 ns 3 ns]\na  time:   [1 ns 2 ns 3 ns]\n";
    CHECK(test::results_of(rust_criterion, text) == latency("a", metric(2, 1, 3)));
    CHECK(test::results_of(magic, text) == latency("a", metric(2, 1, 3)));
  }

  TEST_CASE("numbers that are none, or too large, are no results") {
    for (const auto& number : {std::string("NaN"), std::string("inf"), "1" + std::string(400, '0')}) {
      CAPTURE(number);
      CHECK_FALSE(parse(go_bench, "BenchmarkA 10 " + number + " ns/op\n").has_value());
      CHECK_FALSE(parse(rust_bench, "test a ... bench: " + number + " ns/iter (+/- 1)\n").has_value());
      CHECK_FALSE(parse(js_benchmark, "a x " + number + " ops/sec \u00b11% (9 runs sampled)\n").has_value());
      CHECK_FALSE(parse(rust_criterion, "a  time: [1 ns " + number + " ns 1 ns]\n").has_value());
    }
    CHECK(test::results_of(go_bench, "BenchmarkA 10 0." + std::string(400, '3') + " ns/op\n") ==
          latency("BenchmarkA", metric(1.0 / 3)));
  }
}
