// The recorded cases of all adapters of text, by themselves, by their language and by magic.

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using enum AdapterKind;

TEST_SUITE("adapter/text cases") {
  TEST_CASE("every recorded text gives the reference's results, or no results, or what beyond.json has") {
    struct Folder {
      const char* name;
      AdapterKind kind, language;
    };
    for (const auto& [folder, kind, language] :
         {Folder{"cpp_catch2", cpp_catch2, cpp}, Folder{"dart_benchmark_harness", dart_benchmark_harness, dart},
          Folder{"go_bench", go_bench, go}, Folder{"js_benchmark", js_benchmark, js}, Folder{"js_time", js_time, js},
          Folder{"python_asv", python_asv, python}, Folder{"ruby_benchmark", ruby_benchmark, ruby},
          Folder{"rust_bench", rust_bench, rust}, Folder{"rust_criterion", rust_criterion, rust},
          Folder{"rust_iai", rust_iai, rust}, Folder{"rust_gungraun_stdout", rust_gungraun_stdout, rust}}) {
      CAPTURE(folder);
      CHECK(test::check_cases(folder, kind) > 2);
      CHECK(test::check_cases(folder, language) > 2);
      CHECK(test::check_cases(folder, magic) > 2);
    }
    CHECK(test::check_cases("rust_gungraun_stdout", rust_gungraun) > 2);
  }

  TEST_CASE("no changed, missing or doubled byte brings an adapter down") {
    std::mt19937 random(17);
    for (const auto& [file, kind] : {std::pair{"cpp_catch2/made_sections.input.txt", cpp_catch2},
                                     {"further/cpp_catch2/v2.13.xml", cpp_catch2},
                                     {"further/cpp_catch2/v2.13_no_analysis.txt", cpp_catch2},
                                     {"further/cpp_google/v1.7_console.txt", cpp_google},
                                     {"further/cpp_google/v1.7.csv", cpp_google},
                                     {"dart_benchmark_harness/two.input.txt", dart_benchmark_harness},
                                     {"go_bench/made_mixed.input.txt", go_bench},
                                     {"refused/go_bench/go1.26_test2json.txt", go_bench},
                                     {"refused/java_jmh/v1.37_text.log", java_jmh},
                                     {"js_benchmark/four.input.txt", js_benchmark},
                                     {"js_time/made_units.input.txt", js_time},
                                     {"refused/js_time/node20_console_time.txt", js_time},
                                     {"python_asv/six.input.txt", python_asv},
                                     {"further/python_asv/v0.6_parameters.txt", python_asv},
                                     {"ruby_benchmark/two.input.txt", ruby_benchmark},
                                     {"rust_bench/many.input.txt", rust_bench},
                                     {"refused/rust_bench/nightly_json.txt", rust_bench},
                                     {"rust_criterion/made_name_on_previous_line.input.txt", rust_criterion},
                                     {"further/rust_criterion/v0.5_terminal.txt", rust_criterion},
                                     {"rust_iai/change.input.txt", rust_iai},
                                     {"rust_gungraun_stdout/delta.input.txt", rust_gungraun},
                                     {"further/rust_divan/v0.1.21.txt", rust_divan},
                                     {"further/rust_divan/v0.1.21_printing.txt", rust_divan},
                                     {"further/rust_divan/v0.1.21_threads.txt", rust_divan},
                                     {"further/rust_gungraun/gungraun0.20_grid.txt", rust_gungraun},
                                     {"further/rust_gungraun/iai-callgrind0.13_tools_json.txt", rust_gungraun},
                                     {"further/rust_gungraun/iai-callgrind0.15_json.txt", rust_gungraun},
                                     {"further/rust_gungraun/iai-callgrind0.16_baseline.txt", rust_gungraun},
                                     {"further/shell_hyperfine/v1.15_colour.txt", shell_hyperfine},
                                     {"further/shell_hyperfine/v1.15.adoc", shell_hyperfine},
                                     {"further/shell_hyperfine/v1.15.md", shell_hyperfine},
                                     {"further/shell_k6/v0.49_text.txt", shell_k6},
                                     {"further/shell_k6/v1.8_handle_summary_stdout.txt", shell_k6},
                                     {"further/shell_wrk/v4.1_latency.txt", shell_wrk},
                                     {"further/shell_junit/catch2_v2.13.xml", shell_junit}}) {
      const auto text = test::read_data(std::string("adapters/") + file);
      ParseOptions all;
      all.all_measures = all.distinct_names = true;
      for (int i = 0; i < 120; ++i) {
        auto changed = text;
        for (int j = 0; j < 3; ++j) {
          const auto at = random() % changed.size();
          switch (random() % 4) {
            case 0: changed[at] = static_cast<char>(random()); break;
            case 1: changed.erase(at, 1 + random() % 4); break;
            case 2: changed.insert(at, 1, changed[random() % changed.size()]); break;
            default: changed[at] = " \n:[(|.,\r\t"[random() % 10]; break;
          }
          if (changed.empty()) changed = " ";
        }
        if (i % 3 == 0) changed.resize(random() % (changed.size() + 1));
        // A copy of the exact size, so that a sanitizer sees a byte too far.
        const std::vector<char> exact(changed.begin(), changed.end());
        const std::string_view view(exact.data(), exact.size());
        for (const auto& result : {parse(kind, view), parse(kind, view, all), parse(magic, view)})
          if (!result) CHECK_FALSE(result.error().message().empty());
      }
    }
  }

  TEST_CASE("what holds no result is refused by all") {
    for (const auto kind : adapter_kinds())
      CHECK(test::check_cases("errors", kind) >= 0);
    for (const auto kind : {go, rust, cpp, js, python, ruby, dart, magic})
      CHECK(test::check_cases("errors", kind) > 3);
  }
}
