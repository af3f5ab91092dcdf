#include <doctest/doctest.h>

#include "lib/report/json.hpp"

using namespace bencher;

namespace {

template <class T>
Uuid<T> uuid(int number) {
  const auto digits = std::to_string(number);
  return Uuid<T>(*AnyUuid::parse("00000000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits));
}

std::shared_ptr<const ThresholdModel> threshold(int number) {
  ThresholdModel model;
  model.uuid = uuid<Threshold>(number);
  model.model.max_sample_size = 64;
  model.model.upper_boundary = 0.25;
  return std::make_shared<const ThresholdModel>(model);
}

PerfMetric point(int report, std::uint32_t iteration, std::shared_ptr<const ThresholdModel> threshold) {
  PerfMetric m;
  m.report = uuid<Report>(report);
  m.iteration = iteration;
  m.start_time = Timestamp{1000 + report};
  m.end_time = Timestamp{2000 + report};
  m.version.number = static_cast<std::uint32_t>(report);
  if (report % 2 == 0) m.version.hash = "a \"hash\"";
  m.metric.uuid = uuid<Metric>(100 + report);
  m.metric.value = report + 0.125;
  if (report % 3 == 0) m.metric.lower_value = -1;
  if (report % 2 == 1) m.metric.upper_value = 1e300;
  m.threshold = std::move(threshold);
  if (m.threshold) {
    m.boundary.emplace();
    m.boundary->baseline = 1;
    if (report % 2 == 0) m.boundary->upper_limit = 2.5;
    if (report % 3 == 0) {
      m.boundary->lower_limit = 0.1;
      m.alert.emplace();
      m.alert->uuid = uuid<Alert>(report);
      m.alert->status = AlertStatus::dismissed;
    }
  }
  return m;
}

/// The text that the descriptions alone give.
std::string described(const Perf& perf) {
  std::string out = R"({"project":)" + json::print(perf.project) + R"(,"start_time":)" + json::print(perf.start_time) +
                    R"(,"end_time":)" + json::print(perf.end_time) + R"(,"results":)" + json::print(perf.results) + "}";
  return out;
}

}  // namespace

TEST_SUITE("report/perf") {
  TEST_CASE("series are printed as they are described, whatever their points share") {
    Perf perf;
    CHECK(json::print(perf) == described(perf));
    perf.project.name = "The \"Computer\"";
    perf.start_time = Timestamp{5};
    const auto first = threshold(1), second = threshold(2);
    PerfSeries a, empty, b;
    a.branch.name = "main";
    a.metrics = {point(1, 0, first), point(1, 1, first), point(2, 0, second), point(3, 0, nullptr), point(6, 0, first)};
    b.measure.name = "Latency";
    // Other reports in other places, more of them, with and without what those had.
    b.metrics = {point(1, 0, second),  point(2, 0, second), point(2, 1, nullptr),
                 point(4, 0, nullptr), point(6, 7, first),  point(9, 0, second)};
    perf.results = {a, empty, b, a};
    CHECK(json::print(perf) == described(perf));
  }

  TEST_CASE("a description and its own way of printing name the same members") {
    // One that is added to the description has to be added to write_json, too.
    CHECK(boost::mp11::mp_size<json::members<Perf>>::value == 4);
    CHECK(boost::mp11::mp_size<json::members<PerfSeries>>::value == 5);
  }
}
