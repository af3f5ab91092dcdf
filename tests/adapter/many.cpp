#include "tests/adapter/many.hpp"

#include <algorithm>
#include <vector>

#include <fmt/core.h>

namespace bencher::test {
namespace {

using enum AdapterKind;

std::string catch2_row(unsigned i) {
  return fmt::format(
      "Fibonacci {:<30}{:>10}{:>14}{:>11} ms \n{:>45}.1598 ns{:>11}.7588 ns{:>11}.6535 ns \n"
      "{:>42}.01456 ns{:>11}.77287 ns{:>11}.51691 ns \n{:>79}\n",
      i, 20, 455 + i % 100, "1.1466", i % 100, 61, 62, 1, 0, 1, "");
}

std::string catch2_xml(unsigned i) {
  return fmt::format(
      "    <BenchmarkResults name=\"Fibonacci {}\" samples=\"100\" resamples=\"100000\" iterations=\"{}\" "
      "clockResolution=\"17.2\" estimatedDuration=\"4.1e+06\">\n"
      "      <!--All values in nano seconds-->\n"
      "      <mean value=\"{}.18\" lowerBound=\"95.1\" upperBound=\"99.2\" ci=\"0.95\"/>\n"
      "      <standardDeviation value=\"1.2\" lowerBound=\"0.9\" upperBound=\"1.7\" ci=\"0.95\"/>\n"
      "      <outliers variance=\"0.01\" lowMild=\"0\" lowSevere=\"0\" highMild=\"1\" highSevere=\"2\"/>\n"
      "    </BenchmarkResults>\n",
      i, 100 + i % 1000, i % 1000);
}

std::string gungraun_block(unsigned i) {
  return fmt::format(
      "lib_bench::group::bench_{} id:({})\n"
      "  Instructions:            {:>8}|24943490        (+5.09649%) [+1.04849x]\n"
      "  L1 Hits:                 35638619|34367375        (+3.69898%) [+1.03567x]\n"
      "  L2 Hits:                        0|0               (No change)\n"
      "  RAM Hits:                       3|N/A             (*********)\n"
      "  Total read+write:        35638622|34367378        (+3.69898%) [+1.03567x]\n"
      "  Estimated Cycles:        35638724|34367480        (+3.69897%) [+1.03567x]\n",
      i, i, 26214734 + i);
}

std::string iai_block(unsigned i) {
  return fmt::format(
      "bench_fibonacci_{}\n  Instructions:            {:>8} (+0.000076%)\n  L1 Accesses:             23447195 "
      "(+0.000055%)\n  L2 Accesses:                    6 (-33.33333%)\n  RAM Accesses:                   2 (No "
      "change)\n  Estimated Cycles:        23447295 (-0.000009%)\n\n",
      i, 18454953 + i);
}

std::string test2json(unsigned i) {
  return fmt::format(
      "{{\"Time\":\"2026-11-21T00:06:33.983Z\",\"Action\":\"output\",\"Package\":\"example.com/demo\",\"Test\":"
      "\"BenchmarkFib\",\"Output\":\"BenchmarkFib/n={}-2 \\t\"}}\n{{\"Time\":\"2026-11-21T00:06:33.984Z\",\"Action\":"
      "\"output\",\"Package\":\"example.com/demo\",\"Test\":\"BenchmarkFib\",\"Output\":\"   67267\\t       315.7 "
      "ns/op\\n\"}}\n",
      i);
}

std::string wrk_run(unsigned i) {
  return fmt::format(
      "Running 2s test @ http://127.0.0.1:18081/{}\n  1 threads and 4 connections\n  Thread Stats   Avg      Stdev"
      "     Max   +/- Stdev\n    Latency     2.15ms    4.62ms  65.83ms   91.87%\n    Req/Sec     6.85k     4.65k"
      "   14.45k    70.00%\n  13735 requests in 2.02s, 1.66MB read\nRequests/sec:   6799.54\nTransfer/sec:    "
      "843.30KB\n",
      i);
}

std::string hyperfine_console(unsigned i) {
  return fmt::format(
      "Benchmark {}: sleep 0.{}\n"
      "  Time (mean \u00b1 \u03c3):      {}.2 ms \u00b1   2.4 ms    [User: 1.3 ms, System: 0.0 ms]\n"
      "  Range (min \u2026 max):    12.9 ms \u2026  17.7 ms    5 runs\n \n",
      i, i, 10 + i % 90);
}

constexpr std::string_view catch2_head =
    "-------------------------------------------------------------------------------\nFibonacci\n"
    "-------------------------------------------------------------------------------\nbody.inc:7\n\n";

constexpr Form text_forms[]{
    {"cpp_catch2", cpp_catch2, catch2_head, catch2_row, "", "\ntest cases: 1 | 1 passed\n"},
    {"catch2 xml", cpp_catch2,
     "<?xml version=\"1.0\"?>\n<Catch name=\"b\">\n<Group name=\"b\">\n  <TestCase name=\"Fibonacci\">\n", catch2_xml,
     "", "    <OverallResult success=\"true\"/>\n  </TestCase>\n</Group>\n</Catch>\n"},
    {"dart_benchmark_harness", dart_benchmark_harness, "",
     [](unsigned i) { return fmt::format("Template{}(RunTime): {}.1568472448997197 us.\n", i, i % 100); }},
    {"go_bench", go_bench, "goos: linux\ngoarch: amd64\npkg: example.com/demo\n",
     [](unsigned i) {
       return fmt::format(
           "BenchmarkFib/n={}-8         \t {:>8}\t       {}.{} ns/op\t      16 B/op\t       1 allocs/op\n", i,
           1000 + i % 100000, 10 + i % 90, i % 10);
     }},
    {"go test -json", go_bench, "", test2json},
    {"js_benchmark", js_benchmark, "",
     [](unsigned i) {
       return fmt::format("fib({}) x {},431,759 ops/sec \u00b10.74% (93 runs sampled)\n", i, i % 100);
     }},
    {"js_time", js_time, "",
     [](unsigned i) { return fmt::format("benchmark {}: {}ms - timer ended\n", i, i % 10000); }},
    {"js_time node", js_time, "", [](unsigned i) { return fmt::format("benchmark {}: {}.125ms\n", i, i % 1000); }},
    {"js_bun", js_bun, "", [](unsigned i) { return fmt::format("[{}.15ms] benchmark {}\n", i % 1000, i); }},
    {"python_asv", python_asv, "",
     [](unsigned i) {
       return fmt::format("[ {:>5.2f}%] \u00b7\u00b7\u00b7 benchmarks.TimeSuite.time_keys{:<30}{}.2\u00b10.01\u03bcs\n",
                          (i % 10000) / 100.0, i, i % 100);
     }},
    {"ruby_benchmark", ruby_benchmark, "             user     system      total        real\n",
     [](unsigned i) { return fmt::format("sort{}!   1.490000   0.010000   1.500000 (  {}.490520)\n", i, i % 100); }},
    {"vitest terminal", js_vitest,
     " \u2713 b/a.bench.mjs > group 356ms\n     name  hz  min  max  mean  p75  p99  p995  p999  rme  samples\n",
     [](unsigned i) {
       return fmt::format(
           "   \u00b7 sort {:<8}  {}.2089  12.1607  12.1685  12.1641  12.1685  12.1685  12.1685  12.1685  \u00b10.08%  "
           "3\n",
           i, i % 100 + 1);
     }},
    {"mitata terminal", js_mitata,
     "benchmark                   avg (min \u2026 max) p75 / p99    (min \u2026 top 1%)\n",
     [](unsigned i) {
       return fmt::format(
           "fib {:<20} {:>3}.67 ns/iter  73.49 ps   \u2588                   !\n"
           "                 (68.36 ps \u2026 4.89 \u00b5s) 122.31 ps  \u2582\u2588\n\n",
           i, i % 1000);
     }},
    {"deno terminal", js_deno,
     "| benchmark | time/iter (avg) |        iter/s |      (min \u2026 max)      |      p75 |      p99 |     p995 |\n"
     "| --------- | --------------- | ------------- | --------------------- | -------- | -------- | -------- |\n",
     [](unsigned i) {
       return fmt::format(
           "| noop {:<10} | {:>8}.4 ns |    95,930,000 | (  2.9 ns \u2026   4.0 \u00b5s) |   3.5 ns | 126.5 ns | 409.8 "
           "ns "
           "|\n",
           i, i % 1000);
     }},
    {"pytest terminal", python_pytest,
     "---------------- benchmark: 2 tests ----------------\n"
     "Name (time in ns)   Min   Max   Mean   StdDev   Median   IQR   Outliers  OPS (Mops/s)   Rounds  Iterations\n",
     [](unsigned i) {
       return fmt::format(
           "test_sort[{}]  148.6969 (1.0)  2,030.3333 (4.63)  {}.7764 (1.0)  41.2286 (2.43)  151.7576 (1.0)  1.5152 "
           "(1.22)  9;246  6.5029 (1.0)  3856  34\n",
           i, i % 1000);
     }},
    {"pyperf terminal", python_pyperf, "",
     [](unsigned i) { return fmt::format("sort {}: Mean +- std dev: {}.5 ns +- 8.6 ns\n", i, i % 1000); }},
    {"asv results", python_asv, "{\"result_columns\": [\"result\"], \"results\": {",
     [](unsigned i) {
       return fmt::format(
           R"x("b.Suite.time_{}": [[{}.5e-06], [], "56f2", 1795678618654, 0.03, [-Infinity], [NaN], [5e-06], [6e-06]])x",
           i, i % 1000);
     },
     ", ", "}, \"version\": 2}\n"},
    {"Benchmark.ips", ruby_benchmark, "Calculating -------------------------------------\n",
     [](unsigned i) {
       return i % 2 == 0
                  ? fmt::format("{:>20} {:>5}.533M (\u00b1 2.3%) i/s -      1.511M in   0.208669s\n", i, i % 1000)
                  : fmt::format("a very long label of {:<9}\n{:>25}.5  (\u00b1 2.3%) i/s -  1.000  in   0.3s\n", i,
                                i % 1000);
     }},
    {"Benchmark.ips json", ruby_benchmark, "[\n",
     [](unsigned i) {
       return fmt::format(R"x(  {{"name": "add {}", "central_tendency": {}.5, "ips": 6.5, "error": 3, "stddev": 3}})x",
                          i, i % 1000);
     },
     ",\n", "\n]"},
    {"rust_bench", rust_bench, "running 7 tests\n",
     [](unsigned i) {
       return fmt::format("test bleu::benchmark::bench_{} ... bench:  {:>3},967,756.30 ns/iter (+/- 266,769.64)\n", i,
                          i % 1000);
     }},
    {"rust_criterion", rust_criterion, "",
     [](unsigned i) {
       return fmt::format(
           "fibonacci/{:<14}time:   [{}.82 ns 164.54 ns 172.67 ns]\n"
           "Found 2 outliers among 10 measurements (20.00%)\n  2 (20.00%) high severe\n\n",
           i, i % 164);
     }},
    {"rust_iai", rust_iai, "", iai_block},
    {"rust_gungraun", rust_gungraun, "\nrunning 0 tests\n\n", gungraun_block},
    {"rust_gungraun_stdout", rust_gungraun_stdout, "\nrunning 0 tests\n\n", gungraun_block},
    {"rust_divan", rust_divan,
     "fib              fastest       \u2502 slowest       \u2502 median        \u2502 mean          \u2502 samples "
     "\u2502 iters\n",
     [](unsigned i) {
       return fmt::format(
           "\u251c\u2500 f{:<12} {:>4}.9 ns      \u2502 160.6 ns      \u2502 160.2 ns      \u2502 160.2 ns      \u2502 "
           "10      \u2502 160\n",
           i, i % 160);
     }},
    {"shell_wrk", shell_wrk, "", wrk_run},
    {"k6 console", shell_k6, "  \u2588 TOTAL RESULTS \n\n    HTTP\n",
     [](unsigned i) {
       return fmt::format(
           "    http_req_{:.<24}: avg={}.62\u00b5s min=135.93\u00b5s med=487.78\u00b5s max=4.89ms   "
           "p(90)=938.17\u00b5s "
           "p(95)=1.36ms \n",
           i, i % 728);
     }},
    {"shell_junit", shell_junit, "<?xml version=\"1.0\"?>\n<testsuites><testsuite name=\"s\">\n",
     [](unsigned i) {
       return fmt::format("    <testcase classname=\"a.b.C\" name=\"test_{}\" time=\"0.{:03}\"/>\n", i, i % 1000);
     },
     "", "</testsuite></testsuites>\n"},
    {"google console", cpp_google,
     "Benchmark                       Time             CPU   Iterations UserCounters...\n",
     [](unsigned i) {
       return fmt::format("BM_StringCreation/{:<12} {:>4}.87 ns         1.04 ns     10000000 Foo=42.5\n", i, i % 100);
     }},
    {"google csv", cpp_google,
     "name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,error_occurred,"
     "error_message\n",
     [](unsigned i) {
       return fmt::format("\"BM_StringCreation/{}\",{},{}.8711,4.86909,ns,,,,,\n", i, 1000000 + i, i % 100);
     }},
    {"jmh table", java_jmh, "Benchmark                 (n)   Mode  Cnt     Score     Error  Units\n",
     [](unsigned i) {
       return fmt::format("A.method{:<16}  10  thrpt   25  {:>4}.500 \u00b1 0.500  ops/ms\n", i, i % 1000);
     }},
    {"hyperfine console", shell_hyperfine, "", hyperfine_console},
    {"hyperfine csv", shell_hyperfine, "command,mean,stddev,median,user,system,min,max\n",
     [](unsigned i) {
       return fmt::format("sleep 0.{},0.01{}515224,0.00241,0.014,0.00128,0.00002,0.01294,0.01766\n", i, i % 100);
     }},
    {"hyperfine markdown", shell_hyperfine,
     "| Command | Mean [ms] | Min [ms] | Max [ms] | Relative |\n|:---|---:|---:|---:|---:|\n",
     [](unsigned i) {
       return fmt::format("| `sleep 0.{}` | {}.2 \u00b1 2.4 | 12.9 | 17.7 | 1.00 |\n", i, 10 + i % 90);
     }},
    {"dot_net markdown", c_sharp_dot_net,
     "| Method | N | Mean | Error | StdDev | Allocated |\n|------- |-- |-----:|------:|-------:|----------:|\n",
     [](unsigned i) {
       return fmt::format("| Sleep{} | 10 | {}.43 ms | 0.114 ms | 0.107 ms | 1.2 KB |\n", i, 10 + i % 90);
     }},
};

}  // namespace

std::span<const Form> forms() {
  static const auto all = [] {
    std::vector<Form> out(json_forms().begin(), json_forms().end());
    out.insert(out.end(), beyond_forms().begin(), beyond_forms().end());
    out.insert(out.end(), std::begin(text_forms), std::end(text_forms));
    // JSON is the first form where there is one, and those of one adapter stand together.
    std::stable_sort(out.begin(), out.end(), [](const Form& a, const Form& b) { return a.kind < b.kind; });
    return out;
  }();
  return all;
}

const Form* form_of(AdapterKind kind) {
  const auto found = std::find_if(forms().begin(), forms().end(), [&](const Form& f) { return f.kind == kind; });
  return found == forms().end() ? nullptr : &*found;
}

std::string text_with(const Form& form, std::size_t count) {
  std::string text(form.head);
  for (unsigned i = 0; i < count; ++i)
    text.append(i == 0 ? "" : form.separator).append(form.entry(i));
  return text.append(form.tail);
}

std::string text_of(const Form& form, std::size_t size) {
  std::string text(form.head);
  text.reserve(size + 8192);
  for (unsigned i = 0; text.size() < size; ++i)
    text.append(i == 0 ? "" : form.separator).append(form.entry(i));
  return text.append(form.tail);
}

}  // namespace bencher::test
