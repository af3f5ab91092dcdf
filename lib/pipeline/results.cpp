#include "lib/pipeline/results.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/core.h>

#include "bencher/project/benchmark.hpp"

#include "lib/storage/thresholds.hpp"

namespace bencher::pipeline {

namespace st = bencher::storage;

namespace {

/// Reports of at most this many benchmarks read each one's history by itself.
constexpr std::size_t few_benchmarks = 16;

struct Detector {
  st::ThresholdRow threshold;
  Model model;
  ThresholdModel shown;
  std::unordered_map<st::BenchmarkId, std::vector<double>> history;
};

class Storing {
 public:
  Storing(st::Connection& c, const Env& env, const ReportScope& scope)
      : c_(c), env_(env), scope_(scope), ids_(st::metric_ids(c)) {
    for (auto& row : st::thresholds_of(c, scope.branch, scope.report.testbed_id)) {
      if (!row.model) continue;
      Detector d;
      d.model = st::model_of(*row.model);
      d.shown = ThresholdModel{row.uuid, scope.project.project.uuid, *row.model, row.created};
      d.threshold = std::move(row);
      detectors_.emplace(d.threshold.measure_id, std::move(d));
    }
  }

  Result<std::vector<ReportResult>> iteration(std::uint32_t number, const Results& results, bool& any_alert) {
    struct Line {
      const BenchmarkResult* result;
      const st::BenchmarkRow* benchmark;
      bool ignored;
      std::vector<std::pair<const st::MeasureRow*, const Metric*>> measures;
    };
    // Two names may mean one benchmark (an ignored one and its plain twin, a slug and a name): the last result wins.
    std::map<st::BenchmarkId, Line> lines;
    std::map<st::MeasureId, std::vector<st::BenchmarkId>> wanted;
    for (const auto& result : results) {
      const auto stored = stored_benchmark(result.name);
      BENCHER_TRY(const auto* benchmark, find_benchmark(stored.name));
      Line line{&result, benchmark, stored.ignored, {}};
      for (const auto& m : result.measures) {
        BENCHER_TRY(const auto* measure, find_measure(m.measure));
        const auto twin = std::find_if(line.measures.begin(), line.measures.end(),
                                       [&](const auto& pair) { return pair.first->id == measure->id; });
        if (twin != line.measures.end())
          twin->second = &m.metric;
        else
          line.measures.emplace_back(measure, &m.metric);
      }
      lines.insert_or_assign(benchmark->id, std::move(line));
    }
    for (const auto& [id, line] : lines)
      for (const auto& [measure, metric] : line.measures)
        if (detectors_.contains(measure->id)) wanted[measure->id].push_back(id);
    for (const auto& [measure, benchmarks] : wanted)
      read_history(detectors_.at(measure), benchmarks);

    std::vector<ReportResult> out;
    out.reserve(lines.size());
    const auto now = env_.time();
    std::int64_t count = 0;
    for (auto& [id, line] : lines) {
      ReportResult shown{number, line.benchmark->benchmark, {}};
      const auto row = st::insert_report_benchmark(c_, scope_.report.id, number, id);
      std::sort(line.measures.begin(), line.measures.end(),
                [](const auto& a, const auto& b) { return a.first->measure.name < b.first->measure.name; });
      for (const auto& [measure, metric] : line.measures) {
        const auto metric_id = st::insert_metric(c_, row, measure->id, *metric);
        ++count;
        ReportMeasure shown_measure;
        shown_measure.measure = measure->measure;
        shown_measure.metric = ReportMetric{ids_.uuid(metric_id), metric->value, metric->lower, metric->upper};
        if (const auto found = detectors_.find(measure->id); found != detectors_.end()) {
          auto& detector = found->second;
          BENCHER_TRY(const auto boundary, check(detector, detector.history[id], metric->value));
          st::insert_boundary(c_, metric_id, detector.threshold.id, *detector.threshold.model_id, boundary);
          if (const auto limit = outlier(boundary, metric->value); limit && !line.ignored) {
            st::insert_alert(c_, env_.uuid(), metric_id, scope_.report.id, *limit, now);
            any_alert = true;
          }
          shown_measure.threshold = detector.shown;
          shown_measure.boundary = boundary;
        }
        st::touch_series(c_, scope_.project.organization_id, scope_.project.id, scope_.report.testbed_id, id,
                         measure->id, now);
        shown.measures.push_back(std::move(shown_measure));
      }
      out.push_back(std::move(shown));
    }
    if (count > 0) st::add_metric_count(c_, scope_.report.id, count);
    std::sort(out.begin(), out.end(),
              [](const ReportResult& a, const ReportResult& b) { return a.benchmark.name < b.benchmark.name; });
    return out;
  }

