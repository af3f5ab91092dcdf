// Results as Bencher Metric Format.

#include "bencher/adapter/bmf.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"

using namespace bencher;
using test::metric;

namespace {

std::string whole(const Results& results) {
  std::string out;
  CHECK(write_bmf(results, [&](std::string_view piece) {
    out += piece;
    return true;
  }));
  return out;
}

}  // namespace

TEST_SUITE("adapter/bmf") {
  TEST_CASE("names are escaped, numbers short, bounds there where they are known") {
    CHECK(whole({}) == "{}\n");
    CHECK(whole(test::results(
              {{"a\"\n\x01\u00e9", {{"latency", metric(0.1, -0.0)}, {"b\\", metric(1e300, {}, 2)}}}, {"empty", {}}})) ==
          "{\n"
          "  \"a\\\"\\n\\u0001\u00e9\": {\n"
          "    \"latency\": {\"value\": 0.1, \"lower_value\": -0.0},\n"
          "    \"b\\\\\": {\"value\": 1e+300, \"upper_value\": 2.0}\n"
          "  },\n"
          "  \"empty\": {}\n"
          "}\n");
  }

  TEST_CASE("it comes in pieces that are no longer than one metric more than 64 KiB, until it is stopped") {
    Results many;
    many.add_benchmark("first");
    for (int i = 0; i < 20'000; ++i) {
      if (i == 10'000) many.add_benchmark(std::string(1000, 'n'));
      many.add_metric("m" + std::to_string(i), metric(i + 0.25, i, i + 0.5));
    }
    std::size_t longest = 0, pieces = 0;
    std::string out;
    CHECK(write_bmf(many, [&](std::string_view piece) {
      longest = std::max(longest, piece.size());
      ++pieces;
      out += piece;
      return true;
    }));
    CHECK(pieces > 10);
    CHECK(longest < 64 * 1024 + 2048);
    CHECK(parse(AdapterKind::json, out).value().results == many);
    pieces = 0;
    CHECK_FALSE(write_bmf(many, [&](std::string_view) { return ++pieces < 3; }));
    CHECK(pieces == 3);
  }
}
