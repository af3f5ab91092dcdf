#include "lib/json/reader.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <fmt/core.h>

namespace bencher::json {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Bytes that end the plain part of a string: the quote, the backslash, control characters.
constexpr auto string_stop = [] {
  std::array<bool, 256> stop{};
  for (std::size_t i = 0; i < 0x20; ++i)
    stop[i] = true;
  stop['"'] = stop['\\'] = true;
  return stop;
}();

void put_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
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

bool Reader::fail(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
  return false;
}

char Reader::peek() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
    ++at_;
  return at_ == end_ ? '\0' : *at_;
}

bool Reader::take(char c) {
  if (peek() != c || at_ == end_) return false;
  ++at_;
  return true;
}

bool Reader::expect(char c, const char* what) {
  return take(c) || fail(fmt::format("expected {}, found {}", what, found()));
}

bool Reader::take_null() {
  if (peek() != 'n' || end_ - at_ < 4 || std::memcmp(at_, "null", 4) != 0) return false;
  at_ += 4;
  return true;
}

std::string Reader::found() {
  const char c = peek();
  if (at_ == end_) return "the end of the text";
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
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

bool Reader::escape(std::string& out) {
  ++at_;  // the backslash
  if (at_ == end_) return fail("the text ends within a string");
  const auto hex4 = [&](std::uint32_t& point) {
    if (end_ - at_ < 4) return fail("the text ends within a string");
    const auto [stop, ec] = std::from_chars(at_, at_ + 4, point, 16);
    if (ec != std::errc() || stop != at_ + 4) return fail("\\u takes four hex digits");
    at_ += 4;
    return true;
  };
  const char c = *at_++;
  switch (c) {
    case '"':
    case '\\':
    case '/': out += c; return true;
    case 'b': out += '\b'; return true;
    case 'f': out += '\f'; return true;
    case 'n': out += '\n'; return true;
    case 'r': out += '\r'; return true;
    case 't': out += '\t'; return true;
    case 'u': {
      std::uint32_t point = 0;
      if (!hex4(point)) return false;
      if (point >= 0xdc00 && point < 0xe000) return fail("a low surrogate without its high one");
      if (point >= 0xd800 && point < 0xdc00) {
        std::uint32_t low = 0;
        if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return fail("a high surrogate without its low one");
        at_ += 2;
        if (!hex4(low)) return false;
        if (low < 0xdc00 || low >= 0xe000) return fail("a high surrogate without its low one");
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      }
      put_utf8(out, point);
      return true;
    }
    default: --at_; return fail("an escape that JSON does not have");
  }
}

bool Reader::string(std::string_view& out, std::string& scratch) {
  if (!take('"')) return fail(fmt::format("expected a string, found {}", found()));
  const char* const first = at_;
  const auto plain = [&] {
    while (at_ != end_ && !string_stop[static_cast<unsigned char>(*at_)])
      ++at_;
  };
  plain();
  if (at_ != end_ && *at_ == '"') {
    out = std::string_view(first, static_cast<std::size_t>(at_ - first));
    ++at_;
    return true;
  }
  scratch.assign(first, at_);
  while (at_ != end_ && *at_ != '"') {
    if (*at_ != '\\') return fail("a control character within a string must be escaped");
    if (!escape(scratch)) return false;
    const char* const from = at_;
    plain();
    scratch.append(from, at_);
  }
  if (at_ == end_) return fail("the text ends within a string");
  ++at_;
  out = scratch;
  return true;
}

bool Reader::number_token(const char*& first) {
  const char c = peek();
  first = at_;
  if (at_ == end_ || (c != '-' && !is_digit(c))) return fail(fmt::format("expected a number, found {}", found()));
  const auto digits = [&] {
    const char* const from = at_;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    return at_ != from || fail("a number lacks a digit");
  };
  if (c == '-') ++at_;
  const char* const integer = at_;
  if (!digits()) return false;
  if (*integer == '0' && at_ - integer > 1) return fail("a number may not begin with 0");
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return false;
  }
  return true;
}

bool Reader::number_text(std::string_view& out) {
  const char* first = nullptr;
  if (!number_token(first)) return false;
  out = std::string_view(first, static_cast<std::size_t>(at_ - first));
  return true;
}

bool Reader::boolean(bool& out) {
  const char c = peek();
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const std::string_view word = c == 't' ? "true" : "false";
  if (!rest.starts_with(word)) return fail(fmt::format("expected true or false, found {}", found()));
  at_ += word.size();
  out = c == 't';
  return true;
}

bool Reader::number(double& out) {
  const char* first = nullptr;
  if (!number_token(first)) return false;
  const std::string_view token(first, static_cast<std::size_t>(at_ - first));
  // Up to 15 digits and no exponent: digits and power of ten are both exact, so one operation rounds correctly.
  if (token.size() <= 16) {
    std::uint64_t mantissa = 0;
    std::size_t places = 0;
    bool point = false, simple = true;
    for (const char c : token.substr(token.front() == '-' ? 1 : 0)) {
      if (c == '.') {
        point = true;
      } else if (is_digit(c)) {
        mantissa = mantissa * 10 + static_cast<std::uint64_t>(c - '0');
        places += point;
      } else {
        simple = false;
        break;
      }
    }
    if (simple && mantissa < (1ull << 53)) {
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
  if (is_large(token)) {
    at_ = first;
    return fail("the number is too large for a 64-bit float");
  }
  out = token.front() == '-' ? -0.0 : 0.0;
  return true;
}

bool Reader::skip(int depth) {
  std::string_view text;
  std::string scratch;
  const char c = peek();
  if (c == '"') return string(text, scratch);
  if (c == '{' || c == '[') {
    if (depth > max_depth) return fail(fmt::format("nested deeper than {} levels", max_depth));
    ++at_;
    const char close = c == '{' ? '}' : ']';
    if (take(close)) return true;
    do {
      if (c == '{' && (!string(text, scratch) || !expect(':', "':' after the key"))) return false;
      if (!skip(depth + 1)) return false;
    } while (take(','));
    return expect(close, c == '{' ? "',' or '}'" : "',' or ']'");
  }
  if (c == '-' || is_digit(c)) {
    const char* first = nullptr;
    return number_token(first);
  }
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  for (const std::string_view word : {"null", "true", "false"}) {
    if (!rest.starts_with(word)) continue;
    at_ += word.size();
    return true;
  }
  return fail(fmt::format("expected a value, found {}", found()));
}

bool Reader::finish() {
  peek();
  return at_ == end_ || fail(fmt::format("expected the end of the text, found {}", found()));
}

}  // namespace bencher::json
