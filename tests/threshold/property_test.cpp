// What holds of every boundary, whatever the history.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "bencher/threshold/boundary.hpp"

#include "lib/threshold/tests.hpp"
#include "tests/threshold/series.hpp"

using namespace bencher;
using History = std::vector<double>;
using enum ModelTest;

namespace {

constexpr std::array limits_tests{static_, percentage, z_score, t_test, log_normal, iqr, delta_iqr};

bool is_distribution(ModelTest test) {
  return test == z_score || test == t_test || test == log_normal;
}

/// A boundary that the test takes, larger for a larger `share` of 0 to 1.
double boundary_of(ModelTest test, double share) {
  return is_distribution(test) ? 0.5 + 0.4999 * share : 4 * share;
}

Model both(ModelTest test, double share) {
  Model model;
  model.test = test;
  model.lower_boundary = model.upper_boundary = boundary_of(test, share);
  return model;
}

Boundary of(const Model& model, const History& history, double value = 1) {
  const auto got = compute(model, history, value);
  if (!got) FAIL(got.error().message());
  for (const auto& one : {got->baseline, got->lower_limit, got->upper_limit})
    CHECK((!one || std::isfinite(*one)));
  return *got;
}

History positive(test::Noise& noise, std::size_t size) {
  History out(size);
  for (auto& value : out)
    value = 1000 * std::exp(0.2 * noise.normal());
  return out;
}

/// Applies `f` to each number that is there.
Boundary mapped(Boundary boundary, const std::function<double(double)>& f) {
  for (auto* one : {&boundary.baseline, &boundary.lower_limit, &boundary.upper_limit})
    if (*one) **one = f(**one);
  return boundary;
}

bool close(const Boundary& a, const Boundary& b, double tolerance) {
  const auto same = [&](const std::optional<double>& x, const std::optional<double>& y) {
    return x.has_value() == y.has_value() && (!x || std::abs(*x - *y) <= tolerance);
  };
  return same(a.baseline, b.baseline) && same(a.lower_limit, b.lower_limit) && same(a.upper_limit, b.upper_limit);
}

/// The quartile as its definition says it, of values in ascending order: Hyndman and Fan (1996), type 7.
double quartile(const History& sorted, double quarter) {
  if (sorted.size() == 1) return sorted[0];
  const double rank = quarter * static_cast<double>(sorted.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(rank), sorted.size() - 2);
  return sorted[i] + (sorted[i + 1] - sorted[i]) * (rank - static_cast<double>(i));
}

/// `iqr` by sorting everything.
Boundary plain_iqr(History values, double b) {
  std::sort(values.begin(), values.end());
  const double middle = quartile(values, 0.5), spread = quartile(values, 0.75) - quartile(values, 0.25);
  return {.baseline = middle, .lower_limit = middle - spread * b, .upper_limit = middle + spread * b};
}

}  // namespace

