#include "lib/adapter/registry.hpp"

#include <array>

namespace bencher::adapter {

using enum AdapterKind;

namespace {

/// What Catch2 draws around the name of a test case.
constexpr std::string_view rule_of_79 =
    "-------------------------------------------------------------------------------";
static_assert(rule_of_79.size() == 79);

constexpr auto keys = MarksAre::keys;

/// A grammar of lines that no JSON has.
constexpr Grammar never_json(Parse parse, std::string_view mark, std::string_view or_mark = {}) {
  return {parse, mark, or_mark, MarksAre::anywhere, true};
}
constexpr Grammar with_extras(Grammar grammar, std::string_view mark) {
  grammar.extras_mark = mark;
  return grammar;
}
constexpr Grammar vague(Grammar grammar) {
  grammar.vague = true;
  return grammar;
}

}  // namespace

std::span<const Row> rows() {
  // A new adapter is one row here. Order of detection: json, c_sharp, cpp (catch2, google), dart, go, java, js
  // (benchmark, time, vitest), python (asv, pytest), ruby, rust (bench, criterion, iai, gungraun), shell; then those
  // that the reference does not have. Further forms are tried after all that the reference reads.
  static constexpr std::array all{
      Row{json, json, Shape::json, Averages::same, Repeats::last, {read_bmf}, {}},
      Row{c_sharp_dot_net,
          c_sharp,
          Shape::json,
          Averages::any,
          Repeats::merge,
          {read_dot_net, "HostEnvironmentInfo", {}, keys},
          {read_dot_net_extended, "Benchmarks", {}, keys},
          true,
          {read_dot_net_text, "Method"}},
      Row{cpp_catch2,
          cpp,
          Shape::text,
          Averages::mean,
          Repeats::last,
          never_json(read_catch2, rule_of_79),
          {read_catch2_extended, "benchmark name", "<BenchmarkResults"}},
      Row{cpp_google,
          cpp,
          Shape::json,
          Averages::mean,
          Repeats::last,
          {read_google, "context", {}, keys},
          {read_google_extended, "benchmarks", {}, keys},
          true,
          {read_google_text, "Iterations", "real_time"}},
      Row{dart_benchmark_harness, dart, Shape::text, Averages::mean, Repeats::last, never_json(read_dart, "(RunTime):"),
          never_json(read_dart_extended, "(RunTime")},
      Row{go_bench,
          go,
          Shape::text,
          Averages::mean,
          Repeats::last,
          {read_go_bench, "s/op"},
          with_extras({read_go_bench_extended, "/op", "\"Output\""}, "Benchmark")},
      Row{java_jmh,
          java,
          Shape::json,
          Averages::mean,
          Repeats::last,
          {read_jmh},
          {read_jmh_extended},
          true,
          {read_jmh_text, "Score", "Result "}},
      Row{js_benchmark,
          js,
          Shape::text,
          Averages::median,
          Repeats::last,
          never_json(read_js_benchmark, "ops/sec"),
          {read_js_benchmark_extended, "ops/sec"}},
      Row{js_time, js, Shape::text, Averages::none, Repeats::last, never_json(read_js_time, "ended"),
          vague(never_json(read_js_time_extended, ": ", "] "))},
      Row{js_vitest,
          js,
          Shape::json,
          Averages::any,
          Repeats::merge,
          {read_vitest, "files", {}, keys},
          {read_vitest_extended, "files", "testResults", keys}},
      Row{python_asv, python, Shape::text, Averages::median, Repeats::last, never_json(read_asv, "\u00b7"),
          never_json(read_asv_extended, "\u00b7")},
      Row{python_pytest,
          python,
          Shape::json,
          Averages::any,
          Repeats::last,
          {read_pytest, "machine_info", {}, keys},
          {read_pytest_extended, "benchmarks", {}, keys}},
      Row{ruby_benchmark,
          ruby,
          Shape::text,
          Averages::none,
          Repeats::last,
          never_json(read_ruby, "system"),
          {read_ruby_extended, ")"}},
      Row{rust_bench,
          rust,
          Shape::text,
          Averages::median,
          Repeats::last,
          never_json(read_rust_bench, "/iter"),
          {read_rust_bench_extended, "bench:", "\"bench\""}},
      Row{rust_criterion,
          rust,
          Shape::text,
          Averages::mean,
          Repeats::last,
          never_json(read_criterion, "time:"),
          {read_criterion_extended, "time:"}},
      Row{rust_iai, rust, Shape::text, Averages::none, Repeats::merge, never_json(read_iai, "Instructions:"),
          never_json(read_iai_extended, "Instructions:", "Accesses:")},
      Row{rust_gungraun,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_gungraun, "::", "module_path"},
          {read_gungraun_extended, "::", "module_path"}},
      Row{rust_gungraun_json,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_gungraun_json, "module_path"},
          {read_gungraun_json_extended, "module_path"},
          false},
      Row{rust_gungraun_stdout,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_gungraun_stdout, "::"},
          {read_gungraun_stdout_extended, "::"},
          false},
      Row{shell_hyperfine,
          shell,
          Shape::json,
          Averages::any,
          Repeats::last,
          {read_hyperfine, "results", {}, keys},
          {read_hyperfine_extended, "results", {}, keys},
          true,
          {read_hyperfine_text, "ommand", "Time ("}},
      Row{rust_divan, rust, Shape::text, Averages::any, Repeats::last, {}, {read_divan, "fastest"}},
      Row{shell_wrk, shell, Shape::text, Averages::any, Repeats::last, {}, {read_wrk, "Requests/sec"}},
      Row{shell_junit, shell, Shape::text, Averages::same, Repeats::last, {}, {read_junit, "<testcase"}},
      Row{js_bun, js, Shape::text, Averages::none, Repeats::last, {}, vague({read_bun, "s]"})},
      Row{rust_criterion_json,
          rust,
          Shape::text,
          Averages::any,
          Repeats::last,
          {},
          {read_criterion_json, "\"benchmark-complete\""}},
      Row{cpp_nanobench,
          cpp,
          Shape::json,
          Averages::any,
          Repeats::last,
          {},
          {read_nanobench, "(elapsed)\""},
          true,
          {read_nanobench_text, "err%", "\"error %\""}},
      Row{js_mitata, js, Shape::json, Averages::any, Repeats::last, {}, {read_mitata, "\"stats\""}},
      Row{js_tinybench,
          js,
          Shape::json,
          Averages::any,
          Repeats::last,
          {},
          {read_tinybench},
          true,
          {read_tinybench_text, "Task name", "Task Name"}},
      Row{js_deno, js, Shape::json, Averages::mean, Repeats::last, {}, {read_deno, "benches", {}, keys}},
      Row{python_pyperf, python, Shape::json, Averages::any, Repeats::last, {}, {read_pyperf, "\"values\""}},
      Row{shell_k6,
          shell,
          Shape::json,
          Averages::any,
          Repeats::last,
          {},
          {read_k6, "\"metrics\""},
          true,
          {read_k6_text, "...: ", "\"metrics\""}},
      Row{julia_benchmark_tools,
          julia_benchmark_tools,
          Shape::json,
          Averages::any,
          Repeats::last,
          {},
          {read_benchmark_tools, "\"BenchmarkTools\""}},
  };
  return all;
}

}  // namespace bencher::adapter
