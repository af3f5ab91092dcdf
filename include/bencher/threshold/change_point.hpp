#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher {

// Where a series changes its level. Series are in order of time, oldest first, and hold finite numbers only. A change
// point is the index, from 0, of the first value of the new level; it is never 0.

struct ChangePoint {
  std::size_t index = 0;
  double pvalue = 1;  ///< how likely the values on both sides differ as much without a change
  bool operator==(const ChangePoint&) const = default;
};

/// Robust optimal partitioning: values are clipped to their running median, cut where that lowers the squared deviation
/// by more than `penalty_factor`·ln(n) variances (Killick, Fearnhead and Eckley 2012), and each cut must pass a
/// rank-sum test on the values as they are (Mann and Whitney 1947).
struct RobustOptions {
  double penalty_factor = 2;
  std::size_t min_size = 3;         ///< values in a segment, 1 or more
  std::size_t clip_half_width = 5;  ///< of the running median, in values
  double clip_k = 1.5;              ///< noises around the running median
  double max_pvalue = 1e-4;
  /// Widens the noise and the rank-sum test by the factor that noise with the lag-one correlation of the residuals
  /// needs, √((1+r)/(1−r)), where that correlation is there beyond chance.
  bool autocorrelation = false;
};
struct RobustResult {
  double sigma = 0;               ///< the noise: of differences of neighbours, by their median deviation
  std::optional<double> penalty;  ///< of a cut, in variances; none where the series is too short or has no noise
  double correlation = 0;         ///< that was allowed for
  std::vector<std::size_t> candidates;
  std::vector<ChangePoint> change_points;
};
/// Time grows about linearly with the series. Error: `invalid_argument`, an option or a value that is not finite.
Result<RobustResult> robust_change_points(std::span<const double> series, const RobustOptions& options = {});

/// E-divisive in windows, as Hunter and Apache Otava do it (Matteson and James 2014, arXiv:1306.4933; Fleming et al.
/// 2023, arXiv:2301.03034).
struct EdivisiveOptions {
  std::size_t window_len = 50;  ///< values looked at together, 2 or more
  double max_pvalue = 0.001;
  double min_magnitude = 0;  ///< smallest relative change of the mean that stays
  bool rank = false;         ///< on ranks instead of values, which takes the weight from outliers
  /// As Otava 0.8 does, the statistics of the left neighbour of a point that is dropped are not computed anew.
  bool otava_merge = false;
};
struct EdivisiveChangePoint {
  std::size_t index = 0;
  double mean_1 = 0, mean_2 = 0;  ///< before and after; of the ranks with `rank`
  double std_1 = 0, std_2 = 0;    ///< of the whole parts (divisor n)
  double pvalue = 1;
};
struct EdivisiveResult {
  std::vector<std::size_t> weak;  ///< before merging
  std::vector<EdivisiveChangePoint> change_points;
};
/// Time grows linearly with the series. Error: `invalid_argument`, an option or a value that is not finite.
Result<EdivisiveResult> edivisive(std::span<const double> series, const EdivisiveOptions& options = {});

/// The best cuts of `series` by squared deviation from the mean of each segment, at `penalty` a cut and at least
/// `min_size` values a segment; of equal ones the earliest. Center and scale the series first, or digits are lost.
struct Partition {
  std::vector<std::size_t> change_points;
  double cost = 0;  ///< squared deviations and penalties
};
Partition optimal_partition(std::span<const double> series, double penalty, std::size_t min_size);

/// The same results as above for a series that grows at its end, at less cost a value: what the newest value does not
/// change is kept.
class GrowingRobust {
 public:
  explicit GrowingRobust(const RobustOptions& options = {});
  /// Error: `invalid_argument`, an option, or a value that is not finite; it is not taken.
  Result<void> append(double value);
  RobustResult result() const;
  std::span<const double> series() const { return series_; }

 private:
  RobustOptions options_;
  std::vector<double> series_;
  std::vector<double> differences_;  ///< of neighbours, in ascending order
  std::vector<double> medians_;      ///< of the values around each
};

class GrowingEdivisive {
 public:
  /// The options must be ones that `edivisive` takes, without `rank`: ranks change with every value.
  explicit GrowingEdivisive(const EdivisiveOptions& options = {});
  /// Error: `invalid_argument`, a value that is not finite; it is not taken.
  Result<void> append(double value);
  EdivisiveResult result() const;
  std::span<const double> series() const { return series_; }

 private:
  struct Window {
    std::size_t begin;                 ///< where it starts
    std::size_t next;                  ///< where the one after it starts
    std::vector<std::size_t> changes;  ///< found in it
  };
  EdivisiveOptions options_;
  std::vector<double> series_;
  std::vector<Window> whole_;  ///< windows that later values do not change
};

}  // namespace bencher
