#pragma once

#include <string_view>

namespace bencher {

/// How a reported benchmark name is stored. `name` is part of what was given.
struct StoredBenchmark {
  std::string_view name;
  bool ignored = false;  ///< metrics and boundaries are kept, alerts are never raised
};

/// Takes one of the endings `_bencher_ignore`, `BencherIgnore`, `-bencher-ignore` off. A name that is nothing but such
/// an ending stays as it is and is not ignored.
StoredBenchmark stored_benchmark(std::string_view reported);

}  // namespace bencher
