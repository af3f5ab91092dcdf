#include "tools/adapters_page/harnesses.hpp"

#include <array>

namespace bencher::tools {

using enum AdapterKind;

std::span<const Harness> harnesses() {
  // A new adapter is one row here.
  static constexpr std::array all{
      Harness{json, "anything that writes Bencher Metric Format", "BMF", "json/report_bmf_mixed.input.json", "", true},
      Harness{c_sharp_dot_net, "BenchmarkDotNet",
              "JSON export (full), summary on the terminal, Markdown and CSV reports",
              "c_sharp_dot_net/made_same_method_two_types.input.json", "\"Benchmarks\""},
      Harness{cpp_catch2, "Catch2", "console reporter of versions 2 and 3, XML reporter",
              "further/cpp_catch2/v2.13_no_analysis.txt", "benchmark name"},
      Harness{cpp_google, "Google Benchmark", "`--benchmark_format=json`, the console table, CSV",
              "cpp_google/two.input.txt", "\"benchmarks\""},
      Harness{dart_benchmark_harness, "benchmark_harness", "`NAME(RunTime): 12.5 us.`",
              "dart_benchmark_harness/two.input.txt"},
      Harness{go_bench, "`go test -bench`", "text, the events of `go test -json`",
              "further/go_bench/go1.26_two_packages.txt"},
      Harness{java_jmh, "JMH", "`-rf json`, `-rf csv`, the table, the results of each benchmark",
              "java_jmh/latency.input.json", "\"benchmark\""},
      Harness{js_benchmark, "Benchmark.js", "`NAME x 1,234 ops/sec ±1.5% (90 runs sampled)`",
              "js_benchmark/four.input.txt"},
      Harness{js_time, "`console.time`", "as Firefox, Node.js, Deno, Chrome and Safari print it",
              "js_time/four.input.txt"},
      Harness{js_vitest, "Vitest", "`vitest bench --outputJson`, the JSON reporter of version 5, the terminal",
              "js_vitest/two.input.json", "\"groups\""},
      Harness{js_bun, "Bun", "`console.time`, tests of `bun test`", "further/js_bun/v1.4_test.txt"},
      Harness{python_asv, "airspeed velocity",
              "what `asv run` and `asv show` print, also with `-v` and of parameters, files of results",
              "python_asv/six.input.txt"},
      Harness{python_pytest, "pytest-benchmark", "`--benchmark-json`, the tables on the terminal",
              "python_pytest/made_averages.input.json", "\"benchmarks\""},
      Harness{ruby_benchmark, "Ruby's benchmark library", "the table of `Benchmark.bm`, Benchmark.ips and its `json!`",
              "ruby_benchmark/five.input.txt"},
      Harness{rust_bench, "libtest's benches", "text, JSON lines", "rust_bench/one.input.txt"},
      Harness{rust_criterion, "Criterion.rs", "what `cargo bench` prints", "rust_criterion/many.input.txt", "time:"},
      Harness{rust_iai, "Iai", "a name and five counts", "rust_iai/two.input.txt"},
      Harness{rust_gungraun, "Gungraun, or iai-callgrind", "both of the next two, JSON first",
              "rust_gungraun_stdout/delta.input.txt", "rust_iai_callgrind::"},
      Harness{rust_gungraun_stdout, "Gungraun, or iai-callgrind", "what it prints for people",
              "rust_gungraun_stdout/callgrind-ll-hits.input.txt", "::"},
      Harness{rust_gungraun_json, "Gungraun", "`--output-format=json` or `pretty-json`",
              "rust_gungraun_json/json_pretty_one_callgrind.input.txt", "\"function_name\""},
      Harness{rust_divan, "Divan", "the tree, with counters and allocations", "further/rust_divan/v0.1.21.txt",
              "fastest"},
      Harness{shell_hyperfine, "hyperfine",
              "`--export-json` of versions 1 and 2, CSV, Markdown, AsciiDoc, org-mode, the terminal",
              "further/shell_hyperfine/v1.15.txt"},
      Harness{shell_wrk, "wrk, wrk2", "what they print, also with `--latency`", "further/shell_wrk/v4.1_latency.txt"},
      Harness{shell_junit, "test tools that write JUnit's XML", "the durations of test cases",
              "further/shell_junit/catch2_v2.13.xml"},
      Harness{rust_criterion_json, "cargo-criterion", "`--message-format=json`",
              "further/rust_criterion_json/cargo-criterion1.1.json", "benchmark-complete"},
      Harness{cpp_nanobench, "nanobench", "the JSON and CSV templates, the Markdown table",
              "further/cpp_nanobench/made_tables.md"},
      Harness{js_mitata, "mitata", "`format: 'json'` of versions 0.1 and 1, the terminal, `markdown`",
              "further/js_mitata/v0.1.6.json", "\"benchmarks\""},
      Harness{js_tinybench, "tinybench", "tasks, results and table of versions 2 to 6 as JSON, `console.table`",
              "further/js_tinybench/v2.9_table.json"},
      Harness{js_deno, "Deno", "`deno bench --json`, the terminal", "further/js_deno/v2.9.json", "\"benches\""},
      Harness{python_pyperf, "pyperf", "suites and single benchmarks as JSON, the terminal",
              "further/python_pyperf/v2.11_single.json"},
      Harness{shell_k6, "k6",
              "`--summary-export`, the data of `handleSummary`, the machine-readable summary, the terminal",
              "further/shell_k6/v1.8_summary_export.json", "\"metrics\"", true},
      Harness{julia_benchmark_tools, "BenchmarkTools.jl", "`BenchmarkTools.save`",
              "further/julia_benchmark_tools/made_groups.json"},
  };
  return all;
}

}  // namespace bencher::tools
