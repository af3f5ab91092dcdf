// Ruby's benchmark library: the table under `user system total real`, and Benchmark.ips.

#include <string>

#include <fmt/core.h>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "NAME  0.95 0.00 0.95 (  0.95)";

bool header(std::string_view line) {
  Cursor at(line);
  return at.blanks() && at.take("user") && at.blanks() && at.take("system") && at.blanks() && at.take("total") &&
         at.blanks() && at.take("real") && at.done();
}

/// Seconds.
struct Times {
  double user = 0, system = 0, total = 0, real = 0;
};

bool strict_row(std::string_view line, std::string_view& name, Times& times) {
  Backward at(line);
  if (!at.take(')') || !at.number(times.real) || !at.blanks() || !at.take('(') || !at.blanks() ||
      !at.number(times.total) || !at.blanks() || !at.number(times.system) || !at.blanks() || !at.number(times.user) ||
      !at.blanks())
    return false;
  name = at.rest();
  return name_fits(name);
}

/// Also without a name, and without a blank in the brackets.
bool loose_row(std::string_view line, std::string_view& name, Times& times) {
  line = trimmed(line);
  Backward at(line);
  if (!at.take(')')) return false;
  at.skip();
  if (!at.number(times.real)) return false;
  at.skip();
  if (!at.take('(')) return false;
  for (double* time : {&times.total, &times.system, &times.user})
    if (!at.blanks() || !at.number(*time)) return false;
  if (!at.rest().empty() && !at.blanks()) return false;
  name = at.rest();
  return name.size() <= 1024;
}

void add(std::string_view name, const Times& times, Builder& out) {
  out.benchmark(name);
  out.latency({times.real * 1e9, {}, {}});
  if (!out.wants_extras()) {
    // Every row has all three.
    out.dropped("user, system, total");
    return;
  }
  out.extra("user", times.user);
  out.extra("system", times.system);
  out.extra("total", times.total);
}

/// `NAME  36.014M (± 2.1%) i/s`.
bool ips_line(std::string_view line, std::string_view& name, Metric& throughput) {
  const auto place = place_of(line, "(\u00b1");
  if (place == std::string_view::npos) return false;
  Cursor at(line.substr(place + 3));
  double percent = 0, value = 0;
  at.skip();
  if (!at.number(percent) || !at.take("%)") || !at.blanks() || !at.take("i/s")) return false;
  Backward before(line.substr(0, place));
  before.skip();
  const auto left = before.rest();
  const auto gap = left.find_last_of(" \t");
  if (gap == std::string_view::npos) return false;
  std::string_view rest;
  if (!scaled(left.substr(gap + 1), value, rest) || !rest.empty()) return false;
  name = trimmed(left.substr(0, gap));
  const double margin = value * (percent / 100);
  throughput = {value, value - margin, value + margin};
  return name.empty() || name_fits(name);
}

/// A name of more than 20 characters stands alone on the line above. Else that line is something that a program
/// printed.
[[gnu::noinline]] std::string_view long_label(const Lines& lines, std::string_view line) {
  std::string_view above;
  constexpr std::size_t column = 20;
  if (!lines.before(line, above) || above.size() <= column || blank(above.front())) return {};
  return trimmed(above);
}

/// The rows that a table would have had, if what another program printed had not ended it.
[[gnu::noinline]] std::size_t rows_after(std::string_view text) {
  std::size_t count = 0;
  // Those of a rehearsal come again.
  Lines lines(text.substr(0, place_of(text, "Rehearsal ")));
  for (std::string_view line; lines.next_with(")", line);) {
    std::string_view name;
    Times times;
    count += loose_row(line, name, times);
  }
  return count;
}

/// Whether this bracket may end a row, or the share of `(± 2.1%) i/s`: other tools have brackets in each line too.
bool may_end(std::string_view text, std::size_t bracket) {
  if (bracket == 0) return false;
  const char before = text[bracket - 1];
  Cursor after(text.substr(bracket + 1));
  if (before == '%') return after.blanks() && after.take("i/s");
  if (!number_sign(before) && !blank(before)) return false;
  while (!after.done() && (blank(*after.at) || *after.at == '\r'))
    ++after.at;
  return after.done() || *after.at == '\n';
}

/// The next line with a bracket that may be that of a result.
bool next_line(Lines& lines, std::string_view& line) {
  const auto rest = lines.rest();
  for (auto at = rest.find(')'); at != std::string_view::npos; at = rest.find(')', at + 1))
    if (may_end(rest, at)) return lines.next_at(rest.data() + at, line);
  return false;
}

}  // namespace

Result<void> read_ruby(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  const char* behind = nullptr;  ///< the last table
  std::size_t lost = 0;
  // A table ends with the first line that is no row; that line is not looked at as a header.
  for (std::string_view line; lines.next_with("system", line);) {
    if (!header(line)) continue;
    if (behind) lost += rows_after(between(behind, line.data()));
    behind = nullptr;
    while (lines.next(line)) {
      std::string_view name;
      Times times;
      if (!strict_row(line, name, times)) {
        if (!near) near = line.data();
        behind = line.data();
        break;
      }
      add(name, times, out);
    }
  }
  if (out.empty()) return no_match(text, near, form);
  if (behind) lost += rows_after(between(behind, text.data() + text.size()));
  if (lost > 0)
    out.warn(fmt::format("{} behind a line that ended the table, and left out: let nothing else be printed within it",
                         counted(lost, "row is", "rows are")));
  return {};
}

Result<void> read_ruby_extended(std::string_view text, Builder& out) {
  Lines lines(text);
  std::size_t unlabeled = 0;
  for (std::string_view line; next_line(lines, line);) {
    std::string_view name;
    Times times;
    Metric throughput;
    if (ips_line(line, name, throughput)) {
      if (name.empty()) name = long_label(lines, line);
      if (!name_fits(name)) continue;
      out.benchmark(name);
      out.throughput(throughput);
    } else if (loose_row(line, name, times)) {
      add(name.empty() ? fmt::format("unlabeled {}", ++unlabeled) : std::string(name), times, out);
    }
  }
  if (unlabeled > 0) out.warn("rows without a label are numbered: Benchmark.bm's report takes one");
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
