#include "bencher/threshold/series.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "tests/threshold/series.hpp"

using namespace bencher;
using Series = std::vector<double>;

namespace {

Series step(std::size_t before, std::size_t after, double by) {
  test::Noise noise;
  Series out;
  for (std::size_t i = 0; i < before + after; ++i)
    out.push_back(50 + noise.normal() + (i >= before ? by : 0));
  return out;
}

/// At which lengths the series is an alarm when what was told of is known, and where the new level begins.
std::vector<std::pair<std::size_t, std::size_t>> alarms(ModelTest test, const Series& series) {
  std::vector<std::size_t> known;
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t n = 1; n <= series.size(); ++n) {
    const auto verdict = judge_series(test, std::span(series).first(n), known).value();
    if (!verdict || verdict->change == 0) continue;
    known.push_back(verdict->change);
    out.emplace_back(n, verdict->change);
  }
  return out;
}

}  // namespace

TEST_SUITE("threshold/series") {
  TEST_CASE("a step is told of once, soon, with where it is") {
    for (const auto test : {ModelTest::auto_, ModelTest::change_point})
      for (const double by : {6.0, -6.0}) {
        CAPTURE(name(test));
        const auto series = step(60, 25, by);
        const auto found = alarms(test, series);
        REQUIRE(found.size() == 1);
        CHECK(found[0].second >= 58);
        CHECK(found[0].second <= 61);
        CHECK(found[0].first <= 66);
        const auto verdict = *judge_series(test, std::span(series).first(found[0].first), {}).value();
        CHECK(std::abs(verdict.baseline - 50) < 1);
        CHECK(std::abs(verdict.after - 50 - by) < 1.5);
        const auto [limit, at] = shown_limit(verdict);
        CHECK(limit == (by > 0 ? Limit::upper : Limit::lower));
        CHECK(std::abs(at - 50 - by / 2) < 1);
      }
  }

  TEST_CASE("a change from before anybody looked is no alarm, and its level is the baseline") {
    const auto series = step(60, 60, 6);
    for (const auto test : {ModelTest::auto_, ModelTest::change_point}) {
      const auto verdict = *judge_series(test, series, {}).value();
      CHECK(verdict.change == 0);
      CHECK(std::abs(verdict.baseline - 56) < 1);
    }
  }

  TEST_CASE("too few values, equal ones, and what is refused") {
    for (const auto test : {ModelTest::auto_, ModelTest::change_point}) {
      CHECK_FALSE(judge_series(test, Series(8, 1.0), {}).value().has_value());
      CHECK(judge_series(test, Series(100, 1.0), {}).value()->change == 0);
      CHECK_FALSE(judge_series(test, Series(20, std::nan("")), {}).has_value());
      Series huge;
      for (int i = 0; i < 40; ++i)
        huge.push_back(i % 2 ? 1.7e308 : 1.6e308);
      const auto verdict = judge_series(test, huge, {}).value();
      if (verdict) CHECK(std::isfinite(verdict->baseline));
    }
    CHECK(judge_series(ModelTest::t_test, Series(20, 1.0), {}).error().code() == Errc::invalid_argument);
  }
}
