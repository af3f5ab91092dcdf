#include "lib/adapter/prepare.hpp"

#include <algorithm>
#include <simdjson.h>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

namespace bencher::adapter {
namespace {

constexpr char escape = '\x1b';

enum class Utf16 { no, little, big };

/// Windows shells redirect output as UTF-16, with a mark or without.
Utf16 utf16_of(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe")) return Utf16::little;
  if (bytes.starts_with("\xfe\xff")) return Utf16::big;
  if (bytes.size() < 4 || bytes.size() % 2 != 0) return Utf16::no;
  // Other texts have no zeros. Not every unit tells, nor need the first ones: tables begin with drawn lines, whose
  // U+2500 is a `%` the other way round. Letters, digits, blanks and line ends do.
  const auto begin = bytes.substr(0, 4096);
  if (begin.find('\0') == std::string_view::npos) return Utf16::no;
  const auto tells = [](char high, char low) {
    return high == '\0' && (low == ' ' || low == '\n' || (low >= '0' && low <= '9') || (low >= 'A' && low <= 'Z') ||
                            (low >= 'a' && low <= 'z'));
  };
  std::size_t little = 0, big = 0;
  for (std::size_t i = 0; i < begin.size(); i += 2) {
    little += tells(begin[i + 1], begin[i]);
    big += tells(begin[i], begin[i + 1]);
  }
  const auto many = std::max<std::size_t>(begin.size() / 32, 1);
  if (little >= many && big <= little / 4) return Utf16::little;
  return big >= many && little <= big / 4 ? Utf16::big : Utf16::no;
}

Result<std::string> from_utf16(std::string_view bytes, bool big) {
  if (bytes.size() % 2 != 0)
    return Error(Errc::invalid_argument, "the text is UTF-16 but has an odd number of bytes: it may be cut off");
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(big ? a << 8 | b : b << 8 | a);
  };
  std::string out;
  out.reserve(bytes.size() / 2 + bytes.size() / 8);
  std::size_t i = unit(0) == 0xfeff ? 2 : 0;
  for (; i < bytes.size(); i += 2) {
    std::uint32_t point = unit(i);
    if (point >= 0xd800 && point < 0xe000) {
      const std::uint32_t low = point < 0xdc00 && i + 3 < bytes.size() ? unit(i + 2) : 0;
      if (low < 0xdc00 || low >= 0xe000)
        return Error(Errc::invalid_argument,
                     fmt::format("the text is UTF-16 with half a surrogate pair at byte {}", i));
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      i += 2;
    }
    append_utf8(out, point);
  }
  return out;
}

/// The line, from 1, of the first malformed sequence.
std::size_t malformed_line(std::string_view text) {
  std::size_t good = 0, bad = text.size();
  while (bad - good > 1) {
    // A prefix may end within a sequence, so it is cut at a line: lines are well-formed or not by themselves.
    const std::size_t middle = good + (bad - good) / 2;
    auto cut = text.rfind('\n', middle);
    if (cut == std::string_view::npos || cut < good) {
      cut = text.find('\n', middle);
      if (cut == std::string_view::npos || cut + 1 >= bad) break;
    }
    if (cut + 1 == good || cut + 1 >= bad) break;
    if (simdjson::validate_utf8(text.data() + good, cut + 1 - good))
      good = cut + 1;
    else
      bad = cut + 1;
  }
  std::size_t line =
      1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(good), '\n'));
  for (std::size_t from = good; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    if (!simdjson::validate_utf8(text.data() + from, end - from)) return line;
    from = end + 1;
    ++line;
  }
  return line;
}

}  // namespace

Result<Prepared> Prepared::of(std::string_view bytes) {
  Prepared out;
  if (const auto utf16 = utf16_of(bytes); utf16 != Utf16::no) {
    BENCHER_TRY(out.owned_, from_utf16(bytes, utf16 == Utf16::big));
    return out;
  }
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  out.view_ = bytes;
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) return out;
  out.malformed_ = malformed_line(bytes);
  out.owned_ = to_valid_utf8(bytes);
  return out;
}

std::string_view Prepared::plain() {
  if (!has_plain_) {
    has_plain_ = true;
    same_ = text().find(escape) == std::string_view::npos;
    if (!same_) plain_ = strip_escapes(text());
  }
  return same_ ? text() : std::string_view(plain_);
}

std::string strip_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  const auto in = [&](char from, char to) { return at < text.size() && text[at] >= from && text[at] <= to; };
  while (at < text.size()) {
    const auto next = std::min(text.find(escape, at), text.size());
    out.append(text, at, next - at);
    if (next == text.size()) break;
    at = next + 1;
    if (at == text.size()) break;
    const char kind = text[at];
    if (kind == '[') {
      // Parameters and intermediates, then one final byte. Anything else, a line end say, is no part of it.
      ++at;
      while (in('\x20', '\x3f'))
        ++at;
      if (in('\x40', '\x7e')) ++at;
    } else if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
      // A string up to BEL or ST; it does not go over a line end, so that a stray one loses no result.
      ++at;
      while (at < text.size() && text[at] != '\a' && text[at] != escape && text[at] != '\n')
        ++at;
      if (at < text.size() && text[at] == '\a')
        ++at;
      else if (at + 1 < text.size() && text[at] == escape && text[at + 1] == '\\')
        at += 2;
    } else {
      while (in('\x20', '\x2f'))
        ++at;
      if (in('\x30', '\x7e')) ++at;
    }
  }
  return out;
}

}  // namespace bencher::adapter
