#include "lib/adapter/text_any.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "lib/adapter/text.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bencher::adapter {
namespace {

/// One after the other, in parts of the text that stay in the nearest cache meanwhile.
AnyHit one_by_one(std::string_view text, std::span<const std::string_view> needles) {
  constexpr std::size_t part = 16 * 1024;
  for (std::size_t at = 0; at < text.size(); at += part)
    for (std::size_t i = 0; i < needles.size(); ++i)
      // It may begin in this part and end in the next one.
      if (holds(text.substr(at, part + needles[i].size() - 1), needles[i])) return {i, at};
  return {needles.size(), text.size()};
}

#if defined(__x86_64__)
/// Needles in eight groups, and for each of the first three bytes which groups may have it there: a bit each in a table
/// by the byte's lower half and one by its upper half, which vpshufb looks up for 32 bytes of the text at once. What
/// three bytes do not rule out is compared.
class Groups {
 public:
  static constexpr std::size_t depth = 3;

  explicit Groups(std::span<const std::string_view> needles) : needles_(needles) {
    // Those that begin alike share a group, which then lets less through.
    std::vector<std::size_t> order(needles.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return needles[a] < needles[b]; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto group = i * groups_.size() / order.size();
      groups_[group].push_back(order[i]);
      for (std::size_t k = 0; k < depth; ++k)
        allow(k, needles[order[i]], static_cast<std::uint8_t>(1u << group));
    }
  }

  __attribute__((target("avx2"))) AnyHit find(std::string_view text) const {
    const char* const begin = text.data();
    const char* at = begin;
    const char* const end = begin + text.size();
    const __m256i half = _mm256_set1_epi8(0x0f);
    __m256i lower[depth], upper[depth];
    for (std::size_t k = 0; k < depth; ++k) {
      lower[k] = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(lower_[k].data())));
      upper[k] = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(upper_[k].data())));
    }
    const auto groups_at = [&](const char* from, std::size_t k) __attribute__((target("avx2"), always_inline)) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + k));
      return _mm256_and_si256(_mm256_shuffle_epi8(lower[k], _mm256_and_si256(bytes, half)),
                              _mm256_shuffle_epi8(upper[k], _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
    };
    for (; end - at >= static_cast<std::ptrdiff_t>(32 + depth - 1); at += 32) {
      const __m256i groups = _mm256_and_si256(_mm256_and_si256(groups_at(at, 0), groups_at(at, 1)), groups_at(at, 2));
      if (_mm256_testz_si256(groups, groups)) continue;
      alignas(32) std::uint8_t bits[32];
      _mm256_store_si256(reinterpret_cast<__m256i*>(bits), groups);
      auto places =
          ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())));
      for (; places != 0; places &= places - 1) {
        const auto i = static_cast<unsigned>(__builtin_ctz(places));
        if (const auto which = needle_at(at + i, end, bits[i]); which < needles_.size())
          return {which, static_cast<std::size_t>(at + i - begin)};
      }
    }
    for (; at != end; ++at)
      if (const auto which = needle_at(at, end, 0xff); which < needles_.size())
        return {which, static_cast<std::size_t>(at - begin)};
    return {needles_.size(), text.size()};
  }

 private:
  /// Lets a needle's byte `k` through for its group; any byte if it is not that long.
  void allow(std::size_t k, std::string_view needle, std::uint8_t group) {
    for (unsigned i = 0; i < 16; ++i) {
      const auto byte = k < needle.size() ? static_cast<unsigned char>(needle[k]) : 0u;
      if (k >= needle.size() || i == (byte & 15)) lower_[k][i] |= group;
      if (k >= needle.size() || i == byte >> 4) upper_[k][i] |= group;
    }
  }

  /// The needle of `groups` that begins at `at`, or their number.
  std::size_t needle_at(const char* at, const char* end, unsigned groups) const {
    for (; groups != 0; groups &= groups - 1)
      for (const auto i : groups_[static_cast<unsigned>(__builtin_ctz(groups))])
        if (static_cast<std::size_t>(end - at) >= needles_[i].size() &&
            std::memcmp(at, needles_[i].data(), needles_[i].size()) == 0)
          return i;
    return needles_.size();
  }

  std::span<const std::string_view> needles_;
  std::array<std::vector<std::size_t>, 8> groups_;
  alignas(16) std::array<std::array<std::uint8_t, 16>, depth> lower_{}, upper_{};
};
#endif

}  // namespace

AnyHit find_any(std::string_view text, std::span<const std::string_view> needles) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  constexpr std::size_t few = 3;
  if (wide && needles.size() > few) return Groups(needles).find(text);
#endif
  return one_by_one(text, needles);
}

}  // namespace bencher::adapter
