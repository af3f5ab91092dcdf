// What the forms of tinybench's output have in common.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/adapter/builder.hpp"

namespace bencher::adapter {

/// The figures of one task: times in nanoseconds, throughputs in operations per second.
struct TinybenchFigures {
  std::optional<Metric> mean, median;
  std::optional<Metric> throughput_mean, throughput_median;
  std::vector<std::pair<const char*, double>> extras;
  /// Of version 2, in percent: how far mean and throughput may be off.
  std::optional<double> margin;
  bool failed = false;
};

/// Takes one cell of a table, `527.36 ± 39.86%` below `Latency avg (ns)` say. False if no table has such a column.
bool take_cell(TinybenchFigures& out, std::string_view column, std::string_view text);

/// False, with a warning, if the average that is asked for is not there.
bool add(std::string_view name, const TinybenchFigures& figures, Builder& out);

}  // namespace bencher::adapter
