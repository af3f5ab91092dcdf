#include "lib/json/reader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <simdjson.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

namespace bencher::json {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// What may stand after a number or a word.
constexpr auto delimiter = [] {
  std::array<bool, 256> out{};
  for (const char c : {' ', '\t', '\n', '\r', ',', ':', '[', ']', '{', '}', '"'})
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();

bool ends_at(const char* at, const char* end) {
  return at == end || delimiter[static_cast<unsigned char>(*at)];
}

/// The first quote or backslash from `at` on; `end` if there is none.
const char* string_stop(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto stop = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash))));
    if (stop) return at + std::countr_zero(stop);
  }
#endif
  while (at != end && *at != '"' && *at != '\\')
    ++at;
  return at;
}

/// The end of a number by RFC 8259 that begins at `at`, or null with the place of the fault in `fault`.
const char* number_end(const char* at, const char* end, const char*& fault) {
  const auto digits = [&] {
    const char* const from = at;
    while (at != end && is_digit(*at))
      ++at;
    return at - from;
  };
  if (*at == '-') ++at;
  const char* const integer = at;
  const auto count = digits();
  if (count == 0 || (*integer == '0' && count > 1)) return fault = at, nullptr;
  if (at != end && *at == '.') {
    ++at;
    if (digits() == 0) return fault = at, nullptr;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (digits() == 0) return fault = at, nullptr;
  }
  return at;
}

#ifdef __SSE2__
/// Quickly the end of a number of up to 31 bytes that is not unusual; null leaves it to `number_end`. 32 bytes from
/// `at` on must be there.
const char* plain_number_end(const char* at) {
  const auto digits_of = [](const char* from) {
    const __m128i bytes = _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), _mm_set1_epi8('0'));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(9)), bytes)));
  };
  const std::uint64_t others = ~static_cast<std::uint64_t>(digits_of(at) | digits_of(at + 16) << 16);
  const auto after = [&](unsigned from) { return from + static_cast<unsigned>(std::countr_zero(others >> from)); };
  const unsigned integer = *at == '-' ? 1 : 0;
  unsigned stop = after(integer);
  if (stop == integer || (at[integer] == '0' && stop > integer + 1)) return nullptr;
  if (stop >= 32) return nullptr;
  if (at[stop] == '.') {
    const unsigned fraction = stop + 1;
    stop = after(fraction);
    if (stop == fraction || stop >= 32) return nullptr;
  }
  if ((at[stop] | 0x20) == 'e') {
    unsigned exponent = stop + 1;
    if (exponent < 32 && (at[exponent] == '-' || at[exponent] == '+')) ++exponent;
    if (exponent >= 32) return nullptr;
    stop = after(exponent);
    if (stop == exponent || stop >= 32) return nullptr;
  }
  return at + stop;
}
#endif

/// How much of a text is indexed at a time: little at first, and where the reader was sent back to.
constexpr std::size_t first_part = 8 * 1024, largest_part = 128 * 1024;

using Index = std::unique_ptr<simdjson::internal::dom_parser_implementation>;
/// Each thread keeps one for the next reader.
thread_local Index kept_index;

/// How much of the text from `at` on to index together: up to a place that is within no number, and seldom within a
/// string.
std::size_t part_of(const char* at, const char* end, std::size_t size) {
  for (const auto rest = static_cast<std::size_t>(end - at); size < rest; size *= 2) {
    const char* const half = at + size / 2;
    // A line feed never is in a string; where lines are long, few commas are.
    for (const char sign : {'\n', ','})
      if (const void* found = ::memrchr(half, sign, size - size / 2))
        return static_cast<std::size_t>(static_cast<const char*>(found) + 1 - at);
    for (const char* last = at + size; last != half; --last)
      if (delimiter[static_cast<unsigned char>(last[-1])]) return static_cast<std::size_t>(last - at);
  }
  return static_cast<std::size_t>(end - at);
}

/// Powers of ten that a double holds exactly.
constexpr std::array powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// Whether a decimal that does not fit a double is so because it is large: its leading digit stands left of the point.
bool is_large(std::string_view token) {
  const auto e = token.find_first_of("eE");
  const auto mantissa = token.substr(0, e);
  long long exponent = 0;
  if (e != std::string_view::npos) {
    auto digits = token.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    for (const char c : digits)
      exponent = exponent < 1'000'000'000 ? exponent * 10 + (c - '0') : exponent;
    if (negative) exponent = -exponent;
  }
  const auto point = mantissa.find('.') == std::string_view::npos ? mantissa.size() : mantissa.find('.');
  const auto leading = mantissa.find_first_of("123456789");
  if (leading == std::string_view::npos) return false;
  return static_cast<long long>(point) - static_cast<long long>(leading) + exponent > 0;
}

}  // namespace

