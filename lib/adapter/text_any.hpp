// Several literals sought at once.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace bencher::adapter {

struct AnyHit {
  std::size_t which;   ///< one of the needles that is there; their number if none is
  std::size_t before;  ///< no needle begins before this place
};

/// How a table is looked up for many bytes at once.
enum class Lookup {
  none,      ///< not at all: one literal is sought after the other
  vpshufb,   ///< 32 bytes (AVX2)
  vpermi2b,  ///< 64 bytes (AVX-512 VBMI)
};
/// Whether this processor has it.
bool has(Lookup lookup);

/// Looks for literals, none of them empty; two dozen take about as long as two to four one after the other.
AnyHit find_any(std::string_view text, std::span<const std::string_view> needles);
/// With what this processor must have.
AnyHit find_any(std::string_view text, std::span<const std::string_view> needles, Lookup lookup);

}  // namespace bencher::adapter
