#include "lib/pipeline/results.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include <fmt/core.h>

#include "bencher/project/benchmark.hpp"
#include "bencher/threshold/auto.hpp"
#include "bencher/threshold/series.hpp"

#include "lib/storage/memo.hpp"
#include "lib/storage/thresholds.hpp"

namespace bencher::pipeline {

namespace st = bencher::storage;

namespace {

/// Reports of at most this many benchmarks look up their histories; larger ones pass over all of the head's metrics.
constexpr std::size_t few_benchmarks = 16;

/// What a test that looks for changes says of one metric.
struct Judged {
  std::optional<SeriesVerdict> verdict;
  bool alarm = false;
  std::optional<st::ReportId> last_good, first_bad;
};

struct Detector {
  st::ThresholdRow threshold;
  Model model;
  ThresholdModel shown;
  std::size_t limit = SIZE_MAX;  ///< of the sample
  st::History own;               ///< when it is not remembered
  const st::History* history = nullptr;
  std::unordered_map<st::BenchmarkId, Judged> judged;  ///< of this iteration
};

class Storing {
 public:
  Storing(st::Connection& c, const Env& env, const ReportScope& scope)
      : c_(c), env_(env), scope_(scope), ids_(st::metric_ids(c)), memo_(c.memo()) {
    for (auto& row : st::thresholds_of(c, scope.branch, scope.report.testbed_id)) {
      if (!row.model) continue;
      Detector d;
      d.model = st::model_of(*row.model);
      d.limit = sample_limit(d.model);
      d.shown = ThresholdModel{row.uuid, scope.project.project.uuid, *row.model, row.created};
      d.threshold = std::move(row);
      const Subject subject{d.threshold.measure_id, d.threshold.benchmark_id};
      detectors_.emplace(subject, std::move(d));
    }
    if (detectors_.empty() && !memo_.has_histories()) return;
    // Histories can be continued by hand only with what comes after everything else; else they are read anew.
    switch (st::standing(c, scope.report)) {
      case st::Standing::newest: newest_ = true; break;
      case st::Standing::older: memo_.forget_histories(scope.report.head_id, scope.report.testbed_id); break;
      case st::Standing::shared: memo_.forget_histories(); break;
    }
  }
  ~Storing() { memo_.trim(); }
  Storing(const Storing&) = delete;
  Storing& operator=(const Storing&) = delete;

