// The wire form of thresholds, reports, alerts and perf.
#pragma once

#include "bencher/report/report.hpp"

#include "lib/json/json.hpp"
#include "lib/project/json.hpp"

namespace bencher {

BOOST_DESCRIBE_ENUM(AlertStatus, active, dismissed, silenced)
BOOST_DESCRIBE_ENUM(Limit, lower, upper)
BOOST_DESCRIBE_ENUM(ModelTest, t_test, z_score, log_normal, static_, percentage, iqr, delta_iqr, auto_, change_point)
BOOST_DESCRIBE_STRUCT(Boundary, (), (baseline, lower_limit, upper_limit))
BOOST_DESCRIBE_STRUCT(StoredModel, (),
                      (uuid, test, min_sample_size, max_sample_size, window, lower_boundary, upper_boundary, created,
                       replaced))
BOOST_DESCRIBE_STRUCT(ThresholdModel, (), (uuid, project, model, created))
BOOST_DESCRIBE_STRUCT(Threshold, (), (uuid, project, branch, testbed, measure, benchmark, model, created, modified))
BOOST_DESCRIBE_STRUCT(PublicUser, (), (uuid, name, slug))
BOOST_DESCRIBE_STRUCT(ReportMetric, (), (uuid, value, lower_value, upper_value))
BOOST_DESCRIBE_STRUCT(ReportMeasure, (), (measure, metric, threshold, boundary))
BOOST_DESCRIBE_STRUCT(ReportResult, (), (iteration, benchmark, measures))
BOOST_DESCRIBE_STRUCT(ChangeEnd, (), (report, version))
BOOST_DESCRIBE_STRUCT(Change, (), (last_good, first_bad, before, after, pvalue))
BOOST_DESCRIBE_STRUCT(Alert, (),
                      (uuid, report, iteration, benchmark, metric, threshold, boundary, limit, change, status, created,
                       modified))
BOOST_DESCRIBE_STRUCT(IterationCounts, (), (benchmarks, measures))
BOOST_DESCRIBE_STRUCT(AlertCounts, (), (total, active))
BOOST_DESCRIBE_STRUCT(ReportCounts, (), (results, alerts))
BOOST_DESCRIBE_STRUCT(PerfAlert, (), (uuid, limit, status, modified))
BOOST_DESCRIBE_STRUCT(PerfMetric, (),
                      (report, iteration, start_time, end_time, version, metric, threshold, boundary, alert))
BOOST_DESCRIBE_STRUCT(PerfSeries, (), (branch, testbed, benchmark, measure, metrics))
BOOST_DESCRIBE_STRUCT(Perf, (), (project, start_time, end_time, results))
BOOST_DESCRIBE_STRUCT(OneMetric, (),
                      (uuid, report, iteration, start_time, end_time, branch, testbed, benchmark, measure, metric,
                       threshold, boundary, alert))

template <>
inline constexpr std::string_view json::sparse_member<Threshold> = "benchmark";
template <>
inline constexpr std::string_view json::sparse_member<Alert> = "change";

/// The text that the description gives, in a quarter of the time: what many points share is printed once.
void write_json(std::string& out, const Perf& perf);

/// A report on the wire: `results` and `alerts` only when they were read, `job` only when there is one.
struct ReportWire {
  Uuid<Report> uuid;
  std::optional<PublicUser> user;
  Project project;
  Branch branch;
  Testbed testbed;
  Timestamp start_time;
  Timestamp end_time;
  std::string adapter;
  json::Sparse<std::vector<std::vector<ReportResult>>> results;
  json::Sparse<std::vector<Alert>> alerts;
  ReportCounts counts;
  json::Sparse<Uuid<Job>> job;
  json::Sparse<std::vector<std::string>> warnings;
  json::Sparse<json::Raw> host;
  Timestamp created;
};
BOOST_DESCRIBE_STRUCT(ReportWire, (),
                      (uuid, user, project, branch, testbed, start_time, end_time, adapter, results, alerts, counts,
                       job, warnings, host, created))

ReportWire to_wire(Report report);

}  // namespace bencher
