#include "lib/adapter/json_fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/text.hpp"

namespace bencher::adapter {

std::optional<double> decimal_in(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
      continue;
    }
    if (i == 0 || i + 1 == text.size() || !digit(text[i - 1]) || !digit(text[i + 1])) return {};
  }
  std::string_view rest = plain;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || !(digit(rest.back()) || rest.back() == '.')) return {};
  double value = 0;
  const auto [stop, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (ec != std::errc() || stop != rest.data() + rest.size() || !std::isfinite(value)) return {};
  return value;
}

Error no_results(std::string_view what) {
  return Error(Errc::invalid_argument, fmt::format("the text is well-formed but has no {}", what));
}

Result<void> finished(json::Reader& r, bool read, const Builder& out, bool failures) {
  if (!read || !r.finish()) return Error(Errc::invalid_argument, r.where_and_why());
  if (out.empty()) return no_results(failures ? "benchmark in it that gave a result" : "benchmark in it");
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
  if (const auto value = decimal_in(view)) {
    out = *value;
    return true;
  }
  r.go(mark);
  return r.fail(fmt::format("the text '{}' is no number", excerpt(view, 40)));
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

bool number_or_skip(json::Reader& r, std::optional<double>& out) {
  out.reset();
  if (r.peek() != '-' && !digit(r.peek())) return r.skip();
  return r.number(out.emplace());
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
  if (c != '-' && !digit(c)) return r.skip();
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
  double factor = 0;
  return unit_at_begin(unit, factor) == unit.size() && !unit.empty() ? factor : 0;
}

double any_time_factor(std::string_view unit) {
  double factor = 0;
  return any_unit(unit, factor) ? factor : 0;
}

}  // namespace bencher::adapter
