// A strict pull reader of JSON (RFC 8259) over a text that is already known to be UTF-8. Unlike simdjson's parsers it
// takes integers of any length, rounds every number correctly and says where the text breaks; it makes no copy.
#pragma once

#include <string>
#include <string_view>

namespace bencher::json {

/// The first failure sticks: `failed()` stays true, `reason()` and `offset()` say what and where.
class Reader {
 public:
  explicit Reader(std::string_view text) : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  bool failed() const { return !reason_.empty(); }
  const std::string& reason() const { return reason_; }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  /// Keeps the first reason. Returns false, for `return fail(…)`.
  bool fail(std::string reason);

  /// The next byte that is not white space, not taken; 0 at the end.
  char peek();
  /// Takes `c` if it is next.
  bool take(char c);
  /// Takes `c` or fails with what is there instead.
  bool expect(char c, const char* what);
  /// Takes `null` if it is next.
  bool take_null();
  /// A string without its quotes. The view is into the text, or into `scratch` where the string has escapes.
  bool string(std::string_view& out, std::string& scratch);
  /// A number as the nearest double. Fails if it is too large for one; too small ones become 0.
  bool number(double& out);
  /// A number as it is written.
  bool number_text(std::string_view& out);
  /// Takes `true` or `false`.
  bool boolean(bool& out);
  /// Takes any value. `depth`: how deep it stands; more than `max_depth` fails.
  bool skip(int depth);
  /// Fails unless only white space is left.
  bool finish();
  /// What stands here, in words: `a string`, `the end of the text`, …
  std::string found();

  static constexpr int max_depth = 127;

 private:
  bool escape(std::string& out);
  bool number_token(const char*& first);

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string reason_;
};

}  // namespace bencher::json
