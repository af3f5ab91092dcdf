#include "lib/storage/reports.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

#include "lib/storage/dimensions.hpp"
#include "lib/storage/specs.hpp"
#include "lib/storage/thresholds.hpp"

namespace bencher::storage {
namespace {

#define REPORT_COLUMNS                                                                                         \
  "report.id, report.uuid, report.idempotency_key, report.user_id, report.project_id, report.head_id, "        \
  "report.version_id, report.testbed_id, report.spec_id, report.adapter, report.start_time, report.end_time, " \
  "report.created "

ReportRow report_row(Row& row) {
  ReportRow r;
  row.take(r.id), row.take(r.uuid), row.take(r.idempotency_key), row.take(r.user_id), row.take(r.project_id);
  row.take(r.head_id), row.take(r.version_id), row.take(r.testbed_id), row.take(r.spec_id), row.take(r.adapter);
  row.take(r.start_time), row.take(r.end_time), row.take(r.created);
  return r;
}

/// Rows that many metrics of one answer share, each read once.
class Shared {
 public:
  explicit Shared(Connection& c) : c_(c) {}

  const Measure& measure(MeasureId id) {
    auto [it, fresh] = measures_.try_emplace(id);
    if (fresh) it->second = measure_by_id(c_, id)->measure;
    return it->second;
  }
  const Benchmark& benchmark(BenchmarkId id) {
    auto [it, fresh] = benchmarks_.try_emplace(id);
    if (fresh) it->second = benchmark_by_id(c_, id)->benchmark;
    return it->second;
  }
  const ThresholdRow& threshold(ThresholdId id, ModelId model) {
    auto [it, fresh] = thresholds_.try_emplace({id, model});
    if (fresh) it->second = threshold_with_model(c_, id, model);
    return it->second;
  }
  ThresholdModel threshold_model(ThresholdId id, ModelId model, Uuid<Project> project) {
    const auto& row = threshold(id, model);
    return ThresholdModel{row.uuid, project, *row.model, row.created};
  }

 private:
  Connection& c_;
  std::map<MeasureId, Measure> measures_;
  std::map<BenchmarkId, Benchmark> benchmarks_;
  std::map<std::pair<ThresholdId, ModelId>, ThresholdRow> thresholds_;
};

#define ALERT_COLUMNS                                                                                                \
  "alert.uuid, report.uuid, report.id, report_benchmark.iteration, report_benchmark.benchmark_id, metric.id, "       \
  "metric.value, metric.lower_value, metric.upper_value, boundary.threshold_id, boundary.model_id, "                 \
  "boundary.baseline, "                                                                                              \
  "boundary.lower_limit, boundary.upper_limit, alert.boundary_limit, alert.status, report.created, alert.modified, " \
  "report.head_id, report.version_id, report.testbed_id, report.spec_id, EXISTS (SELECT 1 FROM job WHERE "           \
  "job.report_id = report.id) "
#define ALERT_FROM                                                                                                    \
  "FROM alert JOIN boundary ON boundary.metric_id = alert.boundary_id JOIN metric ON metric.id = boundary.metric_id " \
  "JOIN report_benchmark ON report_benchmark.id = metric.report_benchmark_id JOIN benchmark ON benchmark.id = "       \
  "report_benchmark.benchmark_id JOIN report ON report.id = alert.report_id "

Boundary take_boundary(Row& row) {
  Boundary b;
  row.take(b.baseline), row.take(b.lower_limit), row.take(b.upper_limit);
  return b;
}

ReportMetric take_metric(Row& row, const MetricIds& ids) {
  ReportMetric m;
  m.uuid = ids.uuid(row.take<MetricId>());
  row.take(m.value), row.take(m.lower_value), row.take(m.upper_value);
  return m;
}

struct AlertParts {
  Alert alert;
  BenchmarkId benchmark{};
  ThresholdId threshold{};
  ModelId model{};
  HeadId head{};
  VersionId version{};
  TestbedId testbed{};
  std::optional<SpecId> spec;
  bool has_job = false;
};

AlertParts take_alert(Row& row, const MetricIds& ids) {
  AlertParts p;
  auto& a = p.alert;
  row.take(a.uuid), row.take(a.report);
  row.skip(1);
  row.take(a.iteration), row.take(p.benchmark);
  a.metric = take_metric(row, ids);
  row.take(p.threshold), row.take(p.model);
  a.boundary = take_boundary(row);
  a.limit = row.take<bool>() ? Limit::upper : Limit::lower;
  row.take(a.status), row.take(a.created), row.take(a.modified);
  row.take(p.head), row.take(p.version), row.take(p.testbed), row.take(p.spec), row.take(p.has_job);
  return p;
}

Alert complete_alert(Connection& c, AlertParts parts, Shared& shared) {
  auto& a = parts.alert;
  a.benchmark = shared.benchmark(parts.benchmark);
  const auto& row = shared.threshold(parts.threshold, parts.model);
  a.threshold.uuid = row.uuid;
  a.threshold.branch = branch_with_head(c, parts.head, parts.version)->branch;
  a.threshold.project = a.threshold.branch.project;
  a.threshold.testbed = testbed_for_report(c, parts.testbed, parts.has_job, parts.spec)->testbed;
  a.threshold.measure = shared.measure(row.measure_id);
  a.threshold.model = row.model;
  a.threshold.created = row.created;
  a.threshold.modified = row.modified;
  return std::move(parts.alert);
}

std::vector<Alert> collect_alerts(Connection& c, Rows rows, Shared& shared) {
  const auto& ids = metric_ids(c);
  std::vector<AlertParts> parts;
  while (rows.next()) {
    auto row = rows.row();
    parts.push_back(take_alert(row, ids));
  }
  std::vector<Alert> out;
  out.reserve(parts.size());
  for (auto& p : parts)
    out.push_back(complete_alert(c, std::move(p), shared));
  return out;
}

}  // namespace

MetricIds::MetricIds(std::string_view key) {
  if (key.size() != sizeof keys_) throw std::runtime_error("the server row's metric key has the wrong length");
  std::memcpy(keys_, key.data(), sizeof keys_);
}

std::uint64_t MetricIds::round(std::uint64_t half, int number) const {
  std::uint64_t z = half + keys_[number & 1] + static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) & 0xffffffffu;
}

