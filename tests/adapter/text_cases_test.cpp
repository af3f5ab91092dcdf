// The recorded cases of all adapters of text, by themselves, by their language and by magic.

#include <string>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"

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

  TEST_CASE("what holds no result is refused by all") {
    for (const auto kind : adapter_kinds())
      CHECK(test::check_cases("errors", kind) >= 0);
    for (const auto kind : {go, rust, cpp, js, python, ruby, dart, magic})
      CHECK(test::check_cases("errors", kind) > 3);
  }
}
