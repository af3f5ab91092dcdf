#include "lib/storage/reports.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

#include "lib/json/json.hpp"
#include "lib/storage/dimensions.hpp"
#include "lib/storage/metric_rows.hpp"
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

#define ALERT_COLUMNS                                                                                                \
  "alert.uuid, report.uuid, report.id, report_benchmark.iteration, report_benchmark.benchmark_id, metric.id, "       \
  "metric.value, metric.lower_value, metric.upper_value, boundary.threshold_id, boundary.model_id, "                 \
  "boundary.baseline, "                                                                                              \
  "boundary.lower_limit, boundary.upper_limit, alert.boundary_limit, alert.status, report.created, alert.modified, " \
  "report.head_id, report.version_id, report.testbed_id, report.spec_id, EXISTS (SELECT 1 FROM job WHERE "           \
  "job.report_id = report.id), alert.id "
#define ALERT_FROM                                                                                                    \
  "FROM alert JOIN boundary ON boundary.metric_id = alert.boundary_id JOIN metric ON metric.id = boundary.metric_id " \
  "JOIN report_benchmark ON report_benchmark.id = metric.report_benchmark_id JOIN benchmark ON benchmark.id = "       \
  "report_benchmark.benchmark_id JOIN report ON report.id = alert.report_id "

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
  AlertId id{};
};

std::optional<ChangeEnd> change_end(Connection& c, std::optional<ReportId> report, HeadId head) {
  if (!report) return {};
  return c.one(
      [](Row& row) {
        ChangeEnd end;
        row.take(end.report), row.take(end.version.number), row.take(end.version.hash);
        return end;
      },
      "SELECT report.uuid, head_version.number, version.hash FROM report JOIN version ON version.id = "
      "report.version_id JOIN head_version ON head_version.version_id = version.id AND head_version.head_id = ?2 WHERE "
      "report.id = ?1",
      *report, head);
}

std::optional<Change> change_of(Connection& c, AlertId alert, HeadId head) {
  struct Found {
    Change change;
    std::optional<ReportId> last_good, first_bad;
  };
  auto found = c.one(
      [](Row& row) {
        Found f;
        row.take(f.last_good), row.take(f.first_bad);
        row.take(f.change.before), row.take(f.change.after), row.take(f.change.pvalue);
        return f;
      },
      "SELECT last_good_id, first_bad_id, before, after, pvalue FROM alert_change WHERE alert_id = ?1", alert);
  if (!found) return {};
  found->change.last_good = change_end(c, found->last_good, head);
  found->change.first_bad = change_end(c, found->first_bad, head);
  return std::move(found->change);
}

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
  row.take(p.head), row.take(p.version), row.take(p.testbed), row.take(p.spec), row.take(p.has_job), row.take(p.id);
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
  if (row.benchmark_id) a.threshold.benchmark = shared.benchmark(*row.benchmark_id);
  a.threshold.model = row.model;
  a.threshold.created = row.created;
  a.threshold.modified = row.modified;
  if (row.model && looks_for_changes(row.model->test)) a.change = change_of(c, parts.id, parts.head);
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

void set_report_warnings(Connection& c, ReportId id, const std::vector<std::string>& warnings) {
  if (warnings.empty())
    c.exec("DELETE FROM report_warnings WHERE report_id = ?1", id);
  else
    c.exec("INSERT OR REPLACE INTO report_warnings (report_id, warnings) VALUES (?1, ?2)", id, json::print(warnings));
}

std::vector<std::string> report_warnings(Connection& c, ReportId id) {
  const auto text = c.value<std::string>("SELECT warnings FROM report_warnings WHERE report_id = ?1", id);
  return text ? json::parse<std::vector<std::string>>(*text).value() : std::vector<std::string>();
}

void set_report_host(Connection& c, ReportId id, const std::string& host) {
  c.exec("INSERT OR REPLACE INTO report_host (report_id, host) VALUES (?1, ?2)", id, host);
}

