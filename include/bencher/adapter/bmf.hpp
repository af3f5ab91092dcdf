#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bencher/adapter/results.hpp"

namespace bencher {

/// Prints results as Bencher Metric Format, what the adapter `json` reads: JSON, a benchmark a line, numbers as short
/// as they read back to the same double, no member for a bound that is missing. `to` gets it in pieces, so that a
/// million benchmarks need no room for the whole text.
void print_bmf(const Results& results, const std::function<void(std::string_view)>& to);
/// The same in one text.
std::string print_bmf(const Results& results);

}  // namespace bencher