std::uint64_t MetricIds::tag(std::uint64_t id) const {
  return (round(id, 17) << 32 | round(id, 18)) & 0x03ff'ffff'ffff'ffffu;
}

// A Feistel network of eight rounds (Luby, Rackoff, 1988) over the 64 bits of the id; the 58 bits that a UUID of
// version 8 has left hold a tag, so that a foreign UUID is not taken for one of ours.
AnyUuid MetricIds::uuid(MetricId id) const {
  const auto plain = static_cast<std::uint64_t>(id);
  std::uint64_t left = plain >> 32, right = plain & 0xffffffffu;
  for (int i = 0; i < 8; ++i) {
    const auto next = left ^ round(right, i);
    left = right;
    right = next;
  }
  const auto code = left << 32 | right;
  const auto check = tag(plain);
  // 48 bits of code, version, 12 bits of code, variant, 4 bits of code, 58 bits of tag.
  std::array<std::uint8_t, 16> b{};
  for (std::size_t i = 0; i < 6; ++i)
    b[i] = static_cast<std::uint8_t>(code >> (56 - 8 * i));
  b[6] = static_cast<std::uint8_t>(0x80 | (code >> 12 & 0x0f));
  b[7] = static_cast<std::uint8_t>(code >> 4 & 0xff);
  b[8] = static_cast<std::uint8_t>(0x80 | (code & 0x0f) << 2 | (check >> 56 & 0x03));
  for (std::size_t i = 0; i < 7; ++i)
    b[9 + i] = static_cast<std::uint8_t>(check >> (48 - 8 * i));
  return AnyUuid::from_bytes(b);
}

std::optional<MetricId> MetricIds::id(const AnyUuid& any) const {
  const auto& b = any.bytes();
  if (b[6] >> 4 != 8 || b[8] >> 6 != 2) return std::nullopt;
  std::uint64_t code = 0;
  for (std::size_t i = 0; i < 6; ++i)
    code = code << 8 | b[i];
  code = code << 16 | static_cast<std::uint64_t>(b[6] & 0x0f) << 12 | static_cast<std::uint64_t>(b[7]) << 4 |
         (b[8] >> 2 & 0x0f);
  std::uint64_t left = code >> 32, right = code & 0xffffffffu;
  for (int i = 7; i >= 0; --i) {
    const auto before = right ^ round(left, i);
    right = left;
    left = before;
  }
  const auto plain = static_cast<MetricId>(left << 32 | right);
  if (uuid(plain) != any) return std::nullopt;
  return plain;
}

void ensure_server_row(Connection& c, AnyUuid uuid, std::string_view metric_key, Timestamp now) {
  c.exec(
      "INSERT INTO server (id, uuid, metric_key, created) VALUES (1, ?1, CAST(?2 AS BLOB), ?3) ON CONFLICT DO NOTHING",
      uuid, metric_key, now);
}

std::pair<AnyUuid, Timestamp> server_row(Connection& c) {
  return *c.one(
      [](Row& row) {
        const auto uuid = row.take<AnyUuid>();
        return std::pair(uuid, row.take<Timestamp>());
      },
      "SELECT uuid, created FROM server WHERE id = 1");
}

const MetricIds& metric_ids(Connection& c) {
  // The key never changes once written, and each thread owns its connection.
  thread_local std::unordered_map<const Connection*, std::pair<std::string, MetricIds>> known;
  auto key = c.value<std::string>("SELECT metric_key FROM server WHERE id = 1");
  if (!key) throw std::runtime_error("the database has no server row");
  auto it = known.find(&c);
  if (it == known.end() || it->second.first != *key)
    it = known.insert_or_assign(&c, std::pair(*key, MetricIds(*key))).first;
  return it->second.second;
}

