// A strict pull reader of JSON (RFC 8259). simdjson's first stage finds where every value and sign of the text begins;
// the reader goes from one to the next, checks the grammar of all of them, also of what is passed over, takes integers
// of any length, rounds every number correctly and says where the text breaks. It makes no copy of the text, and
// indexes it a part at a time, so that its memory does not grow with the text.
#pragma once

#include <cstdint>
#include <cstring>
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
  /// The text must outlive the reader. One that is not UTF-8 fails when the reader comes near that place.
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
  char peek() const { return next_ == last_ || failed_ ? '\0' : part_[*next_]; }
  /// Takes `c`, one of `{}[]:,`, if it is next.
  bool take(char c) {
    if (peek() != c || next_ == last_) return false;
    advance();
    return true;
  }
  /// Takes `"key":` if it is next and written just so.
  bool take_key(std::string_view key) {
    if (last_ - next_ < 2 || failed_) return false;
    const char* const at = here();
    if (*at != '"' || static_cast<std::size_t>(end_ - at) < key.size() + 2 || at[key.size() + 1] != '"' ||
        part_[next_[1]] != ':' || std::memcmp(at + 1, key.data(), key.size()) != 0)
      return false;
    ++next_;
    advance();
    return true;
  }
  /// Takes `c` or fails with what is there instead.
  bool expect(char c, const char* what) { return take(c) || fail_expected(what); }
  /// Takes `null` if it is next.
  bool take_null() { return peek() == 'n' && literal("null"); }
  /// A string without its quotes. The view is into the text, or into `scratch` where the string has escapes.
  bool string(std::string_view& out, std::string& scratch);
  /// Takes an integer of one digit if that is next: exit codes and counts mostly are.
  bool take_digit() {
    if (next_ == last_ || failed_) return false;
    const char* const at = here();
    if (*at < '0' || *at > '9' || end_ - at < 2 || (at[1] != ',' && at[1] != '\n' && at[1] != ']')) return false;
    advance();
    return true;
  }
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
  class Mark {
   public:
    Mark() = default;
    /// Whether it was set.
    explicit operator bool() const { return at_ != nullptr; }
    bool operator==(const Mark& other) const { return at_ == other.at_; }

   private:
    friend class Reader;
    const char* at_ = nullptr;
    const std::uint32_t* next_ = nullptr;
    std::size_t part_ = 0;
  };
  Mark mark() const {
    Mark out;
    out.at_ = next_ != last_ ? here() : part_end_;
    out.next_ = next_;
    out.part_ = parts_;
    return out;
  }
  void go(Mark mark) {
    if (mark.part_ == parts_)
      next_ = mark.next_;
    else
      go_far(mark.at_);
  }

  /// A part of the pointer to where the reader stands.
  class Within {
   public:
    /// None for now.
    explicit Within(Reader& reader) : reader_(reader) { reader.push({}); }
    /// `key` must live as long as the reader, or until this ends or names another one.
    Within(Reader& reader, std::string_view key) : reader_(reader) { reader.push({key, 0}); }
    Within(Reader& reader, std::size_t index) : reader_(reader) { reader.push({{}, index + 1}); }
    ~Within() { --reader_.depth_; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

    void key(std::string_view key) { reader_.top() = {key, 0}; }
    void index(std::size_t index) { reader_.top() = {{}, index + 1}; }
    void none() { reader_.top() = {}; }

   private:
    Reader& reader_;
  };

 private:
  friend class Within;
  struct Part {
    std::string_view key;
    std::size_t index = 0;  ///< from 1; 0: it is a key, or if that has no data nothing yet
  };

  void push(Part part) {
    if (depth_ < few)
      path_[depth_] = part;
    else
      push_deep(part);
    ++depth_;
  }
  void push_deep(Part part);
  Part& top() { return depth_ <= few ? path_[depth_ - 1] : deep_path_[depth_ - few - 1]; }

  void advance() {
    if (++next_ == last_) next_part(part_end_);
  }
  void next_part(const char* from);
  void go_far(const char* at);
  bool fail_at(const char* at, std::string reason);
  bool fail_expected(const char* what);
  void broken_text(const char* from);
  const char* here() const { return part_ + *next_; }
  bool string_token(const char*& first, const char*& last, bool& escapes);
  bool unescape(const char* at, const char* last, std::string& out);
  bool number_token(const char*& first, const char*& last);
  bool unusual_number(const char* first, const char*& last);
  bool fail_after_number(const char* last);
  bool literal(std::string_view word);

  const char* begin_;
  const char* end_;
  // The part of the text that is indexed, and in its index what comes next: its end only where the text ends or breaks.
  const char* part_ = nullptr;
  const char* part_end_ = nullptr;
  const std::uint32_t* next_ = nullptr;
  const std::uint32_t* last_ = nullptr;
  std::size_t parts_ = 0;
  std::size_t part_size_;
  bool failed_ = false;
  const char* broken_at_ = nullptr;  ///< where the first stage refuses what follows; null: nowhere yet
  const char* failed_at_ = nullptr;
  std::string broken_why_;
  std::string reason_;
  std::string pointer_;
  static constexpr std::size_t few = 16;
  Part path_[few];
  std::size_t depth_ = 0;
  std::vector<Part> deep_path_;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> index_;
};