std::string report_host(Connection& c, ReportId id) {
  return c.value<std::string>("SELECT host FROM report_host WHERE report_id = ?1", id).value_or("");
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

// The head's versions come newest first from their index, so that reading can stop early; CROSS JOIN keeps that order.
#define POPULATION(columns, of_benchmark)                                                                           \
  "SELECT report_benchmark.benchmark_id, metric.value" columns                                                      \
  " FROM head_version CROSS JOIN report ON report.version_id = head_version.version_id AND report.testbed_id = ?2 " \
  "CROSS JOIN report_benchmark ON report_benchmark.report_id = report.id " of_benchmark                             \
  "CROSS JOIN metric ON metric.report_benchmark_id = report_benchmark.id AND metric.measure_id = ?3 WHERE "         \
  "head_version.head_id = ?1 AND (?4 IS NULL OR report.spec_id = ?4) AND (?5 IS NULL OR report.start_time >= ?5) "  \
  "ORDER BY head_version.number DESC, report.start_time DESC, report_benchmark.iteration DESC, report.id DESC"
#define ONE_BENCHMARK "AND report_benchmark.benchmark_id = ?6 "
#define THESE_BENCHMARKS "AND report_benchmark.benchmark_id IN (SELECT value FROM json_each(?6)) "

namespace {

std::string list_of(const std::vector<BenchmarkId>& ids) {
  std::string out = "[";
  for (const auto id : ids)
    out += (out.size() > 1 ? "," : "") + std::to_string(static_cast<std::int64_t>(id));
  return out + "]";
}

}  // namespace

void read_population(Connection& c, const Population& p, const std::function<bool(BenchmarkId, double)>& take) {
  auto rows = p.benchmarks.empty()       ? c.query(POPULATION("", ""), p.head, p.testbed, p.measure, p.spec, p.since)
              : p.benchmarks.size() == 1 ? c.query(POPULATION("", ONE_BENCHMARK), p.head, p.testbed, p.measure, p.spec,
                                                   p.since, p.benchmarks.front())
                                         : c.query(POPULATION("", THESE_BENCHMARKS), p.head, p.testbed, p.measure,
                                                   p.spec, p.since, list_of(p.benchmarks));
  while (rows.next()) {
    auto row = rows.row();
    const auto benchmark = row.take<BenchmarkId>();
    if (!take(benchmark, row.take<double>())) return;
  }
}

void read_series(Connection& c, const Population& p, const std::function<bool(BenchmarkId, double, ReportId)>& take) {
  auto rows = p.benchmarks.empty()
                  ? c.query(POPULATION(", report.id", ""), p.head, p.testbed, p.measure, p.spec, p.since)
                  : c.query(POPULATION(", report.id", THESE_BENCHMARKS), p.head, p.testbed, p.measure, p.spec, p.since,
                            list_of(p.benchmarks));
  while (rows.next()) {
    auto row = rows.row();
    const auto benchmark = row.take<BenchmarkId>();
    const auto value = row.take<double>();
    if (!take(benchmark, value, row.take<ReportId>())) return;
  }
}

void insert_change(Connection& c, const ChangeRow& row) {
  c.exec(
      "INSERT INTO alert_change (alert_id, threshold_id, benchmark_id, last_good_id, first_bad_id, before, after, "
      "pvalue) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      row.alert, row.threshold, row.benchmark, row.last_good, row.first_bad, row.before, row.after, row.pvalue);
}

std::vector<std::pair<BenchmarkId, ReportId>> known_changes(Connection& c, ThresholdId threshold) {
  std::vector<std::pair<BenchmarkId, ReportId>> out;
  auto rows = c.query(
      "SELECT benchmark_id, first_bad_id FROM alert_change WHERE threshold_id = ?1 AND first_bad_id IS NOT NULL",
      threshold);
  while (rows.next()) {
    auto row = rows.row();
    const auto benchmark = row.take<BenchmarkId>();
    out.emplace_back(benchmark, row.take<ReportId>());
  }
  return out;
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
  out.job = c.value<Uuid<Job>>("SELECT uuid FROM job WHERE report_id = ?1 ORDER BY id DESC LIMIT 1", row.id);
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
    out.warnings = report_warnings(c, row.id);
    if (out.job) out.host = report_host(c, row.id);
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

}  // namespace bencher::storage
