#include "lib/adapter/text_any.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <utility>
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

/// What stands in the beginning of a text, and so about in all of it.
class Common {
 public:
  explicit Common(std::string_view text) {
    for (const char c : text)
      ++counts_[static_cast<unsigned char>(c)];
    for (std::size_t i = 0; i + depth <= text.size(); ++i)
      seen_[place(text.data() + i)] = true;
  }

  /// Where in the needle the `depth` bytes are that are seldom there: not behind each other, and of them the rarest.
  std::size_t rarest(std::string_view needle) const {
    std::size_t best = 0;
    for (std::size_t from = 1; from + depth <= needle.size(); ++from)
      if (share(needle.data() + from) < share(needle.data() + best)) best = from;
    return best;
  }

 private:
  static constexpr std::size_t bits = 15;
  static std::size_t place(const char* at) {
    std::uint32_t bytes = 0;
    static_assert(sizeof bytes == depth);
    std::memcpy(&bytes, at, depth);
    return bytes * 0x9e3779b1u >> (32 - bits);
  }
  std::pair<bool, std::uint64_t> share(const char* at) const {
    std::uint64_t product = 1;
    for (std::size_t k = 0; k < depth; ++k)
      product *= counts_[static_cast<unsigned char>(at[k])] + 1;
    return {seen_[place(at)], product};
  }

  std::bitset<std::size_t{1} << bits> seen_;  ///< about
  /// Of few bytes, so that the product of four fits.
  std::array<std::uint64_t, 256> counts_{};
};

struct Needle {
  Needle(std::string_view t, std::size_t n) : text(t), number(n) { look_at(0); }

  void look_at(std::size_t place) {
    from = place;
    std::memcpy(&bytes, text.data() + from, std::min(depth, text.size() - from));
    std::memset(&mask, 0xff, std::min(depth, text.size() - from));
  }
  std::string_view seen() const { return text.substr(from); }
  bool is_short() const { return text.size() < depth; }

  std::string_view text;
  std::size_t number;
  std::size_t from = 0;     ///< where the bytes are that are looked at
  std::uint32_t bytes = 0;  ///< they
  std::uint32_t mask = 0;   ///< which of them count
};

/// Needles in eight groups, and for each of their bytes which groups may have it there: a bit each, looked up for many
/// bytes of the text at once. What these bytes do not rule out is compared.
class Groups {
 public:
  static constexpr std::size_t count = 8;

  explicit Groups(std::vector<std::vector<Needle>> groups) {
    for (std::size_t group = 0; group < groups.size(); ++group) {
      first_[group] = needles_.size();
      for (const auto& needle : groups[group]) {
        needles_.push_back(needle);
        for (std::size_t k = 0; k < depth; ++k)
          allow(k, needle.seen(), static_cast<std::uint8_t>(1u << group));
      }
    }
    std::fill(first_.begin() + static_cast<std::ptrdiff_t>(groups.size()), first_.end(), needles_.size());
  }

  /// One of the needles that are in the text, or null.
  const Needle* find(std::string_view text, Lookup lookup) const {
    return lookup == Lookup::vpermi2b ? find_64(text) : find_32(text);
  }

 private:
  /// By a byte's lower half and by its upper half (vpshufb).
  __attribute__((target("avx2"))) const Needle* find_32(std::string_view text) const {
    const char* at = text.data();
    const char* const end = at + text.size();
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
      const auto none = _mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256()));
      if (const auto* found = one_of(text, at, bits, ~static_cast<std::uint32_t>(none))) return found;
    }
    return in_end(text, at);
  }

  /// By the seven lower bits of a byte (vpermi2b): it takes a quarter of the instructions, and lets less through.
  __attribute__((target("avx512f,avx512bw,avx512vbmi"))) const Needle* find_64(std::string_view text) const {
    const char* at = text.data();
    const char* const end = at + text.size();
    __m512i low[depth], high[depth];
    for (std::size_t k = 0; k < depth; ++k) {
      low[k] = _mm512_loadu_si512(exact_[k].data());
      high[k] = _mm512_loadu_si512(exact_[k].data() + 64);
    }
    const auto groups_at = [&](const char* from, std::size_t k)
        __attribute__((target("avx512f,avx512bw,avx512vbmi"), always_inline)) {
      return _mm512_permutex2var_epi8(low[k], _mm512_loadu_si512(from + k), high[k]);
    };
    for (; end - at >= static_cast<std::ptrdiff_t>(64 + depth - 1); at += 64) {
      const __m512i groups = _mm512_and_si512(_mm512_and_si512(groups_at(at, 0), groups_at(at, 1)),
                                              _mm512_and_si512(groups_at(at, 2), groups_at(at, 3)));
      const auto places = _mm512_test_epi8_mask(groups, groups);
      if (places == 0) continue;
      alignas(64) std::uint8_t bits[64];
      _mm512_store_si512(bits, groups);
      if (const auto* found = one_of(text, at, bits, places)) return found;
    }
    return in_end(text, at);
  }

  const Needle* one_of(std::string_view text, const char* at, const std::uint8_t* bits, std::uint64_t places) const {
    for (; places != 0; places &= places - 1) {
      const auto i = static_cast<unsigned>(__builtin_ctzll(places));
      if (const auto* found = needle_at(text, at + i, bits[i])) return found;
    }
    return nullptr;
  }

  const Needle* in_end(std::string_view text, const char* at) const {
    for (const char* const end = text.data() + text.size(); at != end; ++at)
      if (const auto* found = needle_at(text, at, 0xff)) return found;
    return nullptr;
  }

  /// Lets a needle's byte `k` through for its group; any byte if it is not that long.
  void allow(std::size_t k, std::string_view seen, std::uint8_t group) {
    const bool any = k >= seen.size();
    const auto byte = any ? 0u : static_cast<unsigned char>(seen[k]);
    for (unsigned i = 0; i < 16; ++i) {
      if (any || i == (byte & 15)) lower_[k][i] |= group;
      if (any || i == byte >> 4) upper_[k][i] |= group;
    }
    for (unsigned i = 0; i < 128; ++i)
      if (any || i == (byte & 127)) exact_[k][i] |= group;
  }

  /// The needle of `groups` whose bytes are those at `at`, or null.
  const Needle* needle_at(std::string_view text, const char* at, unsigned groups) const {
    const auto place = static_cast<std::size_t>(at - text.data());
    std::uint32_t bytes = 0;
    if (text.size() - place >= depth)
      std::memcpy(&bytes, at, depth);
    else
      std::memcpy(&bytes, at, text.size() - place);
    for (; groups != 0; groups &= groups - 1) {
      const auto group = static_cast<unsigned>(__builtin_ctz(groups));
      for (auto i = first_[group]; i < first_[group + 1]; ++i) {
        const auto& needle = needles_[i];
        if (((bytes ^ needle.bytes) & needle.mask) == 0 && place >= needle.from &&
            text.substr(place - needle.from).starts_with(needle.text))
          return &needle;
      }
    }
    return nullptr;
  }

  std::vector<Needle> needles_;
  std::array<std::size_t, count + 1> first_{};  ///< of each group, and their end
  alignas(16) std::array<std::array<std::uint8_t, 16>, depth> lower_{}, upper_{};
  std::array<std::array<std::uint8_t, 128>, depth> exact_{};
};

