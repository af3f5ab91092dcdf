#include "lib/json/json.hpp"

#include <cmath>

namespace bencher::json {

void write_text(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

void write_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  // A double stays recognisable as one: `10.0`, as the reference prints it.
  if (text.find_first_not_of("-0123456789") == std::string_view::npos) out += ".0";
}

std::string At::str() const {
  if (!parent) return "/";
  std::string before = parent->parent ? parent->str() : std::string();
  before += '/';
  if (name.data() == nullptr) return before + std::to_string(index);
  for (const char c : name.substr(0, 100)) {
    if (c == '~')
      before += "~0";
    else if (c == '/')
      before += "~1";
    else
      before += c;
  }
  return before;
}

Error mismatch(const At& at, std::string_view want) {
  return Error(Errc::invalid_argument, at.str() + ": expected " + std::string(want));
}

simdjson::dom::parser& thread_parser() {
  thread_local simdjson::dom::parser parser;
  return parser;
}

Error not_json(simdjson::error_code code) {
  return Error(Errc::invalid_argument,
               std::string("the text is not a JSON document: ") + simdjson::error_message(code));
}

}  // namespace bencher::json
