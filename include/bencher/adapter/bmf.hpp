#pragma once

#include <functional>
#include <string_view>

#include "bencher/adapter/results.hpp"

namespace bencher {

/// Writes results as Bencher Metric Format, `{benchmark: {measure: {"value", "lower_value", "upper_value"}}}`, which
/// the adapter `json` reads back as they are: in their order, each number as short as it can be, one metric a line.
/// `write` gets it in pieces of about 64 KiB, so that no text as long as the results is made; it returns false to stop.
/// Returns whether it was not stopped.
bool write_bmf(const Results& results, const std::function<bool(std::string_view piece)>& write);

}  // namespace bencher
