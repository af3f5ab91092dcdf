#include "lib/json/value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/json/reader.hpp"

namespace bencher::json {
namespace {

void quote(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  out += '"';
}

constexpr int deepest = 128;

class Parser {
 public:
  explicit Parser(std::string_view text) : reader_(text) {}

  Result<Value> read() {
    Value out;
    if (value(out, 1) && reader_.finish()) return out;
    return Error(Errc::invalid_argument, fmt::format("JSON, byte {}: {}", reader_.offset(), reader_.reason()));
  }

 private:
  bool value(Value& out, int depth) {
    if (depth > deepest) return reader_.fail("nested too deeply");
    const char c = reader_.peek();
    std::string_view text;
    switch (c) {
      case '{': return object(out, depth);
      case '[': return array(out, depth);
      case '"':
        if (!reader_.string(text, scratch_)) return false;
        out = Value(text);
        return true;
      case 't':
      case 'f': {
        bool boolean = false;
        if (!reader_.boolean(boolean)) return false;
        out = Value(boolean);
        return true;
      }
      case 'n': return reader_.take_null() || reader_.fail("expected null");
      default:
        if (!reader_.number_text(text)) return false;
        out = Value::number_text(text);
        return true;
    }
  }

  bool object(Value& out, int depth) {
    out = Value::object();
    reader_.take('{');
    if (reader_.take('}')) return true;
    do {
      std::string_view key;
      if (!reader_.string(key, scratch_)) return false;
      std::string name(key);
      Value member;
      if (!reader_.expect(':', "':' after the key") || !value(member, depth + 1)) return false;
      out.append(std::move(name), std::move(member));
    } while (reader_.take(','));
    return reader_.expect('}', "',' or '}'");
  }

  bool array(Value& out, int depth) {
    out = Value::array();
    reader_.take('[');
    if (reader_.take(']')) return true;
    do {
      Value item;
      if (!value(item, depth + 1)) return false;
      out.push(std::move(item));
    } while (reader_.take(','));
    return reader_.expect(']', "',' or ']'");
  }

  Reader reader_;
  std::string scratch_;
};

}  // namespace

Value Value::number(std::int64_t number) {
  return number_text(std::to_string(number));
}

Value Value::number(double number) {
  if (!std::isfinite(number)) return Value();
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return number_text(std::string_view(text, static_cast<std::size_t>(end - text)));
}

Value Value::number_text(std::string_view text) {
  Value out(Type::number);
  out.text_ = text;
  return out;
}

Result<Value> Value::parse(std::string_view text) {
  if (!is_utf8(text)) return Error(Errc::invalid_argument, "JSON: the text is not valid UTF-8");
  return Parser(text).read();
}

std::optional<double> Value::as_double() const {
  if (type_ != Type::number) return {};
  Reader reader(text_);
  double out = 0;
  if (!reader.number(out)) return {};
  return out;
}

std::optional<std::int64_t> Value::as_integer() const {
  if (type_ != Type::number) return {};
  std::int64_t out = 0;
  const auto end = text_.data() + text_.size();
  const auto [stop, ec] = std::from_chars(text_.data(), end, out);
  if (ec != std::errc() || stop != end) return {};
  return out;
}

const Value& Value::operator[](std::string_view key) const {
  static const Value none;
  const auto at = std::find_if(members_.rbegin(), members_.rend(), [&](const Member& m) { return m.first == key; });
  return at == members_.rend() ? none : at->second;
}

bool Value::contains(std::string_view key) const {
  return std::any_of(members_.begin(), members_.end(), [&](const Member& member) { return member.first == key; });
}

Value* Value::find(std::string_view key) {
  for (auto& [name, value] : members_)
    if (name == key) return &value;
  return nullptr;
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) type_ = Type::object;
  if (auto* there = find(key)) return *there = std::move(value);
  return members_.emplace_back(std::string(key), std::move(value)).second;
}

void Value::push(Value value) {
  if (is_null()) type_ = Type::array;
  items_.push_back(std::move(value));
}

void Value::print(std::string& out, const Layout* layout, int level) const {
  const auto line = [&](int indent) {
    if (!layout) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * 2, ' ');
  };
  switch (type_) {
    case Type::null: out += "null"; break;
    case Type::boolean: out += boolean_ ? "true" : "false"; break;
    case Type::number: out += text_; break;
    case Type::string: quote(out, text_); break;
    case Type::array: {
      out += '[';
      bool first = true;
      for (const auto& item : items_) {
        if (!std::exchange(first, false)) out += ',';
        line(level + 1);
        item.print(out, layout, level + 1);
      }
      if (!first) line(level);
      out += ']';
      break;
    }
    case Type::object: {
      std::vector<const Member*> members;
      for (const auto& member : members_)
        if (!layout || !layout->leave_out_nulls || !member.second.is_null()) members.push_back(&member);
      if (layout && layout->sort_keys)
        std::stable_sort(members.begin(), members.end(),
                         [](const Member* a, const Member* b) { return a->first < b->first; });
      out += '{';
      bool first = true;
      for (const auto* member : members) {
        if (!std::exchange(first, false)) out += ',';
        line(level + 1);
        quote(out, member->first);
        out += layout ? ": " : ":";
        member->second.print(out, layout, level + 1);
      }
      if (!first) line(level);
      out += '}';
      break;
    }
  }
}

std::string Value::compact() const {
  std::string out;
  print(out, nullptr, 0);
  return out;
}

std::string Value::indented(Layout layout) const {
  std::string out;
  print(out, &layout, 0);
  return out;
}

}  // namespace bencher::json
