// Reports, their metrics, boundaries and alerts; perf.
#pragma once

#include <functional>

#include "bencher/report/report.hpp"

#include "lib/storage/accounts.hpp"
#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"
#include "lib/storage/projects.hpp"

namespace bencher::storage {

struct ReportRow {
  ReportId id{};
  Uuid<Report> uuid;
  std::optional<AnyUuid> idempotency_key;
  std::optional<UserId> user_id;
  ProjectId project_id{};
  HeadId head_id{};
  VersionId version_id{};
  TestbedId testbed_id{};
  std::optional<SpecId> spec_id;
  AdapterKind adapter = AdapterKind::magic;
  Timestamp start_time;
  Timestamp end_time;
  Timestamp created;
};

/// Turns a metric's row id into its public UUID and back: a keyed permutation, so nothing is stored.
class MetricIds {
 public:
  explicit MetricIds(std::string_view key);
  AnyUuid uuid(MetricId id) const;
  std::optional<MetricId> id(const AnyUuid& uuid) const;

 private:
  std::uint64_t round(std::uint64_t half, int number) const;
  std::uint64_t tag(std::uint64_t id) const;
  std::uint64_t keys_[2];
};
/// Makes the one `server` row when it is not there.
void ensure_server_row(Connection& c, AnyUuid uuid, std::string_view metric_key, Timestamp now);
/// The identity of this database's server, and when it was made.
std::pair<AnyUuid, Timestamp> server_row(Connection& c);
/// Of this database; read once a connection.
const MetricIds& metric_ids(Connection& c);

Result<ReportId> insert_report(Connection& c, const ReportRow& report);
std::optional<ReportRow> find_report(Connection& c, ProjectId project, AnyUuid uuid);
std::optional<ReportRow> report_by_uuid(Connection& c, AnyUuid uuid);
std::optional<ReportRow> report_by_id(Connection& c, ReportId id);
std::optional<ReportRow> report_by_idempotency_key(Connection& c, ProjectId project, AnyUuid key);
void set_report_times(Connection& c, ReportId id, Timestamp start, Timestamp end);
/// Replaces them; none are no row.
void set_report_warnings(Connection& c, ReportId id, const std::vector<std::string>& warnings);
std::vector<std::string> report_warnings(Connection& c, ReportId id);
/// What a runner said of its machine: JSON, at most 16 KiB. Said again, it takes the place of the former.
void set_report_host(Connection& c, ReportId id, const std::string& host);
std::string report_host(Connection& c, ReportId id);
/// With all that belongs to it; a version that no other report has goes too, and later ones move down by one.
void delete_report(Connection& c, const ReportRow& report);

ReportBenchmarkId insert_report_benchmark(Connection& c, ReportId report, std::uint32_t iteration,
                                          BenchmarkId benchmark);
MetricId insert_metric(Connection& c, ReportBenchmarkId report_benchmark, MeasureId measure, const Metric& metric);
void insert_boundary(Connection& c, MetricId metric, ThresholdId threshold, ModelId model, const Boundary& boundary);
AlertId insert_alert(Connection& c, AnyUuid uuid, MetricId metric, ReportId report, Limit limit, Timestamp now);
void add_metric_count(Connection& c, ReportId report, std::int64_t count);
/// The series was seen now. To be called before its benchmark is put into a report: the foreign keys of what this
/// writes are those that are checked.
void touch_series(Connection& c, const ProjectRow& project, TestbedId testbed, BenchmarkId benchmark, MeasureId measure,
                  Timestamp now);

/// Where a report's metrics come in the order of `read_population`.
enum class Standing {
  newest,  ///< before all others of its head and testbed, and no other head has its version
  older,   ///< only its own head has its version
  shared,  ///< in the history of other heads, too
};
Standing standing(Connection& c, const ReportRow& report);

/// Which earlier metrics a new one is compared with.
struct Population {
  HeadId head{};
  TestbedId testbed{};
  std::optional<SpecId> spec;  ///< only reports with it
  MeasureId measure{};
  std::optional<Timestamp> since;       ///< only reports that started then or later
  std::vector<BenchmarkId> benchmarks;  ///< only these; none: all
};
/// Gives each metric, newest first (version, start time, iteration), until `take` returns false.
void read_population(Connection& c, const Population& population, const std::function<bool(BenchmarkId, double)>& take);
/// The same, with the report of each.
void read_series(Connection& c, const Population& population,
                 const std::function<bool(BenchmarkId, double, ReportId)>& take);

/// A change of a series that an alert tells of.
struct ChangeRow {
  AlertId alert{};
  ThresholdId threshold{};
  BenchmarkId benchmark{};
  std::optional<ReportId> last_good, first_bad;
  double before = 0, after = 0, pvalue = 1;
};
void insert_change(Connection& c, const ChangeRow& row);
/// Those that alerts of the threshold tell of: where the new level begins.
std::vector<std::pair<BenchmarkId, ReportId>> known_changes(Connection& c, ThresholdId threshold);

/// The report as the API shows it. Not expanded: without results and alerts, but with their counts.
Report load_report(Connection& c, const ReportRow& row, bool expand);
/// The same, not expanded, when its counts are known already.
Report load_report_head(Connection& c, const ReportRow& row, ReportCounts counts);

struct ReportFilter {
  std::optional<BranchId> branch;
  std::optional<TestbedId> testbed;
  std::optional<Timestamp> start_time;
  std::optional<Timestamp> end_time;
  bool archived = false;
  bool expand = false;
};
Page<Report> list_reports(Connection& c, ProjectId project, const ReportFilter& filter, const Paging& paging);

std::optional<Alert> find_alert(Connection& c, ProjectId project, AnyUuid uuid);
/// Whether it is there and not silenced by a reset of its branch… the status is set whatever it was.
bool set_alert_status(Connection& c, ProjectId project, AnyUuid uuid, AlertStatus status, Timestamp now);
enum class AlertSort { modified, created };
Page<Alert> list_alerts(Connection& c, ProjectId project, std::optional<AlertStatus> status, bool archived,
                        AlertSort sort, const Paging& paging);

}  // namespace bencher::storage