 private:
  Result<const st::BenchmarkRow*> find_benchmark(std::string_view name) {
    if (const auto known = benchmarks_.find(std::string(name)); known != benchmarks_.end()) return &known->second;
    BENCHER_TRY(const auto id, NameId<BenchmarkName>::parse(name));
    auto found = st::find_benchmark(c_, scope_.project.id, st::Key::of(id));
    if (found && found->benchmark.archived) {
      st::unarchive(c_, st::Dimension::benchmark, static_cast<std::int64_t>(found->id), env_.time());
      found = st::benchmark_by_id(c_, found->id);
    }
    if (!found) {
      if (id.uuid())
        return Error(Errc::not_found, fmt::format("the project has no benchmark {}; a UUID is never made", id.str()));
      Benchmark b;
      b.uuid = Uuid<Benchmark>(env_.uuid());
      b.name = id.str();
      b.project = scope_.project.project.uuid;
      b.slug = free_slug(env_, std::nullopt, b.name, [&](std::string_view s) {
        return st::slug_taken(c_, st::Dimension::benchmark, scope_.project.id, s);
      });
      b.created = b.modified = env_.time();
      BENCHER_TRY(const auto row, st::insert_benchmark(c_, scope_.project.id, b));
      found = st::BenchmarkRow{row, std::move(b)};
    }
    return &benchmarks_.insert_or_assign(std::string(name), *std::move(found)).first->second;
  }

  Result<const st::MeasureRow*> find_measure(std::string_view text) {
    if (const auto known = measures_.find(text); known != measures_.end()) return &known->second;
    BENCHER_TRY(auto row, get_or_create_measure(c_, env_, scope_.project.id, text));
    return &measures_.insert_or_assign(std::string(text), std::move(row)).first->second;
  }

  /// How many earlier values decide: a static test only asks whether there is one.
  static std::size_t sample_limit(const Model& model) {
    if (model.max_sample_size) return *model.max_sample_size;
    if (model.test == ModelTest::static_) return std::max<std::size_t>(1, model.min_sample_size.value_or(1));
    return SIZE_MAX;
  }

  void read_history(Detector& d, const std::vector<st::BenchmarkId>& benchmarks) {
    d.history.clear();
    const auto limit = sample_limit(d.model);
    std::size_t open = benchmarks.size();
    for (const auto id : benchmarks)
      d.history[id];
    st::Population population;
    population.head = scope_.report.head_id;
    population.testbed = scope_.report.testbed_id;
    population.spec = scope_.report.spec_id;
    population.measure = d.threshold.measure_id;
    if (d.model.window) population.since = Timestamp{scope_.report.start_time.seconds - *d.model.window};
    const auto take = [&](st::BenchmarkId id, double value) {
      const auto found = d.history.find(id);
      if (found == d.history.end() || found->second.size() >= limit) return open > 0;
      found->second.push_back(value);
      if (found->second.size() == limit) --open;
      return open > 0;
    };
    if (benchmarks.size() > few_benchmarks) {
      st::read_population(c_, population, take);
      return;
    }
    for (const auto id : benchmarks) {
      population.benchmark = id;
      open = 1;
      st::read_population(c_, population, take);
    }
  }

  static Result<Boundary> check(const Detector& d, const std::vector<double>& history, double value) {
    if (history.empty() || history.size() < d.model.min_sample_size.value_or(0)) return Boundary{};
    if (!d.model.lower_boundary && !d.model.upper_boundary) return Boundary{};
    return compute(d.model, history, value);
  }

  st::Connection& c_;
  const Env& env_;
  const ReportScope& scope_;
  const st::MetricIds& ids_;
  std::map<st::MeasureId, Detector> detectors_;
  std::unordered_map<std::string, st::BenchmarkRow> benchmarks_;
  std::map<std::string, st::MeasureRow, std::less<>> measures_;
};

}  // namespace

Result<std::vector<Results>> parse_results(AdapterKind adapter, std::optional<Average> average,
                                           std::optional<Fold> folding, const std::vector<std::string>& texts) {
  std::vector<Results> out;
  out.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto parsed = parse(adapter, texts[i], average);
    if (!parsed) return std::move(parsed).error().within(fmt::format("result {} (adapter {})", i, name(adapter)));
    out.push_back(*std::move(parsed));
  }
  if (folding && !out.empty()) {
    auto folded = fold(*folding, out);
    out.clear();
    out.push_back(std::move(folded));
  }
  return out;
}

Result<StoredResults> store_results(st::Connection& c, const Env& env, const ReportScope& scope,
                                    const std::vector<Results>& results) {
  StoredResults stored;
  Storing storing(c, env, scope);
  for (std::size_t i = 0; i < results.size(); ++i) {
    BENCHER_TRY(auto iteration, storing.iteration(static_cast<std::uint32_t>(i), results[i], stored.any_alert));
    // An iteration without results is not shown, as nothing of it is stored.
    if (!iteration.empty()) stored.results.push_back(std::move(iteration));
  }
  return stored;
}

Report complete_report(st::Connection& c, const st::ReportRow& row, StoredResults stored) {
  // Alerts are few; with them the report is read back, which is also how they are ordered.
  if (stored.any_alert) return st::load_report(c, row, true);
  Report report = st::load_report(c, row, false);
  report.expanded = true;
  report.results = std::move(stored.results);
  return report;
}

}  // namespace bencher::pipeline
