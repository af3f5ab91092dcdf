// How many bytes of benchmark output a second each adapter reads, beside memchr over the same bytes, and how much more
// detection costs. One thread, the best of some runs. `adapters [NAME…]` measures those only.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

namespace {

using namespace bencher;
using enum AdapterKind;

constexpr std::size_t size = 20'000'000;
constexpr int runs = 5;

/// One entry of a text: the lines of benchmark `i`.
using Entry = std::function<std::string(unsigned i)>;

/// A text of about `size` bytes.
std::string many(std::string_view head, const Entry& entry, std::string_view tail = {}) {
  std::string text(head);
  text.reserve(size + 4096);
  for (unsigned i = 0; text.size() < size; ++i)
    text += entry(i);
  return text.append(tail);
}

std::string go_lines() {
  return many("goos: linux\ngoarch: amd64\npkg: example.com/demo\n", [](unsigned i) {
    return fmt::format("BenchmarkFib/n={}-8         \t {:>8}\t       {}.{} ns/op\t      16 B/op\t       1 allocs/op\n",
                       i, 1000 + i % 100000, 10 + i % 90, i % 10);
  });
}

std::string catch2_rows() {
  const std::string rule(79, '-');
  return many(rule + "\nFibonacci\n" + rule + "\nbody.inc:7\n\n", [](unsigned i) {
    return fmt::format(
        "Fibonacci {:<30}{:>10}{:>14}{:>11} ms \n{:>45}.1598 ns{:>11}.7588 ns{:>11}.6535 ns \n"
        "{:>42}.01456 ns{:>11}.77287 ns{:>11}.51691 ns \n{:>79}\n",
        i, 20, 455 + i % 100, "1.1466", i % 100, 61, 62, 1, 0, 1, "");
  });
}

std::string gungraun_blocks() {
  return many("\nrunning 0 tests\n\n", [](unsigned i) {
    return fmt::format(
        "lib_bench::group::bench_{} id:({})\n"
        "  Instructions:            {:>8}|24943490        (+5.09649%) [+1.04849x]\n"
        "  L1 Hits:                 35638619|34367375        (+3.69898%) [+1.03567x]\n"
        "  L2 Hits:                        0|0               (No change)\n"
        "  RAM Hits:                       3|N/A             (*********)\n"
        "  Total read+write:        35638622|34367378        (+3.69898%) [+1.03567x]\n"
        "  Estimated Cycles:        35638724|34367480        (+3.69897%) [+1.03567x]\n",
        i, i, 26214734 + i);
  });
}

std::string iai_blocks() {
  return many("", [](unsigned i) {
    return fmt::format(
        "bench_fibonacci_{}\n  Instructions:            {:>8} (+0.000076%)\n  L1 Accesses:             23447195 "
        "(+0.000055%)\n  L2 Accesses:                    6 (-33.33333%)\n  RAM Accesses:                   2 (No "
        "change)\n  Estimated Cycles:        23447295 (-0.000009%)\n\n",
        i, 18454953 + i);
  });
}

std::string test2json() {
  return many("", [](unsigned i) {
    return fmt::format(
        "{{\"Time\":\"2026-11-21T00:06:33.983Z\",\"Action\":\"output\",\"Package\":\"example.com/demo\",\"Test\":"
        "\"BenchmarkFib\",\"Output\":\"BenchmarkFib/n={}-2 \\t\"}}\n{{\"Time\":\"2026-11-21T00:06:33.984Z\",\"Action\":"
        "\"output\",\"Package\":\"example.com/demo\",\"Test\":\"BenchmarkFib\",\"Output\":\"   67267\\t       315.7 "
        "ns/op\\n\"}}\n",
        i);
  });
}

std::string plain_log() {
  return many("", [](unsigned i) {
    return fmt::format("   Compiling some-crate-{} v0.{}.3 (registry+https://example.com/index)\n", i, i % 90);
  });
}

struct Case {
  const char* name;
  AdapterKind kind;
  std::function<std::string()> text;
  bool has_results = true;
};

std::vector<Case> cases() {
  const auto lines = [](std::string_view head, const Entry& entry) {
    return [head, entry] { return many(head, entry); };
  };
  return {
      {"cpp_catch2", cpp_catch2, catch2_rows},
      {"dart_benchmark_harness", dart_benchmark_harness,
       lines("", [](unsigned i) { return fmt::format("Template{}(RunTime): {}.1568472448997197 us.\n", i, i % 100); })},
      {"go_bench", go_bench, go_lines},
      {"js_benchmark", js_benchmark,
       lines("",
             [](unsigned i) {
               return fmt::format("fib({}) x {},431,759 ops/sec \u00b10.74% (93 runs sampled)\n", i, i % 100);
             })},
      {"js_time", js_time,
       lines("", [](unsigned i) { return fmt::format("benchmark {}: {}ms - timer ended\n", i, i % 10000); })},
      {"python_asv", python_asv,
       lines("",
             [](unsigned i) {
               return fmt::format(
                   "[ {:>5.2f}%] \u00b7\u00b7\u00b7 benchmarks.TimeSuite.time_keys{:<30}"
                   "{}.2\u00b10.01\u03bcs\n",
                   (i % 10000) / 100.0, i, i % 100);
             })},
      {"ruby_benchmark", ruby_benchmark,
       lines("             user     system      total        real\n",
             [](unsigned i) {
               return fmt::format("sort{}!   1.490000   0.010000   1.500000 (  {}.490520)\n", i, i % 100);
             })},
      {"rust_bench", rust_bench,
       lines("running 7 tests\n",
             [](unsigned i) {
               return fmt::format(
                   "test bleu::benchmark::bench_{} ... bench:  {:>3},967,756.30 ns/iter "
                   "(+/- 266,769.64)\n",
                   i, i % 1000);
             })},
      {"rust_criterion", rust_criterion,
       lines("",
             [](unsigned i) {
               return fmt::format(
                   "fibonacci/{:<14}time:   [{}.82 ns 164.54 ns 172.67 ns]\n"
                   "Found 2 outliers among 10 measurements (20.00%)\n"
                   "  2 (20.00%) high severe\n\n",
                   i, i % 164);
             })},
      {"rust_iai", rust_iai, iai_blocks},
      {"rust_gungraun_stdout", rust_gungraun_stdout, gungraun_blocks},
      {"rust_divan", rust_divan,
       lines("fib              fastest       \u2502 slowest       \u2502 median        \u2502 mean          \u2502 "
             "samples \u2502 iters\n",
             [](unsigned i) {
               return fmt::format(
                   "\u251c\u2500 f{:<12} {:>4}.9 ns      \u2502 160.6 ns      \u2502 160.2 ns      \u2502 160.2 ns     "
                   " \u2502 10      \u2502 160\n",
                   i, i % 160);
             })},
      {"shell_wrk", shell_wrk,
       lines("",
             [](unsigned i) {
               return fmt::format(
                   "Running 2s test @ http://127.0.0.1:18081/{}\n  1 threads and 4 connections\n  Thread Stats   Avg   "
                   "   Stdev"
                   "     Max   +/- Stdev\n    Latency     2.15ms    4.62ms  65.83ms   91.87%\n    Req/Sec     6.85k    "
                   " 4.65k"
                   "   14.45k    70.00%\n  13735 requests in 2.02s, 1.66MB read\nRequests/sec:   "
                   "6799.54\nTransfer/sec:    "
                   "843.30KB\n",
                   i);
             })},
      {"shell_junit", shell_junit,
       [] {
         return many(
             "<?xml version=\"1.0\"?>\n<testsuites><testsuite name=\"s\">\n",
             [](unsigned i) {
               return fmt::format("    <testcase classname=\"a.b.C\" name=\"test_{}\" time=\"0.{:03}\"/>\n", i,
                                  i % 1000);
             },
             "</testsuite></testsuites>\n");
       }},
      {"rust_criterion_json", rust_criterion_json,
       lines("",
             [](unsigned i) {
               return fmt::format(
                   "{{\"reason\":\"benchmark-complete\",\"id\":\"sum/{}\",\"iteration_count\":[54019,108038,162057],"
                   "\"measured_values\":[5489779.0,10995914.0,16505787.0],\"unit\":\"ns\",\"throughput\":[],"
                   "\"typical\":{{\"estimate\":{}.88997296045187,\"lower_bound\":101.60260067010218,\"upper_bound\":"
                   "102.15033738129176,\"unit\":\"ns\"}},\"mean\":{{\"estimate\":101.75,\"lower_bound\":101.5,"
                   "\"upper_bound\":102.0,\"unit\":\"ns\"}},\"change\":null}}\n",
                   i, i % 100);
             })},
      {"cpp_nanobench table", cpp_nanobench,
       lines("|               ns/op |                op/s |    err% |     total | benchmark\n",
             [](unsigned i) {
               return fmt::format("|               {:>5}.81 |      128,042,553.93 |    0.3% |      0.00 | `op {}`\n",
                                  i % 10000, i);
             })},
      {"js_mitata", js_mitata,
       [] {
         return many(
             "{\"layout\":[{\"name\":null}],\"benchmarks\":[{\"name\":\"first\",\"stats\":{\"avg\":1}}",
             [](unsigned i) {
               return fmt::format(
                   ",{{\"kind\":\"static\",\"args\":{{}},\"alias\":\"fib {}\",\"group\":0,\"baseline\":false,\"runs\":"
                   "[{{\"stats\":{{\"kind\":\"fn\",\"samples\":[0.25,0.25,0.5],\"min\":531.06640625,\"max\":2597.9304,"
                   "\"p25\":553.72607421875,\"p50\":590.969970703125,\"avg\":{}.533650187703}},\"args\":{{}},\"name\":"
                   "\"fib {}\"}}]}}",
                   i, i % 1000, i);
             },
             "]}");
       }},
      {"python_pyperf", python_pyperf,
       [] {
         return many(
             "{\"version\":\"1.0\",\"benchmarks\":[{\"metadata\":{\"name\":\"first\"},\"runs\":[{\"values\":[1]}]}",
             [](unsigned i) {
               return fmt::format(
                   ",{{\"metadata\":{{\"name\":\"sort {}\"}},\"runs\":[{{\"metadata\":{{\"duration\":0.0239,"
                   "\"mem_max_rss\":19533824}},\"values\":[1.429843745626158e-07,1.3734374881835265e-07,"
                   "1.3732812575995013e-0{}],\"warmups\":[[64,1.632343753499299e-07]]}}]}}",
                   i, 1 + i % 9);
             },
             "]}");
       }},
      {"julia_benchmark_tools", julia_benchmark_tools,
       [] {
         return many(
             "[{\"BenchmarkTools\":\"1.0.0\"},[[\"BenchmarkGroup\",{\"data\":{\"first\":[\"Trial\",{\"times\":[1]}]",
             [](unsigned i) {
               return fmt::format(
                   ",\"sin {}\":[\"Trial\",{{\"allocs\":2,\"gctimes\":[0.0,0.0,12.5,0.0],\"memory\":96,\"params\":"
                   "[\"Parameters\",{{\"samples\":10000}}],\"times\":[12.25,12.75,14.5,{}.5]}}]",
                   i, 31 + i % 10);
             },
             "}}]]]");
       }},
      {"google console", cpp_google,
       lines("Benchmark                       Time             CPU   Iterations UserCounters...\n",
             [](unsigned i) {
               return fmt::format("BM_StringCreation/{:<12} {:>4}.87 ns         1.04 ns     10000000 Foo=42.5\n", i,
                                  i % 100);
             })},
      {"jmh table", java_jmh,
       lines("Benchmark                 (n)   Mode  Cnt     Score     Error  Units\n",
             [](unsigned i) {
               return fmt::format("A.method{:<16}  10  thrpt   25  {:>4}.500 \u00b1 0.500  ops/ms\n", i, i % 1000);
             })},
      {"go test -json", go_bench, test2json},
      {"plain log", magic, plain_log, false},
  };
}

double seconds_of(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

/// Counts the lines.
std::size_t scan(std::string_view text) {
  std::size_t count = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  while (const void* feed = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
    at = static_cast<const char*>(feed) + 1;
    ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  fmt::print("{:<24}{:>12}{:>12}{:>12}{:>12}{:>14}{:>10}\n", "text", "benchmarks", "adapter", "magic", "memchr",
             "magic/adapter", "ns each");
  bool good = true;
  for (const auto& one : cases()) {
    const bool wanted = argc == 1 || std::any_of(argv + 1, argv + argc,
                                                 [&](const char* name) { return std::strcmp(name, one.name) == 0; });
    if (!wanted) continue;
    const auto text = one.text();
    const double megabytes = static_cast<double>(text.size()) / 1e6;
    const auto parsed = parse(one.kind, text);
    if (parsed.has_value() != one.has_results) {
      fmt::print("{:<24} {}\n", one.name, parsed ? "is read, but should not" : parsed.error().message());
      good = false;
      continue;
    }
    const auto count = parsed ? parsed->results.size() : 0;
    std::size_t kept = 0;
    const auto read = [&](AdapterKind kind) {
      return seconds_of([&] {
        const auto again = parse(kind, text);
        kept += again ? again->results.size() : 0;
      });
    };
    const double own = read(one.kind), detected = read(magic);
    const double scanned = seconds_of([&] { kept += scan(text); });
    fmt::print("{:<24}{:>12}{:>7.0f} MB/s{:>7.0f} MB/s{:>7.0f} MB/s{:>14.2f}{:>10.0f}\n", one.name, count,
               megabytes / own, megabytes / detected, megabytes / scanned, detected / own,
               count > 0 ? own * 1e9 / static_cast<double>(count) : 0);
    if (kept == 0) good = false;
  }
  return good ? 0 : 1;
}