  Result<std::vector<ReportResult>> iteration(std::uint32_t number, const Results& results, bool& any_alert) {
    BENCHER_TRY(auto lines, resolve(results));
    std::map<Detector*, Wanted> wanted;
    for (const auto& line : lines)
      for (const auto& [measure, metric] : line.measures)
        if (auto* detector = detector_of(measure->id, line.benchmark->id))
          wanted[detector].emplace_back(line.benchmark->id, metric.value);
    for (const auto& [detector, metrics] : wanted) {
      if (looks_for_changes(detector->model.test)) {
        BENCHER_DO(judge(*detector, metrics));
      } else {
        read_history(*detector, metrics);
      }
    }

    // Stored in the order of their ids, shown in that of their names.
    std::vector<std::size_t> by_name(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
      by_name[i] = i;
    std::sort(by_name.begin(), by_name.end(), [&](std::size_t a, std::size_t b) {
      return lines[a].benchmark->benchmark.name < lines[b].benchmark->benchmark.name;
    });
    std::vector<ReportResult> out(lines.size());
    for (std::size_t place = 0; place < by_name.size(); ++place)
      lines[by_name[place]].shown = &out[place];

    const auto now = env_.time();
    std::int64_t count = 0;
    for (auto& line : lines) {
      const auto id = line.benchmark->id;
      auto& shown = *line.shown;
      shown.iteration = number;
      shown.benchmark = line.benchmark->benchmark;
      // Without metrics there is nothing to store, and nothing that keeps the benchmark from being deleted.
      if (line.measures.empty()) continue;
      for (const auto& [measure, metric] : line.measures)
        if (auto& seen = memo_.seen(scope_.report.testbed_id, measure->id, now); !seen.contains(id)) {
          st::touch_series(c_, scope_.project, scope_.report.testbed_id, id, measure->id, now);
          seen.insert(id);
        }
      const auto row = st::insert_report_benchmark(c_, scope_.report.id, number, id);
      std::sort(line.measures.begin(), line.measures.end(),
                [](const auto& a, const auto& b) { return a.first->measure.name < b.first->measure.name; });
      shown.measures.resize(line.measures.size());
      auto next = shown.measures.begin();
      for (const auto& [measure, metric] : line.measures) {
        const auto metric_id = st::insert_metric(c_, row, measure->id, metric);
        ++count;
        auto& shown_measure = *next++;
        shown_measure.measure = measure->measure;
        shown_measure.metric = ReportMetric{ids_.uuid(metric_id), metric.value, metric.lower, metric.upper};
        if (const auto* detector = detector_of(measure->id, id)) {
          const bool of_series = looks_for_changes(detector->model.test);
          const auto* judged = of_series ? &detector->judged.at(id) : nullptr;
          Boundary boundary;
          std::optional<Limit> limit;
          if (judged) {
            std::tie(boundary, limit) = shown_boundary(*judged);
          } else {
            BENCHER_TRY(boundary, check(*detector, id, metric.value));
            limit = outlier(boundary, metric.value);
          }
          st::insert_boundary(c_, metric_id, detector->threshold.id, *detector->threshold.model_id, boundary);
          if (limit && !line.ignored) {
            const auto alert = st::insert_alert(c_, env_.uuid(), metric_id, scope_.report.id, *limit, now);
            if (judged) insert_change(*detector, alert, id, *judged);
            any_alert = true;
          }
          shown_measure.threshold = detector->shown;
          shown_measure.boundary = boundary;
        }
      }
    }
    if (count > 0) st::add_metric_count(c_, scope_.report.id, count);
    if (newest_ && memo_.has_histories(scope_.report.head_id, scope_.report.testbed_id)) continue_histories(lines);
    return out;
  }

 private:
  struct Line {
    std::shared_ptr<const st::BenchmarkRow> benchmark;
    bool ignored = false;
    std::vector<std::pair<const st::MeasureRow*, Metric>> measures;
    ReportResult* shown = nullptr;
  };

  /// What a threshold is of: a measure of all benchmarks, or of one.
  using Subject = std::pair<st::MeasureId, std::optional<st::BenchmarkId>>;
  using Wanted = std::vector<std::pair<st::BenchmarkId, double>>;

  /// The most specific one.
  Detector* detector_of(st::MeasureId measure, st::BenchmarkId benchmark) {
    if (detectors_.empty()) return nullptr;
    auto found = detectors_.find({measure, benchmark});
    if (found == detectors_.end()) found = detectors_.find({measure, std::nullopt});
    return found == detectors_.end() ? nullptr : &found->second;
  }

  /// What each result is of, in the order of the benchmarks' ids.
  Result<std::vector<Line>> resolve(const Results& results) {
    std::vector<Line> lines;
    lines.reserve(results.size());
    for (const auto result : results) {
      const auto stored = stored_benchmark(result.name);
      Line line;
      BENCHER_TRY(line.benchmark, find_benchmark(stored.name));
      line.ignored = stored.ignored;
      line.measures.reserve(result.measures.size());
      for (const auto m : result.measures) {
        BENCHER_TRY(const auto* measure, find_measure(m.measure));
        const auto twin = std::find_if(line.measures.begin(), line.measures.end(),
                                       [&](const auto& pair) { return pair.first->id == measure->id; });
        if (twin != line.measures.end())
          twin->second = m.metric;
        else
          line.measures.emplace_back(measure, m.metric);
      }
      lines.push_back(std::move(line));
    }
    // Two names may mean one benchmark (an ignored one and its plain twin, a slug and a name): the last result wins.
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& a, const Line& b) { return a.benchmark->id < b.benchmark->id; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i + 1 < lines.size() && lines[i + 1].benchmark->id == lines[i].benchmark->id) continue;
      if (kept != i) lines[kept] = std::move(lines[i]);
      ++kept;
    }
    lines.resize(kept);
    return lines;
  }

  Result<std::shared_ptr<const st::BenchmarkRow>> find_benchmark(std::string_view name) {
    if (auto known = memo_.benchmark(scope_.project.id, name)) return known;
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
    return memo_.remember(scope_.project.id, name, *std::move(found));
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
    if (looks_for_changes(model.test)) return longest_series;
    return SIZE_MAX;
  }

