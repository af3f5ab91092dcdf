// What libFuzzer calls, for each adapter in a program of its own. The first byte of an input holds the options, the
// others are the text. docs/fuzzing.md says how they are run.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/adapter/properties.hpp"
#include "tests/fuzz/options.hpp"

extern const char* const fuzzed_adapter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto kind = bencher::parse_adapter(fuzzed_adapter).value();
  // A copy of the exact size, so that the sanitizer sees a byte too far.
  const std::vector<char> text(data + 1, data + size);
  const auto options = bencher::test::options_of(data[0]);
  const auto broken = bencher::test::broken_property(kind, {text.data(), text.size()}, options);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", fuzzed_adapter, broken.c_str());
  std::abort();
}
