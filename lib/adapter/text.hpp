// Small pieces for output that people read: lines, numbers, units of time. All of them look at each byte a fixed number
// of times, whatever the text.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::adapter {

inline bool blank(char c) {
  return c == ' ' || c == '\t';
}
inline bool digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool number_sign(char c) {
  return digit(c) || c == '.' || c == ',';
}

/// Tables are padded with many.
inline bool eight_spaces(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes == 0x2020202020202020;
}

/// Where `needle` stands first in [first, last), or null. Not empty. Looks for its first and last byte at once, so it
/// is quick where the two seldom stand that far apart.
const char* find(const char* first, const char* last, std::string_view needle);
inline bool holds(std::string_view text, std::string_view needle) {
  return find(text.data(), text.data() + text.size(), needle) != nullptr;
}
/// Where, or npos.
inline std::size_t place_of(std::string_view text, std::string_view needle) {
  const auto* at = find(text.data(), text.data() + text.size(), needle);
  return at ? static_cast<std::size_t>(at - text.data()) : std::string_view::npos;
}

/// Whether there is a control character other than LF in it: U+0000 to U+001F, U+0080 to U+009F.
bool has_controls(std::string_view text);

/// The text from `first` to `last`.
inline std::string_view between(const char* first, const char* last) {
  return {first, static_cast<std::size_t>(last - first)};
}

/// Without blanks, carriage returns and line feeds at its ends.
std::string_view trimmed(std::string_view text);
/// What is left of a line once a carriage return has written over it.
std::string_view after_return(std::string_view line);

/// Whether a byte of UTF-8 begins a code point: by these the columns of tables are padded.
inline bool point_begins(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}
/// How many code points a text has.
std::size_t points_in(std::string_view text);
/// The byte at which the code point `column`, from 0, begins; the size if there are not that many.
inline std::size_t byte_of(std::string_view line, std::size_t column) {
  std::size_t byte = 0;
  for (; byte < line.size(); ++byte)
    if (point_begins(line[byte]) && column-- == 0) break;
  return byte;
}

/// Whether a benchmark may be called that.
inline bool name_fits(std::string_view name) {
  return !name.empty() && name.size() <= 1024;
}

/// A part of names, cut where the whole is too long for one anyway: what many names begin with costs no more than they.
inline std::string_view name_part(std::string_view part) {
  return part.substr(0, 1025);
}

/// The lines of a text: split at LF, one CR before it dropped. The last one may lack its LF and keeps its CR then.
class Lines {
 public:
  explicit Lines(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), passed_(at_) {}

  bool next(std::string_view& line) {
    passed_ = at_;
    return take(at_, line);
  }
  /// The next line with `anchor` in it. What lies before is only searched for that.
  bool next_with(std::string_view anchor, std::string_view& line) {
    passed_ = at_;
    const char* hit = find(at_, end_, anchor);
    if (!hit) {
      at_ = end_;
      return false;
    }
    return next_at(hit, line);
  }
  /// The line that goes over `hit`, which is within `rest`.
  bool next_at(const char* hit, std::string_view& line) {
    passed_ = at_;
    if (const void* feed = ::memrchr(at_, '\n', static_cast<std::size_t>(hit - at_)))
      at_ = static_cast<const char*>(feed) + 1;
    return take(hit, line);
  }
  /// The lines that the last `next_with` went over.
  std::string_view passed() const { return between(passed_, line_); }
  /// The line before `line`, which one of the above gave; false for the first one.
  bool before(std::string_view line, std::string_view& out) const;
  /// From the next line on.
  std::string_view rest() const { return between(at_, end_); }
  /// Goes on behind `at`, which is within `rest`.
  void go(const char* at) { at_ = at; }

 private:
  /// Takes the line that begins at `at_` and does not end before `from`.
  bool take(const char* from, std::string_view& line) {
    if (at_ == end_) return false;
    line_ = at_;
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end_ - from)));
    const char* last = feed ? feed : end_;
    at_ = feed ? feed + 1 : end_;
    if (feed && last != line_ && last[-1] == '\r') --last;
    line = between(line_, last);
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* passed_;
  const char* line_ = nullptr;
};

/// A decimal as the text adapters have it: digits and at most one point; commas anywhere are passed over. False for
/// anything else, and for a number that is too large for a double. Correctly rounded.
bool long_number(std::string_view token, double& out);
inline bool number_in(std::string_view token, double& out) {
  static constexpr double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
  if (token.size() > 18) return long_number(token, out);
  std::uint64_t digits = 0;
  unsigned count = 0, after_point = 0, points = 0;
  for (const char c : token) {
    if (digit(c)) {
      digits = digits * 10 + static_cast<unsigned>(c - '0');
      ++count;
      after_point += points;
    } else if (c == '.') {
      ++points;
    } else if (c != ',') {
      return false;
    }
  }
  if (count == 0 || points > 1) return false;
  // Both are exact as doubles, so that the quotient is rounded once.
  if (digits >> 53 != 0) return long_number(token, out);
  out = after_point == 0 ? static_cast<double>(digits) : static_cast<double>(digits) / tens[after_point];
  return true;
}
/// Digits, commas passed over, that fit 64 bits.
bool long_integer(std::string_view token, std::uint64_t& out);
inline bool integer_in(std::string_view token, std::uint64_t& out) {
  if (token.size() > 18) return long_integer(token, out);
  out = 0;
  bool digits = false;
  for (const char c : token) {
    if (c == ',') continue;
    if (!digit(c)) return false;
    digits = true;
    out = out * 10 + static_cast<unsigned>(c - '0');
  }
  return digits;
}

