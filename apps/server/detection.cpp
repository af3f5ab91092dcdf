// What a threshold would have said of the past, and where series have changed their level.
#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "bencher/threshold/change_point.hpp"
#include "bencher/threshold/preview.hpp"

#include "apps/server/api.hpp"
#include "lib/report/json.hpp"
#include "lib/report/new_run_json.hpp"
#include "lib/storage/series.hpp"

namespace bencher::server {
namespace {

/// Metrics of one answer.
constexpr std::size_t most_metrics = 1'000'000;
/// Alerts that are listed; all are counted.
constexpr std::size_t most_alerts = 1000;
/// Newest values of a series that are looked at for changes.
constexpr std::size_t newest_values = 2048;

struct PreviewBody : wire::ModelBody {
  BranchNameId branch;
  ResourceNameId testbed;
  ResourceNameId measure;
  std::optional<BenchmarkNameId> benchmark;
  std::optional<Timestamp> start_time;  ///< only metrics of reports that began then or later are judged,
  std::optional<Timestamp> end_time;    ///< or earlier than that
};
BOOST_DESCRIBE_STRUCT(PreviewBody, (wire::ModelBody), (branch, testbed, measure, benchmark, start_time, end_time))

struct PreviewAlertWire {
  Uuid<Report> report;
  Timestamp start_time;
  Version version;
  std::uint32_t iteration = 0;
  Benchmark benchmark;
  ReportMetric metric;
  Boundary boundary;
  Limit limit = Limit::upper;
  json::Sparse<Change> change;
};
BOOST_DESCRIBE_STRUCT(PreviewAlertWire, (),
                      (report, start_time, version, iteration, benchmark, metric, boundary, limit, change))
struct PreviewWire {
  std::uint32_t metrics = 0;  ///< that were judged
  std::uint32_t total = 0;    ///< alerts, of which the oldest are listed
  std::vector<PreviewAlertWire> alerts;
};
BOOST_DESCRIBE_STRUCT(PreviewWire, (), (metrics, total, alerts))

struct ChangesQuery {
  std::string branch, testbed, measure;
  std::optional<std::string> benchmark;
};
BOOST_DESCRIBE_STRUCT(ChangesQuery, (), (branch, testbed, measure, benchmark))
struct SegmentWire {
  ChangeEnd begin;
  std::uint32_t values = 0;
  double mean = 0;
  double noise = 0;
};
BOOST_DESCRIBE_STRUCT(SegmentWire, (), (begin, values, mean, noise))
struct SeriesChangesWire {
  Benchmark benchmark;
  SegmentWire segment;
  std::vector<Change> changes;
};
BOOST_DESCRIBE_STRUCT(SeriesChangesWire, (), (benchmark, segment, changes))

template <class BranchId, class TestbedId, class MeasureId, class BenchmarkId>
Result<st::SeriesQuery> find_series(Call& call, st::ProjectId project, const BranchId& branch, const TestbedId& testbed,
                                    const MeasureId& measure, const std::optional<BenchmarkId>& benchmark) {
  st::SeriesQuery out;
  const auto found_branch = st::find_branch(call.c, project, st::Key::of(branch));
  if (!found_branch) return not_found("branch", branch.str());
  out.head = found_branch->head_id;
  const auto found_testbed = st::find_testbed(call.c, project, st::Key::of(testbed));
  if (!found_testbed) return not_found("testbed", testbed.str());
  out.testbed = found_testbed->id;
  const auto found_measure = st::find_measure(call.c, project, st::Key::of(measure));
  if (!found_measure) return not_found("measure", measure.str());
  out.measure = found_measure->id;
  if (!benchmark) return out;
  const auto found_benchmark = st::find_benchmark(call.c, project, st::Key::of(*benchmark));
  if (!found_benchmark) return not_found("benchmark", benchmark->str());
  out.benchmark = found_benchmark->id;
  return out;
}

Result<std::vector<st::SeriesPoint>> load(Call& call, const st::SeriesQuery& query) {
  auto points = st::load_series(call.c, query, most_metrics);
  if (!points)
    return Error(Errc::invalid_argument,
                 fmt::format("there are more than {} metrics; choose one benchmark", most_metrics));
  return *std::move(points);
}

ChangeEnd end_of(const st::SeriesPoint& point) {
  return {point.report, point.version};
}

Result<Ok<PreviewWire>> preview_threshold(Call& call, const Path<ProjectPath>& path, const Body<PreviewBody>& body) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  const auto& b = body.value;
  BENCHER_TRY(const auto model, wire::read_model(b));
  BENCHER_DO(validate(model));
  BENCHER_TRY(const auto query, find_series(call, project.id, b.branch, b.testbed, b.measure, b.benchmark));
  BENCHER_TRY(const auto points, load(call, query));

