// The seven tests, each a function from a history that is not empty to a boundary. A side without a boundary has no
// limit.
#pragma once

#include <optional>
#include <span>

#include "bencher/threshold/boundary.hpp"

namespace bencher::threshold {

/// Quantile of the standard normal distribution, 0.5 <= p < 1.
double normal_quantile(double p);
/// Quantile of Student's distribution, 0.5 <= p < 1.
double student_quantile(double p, double degrees_of_freedom);

struct Moments {
  double mean, deviation;  ///< of the sample; the deviation is over 0
};
/// Empty unless both are finite and the deviation is over 0.
std::optional<Moments> moments(std::span<const double> values);
/// Whether there are two values or more and all are equal.
bool all_equal(std::span<const double> values);

Boundary static_limits(const Model& model);
Boundary percentage(const Model& model, std::span<const double> history);
/// z_score and t_test.
Boundary distribution(const Model& model, std::span<const double> history);
Boundary log_normal(const Model& model, std::span<const double> history);
/// iqr and delta_iqr.
Boundary quartiles(const Model& model, std::span<const double> history);

}  // namespace bencher::threshold
