#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/threshold/tests.hpp"

namespace bencher::threshold {
namespace {

/// Limits at `upper(b)` and, mirrored at the baseline, at `2·baseline − upper(b)`.
template <class Upper>
Boundary mirrored(const Model& model, double baseline, Upper upper) {
  Boundary out{.baseline = baseline, .lower_limit = {}, .upper_limit = {}};
  if (model.lower_boundary) out.lower_limit = 2 * baseline - upper(*model.lower_boundary);
  if (model.upper_boundary) out.upper_limit = upper(*model.upper_boundary);
  return out;
}

Boundary exactly(const Model& model, double value) {
  return mirrored(model, value, [&](double) { return value; });
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

bool all_equal(std::span<const double> values) {
  return values.size() > 1 &&
         std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
}

std::optional<Moments> moments(std::span<const double> values) {
  const double mean = mean_of(values);
  if (!std::isfinite(mean) || values.size() < 2) return {};
  double squares = 0;
  for (const double value : values)
    squares += (value - mean) * (value - mean);
  const double variance = squares / static_cast<double>(values.size() - 1);
  if (!std::isfinite(variance) || variance == 0) return {};
  return Moments{mean, std::sqrt(variance)};
}

Boundary static_limits(const Model& model) {
  return {.baseline = {}, .lower_limit = model.lower_boundary, .upper_limit = model.upper_boundary};
}

Boundary percentage(const Model& model, std::span<const double> history) {
  const double mean = all_equal(history) ? history.front() : mean_of(history);
  if (!std::isfinite(mean)) return {};
  Boundary out{.baseline = mean, .lower_limit = {}, .upper_limit = {}};
  if (model.lower_boundary) out.lower_limit = mean - mean * *model.lower_boundary;
  if (model.upper_boundary) out.upper_limit = mean + mean * *model.upper_boundary;
  return out;
}

Boundary distribution(const Model& model, std::span<const double> history) {
  if (all_equal(history)) return exactly(model, history.front());
  const auto found = moments(history);
  if (!found) return {};
  const auto n = static_cast<double>(history.size());
  const bool student = model.test == ModelTest::t_test;
  const double scale = student ? found->deviation * std::sqrt(1 + 1 / n) : found->deviation;
  return mirrored(model, found->mean, [&](double b) {
    return found->mean + scale * (student ? student_quantile(b, n - 1) : normal_quantile(b));
  });
}

Boundary log_normal(const Model& model, std::span<const double> history) {
  // A logarithm needs more than 0; one value that has none silences the test.
  if (std::any_of(history.begin(), history.end(), [](double value) { return !(value > 0); })) return {};
  if (all_equal(history)) return exactly(model, history.front());
  std::vector<double> logs(history.size());
  std::transform(history.begin(), history.end(), logs.begin(), [](double value) { return std::log(value); });
  const auto found = moments(logs);
  if (!found) return {};
  const double baseline = std::exp(found->mean);
  if (!std::isfinite(baseline)) return {};
  return mirrored(model, baseline,
                  [&](double b) { return std::exp(found->mean + found->deviation * normal_quantile(b)); });
}

}  // namespace bencher::threshold
