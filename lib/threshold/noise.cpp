#include "lib/threshold/noise.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "lib/threshold/rank_sum.hpp"

namespace bencher::threshold {
namespace {

/// The median of a window that moves over a series: its values in order.
class RunningMedian {
 public:
  void add(double value) { sorted_.insert(sorted_.begin() + static_cast<std::ptrdiff_t>(below(value)), value); }
  void remove(double value) { sorted_.erase(sorted_.begin() + static_cast<std::ptrdiff_t>(below(value))); }
  /// Both: only what lies between the two is moved.
  void replace(double old, double value) {
    const auto from = below(old);
    const auto to = below(value) - (old < value ? 1 : 0);
    auto* values = sorted_.data();
    if (from < to)
      std::copy(values + from + 1, values + to + 1, values + from);
    else
      std::copy_backward(values + to, values + from, values + from + 1);
    values[to] = value;
  }
  double get() const {
    const auto half = sorted_.size() / 2;
    return sorted_.size() % 2 == 1 ? sorted_[half] : (sorted_[half - 1] + sorted_[half]) / 2;
  }

 private:
  /// How many are smaller. Of a few it costs less to ask all than to guess which way to go.
  std::size_t below(double value) const {
    constexpr std::size_t few = 32;
    if (sorted_.size() > few)
      return static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), value) - sorted_.begin());
    std::size_t count = 0;
    for (const double one : sorted_)
      count += one < value;
    return count;
  }

  std::vector<double> sorted_;
};

std::vector<double> differences(std::span<const double> series) {
  std::vector<double> out(series.size() - 1);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = series[i + 1] - series[i];
  return out;
}

}  // namespace

Noise noise_of(std::span<const double> series) {
  const auto d = differences(series);
  auto scratch = d;
  const double middle = median_in_place(scratch);
  for (std::size_t i = 0; i < d.size(); ++i)
    scratch[i] = std::abs(d[i] - middle);
  const double by_deviation = 1.4826 * median_in_place(scratch) / std::numbers::sqrt2;
  if (by_deviation > 0) return {by_deviation, true};
  return {std::sqrt(part_of(d).variance) / std::numbers::sqrt2, false};
}

Noise noise_of_sorted(std::span<const double> d, std::span<const double> series) {
  const auto half = d.size() / 2;
  const double middle = d.size() % 2 == 1 ? d[half] : (d[half - 1] + d[half]) / 2;
  // Deviations grow to both sides of the middle, so that they come in order by taking the smaller of two each time.
  std::size_t above = static_cast<std::size_t>(std::lower_bound(d.begin(), d.end(), middle) - d.begin());
  std::size_t below = above;
  double before = 0, now = 0;
  for (std::size_t taken = 0; taken <= half; ++taken) {
    before = now;
    const bool up = below == 0 || (above < d.size() && std::abs(d[above] - middle) <= std::abs(d[below - 1] - middle));
    now = std::abs((up ? d[above++] : d[--below]) - middle);
  }
  const double deviation = d.size() % 2 == 1 ? now : (before + now) / 2;
  const double by_deviation = 1.4826 * deviation / std::numbers::sqrt2;
  if (by_deviation > 0) return {by_deviation, true};
  return noise_of(series);
}

double correlation_of(std::span<const double> series, const Noise& noise, double caution) {
  if (series.size() < 20) return 0;
  const auto n = static_cast<double>(series.size());
  const double most = 2.5 * noise.sigma * std::numbers::sqrt2;
  double products = 0, squares = 0, before = 0;
  for (std::size_t i = 0; i + 1 < series.size(); ++i) {
    const double d = std::clamp(series[i + 1] - series[i], -most, most);
    products += d * before;
    squares += d * d;
    before = d;
  }
  if (!(squares > 0)) return 0;
  // Differences of noise with lag-one correlation r correlate by −(1 − r)/2.
  const double r = 1 + 2 * products / squares;
  return std::clamp(r - caution * std::numbers::sqrt2 / std::sqrt(n), 0.0, 0.9);
}

std::vector<double> running_medians(std::span<const double> series, std::size_t half, std::size_t from) {
  const std::size_t n = series.size();
  std::vector<double> out;
  out.reserve(n - from);
  RunningMedian window;
  for (std::size_t i = from > half ? from - half - 1 : 0; i < std::min(from + half, n); ++i)
    window.add(series[i]);
  for (std::size_t i = from; i < n; ++i) {
    const bool comes = half<n - i, goes = i> half;
    if (comes && goes)
      window.replace(series[i - half - 1], series[i + half]);
    else if (comes)
      window.add(series[i + half]);
    else if (goes)
      window.remove(series[i - half - 1]);
    out.push_back(window.get());
  }
  return out;
}

}  // namespace bencher::threshold