Reader::Reader(std::string_view text)
    : begin_(text.data()), end_(text.data() + text.size()), index_(std::move(kept_index)) {
  go_far(begin_);
  if (broken_at_) fail({});
}

Reader::~Reader() {
  if (index_ && index_->capacity() == largest_part) kept_index = std::move(index_);
}

void Reader::go_far(const char* at) {
  part_size_ = first_part;
  next_part(at);
}

/// Indexes the text from `from` on, where no string is open, and goes to the first sign or value there.
void Reader::next_part(const char* from) {
  ++parts_;
  next_ = last_ = nullptr;
  part_end_ = from;
  for (std::size_t size = part_size_; from != end_;) {
    const auto length = part_of(from, end_, size);
    if (!index_ || index_->capacity() < length) {
      index_.reset();
      if (simdjson::get_active_implementation()->create_dom_parser_implementation(std::max(length, largest_part), 1,
                                                                                  index_) != simdjson::SUCCESS)
        throw std::bad_alloc();
    }
    const auto error =
        index_->stage1(reinterpret_cast<const std::uint8_t*>(from), length, simdjson::stage1_mode::regular);
    if (error == simdjson::UNCLOSED_STRING && length < static_cast<std::size_t>(end_ - from)) {
      // It was within a string after all.
      size = 2 * std::max(size, length);
      continue;
    }
    part_ = from;
    part_end_ = from + length;
    if (error == simdjson::EMPTY) {
      from = part_end_;
      continue;
    }
    part_size_ = std::min(2 * part_size_, largest_part);
    if (error != simdjson::SUCCESS) return broken_text(from);
    next_ = index_->structural_indexes.get();
    last_ = next_ + index_->n_structural_indexes;
    return;
  }
}

void Reader::push_deep(Part part) {
  deep_path_.resize(std::max(deep_path_.size(), depth_ - few + 1));
  deep_path_[depth_ - few] = part;
}

/// Finds what the first stage refused, which tells no place.
void Reader::broken_text(const char* from) {
  part_end_ = from;
  const auto broken = [&](const char* at, const char* why) {
    broken_at_ = at;
    broken_why_ = why;
  };
  const char* at = from;
  while (at != end_) {
    if (*at++ != '"') continue;
    const char* const first = at - 1;
    while (at != end_ && *at != '"') {
      if (static_cast<unsigned char>(*at) < 0x20)
        return broken(at, "a control character within a string must be escaped");
      at += *at == '\\' && end_ - at > 1 ? 2 : 1;
    }
    if (at == end_) return broken(first, "the text ends within a string");
    ++at;
  }
  broken(from, "the text is not valid UTF-8");
}

std::size_t Reader::offset() const {
  if (failed_) return static_cast<std::size_t>(failed_at_ - begin_);
  return static_cast<std::size_t>((next_ != last_ ? here() : part_end_) - begin_);
}

bool Reader::fail(std::string reason) {
  return fail_at(next_ == last_ ? end_ : here(), std::move(reason));
}

bool Reader::fail_at(const char* at, std::string reason) {
  if (failed_) return false;
  // Now, while what the parts refer to is there.
  pointer_ = pointer();
  failed_ = true;
  // What the first stage refuses is the reason for all that is missing there.
  const bool broken = broken_at_ && next_ == last_;
  failed_at_ = broken ? broken_at_ : at;
  reason_ = broken ? broken_why_ : std::move(reason);
  return false;
}

std::string Reader::pointer() const {
  if (failed_) return pointer_;
  constexpr std::size_t long_enough = 200;
  std::string out;
  for (std::size_t i = 0; i < depth_; ++i) {
    const auto& part = i < few ? path_[i] : deep_path_[i - few];
    if (part.index == 0 && !part.key.data()) continue;
    out += '/';
    if (part.index > 0) {
      out += std::to_string(part.index - 1);
      continue;
    }
    for (const char c : to_valid_utf8(part.key.substr(0, long_enough)))
      c == '~' ? out += "~0" : c == '/' ? out += "~1" : out += c;
  }
  return out;
}

