// One metric of all values that a harness measured.
#pragma once

#include <span>
#include <vector>

#include "bencher/adapter/adapter.hpp"

namespace bencher::adapter {

/// The mean, and one standard deviation (of a sample, n - 1) to both sides; one value has none. At least one value.
Metric mean_of(std::span<const double> values);
/// The median, and the median absolute deviation to both sides; one value has none. At least one value; they are
/// reordered.
Metric median_of(std::span<double> values);

/// The one that is asked for; the mean without a setting.
inline Metric average_of(const ParseOptions& options, std::span<double> values) {
  return options.average == Average::median ? median_of(values) : mean_of(values);
}

}  // namespace bencher::adapter