Result<ReportId> insert_report(Connection& c, const ReportRow& r) {
  BENCHER_DO(
      c.change("the report",
               "INSERT INTO report (uuid, idempotency_key, user_id, project_id, head_id, version_id, testbed_id, "
               "spec_id, adapter, start_time, end_time, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
               "?11, ?12)",
               r.uuid, r.idempotency_key, r.user_id, r.project_id, r.head_id, r.version_id, r.testbed_id, r.spec_id,
               r.adapter, r.start_time, r.end_time, r.created));
  return ReportId{c.last_id()};
}

std::optional<ReportRow> find_report(Connection& c, ProjectId project, AnyUuid uuid) {
  return c.one(report_row, "SELECT " REPORT_COLUMNS "FROM report WHERE uuid = ?2 AND project_id = ?1", project, uuid);
}

std::optional<ReportRow> report_by_uuid(Connection& c, AnyUuid uuid) {
  return c.one(report_row, "SELECT " REPORT_COLUMNS "FROM report WHERE uuid = ?1", uuid);
}

std::optional<ReportRow> report_by_id(Connection& c, ReportId id) {
  return c.one(report_row, "SELECT " REPORT_COLUMNS "FROM report WHERE id = ?1", id);
}

std::optional<ReportRow> report_by_idempotency_key(Connection& c, ProjectId project, AnyUuid key) {
  return c.one(report_row, "SELECT " REPORT_COLUMNS "FROM report WHERE project_id = ?1 AND idempotency_key = ?2",
               project, key);
}

void set_report_times(Connection& c, ReportId id, Timestamp start, Timestamp end) {
  c.exec("UPDATE report SET start_time = ?2, end_time = ?3 WHERE id = ?1", id, start, end);
}

void delete_report(Connection& c, const ReportRow& report) {
  c.exec("DELETE FROM report WHERE id = ?1", report.id);
  if (c.value<int>("SELECT 1 FROM report WHERE version_id = ?1 LIMIT 1", report.version_id)) return;
  const auto number = c.value<std::int64_t>("SELECT number FROM version WHERE id = ?1", report.version_id);
  c.exec(
      "UPDATE version SET number = number - 1 WHERE number > ?2 AND id IN (SELECT version_id FROM head_version WHERE "
      "head_id IN (SELECT head_id FROM head_version WHERE version_id = ?1))",
      report.version_id, *number);
  c.exec("DELETE FROM version WHERE id = ?1", report.version_id);
}

ReportBenchmarkId insert_report_benchmark(Connection& c, ReportId report, std::uint32_t iteration,
                                          BenchmarkId benchmark) {
  c.exec("INSERT INTO report_benchmark (report_id, iteration, benchmark_id) VALUES (?1, ?2, ?3)", report, iteration,
         benchmark);
  return ReportBenchmarkId{c.last_id()};
}

MetricId insert_metric(Connection& c, ReportBenchmarkId report_benchmark, MeasureId measure, const Metric& metric) {
  c.exec(
      "INSERT INTO metric (report_benchmark_id, measure_id, value, lower_value, upper_value) VALUES (?1, ?2, ?3, ?4, "
      "?5)",
      report_benchmark, measure, metric.value, metric.lower, metric.upper);
  return MetricId{c.last_id()};
}

void insert_boundary(Connection& c, MetricId metric, ThresholdId threshold, ModelId model, const Boundary& b) {
  c.exec(
      "INSERT INTO boundary (metric_id, threshold_id, model_id, baseline, lower_limit, upper_limit) VALUES (?1, ?2, "
      "?3, "
      "?4, ?5, ?6)",
      metric, threshold, model, b.baseline, b.lower_limit, b.upper_limit);
}

AlertId insert_alert(Connection& c, AnyUuid uuid, MetricId metric, ReportId report, Limit limit, Timestamp now) {
  c.exec(
      "INSERT INTO alert (uuid, boundary_id, report_id, boundary_limit, status, modified) VALUES (?1, ?2, ?3, ?4, 0, "
      "?5)",
      uuid, metric, report, limit == Limit::upper, now);
  return AlertId{c.last_id()};
}

void add_metric_count(Connection& c, ReportId report, std::int64_t count) {
  c.exec(
      "INSERT INTO metric_count_by_report (report_id, metric_count) VALUES (?1, ?2) ON CONFLICT (report_id) DO UPDATE "
      "SET metric_count = metric_count + excluded.metric_count",
      report, count);
}

void touch_series(Connection& c, const ProjectRow& project, TestbedId testbed, BenchmarkId benchmark, MeasureId measure,
                  Timestamp now) {
  c.exec(
      "INSERT INTO series_last_seen (organization_id, project_id, testbed_id, benchmark_id, measure_id, last_seen) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (testbed_id, benchmark_id, measure_id) DO UPDATE SET last_seen = "
      "excluded.last_seen WHERE last_seen < excluded.last_seen",
      project.organization_id, project.id, testbed, benchmark, measure, now);
}

