// What libFuzzer calls, for each adapter in a program of its own. The first byte of an input holds the options, the
// others are the text. docs/fuzzing.md says how they are run.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/properties.hpp"

extern const char* const fuzzed_adapter;

namespace {

using namespace bencher;

ParseOptions options_of(unsigned byte) {
  ParseOptions out;
  switch (byte & 3) {
    case 1: out.average = Average::mean; break;
    case 2: out.average = Average::median; break;
    default: break;
  }
  out.all_measures = byte & 4;
  out.distinct_names = byte & 8;
  switch (byte >> 4 & 7) {
    case 1: out.fold_repeats = Fold::min; break;
    case 2: out.fold_repeats = Fold::max; break;
    case 3: out.fold_repeats = Fold::mean; break;
    case 4: out.fold_repeats = Fold::median; break;
    default: break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const auto kind = parse_adapter(fuzzed_adapter).value();
  // A copy of the exact size, so that the sanitizer sees a byte too far.
  const std::vector<char> text(data + 1, data + size);
  const auto broken = test::broken_property(kind, {text.data(), text.size()}, options_of(data[0]));
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", fuzzed_adapter, broken.c_str());
  std::abort();
}
