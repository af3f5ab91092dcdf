// Which stored metrics are the history of a new one: every recorded case.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "bencher/threshold/boundary.hpp"

#include "lib/storage/reports.hpp"
#include "tests/support/json.hpp"
#include "tests/threshold/model_data.hpp"

using namespace bencher;
namespace st = bencher::storage;

namespace {

/// The time of the check, in seconds.
constexpr std::int64_t now = 1'750'000'000;

std::int64_t whole(const boost::json::value& value) {
  return value.to_number<std::int64_t>();
}

/// Only the tables that a history is read from.
void fill(st::Connection& c, const boost::json::value& one) {
  st::migrate(c, st::newest_version());
  c.raw().exec("PRAGMA foreign_keys = OFF");
  std::map<std::int64_t, std::int64_t> numbers;
  for (const auto& version : one.at("versions").as_array())
    numbers[whole(version.at("id"))] = whole(version.at("number"));
  for (const auto& head : one.at("heads").as_array())
    for (const auto& version : head.at("versions").as_array())
      c.exec("INSERT INTO head_version (head_id, version_id, number) VALUES (?1, ?2, ?3)", whole(head.at("id")),
             whole(version), numbers.at(whole(version)));
  for (const auto& report : one.at("reports").as_array()) {
    const auto& spec = report.at("spec");
    const auto start = now + whole(report.at("start_offset"));
    c.exec(
        "INSERT INTO report (id, uuid, project_id, head_id, version_id, testbed_id, spec_id, adapter, start_time, "
        "end_time, created) VALUES (?1, ?1, 1, ?2, ?3, ?4, ?5, 0, ?6, ?6, ?6)",
        whole(report.at("id")), whole(report.at("head")), whole(report.at("version")), whole(report.at("testbed")),
        spec.is_null() ? std::optional<std::int64_t>() : whole(spec), start);
  }
  for (const auto& metric : one.at("metrics").as_array()) {
    const auto report = whole(metric.at("report")), benchmark = whole(metric.at("benchmark")),
               iteration = whole(metric.at("iteration"));
    c.exec("INSERT OR IGNORE INTO report_benchmark (report_id, iteration, benchmark_id) VALUES (?1, ?2, ?3)", report,
           iteration, benchmark);
    c.exec(
        "INSERT INTO metric (report_benchmark_id, measure_id, value) VALUES ((SELECT id FROM report_benchmark WHERE "
        "report_id = ?1 AND iteration = ?2 AND benchmark_id = ?3), ?4, ?5)",
        report, iteration, benchmark, whole(metric.at("measure")), test::number_of(metric.at("value")));
  }
}

}  // namespace

TEST_SUITE("storage/selection of a history") {
  TEST_CASE("every recorded selection agrees, whether few or all benchmarks are asked for") {
    const auto file = test::read_json("boundary/selection.json");
    REQUIRE(file.at("cases").as_array().size() == 80);
    for (const auto& one : file.at("cases").as_array()) {
      CAPTURE(boost::json::serialize(one.at("id")));
      st::Connection c(":memory:");
      fill(c, one);
      const auto& query = one.at("query").as_object();
      const auto model = test::model_of(query);
      st::Population population;
      population.head = st::HeadId{whole(query.at("head"))};
      population.testbed = st::TestbedId{whole(query.at("testbed"))};
      population.measure = st::MeasureId{whole(query.at("measure"))};
      if (!query.at("spec").is_null()) population.spec = st::SpecId{whole(query.at("spec"))};
      if (model.window) population.since = Timestamp{now - *model.window};
      const st::BenchmarkId wanted{whole(query.at("benchmark"))};
      const std::vector<std::vector<st::BenchmarkId>> asked{{}, {wanted}, {st::BenchmarkId{99}, wanted}};
      for (const auto& benchmarks : asked) {
        population.benchmarks = benchmarks;
        std::vector<double> history, with_reports;
        st::read_population(c, population, [&](st::BenchmarkId id, double value) {
          if (id == wanted) history.push_back(value);
          return true;
        });
        st::read_series(c, population, [&](st::BenchmarkId id, double value, st::ReportId) {
          if (id == wanted) with_reports.push_back(value);
          return true;
        });
        CHECK(with_reports == history);
        if (model.max_sample_size) history.resize(std::min<std::size_t>(history.size(), *model.max_sample_size));
        const auto& expect = one.at("expect");
        std::vector<double> selected;
        for (const auto& value : expect.at("selected").as_array())
          selected.push_back(test::number_of(value));
        REQUIRE(history == selected);
        const auto boundary = compute(model, history, test::number_of(query.at("value"))).value();
        if (expect.at("status") == "skipped") {
          CHECK(boundary == Boundary());
          continue;
        }
        const auto check = [&](const char* field, std::optional<double> have) {
          const auto want = test::optional_number(expect.at(field));
          REQUIRE(have.has_value() == want.has_value());
          if (want) CHECK(std::abs(*have - *want) <= 1e-9 * std::abs(*want));
        };
        check("baseline", boundary.baseline);
        check("lower_limit", boundary.lower_limit);
        check("upper_limit", boundary.upper_limit);
      }
    }
  }
}