  st::Population population_of(const Detector& d) const {
    const auto& report = scope_.report;
    st::Population population;
    population.head = report.head_id;
    population.testbed = report.testbed_id;
    population.spec = report.spec_id;
    population.measure = d.threshold.measure_id;
    if (d.model.window) population.since = Timestamp{report.start_time.seconds - *d.model.window};
    return population;
  }

  /// A benchmark's series with the report of each value, oldest first.
  struct Series {
    std::vector<double> values;
    std::vector<st::ReportId> reports;
  };
  using AllSeries = std::unordered_map<st::BenchmarkId, Series>;

  /// Fills those that are asked for.
  void read_series(const Detector& d, AllSeries& all) {
    if (all.empty()) return;
    auto population = population_of(d);
    if (all.size() <= few_benchmarks)
      for (const auto& [id, series] : all)
        population.benchmarks.push_back(id);
    std::size_t open = all.size();
    st::read_series(c_, population, [&](st::BenchmarkId id, double value, st::ReportId report) {
      const auto found = all.find(id);
      if (found == all.end() || found->second.values.size() >= d.limit) return open > 0;
      found->second.values.push_back(value);
      found->second.reports.push_back(report);
      if (found->second.values.size() == d.limit) --open;
      return open > 0;
    });
    for (auto& [id, series] : all) {
      std::reverse(series.values.begin(), series.values.end());
      std::reverse(series.reports.begin(), series.reports.end());
    }
  }

  /// Judges each metric as the newest value of its series; false alarms are controlled over all of them. Values are
  /// remembered, as of other tests; the reports that they are of are read only where a change is told of.
  Result<void> judge(Detector& d, const Wanted& metrics) {
    read_history(d, metrics);
    std::unordered_map<st::BenchmarkId, std::vector<st::ReportId>> known;
    for (const auto& [id, report] : st::known_changes(c_, d.threshold.id))
      known[id].push_back(report);
    AllSeries with_reports;
    for (const auto& [id, value] : metrics)
      if (known.contains(id)) with_reports[id];
    read_series(d, with_reports);

    d.judged.clear();
    std::vector<double> pvalues, values;
    std::vector<std::pair<st::BenchmarkId, Judged*>> looked_at;
    for (const auto& [id, value] : metrics) {
      auto& judged = d.judged[id];
      const auto& newest_first = d.history->newest_first.at(id);
      const auto sample = std::span(newest_first).first(std::min(newest_first.size(), d.limit));
      if (sample.size() < d.model.min_sample_size.value_or(0)) continue;
      values.assign(sample.rbegin(), sample.rend());
      values.push_back(value);
      std::vector<std::size_t> known_at;
      if (const auto series = with_reports.find(id); series != with_reports.end()) {
        const auto& reports = series->second.reports;
        for (const auto report : known.at(id))
          if (const auto at = std::find(reports.begin(), reports.end(), report); at != reports.end())
            known_at.push_back(static_cast<std::size_t>(at - reports.begin()));
      }
      BENCHER_TRY(judged.verdict, judge_series(d.model.test, values, known_at));
      if (!judged.verdict) continue;
      pvalues.push_back(judged.verdict->pvalue);
      looked_at.emplace_back(id, &judged);
    }
    const auto alarms = benjamini_hochberg(pvalues, auto_level);
    AllSeries alarmed;
    for (std::size_t i = 0; i < looked_at.size(); ++i) {
      const auto& [id, judged] = looked_at[i];
      judged->alarm = judged->verdict->change > 0 && (d.model.test == ModelTest::change_point || alarms[i]);
      if (judged->alarm) alarmed[id];
    }
    read_series(d, alarmed);
    for (const auto& [id, judged] : looked_at) {
      if (!judged->alarm) continue;
      auto& reports = alarmed.at(id).reports;
      reports.push_back(scope_.report.id);
      judged->last_good = reports.at(judged->verdict->change - 1);
      judged->first_bad = reports.at(judged->verdict->change);
    }
    return {};
  }

  static std::pair<Boundary, std::optional<Limit>> shown_boundary(const Judged& judged) {
    Boundary boundary;
    if (!judged.verdict) return {boundary, std::nullopt};
    boundary.baseline = judged.verdict->baseline;
    if (!judged.alarm) return {boundary, std::nullopt};
    const auto [limit, at] = shown_limit(*judged.verdict);
    (limit == Limit::upper ? boundary.upper_limit : boundary.lower_limit) = at;
    return {boundary, limit};
  }

