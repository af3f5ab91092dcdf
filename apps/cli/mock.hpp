// Made-up results, for trying the rest out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bencher/base/random.hpp"

#include "lib/json/value.hpp"

namespace bencher::cli {

struct Mock {
  std::uint64_t count = 5;
  std::vector<std::string> measures{"latency"};
  int pow = 1;
};

/// Bencher Metric Format: `bencher::mock_<c>`, values even in [10^pow · c, 10^pow · (c + 1)), bounds 10 % around.
json::Value mock_results(const Mock& mock, Random& random);

}  // namespace bencher::cli
