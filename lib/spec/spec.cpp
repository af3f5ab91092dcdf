#include "bencher/spec/spec.hpp"

namespace bencher {

Result<SpecChoice> resolve_spec(std::optional<std::int64_t> named, std::optional<std::int64_t> testbed,
                                std::optional<std::int64_t> fallback) {
  if (named) return SpecChoice{SpecChoice::Source::explicit_, *named};
  if (testbed) return SpecChoice{SpecChoice::Source::testbed, *testbed};
  if (fallback) return SpecChoice{SpecChoice::Source::default_, *fallback};
  return Error(Errc::invalid_argument, "No spec provided and no default spec configured");
}

}  // namespace bencher
