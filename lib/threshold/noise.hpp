// The noise of a series, measured so that steps and outliers in it do not count.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace bencher::threshold {

struct Noise {
  double sigma = 0;           ///< standard deviation of independent noise
  bool by_deviation = false;  ///< by the median deviation of differences; else most differences are equal
};
/// From the differences of neighbours, of which there is at least one: 1.4826 times their median absolute deviation,
/// over √2; where that is 0, their standard deviation over √2.
Noise noise_of(std::span<const double> series);

/// How much each value resembles the one before it, from 0 to 0.9: the lag-one correlation that the differences imply,
/// which steps hardly touch, less `caution` standard errors of it.
double correlation_of(std::span<const double> series, const Noise& noise, double caution);

/// The same of differences in ascending order, where they are at hand.
Noise noise_of_sorted(std::span<const double> sorted_differences, std::span<const double> series);

/// For each value from place `from` on, the median of those at most `half` places away.
std::vector<double> running_medians(std::span<const double> series, std::size_t half, std::size_t from = 0);

}  // namespace bencher::threshold
