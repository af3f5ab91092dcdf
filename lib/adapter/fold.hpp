#pragma once

#include <vector>

#include "bencher/adapter/adapter.hpp"

namespace bencher::adapter {

/// One metric of several of one benchmark and measure, by the rules of `fold`. At least one; they may be reordered.
Metric fold_metrics(Fold fold, std::vector<Metric>& metrics);

}  // namespace bencher::adapter
