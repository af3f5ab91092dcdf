// What libFuzzer calls for mapping files: both the mapping and the text that it is for may come from anybody. An input
// is a byte of options, the mapping, a byte 0, and the text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/adapter/properties.hpp"
#include "tests/fuzz/options.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto *const end = data + size, *const separator = std::find(data + 1, end, std::uint8_t{0});
  // Copies of the exact size, so that the sanitizer sees a byte too far.
  const std::vector<char> mapping(data + 1, separator);
  const std::vector<char> text(separator == end ? end : separator + 1, end);
  const auto broken = bencher::test::broken_mapping({mapping.data(), mapping.size()}, {text.data(), text.size()},
                                                    bencher::test::options_of(data[0]));
  if (broken.empty()) return 0;
  std::fprintf(stderr, "mapping: %s\n", broken.c_str());
  std::abort();
}
