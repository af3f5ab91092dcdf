#include "bencher/threshold/series.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bencher/threshold/auto.hpp"
#include "bencher/threshold/change_point.hpp"

#include "lib/threshold/rank_sum.hpp"

namespace bencher {
namespace {

/// Changes that are at most this far apart are one: where it lies moves a little as values come in.
constexpr std::size_t same = 5;
/// Fewer values say nothing.
constexpr std::size_t shortest = 9;
/// Newest values in which `auto` itself looks for a change.
constexpr std::size_t newest = 14;

bool near(std::size_t a, std::size_t b) {
  return (a > b ? a - b : b - a) <= same;
}

double median_of(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  return threshold::median_in_place(copy);
}

Result<std::vector<ChangePoint>> changes_of(std::span<const double> series) {
  BENCHER_TRY(auto found, robust_change_points(series, {.autocorrelation = true}));
  return std::move(found.change_points);
}

Result<std::optional<SeriesVerdict>> by_change_points(std::span<const double> series,
                                                      std::span<const std::size_t> known) {
  BENCHER_TRY(const auto now, changes_of(series));
  SeriesVerdict out;
  const std::size_t last = now.empty() ? 0 : now.back().index;
  out.baseline = median_of(series.subspan(last));
  if (now.empty()) return std::optional(out);
  const auto told = [&](std::size_t at) { return near(at, last); };
  if (std::any_of(known.begin(), known.end(), told)) return std::optional(out);
  // It is new if the series did not show it without its newest value.
  BENCHER_TRY(const auto before, changes_of(series.first(series.size() - 1)));
  if (std::any_of(before.begin(), before.end(), [&](const ChangePoint& point) { return near(point.index, last); }))
    return std::optional(out);
  const std::size_t from = now.size() > 1 ? now[now.size() - 2].index : 0;
  out.after = out.baseline;
  out.baseline = median_of(series.subspan(from, last - from));
  out.change = last;
  out.pvalue = now.back().pvalue;
  return std::optional(out);
}

Result<std::optional<SeriesVerdict>> by_auto(std::span<const double> series, std::span<const std::size_t> known) {
  std::size_t from = 0;
  for (const auto at : known)
    if (at < series.size()) from = std::max(from, at);
  // Changes from before anybody looked.
  BENCHER_TRY(const auto older, changes_of(series.first(series.size() - std::min(series.size(), newest))));
  for (const auto& point : older)
    from = std::max(from, point.index);
  const auto segment = series.subspan(from);
  const auto verdict = auto_test(segment);
  if (!verdict) return std::optional<SeriesVerdict>();
  SeriesVerdict out;
  out.baseline = verdict->baseline;
  out.pvalue = verdict->pvalue;
  if (verdict->pvalue <= auto_level) {
    out.change = series.size() - verdict->newest;
    out.after = median_of(series.subspan(out.change));
  }
  return std::optional(out);
}

}  // namespace

Result<std::optional<SeriesVerdict>> judge_series(ModelTest test, std::span<const double> series,
                                                  std::span<const std::size_t> known) {
  if (!looks_for_changes(test))
    return Error(Errc::invalid_argument, "threshold: the test does not judge series; use compute()");
  if (series.size() < shortest) return std::optional<SeriesVerdict>();
  BENCHER_TRY(auto verdict, test == ModelTest::auto_ ? by_auto(series, known) : by_change_points(series, known));
  // The mean of two middle values may be too large for a number; such a level is none.
  if (verdict && !(std::isfinite(verdict->baseline) && std::isfinite(verdict->after))) verdict.reset();
  return verdict;
}

std::pair<Limit, double> shown_limit(const SeriesVerdict& verdict) {
  return {verdict.after > verdict.baseline ? Limit::upper : Limit::lower,
          verdict.baseline + (verdict.after - verdict.baseline) / 2};
}

}  // namespace bencher
