#include "bencher/threshold/change_point.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "lib/threshold/rank_sum.hpp"
#include "tests/support/json.hpp"
#include "tests/threshold/model_data.hpp"
#include "tests/threshold/series.hpp"

using namespace bencher;
using test::Noise;
namespace json = boost::json;

namespace {

using Series = std::vector<double>;

Series series_of(const json::value& list) {
  Series out;
  for (const auto& value : list.as_array())
    out.push_back(test::number_of(value));
  return out;
}

std::map<std::string, Series> all_series(const json::value& file) {
  std::map<std::string, Series> out;
  for (const auto& member : file.at("series").as_object())
    out.emplace(member.key(), series_of(member.value()));
  return out;
}

std::vector<std::size_t> indices(const json::value& list) {
  std::vector<std::size_t> out;
  for (const auto& value : list.as_array())
    out.push_back(value.is_object() ? value.at("index").to_number<std::size_t>() : value.to_number<std::size_t>());
  return out;
}

template <class Point>
std::vector<std::size_t> indices(const std::vector<Point>& points) {
  std::vector<std::size_t> out;
  for (const auto& point : points)
    out.push_back(point.index);
  return out;
}

bool fragile(const json::value& one) {
  const auto* flag = one.as_object().if_contains("fragile");
  return flag && flag->as_bool();
}

bool near(double value, double expected, double relative, double least = 0) {
  return std::abs(value - expected) <= std::max(relative * std::abs(expected), least);
}

EdivisiveOptions edivisive_options(const json::value& p) {
  return {.window_len = p.at("window_len").to_number<std::size_t>(),
          .max_pvalue = p.at("max_pvalue").to_number<double>(),
          .min_magnitude = p.at("min_magnitude").to_number<double>(),
          .rank = p.at("transform") == "rank"};
}

double largest(const Series& series) {
  double out = 0;
  for (const double value : series)
    out = std::max(out, std::abs(value));
  return out;
}

/// The cut with the least cost by trying all.
double brute_force(std::span<const double> z, double penalty, std::size_t min_size) {
  std::vector<double> best(z.size() + 1, std::numeric_limits<double>::infinity());
  best[0] = -penalty;
  for (std::size_t t = min_size; t <= z.size(); ++t)
    for (std::size_t s = 0; s + min_size <= t; ++s) {
      double mean = 0, cost = 0;
      for (std::size_t i = s; i < t; ++i)
        mean += z[i] / static_cast<double>(t - s);
      for (std::size_t i = s; i < t; ++i)
        cost += (z[i] - mean) * (z[i] - mean);
      best[t] = std::min(best[t], best[s] + cost + penalty);
    }
  return best[z.size()];
}

}  // namespace

