// What the forms of nanobench's output have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/adapter/builder.hpp"

namespace bencher::adapter {

/// One benchmark; times in seconds.
struct NanobenchResult {
  std::string title, name, unit;
  double batch = 1;              ///< units in what the times are of
  std::optional<double> median;  ///< none: it failed
  std::optional<double> error;   ///< the median absolute error, as a part of the median
  std::optional<Metric> mean;
  std::vector<std::pair<std::string_view, double>> counters;
};

/// False, with a warning, if it does not have the average that is asked for. Without a setting that is the median, the
/// only one that nanobench states.
bool add(const NanobenchResult& one, Builder& out);

}  // namespace bencher::adapter