std::string Reader::where_and_why(std::size_t first_line) const {
  const std::string_view before(begin_, offset());
  const auto line = first_line + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const auto start = before.rfind('\n');
  const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return fmt::format("{}{}{}{} (line {}, column {})", pointer_.empty() ? "" : "at ", pointer_,
                     pointer_.empty() ? "" : ": ", reason_, line, column);
}

bool Reader::fail_expected(const char* what) {
  return fail(fmt::format("expected {}, found {}", what, found()));
}

bool Reader::literal(std::string_view word) {
  if (next_ == last_) return false;
  const char* const at = here();
  if (static_cast<std::size_t>(end_ - at) < word.size() || std::memcmp(at, word.data(), word.size()) != 0) return false;
  if (!ends_at(at + word.size(), end_)) return false;
  advance();
  return true;
}

std::string Reader::found() const {
  if (next_ == last_) return "the end of the text";
  const char c = peek();
  const std::string_view rest(here(), static_cast<std::size_t>(end_ - here()));
  if (c == '"') return "a string";
  if (c == '{') return "an object";
  if (c == '[') return "an array";
  if (c == '-' || is_digit(c)) return "a number";
  for (const std::string_view word : {"null", "true", "false"})
    if (rest.starts_with(word)) return std::string(word);
  if (rest.starts_with("NaN") || rest.starts_with("Infinity") || rest.starts_with("nan") || rest.starts_with("inf"))
    return "a number that JSON does not have (NaN or Infinity)";
  if (c > 0x20 && c < 0x7f) return fmt::format("'{}'", c);
  return fmt::format("the byte 0x{:02x}", static_cast<unsigned char>(c));
}

/// The bytes of the string that is next, escapes checked but for surrogates.
bool Reader::string_token(const char*& first, const char*& last, bool& escapes) {
  if (peek() != '"') return fail(fmt::format("expected a string, found {}", found()));
  const char* at = first = here() + 1;
  escapes = false;
  for (;;) {
    at = string_stop(at, end_);
    // The first stage has seen that each string ends.
    if (at == end_) return fail_at(first - 1, "the text ends within a string");
    if (*at == '"') break;
    escapes = true;
    if (end_ - at < 2) return fail_at(first - 1, "the text ends within a string");
    switch (at[1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't': at += 2; break;
      case 'u': {
        const auto is_hex = [](char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); };
        if (end_ - at < 6 || !std::all_of(at + 2, at + 6, is_hex)) return fail_at(at, "\\u takes four hex digits");
        at += 6;
        break;
      }
      default: return fail_at(at, "an escape that JSON does not have");
    }
  }
  last = at;
  advance();
  return true;
}

/// Undoes the escapes of a string that `string_token` has checked.
bool Reader::unescape(const char* at, const char* last, std::string& out) {
  const auto hex4 = [](const char* digits) {
    std::uint32_t point = 0;
    std::from_chars(digits, digits + 4, point, 16);
    return point;
  };
  out.clear();
  while (at != last) {
    const char* const plain = std::find(at, last, '\\');
    out.append(at, plain);
    at = plain;
    if (at == last) break;
    const char c = at[1];
    switch (c) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': {
        std::uint32_t point = hex4(at + 2);
        if (point >= 0xdc00 && point < 0xe000) return fail_at(at, "a low surrogate without its high one");
        if (point >= 0xd800 && point < 0xdc00) {
          const bool pair = last - at >= 12 && at[6] == '\\' && at[7] == 'u';
          const std::uint32_t low = pair ? hex4(at + 8) : 0;
          if (low < 0xdc00 || low >= 0xe000) return fail_at(at, "a high surrogate without its low one");
          point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          at += 6;
        }
        append_utf8(out, point);
        at += 4;
        break;
      }
      default: out += c;
    }
    at += 2;
  }
  return true;
}

bool Reader::string(std::string_view& out, std::string& scratch) {
  const char *first = nullptr, *last = nullptr;
  bool escapes = false;
  if (!string_token(first, last, escapes)) return false;
  if (!escapes) {
    out = std::string_view(first, static_cast<std::size_t>(last - first));
    return true;
  }
  if (!unescape(first, last, scratch)) return false;
  out = scratch;
  return true;
}

/// The end of a number, or the reason why it is none. Apart, as is what follows, so that the rest may be inlined.
bool Reader::unusual_number(const char* first, const char*& last) {
  const char* fault = nullptr;
  last = number_end(first, end_, fault);
  if (last) return true;
  return fail_at(fault, fault[-1] != '-' && is_digit(fault[-1]) && fault - first > 1 ? "a number may not begin with 0"
                                                                                     : "a number lacks a digit");
}

