#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "bencher/adapter/adapter.hpp"

namespace bencher {
namespace {

/// Order of the fold: value, then upper, then lower; a missing bound is below any.
bool before(const Metric& a, const Metric& b) {
  return std::tie(a.value, a.upper, a.lower) < std::tie(b.value, b.upper, b.lower);
}

/// The mean of some metrics. Sums are long double, so that finite values have a finite mean.
Metric mean(std::span<const Metric> metrics) {
  long double value = 0, lower = 0, upper = 0;
  bool has_lower = false, has_upper = false;
  for (const auto& metric : metrics) {
    value += metric.value;
    lower += metric.lower.value_or(metric.value);
    upper += metric.upper.value_or(metric.value);
    has_lower |= metric.lower.has_value();
    has_upper |= metric.upper.has_value();
  }
  const auto count = static_cast<long double>(metrics.size());
  Metric out;
  out.value = static_cast<double>(value / count);
  if (has_lower) out.lower = static_cast<double>(lower / count);
  if (has_upper) out.upper = static_cast<double>(upper / count);
  return out;
}

Metric fold_metrics(Fold fold, std::vector<Metric>& metrics) {
  switch (fold) {
    case Fold::min: return *std::min_element(metrics.begin(), metrics.end(), before);
    case Fold::max: return *std::max_element(metrics.begin(), metrics.end(), before);
    case Fold::mean: return mean(metrics);
    case Fold::median: break;
  }
  std::sort(metrics.begin(), metrics.end(), before);
  const auto middle = metrics.size() / 2;
  if (metrics.size() % 2 == 1) return metrics[middle];
  return mean(std::span(metrics).subspan(middle - 1, 2));
}

/// Names to the positions in which they first appeared. The names must outlive it.
class Positions {
 public:
  /// The position of `name`, and whether it is a new one.
  std::pair<std::size_t, bool> add(std::string_view name) {
    const auto [at, fresh] = at_.try_emplace(name, at_.size());
    return {at->second, fresh};
  }

 private:
  std::unordered_map<std::string_view, std::size_t> at_;
};

}  // namespace

Results fold(Fold fold, std::span<const Results> results) {
  struct Collected {
    Positions measures;
    std::vector<std::vector<Metric>> metrics;
  };
  Results out;
  Positions benchmarks;
  std::vector<Collected> collected;
  for (const auto& one : results) {
    for (const auto& benchmark : one) {
      const auto [at, fresh] = benchmarks.add(benchmark.name);
      if (fresh) {
        out.push_back({.name = benchmark.name, .measures = {}});
        collected.emplace_back();
      }
      for (const auto& measure : benchmark.measures) {
        const auto [position, is_new] = collected[at].measures.add(measure.measure);
        if (is_new) {
          out[at].measures.push_back({.measure = measure.measure, .metric = {}});
          collected[at].metrics.emplace_back();
        }
        collected[at].metrics[position].push_back(measure.metric);
      }
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::size_t j = 0; j < out[i].measures.size(); ++j)
      out[i].measures[j].metric = fold_metrics(fold, collected[i].metrics[j]);
  return out;
}

}  // namespace bencher