void read_population(Connection& c, const Population& p, const std::function<bool(BenchmarkId, double)>& take) {
// The head's versions come newest first from their index, so that reading can stop early; CROSS JOIN keeps that order.
#define POPULATION(of_benchmark)                                                                                    \
  "SELECT report_benchmark.benchmark_id, metric.value FROM head_version CROSS JOIN report ON report.version_id = "  \
  "head_version.version_id AND report.testbed_id = ?2 CROSS JOIN report_benchmark ON report_benchmark.report_id = " \
  "report.id " of_benchmark                                                                                         \
  "CROSS JOIN metric ON metric.report_benchmark_id = report_benchmark.id AND metric.measure_id = ?3 WHERE "         \
  "head_version.head_id = ?1 AND (?4 IS NULL OR report.spec_id = ?4) AND (?5 IS NULL OR report.start_time >= ?5) "  \
  "ORDER BY head_version.number DESC, report.start_time DESC, report_benchmark.iteration DESC, report.id DESC"
  auto rows = p.benchmark ? c.query(POPULATION("AND report_benchmark.benchmark_id = ?6 "), p.head, p.testbed, p.measure,
                                    p.spec, p.since, *p.benchmark)
                          : c.query(POPULATION(""), p.head, p.testbed, p.measure, p.spec, p.since);
  while (rows.next()) {
    auto row = rows.row();
    const auto benchmark = row.take<BenchmarkId>();
    if (!take(benchmark, row.take<double>())) return;
  }
}

Standing standing(Connection& c, const ReportRow& r) {
  const auto heads = c.value<std::int64_t>("SELECT count(*) FROM head_version WHERE version_id = ?1", r.version_id);
  const auto newer = c.value<std::int64_t>(
      "SELECT count(*) FROM (SELECT 1 FROM head_version WHERE head_id = ?1 AND number >= (SELECT number FROM version "
      "WHERE id = ?2) LIMIT 2)",
      r.head_id, r.version_id);
  if (heads != 1) return Standing::shared;
  if (newer != 1) return Standing::older;
  return c.value<int>(
              "SELECT 1 FROM report WHERE version_id = ?1 AND testbed_id = ?2 AND id <> ?3 AND start_time >= ?4 LIMIT "
              "1",
              r.version_id, r.testbed_id, r.id, r.start_time)
                 .has_value()
             ? Standing::older
             : Standing::newest;
}

Report load_report_head(Connection& c, const ReportRow& row, ReportCounts counts) {
  Report out;
  out.uuid = row.uuid;
  if (row.user_id) {
    const auto user = user_by_id(c, *row.user_id);
    out.user = PublicUser{user->user.uuid, user->user.name, user->user.slug};
  }
  out.project = project_by_id(c, row.project_id)->project;
  out.branch = branch_with_head(c, row.head_id, row.version_id)->branch;
  out.start_time = row.start_time;
  out.end_time = row.end_time;
  out.adapter = row.adapter;
  out.created = row.created;
  out.job = c.value<Uuid<Job>>("SELECT uuid FROM job WHERE report_id = ?1", row.id);
  out.testbed = testbed_for_report(c, row.testbed_id, out.job.has_value(), row.spec_id)->testbed;
  out.expanded = false;
  out.counts = std::move(counts);
  return out;
}

Report load_report(Connection& c, const ReportRow& row, bool expand) {
  auto out = load_report_head(c, row, {});
  out.expanded = expand;

  Shared shared(c);
  if (expand) {
    const auto& ids = metric_ids(c);
    struct Line {
      std::uint32_t iteration;
      BenchmarkId benchmark;
      MeasureId measure;
      ReportMetric metric;
      std::optional<ThresholdId> threshold;
      ModelId model{};
      Boundary boundary;
    };
    std::vector<Line> lines;
    {
      auto rows = c.query(
          "SELECT report_benchmark.iteration, report_benchmark.benchmark_id, metric.measure_id, metric.id, "
          "metric.value, "
          "metric.lower_value, metric.upper_value, boundary.threshold_id, boundary.model_id, boundary.baseline, "
          "boundary.lower_limit, boundary.upper_limit FROM report_benchmark JOIN benchmark ON benchmark.id = "
          "report_benchmark.benchmark_id JOIN metric ON metric.report_benchmark_id = report_benchmark.id JOIN measure "
          "ON "
          "measure.id = metric.measure_id LEFT JOIN boundary ON boundary.metric_id = metric.id WHERE "
          "report_benchmark.report_id = ?1 ORDER BY report_benchmark.iteration, benchmark.name, measure.name",
          row.id);
      while (rows.next()) {
        auto r = rows.row();
        Line line;
        r.take(line.iteration), r.take(line.benchmark), r.take(line.measure);
        line.metric = take_metric(r, ids);
        r.take(line.threshold);
        if (line.threshold) {
          r.take(line.model);
          line.boundary = take_boundary(r);
        }
        lines.push_back(std::move(line));
      }
    }
    const Line* before = nullptr;
    for (const auto& line : lines) {
      if (!before || before->iteration != line.iteration) {
        out.results.emplace_back();
        before = nullptr;
      }
      auto& iteration = out.results.back();
      if (!before || before->benchmark != line.benchmark)
        iteration.push_back(ReportResult{line.iteration, shared.benchmark(line.benchmark), {}});
      ReportMeasure measure;
      measure.measure = shared.measure(line.measure);
      measure.metric = line.metric;
      if (line.threshold) {
        measure.threshold = shared.threshold_model(*line.threshold, line.model, out.project.uuid);
        measure.boundary = line.boundary;
      }
      iteration.back().measures.push_back(std::move(measure));
      before = &line;
    }
    out.alerts =
        collect_alerts(c,
                       c.query("SELECT " ALERT_COLUMNS ALERT_FROM
                               "WHERE alert.report_id = ?1 ORDER BY report_benchmark.iteration, benchmark.name, "
                               "alert.id",
                               row.id),
                       shared);
  }
  {
    auto rows = c.query(
        "SELECT count(DISTINCT report_benchmark.benchmark_id), count(DISTINCT metric.measure_id) FROM report_benchmark "
        "JOIN "
        "metric ON metric.report_benchmark_id = report_benchmark.id WHERE report_benchmark.report_id = ?1 GROUP BY "
        "report_benchmark.iteration ORDER BY report_benchmark.iteration",
        row.id);
    while (rows.next()) {
      auto r = rows.row();
      IterationCounts counts;
      r.take(counts.benchmarks), r.take(counts.measures);
      out.counts.results.push_back(counts);
    }
  }
  out.counts.alerts = *c.one(
      [](Row& r) {
        AlertCounts counts;
        r.take(counts.total), r.take(counts.active);
        return counts;
      },
      "SELECT count(*), count(*) FILTER (WHERE status = 0) FROM alert WHERE report_id = ?1", row.id);
  return out;
}