bool Reader::fail_after_number(const char* last) {
  return fail_at(last, fmt::format("a number goes on with '{}'", to_valid_utf8(std::string_view(last, 1))));
}

/// The bytes of the number that is next.
inline bool Reader::number_token(const char*& first, const char*& last) {
  const char c = peek();
  if (c != '-' && !is_digit(c)) return fail_expected("a number");
  first = here();
  last = nullptr;
  if (is_digit(c) && end_ - first > 1 && delimiter[static_cast<unsigned char>(first[1])]) last = first + 1;
#ifdef __SSE2__
  if (!last && end_ - first >= 32) last = plain_number_end(first);
#endif
  if (!last && !unusual_number(first, last)) return false;
  if (!ends_at(last, end_)) return fail_after_number(last);
  advance();
  return true;
}

bool Reader::number_text(std::string_view& out) {
  const char *first = nullptr, *last = nullptr;
  if (!number_token(first, last)) return false;
  out = std::string_view(first, static_cast<std::size_t>(last - first));
  return true;
}

bool Reader::boolean(bool& out) {
  out = peek() == 't';
  return literal(out ? "true" : "false") || fail(fmt::format("expected true or false, found {}", found()));
}

bool Reader::number(double& out) {
  const char *first = nullptr, *last = nullptr;
  if (!number_token(first, last)) return false;
  const std::string_view token(first, static_cast<std::size_t>(last - first));
  // Digits that a double holds exactly and no exponent: the power of ten is exact too, so one operation rounds
  // correctly.
  if (token.size() <= 18) {
    std::uint64_t mantissa = 0;
    std::size_t places = 0;
    bool point = false, simple = true;
    for (const char c : token.substr(token.front() == '-' ? 1 : 0)) {
      if (is_digit(c)) {
        mantissa = mantissa * 10 + static_cast<std::uint64_t>(c - '0');
        places += point;
      } else if (c == '.') {
        point = true;
      } else {
        simple = false;
        break;
      }
    }
    if (simple && mantissa <= (1ull << 53)) {
      const double value = static_cast<double>(mantissa) / powers[places];
      out = token.front() == '-' ? -value : value;
      return true;
    }
  }
  double value = 0;
  const auto [stop, ec] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (ec == std::errc() && std::isfinite(value)) {
    out = value;
    return true;
  }
  if (is_large(token)) return fail_at(first, "the number is too large for a 64-bit float");
  out = token.front() == '-' ? -0.0 : 0.0;
  return true;
}

bool Reader::skip(std::size_t levels) {
  // What is open, a bit each: 1 for an object. Texts that lie deeper than a word are rare.
  std::uint64_t open = 0;
  std::vector<std::uint64_t> outer;
  std::size_t depth = 0;
  const char *first = nullptr, *last = nullptr;
  bool escapes = false;
  const auto key = [&] { return string_token(first, last, escapes) && expect(':', "':' after the key"); };
  for (;;) {
    const char c = peek();
    bool entered = false;
    if (c == '"') {
      if (!string_token(first, last, escapes)) return false;
    } else if (c == '{' || c == '[') {
      if (depth == levels) return fail(fmt::format("nested too deep"));
      if (depth > 0 && depth % 64 == 0) outer.push_back(open);
      open = open << 1 | (c == '{');
      ++depth;
      advance();
      entered = peek() != (c == '{' ? '}' : ']');
      if (entered && c == '{' && !key()) return false;
    } else if (c == '-' || is_digit(c)) {
      if (!number_token(first, last)) return false;
    } else if (!literal("null") && !literal("true") && !literal("false")) {
      return fail(fmt::format("expected a value, found {}", found()));
    }
    if (entered) continue;
    // After a value: what closes, then the next one.
    for (;;) {
      if (depth == 0) return true;
      const bool in_object = open & 1;
      if (take(',')) {
        if (in_object && !key()) return false;
        break;
      }
      if (!expect(in_object ? '}' : ']', in_object ? "',' or '}'" : "',' or ']'")) return false;
      --depth;
      open >>= 1;
      if (depth > 0 && depth % 64 == 0) {
        open = outer.back();
        outer.pop_back();
      }
    }
  }
}

bool Reader::finish() {
  return !failed_ &&
         ((next_ == last_ && !broken_at_) || fail(fmt::format("expected the end of the text, found {}", found())));
}

}  // namespace bencher::json
