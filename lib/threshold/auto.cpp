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

/// The level before the newest values, and what they would have to show. Its values are kept in order, so that one
/// can be taken out or put in.
class Before {
 public:
  explicit Before(std::span<const double> values) : sorted_(values.begin(), values.end()) {
    std::sort(sorted_.begin(), sorted_.end());
    measure();
  }

  /// Takes `newest` out, and puts `oldest` in if there is one.
  void move(double newest, std::optional<double> oldest) {
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), newest));
    if (oldest) sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), *oldest), *oldest);
    measure();
  }

  double median() const { return median_; }
  double noise() const { return noise_; }

  /// The p-value of `newest`, in ascending order. Empty where it is surely `most` or more.
  std::optional<double> pvalue(std::span<const double> newest, double widening, double most) const {
    // A level without noise: any other value is a change.
    if (!(noise_ > 0)) return newest.front() > median_ || newest.back() < median_ ? 0 : 1;
    const auto n = static_cast<double>(sorted_.size()), m = static_cast<double>(newest.size());
    double sum = 0;
    for (const double value : newest)
      sum += clipped(value);
    if (!(variance_ > 0)) return 1;
    const double t = std::abs(sum - m * mean_) / std::sqrt(variance_ * (m + m * m / n)) / widening;
    const double by_ranks = threshold::rank_sum_pvalue(sorted_, newest, widening);
    // Student's tails are never lighter than the normal ones, which cost much less.
    if (std::sqrt(2 * threshold::normal_tail(t) * by_ranks) > most * (1 + 1e-9)) return {};
    if (std::sqrt(2 * threshold::student_tail_about(t, n - 1) * by_ranks) > most * (1 + threshold::about)) return {};
    const double by_mean = 2 * threshold::student_tail(t, n - 1);
    return std::sqrt(by_mean * by_ranks);
  }

 private:
  void measure() {
    const auto half = sorted_.size() / 2;
    median_ = sorted_.size() % 2 == 1 ? sorted_[half] : (sorted_[half - 1] + sorted_[half]) / 2;
    noise_ = 1.4826 * median_deviation();
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

  /// The median of how far the values are from theirs: nearest first, taken from both sides of the middle.
  double median_deviation() const {
    const std::size_t n = sorted_.size();
    std::size_t left = n / 2, right = n / 2;  // next ones: left - 1 and right
    double last = 0, before = 0;
    for (std::size_t i = 0; i <= n / 2; ++i) {
      before = last;
      const bool take_left = right == n || (left > 0 && median_ - sorted_[left - 1] <= sorted_[right] - median_);
      last = std::abs((take_left ? sorted_[--left] : sorted_[right++]) - median_);
    }
    return n % 2 == 1 ? last : (before + last) / 2;
  }

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
  std::size_t begin = segment.size() - 1 - std::min(segment.size() - 1, most_before);
  Before before(segment.subspan(begin, segment.size() - 1 - begin));
  for (std::size_t m = least_newest; m <= most_newest && m + least_before <= segment.size(); ++m) {
    const double next = segment[segment.size() - m];
    newest.insert(std::upper_bound(newest.begin(), newest.end(), next), next);
    before.move(next, begin > 0 ? std::optional(segment[begin - 1]) : std::nullopt);
    if (begin > 0) --begin;
    const auto p = before.pvalue(newest, widening, out ? out->pvalue : 1);
    if (!p || (out && *p >= out->pvalue)) continue;
    out = {.pvalue = *p,
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
