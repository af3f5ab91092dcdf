#include "bencher/threshold/auto.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/threshold/noise.hpp"
#include "lib/threshold/rank_sum.hpp"

namespace bencher {
namespace {

constexpr std::size_t least_before = 12, least_newest = 2, most_newest = 14;
/// Values before that count: more would say nothing new of the noise.
constexpr std::size_t most_before = 200;
constexpr double clip = 2;
/// A verdict is open while the newest 14 values and a few more may show a change, and each run looks again.
constexpr double looks = 16;
/// As for change points.
constexpr double caution = 1.6;

/// The level before the newest values, and what they would have to show.
class Before {
 public:
  explicit Before(std::span<const double> values) : sorted_(values.begin(), values.end()) {
    std::sort(sorted_.begin(), sorted_.end());
    const auto half = sorted_.size() / 2;
    median_ = sorted_.size() % 2 == 1 ? sorted_[half] : (sorted_[half - 1] + sorted_[half]) / 2;
    std::vector<double> away(sorted_.size());
    std::transform(sorted_.begin(), sorted_.end(), away.begin(), [&](double v) { return std::abs(v - median_); });
    noise_ = 1.4826 * threshold::median_in_place(away);
    // More than half are equal: what the others show.
    if (!(noise_ > 0)) noise_ = std::sqrt(threshold::part_of(sorted_).variance);
    if (!(noise_ > 0)) return;
    double sum = 0, squares = 0;
    for (const double value : sorted_) {
      const double score = clipped(value);
      sum += score;
      squares += score * score;
    }
    const auto n = static_cast<double>(sorted_.size());
    mean_ = sum / n;
    variance_ = (squares / n - mean_ * mean_) * n / (n - 1);
  }

  double median() const { return median_; }
  double noise() const { return noise_; }

  /// The p-value of `newest`, in ascending order.
  double pvalue(std::span<const double> newest, double widening) const {
    // A level without noise: any other value is a change.
    if (!(noise_ > 0)) return newest.front() > median_ || newest.back() < median_ ? 0 : 1;
    const auto n = static_cast<double>(sorted_.size()), m = static_cast<double>(newest.size());
    double sum = 0;
    for (const double value : newest)
      sum += clipped(value);
    if (!(variance_ > 0)) return 1;
    const double t = std::abs(sum - m * mean_) / std::sqrt(variance_ * (m + m * m / n)) / widening;
    const double by_mean = 2 * threshold::student_tail(t, n - 1);
    return std::sqrt(by_mean * threshold::rank_sum_pvalue(sorted_, newest, widening));
  }

 private:
  double clipped(double value) const { return std::clamp((value - median_) / noise_, -clip, clip); }

  std::vector<double> sorted_;
  double median_ = 0, noise_ = 0, mean_ = 0, variance_ = 0;
};

double widening_of(std::span<const double> segment) {
  const auto newest = segment.last(std::min(segment.size(), most_before));
  const auto noise = threshold::noise_of(newest);
  if (!noise.by_deviation) return 1;
  const double r = threshold::correlation_of(newest, noise, caution);
  return std::sqrt((1 + r) / (1 - r));
}

}  // namespace

std::optional<AutoVerdict> auto_test(std::span<const double> segment) {
  if (segment.size() < least_before + 1) return {};
  std::vector<double> newest{segment.back()};
  if (const auto all = segment.first(segment.size() - 1);
      std::all_of(all.begin(), all.end(), [&](double value) { return value == all.front(); })) {
    // A counter that never changed: any other value is a change.
    return AutoVerdict{.pvalue = segment.back() == all.front() ? 1.0 : 0.0,
                       .baseline = all.front(),
                       .noise = 0,
                       .newest = 1,
                       .upwards = segment.back() > all.front()};
  }
  if (segment.size() < least_before + least_newest) return {};
  const double widening = widening_of(segment);
  std::optional<AutoVerdict> out;
  for (std::size_t m = least_newest; m <= most_newest && m + least_before <= segment.size(); ++m) {
    const double next = segment[segment.size() - m];
    newest.insert(std::upper_bound(newest.begin(), newest.end(), next), next);
    const auto all_before = segment.first(segment.size() - m);
    const Before before(all_before.last(std::min(all_before.size(), most_before)));
    const double p = before.pvalue(newest, widening);
    if (out && p >= out->pvalue) continue;
    out = {.pvalue = p,
           .baseline = before.median(),
           .noise = before.noise(),
           .newest = m,
           .upwards = (newest[(m - 1) / 2] + newest[m / 2]) / 2 > before.median()};
  }
  out->pvalue = std::min(1.0, looks * out->pvalue);
  return out;
}

std::vector<bool> benjamini_hochberg(std::span<const double> pvalues, double level) {
  std::vector<std::size_t> order(pvalues.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return pvalues[a] < pvalues[b]; });
  std::size_t rejected = 0;
  for (std::size_t i = 0; i < order.size(); ++i)
    if (pvalues[order[i]] <= level * static_cast<double>(i + 1) / static_cast<double>(order.size())) rejected = i + 1;
  std::vector<bool> out(pvalues.size(), false);
  for (std::size_t i = 0; i < rejected; ++i)
    out[order[i]] = true;
  return out;
}

Result<std::optional<AutoVerdict>> AutoSeries::append(double value) {
  if (!std::isfinite(value)) return Error(Errc::invalid_argument, "auto: the value is not a finite number");
  series_.push_back(value);
  auto verdict = auto_test(std::span<const double>(series_).subspan(segment_));
  if (!verdict || verdict->pvalue > auto_level) return std::optional<AutoVerdict>();
  segment_ = series_.size() - verdict->newest;
  return verdict;
}

}  // namespace bencher
