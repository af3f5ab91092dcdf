#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "bencher/base/result.hpp"
#include "bencher/threshold/boundary.hpp"
#include "bencher/threshold/model.hpp"

namespace bencher {

/// What a test that looks for changes says of the newest value of a series.
struct SeriesVerdict {
  double baseline = 0;  ///< median of the level before the newest change, or of the current one
  /// How likely the series looks so without a change that is new. For `auto`, what controls false alarms over all
  /// benchmarks of a report decides whether it is an alarm; for `change_point` it is 0 to 0.0001 or 1.
  double pvalue = 1;
  std::size_t change = 0;  ///< where the new level begins; 0: no new change
  double after = 0;        ///< median of the new level
};

/// Values of a series that count for such a test, when its model does not say.
inline constexpr std::size_t longest_series = 512;

/// Judges the newest value of `series`, oldest first. `known` are the changes that were told of already, as indices:
/// they are not told again, and what is before them is another level. Empty: too few values. Error:
/// `invalid_argument`, `test` is not one of `looks_for_changes`, or a value is not finite.
Result<std::optional<SeriesVerdict>> judge_series(ModelTest test, std::span<const double> series,
                                                  std::span<const std::size_t> known);

/// The limit and side that an alarm is shown with: half way between the levels.
std::pair<Limit, double> shown_limit(const SeriesVerdict& verdict);

}  // namespace bencher
