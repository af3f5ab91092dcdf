#include "bencher/threshold/auto.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/threshold/series.hpp"

using namespace bencher;
using test::Noise;
using Series = std::vector<double>;

namespace {

std::vector<std::size_t> alarms(const Series& series) {
  AutoSeries judged;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (judged.append(series[i]).value()) out.push_back(i);
  return out;
}

}  // namespace

TEST_SUITE("threshold/auto") {
  TEST_CASE("a step is seen within a few runs, once, and the segment begins at it") {
    for (const double step : {3.0, -3.0, 8.0}) {
      CAPTURE(step);
      Noise noise;
      AutoSeries judged;
      std::vector<std::size_t> at;
      for (std::size_t i = 0; i < 115; ++i)
        if (const auto verdict = judged.append(100 + noise.normal() + (i >= 100 ? step : 0)).value()) {
          at.push_back(i);
          CHECK(verdict->upwards == (step > 0));
          CHECK(std::abs(verdict->baseline - 100) < 0.5);
          CHECK(std::abs(verdict->noise - 1) < 0.4);
          CHECK(verdict->pvalue <= auto_level);
        }
      REQUIRE(at.size() == 1);
      CHECK(at[0] >= 101);
      CHECK(at[0] <= 108);
      CHECK(judged.segment() >= 98);
      CHECK(judged.segment() <= 102);
    }
  }

  TEST_CASE("outliers alone are no alarm") {
    Noise noise;
    Series y;
    for (int i = 0; i < 300; ++i)
      y.push_back(100 + noise.normal() + (i % 37 == 36 ? 500 : 0));
    CHECK(alarms(y).empty());
  }

  TEST_CASE("a counter alarms at its first change, and an equal value never does") {
    Series y(30, 5);
    CHECK(alarms(y).empty());
    y.push_back(5.000001);
    CHECK(alarms(y) == std::vector<std::size_t>{30});
  }

  TEST_CASE("recorded series: few false alarms, and most changes are found within ten runs") {
    // The scoring of a test that judges run by run: an alarm on the change or one of the next 10 runs finds it; one
    // that is not within the 64 runs after a change is false.
    int found = 0, missed = 0, wrong = 0;
    std::size_t values = 0;
    for (const auto& one : test::labelled_series()) {
      const auto at = alarms(one.values);
      for (const auto change : one.changes) {
        const bool hit =
            std::any_of(at.begin(), at.end(), [&](auto alarm) { return alarm >= change && alarm <= change + 10; });
        ++(hit ? found : missed);
      }
      for (const auto alarm : at)
        wrong += std::none_of(one.changes.begin(), one.changes.end(),
                              [&](auto change) { return alarm >= change && alarm <= change + 64; });
      values += one.values.size();
    }
    CAPTURE(found);
    CAPTURE(wrong);
    CHECK(1000.0 * wrong <= 0.3 * static_cast<double>(values));
    CHECK(found >= 3 * missed);
  }

  TEST_CASE("scale and shift do not matter") {
    Noise noise;
    Series y, moved;
    for (int i = 0; i < 200; ++i) {
      y.push_back(noise.normal() + (i >= 150 ? 4 : 0));
      moved.push_back(1024 * y.back() + 65536);
    }
    CHECK_FALSE(alarms(y).empty());
    CHECK(alarms(moved) == alarms(y));
  }

  TEST_CASE("short and extreme series have a defined verdict") {
    CHECK_FALSE(auto_test({}).has_value());
    CHECK_FALSE(auto_test(Series(12, 1.0)).has_value());
    CHECK(auto_test(Series(13, 1.0))->pvalue == 1);
    Series huge;
    for (int i = 0; i < 40; ++i)
      huge.push_back(i % 2 ? 1e300 : -1e300);
    CHECK(alarms(huge).empty());
    for (auto& value : huge)
      value = std::copysign(1e-300, value);
    CHECK(alarms(huge).empty());
    AutoSeries judged;
    CHECK_FALSE(judged.append(std::nan("")).has_value());
    CHECK(judged.series().empty());
  }

  TEST_CASE("Benjamini and Hochberg: the most that keep the share of false ones at the level") {
    CHECK(benjamini_hochberg({}, 0.05).empty());
    // The example of their paper, with four rejections.
    const Series p{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                   0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0};
    const auto rejected = benjamini_hochberg(p, 0.05);
    CHECK(std::count(rejected.begin(), rejected.end(), true) == 4);
    CHECK(rejected[3]);
    // A later one that passes takes those before it with it.
    CHECK(benjamini_hochberg(Series{0.04, 0.03, 0.045}, 0.05) == std::vector<bool>{true, true, true});
    CHECK(benjamini_hochberg(Series{0.02, 0.9}, 0.01) == std::vector<bool>{false, false});
  }
}
