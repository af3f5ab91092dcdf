// Outputs of real tools that the protocol's reference does not read, or reads less of: what ours gives, by the tool's
// own adapter and by magic, with and without the options, stands in a golden file beside each.

#include <string>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"

using namespace bencher;
using enum AdapterKind;

TEST_SUITE("adapter/further texts") {
  TEST_CASE("each real output is read, and magic finds its adapter") {
    struct File {
      const char* name;
      AdapterKind kind;
    };
    for (const auto& [file, kind] : {
             File{"refused/cpp_catch2/v3.7.1_colour.txt", cpp_catch2},
             File{"refused/cpp_catch2/v3.7.1_xml.xml", cpp_catch2},
             File{"refused/cpp_google/v1.9.5_console.txt", cpp_google},
             File{"refused/cpp_google/v1.9.5_csv.txt", cpp_google},
             File{"refused/go_bench/go1.26_test2json.txt", go_bench},
             File{"refused/java_jmh/v1.37_text.log", java_jmh},
             File{"refused/js_time/node20_console_time.txt", js_time},
             File{"refused/python_asv/v0.6.6_verbose.txt", python_asv},
             File{"refused/ruby_benchmark/ruby3.1_no_label.txt", ruby_benchmark},
             File{"refused/rust_bench/nightly_json.txt", rust_bench},
             File{"refused/shell_hyperfine/v1.15.0.csv", shell_hyperfine},
             File{"further/c_sharp_dot_net/made_atlassian.md", c_sharp_dot_net},
             File{"further/c_sharp_dot_net/made_french.csv", c_sharp_dot_net},
             File{"further/c_sharp_dot_net/made_german.md", c_sharp_dot_net},
             File{"further/c_sharp_dot_net/made_github.md", c_sharp_dot_net},
             File{"further/c_sharp_dot_net/made_joined.csv", c_sharp_dot_net},
             File{"further/c_sharp_dot_net/made_nan.json", c_sharp_dot_net},
             File{"further/c_sharp_dot_net/made_v0.10.txt", c_sharp_dot_net},
             File{"further/cpp_catch2/v2.13.xml", cpp_catch2},
             File{"further/cpp_catch2/v2.13_colour.txt", cpp_catch2},
             File{"further/cpp_catch2/v2.13_exponent.txt", cpp_catch2},
             File{"further/cpp_catch2/v2.13_no_analysis.txt", cpp_catch2},
             File{"further/cpp_catch2/v2.13_wrapped_name.txt", cpp_catch2},
             File{"further/cpp_google/v1.7.csv", cpp_google},
             File{"further/cpp_google/v1.7_colour.txt", cpp_google},
             File{"further/cpp_google/v1.7_console.txt", cpp_google},
             File{"further/cpp_google/v1.7_tabular.txt", cpp_google},
             File{"further/cpp_google/v1.9_nan.json", cpp_google},
             File{"further/cpp_google/v1.9_tabular_blanks.txt", cpp_google},
             File{"further/go_bench/go1.26_only_prints.txt", go_bench},
             File{"further/go_bench/go1.26_prints.txt", go_bench},
             File{"further/go_bench/go1.26_prints_json.txt", go_bench},
             File{"further/go_bench/go1.26_two_packages.txt", go_bench},
             File{"further/go_bench/go1.26_two_packages_json.txt", go_bench},
             File{"further/java_jmh/v1.37.csv", java_jmh},
             File{"further/java_jmh/v1.37_ascii.txt", java_jmh},
             File{"further/java_jmh/v1.37_german.csv", java_jmh},
             File{"further/java_jmh/v1.37_german.txt", java_jmh},
             File{"further/java_jmh/v1.37_german_broken_off.log", java_jmh},
             File{"further/java_jmh/v1.37_sbt.log", java_jmh},
             File{"further/js_deno/v2.9_colour.txt", js_deno},
             File{"further/js_mitata/v0.1.14_colour.txt", js_mitata},
             File{"further/js_mitata/v0.1.6.txt", js_mitata},
             File{"further/js_mitata/v1.0.34.md", js_mitata},
             File{"further/js_mitata/v1.0.34.txt", js_mitata},
             File{"further/js_vitest/v1.6_terminal.txt", js_vitest},
             File{"further/js_vitest/v3.2_compare.txt", js_vitest},
             File{"further/js_vitest/v4.1_colour.txt", js_vitest},
             File{"further/js_vitest/v5.1_colour.txt", js_vitest},
             File{"further/js_vitest/v5.1_verbose.txt", js_vitest},
             File{"further/python_asv/v0.6.6_verbose_output.txt", python_asv},
             File{"further/python_asv/v0.6_mixed.txt", python_asv},
             File{"further/python_asv/v0.6_results.json", python_asv},
             File{"further/python_asv/v0.6_show.txt", python_asv},
             File{"further/python_pyperf/v2.11_memory.txt", python_pyperf},
             File{"further/python_pyperf/v2.11_stats.txt", python_pyperf},
             File{"further/python_pyperf/v2.11_terminal.txt", python_pyperf},
             File{"further/python_pyperf/v2.11_timeit.txt", python_pyperf},
             File{"further/python_pytest/v4.0_columns.txt", python_pytest},
             File{"further/python_pytest/v5.3_compare.txt", python_pytest},
             File{"further/python_pytest/v5.3_nan.json", python_pytest},
             File{"further/python_pytest/v5.3_table.txt", python_pytest},
             File{"further/ruby_benchmark/ips2.7.json", ruby_benchmark},
             File{"further/ruby_benchmark/ips2.7.txt", ruby_benchmark},
             File{"further/ruby_benchmark/ruby3.1_broken_table.txt", ruby_benchmark},
             File{"further/python_asv/v0.6_parameters.txt", python_asv},
             File{"further/rust_bench/criterion0.5_bencher.txt", rust_bench},
             File{"further/rust_bench/nightly_terse.txt", rust_bench},
             File{"further/rust_criterion/v0.5_cycles.txt", rust_criterion},
             File{"further/rust_criterion/v0.5_terminal.txt", rust_criterion},
             File{"further/rust_criterion/v0.5_verbose.txt", rust_criterion},
             File{"further/rust_criterion/v0.8_throughput.txt", rust_criterion},
             File{"further/rust_divan/v0.1.21.txt", rust_divan},
             File{"further/rust_divan/v0.1.21_printing.txt", rust_divan},
             File{"further/rust_divan/v0.1.21_threads.txt", rust_divan},
             File{"further/rust_gungraun/gungraun0.20_grid.txt", rust_gungraun},
             File{"further/rust_gungraun/iai-callgrind0.10_json.txt", rust_gungraun},
             File{"further/rust_gungraun/iai-callgrind0.13_tools_json.txt", rust_gungraun},
             File{"further/rust_gungraun/iai-callgrind0.14_json.txt", rust_gungraun},
             File{"further/rust_gungraun/iai-callgrind0.15_json.txt", rust_gungraun},
             File{"further/rust_gungraun/iai-callgrind0.16_baseline.txt", rust_gungraun},
             File{"further/shell_hyperfine/v1.12.adoc", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15.adoc", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15.md", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15.org", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15.txt", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15_colour.txt", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15_parameter.csv", shell_hyperfine},
             File{"further/shell_hyperfine/v1.15_pipe.md", shell_hyperfine},
             File{"further/shell_junit/catch2_v2.13.xml", shell_junit},
             File{"further/shell_junit/ctest3.25.xml", shell_junit},
             File{"further/shell_junit/gtest1.12.xml", shell_junit},
             File{"further/shell_junit/libtest_nightly.xml", shell_junit},
             File{"further/shell_k6/v0.49_text.txt", shell_k6},
             File{"further/shell_k6/v1.8_full_text.txt", shell_k6},
             File{"further/shell_k6/v1.8_handle_summary_stdout.txt", shell_k6},
             File{"further/js_bun/v1.4_test.txt", js_bun},
             File{"further/shell_wrk/v4.1.txt", shell_wrk},
             File{"further/shell_wrk/v4.1_latency.txt", shell_wrk},
         }) {
      test::check_output(std::string("adapters/") + file, kind);
    }
  }

  TEST_CASE("what a harness prints besides its results is refused with the way to them") {
    CHECK(test::refusal(go_bench,
                        "       │   a.txt   │\n       │ allocs/op │\nFast-2   1.0 ± 1%\n       │  sec/op  │\n") ==
          "go_bench results: this is a comparison by benchstat, which rounds: give what go test -bench printed");
    CHECK(test::refusal(cpp_catch2, R"({"version": 1, "metadata": {"catch2-version": "3.7.1"}})") ==
          "cpp_catch2 results: of Catch2's reporters only console and xml print benchmarks: use '--reporter xml'");
    CHECK(test::refusal(c_sharp_dot_net, "Target;Target_Method;Measurement_Value\nA.B;B;10265553\n") ==
          "c_sharp_dot_net results: these are single measurements: export the report as CSV, Markdown or full JSON "
          "instead");
  }

  TEST_CASE("where a text breaks off is said, though the reference stops before") {
    CHECK(test::refusal(cpp_google, R"({"benchmarks":[{"name":"a_BigO","cpu_coefficient":1},{"name":)")
              .ends_with("/benchmarks/1/name: expected a string, found the end of the text (line 1, column 62)"));
    CHECK(test::refusal(cpp_catch2, "<Catch2TestRun><TestCase name=\"a\"><BenchmarkResults name=\"b\"><mean val")
              .find("79 hyphens") == std::string::npos);
  }

  TEST_CASE("a row of Catch2 with an exponent, which the reference does not read, is said to be left out") {
    const std::string rule(79, '-');
    const auto row = [](const std::string& name, const std::string& deviation) {
      return name + "   10   98294   1 us\n   0.22 ns   0.21 ns   0.23 ns\n   " + deviation +
             " ns   6.2 ns   9.6 ns\n\n\n";
    };
    const auto parsed = test::must_parse(
        cpp_catch2, rule + "\nCase\n" + rule + "\nt.cpp:1\n...\n\n" + row("a", "1.5") + row("b", "7.9e-05"));
    CHECK(parsed.results.size() == 1);
    REQUIRE(parsed.warnings.size() == 1);
    CHECK(parsed.warnings[0] ==
          "benchmarks with times like 7.9e-05 ns are left out: the protocol does not read exponents");
  }

  TEST_CASE("a log line of a Go test is no result, though it looks like one") {
    CHECK(test::refusal(go_bench, "    line 5 3.0 ns/op\n").starts_with("go_bench results: "));
    CHECK(test::results_of(go_bench, "printed BenchmarkA-2 \tmore 7 words 12 3.5 ns/op 8 B/op\n") ==
          test::results({{"BenchmarkA-2", {{"latency", test::metric(3.5)}}}}));
  }
}