/// Whether another needle stands in this one, which need not be sought then; of the same ones the first is.
bool has_another(std::span<const std::string_view> needles, std::size_t which) {
  for (std::size_t i = 0; i < needles.size(); ++i)
    if (i != which && needles[which].find(needles[i]) != std::string_view::npos &&
        (needles[i].size() < needles[which].size() || i < which))
      return true;
  return false;
}

/// The needles in as few passes as it takes with at most `most` in a group. Those that are alike share one. Short ones
/// would let much through for others, so at most two of the same length do.
std::vector<Groups> passes_of(std::vector<Needle> all, std::size_t most) {
  const auto by_length = [](const Needle& n) { return std::min(n.text.size(), depth); };
  std::sort(all.begin(), all.end(), [&](const Needle& a, const Needle& b) {
    return by_length(a) != by_length(b) ? by_length(a) < by_length(b) : a.seen() < b.seen();
  });
  std::vector<std::vector<Needle>> short_groups;
  std::size_t at = 0;
  for (; at < all.size() && all[at].is_short(); ++at) {
    if (short_groups.empty() || short_groups.back().size() == 2 || all[at].text.size() == 1 ||
        short_groups.back().back().text.size() != all[at].text.size())
      short_groups.emplace_back();
    short_groups.back().push_back(all[at]);
  }
  std::vector<Groups> out;
  auto next_short = short_groups.begin();
  while (next_short != short_groups.end() || at < all.size()) {
    std::vector<std::vector<Needle>> groups;
    while (next_short != short_groups.end() && groups.size() < Groups::count)
      groups.push_back(std::move(*next_short++));
    // As even as can be.
    for (auto left = Groups::count - groups.size(); left > 0 && at < all.size(); --left) {
      const auto size = std::min(most, (all.size() - at + left - 1) / left);
      groups.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                          all.begin() + static_cast<std::ptrdiff_t>(at + size));
      at += size;
    }
    out.emplace_back(std::move(groups));
  }
  return out;
}

AnyHit grouped(std::string_view text, std::span<const std::string_view> needles, Lookup lookup) {
  const Common common(text.substr(0, depth * 1024));
  std::vector<Needle> all;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < needles.size(); ++i) {
    longest = std::max(longest, needles[i].size());
    if (has_another(needles, i)) continue;
    all.emplace_back(needles[i], i).look_at(common.rarest(needles[i]));
  }
  // More of them in a group would let too much through.
  const auto passes = passes_of(std::move(all), lookup == Lookup::vpermi2b ? 8 : 5);
  for (std::size_t at = 0; at < text.size(); at += part)
    for (const auto& groups : passes)
      if (const auto* found = groups.find(text.substr(at, part + longest - 1), lookup)) return {found->number, at};
  return {needles.size(), text.size()};
}
#endif

}  // namespace

bool has(Lookup lookup) {
#if defined(__x86_64__)
  switch (lookup) {
    case Lookup::none: return true;
    case Lookup::vpshufb: return __builtin_cpu_supports("avx2") != 0;
    case Lookup::vpermi2b: return __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
  }
  return false;
#else
  return lookup == Lookup::none;
#endif
}

AnyHit find_any(std::string_view text, std::span<const std::string_view> needles) {
  static const auto best = has(Lookup::vpermi2b)  ? Lookup::vpermi2b
                           : has(Lookup::vpshufb) ? Lookup::vpshufb
                                                  : Lookup::none;
  return find_any(text, needles, best);
}

AnyHit find_any(std::string_view text, std::span<const std::string_view> needles, Lookup lookup) {
#if defined(__x86_64__)
  // Less is gone through before the tables are made.
  constexpr std::size_t few = 3, small = 4096;
  if (lookup != Lookup::none && needles.size() > few && text.size() > small) return grouped(text, needles, lookup);
#endif
  return one_by_one(text, needles);
}

}  // namespace bencher::adapter
