// A strict pull reader of JSON (RFC 8259). simdjson's first stage finds where every value and sign of the text begins;
// the reader goes from one to the next, checks the grammar of all of them, also of what is passed over, takes integers
// of any length, rounds every number correctly and says where the text breaks. It makes no copy of the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace bencher::json {

/// The first failure sticks: `failed()` stays true, `reason()` and `offset()` say what and where.
class Reader {
 public:
  /// The text must outlive the reader. One over 4 GiB, or one that is not UTF-8, fails at once.
  explicit Reader(std::string_view text);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool failed() const { return failed_; }
  const std::string& reason() const { return reason_; }
  std::size_t offset() const;
  /// The failure as one sentence: `at /a/b: reason (line 1, column 2)`, the pointer by RFC 6901. `first_line` is the
  /// number of the text's first line.
  std::string where_and_why(std::size_t first_line = 1) const;
  /// The pointer to where it stands, or to where it failed.
  std::string pointer() const;
  /// Keeps the first reason. Returns false, for `return fail(…)`.
  bool fail(std::string reason);

  /// The first byte of what comes next, not taken; 0 at the end.
  char peek() const { return next_ == last_ || failed_ ? '\0' : begin_[*next_]; }
  /// Takes `c`, one of `{}[]:,`, if it is next.
  bool take(char c) {
    if (peek() != c || next_ == last_) return false;
    ++next_;
    return true;
  }
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
  /// Takes any value. `levels`: how deep arrays and objects may lie in each other from here on.
  bool skip(std::size_t levels = SIZE_MAX);
  /// Fails unless only white space is left.
  bool finish();
  /// What stands here, in words: `a string`, `the end of the text`, …
  std::string found() const;

  /// What a mark may be set at and gone back to: the next value.
  using Mark = const std::uint32_t*;
  Mark mark() const { return next_; }
  void go(Mark mark) { next_ = mark; }

  /// A part of the pointer to where the reader stands. It stays when something fails within it.
  class Within {
   public:
    /// `key` must live as long as the reader, or until this ends.
    Within(Reader& reader, std::string_view key) : reader_(reader) { reader.path_.push_back({key, 0}); }
    Within(Reader& reader, std::size_t index) : reader_(reader) { reader.path_.push_back({{}, index + 1}); }
    ~Within() {
      if (!reader_.failed_) reader_.path_.pop_back();
    }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Reader& reader_;
  };

 private:
  friend class Within;
  struct Part {
    std::string_view key;
    std::size_t index;  ///< from 1; 0: it is a key
  };

  bool fail_at(const char* at, std::string reason);
  void broken_text();
  const char* here() const { return begin_ + *next_; }
  bool string_token(const char*& first, const char*& last, bool& escapes);
  bool unescape(const char* at, const char* last, std::string& out);
  bool number_token(const char*& first, const char*& last, std::string& storage);
  bool literal(std::string_view word);

  const char* begin_;
  const char* end_;
  const std::uint32_t* next_ = nullptr;
  const std::uint32_t* last_ = nullptr;
  bool failed_ = false;
  const char* failed_at_ = nullptr;
  std::string reason_;
  std::string pointer_;
  std::vector<Part> path_;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> index_;
};

/// Reads an array: `element(i)` reads one, and is within the pointer's part `i`.
template <class Element>
bool array(Reader& r, const char* what, Element&& element) {
  if (!r.take('[')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  if (r.take(']')) return true;
  std::size_t i = 0;
  do {
    const Reader::Within within(r, i);
    if (!element(i)) return false;
    ++i;
  } while (r.take(','));
  return r.expect(']', "',' or ']'");
}

/// Reads an object: `member(key)` reads or skips one value. `key` is valid until it returns.
template <class Member>
bool object(Reader& r, const char* what, Member&& member) {
  if (!r.take('{')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  if (r.take('}')) return true;
  std::string scratch;
  do {
    std::string_view key;
    if (!r.string(key, scratch) || !r.expect(':', "':' after the key")) return false;
    const Reader::Within within(r, key);
    if (!member(key)) return false;
  } while (r.take(','));
  return r.expect('}', "',' or '}'");
}

struct Field {
  std::string_view name;
  bool required = true;
  /// Not of the form itself: it may come twice, and is no element of the form's array. Such fields are the last ones.
  bool extra = false;
};

/// Reads an object with fixed fields: `read(i)` reads the value of `fields[i]`. A field that is missing though
/// required, or there twice, fails; `unknown(key)` reads or skips the value of any other. An array of all fields in
/// their order is taken too.
template <std::size_t n, class Read, class Unknown>
bool record(Reader& r, const char* what, const Field (&fields)[n], Read&& read, Unknown&& unknown) {
  static_assert(n <= 32);
  if (r.peek() == '[') {
    r.take('[');
    for (std::size_t i = 0; i < n && !fields[i].extra; ++i) {
      const Reader::Within within(r, i);
      if (i > 0 && !r.expect(',', "','")) return false;
      if (!read(i)) return false;
    }
    return r.expect(']', "']'");
  }
  if (!r.take('{')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  std::uint32_t seen = 0;
  std::size_t guess = 0;
  if (!r.take('}')) {
    std::string scratch;
    do {
      std::string_view key;
      if (!r.string(key, scratch) || !r.expect(':', "':' after the key")) return false;
      // Fields mostly come in their order.
      std::size_t i = guess;
      if (i == n || key != fields[i].name)
        for (i = 0; i < n && key != fields[i].name; ++i) {
        }
      if (i == n) {
        if (!unknown(key)) return false;
        continue;
      }
      const Reader::Within within(r, fields[i].name);
      if ((seen >> i & 1) && !fields[i].extra) return r.fail("the field is there twice");
      seen |= std::uint32_t{1} << i;
      guess = i + 1;
      if (!read(i)) return false;
    } while (r.take(','));
    if (!r.expect('}', "',' or '}'")) return false;
  }
  for (std::size_t i = 0; i < n; ++i)
    if (fields[i].required && !(seen >> i & 1))
      return r.fail(std::string(what) + " lacks its field '" + std::string(fields[i].name) + "'");
  return true;
}

/// The same, passing over unknown fields, which lie at most `levels` deep.
template <std::size_t n, class Read>
bool record(Reader& r, const char* what, const Field (&fields)[n], Read&& read, std::size_t levels = SIZE_MAX) {
  return record(r, what, fields, std::forward<Read>(read), [&](std::string_view) { return r.skip(levels); });
}

}  // namespace bencher::json
