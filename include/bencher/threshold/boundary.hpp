#pragma once

#include <optional>
#include <span>

#include "bencher/base/result.hpp"
#include "bencher/threshold/model.hpp"

namespace bencher {

/// What a metric is judged by. All empty: no verdict (not enough history, or none that the test can use).
struct Boundary {
  std::optional<double> baseline, lower_limit, upper_limit;
  bool operator==(const Boundary&) const = default;
};

enum class Limit { lower, upper };

/// Computes baseline and limits for a new value from the history, newest first, of which at most `max_sample_size`
/// values count; the window has been applied by whoever read the history. Every number that comes out is finite: a
/// limit that would not be is left out.
///
/// z_score: mean ± sd·Z(b). t_test: mean ± sd·√(1+1/n)·T(b, n−1). log_normal: exp(μ + s·Z(b)), and below the baseline
/// exp(μ) at the same distance. percentage: mean ± mean·b. iqr: median ± (q3−q1)·b. delta_iqr: median ±
/// median·(d3−d1)·b, d the quartiles of the absolute relative changes. Quartiles: Hyndman and Fan (1996), type 7.
/// Sample variance, two passes. Two or more values that are all equal are their own baseline exactly, and both limits
/// of the three distribution tests.
///
/// Error: `invalid_argument`, "Invalid Boundary …" for a boundary that the test does not take, and for a history or
/// value that is not finite.
Result<Boundary> compute(const Model& model, std::span<const double> history, double value);

/// The limit that `value` is beyond, if any; the lower one is looked at first. A value equal to a limit is within.
std::optional<Limit> outlier(const Boundary& boundary, double value);

}  // namespace bencher
