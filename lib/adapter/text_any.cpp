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

/// How much of a text is gone over for all needles before the rest: it stays in the nearest cache meanwhile.
constexpr std::size_t part = 16 * 1024;

AnyHit one_by_one(std::string_view text, std::span<const std::string_view> needles) {
  for (std::size_t at = 0; at < text.size(); at += part)
    for (std::size_t i = 0; i < needles.size(); ++i)
      // It may begin in this part and end in the next one.
      if (holds(text.substr(at, part + needles[i].size() - 1), needles[i])) return {i, at};
  return {needles.size(), text.size()};
}

#if defined(__x86_64__)
/// How many bytes of a needle are looked at.
constexpr std::size_t depth = 4;

/// Which `depth` bytes stand behind each other in a text, about.
class Common {
 public:
  explicit Common(std::string_view text) {
    for (std::size_t i = 0; i + depth <= text.size(); ++i)
      seen_[place(text.data() + i)] = true;
  }
  bool has(const char* at) const { return seen_[place(at)]; }

 private:
  static constexpr std::size_t bits = 15;
  static std::size_t place(const char* at) {
    std::uint32_t bytes = 0;
    static_assert(sizeof bytes == depth);
    std::memcpy(&bytes, at, depth);
    return bytes * 0x9e3779b1u >> (32 - bits);
  }
  std::bitset<std::size_t{1} << bits> seen_;
};

struct Needle {
  std::string_view text;
  std::size_t number;
  std::size_t from = 0;  ///< where the bytes are that are looked at
  std::string_view seen() const { return text.substr(from); }
  bool is_short() const { return text.size() < depth; }
};

/// Needles in eight groups, and for each of their bytes which groups may have it there: a bit each in a table by the
/// byte's lower half and one by its upper half, which vpshufb looks up for 32 bytes of the text at once. What these
/// bytes do not rule out is compared.
class Groups {
 public:
  static constexpr std::size_t count = 8;

  /// Short ones come first, and each has a group of its own: it would let much through for others.
  Groups(std::span<const Needle> needles, std::size_t short_ones) : needles_(needles) {
    for (std::size_t group = 0; group <= count; ++group)
      first_[group] =
          group < short_ones || short_ones == count
              ? group
              : short_ones + ((group - short_ones) * (needles.size() - short_ones) + count - short_ones - 1) /
                                 (count - short_ones);
    for (std::size_t group = 0; group < count; ++group)
      for (auto i = first_[group]; i < first_[group + 1]; ++i)
        for (std::size_t k = 0; k < depth; ++k)
          allow(k, needles[i].seen(), static_cast<std::uint8_t>(1u << group));
  }

  /// One of the needles that are in the text, or null.
  __attribute__((target("avx2"))) const Needle* find(std::string_view text) const {
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
      const __m256i groups = _mm256_and_si256(_mm256_and_si256(groups_at(at, 0), groups_at(at, 1)),
                                              _mm256_and_si256(groups_at(at, 2), groups_at(at, 3)));
      if (_mm256_testz_si256(groups, groups)) continue;
      alignas(32) std::uint8_t bits[32];
      _mm256_store_si256(reinterpret_cast<__m256i*>(bits), groups);
      auto places =
          ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())));
      for (; places != 0; places &= places - 1) {
        const auto i = static_cast<unsigned>(__builtin_ctz(places));
        if (const auto* found = needle_at(text, at + i, bits[i])) return found;
      }
    }
    for (; at != end; ++at)
      if (const auto* found = needle_at(text, at, 0xff)) return found;
    return nullptr;
  }

 private:
  /// Lets a needle's byte `k` through for its group; any byte if it is not that long.
  void allow(std::size_t k, std::string_view seen, std::uint8_t group) {
    for (unsigned i = 0; i < 16; ++i) {
      const auto byte = k < seen.size() ? static_cast<unsigned char>(seen[k]) : 0u;
      if (k >= seen.size() || i == (byte & 15)) lower_[k][i] |= group;
      if (k >= seen.size() || i == byte >> 4) upper_[k][i] |= group;
    }
  }

  /// The needle of `groups` whose bytes are those at `at`, or null.
  const Needle* needle_at(std::string_view text, const char* at, unsigned groups) const {
    for (; groups != 0; groups &= groups - 1) {
      const auto group = static_cast<unsigned>(__builtin_ctz(groups));
      for (auto i = first_[group]; i < first_[group + 1]; ++i) {
        const auto& needle = needles_[i];
        const auto place = static_cast<std::size_t>(at - text.data());
        if (place >= needle.from && text.substr(place - needle.from).starts_with(needle.text)) return &needle;
      }
    }
    return nullptr;
  }

  std::span<const Needle> needles_;
  std::array<std::size_t, count + 1> first_{};  ///< of each group, and their end
  alignas(16) std::array<std::array<std::uint8_t, 16>, depth> lower_{}, upper_{};
};

/// As many groups as it takes for them to let little through.
__attribute__((target("avx2"))) AnyHit grouped(std::string_view text, std::span<const std::string_view> needles) {
  const Common common(text.substr(0, depth * 1024));
  std::vector<Needle> all;
  std::size_t longest = 0;
  for (const auto needle : needles) {
    auto& added = all.emplace_back(Needle{needle, all.size()});
    longest = std::max(longest, needle.size());
    // Bytes that the beginning of the text does not have are seldom in the rest of it.
    for (std::size_t from = 0; from + depth <= needle.size(); ++from)
      if (!common.has(needle.data() + from)) {
        added.from = from;
        break;
      }
  }
  // Those that are alike share a group.
  std::sort(all.begin(), all.end(), [](const Needle& a, const Needle& b) { return a.seen() < b.seen(); });
  const auto longer = std::stable_partition(all.begin(), all.end(), [](const Needle& n) { return n.is_short(); });
  auto short_left = static_cast<std::size_t>(longer - all.begin()), long_left = all.size() - short_left;
  // More of them in a group would let too much through.
  constexpr std::size_t most = 4;
  std::vector<std::vector<Needle>> taken;
  std::vector<Groups> passes;
  while (short_left + long_left > 0) {
    const auto short_ones = std::min(short_left, Groups::count);
    const auto long_ones = std::min(long_left, most * (Groups::count - short_ones));
    auto& needles_of = taken.emplace_back(all.end() - static_cast<std::ptrdiff_t>(long_left),
                                          all.end() - static_cast<std::ptrdiff_t>(long_left - long_ones));
    needles_of.insert(needles_of.begin(), longer - static_cast<std::ptrdiff_t>(short_left),
                      longer - static_cast<std::ptrdiff_t>(short_left - short_ones));
    passes.emplace_back(needles_of, short_ones);
    short_left -= short_ones;
    long_left -= long_ones;
  }
  for (std::size_t at = 0; at < text.size(); at += part)
    for (const auto& groups : passes)
      if (const auto* found = groups.find(text.substr(at, part + longest - 1))) return {found->number, at};
  return {needles.size(), text.size()};
}
#endif

}  // namespace

AnyHit find_any(std::string_view text, std::span<const std::string_view> needles) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  // Less is gone through before the tables are made.
  constexpr std::size_t few = 3, small = 4096;
  if (wide && needles.size() > few && text.size() > small) return grouped(text, needles);
#endif
  return one_by_one(text, needles);
}

}  // namespace bencher::adapter
