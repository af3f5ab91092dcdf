#include "lib/adapter/samples.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bencher::adapter {
namespace {

/// By selection, so that it takes linear time.
double middle(std::span<double> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), at, values.end());
  if (values.size() % 2 == 1) return *at;
  return (*std::max_element(values.begin(), at) + *at) / 2;
}

}  // namespace

Metric mean_of(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2) return {mean, {}, {}};
  double squares = 0;
  for (const double value : values)
    squares += (value - mean) * (value - mean);
  const double spread = std::sqrt(squares / (count - 1));
  return {mean, mean - spread, mean + spread};
}

Metric median_of(std::span<double> values) {
  const double median = middle(values);
  if (values.size() < 2) return {median, {}, {}};
  std::vector<double> distances(values.size());
  std::transform(values.begin(), values.end(), distances.begin(), [&](double v) { return std::abs(v - median); });
  const double spread = middle(distances);
  return {median, median - spread, median + spread};
}

}  // namespace bencher::adapter
