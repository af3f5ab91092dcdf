#include "lib/adapter/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bencher::adapter {
namespace {

#if defined(__x86_64__)
/// Whether the bytes of `needle` between its first and last stand behind `at`.
bool middle_is(const char* at, std::string_view needle) {
  return needle.size() <= 2 || std::memcmp(at + 1, needle.data() + 1, needle.size() - 2) == 0;
}

const char* find_sse2(const char* first, const char* last, std::string_view needle) {
  const auto size = static_cast<std::ptrdiff_t>(needle.size());
  const __m128i a = _mm_set1_epi8(needle.front()), b = _mm_set1_epi8(needle.back());
  for (; last - first >= size + 15; first += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first));
    const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(first + size - 1));
    auto hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(x, a), _mm_cmpeq_epi8(y, b))));
    for (; hits != 0; hits &= hits - 1)
      if (const char* at = first + __builtin_ctz(hits); middle_is(at, needle)) return at;
  }
  for (; last - first >= size; ++first)
    if (*first == needle.front() && first[size - 1] == needle.back() && middle_is(first, needle)) return first;
  return nullptr;
}

__attribute__((target("avx2"))) const char* find_avx2(const char* first, const char* last, std::string_view needle) {
  const auto size = static_cast<std::ptrdiff_t>(needle.size());
  const __m256i a = _mm256_set1_epi8(needle.front()), b = _mm256_set1_epi8(needle.back());
  const auto at = [&](const char* from) __attribute__((target("avx2"), always_inline)) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + size - 1));
    return _mm256_and_si256(_mm256_cmpeq_epi8(x, a), _mm256_cmpeq_epi8(y, b));
  };
  // Once nothing is near, four blocks at a time are looked at for anything at all.
  int near = 4;
  while (last - first >= size + 31) {
    if (near > 0 || last - first < size + 127) {
      auto hits = static_cast<unsigned>(_mm256_movemask_epi8(at(first)));
      for (; hits != 0; hits &= hits - 1)
        if (const char* hit = first + __builtin_ctz(hits); middle_is(hit, needle)) return hit;
      first += 32;
      --near;
      continue;
    }
    const __m256i any =
        _mm256_or_si256(_mm256_or_si256(at(first), at(first + 32)), _mm256_or_si256(at(first + 64), at(first + 96)));
    if (_mm256_testz_si256(any, any))
      first += 128;
    else
      near = 4;
  }
  return find_sse2(first, last, needle);
}
#endif

/// The value of a decimal without sign, exponent or commas.
bool decimal_in(std::string_view plain, double& out) {
  const auto [stop, ec] = std::from_chars(plain.data(), plain.data() + plain.size(), out);
  if (ec == std::errc::invalid_argument || stop != plain.data() + plain.size()) return false;
  if (ec != std::errc::result_out_of_range) return true;
  // Too small or too large: the digits before the point, or the exponent, tell.
  const auto exponent = plain.find_first_of("eE");
  const auto first = plain.find_first_of("123456789");
  const bool small = exponent != std::string_view::npos ? plain.substr(exponent + 1).starts_with('-')
                                                        : first == std::string_view::npos || plain.find('.') < first;
  out = plain.starts_with('-') ? -0.0 : 0.0;
  return small;
}

/// Where one of two bytes stands first from `at` on, or the size. Cells are short: mostly the first sixteen bytes tell.
std::size_t either_at(std::string_view text, std::size_t at, char a, char b) {
#if defined(__x86_64__)
  const __m128i as = _mm_set1_epi8(a), bs = _mm_set1_epi8(b);
  for (; text.size() - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto hits =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, as), _mm_cmpeq_epi8(bytes, bs))));
    if (hits != 0) return at + static_cast<unsigned>(__builtin_ctz(hits));
  }
#endif
  while (at < text.size() && text[at] != a && text[at] != b)
    ++at;
  return at;
}

/// Counts line feeds as quickly as it can: detection makes many errors that say how many lines there were, and shows
/// none.
std::size_t feeds(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  std::size_t count = 0;
#if defined(__x86_64__)
  const __m128i feed = _mm_set1_epi8('\n');
  while (end - at >= 16) {
    // Each byte counts its own, up to 255.
    __m128i counts = _mm_setzero_si128();
    for (int i = 0; i < 255 && end - at >= 16; ++i, at += 16)
      counts = _mm_sub_epi8(counts, _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), feed));
    const __m128i sums = _mm_sad_epu8(counts, _mm_setzero_si128());
    count += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_srli_si128(sums, 8)));
  }
