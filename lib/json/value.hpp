// A JSON document as a tree, for what is passed on rather than understood: numbers keep their digits, objects their
// order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::json {

class Value {
 public:
  enum class Type { null, boolean, number, string, array, object };
  using Member = std::pair<std::string, Value>;

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : type_(Type::boolean), boolean_(value) {}
  Value(std::string text) : type_(Type::string), text_(std::move(text)) {}
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  static Value number(std::int64_t number);
  /// Shortest text that reads back as the same number; null when it is not finite.
  static Value number(double number);
  /// `text` must be a JSON number.
  static Value number_text(std::string_view text);
  static Value array() { return Value(Type::array); }
  static Value object() { return Value(Type::object); }

  /// Reads a whole document of at most 127 levels. A key that is there twice stays so; looked up, the last counts.
  /// Error: `invalid_argument`, with the byte where it breaks.
  static Result<Value> parse(std::string_view text);

  Type type() const noexcept { return type_; }
  bool is_null() const noexcept { return type_ == Type::null; }
  bool is_object() const noexcept { return type_ == Type::object; }
  bool is_string() const noexcept { return type_ == Type::string; }
  /// Of a boolean; false for anything else.
  bool boolean() const noexcept { return boolean_; }
  /// Of a string or a number as written; empty for anything else.
  const std::string& text() const noexcept { return text_; }
  std::optional<double> as_double() const;
  std::optional<std::int64_t> as_integer() const;
  const std::vector<Value>& items() const noexcept { return items_; }
  const std::vector<Member>& members() const noexcept { return members_; }

  /// The member of that name, or a null value. So `a["b"]["c"]` reads what is there.
  const Value& operator[](std::string_view key) const;
  bool contains(std::string_view key) const;
  /// Adds a member or replaces it; makes an object of a null.
  Value& set(std::string_view key, Value value);
  /// Adds a member without a look at those that are there.
  void append(std::string key, Value value) { members_.emplace_back(std::move(key), std::move(value)); }
  /// The member of that name for change, or null.
  Value* find(std::string_view key);
  /// Adds an item; makes an array of a null.
  void push(Value value);

  /// Without white space.
  std::string compact() const;
  struct Layout {
    bool sort_keys = false;
    bool leave_out_nulls = false;  ///< of objects
  };
  /// Over several lines, two spaces a level.
  std::string indented(Layout layout) const;
  std::string indented() const { return indented(Layout()); }

 private:
  explicit Value(Type type) : type_(type) {}
  void print(std::string& out, const Layout* layout, int level) const;

  Type type_ = Type::null;
  bool boolean_ = false;
  std::string text_;
  std::vector<Value> items_;
  std::vector<Member> members_;
};

}  // namespace bencher::json