  PreviewWire out;
  std::vector<PastMetric> past;
  past.reserve(points.size());
  std::size_t report = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& p = points[i];
    if (i > 0 && (p.report_id != points[i - 1].report_id || p.iteration != points[i - 1].iteration)) ++report;
    PastMetric metric;
    metric.benchmark = static_cast<std::size_t>(p.benchmark);
    metric.report = report;
    metric.time = p.start_time.seconds;
    metric.value = p.metric.value;
    metric.judged = (!b.start_time || p.start_time.seconds >= b.start_time->seconds) &&
                    (!b.end_time || p.start_time.seconds < b.end_time->seconds);
    if (metric.judged) ++out.metrics;
    past.push_back(metric);
  }
  BENCHER_TRY(const auto alerts, preview(model, past));
  out.total = static_cast<std::uint32_t>(alerts.size());
  std::map<st::BenchmarkId, Benchmark> benchmarks;
  for (std::size_t i = 0; i < std::min(alerts.size(), most_alerts); ++i) {
    const auto& alert = alerts[i];
    const auto& p = points[alert.metric];
    auto [benchmark, fresh] = benchmarks.try_emplace(p.benchmark);
    if (fresh) benchmark->second = st::benchmark_by_id(call.c, p.benchmark)->benchmark;
    PreviewAlertWire wire{p.report, p.start_time,   p.version,   p.iteration, benchmark->second,
                          p.metric, alert.boundary, alert.limit, {}};
    if (alert.change)
      wire.change = Change{end_of(points[alert.last_good]), end_of(points[alert.first_bad]), alert.change->baseline,
                           alert.change->after, alert.change->pvalue};
    out.alerts.push_back(std::move(wire));
  }
  return Ok<PreviewWire>{std::move(out)};
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Result<SeriesChangesWire> changes_of(const std::vector<const st::SeriesPoint*>& points) {
  std::vector<double> values;
  for (const auto* point : points)
    values.push_back(point->metric.value);
  BENCHER_TRY(const auto found, robust_change_points(values, {.autocorrelation = true}));
  SeriesChangesWire out;
  const auto part = [&](std::size_t from, std::size_t to) {
    return std::vector(values.begin() + static_cast<std::ptrdiff_t>(from),
                       values.begin() + static_cast<std::ptrdiff_t>(to));
  };
  std::vector<std::size_t> cuts{0};
  for (const auto& point : found.change_points)
    cuts.push_back(point.index);
  cuts.push_back(values.size());
  for (std::size_t i = 1; i + 1 < cuts.size(); ++i)
    out.changes.push_back({end_of(*points[cuts[i] - 1]), end_of(*points[cuts[i]]),
                           median_of(part(cuts[i - 1], cuts[i])), median_of(part(cuts[i], cuts[i + 1])),
                           found.change_points[i - 1].pvalue});
  const auto segment = part(cuts[cuts.size() - 2], values.size());
  out.segment.begin = end_of(*points[cuts[cuts.size() - 2]]);
  out.segment.values = static_cast<std::uint32_t>(segment.size());
  double sum = 0;
  for (const double value : segment)
    sum += value;
  out.segment.mean = sum / static_cast<double>(segment.size());
  out.segment.noise = found.sigma;
  return out;
}

Result<Ok<std::vector<SeriesChangesWire>>> list_changes(Call& call, const Path<ProjectPath>& path,
                                                        const Query<ChangesQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  const auto& q = query.value;
  BENCHER_TRY(const auto branch, BranchNameId::parse(q.branch));
  BENCHER_TRY(const auto testbed, ResourceNameId::parse(q.testbed));
  BENCHER_TRY(const auto measure, ResourceNameId::parse(q.measure));
  std::optional<BenchmarkNameId> benchmark;
  if (q.benchmark) {
    BENCHER_TRY(benchmark, BenchmarkNameId::parse(*q.benchmark));
  }
  BENCHER_TRY(const auto series, find_series(call, project.id, branch, testbed, measure, benchmark));
  BENCHER_TRY(const auto points, load(call, series));
  std::map<st::BenchmarkId, std::vector<const st::SeriesPoint*>> all;
  for (const auto& point : points)
    all[point.benchmark].push_back(&point);
  std::vector<SeriesChangesWire> out;
  for (auto& [id, own] : all) {
    if (own.size() > newest_values) own.erase(own.begin(), own.end() - static_cast<std::ptrdiff_t>(newest_values));
    BENCHER_TRY(auto changes, changes_of(own));
    changes.benchmark = st::benchmark_by_id(call.c, id)->benchmark;
    out.push_back(std::move(changes));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.benchmark.name < b.benchmark.name; });
  return Ok<std::vector<SeriesChangesWire>>{std::move(out)};
}

constexpr std::array table{
    endpoint<preview_threshold>({Verb::post, "/v0/projects/{project}/thresholds/preview", Access::public_,
                                 "proj_threshold_preview_post", "Which past metrics a threshold would have alerted on",
                                 true}),
    endpoint<list_changes>({Verb::get, "/v0/projects/{project}/changes", Access::public_, "proj_changes_get",
                            "Where series have changed their level, and their current one"}),
};

}  // namespace

std::span<const Endpoint> detection_endpoints() {
  return table;
}

}  // namespace bencher::server