Page<Report> list_reports(Connection& c, ProjectId project, const ReportFilter& filter, const Paging& paging) {
  Page<Report> page;
#define REPORT_WHERE                                                                                                \
  "FROM report JOIN head ON head.id = report.head_id JOIN branch ON branch.id = head.branch_id JOIN testbed ON "    \
  "testbed.id = report.testbed_id WHERE report.project_id = ?1 AND (?2 IS NULL OR head.branch_id = ?2) AND (?3 IS " \
  "NULL OR report.testbed_id = ?3) AND (?4 IS NULL OR report.start_time >= ?4) AND (?5 IS NULL OR report.end_time " \
  "<= ?5) AND (branch.archived IS NOT NULL OR testbed.archived IS NOT NULL) = ?6 "
  page.total = *c.value<std::int64_t>("SELECT count(*) " REPORT_WHERE, project, filter.branch, filter.testbed,
                                      filter.start_time, filter.end_time, filter.archived);
  const auto* sql =
      paging.descending
          ? "SELECT " REPORT_COLUMNS REPORT_WHERE
            "ORDER BY report.start_time DESC, report.end_time DESC, report.created DESC, report.id LIMIT ?7 OFFSET ?8"
          : "SELECT " REPORT_COLUMNS REPORT_WHERE
            "ORDER BY report.start_time, report.end_time, report.created, report.id LIMIT ?7 OFFSET ?8";
  std::vector<ReportRow> found;
  {
    auto rows = c.query(sql, project, filter.branch, filter.testbed, filter.start_time, filter.end_time,
                        filter.archived, paging.per_page, paging.offset());
    while (rows.next()) {
      auto row = rows.row();
      found.push_back(report_row(row));
    }
  }
  for (const auto& row : found)
    page.items.push_back(load_report(c, row, filter.expand));
  return page;
}

