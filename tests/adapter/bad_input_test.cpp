// Every adapter over what no harness writes, or only a broken one. What holds for all of it is in properties.hpp.

#include <string>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/properties.hpp"

using namespace bencher;
using enum AdapterKind;

TEST_SUITE("adapter/bad input") {
  // From here on what fuzzing found; each failed before.

  TEST_CASE("reasons and warnings that show a part of the text cut no code point in two") {
    std::string micro;
    for (int i = 0; i < 200; ++i)
      micro += "\u00b5";
    const auto wrk = "Running 1s test @ http://a\nRequests/sec: 1\nNon-2xx or 3xx responses:" + micro + "\n";
    CHECK(test::broken_property(shell_wrk, wrk) == "");
    CHECK(test::broken_property(shell_wrk, "Running 1s test @ http://a\nRequests/sec: 1\nNon-2xx" + micro + "\n") ==
          "");
    for (const auto& unit : {micro, "a" + micro}) {
      CHECK(test::broken_property(
                cpp_google, R"({"context":{"caches":[]},"benchmarks":[{"name":"a","real_time":1,"time_unit":")" + unit +
                                "\"}]}") == "");
      CHECK(test::broken_property(cpp_google, R"({"context":{"caches":[]},"benchmarks":[{"name":"a","real_time":")" +
                                                  unit + "\"}]}") == "");
      CHECK(test::broken_property(rust_gungraun_json, R"({"kind":")" + unit + "\"}") == "");
      CHECK(test::broken_property(shell_junit, "<testsuite><testcase><" + unit) == "");
      CHECK(test::broken_property(go_bench, unit + " s/op\n") == "");
    }
  }
}