#endif
  return count + static_cast<std::size_t>(std::count(at, end, '\n'));
}

std::string without_commas(std::string_view token) {
  std::string out(token);
  std::erase(out, ',');
  return out;
}

}  // namespace

const char* find(const char* first, const char* last, std::string_view needle) {
  if (static_cast<std::size_t>(last - first) < needle.size()) return nullptr;
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  return wide ? find_avx2(first, last, needle) : find_sse2(first, last, needle);
#else
  const auto* at = ::memmem(first, static_cast<std::size_t>(last - first), needle.data(), needle.size());
  return static_cast<const char*>(at);
#endif
}

bool has_controls(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
#if defined(__x86_64__)
  const __m128i below = _mm_set1_epi8(0x1f), feed = _mm_set1_epi8('\n'), lead = _mm_set1_epi8('\xc2');
  for (; end - at >= 17; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low =
        _mm_andnot_si128(_mm_cmpeq_epi8(bytes, feed), _mm_cmpeq_epi8(_mm_min_epu8(bytes, below), bytes));
    // The second byte of those above U+007F stands behind C2 and is at most 9F.
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1));
    const __m128i high =
        _mm_and_si128(_mm_cmpeq_epi8(bytes, lead), _mm_cmpeq_epi8(_mm_min_epu8(next, _mm_set1_epi8('\x9f')), next));
    if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0) return true;
  }
#endif
  for (; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x20 && byte != '\n') return true;
    if (byte == 0xc2 && at + 1 != end && static_cast<unsigned char>(at[1]) < 0xa0) return true;
  }
  return false;
}

std::size_t points_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), point_begins));
}

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return blank(c) || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && space(text.back()))
    text.remove_suffix(1);
  return text;
}

std::string_view after_return(std::string_view line) {
  while (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  const void* at = line.empty() ? nullptr : ::memrchr(line.data(), '\r', line.size());
  return at ? between(static_cast<const char*>(at) + 1, line.data() + line.size()) : line;
}

bool Lines::before(std::string_view line, std::string_view& out) const {
  if (line.data() == begin_) return false;
  const char* last = line.data() - 1;
  const void* feed = ::memrchr(begin_, '\n', static_cast<std::size_t>(last - begin_));
  const char* first = feed ? static_cast<const char*>(feed) + 1 : begin_;
  if (last != first && last[-1] == '\r') --last;
  out = between(first, last);
  return true;
}

bool long_number(std::string_view token, double& out) {
  // Without commas this reads all of it, and neither a sign nor an exponent.
  if (digit(token.front()) || token.front() == '.') {
    const auto [stop, ec] = std::from_chars(token.data(), token.data() + token.size(), out, std::chars_format::fixed);
    if (ec == std::errc() && stop == token.data() + token.size()) return true;
  }
  unsigned points = 0, commas = 0, digits = 0;
  for (const char c : token) {
    const bool is_digit = digit(c);
    if (!is_digit && c != '.' && c != ',') return false;
    digits += is_digit;
    points += c == '.';
    commas += c == ',';
  }
  if (digits == 0 || points > 1) return false;
  return commas == 0 ? decimal_in(token, out) : decimal_in(without_commas(token), out);
}

bool long_integer(std::string_view token, std::uint64_t& out) {
  out = 0;
  bool digits = false;
  for (const char c : token) {
    if (c == ',') continue;
    if (!digit(c)) return false;
    digits = true;
    if (__builtin_mul_overflow(out, std::uint64_t{10}, &out) ||
        __builtin_add_overflow(out, static_cast<std::uint64_t>(c - '0'), &out))
      return false;
  }
  return digits;
}

// The factor of picoseconds is the quotient of two doubles.
constexpr double from_ps = 1.0 / 1000.0;

std::size_t unit_at_end(std::string_view text, double& to_ns) {
  const auto n = text.size();
  if (n == 0 || text[n - 1] != 's') return 0;
  switch (n > 1 ? text[n - 2] : '\0') {
    case 'n': return to_ns = 1, 2;
    case 'u': return to_ns = 1e3, 2;
    case 'm': return to_ns = 1e6, 2;
    case 'p': return to_ns = from_ps, 2;
    case '\xb5':
      if (n > 2 && text[n - 3] == '\xc2') return to_ns = 1e3, 3;
      break;
    case '\xbc':
      if (n > 2 && text[n - 3] == '\xce') return to_ns = 1e3, 3;
      break;
    default: break;
  }
  return to_ns = 1e9, 1;
}

std::size_t unit_at_begin(std::string_view text, double& to_ns) {
  if (text.empty()) return 0;
  if (text[0] == 's') return to_ns = 1e9, 1;
  const bool second = text.size() > 1 && text[1] == 's';
  switch (text[0]) {
    case 'n': return to_ns = 1, second ? 2 : 0;
    case 'u': return to_ns = 1e3, second ? 2 : 0;
    case 'm': return to_ns = 1e6, second ? 2 : 0;
    case 'p': return to_ns = from_ps, second ? 2 : 0;
    default: break;
  }
  if (text.starts_with("\u00b5s") || text.starts_with("\u03bcs")) return to_ns = 1e3, 3;
  return 0;
}

bool take_number(std::string_view& text, double& out) {
  std::size_t at = 0;
  const auto digits = [&] {
    const auto from = at;
    while (at < text.size() && (digit(text[at]) || (text[at] == ',' && at > from)))
      ++at;
    return at - from;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  auto count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const auto before = at++;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) at = before;
  }
  auto token = text.substr(0, at);
  // Most numbers are plain and short.
  if (!number_in(token, out)) {
    if (token.front() == '+') token.remove_prefix(1);
    const bool commas = token.find(',') != std::string_view::npos;
    if (!(commas ? decimal_in(without_commas(token), out) : decimal_in(token, out))) return false;
  }
  text.remove_prefix(at);
  return true;
}

