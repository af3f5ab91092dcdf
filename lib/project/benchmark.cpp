#include "bencher/project/benchmark.hpp"

namespace bencher {

StoredBenchmark stored_benchmark(std::string_view reported) {
  for (const std::string_view ending : {"_bencher_ignore", "BencherIgnore", "-bencher-ignore"})
    if (reported.size() > ending.size() && reported.ends_with(ending))
      return {.name = reported.substr(0, reported.size() - ending.size()), .ignored = true};
  return {.name = reported, .ignored = false};
}

}  // namespace bencher
