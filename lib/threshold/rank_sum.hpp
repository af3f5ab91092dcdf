// Ranks, and the test on them.
#pragma once

#include <span>
#include <vector>

namespace bencher::threshold {

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> mid_ranks(std::span<const double> values);

/// Two-sided p-value of the rank-sum test (Mann and Whitney 1947) between two parts, each in ascending order. A part of
/// fewer than two values gives 1. Exact for small parts without ties; else by the normal distribution with corrections
/// for ties and continuity. `widening` divides the normal deviate: above 1 for values that depend on their neighbours.
double rank_sum_pvalue(std::span<const double> sorted_left, std::span<const double> sorted_right, double widening = 1);

/// Two-sided p-value of Student's test with pooled variance, of the two parts' means and whole variances (divisor n).
struct Part {
  double mean = 0, variance = 0;
  std::size_t size = 0;
};
Part part_of(std::span<const double> values);
/// Not a number for equal parts without variance.
double student_pvalue(const Part& left, const Part& right);
/// Whether that is at most `most`; at less cost.
bool student_pvalue_within(const Part& left, const Part& right, double most);

/// Upper tail of the standard normal distribution.
double normal_tail(double deviate);
/// Upper tail of Student's distribution.
double student_tail(double t, double degrees_of_freedom);
/// The same to about 12 digits, at a third of the cost. `about` is what it may be wrong by, with much to spare.
double student_tail_about(double t, double degrees_of_freedom);
inline constexpr double about = 1e-7;

/// The middle value, or the mean of the two middle ones. Not of nothing. The order of `values` is changed.
double median_in_place(std::span<double> values);

}  // namespace bencher::threshold