std::optional<Alert> find_alert(Connection& c, ProjectId project, AnyUuid uuid) {
  Shared shared(c);
  auto found = collect_alerts(
      c, c.query("SELECT " ALERT_COLUMNS ALERT_FROM "WHERE alert.uuid = ?2 AND report.project_id = ?1", project, uuid),
      shared);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

bool set_alert_status(Connection& c, ProjectId project, AnyUuid uuid, AlertStatus status, Timestamp now) {
  return c.exec(
             "UPDATE alert SET status = ?3, modified = ?4 WHERE uuid = ?2 AND report_id IN (SELECT id FROM report "
             "WHERE "
             "project_id = ?1)",
             project, uuid, status, now) > 0;
}

Page<Alert> list_alerts(Connection& c, ProjectId project, std::optional<AlertStatus> status, bool archived,
                        AlertSort sort, const Paging& paging) {
  Page<Alert> page;
#define ALERT_WHERE                                                                                                   \
  ALERT_FROM                                                                                                          \
  "JOIN head ON head.id = report.head_id JOIN branch ON branch.id = head.branch_id JOIN testbed ON testbed.id = "     \
  "report.testbed_id JOIN measure ON measure.id = metric.measure_id WHERE report.project_id = ?1 AND (?2 IS NULL OR " \
  "alert.status = ?2) AND (branch.archived IS NOT NULL OR testbed.archived IS NOT NULL OR measure.archived IS NOT "   \
  "NULL) = ?3 "
  page.total = *c.value<std::int64_t>("SELECT count(*) " ALERT_WHERE, project, status, archived);
#define ALERT_ORDER(column) \
  "ORDER BY alert.status, " column ", benchmark.name, report_benchmark.iteration, alert.id LIMIT ?4 OFFSET ?5"
  const bool down = paging.descending;
  const auto* sql = sort == AlertSort::modified
                        ? (down ? "SELECT " ALERT_COLUMNS ALERT_WHERE ALERT_ORDER("alert.modified DESC")
                                : "SELECT " ALERT_COLUMNS ALERT_WHERE ALERT_ORDER("alert.modified"))
                        : (down ? "SELECT " ALERT_COLUMNS ALERT_WHERE ALERT_ORDER("report.start_time DESC")
                                : "SELECT " ALERT_COLUMNS ALERT_WHERE ALERT_ORDER("report.start_time"));
  Shared shared(c);
  page.items = collect_alerts(c, c.query(sql, project, status, archived, paging.per_page, paging.offset()), shared);
  return page;
}

namespace {

constexpr std::size_t perf_limit = 255;

#define PERF_COLUMNS                                                                                                \
  "report.uuid, report_benchmark.iteration, report.start_time, report.end_time, version.number, version.hash, "     \
  "metric.id, metric.value, metric.lower_value, metric.upper_value, boundary.threshold_id, boundary.model_id, "     \
  "boundary.baseline, boundary.lower_limit, boundary.upper_limit, alert.uuid, alert.boundary_limit, alert.status, " \
  "alert.modified "

PerfAlert take_perf_alert(Row& row) {
  PerfAlert alert;
  row.take(alert.uuid);
  alert.limit = row.take<bool>() ? Limit::upper : Limit::lower;
  row.take(alert.status), row.take(alert.modified);
  return alert;
}

PerfMetric take_perf(Row& row, const MetricIds& ids, std::optional<std::pair<ThresholdId, ModelId>>& model) {
  PerfMetric m;
  row.take(m.report), row.take(m.iteration), row.take(m.start_time), row.take(m.end_time);
  row.take(m.version.number), row.take(m.version.hash);
  m.metric = take_metric(row, ids);
  if (row.next_is_null()) return m;
  const auto threshold = row.take<ThresholdId>();
  model = std::pair(threshold, row.take<ModelId>());
  m.boundary = take_boundary(row);
  if (row.next_is_null()) return m;
  m.alert = take_perf_alert(row);
  return m;
}

/// A report that series of one branch head, testbed and spec have points of.
struct PerfReport {
  ReportId id{};
  Uuid<Report> uuid;
  Timestamp start_time;
  Timestamp end_time;
  Version version;
};

/// Oldest first.
std::vector<PerfReport> perf_reports(Connection& c, HeadId head, TestbedId testbed, std::optional<SpecId> spec,
                                     const PerfQuery& query) {
  std::vector<PerfReport> out;
  auto rows = c.query(
      "SELECT report.id, report.uuid, report.start_time, report.end_time, version.number, version.hash FROM "
      "head_version CROSS JOIN report ON report.version_id = head_version.version_id AND report.testbed_id = ?2 CROSS "
      "JOIN version ON version.id = report.version_id WHERE head_version.head_id = ?1 AND (?3 IS NULL OR "
      "report.spec_id = ?3) AND (?4 IS NULL OR report.start_time >= ?4) AND (?5 IS NULL OR report.end_time <= ?5) "
      "ORDER BY head_version.number, report.start_time, report.id",
      head, testbed, spec, query.start_time, query.end_time);
  while (rows.next()) {
    auto row = rows.row();
    auto& r = out.emplace_back();
    row.take(r.id), row.take(r.uuid), row.take(r.start_time), row.take(r.end_time);
    row.take(r.version.number), row.take(r.version.hash);
  }
  return out;
}

struct PerfPoint {
  const PerfReport* report = nullptr;
  std::uint32_t iteration = 0;
  MetricId metric{};
  double value = 0;
  std::optional<double> lower_value;
  std::optional<double> upper_value;
  std::optional<ThresholdId> threshold;
  ModelId model{};
  Boundary boundary;
};

/// The points of every pair of some benchmarks and some measures. A report's rows are in the order of its benchmarks'
/// ids, so those of benchmarks that are near to each other, as the ones of one project mostly are, are read in one go.
class PerfPoints {
 public:
  /// Both sorted, nothing twice.
  PerfPoints(std::vector<BenchmarkId> benchmarks, std::vector<MeasureId> measures)
      : benchmarks_(std::move(benchmarks)),
        measures_(std::move(measures)),
        series_(benchmarks_.size() * measures_.size()) {
    for (std::size_t i = 0; i < benchmarks_.size(); ++i) {
      const auto id = static_cast<std::int64_t>(benchmarks_[i]);
      if (i == 0 || id - static_cast<std::int64_t>(ranges_.back().second) > near)
        ranges_.emplace_back(benchmarks_[i], benchmarks_[i]);
      else
        ranges_.back().second = benchmarks_[i];
    }
  }

  void read(Connection& c, const std::vector<PerfReport>& reports) {
    if (measures_.empty()) return;
#define PERF_POINTS(of_measure)                                                                                    \
  "SELECT report_benchmark.benchmark_id, metric.measure_id, report_benchmark.iteration, metric.id, metric.value, " \
  "metric.lower_value, metric.upper_value, boundary.threshold_id, boundary.model_id, boundary.baseline, "          \
  "boundary.lower_limit, boundary.upper_limit FROM report_benchmark CROSS JOIN metric ON "                         \
  "metric.report_benchmark_id = report_benchmark.id AND metric.measure_id " of_measure                             \
  " LEFT JOIN boundary ON boundary.metric_id = metric.id WHERE report_benchmark.report_id = ?1 AND "               \
  "report_benchmark.benchmark_id BETWEEN ?2 AND ?3"
    // One measure, as nearly all ask for, takes one step less in the index.
    const char* sql = measures_.size() == 1 ? PERF_POINTS("= ?4") : PERF_POINTS("BETWEEN ?4 AND ?5");
    for (const auto& report : reports)
      for (const auto& [from, to] : ranges_) {
        auto rows = measures_.size() == 1 ? c.query(sql, report.id, from, to, measures_.front())
                                          : c.query(sql, report.id, from, to, measures_.front(), measures_.back());
        while (rows.next()) {
          auto row = rows.row();
          const auto benchmark = row.take<BenchmarkId>();
          auto* points = find(benchmark, row.take<MeasureId>());
          if (!points) continue;
          auto& p = points->emplace_back();
          p.report = &report;
          row.take(p.iteration), row.take(p.metric);
          row.take(p.value), row.take(p.lower_value), row.take(p.upper_value);
          row.take(p.threshold);
          if (!p.threshold) continue;
          row.take(p.model);
          p.boundary = take_boundary(row);
        }
      }
    const auto older = [](const PerfPoint& a, const PerfPoint& b) {
      return std::tuple(a.report->version.number, a.report->start_time, a.iteration, a.metric) <
             std::tuple(b.report->version.number, b.report->start_time, b.iteration, b.metric);
    };
    // They come in that order, but for reports of one version that started together.
    for (auto& points : series_)
      if (!std::is_sorted(points.begin(), points.end(), older)) std::sort(points.begin(), points.end(), older);
  }

  /// Null when it is none of them.
  std::vector<PerfPoint>* find(BenchmarkId benchmark, MeasureId measure) {
    const auto b = std::lower_bound(benchmarks_.begin(), benchmarks_.end(), benchmark);
    const auto m = std::lower_bound(measures_.begin(), measures_.end(), measure);
    if (b == benchmarks_.end() || *b != benchmark || m == measures_.end() || *m != measure) return nullptr;
    return &series_[static_cast<std::size_t>(b - benchmarks_.begin()) * measures_.size() +
                    static_cast<std::size_t>(m - measures_.begin())];
  }

 private:
  /// Ids this far apart are read together: what lies between costs less than a search of its own.
  static constexpr std::int64_t near = 4;
  std::vector<BenchmarkId> benchmarks_;
  std::vector<MeasureId> measures_;
  std::vector<std::pair<BenchmarkId, BenchmarkId>> ranges_;
  std::vector<std::vector<PerfPoint>> series_;
};

/// The rows that are named, at most as many as a query may have series; nothing in the place of one that is not there.
template <class F>
auto found_rows(const std::vector<AnyUuid>& uuids, F find) {
  std::vector<decltype(find(Key{}))> out;
  for (const auto& uuid : uuids) {
    if (out.size() == perf_limit) break;
    out.push_back(find(Key{Key::By::uuid, uuid.str()}));
  }
  return out;
}

template <class Id, class R>
std::vector<Id> sorted_ids(const std::vector<std::optional<R>>& rows) {
  std::vector<Id> out;
  for (const auto& row : rows)
    if (row) out.push_back(row->id);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

Perf load_perf(Connection& c, const ProjectRow& project, const PerfQuery& query) {
  Perf out;
  out.project = project.project;
  out.start_time = query.start_time;
  out.end_time = query.end_time;
  Shared shared(c);
  std::map<std::pair<ThresholdId, ModelId>, std::shared_ptr<const ThresholdModel>> thresholds;
  const auto threshold_model = [&](ThresholdId threshold, ModelId model) {
    auto& slot = thresholds[{threshold, model}];
    if (!slot)
      slot = std::make_shared<const ThresholdModel>(shared.threshold_model(threshold, model, project.project.uuid));
    return slot;
  };
  const auto& ids = metric_ids(c);
  const auto benchmarks =
      found_rows(query.benchmarks, [&](const Key& key) { return find_benchmark(c, project.id, key); });
  const auto measures = found_rows(query.measures, [&](const Key& key) { return find_measure(c, project.id, key); });
  std::size_t combinations = 0;
  for (std::size_t b = 0; b < query.branches.size(); ++b) {
    auto branch = find_branch(c, project.id, {Key::By::uuid, query.branches[b].str()});
    if (branch && b < query.heads.size() && query.heads[b]) {
      const auto head = find_head(c, branch->id, *query.heads[b]);
      branch = head ? branch_with_head(c, *head, std::nullopt) : std::nullopt;
      if (branch) branch->head_id = *head;
    }
    for (std::size_t t = 0; t < query.testbeds.size(); ++t) {
      auto testbed = find_testbed(c, project.id, {Key::By::uuid, query.testbeds[t].str()});
      std::optional<SpecId> spec;
      bool skip = !branch || !testbed;
      if (testbed) testbed->testbed.spec.reset();
      if (testbed && t < query.specs.size() && query.specs[t]) {
        if (auto found = find_spec(c, ResourceId(*query.specs[t]))) {
          spec = found->id;
          testbed->testbed.spec = std::move(found->spec);
        } else {
          skip = true;
        }
      }
      std::vector<PerfReport> reports;
      PerfPoints all(sorted_ids<BenchmarkId>(benchmarks), sorted_ids<MeasureId>(measures));
      if (!skip) {
        reports = perf_reports(c, branch->head_id, testbed->id, spec, query);
        all.read(c, reports);
      }
      for (const auto& benchmark : benchmarks) {
        for (const auto& measure : measures) {
          if (++combinations > perf_limit) return out;
          if (skip || !benchmark || !measure) continue;
          const auto& points = *all.find(benchmark->id, measure->id);
          if (points.empty()) continue;
          auto& series = out.results.emplace_back();
          series.metrics.reserve(points.size());
          for (const auto& p : points) {
            auto& m = series.metrics.emplace_back();
            m.report = p.report->uuid;
            m.iteration = p.iteration;
            m.start_time = p.report->start_time;
            m.end_time = p.report->end_time;
            m.version = p.report->version;
            m.metric = ReportMetric{ids.uuid(p.metric), p.value, p.lower_value, p.upper_value};
            if (!p.threshold) continue;
            m.threshold = threshold_model(*p.threshold, p.model);
            m.boundary = p.boundary;
            // An alert is raised outside of the limits only; the other metrics, nearly all, need not be asked for.
            if (!outlier(p.boundary, p.value)) continue;
            m.alert =
                c.one(take_perf_alert,
                      "SELECT uuid, boundary_limit, status, modified FROM alert WHERE boundary_id = ?1", p.metric);
          }
          series.branch = branch->branch;
          series.testbed = testbed->testbed;
          series.benchmark = benchmark->benchmark;
          series.measure = measure->measure;
        }
      }
    }
  }
  return out;
}

std::optional<OneMetric> find_metric(Connection& c, ProjectId project, AnyUuid uuid) {
  const auto& ids = metric_ids(c);
  const auto id = ids.id(uuid);
  if (!id) return std::nullopt;
  std::optional<std::pair<ThresholdId, ModelId>> model;
  struct Where {
    BenchmarkId benchmark{};
    MeasureId measure{};
    ReportId report{};
  };
  const auto where = c.one(
      [](Row& row) {
        Where w;
        row.take(w.benchmark), row.take(w.measure), row.take(w.report);
        return w;
      },
      "SELECT report_benchmark.benchmark_id, metric.measure_id, report.id FROM metric JOIN report_benchmark ON "
      "report_benchmark.id = metric.report_benchmark_id JOIN report ON report.id = report_benchmark.report_id WHERE "
      "metric.id = ?1 AND report.project_id = ?2",
      *id, project);
  if (!where) return std::nullopt;
  const auto perf =
      c.one([&](Row& row) { return take_perf(row, ids, model); },
            "SELECT " PERF_COLUMNS
            "FROM metric JOIN report_benchmark ON report_benchmark.id = metric.report_benchmark_id JOIN "
            "report ON report.id = report_benchmark.report_id JOIN version ON version.id = report.version_id "
            "LEFT JOIN boundary ON boundary.metric_id = metric.id LEFT JOIN alert ON alert.boundary_id = "
            "metric.id WHERE metric.id = ?1",
            *id);
  const auto report = report_by_id(c, where->report);
  const bool has_job = c.value<int>("SELECT 1 FROM job WHERE report_id = ?1", where->report).has_value();
  OneMetric out;
  out.uuid = uuid;
  out.report = perf->report;
  out.iteration = perf->iteration;
  out.start_time = perf->start_time;
  out.end_time = perf->end_time;
  out.branch = branch_with_head(c, report->head_id, report->version_id)->branch;
  out.testbed = testbed_for_report(c, report->testbed_id, has_job, report->spec_id)->testbed;
  out.benchmark = benchmark_by_id(c, where->benchmark)->benchmark;
  out.measure = measure_by_id(c, where->measure)->measure;
  out.metric = perf->metric;
  out.boundary = perf->boundary;
  out.alert = perf->alert;
  if (model) {
    const auto row = threshold_with_model(c, model->first, model->second);
    out.threshold = ThresholdModel{row.uuid, out.branch.project, *row.model, row.created};
  }
  return out;
}

}  // namespace bencher::storage
