#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bencher/adapter/adapter.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/branch.hpp"
#include "bencher/project/dimension.hpp"
#include "bencher/project/project.hpp"
#include "bencher/project/testbed.hpp"
#include "bencher/threshold/threshold.hpp"

namespace bencher {

struct User;
struct Job;
struct Report;

/// What others see of a user.
struct PublicUser {
  Uuid<User> uuid;
  std::string name;
  std::string slug;

  bool operator==(const PublicUser&) const = default;
};

/// A stored metric. Its UUID is computed from its row, not stored.
struct ReportMetric {
  AnyUuid uuid;
  double value = 0;
  std::optional<double> lower_value;
  std::optional<double> upper_value;

  bool operator==(const ReportMetric&) const = default;
};

struct ReportMeasure {
  Measure measure;
  ReportMetric metric;
  std::optional<ThresholdModel> threshold;  ///< with the model used then; empty when nothing was checked
  std::optional<Boundary> boundary;

  bool operator==(const ReportMeasure&) const = default;
};

struct ReportResult {
  std::uint32_t iteration = 0;
  Benchmark benchmark;
  std::vector<ReportMeasure> measures;

  bool operator==(const ReportResult&) const = default;
};

/// One end of the range in which a level has changed.
struct ChangeEnd {
  Uuid<Report> report;
  Version version;

  bool operator==(const ChangeEnd&) const = default;
};
/// Where and how a series has changed its level.
struct Change {
  std::optional<ChangeEnd> last_good;  ///< the last report of the level before
  std::optional<ChangeEnd> first_bad;  ///< the first report of the new one
  double before = 0;                   ///< medians of the levels
  double after = 0;
  double pvalue = 1;

  bool operator==(const Change&) const = default;
};

/// A metric outside its limits, or the newest of a series that has changed its level.
struct Alert {
  Uuid<Alert> uuid;
  Uuid<Report> report;
  std::uint32_t iteration = 0;
  Benchmark benchmark;
  ReportMetric metric;
  Threshold threshold;
  Boundary boundary;
  Limit limit = Limit::upper;
  std::optional<Change> change;  ///< of the tests that look for changes
  AlertStatus status = AlertStatus::active;
  Timestamp created;
  Timestamp modified;

  bool operator==(const Alert&) const = default;
};

struct IterationCounts {
  std::uint32_t benchmarks = 0;
  std::uint32_t measures = 0;

  bool operator==(const IterationCounts&) const = default;
};
struct AlertCounts {
  std::uint32_t total = 0;
  std::uint32_t active = 0;

  bool operator==(const AlertCounts&) const = default;
};
struct ReportCounts {
  std::vector<IterationCounts> results;
  AlertCounts alerts;

  bool operator==(const ReportCounts&) const = default;
};

/// One run's results, with everything they were compared with.
struct Report {
  Uuid<Report> uuid;
  std::optional<PublicUser> user;
  Project project;
  Branch branch;
  Testbed testbed;
  Timestamp start_time;
  Timestamp end_time;
  AdapterKind adapter = AdapterKind::magic;
  bool expanded = true;  ///< whether `results` and `alerts` were read
  std::vector<std::vector<ReportResult>> results;
  std::vector<Alert> alerts;
  ReportCounts counts;
  std::optional<Uuid<Job>> job;
  std::string host;                   ///< of a job: the machine that it ran on, a JSON object; empty if unknown
  std::vector<std::string> warnings;  ///< what reading its results left out or replaced; read with them
  Timestamp created;
};

/// As the API sends it, in compact JSON.
std::string print(const Report& report);

/// One series' point in a perf query.
struct PerfAlert {
  Uuid<Alert> uuid;
  Limit limit = Limit::upper;
  AlertStatus status = AlertStatus::active;
  Timestamp modified;
};
struct PerfMetric {
  Uuid<Report> report;
  std::uint32_t iteration = 0;
  Timestamp start_time;
  Timestamp end_time;
  Version version;
  ReportMetric metric;
  std::shared_ptr<const ThresholdModel> threshold;  ///< with the model used then; null when nothing was checked
  std::optional<Boundary> boundary;
  std::optional<PerfAlert> alert;
};
struct PerfSeries {
  Branch branch;
  Testbed testbed;
  Benchmark benchmark;
  Measure measure;
  std::vector<PerfMetric> metrics;
};
struct Perf {
  Project project;
  std::optional<Timestamp> start_time;
  std::optional<Timestamp> end_time;
  std::vector<PerfSeries> results;
};

/// A metric with all it belongs to.
struct OneMetric {
  AnyUuid uuid;
  Uuid<Report> report;
  std::uint32_t iteration = 0;
  Timestamp start_time;
  Timestamp end_time;
  Branch branch;
  Testbed testbed;
  Benchmark benchmark;
  Measure measure;
  ReportMetric metric;
  std::optional<ThresholdModel> threshold;
  std::optional<Boundary> boundary;
  std::optional<PerfAlert> alert;
};

}  // namespace bencher
