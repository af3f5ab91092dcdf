#include "lib/json/json.hpp"

#include <algorithm>
#include <cmath>

namespace bencher::json {
namespace {

/// Numbers of a few decimals, as most are: the same text as std::to_chars gives, in a third of the time. Null when it
/// is no such number. At most 15 digits that read back as the number are the shortest that do, zeros at the end apart;
/// the limits are those within which no exponent is shorter.
char* write_decimal(char* to, double number) {
  const double size = std::fabs(number);
  if (!(size >= 0.001 && size < 100'000)) return nullptr;
  const auto thousandths = static_cast<std::uint32_t>(size * 1000 + 0.5);
  if (static_cast<double>(thousandths) / 1000 != size) return nullptr;
  if (number < 0) *to++ = '-';
  to = std::to_chars(to, to + 8, thousandths / 1000).ptr;
  const auto rest = thousandths % 1000;
  const char digits[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10)};
  // One decimal stays, so that a double is recognisable as one.
  return std::copy_n(digits, rest % 10 != 0 ? 4 : rest % 100 != 0 ? 3 : 2, to);
}

}  // namespace

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
  if (const auto* decimal_end = write_decimal(buffer, number)) {
    out.append(buffer, static_cast<std::size_t>(decimal_end - buffer));
    return;
  }
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