TEST_SUITE("threshold/change points") {
  TEST_CASE("every recorded windowed e-divisive agrees") {
    const auto file = test::read_json("changepoint/edivisive.json");
    const auto series = all_series(file);
    int compared = 0;
    for (const auto& one : file.at("cases").as_array()) {
      if (fragile(one)) continue;
      CAPTURE(json::serialize(one.at("id")));
      const auto& y = series.at(std::string(one.at("series").as_string()));
      auto options = edivisive_options(one.at("params"));
      CHECK(indices(edivisive(y, options).value().change_points) == indices(one.at("expect_fixed")));
      options.otava_merge = true;
      const auto found = edivisive(y, options).value();
      const auto& expect = one.at("expect");
      CHECK(found.weak == indices(expect.at("weak")));
      REQUIRE(indices(found.change_points) == indices(expect.at("change_points")));
      const double tiny = 1e-9 * largest(y);
      for (std::size_t i = 0; i < found.change_points.size(); ++i) {
        const auto& point = found.change_points[i];
        const auto& wanted = expect.at("change_points").as_array()[i];
        CHECK(near(point.mean_1, test::number_of(wanted.at("mean_1")), 1e-9, tiny));
        CHECK(near(point.mean_2, test::number_of(wanted.at("mean_2")), 1e-9, tiny));
        CHECK(near(point.std_1, test::number_of(wanted.at("std_1")), 1e-9, tiny));
        CHECK(near(point.std_2, test::number_of(wanted.at("std_2")), 1e-9, tiny));
        CHECK(near(point.pvalue, test::number_of(wanted.at("pvalue")), 1e-6, 1e-14));
      }
      ++compared;
    }
    CHECK(compared == 390);
  }

  TEST_CASE("every recorded partition agrees") {
    const auto file = test::read_json("changepoint/pelt.json");
    const auto series = all_series(file);
    int compared = 0;
    for (const auto& one : file.at("cases").as_array()) {
      CAPTURE(json::serialize(one.at("id")));
      const auto& params = one.at("params");
      const auto found =
          optimal_partition(series.at(std::string(one.at("series").as_string())),
                            params.at("penalty").to_number<double>(), params.at("min_size").to_number<std::size_t>());
      CHECK(near(found.cost, test::number_of(one.at("expect").at("cost")), 1e-9, 1e-9));
      if (fragile(one)) continue;
      CHECK(found.change_points == indices(one.at("expect").at("breakpoints")));
      ++compared;
    }
    CHECK(compared == 290);
  }

  TEST_CASE("every recorded run of the robust pipeline agrees") {
    const auto file = test::read_json("changepoint/robust.json");
    const auto series = all_series(file);
    int compared = 0;
    for (const auto& one : file.at("cases").as_array()) {
      if (fragile(one)) continue;
      CAPTURE(json::serialize(one.at("id")));
      const auto& p = one.at("params");
      const RobustOptions options{.penalty_factor = p.at("penalty_factor").to_number<double>(),
                                  .min_size = p.at("min_size").to_number<std::size_t>(),
                                  .clip_half_width = p.at("clip_half_width").to_number<std::size_t>(),
                                  .clip_k = p.at("clip_k").to_number<double>(),
                                  .max_pvalue = p.at("max_pvalue").to_number<double>()};
      const auto found = robust_change_points(series.at(std::string(one.at("series").as_string())), options).value();
      const auto& expect = one.at("expect");
      CHECK(near(found.sigma, test::number_of(expect.at("sigma")), 1e-12));
      CHECK(found.penalty.has_value() == !expect.at("penalty").is_null());
      if (found.penalty) CHECK(near(*found.penalty, test::number_of(expect.at("penalty")), 1e-12));
      CHECK(found.candidates == indices(expect.at("candidates")));
      REQUIRE(indices(found.change_points) == indices(expect.at("change_points")));
      for (std::size_t i = 0; i < found.change_points.size(); ++i)
        CHECK(near(found.change_points[i].pvalue,
                   test::number_of(expect.at("change_points").as_array()[i].at("pvalue")), 1e-8));
      ++compared;
    }
    CHECK(compared == 226);
  }

  TEST_CASE("the partition is the best one there is") {
    Noise noise;
    for (int round = 0; round < 60; ++round) {
      Series z;
      const auto n = 2 + static_cast<std::size_t>(noise.uniform() * 60);
      double level = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (noise.uniform() < 0.1) level += 4 * noise.normal();
        z.push_back(level + noise.normal());
      }
      const auto min_size = 1 + static_cast<std::size_t>(noise.uniform() * 5);
      if (n < 2 * min_size) continue;
      const double penalty = 6 * noise.uniform();
      CHECK(near(optimal_partition(z, penalty, min_size).cost, brute_force(z, penalty, min_size), 1e-9, 1e-9));
    }
  }

  TEST_CASE("a series that grows gives at every length what the whole one gives, bit for bit") {
    for (const bool correlated : {false, true}) {
      Noise noise;
      const RobustOptions options{.clip_half_width = 4, .autocorrelation = correlated};
      GrowingRobust growing(options);
      double level = 10;
      std::size_t found_at_most = 0;
      for (int i = 0; i < 300; ++i) {
        if (i % 70 == 69) level += 4;
        // Equal values, too, and stretches of nothing else.
        const double value = i < 20 ? 10.0 : std::round(4 * (level + noise.normal())) / 4;
        REQUIRE(growing.append(value).has_value());
        const auto whole = robust_change_points(growing.series(), options).value();
        const auto found = growing.result();
        REQUIRE(found.sigma == whole.sigma);
        REQUIRE(found.penalty == whole.penalty);
        REQUIRE(found.correlation == whole.correlation);
        REQUIRE(found.candidates == whole.candidates);
        REQUIRE(found.change_points == whole.change_points);
        found_at_most = std::max(found_at_most, found.change_points.size());
      }
      CHECK(found_at_most >= 3);
      CHECK_FALSE(growing.append(std::nan("")).has_value());
      CHECK(growing.series().size() == 300);
    }
  }

  TEST_CASE("e-divisive on a series that grows gives at every length what the whole one gives") {
    Noise noise;
    GrowingEdivisive growing({.window_len = 20});
    double level = 10;
    for (int i = 0; i < 300; ++i) {
      if (i % 70 == 69) level += 3;
      REQUIRE(growing.append(level + noise.normal()).has_value());
      const auto whole = edivisive(growing.series(), {.window_len = 20}).value();
      const auto found = growing.result();
      REQUIRE(found.weak == whole.weak);
      REQUIRE(indices(found.change_points) == indices(whole.change_points));
    }
    CHECK(growing.result().change_points.size() >= 3);
    CHECK_FALSE(growing.append(std::nan("")).has_value());
    CHECK(growing.series().size() == 300);
  }

  TEST_CASE("noise whose neighbours correlate gives few changes when that is allowed for") {
    Noise noise;
    std::size_t plain = 0, allowed = 0;
    for (int round = 0; round < 40; ++round) {
      Series y{noise.normal()};
      while (y.size() < 250)
        y.push_back(0.4 * y.back() + noise.normal());
      plain += robust_change_points(y).value().change_points.size();
      allowed += robust_change_points(y, {.autocorrelation = true}).value().change_points.size();
    }
    CHECK(plain > 20);
    CHECK(allowed <= 10);  // of 10,000 values
  }

  TEST_CASE("recorded series: the changes are found") {
    for (const bool autocorrelation : {false, true}) {
      int found = 0, missed = 0, wrong = 0;
      for (const auto& one : test::labelled_series()) {
        auto points =
            indices(robust_change_points(one.values, {.autocorrelation = autocorrelation}).value().change_points);
        for (const auto change : one.changes) {
          const auto away = [&](std::size_t at) { return at > change ? at - change : change - at; };
          const auto nearest =
              std::min_element(points.begin(), points.end(), [&](auto a, auto b) { return away(a) < away(b); });
          if (nearest == points.end() || away(*nearest) > 5) {
            ++missed;
            continue;
          }
          ++found;
          points.erase(nearest);
        }
        wrong += static_cast<int>(points.size());
      }
      CHECK(2.0 * found / (2 * found + missed + wrong) >= 0.92);
    }
  }

  TEST_CASE("changes stay where they are when the series is shifted, scaled or turned over") {
    Noise noise;
    Series y;
    for (int i = 0; i < 200; ++i)
      y.push_back(noise.normal() + (i >= 120 ? 3 : 0));
    const auto base = robust_change_points(y).value();
    REQUIRE(indices(base.change_points) == std::vector<std::size_t>{120});
    for (const auto& [factor, shift] : {std::pair(1024.0, 0.0), std::pair(0.5, 64.0), std::pair(-2.0, 1.0)}) {
      auto moved = y;
      for (auto& value : moved)
        value = value * factor + shift;
      const auto found = robust_change_points(moved).value();
      CHECK(indices(found.change_points) == indices(base.change_points));
      CHECK(near(found.sigma, std::abs(factor) * base.sigma, 1e-9));
      CHECK(indices(edivisive(moved).value().change_points) == indices(edivisive(y).value().change_points));
    }
  }

  TEST_CASE("short, constant and extreme series have a defined result") {
    for (const Series& y : {Series{}, Series{1}, Series{1, 2}, Series(100, 5.0), Series{0, 0, 0, 0, 0, 0, 1},
                            Series{1e300, -1e300, 1e300, -1e300, 1e300, -1e300, 1e300, -1e300},
                            Series{1e-300, 2e-300, 1e-300, 2e-300, 1e-300, 2e-300, 1e-300, 2e-300}}) {
      for (const bool correlated : {false, true}) {
        const auto found = robust_change_points(y, {.autocorrelation = correlated}).value();
        CHECK(found.change_points.empty());
      }
      for (const bool rank : {false, true}) {
        const auto found = edivisive(y, {.rank = rank}).value();
        for (const auto& point : found.change_points)
          CHECK_FALSE(std::isnan(point.pvalue));
      }
    }
    Series step(50, 1.0);
    step.resize(100, 2.0);
    CHECK(indices(edivisive(step).value().change_points) == std::vector<std::size_t>{50});
  }

  TEST_CASE("options and values that make no sense are refused, and named") {
    const Series y{1, 2, std::numeric_limits<double>::infinity()};
    CHECK(robust_change_points(y).error().message() == "change points: value 2 of the series is not a finite number");
    CHECK(edivisive(y).error().message() == "change points: value 2 of the series is not a finite number");
    CHECK(robust_change_points({}, {.min_size = 0}).error().message().find("min_size is 0") != std::string::npos);
    CHECK(robust_change_points({}, {.penalty_factor = -1}).error().message().find("penalty_factor is -1") !=
          std::string::npos);
    CHECK(robust_change_points({}, {.clip_k = std::nan("")}).error().message().find("clip_k") != std::string::npos);
    CHECK(robust_change_points({}, {.max_pvalue = 2}).error().message().find("max_pvalue is 2") != std::string::npos);
    CHECK(edivisive({}, {.window_len = 1}).error().message().find("window_len is 1") != std::string::npos);
    CHECK(edivisive({}, {.min_magnitude = -1}).error().message().find("min_magnitude") != std::string::npos);
  }
}

