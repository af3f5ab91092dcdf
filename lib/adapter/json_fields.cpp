#include "lib/adapter/json_fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

namespace bencher::adapter {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The number in a text, or nothing.
std::optional<double> number_in(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
      continue;
    }
    if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) return {};
  }
  std::string_view rest = plain;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || !(is_digit(rest.back()) || rest.back() == '.')) return {};
  double value = 0;
  const auto [stop, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (ec != std::errc() || stop != rest.data() + rest.size() || !std::isfinite(value)) return {};
  return value;
}

}  // namespace

Error no_results(std::string_view what) {
  return Error(Errc::invalid_argument, fmt::format("the text is well-formed but has no {}", what));
}

Result<void> finished(json::Reader& r, bool read, const Builder& out) {
  if (!read || !r.finish()) return Error(Errc::invalid_argument, r.where_and_why());
  if (out.empty()) return no_results("benchmark in it");
  return {};
}

bool name_text(json::Reader& r, std::string_view& out, std::string& scratch) {
  const auto mark = r.mark();
  if (!r.string(out, scratch)) return false;
  if (!out.empty() && out.size() <= 1024) return true;
  r.go(mark);
  return r.fail(fmt::format("a name has 1 to 1024 bytes, not {}", out.size()));
}

bool text(json::Reader& r, std::string& out) {
  std::string_view view;
  std::string scratch;
  if (!r.string(view, scratch)) return false;
  out = view;
  return true;
}

bool decimal(json::Reader& r, double& out) {
  if (r.peek() != '"') return r.number(out);
  const auto mark = r.mark();
  std::string_view view;
  std::string scratch;
  if (!r.string(view, scratch)) return false;
  if (const auto value = number_in(view)) {
    out = *value;
    return true;
  }
  r.go(mark);
  return r.fail(fmt::format("the text '{}' is no number", view.substr(0, 40)));
}

bool optional_decimal(json::Reader& r, std::optional<double>& out) {
  out.reset();
  if (r.take_null()) return true;
  if (r.peek() == '"') {
    const auto mark = r.mark();
    std::string_view view;
    std::string scratch;
    if (!r.string(view, scratch)) return false;
    if (view == "NaN" || view == "nan" || view == "Infinity" || view == "-Infinity") return true;
    r.go(mark);
  }
  return decimal(r, out.emplace());
}

bool optional_number(json::Reader& r, std::optional<double>& out) {
  out.reset();
  return r.take_null() || r.number(out.emplace());
}

bool any_object(json::Reader& r) {
  if (r.peek() == '[') {
    r.take('[');
    return r.expect(']', "an object");
  }
  if (r.peek() != '{') return r.fail(fmt::format("expected an object, found {}", r.found()));
  return r.skip();
}

bool Extras::read(json::Reader& r, std::string_view name, double factor) {
  const char c = r.peek();
  if (c != '-' && !is_digit(c)) return r.skip();
  std::string_view number;
  if (!r.number_text(number)) return false;
  if (!out_.wants_extras()) {
    out_.dropped(name);
    return true;
  }
  double value = 0;
  const auto ec = std::from_chars(number.data(), number.data() + number.size(), value).ec;
  if (ec == std::errc()) waiting_.emplace_back(name, value * factor);
  return true;
}

void Extras::flush() {
  for (const auto& [name, value] : waiting_)
    out_.extra(name, value);
  waiting_.clear();
}

double time_factor(std::string_view unit) {
  // The factor of picoseconds is the quotient of two doubles, as for all adapters.
  static constexpr std::pair<std::string_view, double> units[]{
      {"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"\u03bcs", 1e3}, {"\u00b5s", 1e3}, {"ps", 1.0 / 1000.0}};
  for (const auto& [name, factor] : units)
    if (name == unit) return factor;
  return 0;
}

double any_time_factor(std::string_view unit) {
  if (const double factor = time_factor(unit); factor > 0) return factor;
  static constexpr std::pair<std::string_view, double> units[]{
      {"min", 60e9},         {"m", 60e9},          {"hr", 3600e9},        {"h", 3600e9},     {"day", 86400e9},
      {"d", 86400e9},        {"sec", 1e9},         {"second", 1e9},       {"seconds", 1e9},  {"minute", 60e9},
      {"minutes", 60e9},     {"hour", 3600e9},     {"hours", 3600e9},     {"days", 86400e9}, {"millisecond", 1e6},
      {"milliseconds", 1e6}, {"microsecond", 1e3}, {"microseconds", 1e3}, {"nanosecond", 1}, {"nanoseconds", 1}};
  for (const auto& [name, factor] : units)
    if (name == unit) return factor;
  return 0;
}

}  // namespace bencher::adapter
