#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/threshold/boundary.hpp"
#include "bencher/threshold/model.hpp"
#include "bencher/threshold/series.hpp"

namespace bencher {

/// A metric of the past.
struct PastMetric {
  std::size_t benchmark = 0;  ///< any number that stands for it
  std::size_t report = 0;     ///< the same for metrics that were judged together: one iteration of a report
  std::int64_t time = 0;      ///< when its report began, in seconds
  double value = 0;
  bool judged = true;  ///< or only history
};

/// A past metric that would have raised an alert.
struct PreviewAlert {
  std::size_t metric = 0;  ///< its place
  Boundary boundary;
  Limit limit = Limit::upper;
  std::optional<SeriesVerdict> change;  ///< of the tests that look for changes, and
  std::size_t first_bad = 0;            ///< which metric is the first of the new level,
  std::size_t last_good = 0;            ///< and which the last of the one before
};

/// Which metrics would have raised an alert, had the threshold been there from the beginning. `metrics` are oldest
/// first; those of one report lie together. Error: `invalid_argument`, the model, a value that is not finite, or more
/// work than `most_preview_work` history values, which a smaller `max_sample_size` or fewer metrics avoid.
Result<std::vector<PreviewAlert>> preview(const Model& model, std::span<const PastMetric> metrics);
inline constexpr std::size_t most_preview_work = 200'000'000;

}  // namespace bencher
