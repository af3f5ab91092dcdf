#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/core.h>

#include "bencher/threshold/change_point.hpp"

#include "lib/threshold/noise.hpp"
#include "lib/threshold/rank_sum.hpp"

namespace bencher {
namespace {

using threshold::rank_sum_pvalue;

/// Standard errors that a correlation must be beyond before it counts: less costs real changes, more lets false ones
/// in.
constexpr double caution = 1.6;

Error bad(std::string message) {
  return Error(Errc::invalid_argument, "change points: " + std::move(message));
}

Result<void> check(std::span<const double> series, const RobustOptions& o) {
  if (!(o.penalty_factor >= 0) || !std::isfinite(o.penalty_factor))
    return bad(fmt::format("penalty_factor is {}, it takes 0 or more", o.penalty_factor));
  if (o.min_size == 0) return bad("min_size is 0, it takes 1 or more");
  if (!(o.clip_k >= 0) || !std::isfinite(o.clip_k))
    return bad(fmt::format("clip_k is {}, it takes 0 or more", o.clip_k));
  if (!(o.max_pvalue >= 0 && o.max_pvalue <= 1))
    return bad(fmt::format("max_pvalue is {}, it takes 0 to 1", o.max_pvalue));
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!std::isfinite(series[i])) return bad(fmt::format("value {} of the series is not a finite number", i));
  return {};
}

/// Drops candidates, the least certain first, until all pass the test on the values as they are.
class Pruning {
 public:
  Pruning(std::span<const double> series, const std::vector<std::size_t>& candidates, double widening)
      : candidates_(candidates), widening_(widening) {
    std::size_t from = 0;
    for (std::size_t i = 0; i <= candidates_.size(); ++i) {
      const auto to = i < candidates_.size() ? candidates_[i] : series.size();
      parts_.emplace_back(series.begin() + static_cast<std::ptrdiff_t>(from),
                          series.begin() + static_cast<std::ptrdiff_t>(to));
      std::sort(parts_.back().begin(), parts_.back().end());
      from = to;
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i)
      pvalues_.push_back(pvalue(i));
  }

  std::vector<ChangePoint> run(double max_pvalue) {
    while (!candidates_.empty()) {
      const auto worst = std::max_element(pvalues_.begin(), pvalues_.end());
      if (*worst <= max_pvalue) break;
      drop(static_cast<std::size_t>(worst - pvalues_.begin()));
    }
    std::vector<ChangePoint> out;
    for (std::size_t i = 0; i < candidates_.size(); ++i)
      out.push_back({candidates_[i], pvalues_[i]});
    return out;
  }

 private:
  double pvalue(std::size_t i) const { return rank_sum_pvalue(parts_[i], parts_[i + 1], widening_); }

  void drop(std::size_t i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    auto& left = parts_[i];
    const auto middle = static_cast<std::ptrdiff_t>(left.size());
    left.insert(left.end(), parts_[i + 1].begin(), parts_[i + 1].end());
    std::inplace_merge(left.begin(), left.begin() + middle, left.end());
    parts_.erase(parts_.begin() + at + 1);
    candidates_.erase(candidates_.begin() + at);
    pvalues_.erase(pvalues_.begin() + at);
    if (i > 0) pvalues_[i - 1] = pvalue(i - 1);
    if (i < candidates_.size()) pvalues_[i] = pvalue(i);
  }

  std::vector<std::size_t> candidates_;
  double widening_;
  std::vector<std::vector<double>> parts_;
  std::vector<double> pvalues_;
};

/// `medians` are those of the values around each; read only where the noise is known by its deviation.
template <class Medians>
RobustResult detect(std::span<const double> series, const RobustOptions& options, const threshold::Noise& noise,
                    Medians&& medians) {
  RobustResult out;
  const std::size_t n = series.size();
  out.sigma = noise.sigma;
  if (!(out.sigma > 0)) return out;
  if (options.autocorrelation && noise.by_deviation)
    out.correlation = threshold::correlation_of(series, noise, caution);
  const double r = out.correlation;
  // Of values whose neighbours correlate, a mean of many has more noise than differences of neighbours show.
  const double level_noise = out.sigma * std::sqrt(1 + r) / (1 - r);
  const double widening = std::sqrt((1 + r) / (1 - r));

  std::vector<double> values(series.begin(), series.end());
  if (noise.by_deviation) {
    const double width = options.clip_k * noise.sigma;
    const std::vector<double>& around = medians();
    for (std::size_t i = 0; i < n; ++i)
      values[i] = std::clamp(values[i], around[i] - width, around[i] + width);
  }
  auto copy = values;
  const double center = threshold::median_in_place(copy);
  for (auto& value : values)
    value = (value - center) / level_noise;
  out.penalty = options.penalty_factor * std::log(static_cast<double>(n));
  out.candidates = optimal_partition(values, *out.penalty, options.min_size).change_points;
  if (out.candidates.empty()) return out;
  out.change_points = Pruning(series, out.candidates, widening).run(options.max_pvalue);
  return out;
}

bool too_short(std::size_t n, const RobustOptions& options) {
  return n < 2 * options.min_size || n < 2;
}

}  // namespace

Result<RobustResult> robust_change_points(std::span<const double> series, const RobustOptions& options) {
  BENCHER_DO(check(series, options));
  if (too_short(series.size(), options)) return RobustResult();
  std::vector<double> medians;
  const auto around = [&]() -> const std::vector<double>& {
    return medians = threshold::running_medians(series, options.clip_half_width);
  };
  return detect(series, options, threshold::noise_of(series), around);
}

GrowingRobust::GrowingRobust(const RobustOptions& options) : options_(options) {}

Result<void> GrowingRobust::append(double value) {
  BENCHER_DO(check({&value, 1}, options_));
  if (!series_.empty()) {
    const double difference = value - series_.back();
    differences_.insert(std::upper_bound(differences_.begin(), differences_.end(), difference), difference);
  }
  series_.push_back(value);
  // The value is among those around the last few only.
  const std::size_t n = series_.size(), half = options_.clip_half_width;
  const std::size_t from = n - 1 > half ? n - 1 - half : 0;
  medians_.resize(from);
  const auto around = threshold::running_medians(series_, half, from);
  medians_.insert(medians_.end(), around.begin(), around.end());
  return {};
}

RobustResult GrowingRobust::result() const {
  if (too_short(series_.size(), options_)) return {};
  return detect(series_, options_, threshold::noise_of_sorted(differences_, series_),
                [&]() -> const std::vector<double>& { return medians_; });
}

}  // namespace bencher
