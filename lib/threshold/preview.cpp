#include "bencher/threshold/preview.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "bencher/threshold/auto.hpp"

namespace bencher {
namespace {

/// A value of a series costs a test that looks for changes about as much as so many values of a history.
constexpr std::size_t change_cost = 40;

struct Series {
  std::vector<std::size_t> metrics;  ///< places, oldest first
  std::vector<double> values;
  std::vector<double> newest_first;  ///< all of them; the history of any value lies in it as one piece
  std::vector<std::size_t> known;    ///< changes, as places in `metrics`
  std::size_t seen = 0;              ///< how many came before the one that is judged
};

class Preview {
 public:
  Preview(const Model& model, std::span<const PastMetric> metrics) : model_(model), metrics_(metrics) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      auto& series = series_[metrics[i].benchmark];
      series.metrics.push_back(i);
      series.values.push_back(metrics[i].value);
    }
    for (auto& [benchmark, series] : series_)
      series.newest_first.assign(series.values.rbegin(), series.values.rend());
  }

  Result<std::vector<PreviewAlert>> run() {
    for (std::size_t i = 0; i < metrics_.size();) {
      std::size_t end = i;
      while (end < metrics_.size() && metrics_[end].report == metrics_[i].report)
        ++end;
      BENCHER_DO(report(i, end));
      for (; i < end; ++i)
        ++series_.at(metrics_[i].benchmark).seen;
    }
    return std::move(alerts_);
  }

 private:
  Result<void> work(std::size_t more) {
    work_ += more;
    if (work_ <= most_preview_work) return {};
    return Error(Errc::invalid_argument,
                 "threshold preview: there is too much to look at; set max_sample_size, choose one benchmark or a "
                 "shorter time");
  }

  /// How many values before the one at `at` count.
  std::size_t sample_size(const Series& series, std::size_t metric) const {
    std::size_t size = series.seen;
    if (model_.max_sample_size) size = std::min<std::size_t>(size, *model_.max_sample_size);
    if (!model_.window) return size;
    const auto since = metrics_[metric].time - *model_.window;
    std::size_t within = 0;
    while (within < size && metrics_[series.metrics[series.seen - 1 - within]].time >= since)
      ++within;
    return within;
  }

  Result<void> report(std::size_t from, std::size_t to) {
    if (looks_for_changes(model_.test)) return look_for_changes(from, to);
    for (std::size_t i = from; i < to; ++i) {
      if (!metrics_[i].judged) continue;
      const auto& series = series_.at(metrics_[i].benchmark);
      const auto size = sample_size(series, i);
      BENCHER_DO(work(size + 1));
      const auto history =
          std::span<const double>(series.newest_first).subspan(series.values.size() - series.seen, size);
      if (history.size() < model_.min_sample_size.value_or(0)) continue;
      BENCHER_TRY(const auto boundary, compute(model_, history, metrics_[i].value));
      if (const auto limit = outlier(boundary, metrics_[i].value)) {
        PreviewAlert alert;
        alert.metric = i;
        alert.boundary = boundary;
        alert.limit = *limit;
        alerts_.push_back(std::move(alert));
      }
    }
    return {};
  }

  Result<void> look_for_changes(std::size_t from, std::size_t to) {
    std::vector<double> pvalues;
    std::vector<PreviewAlert> found;
    for (std::size_t i = from; i < to; ++i) {
      auto& series = series_.at(metrics_[i].benchmark);
      const auto size = std::min(sample_size(series, i), longest_series);
      BENCHER_DO(work(change_cost * (size + 1)));
      if (!metrics_[i].judged || size < model_.min_sample_size.value_or(0)) continue;
      const auto begin = series.seen - size;
      std::vector<std::size_t> known;
      for (const auto at : series.known)
        if (at >= begin) known.push_back(at - begin);
      BENCHER_TRY(const auto verdict,
                  judge_series(model_.test, std::span<const double>(series.values).subspan(begin, size + 1), known));
      if (!verdict) continue;
      PreviewAlert alert;
      alert.metric = i;
      alert.change = verdict;
      if (verdict->change > 0) {
        alert.first_bad = series.metrics[begin + verdict->change];
        alert.last_good = series.metrics[begin + verdict->change - 1];
        double at = 0;
        std::tie(alert.limit, at) = shown_limit(*verdict);
        alert.boundary.baseline = verdict->baseline;
        (alert.limit == Limit::upper ? alert.boundary.upper_limit : alert.boundary.lower_limit) = at;
      }
      pvalues.push_back(verdict->pvalue);
      found.push_back(std::move(alert));
    }
    const auto alarms = benjamini_hochberg(pvalues, auto_level);
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& alert = found[i];
      if (alert.change->change == 0 || (model_.test == ModelTest::auto_ && !alarms[i])) continue;
      auto& series = series_.at(metrics_[alert.metric].benchmark);
      const auto place = std::lower_bound(series.metrics.begin(), series.metrics.end(), alert.first_bad);
      series.known.push_back(static_cast<std::size_t>(place - series.metrics.begin()));
      alerts_.push_back(std::move(alert));
    }
    return {};
  }

  const Model& model_;
  std::span<const PastMetric> metrics_;
  std::map<std::size_t, Series> series_;
  std::vector<PreviewAlert> alerts_;
  std::size_t work_ = 0;
};

}  // namespace

Result<std::vector<PreviewAlert>> preview(const Model& model, std::span<const PastMetric> metrics) {
  BENCHER_DO(validate(model));
  return Preview(model, metrics).run();
}

}  // namespace bencher
