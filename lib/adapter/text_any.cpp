#include "lib/adapter/text_any.hpp"

#include <algorithm>
#include <array>
#include <bitset>
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
/// Which three bytes stand behind each other in a text, about.
class Trios {
 public:
  explicit Trios(std::string_view text) {
    for (std::size_t i = 0; i + 3 <= text.size(); ++i)
      seen_[place(text.data() + i)] = true;
  }
  bool has(const char* at) const { return seen_[place(at)]; }

 private:
  static constexpr std::size_t bits = 15;
  static std::size_t place(const char* at) {
    const auto byte = [&](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])); };
    return ((byte(0) | byte(1) << 8 | byte(2) << 16) * 0x9e3779b1u) >> (32 - bits);
  }
  std::bitset<std::size_t{1} << bits> seen_;
};

/// Needles in eight groups, and for each of three bytes which groups may have it there: a bit each in a table by the
/// byte's lower half and one by its upper half, which vpshufb looks up for 32 bytes of the text at once. What three
/// bytes do not rule out is compared. Which three of a needle's are looked at, the beginning of the text decides: those
/// that it does not have.
class Groups {
 public:
  static constexpr std::size_t depth = 3;

  Groups(std::span<const std::string_view> needles, std::string_view text) {
    constexpr std::size_t sample = 4096;
    const Trios common(text.substr(0, sample));
    for (std::size_t i = 0; i < needles.size(); ++i) {
      std::size_t from = 0;
      while (from + depth <= needles[i].size() && common.has(needles[i].data() + from))
        ++from;
      if (from + depth > needles[i].size()) from = 0;
      needles_.push_back({needles[i], from, i});
      most_before_ = std::max(most_before_, from);
    }
    // Those that are alike share a group, which then lets less through.
    std::sort(needles_.begin(), needles_.end(), [](const Needle& a, const Needle& b) { return a.seen() < b.seen(); });
    for (std::size_t i = 0; i < needles_.size(); ++i) {
      const auto group = i * first_.size() / needles_.size();
      for (std::size_t k = 0; k < depth; ++k)
        allow(k, needles_[i].seen(), static_cast<std::uint8_t>(1u << group));
    }
    for (std::size_t group = 0; group < first_.size(); ++group)
      first_[group] = (group * needles_.size() + first_.size() - 1) / first_.size();
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
        if (const auto which = needle_at(begin, at + i, end, bits[i]); which < needles_.size())
          return hit(which, at + i - begin);
      }
    }
    for (; at != end; ++at)
      if (const auto which = needle_at(begin, at, end, 0xff); which < needles_.size()) return hit(which, at - begin);
    return {needles_.size(), text.size()};
  }

 private:
  struct Needle {
    std::string_view text;
    std::size_t from;  ///< where the bytes are that are looked at
    std::size_t number;
    std::string_view seen() const { return text.substr(from); }
  };

  /// Lets a needle's byte `k` through for its group; any byte if it is not that long.
  void allow(std::size_t k, std::string_view seen, std::uint8_t group) {
    for (unsigned i = 0; i < 16; ++i) {
      const auto byte = k < seen.size() ? static_cast<unsigned char>(seen[k]) : 0u;
      if (k >= seen.size() || i == (byte & 15)) lower_[k][i] |= group;
      if (k >= seen.size() || i == byte >> 4) upper_[k][i] |= group;
    }
  }

  AnyHit hit(std::size_t which, std::ptrdiff_t place) const {
    const auto at = static_cast<std::size_t>(place);
    return {which, at - std::min(at, most_before_)};
  }

  /// The number of the needle of `groups` whose bytes are those at `at`, or how many there are.
  std::size_t needle_at(const char* begin, const char* at, const char* end, unsigned groups) const {
    for (; groups != 0; groups &= groups - 1) {
      const auto group = static_cast<unsigned>(__builtin_ctz(groups));
      const auto last = group + 1 < first_.size() ? first_[group + 1] : needles_.size();
      for (auto i = first_[group]; i < last; ++i) {
        const auto& [text, from, number] = needles_[i];
        if (static_cast<std::size_t>(at - begin) < from) continue;
        const char* const first = at - from;
        if (static_cast<std::size_t>(end - first) >= text.size() && first[text.size() - 1] == text.back() &&
            std::memcmp(first, text.data(), text.size()) == 0)
          return number;
      }
    }
    return needles_.size();
  }

  std::vector<Needle> needles_;         ///< in the order of their groups
  std::array<std::size_t, 8> first_{};  ///< of each group
  std::size_t most_before_ = 0;         ///< the largest `from`
  alignas(16) std::array<std::array<std::uint8_t, 16>, depth> lower_{}, upper_{};
};
#endif

}  // namespace

AnyHit find_any(std::string_view text, std::span<const std::string_view> needles) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  // Less is gone through before the tables are made.
  constexpr std::size_t few = 3, small = 4096;
  if (wide && needles.size() > few && text.size() > small) return Groups(needles, text).find(text);
#endif
  return one_by_one(text, needles);
}

}  // namespace bencher::adapter
