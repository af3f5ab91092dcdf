// What Criterion.rs prints: `NAME  time:   [LOW BEST HIGH]`, where a long name stands on the line above.

#include <string>

#include "bencher/base/name.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "NAME  time:   [1.0 ns 2.0 ns 3.0 ns]";

bool time_before(Backward& at, double& ns) {
  double factor = 0;
  if (!at.unit(factor) || !at.blanks() || !at.number(ns)) return false;
  ns *= factor;
  return true;
}

bool strict_line(std::string_view line, std::string_view& prefix, Metric& latency) {
  Backward at(line);
  double low = 0, value = 0, high = 0;
  if (!at.take(']') || !time_before(at, high) || !at.blanks() || !time_before(at, value) || !at.blanks() ||
      !time_before(at, low) || !at.take('[') || !at.blanks() || !at.take("time:") || !at.blanks())
    return false;
  prefix = at.rest();
  latency = {value, low, high};
  return true;
}

/// On a terminal the progress is written over: `\rBenchmarking NAME: Analyzing\rNAME  time: …`.
std::string_view without_progress(std::string_view prefix) {
  if (prefix.find('\r') == std::string_view::npos || !holds(prefix, "Benchmarking ")) return prefix;
  return after_return(prefix);
}

/// `1.0 Melem/s` and the like, in whole elements, bytes, … a second; `of` is what, without the prefix.
bool rate(Cursor& at, double& out, std::string_view& of) {
  // Short numbers are padded.
  at.skip();
  if (!any_number(at.word(), out) || !at.blanks()) return false;
  of = at.word();
  static constexpr std::string_view prefixes = "KMGT";
  const auto power = of.size() > 1 ? prefixes.find(of[0]) : std::string_view::npos;
  if (power == std::string_view::npos) return !of.empty();
  const bool binary = of[1] == 'i';
  for (std::size_t i = 0; i <= power; ++i)
    out *= binary ? 1024 : 1000;
  of.remove_prefix(binary ? 2 : 1);
  return true;
}

/// A line `thrpt:  [LOW BEST HIGH]`, cut off.
bool throughput(std::string_view& rest, Metric& out, std::string_view& of) {
  Cursor at(rest);
  at.skip();
  if (!at.take("thrpt:")) return false;
  at.skip();
  std::string_view line;
  Lines lines(at.rest());
  if (!at.take('[') || !lines.next(line)) return false;
  const auto close = line.find(']');
  if (close == std::string_view::npos) return false;
  Cursor inside(line.substr(1, close - 1));
  double low = 0, value = 0, high = 0;
  if (!rate(inside, low, of) || !rate(inside, value, of) || !rate(inside, high, of)) return false;
  out = {value, low, high};
  rest = lines.rest();
  return true;
}

/// The throughput below a time; a second line is of what the first one does not count.
void throughput_below(std::string_view rest, Builder& out) {
  std::string_view of;
  Metric found;
  if (!throughput(rest, found, of)) return;
  out.extra("thrpt", found);
  if (throughput(rest, found, of)) out.extra(std::string("thrpt ").append(of), found);
}

/// The name that a line stands for; empty: none.
std::string_view name_on(std::string_view line) {
  line = trimmed(after_return(line));
  if (!line.starts_with("Benchmarking ")) return line;
  line.remove_prefix(13);
  for (const std::string_view step : {": Warming up", ": Collecting", ": Analyzing"})
    if (const auto at = place_of(line, step); at != std::string_view::npos) return line.substr(0, at);
  return line;
}

/// Any three times in brackets, in nanoseconds; or values of another measurement, whose unit is `other` then.
bool loose_times(std::string_view text, Metric& out, std::string_view& other) {
  const auto open = text.find('['), close = text.find(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return false;
  Cursor at(text.substr(open + 1, close - open - 1));
  double times[3];
  other = {};
  for (double& time : times) {
    at.skip();
    double factor = 0;
    if (!any_number(at.word(), time) || !at.blanks()) return false;
    const auto unit = at.word();
    const bool first = &time == times;
    if (any_unit(unit, factor) && other.empty())
      time *= factor;
    else if (first)
      other = unit;
    else if (unit != other)
      return false;
  }
  out = {times[1], times[0], times[2]};
  return true;
}

}  // namespace

Result<void> read_criterion(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  for (std::string_view line; lines.next_with("time:", line);) {
    std::string_view name;
    Metric latency;
    bool read = strict_line(line, name, latency);
    if (read) {
      if (name.empty()) (void)lines.before(line, name);
      name = without_progress(name);
      read = name_fits(name);
    }
    if (!read) {
      if (!near) near = line.data();
      continue;
    }
    out.benchmark(name);
    out.latency(latency);
    throughput_below(lines.rest(), out);
  }
  if (out.empty()) return no_match(text, near, form);
  return {};
}

Result<void> read_criterion_extended(std::string_view text, Builder& out) {
  Lines lines(text);
  std::string_view above;
  for (std::string_view line; lines.next(line);) {
    const auto shown = trimmed(after_return(line));
    const auto at = place_of(shown, "time:");
    Metric latency;
    std::string_view unit;
    if (at == std::string_view::npos || (at > 0 && !blank(shown[at - 1])) ||
        !loose_times(shown.substr(at + 5), latency, unit)) {
      if (!shown.empty() && !shown.starts_with("thrpt:") && !shown.starts_with("change:")) above = name_on(line);
      continue;
    }
    auto name = trimmed(shown.substr(0, at));
    if (name.empty()) name = above;
    if (!name_fits(name) || (!unit.empty() && !ResourceName::parse(unit))) continue;
    out.benchmark(name);
    if (unit.empty())
      out.latency(latency);
    else
      out.metric(out.measure(unit), latency);
    throughput_below(lines.rest(), out);
  }
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