  void insert_change(const Detector& d, st::AlertId alert, st::BenchmarkId benchmark, const Judged& judged) {
    st::insert_change(c_, {.alert = alert,
                           .threshold = d.threshold.id,
                           .benchmark = benchmark,
                           .last_good = judged.last_good,
                           .first_bad = judged.first_bad,
                           .before = judged.verdict->baseline,
                           .after = judged.verdict->after,
                           .pvalue = judged.verdict->pvalue});
  }

  void read_history(Detector& d, const Wanted& metrics) {
    const auto& report = scope_.report;
    auto population = population_of(d);
    const bool remembered = newest_ && !population.spec && !population.since && !d.threshold.benchmark_id;
    d.own = st::History{d.limit, {}};
    auto* history =
        remembered ? &memo_.history(report.head_id, report.testbed_id, d.threshold.measure_id, d.limit) : &d.own;
    d.history = history;
    std::unordered_map<st::BenchmarkId, std::vector<double>> read;
    for (const auto& [id, value] : metrics)
      if (!history->newest_first.contains(id)) read[id];
    if (read.empty()) return;
    std::size_t open = read.size(), size = 0;
    const auto take = [&](st::BenchmarkId id, double value) {
      const auto found = read.find(id);
      if (found == read.end() || found->second.size() >= history->limit) return open > 0;
      found->second.push_back(value);
      ++size;
      if (found->second.size() == history->limit) --open;
      return open > 0;
    };
    if (read.size() <= few_benchmarks)
      for (const auto& [id, values] : read)
        population.benchmarks.push_back(id);
    st::read_population(c_, population, take);
    // What is too much to remember would push out all else, too.
    if (remembered && !memo_.fits(size)) {
      d.own = *history;
      d.history = history = &d.own;
    }
    for (auto& [id, values] : read) {
      if (history == &d.own)
        history->newest_first[id] = std::move(values);
      else
        memo_.put(*history, id, std::move(values));
    }
  }

  static Result<Boundary> check(const Detector& d, st::BenchmarkId benchmark, double value) {
    const auto& all = d.history->newest_first.at(benchmark);
    const auto sample = std::span(all).first(std::min(all.size(), d.limit));
    if (sample.empty() || sample.size() < d.model.min_sample_size.value_or(0)) return Boundary{};
    if (!d.model.lower_boundary && !d.model.upper_boundary) return Boundary{};
    return compute(d.model, sample, value);
  }

  /// Every later report, and iteration, is compared with these values too.
  void continue_histories(const std::vector<Line>& lines) {
    std::map<st::MeasureId, st::History*> histories;
    for (const auto& line : lines)
      for (const auto& [measure, metric] : line.measures) {
        auto [it, fresh] = histories.try_emplace(measure->id);
        if (fresh) it->second = memo_.find_history(scope_.report.head_id, scope_.report.testbed_id, measure->id);
        if (it->second) memo_.add(*it->second, line.benchmark->id, metric.value);
      }
  }

  st::Connection& c_;
  const Env& env_;
  const ReportScope& scope_;
  const st::MetricIds& ids_;
  st::Memo& memo_;
  bool newest_ = false;
  std::map<Subject, Detector> detectors_;
  std::map<std::string, st::MeasureRow, std::less<>> measures_;
};

}  // namespace

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
  ReportCounts counts;
  for (const auto& iteration : stored.results) {
    std::set<Uuid<Measure>> measures;
    for (const auto& result : iteration)
      for (const auto& m : result.measures)
        measures.insert(m.measure.uuid);
    // A benchmark without metrics is not counted.
    const auto benchmarks =
        std::count_if(iteration.begin(), iteration.end(), [](const ReportResult& r) { return !r.measures.empty(); });
    if (benchmarks > 0)
      counts.results.push_back({static_cast<std::uint32_t>(benchmarks), static_cast<std::uint32_t>(measures.size())});
  }
  Report report = st::load_report_head(c, row, std::move(counts));
  report.expanded = true;
  report.results = std::move(stored.results);
  return report;
}

}  // namespace bencher::pipeline
