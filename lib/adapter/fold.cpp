#include "lib/adapter/fold.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "bencher/adapter/adapter.hpp"

namespace bencher {
namespace {

/// Order of the fold: value, then upper, then lower; a missing bound is below any.
bool before(const Metric& a, const Metric& b) {
  return std::tie(a.value, a.upper, a.lower) < std::tie(b.value, b.upper, b.lower);
}

/// The mean of `metrics` and of `count - metrics.size()` more that are 0. Sums are long double, so that finite values
/// have a finite mean.
Metric mean(std::span<const Metric> metrics, std::size_t count) {
  long double value = 0, lower = 0, upper = 0;
  bool has_lower = false, has_upper = false;
  for (const auto& metric : metrics) {
    value += metric.value;
    lower += metric.lower.value_or(metric.value);
    upper += metric.upper.value_or(metric.value);
    has_lower |= metric.lower.has_value();
    has_upper |= metric.upper.has_value();
  }
  const auto n = static_cast<long double>(count);
  Metric out;
  out.value = static_cast<double>(value / n);
  if (has_lower) out.lower = static_cast<double>(lower / n);
  if (has_upper) out.upper = static_cast<double>(upper / n);
  return out;
}

Metric fold_of(Fold fold, std::vector<Metric>& metrics, std::size_t count) {
  switch (fold) {
    case Fold::min: return *std::min_element(metrics.begin(), metrics.end(), before);
    case Fold::max: return *std::max_element(metrics.begin(), metrics.end(), before);
    case Fold::mean: return mean(metrics, count);
    case Fold::median: break;
  }
  std::sort(metrics.begin(), metrics.end(), before);
  const auto middle = metrics.size() / 2;
  if (metrics.size() % 2 == 1) return metrics[middle];
  return mean(std::span(metrics).subspan(middle - 1, 2), 2);
}

}  // namespace

Metric adapter::fold_metrics(Fold fold, std::vector<Metric>& metrics) {
  return fold_of(fold, metrics, metrics.size());
}

Results fold(Fold fold, std::span<const Results> results) {
  struct Collected {
    std::string_view name;
    std::vector<std::pair<std::string_view, std::vector<Metric>>> measures;
    std::map<std::string_view, std::size_t> at;
  };
  std::vector<Collected> collected;
  std::map<std::string_view, std::size_t> benchmarks;
  for (const auto& one : results) {
    for (const auto benchmark : one) {
      const auto [at, fresh] = benchmarks.try_emplace(benchmark.name, collected.size());
      if (fresh) collected.push_back({benchmark.name, {}, {}});
      auto& into = collected[at->second];
      for (const auto m : benchmark.measures) {
        const auto [place, is_new] = into.at.try_emplace(m.measure, into.measures.size());
        if (is_new) into.measures.push_back({m.measure, {}});
        into.measures[place->second].second.push_back(m.metric);
      }
    }
  }
  Results out;
  for (auto& benchmark : collected) {
    out.add_benchmark(benchmark.name);
    for (auto& [measure, metrics] : benchmark.measures)
      out.add_metric(measure, fold_of(fold, metrics, results.size()));
  }
  return out;
}

}  // namespace bencher
