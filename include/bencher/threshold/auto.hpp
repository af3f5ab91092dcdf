#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher {

// The self-calibrated test: whether a series has just left its level, with no number to choose.

struct AutoVerdict {
  /// How likely the newest values lie as far off without a change, all ends of the series that were looked at and the
  /// runs for which a verdict stays open counted in.
  double pvalue = 1;
  double baseline = 0;     ///< the level before: its median
  double noise = 0;        ///< standard deviation around it, by the median deviation
  std::size_t newest = 0;  ///< how many of the newest values belong to the new level
  bool upwards = false;
};

/// The share of false alarms among all alarms of one report that is accepted.
inline constexpr double auto_level = 0.01;

/// Judges the newest values of a segment, oldest first: of a series since its last change. The last 2 to 14 values are
/// compared with all before them, of which there must be 12, by two tests that outliers hardly move: the mean of values
/// clipped to two noises, as Student's t, and ranks (Mann and Whitney 1947); what counts is the geometric mean of their
/// p-values. Both are widened where neighbours correlate beyond chance. Where all values before are equal, any other
/// one is an alarm at once. Empty: too few values. The values must be finite.
std::optional<AutoVerdict> auto_test(std::span<const double> segment);

/// Which of the hypotheses with these p-values are rejected when the expected share of false ones among them shall be
/// at most `level` (Benjamini and Hochberg 1995).
std::vector<bool> benjamini_hochberg(std::span<const double> pvalues, double level);

/// A series judged value by value, as the server does with one benchmark.
class AutoSeries {
 public:
  /// The verdict on the series with `value` at its end, if it is an alarm; a new segment begins then. Error:
  /// `invalid_argument`, a value that is not finite; it is not taken.
  Result<std::optional<AutoVerdict>> append(double value);
  /// Where the current segment begins.
  std::size_t segment() const { return segment_; }
  std::span<const double> series() const { return series_; }

 private:
  std::vector<double> series_;
  std::size_t segment_ = 0;
};

}  // namespace bencher
