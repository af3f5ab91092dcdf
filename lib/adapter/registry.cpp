#include "lib/adapter/registry.hpp"

#include <array>

namespace bencher::adapter {

using enum AdapterKind;

namespace {

/// What Catch2 draws around the name of a test case.
constexpr std::string_view rule_of_79 =
    "-------------------------------------------------------------------------------";
static_assert(rule_of_79.size() == 79);

}  // namespace

std::span<const Row> rows() {
  // A new adapter is one row here. Order of detection: json, c_sharp, cpp (catch2, google), dart, go, java, js
  // (benchmark, time, vitest), python (asv, pytest), ruby, rust (bench, criterion, iai, gungraun), shell; then those
  // that the reference does not have.
  static constexpr std::array all{
      Row{json, json, Shape::json, Averages::same, Repeats::last, {read_bmf}, {}},
      Row{c_sharp_dot_net,
          c_sharp,
          Shape::json,
          Averages::any,
          Repeats::merge,
          {},
          {},
          true,
          {read_dot_net_text, "Mean"}},
      Row{cpp_catch2,
          cpp,
          Shape::text,
          Averages::mean,
          Repeats::last,
          {read_catch2, rule_of_79},
          {read_catch2_extended, "benchmark name", "<BenchmarkResults"}},
      Row{cpp_google, cpp, Shape::json, Averages::mean, Repeats::last, {}, {}, true, {read_google_text, "Iterations", "real_time"}},
      Row{dart_benchmark_harness,
          dart,
          Shape::text,
          Averages::mean,
          Repeats::last,
          {read_dart, "(RunTime):"},
          {read_dart_extended, "(RunTime"}},
      Row{go_bench, go, Shape::text, Averages::mean, Repeats::last, {read_go_bench, "s/op"}, {read_go_bench_extended, "/op", "Benchmark"}},
      Row{java_jmh, java, Shape::json, Averages::mean, Repeats::last, {}, {}, true, {read_jmh_text, "Score", "Result "}},
      Row{js_benchmark,
          js,
          Shape::text,
          Averages::median,
          Repeats::last,
          {read_js_benchmark, "ops/sec"},
          {read_js_benchmark_extended, "ops/sec"}},
      Row{js_time, js, Shape::text, Averages::none, Repeats::last, {read_js_time, "ended"}, {read_js_time_extended}},
      Row{python_asv,
          python,
          Shape::text,
          Averages::median,
          Repeats::last,
          {read_asv, "\u00b7"},
          {read_asv_extended, "\u00b7"}},
      Row{ruby_benchmark,
          ruby,
          Shape::text,
          Averages::none,
          Repeats::last,
          {read_ruby, "system"},
          {read_ruby_extended, ")"}},
      Row{rust_bench,
          rust,
          Shape::text,
          Averages::median,
          Repeats::last,
          {read_rust_bench, "/iter"},
          {read_rust_bench_extended, "bench"}},
      Row{rust_criterion,
          rust,
          Shape::text,
          Averages::mean,
          Repeats::last,
          {read_criterion, "time:"},
          {read_criterion_extended, "time:"}},
      Row{rust_iai,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_iai, "Instructions:"},
          {read_iai_extended, "Instructions:", "Accesses:"}},
      Row{rust_gungraun,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_gungraun, "::"},
          {read_gungraun_extended, "::"}},
      Row{rust_gungraun_stdout,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_gungraun_stdout, "::"},
          {read_gungraun_stdout_extended, "::"},
          false},
      Row{shell_hyperfine, shell, Shape::json, Averages::any, Repeats::last, {}, {}, true, {read_hyperfine_text, "ommand", "Time ("}},
      Row{rust_divan, rust, Shape::text, Averages::any, Repeats::last, {}, {read_divan, "fastest"}},
      Row{shell_wrk, shell, Shape::text, Averages::any, Repeats::last, {}, {read_wrk, "Requests/sec"}},
      Row{shell_junit, shell, Shape::text, Averages::same, Repeats::last, {}, {read_junit, "<testcase"}},
      Row{js_bun, js, Shape::text, Averages::none, Repeats::last, {}, {read_bun, "s]"}},
  };
  return all;
}

}  // namespace bencher::adapter
