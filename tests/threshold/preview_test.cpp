#include "bencher/threshold/preview.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "tests/threshold/series.hpp"

using namespace bencher;

namespace {

/// One value a report, a day apart.
std::vector<PastMetric> past(const std::vector<double>& values, std::size_t benchmark = 0) {
  std::vector<PastMetric> out;
  for (const double value : values) {
    PastMetric metric;
    metric.benchmark = benchmark;
    metric.report = out.size();
    metric.time = static_cast<std::int64_t>(out.size()) * 86'400;
    metric.value = value;
    out.push_back(metric);
  }
  return out;
}

std::vector<std::size_t> places(const std::vector<PreviewAlert>& alerts) {
  std::vector<std::size_t> out;
  for (const auto& alert : alerts)
    out.push_back(alert.metric);
  return out;
}

Model percentage(double upper) {
  Model model;
  model.test = ModelTest::percentage;
  model.upper_boundary = upper;
  return model;
}

}  // namespace

TEST_SUITE("threshold/preview") {
  TEST_CASE("each value is judged by those before it, as when it came") {
    const auto metrics = past({10, 10, 13, 10, 10, 12.9});
    const auto alerts = preview(percentage(0.2), metrics).value();
    CHECK(places(alerts) == std::vector<std::size_t>{2, 5});
    CHECK(alerts[0].boundary.baseline == 10);
    CHECK(alerts[0].boundary.upper_limit == 12);
    CHECK(alerts[0].limit == Limit::upper);
    CHECK(alerts[1].boundary.baseline == 10.6);
  }

  TEST_CASE("sample sizes and the window count as they do when values come in") {
    auto model = percentage(0.2);
    model.max_sample_size = 1;
    CHECK(places(preview(model, past({10, 13, 13, 10, 13})).value()) == std::vector<std::size_t>{1, 4});
    model.max_sample_size.reset();
    model.min_sample_size = 3;
    CHECK(places(preview(model, past({10, 13, 10, 20})).value()) == std::vector<std::size_t>{3});
    model.min_sample_size.reset();
    model.window = 2 * 86'400;
    // Only the two days before count: their mean is 20.
    CHECK(places(preview(model, past({10, 10, 20, 20, 20})).value()) == std::vector<std::size_t>{2, 3});
  }

  TEST_CASE("benchmarks do not mix, and metrics that are only history are not judged") {
    auto metrics = past({10, 100, 13, 100});
    metrics[1].benchmark = metrics[3].benchmark = 1;
    metrics[3].value = 130;
    CHECK(places(preview(percentage(0.2), metrics).value()) == std::vector<std::size_t>{2, 3});
    metrics[2].judged = false;
    CHECK(places(preview(percentage(0.2), metrics).value()) == std::vector<std::size_t>{3});
  }

  TEST_CASE("tests that look for changes tell of each once, with its range") {
    test::Noise noise;
    std::vector<double> values;
    for (int i = 0; i < 120; ++i)
      values.push_back(100 + noise.normal() + (i >= 60 ? 6 : 0));
    for (const auto test : {ModelTest::auto_, ModelTest::change_point}) {
      Model model;
      model.test = test;
      const auto alerts = preview(model, past(values)).value();
      REQUIRE(alerts.size() == 1);
      CHECK(alerts[0].metric > 60);
      CHECK(alerts[0].metric <= 66);
      CHECK(alerts[0].last_good + 1 == alerts[0].first_bad);
      CHECK(alerts[0].first_bad >= 58);
      CHECK(alerts[0].first_bad <= 61);
      CHECK(alerts[0].boundary.upper_limit.has_value());
    }
  }

  TEST_CASE("what makes no sense, or is too much, is refused") {
    CHECK(preview(Model(), {}).error().code() == Errc::invalid_argument);
    CHECK(preview(percentage(0.2), {}).value().empty());
    std::vector<double> many(30'000, 1.0);
    const auto refused = preview(percentage(0.2), past(many));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message().find("max_sample_size") != std::string::npos);
    auto model = percentage(0.2);
    model.max_sample_size = 100;
    CHECK(preview(model, past(many)).value().empty());
  }
}
