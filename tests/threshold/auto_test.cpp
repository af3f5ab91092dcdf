#include "bencher/threshold/auto.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "lib/threshold/noise.hpp"
#include "lib/threshold/rank_sum.hpp"
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

/// The test as it is described, with nothing saved: each tail is compared with all before it, put into order anew.
AutoVerdict plain(std::span<const double> segment) {
  const auto recent = segment.last(std::min<std::size_t>(segment.size(), 200));
  const auto noise = threshold::noise_of(recent);
  const double r = noise.by_deviation ? threshold::correlation_of(recent, noise, 1.6) : 0;
  const double widening = std::sqrt((1 + r) / (1 - r));
  AutoVerdict out;
  out.pvalue = 2;
  for (std::size_t m = 2; m <= 14 && m + 12 <= segment.size(); ++m) {
    auto before = segment.first(segment.size() - m);
    before = before.last(std::min<std::size_t>(before.size(), 200));
    Series sorted(before.begin(), before.end()), newest(segment.end() - static_cast<std::ptrdiff_t>(m), segment.end());
    std::sort(sorted.begin(), sorted.end());
    std::sort(newest.begin(), newest.end());
    auto copy = sorted;
    const double median = threshold::median_in_place(copy);
    for (std::size_t i = 0; i < copy.size(); ++i)
      copy[i] = std::abs(sorted[i] - median);
    double deviation = 1.4826 * threshold::median_in_place(copy);
    if (!(deviation > 0)) deviation = std::sqrt(threshold::part_of(sorted).variance);
    double p = newest.front() > median || newest.back() < median ? 0 : 1;
    if (deviation > 0) {
      const auto score = [&](double value) { return std::clamp((value - median) / deviation, -2.0, 2.0); };
      double sum = 0, squares = 0, late = 0;
      for (const double value : sorted) {
        sum += score(value);
        squares += score(value) * score(value);
      }
      for (const double value : newest)
        late += score(value);
      const auto n = static_cast<double>(sorted.size()), size = static_cast<double>(m);
      const double mean = sum / n, variance = (squares / n - mean * mean) * n / (n - 1);
      const double t = std::abs(late - size * mean) / std::sqrt(variance * (size + size * size / n)) / widening;
      p = variance > 0
              ? std::sqrt(2 * threshold::student_tail(t, n - 1) * threshold::rank_sum_pvalue(sorted, newest, widening))
              : 1;
    }
    if (p < out.pvalue)
      out = {.pvalue = p,
             .baseline = median,
             .noise = deviation,
             .newest = m,
             .upwards = (newest[(m - 1) / 2] + newest[m / 2]) / 2 > median};
  }
  out.pvalue = std::min(1.0, 16 * out.pvalue);
  return out;
}

}  // namespace

TEST_SUITE("threshold/auto") {
  TEST_CASE("what it saves changes no number") {
    Noise noise;
    const auto same = [](std::span<const double> segment) {
      const auto got = auto_test(segment);
      const auto want = plain(segment);
      REQUIRE(got.has_value());
      CHECK(got->pvalue == want.pvalue);
      CHECK(got->baseline == want.baseline);
      CHECK(got->noise == want.noise);
      CHECK(got->newest == want.newest);
      CHECK(got->upwards == want.upwards);
    };
    for (const std::size_t size : {14u, 15u, 26u, 100u, 200u, 201u, 213u, 214u, 215u, 400u})
      for (const double step : {0.0, 0.5, 2.0, -6.0})
        for (const double grain : {0.0, 0.5, 2.0})
          for (const double correlation : {0.0, 0.7}) {
            CAPTURE(size);
            CAPTURE(step);
            CAPTURE(grain);
            CAPTURE(correlation);
            Series y;
            double last = 0;
            for (std::size_t i = 0; i < size; ++i) {
              last = correlation * last + noise.normal();
              const double value = 100 + last + (i + 6 >= size ? step : 0);
              y.push_back(grain > 0 ? grain * std::round(value / grain) : value);
            }
            if (std::all_of(y.begin(), y.end() - 1, [&](double value) { return value == y[0]; })) continue;
            same(y);
          }
  }

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