bool any_number(std::string_view token, double& out) {
  // Most are plain and short; of those without a comma `take_number` takes what `number_in` does.
  if (token.size() <= 18 && token.find(',') == std::string_view::npos && number_in(token, out)) return true;
  return take_number(token, out) && token.empty();
}

bool any_unit(std::string_view word, double& to_ns) {
  static constexpr double minute = 60e9, hour = 3600e9, day = 86400e9;
  static constexpr std::pair<std::string_view, double> units[]{{"ns", 1},
                                                               {"us", 1e3},
                                                               {"ms", 1e6},
                                                               {"s", 1e9},
                                                               {"\u00b5s", 1e3},
                                                               {"\u03bcs", 1e3},
                                                               {"ps", from_ps},
                                                               {"fs", 1e-6},
                                                               {"sec", 1e9},
                                                               {"secs", 1e9},
                                                               {"second", 1e9},
                                                               {"seconds", 1e9},
                                                               {"msec", 1e6},
                                                               {"usec", 1e3},
                                                               {"nsec", 1},
                                                               {"psec", from_ps},
                                                               {"nanosecond", 1},
                                                               {"microsecond", 1e3},
                                                               {"millisecond", 1e6},
                                                               {"nanoseconds", 1},
                                                               {"microseconds", 1e3},
                                                               {"milliseconds", 1e6},
                                                               {"m", minute},
                                                               {"min", minute},
                                                               {"mins", minute},
                                                               {"minute", minute},
                                                               {"minutes", minute},
                                                               {"h", hour},
                                                               {"hr", hour},
                                                               {"hrs", hour},
                                                               {"hour", hour},
                                                               {"hours", hour},
                                                               {"d", day},
                                                               {"day", day},
                                                               {"days", day}};
  for (const auto& [name, factor] : units)
    if (name == word) return to_ns = factor, true;
  return false;
}

bool duration_in(std::string_view text, double& ns) {
  text = trimmed(text);
  double value = 0, factor = 0;
  if (!take_number(text, value) || !any_unit(trimmed(text), factor)) return false;
  ns = value * factor;
  return true;
}

bool scaled(std::string_view text, double& out, std::string_view& rest) {
  if (!take_number(text, out)) return false;
  rest = text;
  if (text.empty()) return true;
  static constexpr std::string_view prefixes = "kMGTPEZY";
  const char c = text[0] == 'K' ? 'k' : text[0] == 'B' ? 'G' : text[0];
  if (const auto power = prefixes.find(c); power != std::string_view::npos) {
    const bool binary = text.size() > 1 && text[1] == 'i';
    out *= std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1));
    rest = text.substr(binary ? 2 : 1);
  } else if (c == 'm' || c == 'u' || c == 'n' || c == 'p' || c == 'f') {
    out *= c == 'm' ? 1e-3 : c == 'u' ? 1e-6 : c == 'n' ? 1e-9 : c == 'p' ? 1e-12 : 1e-15;
    rest = text.substr(1);
  }
  return true;
}