/// Reads an array: `element(i)` reads one, and is within the pointer's part `i`.
template <class Element>
bool array(Reader& r, const char* what, Element&& element) {
  if (!r.take('[')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  if (r.take(']')) return true;
  {
    Reader::Within within(r);
    std::size_t i = 0;
    do {
      within.index(i);
      if (!element(i)) return false;
      ++i;
    } while (r.take(','));
  }
  return r.expect(']', "',' or ']'");
}

/// Reads an object: `member(key)` reads or skips one value. `key` is valid until it returns.
template <class Member>
bool object(Reader& r, const char* what, Member&& member) {
  if (!r.take('{')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  if (r.take('}')) return true;
  {
    std::string scratch;
    Reader::Within within(r);
    do {
      within.none();
      std::string_view key;
      if (!r.string(key, scratch) || !r.expect(':', "':' after the key")) return false;
      within.key(key);
      if (!member(key)) return false;
    } while (r.take(','));
  }
  return r.expect('}', "',' or '}'");
}

struct Field {
  std::string_view name;
  bool required = true;
  /// Not of the form itself: it may come twice, and is no element of the form's array. Such fields are the last ones.
  bool extra = false;
};

/// The keys that the last object of a kind had, by their place: mostly the next one has them too, and then none of them
/// has to be looked for. One for all objects that are read with the same fields. Lives no longer than the text.
class Shape {
 public:
  static constexpr std::size_t most = 64;
  std::size_t size() const { return keys_.size(); }
  std::string_view key(std::size_t place) const { return keys_[place].key; }
  std::size_t field(std::size_t place) const { return keys_[place].field; }
  void set(std::size_t place, std::string_view key, std::size_t field) {
    if (place < keys_.size())
      keys_[place] = {key, field};
    else if (place < most)
      keys_.push_back({key, field});
  }

 private:
  struct Key {
    std::string_view key;
    std::size_t field;
  };
  std::vector<Key> keys_;
};

/// A key of an object that is read with a shape.
struct ShapedKey {
  std::string_view text;
  std::size_t place;
  bool same;   ///< as the shape has it at this place
  bool lasts;  ///< lives as long as the text
};

/// Reads an object as the function above does, where the one before it mostly had the same keys: `member(ShapedKey)`.
template <class Member>
bool object(Reader& r, const char* what, Shape& shape, Member&& member) {
  if (!r.take('{')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  if (r.take('}')) return true;
  {
    std::string scratch;
    Reader::Within within(r);
    ShapedKey key{{}, 0, false, true};
    do {
      within.none();
      key.same = key.place < shape.size() && r.take_key(shape.key(key.place));
      if (key.same)
        key.text = shape.key(key.place);
      else if (!r.string(key.text, scratch) || !r.expect(':', "':' after the key"))
        return false;
      key.lasts = key.same || key.text.data() != scratch.data();
      within.key(key.text);
      if (!member(std::as_const(key))) return false;
      ++key.place;
    } while (r.take(','));
  }
  return r.expect('}', "',' or '}'");
}

/// Reads an object with fixed fields: `read(i)` reads the value of `fields[i]`. A field that is missing though
/// required, or there twice, fails; `unknown(key, place)` reads or skips the value of any other. An array of all fields
/// in their order is taken too.
template <std::size_t n, class Read, class Unknown>
bool record(Reader& r, const char* what, const Field (&fields)[n], Shape* shape, Read&& read, Unknown&& unknown) {
  static_assert(n <= 32);
  if (r.peek() == '[') {
    r.take('[');
    Reader::Within within(r);
    for (std::size_t i = 0; i < n && !fields[i].extra; ++i) {
      within.index(i);
      if (i > 0 && !r.expect(',', "','")) return false;
      if (!read(i)) return false;
    }
    within.none();
    return r.expect(']', "']'");
  }
  if (!r.take('{')) return r.fail(std::string("expected ") + what + ", found " + r.found());
  std::uint32_t seen = 0;
  if (!r.take('}')) {
    std::string scratch;
    Reader::Within within(r);
    std::size_t guess = 0, place = 0;
    do {
      within.none();
      std::string_view key;
      std::size_t i = n;
      if (shape && place < shape->size() && r.take_key(shape->key(place))) {
        key = shape->key(place);
        i = shape->field(place);
      } else if (!shape && guess < n && r.take_key(fields[guess].name)) {
        i = guess;
      } else {
        if (!r.string(key, scratch) || !r.expect(':', "':' after the key")) return false;
        for (i = 0; i < n && key != fields[i].name; ++i) {
        }
        // What is in the scratch does not stay; such keys are written with escapes, and rare.
        if (shape && key.data() != scratch.data()) shape->set(place, key, i);
      }
      ++place;
      if (i == n) {
        if (!unknown(key, place - 1)) return false;
        continue;
      }
      within.key(fields[i].name);
      if ((seen >> i & 1) && !fields[i].extra) return r.fail("the field is there twice");
      seen |= std::uint32_t{1} << i;
      guess = i + 1;
      if (!read(i)) return false;
    } while (r.take(','));
    within.none();
    if (!r.expect('}', "',' or '}'")) return false;
  }
  for (std::size_t i = 0; i < n; ++i)
    if (fields[i].required && !(seen >> i & 1))
      return r.fail(std::string(what) + " lacks its field '" + std::string(fields[i].name) + "'");
  return true;
}

/// The same, passing over unknown fields.
template <std::size_t n, class Read>
bool record(Reader& r, const char* what, const Field (&fields)[n], Shape& shape, Read&& read) {
  return record(r, what, fields, &shape, std::forward<Read>(read),
                [&](std::string_view, std::size_t) { return r.skip(); });
}

/// The same; unknown fields lie at most `levels` deep.
template <std::size_t n, class Read>
bool record(Reader& r, const char* what, const Field (&fields)[n], Read&& read, std::size_t levels = SIZE_MAX) {
  return record(r, what, fields, nullptr, std::forward<Read>(read),
                [&](std::string_view, std::size_t) { return r.skip(levels); });
}

}  // namespace bencher::json
