// console.time as JavaScript engines print it: Firefox `NAME: 12ms - timer ended`; Node, Deno, Chrome and Safari
// `NAME: 12.5ms`; Bun `[12.5ms] NAME`.

#include "lib/adapter/js_time.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

bool strict_line(std::string_view line, std::string_view& name, double& ns) {
  Backward at(line);
  double factor = 0;
  std::uint64_t value = 0;
  if (!at.take("ended") || !at.blanks() || !at.take("timer") || !at.blanks() || !at.take('-') || !at.blanks() ||
      !at.unit(factor) || !at.integer(value) || !at.blanks() || !at.take(':'))
    return false;
  name = at.rest();
  ns = static_cast<double>(value) * factor;
  return name_fits(name);
}

/// `1:02.345` (minutes) or `1:00:02.345` (hours), behind which Node says which.
bool clock_in(std::string_view text, double& ns) {
  double seconds = 0;
  int parts = 0;
  while (parts < 4) {
    const auto colon = text.find(':');
    double part = 0;
    if (!number_in(text.substr(0, colon), part)) return false;
    seconds = seconds * 60 + part;
    ++parts;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  ns = seconds * 1e9;
  return parts == 2 || parts == 3;
}

/// Whether `Cursor`, `Backward` and `take_number` agree on it.
bool plain_number(std::string_view token) {
  return digit(token.front()) && token.find(',') == std::string_view::npos;
}

/// `NAME: 12.5ms`, as nearly all of them are.
bool plain_line(std::string_view line, std::string_view& name, double& ns) {
  Backward at(line);
  double factor = 0;
  if (!at.unit(factor)) return false;
  const char* const end = at.at;
  if (!at.number(ns) || !plain_number(between(at.at, end)) || !at.take(": ")) return false;
  ns *= factor;
  name = at.rest();
  return name_fits(name);
}

/// `NAME: 12.5ms`, `NAME: 12.5 ms`, `NAME: 1:02.345 (m:ss.mmm)`, each also with ` - timer ended` behind.
bool further_line(std::string_view line, std::string_view& name, double& ns) {
  line = trimmed(line);
  if (plain_line(line, name, ns)) return true;
  // Of most lines the end tells that they are none: it is a unit, a bracket, or `ended`.
  if (line.empty() || std::string_view("smhdryn)").find(line.back()) == std::string_view::npos) return false;
  if (line.ends_with("ended")) {
    Backward at(line);
    if (at.take("ended") && at.blanks() && at.take("timer") && at.blanks() && at.take('-')) line = trimmed(at.rest());
  }
  bool read = false;
  if (line.ends_with("(m:ss.mmm)") || line.ends_with("(h:mm:ss.mmm)")) {
    line = trimmed(line.substr(0, line.rfind('(')));
    const auto space = line.rfind(' ');
    if (space == std::string_view::npos || !clock_in(line.substr(space + 1), ns)) return false;
    line = line.substr(0, space);
    read = line.ends_with(':');
  } else {
    // At most one blank between the colon and the number, and one between that and its unit: a log is seldom so.
    const auto colon = line.rfind(": ");
    if (colon == std::string_view::npos) return false;
    auto value = line.substr(colon + 2);
    double number = 0, factor = 0;
    if (value.empty() || !digit(value.front()) || !take_number(value, number)) return false;
    if (value.starts_with(' ')) value.remove_prefix(1);
    ns = 0;
    read = any_unit(value, factor);
    ns = number * factor;
    line = line.substr(0, colon + 1);
  }
  if (!read) return false;
  name = line.substr(0, line.size() - 1);
  return name_fits(name);
}

}  // namespace

bool bun_line(std::string_view line, std::string_view& name, double& ns) {
  line = trimmed(line);
  Cursor at(line);
  if (!at.take('[')) return false;
  // As nearly all of them are.
  const char* const begin = at.at;
  double number = 0, factor = 0;
  if (at.number(number) && plain_number(between(begin, at.at)) && at.unit(factor) && at.take("] ")) {
    ns = number * factor;
    name = trimmed(at.rest());
    return name_fits(name);
  }
  const auto close = line.find("] ");
  if (close == std::string_view::npos) return false;
  auto value = line.substr(1, close - 1);
  if (value.empty() || !digit(value.front()) || !take_number(value, number) || !any_unit(value, factor)) return false;
  ns = number * factor;
  name = trimmed(line.substr(close + 2));
  return name_fits(name);
}

/// A test of `bun test` among what it prints.
[[gnu::noinline]] static void add_test(std::string_view line, Builder& out) {
  std::string_view name;
  double ns = 0;
  if (!bun_test_line(line, name, ns)) return;
  out.benchmark(name);
  out.latency({ns, {}, {}});
}

Result<void> read_js_time(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  for (std::string_view line; lines.next_with("ended", line);) {
    std::string_view name;
    double ns = 0;
    if (!strict_line(line, name, ns)) {
      if (!near) near = line.data();
      continue;
    }
    out.benchmark(name);
    out.latency({ns, {}, {}});
  }
  if (out.empty()) return no_match(text, near, "NAME: 12ms - timer ended");
  return {};
}

Result<void> read_js_time_extended(std::string_view text, Builder& out) {
  Lines lines(text);
  bool only_bun = true;
  for (std::string_view line; lines.next(line);) {
    std::string_view name;
    double ns = 0;
    if (further_line(line, name, ns))
      only_bun = false;
    else if (!bun_line(line, name, ns)) {
      add_test(line, out);
      continue;
    }
    out.benchmark(name);
    out.latency({ns, {}, {}});
  }
  if (out.empty()) return no_match(text, nullptr, "NAME: 12.5ms");
  if (only_bun) out.only_printed_by(AdapterKind::js_bun);
  return {};
}

}  // namespace bencher::adapter