TEST_SUITE("threshold/property") {
  TEST_CASE("limits of values above 0 lie on both sides of the baseline, and further off for a larger boundary") {
    test::Noise noise;
    for (const auto test : limits_tests) {
      if (test == static_) continue;
      for (const std::size_t size : {2u, 3u, 7u, 64u, 300u}) {
        CAPTURE(name(test));
        CAPTURE(size);
        const auto history = positive(noise, size);
        std::optional<Boundary> narrower;
        for (const double share : {0.0, 0.1, 0.5, 0.9, 1.0}) {
          const auto got = of(both(test, share), history);
          REQUIRE(got.baseline.has_value());
          REQUIRE(got.lower_limit.has_value());
          REQUIRE(got.upper_limit.has_value());
          CHECK(*got.lower_limit <= *got.baseline);
          CHECK(*got.baseline <= *got.upper_limit);
          if (narrower) {
            CHECK(got.baseline == narrower->baseline);
            CHECK(*got.lower_limit <= *narrower->lower_limit);
            CHECK(*got.upper_limit >= *narrower->upper_limit);
          }
          narrower = got;
        }
      }
    }
  }

  TEST_CASE("a unit that is a power of two smaller scales every number exactly") {
    test::Noise noise;
    for (const auto test : {percentage, z_score, t_test, log_normal, iqr, delta_iqr})
      for (const std::size_t size : {2u, 5u, 64u, 257u})
        for (const double scale : {0x1p-40, 0.5, 1024.0, 0x1p60}) {
          CAPTURE(name(test));
          CAPTURE(scale);
          const auto history = positive(noise, size);
          auto scaled = history;
          for (auto& value : scaled)
            value *= scale;
          const auto want = mapped(of(both(test, 0.7), history), [&](double x) { return x * scale; });
          const auto got = of(both(test, 0.7), scaled);
          if (test == log_normal)
            CHECK(close(got, want, 1e-9 * *want.upper_limit));
          else
            CHECK(got == want);
        }
  }

  TEST_CASE("a shift moves baseline and limits of the tests that do not look at ratios") {
    test::Noise noise;
    for (const auto test : {z_score, t_test, iqr})
      for (const double shift : {-5000.0, 3.25, 1e6}) {
        CAPTURE(name(test));
        CAPTURE(shift);
        const auto history = positive(noise, 65);
        auto moved = history;
        for (auto& value : moved)
          value += shift;
        CHECK(close(of(both(test, 0.7), moved),
                    mapped(of(both(test, 0.7), history), [&](double x) { return x + shift; }), 1e-6));
      }
  }

  TEST_CASE("turned upside down, the sides change places") {
    test::Noise noise;
    for (const auto test : {z_score, t_test, iqr}) {
      CAPTURE(name(test));
      const auto history = positive(noise, 65);
      auto turned = history;
      for (auto& value : turned)
        value = -value;
      const auto got = of(both(test, 0.7), history), other = of(both(test, 0.7), turned);
      CHECK(std::abs(*got.baseline + *other.baseline) < 1e-9);
      CHECK(std::abs(*got.lower_limit + *other.upper_limit) < 1e-9);
      CHECK(std::abs(*got.upper_limit + *other.lower_limit) < 1e-9);
    }
  }

  TEST_CASE("one side alone has the limit that it has with the other, and asked again it is the same") {
    test::Noise noise;
    for (const auto test : limits_tests) {
      CAPTURE(name(test));
      const auto history = positive(noise, 33);
      const auto whole = of(both(test, 0.6), history);
      auto model = both(test, 0.6);
      model.lower_boundary.reset();
      CHECK(of(model, history) ==
            Boundary{.baseline = whole.baseline, .lower_limit = {}, .upper_limit = whole.upper_limit});
      model = both(test, 0.6);
      model.upper_boundary.reset();
      CHECK(of(model, history) ==
            Boundary{.baseline = whole.baseline, .lower_limit = whole.lower_limit, .upper_limit = {}});
      CHECK(of(both(test, 0.6), history) == whole);
    }
  }

  TEST_CASE("only the newest values count that the model says") {
    test::Noise noise;
    for (const auto test : limits_tests) {
      CAPTURE(name(test));
      auto model = both(test, 0.6);
      const auto history = positive(noise, 100);
      const auto want = of(model, History(history.begin(), history.begin() + 20));
      model.max_sample_size = 20;
      CHECK(of(model, history) == want);
      model.min_sample_size = 20;
      CHECK(of(model, history) == want);
      // The smallest history is looked at after the largest, so that this one is never enough.
      model.min_sample_size = 21;
      CHECK(of(model, history) == Boundary());
      model.min_sample_size = 101;
      model.max_sample_size.reset();
      CHECK(of(model, history) == Boundary());
      model.min_sample_size = 0;
      CHECK(of(model, {}) == Boundary());
      model.min_sample_size.reset();
      model.max_sample_size = 0;
      CHECK(of(model, history) == Boundary());
    }
  }

  TEST_CASE("quartiles of any number of values are those of all of them in order, bit for bit") {
    test::Noise noise;
    using Make = std::function<double(std::size_t)>;
    const std::pair<const char*, Make> kinds[] = {
        {"normal", [&](std::size_t) { return noise.normal(); }},
        {"few levels", [&](std::size_t) { return std::floor(4 * noise.uniform()); }},
        {"mostly equal", [&](std::size_t) { return noise.uniform() < 0.9 ? 5 : noise.normal(); }},
        {"two far apart", [&](std::size_t) { return noise.uniform() < 0.5 ? -1e300 : 1e-300; }},
        {"heavy tails", [&](std::size_t) { return std::pow(noise.uniform(), -8); }},
        {"rising", [](std::size_t i) { return static_cast<double>(i); }},
        {"falling", [](std::size_t i) { return -static_cast<double>(i); }},
        {"a comb", [](std::size_t i) { return static_cast<double>(i % 2 ? i : 1000000 - i); }},
        {"equal", [](std::size_t) { return 0.1; }},
    };
    std::vector<std::size_t> sizes(70);
    std::iota(sizes.begin(), sizes.end(), std::size_t{1});
    for (const std::size_t size : {255u, 256u, 257u, 1000u, 16383u, 16384u, 16385u, 60000u})
      sizes.push_back(size);
    for (const auto& [kind, make] : kinds)
      for (const auto size : sizes) {
        CAPTURE(kind);
        CAPTURE(size);
        History history(size);
        for (std::size_t i = 0; i < size; ++i)
          history[i] = make(i);
        Model model;
        model.test = iqr;
        model.lower_boundary = model.upper_boundary = 1.5;
        CHECK(compute(model, history, 0).value() == plain_iqr(history, 1.5));
      }
  }

  TEST_CASE("a million values are judged like a thousand") {
    test::Noise noise;
    History history(1'000'000);
    for (auto& value : history)
      value = 1000 + 20 * noise.normal();
    for (const auto test : limits_tests) {
      CAPTURE(name(test));
      auto model = both(test, 0.6);
      const auto large = of(model, history);
      model.max_sample_size = 1000;
      CHECK(close(large, of(model, history), test == static_ ? 0 : 12));
    }
    Model model;
    model.test = iqr;
    model.lower_boundary = model.upper_boundary = 3;
    CHECK(of(model, history) == plain_iqr(history, 3));
  }

  TEST_CASE("nothing, one value and two have a defined answer") {
    for (const auto test : limits_tests) {
      CAPTURE(name(test));
      const auto model = both(test, 0.6);
      CHECK(of(model, {}) == Boundary());
      const auto one = of(model, {7});
      if (is_distribution(test) || test == delta_iqr) CHECK(one == Boundary());
      if (test == iqr) CHECK(one == Boundary{.baseline = 7, .lower_limit = 7, .upper_limit = 7});
      const auto two = of(model, {7, 8});
      if (test != static_) CHECK(std::abs(*two.baseline - 7.5) < 0.1);
      CHECK(two.upper_limit.has_value());
    }
  }

  TEST_CASE("the logarithm of zero and of negative values silences its test only") {
    for (const double bad : {0.0, -0.0, -3.0}) {
      History history{4, 5, 6, 7};
      history[2] = bad;
      CHECK(of(both(log_normal, 0.6), history) == Boundary());
      CHECK(of(both(t_test, 0.6), history).upper_limit.has_value());
    }
    // The new value need not have one.
    const History history{4, 5, 6, 7};
    CHECK(of(both(log_normal, 0.6), history, 0) == of(both(log_normal, 0.6), history, -9));
  }

  TEST_CASE("values at the ends of the range give finite numbers or none") {
    constexpr double largest = std::numeric_limits<double>::max();
    const History histories[] = {{1e300, -1e300, 1e300, -1e300},
                                 {1e-300, 2e-300, 3e-300, 4e-300},
                                 {1e300, 2e300, 3e300, 1e-300},
                                 {largest, largest, largest},
                                 {largest, -largest, 0, 1},
                                 {5e-324, 1e-323, 5e-324},
                                 {0, 0, 0, 1},
                                 {0, 0, 0},
                                 {-1, -2, -3, -4},
                                 {largest, largest / 2, largest, 1}};
    for (const auto test : limits_tests)
      for (const auto& history : histories)
        for (const double share : {0.0, 0.5, 1.0}) {
          CAPTURE(name(test));
          CAPTURE(history[0]);
          const auto got = of(both(test, share), history, largest);
          // What is not there cannot be passed.
          if (!got.upper_limit && !got.lower_limit) CHECK_FALSE(outlier(got, largest).has_value());
        }
    Model huge;
    for (const auto test : {percentage, iqr, delta_iqr}) {
      huge.test = test;
      huge.lower_boundary = huge.upper_boundary = largest;
      of(huge, {1e10, 2e10, 3e10, 5e10, 8e10});
    }
    // The largest probability below 1.
    for (const auto test : {z_score, t_test, log_normal}) {
      huge.test = test;
      huge.lower_boundary = huge.upper_boundary = std::nextafter(1.0, 0.0);
      of(huge, {1, 2});
      of(huge, {1, 2, 3, 4, 5});
    }
  }

  TEST_CASE("what is not finite is refused, wherever it is and whatever the model") {
    for (const auto test : limits_tests)
      for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        CAPTURE(name(test));
        auto model = both(test, 0.6);
        CHECK_FALSE(compute(model, History{1, 2, 3}, bad).has_value());
        for (std::size_t at = 0; at < 40; ++at) {
          History history(40, 1.5);
          history[at] = bad;
          CHECK_FALSE(compute(model, history, 1).has_value());
          // Beyond the sample, too: that the history holds it is an error somewhere else.
          model.max_sample_size = 2;
          CHECK_FALSE(compute(model, history, 1).has_value());
        }
      }
  }

  TEST_CASE("a value on a limit is within, the next one beyond it is not") {
    test::Noise noise;
    for (const auto test : limits_tests) {
      CAPTURE(name(test));
      const auto got = of(both(test, 0.6), positive(noise, 50));
      CHECK_FALSE(outlier(got, *got.upper_limit).has_value());
      CHECK(outlier(got, std::nextafter(*got.upper_limit, HUGE_VAL)) == Limit::upper);
      CHECK_FALSE(outlier(got, *got.lower_limit).has_value());
      CHECK(outlier(got, std::nextafter(*got.lower_limit, -HUGE_VAL)) == Limit::lower);
    }
  }

  TEST_CASE("a quantile that is remembered is the one that is computed") {
    // More pairs than are remembered, asked for in two orders.
    std::vector<double> first;
    for (int round = 0; round < 2; ++round)
      for (int i = 0; i < 500; ++i) {
        const int k = round == 0 ? i : 499 - i;
        const double got = threshold::student_quantile(0.6 + 0.0007 * k, 1 + k % 7);
        if (round == 0)
          first.push_back(got);
        else
          CHECK(got == first[static_cast<std::size_t>(k)]);
        CHECK(threshold::student_quantile(0.6 + 0.0007 * k, 1 + k % 7) == got);
      }
    // With one degree of freedom it is a tangent.
    CHECK(std::abs(threshold::student_quantile(0.75, 1) - 1) < 1e-12);
  }
}