/// How long the unit of time is that stands at the end, or at the beginning, of a text; 0: none. `to_ns` is its factor.
std::size_t unit_at_end(std::string_view text, double& to_ns);
std::size_t unit_at_begin(std::string_view text, double& to_ns);

/// Goes through a line from its beginning.
struct Cursor {
  explicit Cursor(std::string_view line) : at(line.data()), end(line.data() + line.size()) {}

  bool done() const { return at == end; }
  std::string_view rest() const { return between(at, end); }
  void skip() {
    while (end - at >= 8 && eight_spaces(at))
      at += 8;
    while (at != end && blank(*at))
      ++at;
  }
  /// One blank or more.
  bool blanks() {
    const char* from = at;
    skip();
    return at != from;
  }
  bool take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  bool take(std::string_view word) {
    if (static_cast<std::size_t>(end - at) < word.size() || std::memcmp(at, word.data(), word.size()) != 0)
      return false;
    at += word.size();
    return true;
  }
  /// Up to a blank or the end.
  std::string_view word() {
    const char* from = at;
    while (at != end && !blank(*at))
      ++at;
    return between(from, at);
  }
  bool number(double& out) {
    const char* from = at;
    while (at != end && number_sign(*at))
      ++at;
    return at != from && number_in(between(from, at), out);
  }
  bool integer() {
    const char* from = at;
    while (at != end && (digit(*at) || *at == ','))
      ++at;
    std::uint64_t ignored = 0;
    return at != from && integer_in(between(from, at), ignored);
  }
  bool unit(double& to_ns) {
    const auto size = unit_at_begin(rest(), to_ns);
    at += size;
    return size != 0;
  }

  const char* at;
  const char* end;
};

/// Goes through a line from its end. Where a line begins with a free name and goes on with a fixed form, this finds the
/// shortest name in one pass.
struct Backward {
  explicit Backward(std::string_view line) : begin(line.data()), at(line.data() + line.size()) {}

  std::string_view rest() const { return between(begin, at); }
  void skip() {
    while (at - begin >= 8 && eight_spaces(at - 8))
      at -= 8;
    while (at != begin && blank(at[-1]))
      --at;
  }
  bool blanks() {
    const char* from = at;
    skip();
    return at != from;
  }
  bool take(char c) {
    if (at == begin || at[-1] != c) return false;
    --at;
    return true;
  }
  bool take(std::string_view word) {
    if (static_cast<std::size_t>(at - begin) < word.size() ||
        std::memcmp(at - word.size(), word.data(), word.size()) != 0)
      return false;
    at -= word.size();
    return true;
  }
  bool number(double& out) {
    const char* to = at;
    while (at != begin && number_sign(at[-1]))
      --at;
    return at != to && number_in(between(at, to), out);
  }
  bool integer(std::uint64_t& out) {
    const char* to = at;
    while (at != begin && (digit(at[-1]) || at[-1] == ','))
      --at;
    return at != to && integer_in(between(at, to), out);
  }
  bool integer() {
    std::uint64_t ignored = 0;
    return integer(ignored);
  }
  bool unit(double& to_ns) {
    const auto size = unit_at_end(rest(), to_ns);
    at -= size;
    return size != 0;
  }

  const char* begin;
  const char* at;
};

// What follows is for the further forms, where reading is better than being exact.

/// A number with a sign or an exponent as well; the whole of `token`.
bool any_number(std::string_view token, double& out);
/// The longest beginning of `text` that `any_number` could take; it is cut off.
bool take_number(std::string_view& text, double& out);
/// A unit of time by any of its names, from femtoseconds to days; the whole of `word`. False: it is none.
bool any_unit(std::string_view word, double& to_ns);
/// `12.5 ms`, `12.5ms`, `1,234.5 us`, `1m 2s` not: one number and one unit, in nanoseconds.
bool duration_in(std::string_view text, double& ns);
/// `231.059M`, `12.5k`, `3Ki`: a number and a prefix of powers of 1000 or 1024, and what follows both.
bool scaled(std::string_view text, double& out, std::string_view& rest);
/// `12.5 MB`, `3 KiB`, `88 B`; `K` is 1024 or 1000 as said, `Ki` always 1024.
bool bytes_in(std::string_view text, double kilo, double& out);

/// More columns, words or values than the lines of any harness have. One with more is no row: its parts would take many
/// times the memory of the line.
constexpr std::size_t most_columns = 1024;

/// The columns of a line between `|`, trimmed. False if it has none, or more than `most_columns`.
bool pipe_cells(std::string_view line, std::vector<std::string_view>& out);
/// The cells of a record of comma-separated values (RFC 4180). They are parts of the text, or where quotes stand within
/// a cell one of this record's own, until the next one is taken.
class CsvRecord {
 public:
  CsvRecord() = default;
  CsvRecord(const CsvRecord&) = delete;
  CsvRecord& operator=(const CsvRecord&) = delete;

  /// Takes one off the text. False at the end, where a quote never ends, and for more than `most_columns`.
  bool take(std::string_view& text, char separator);

  std::size_t size() const { return cells_.size(); }
  std::string_view operator[](std::size_t i) const { return cells_[i]; }
  auto begin() const { return cells_.begin(); }
  auto end() const { return cells_.end(); }

 private:
  bool take_cells(std::string_view& text, char separator);
  bool take_quoted(std::string_view text, char separator, std::size_t& at, std::string_view& cell);

  std::vector<std::string_view> cells_;
  std::deque<std::string> joined_;  ///< of which cells are views
};

/// `1 row has`, `3 rows have`.
std::string counted(std::size_t count, std::string_view one, std::string_view many);
/// Says that no line was read, and shows `near`, the first one that is like it if there is one (else null).
Error no_match(std::string_view text, const char* near, std::string_view form);

}  // namespace bencher::adapter
