// Series of metrics over reports, and single metrics.

#include "lib/storage/perf.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "lib/storage/metric_rows.hpp"
#include "lib/storage/specs.hpp"

namespace bencher::storage {

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