bool bytes_in(std::string_view text, double kilo, double& out) {
  text = trimmed(text);
  if (!take_number(text, out)) return false;
  text = trimmed(text);
  static constexpr std::string_view prefixes = "kMGTPE";
  if (text == "B" || text == "bytes" || text == "byte") return true;
  if (text.size() < 2 || text.back() != 'B') return false;
  const auto power = prefixes.find(text[0] == 'K' ? 'k' : text[0]);
  if (power == std::string_view::npos) return false;
  const bool binary = text.size() == 3 && text[1] == 'i';
  if (text.size() != 2 && !binary) return false;
  double factor = 1;
  for (std::size_t i = 0; i <= power; ++i)
    factor *= binary ? 1024 : kilo;
  out *= factor;
  return true;
}

bool pipe_cells(std::string_view line, std::vector<std::string_view>& out) {
  out.clear();
  line = trimmed(line);
  if (line.starts_with('|')) line.remove_prefix(1);
  if (line.empty() || line.find('|') == std::string_view::npos) return false;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    i = either_at(line, i, '|', '|');
    if (i < line.size() && i > 0 && line[i - 1] == '\\') continue;
    if (i == line.size() && from == i) break;
    auto cell = trimmed(line.substr(from, i - from));
    if (out.size() == most_columns) return false;
    // Bold in Markdown.
    if (cell.size() >= 4 && cell.starts_with("**") && cell.ends_with("**")) cell = cell.substr(2, cell.size() - 4);
    out.push_back(cell);
    from = i + 1;
  }
  return true;
}

bool CsvRecord::take(std::string_view& text, char separator) {
  cells_.clear();
  if (!joined_.empty()) joined_.clear();
  if (text.empty()) return false;
  if (take_cells(text, separator)) return true;
  cells_.clear();
  return false;
}

bool CsvRecord::take_cells(std::string_view& text, char separator) {
  std::size_t at = 0;
  for (bool more = true; more; at += more) {
    if (cells_.size() == most_columns) return false;
    std::string_view cell;
    if (at < text.size() && text[at] == '"') {
      if (!take_quoted(text, separator, at, cell)) return false;
    } else {
      const auto from = at;
      if (at < text.size() && text[at] != separator) at = either_at(text, at, separator, '\n');
      cell = text.substr(from, at - from);
    }
    cells_.push_back(cell);
    more = at < text.size() && text[at] == separator;
  }
  if (cells_.back().ends_with('\r')) cells_.back().remove_suffix(1);
  text.remove_prefix(std::min(text.size(), at + 1));
  return true;
}

/// The cell that begins at the quote at `at`, which goes to its end.
bool CsvRecord::take_quoted(std::string_view text, char separator, std::size_t& at, std::string_view& cell) {
  const auto first = ++at;
  auto quote = either_at(text, at, '"', '"');
  if (quote == text.size()) return false;
  at = quote + 1;
  if (at == text.size() || text[at] == separator || text[at] == '\n') {
    cell = text.substr(first, quote - first);
    return true;
  }
  // Doubled quotes, or something behind the last one.
  auto& joined = joined_.emplace_back(text.substr(first, quote - first));
  while (at < text.size() && text[at] == '"') {
    quote = either_at(text, at + 1, '"', '"');
    if (quote == text.size()) return false;
    joined.append(text, at, quote - at);
    at = quote + 1;
  }
  const auto from = at;
  at = either_at(text, at, separator, '\n');
  joined.append(text, from, at - from);
  cell = joined;
  return true;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

Error no_match(std::string_view text, const char* near, std::string_view form) {
  if (near) {
    const auto line = feeds(between(text.data(), near)) + 1;
    const auto shown = between(near, std::find(near, text.data() + text.size(), '\n'));
    return Error(Errc::invalid_argument, fmt::format("no line reads as '{}'; line {} comes near: '{}'", form, line,
                                                     excerpt(trimmed(shown), 100)));
  }
  // Detection asks for many reasons and shows none: of a long text the number of lines says nothing anyway.
  constexpr std::size_t long_text = 1 << 20;
  if (text.size() > long_text) return Error(Errc::invalid_argument, fmt::format("no line reads as '{}'", form));
  const auto lines = feeds(text) + 1;
  if (lines == 1) return Error(Errc::invalid_argument, fmt::format("the one line does not read as '{}'", form));
  return Error(Errc::invalid_argument, fmt::format("none of {} lines reads as '{}'", lines, form));
}

}  // namespace bencher::adapter