TEST_SUITE("threshold/rank sum") {
  TEST_CASE("ranks share the mean of equal values") {
    const Series y{3, 1, 3, 2, 3};
    CHECK(threshold::mid_ranks(y) == Series{4, 1, 4, 2, 4});
    CHECK(threshold::mid_ranks({}).empty());
  }

  TEST_CASE("p-values are exact for small parts, and defined for all") {
    const auto p = [](Series a, Series b) { return threshold::rank_sum_pvalue(a, b); };
    CHECK(p({1}, {2, 3}) == 1);
    CHECK(near(p({1, 2}, {3, 4}), 2.0 / 6, 1e-12));
    CHECK(near(p({1, 2, 3}, {4, 5, 6}), 2.0 / 20, 1e-12));
    CHECK(near(p({4, 5, 6}, {1, 2, 3}), 2.0 / 20, 1e-12));
    CHECK(p({1, 4}, {2, 3}) == 1);
    CHECK(p({1, 1}, {1, 1}) == 1);
    // Three values above 48 others: 2 of 51·50·49/6 arrangements.
    Series many;
    for (int i = 0; i < 48; ++i)
      many.push_back(i);
    CHECK(near(p(many, {100, 101, 102}), 2.0 / 20825, 1e-12));
  }

  TEST_CASE("exact counts are those of all arrangements") {
    // Every choice of 3 ranks of 9, by its sum.
    std::map<int, int> ways;
    for (int a = 1; a <= 9; ++a)
      for (int b = a + 1; b <= 9; ++b)
        for (int c = b + 1; c <= 9; ++c)
          ++ways[a + b + c];
    for (int a = 1; a <= 9; ++a)
      for (int b = a + 1; b <= 9; ++b)
        for (int c = b + 1; c <= 9; ++c) {
          Series left{double(a), double(b), double(c)}, right;
          for (int i = 1; i <= 9; ++i)
            if (i != a && i != b && i != c) right.push_back(i);
          const int sum = a + b + c, far = std::max(sum, 30 - sum);
          int count = 0;
          for (const auto& [s, n] : ways)
            if (s >= far) count += n;
          REQUIRE(near(threshold::rank_sum_pvalue(left, right), std::min(1.0, 2 * count / 84.0), 1e-12));
        }
  }
}
