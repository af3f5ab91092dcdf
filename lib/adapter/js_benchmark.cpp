// Benchmark.js, and what prints like it: `NAME x 1,234 ops/sec ±1.5% (90 runs sampled)`.

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "NAME x 1,234 ops/sec \u00b11.5% (90 runs sampled)";

bool strict_line(std::string_view line, std::string_view& name, double& value, double& percent) {
  Backward at(line);
  if (!at.take("sampled)") || !at.blanks() || !at.take("runs") || !at.blanks() || !at.integer() || !at.take('(') ||
      !at.blanks() || !at.take('%') || !at.number(percent) || !at.take("\u00b1") || !at.blanks() ||
      !at.take("ops/sec") || !at.blanks() || !at.number(value) || !at.blanks() || !at.take('x') || !at.blanks())
    return false;
  name = at.rest();
  return name_fits(name);
}

Metric spread(double value, double percent) {
  const double margin = value * (percent / 100);
  return {value, value - margin, value + margin};
}

/// `±1.5%` by any of the signs that stand for ± where it was lost.
bool loose_percent(Cursor& at, double& out) {
  for (const std::string_view sign : {"\u00b1", "\u00c2\u00b1", "+/-", "+-", "\ufffd", "?"})
    if (at.take(sign)) {
      at.skip();
      const char* from = at.at;
      while (at.at != at.end && number_sign(*at.at))
        ++at.at;
      return number_in(between(from, at.at), out) && at.take('%');
    }
  return false;
}

/// One run, blanks around, anything behind, and no spread at all, as bench-node prints.
bool loose_line(std::string_view line, std::string_view& name, Metric& throughput) {
  const auto place = place_of(line, "ops/sec");
  if (place == std::string_view::npos) return false;
  Backward before(line.substr(0, place));
  double value = 0, percent = 0;
  if (!before.blanks() || !before.number(value) || !before.blanks() || !before.take('x') || !before.blanks())
    return false;
  name = trimmed(before.rest());
  if (!name_fits(name)) return false;
  Cursor after(line.substr(place + 7));
  after.skip();
  throughput = loose_percent(after, percent) ? spread(value, percent) : Metric{value, {}, {}};
  return true;
}

/// Lines that are results in another form than those that were read.
struct LeftOut {
  std::size_t count = 0;
  std::string_view first;

  [[gnu::noinline]] void note(std::string_view line) {
    std::string_view name;
    Metric throughput;
    if (loose_line(line, name, throughput) && count++ == 0) first = name;
  }

  void warn(Builder& out) const {
    if (count == 0) return;
    out.warn(fmt::format("{} not of several runs sampled and left out ('{}' is the first): give {} more time",
                         counted(count, "result is", "results are"), excerpt(first, 100), count == 1 ? "it" : "them"));
  }
};

}  // namespace

Result<void> read_js_benchmark(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  LeftOut left_out;
  for (std::string_view line; lines.next_with("ops/sec", line);) {
    std::string_view name;
    double value = 0, percent = 0;
    if (!strict_line(line, name, value, percent)) {
      if (!near) near = line.data();
      left_out.note(line);
      continue;
    }
    out.benchmark(name);
    out.throughput(spread(value, percent));
  }
  if (out.empty()) return no_match(text, near, form);
  left_out.warn(out);
  return {};
}

Result<void> read_js_benchmark_extended(std::string_view text, Builder& out) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("ops/sec", line);) {
    std::string_view name;
    Metric throughput;
    if (!loose_line(line, name, throughput)) continue;
    out.benchmark(name);
    out.throughput(throughput);
  }
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
