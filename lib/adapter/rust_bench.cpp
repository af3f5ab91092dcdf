// The benches of Rust's libtest, as text and as its JSON lines; also what others print in that form.

#include <string>

#include "lib/adapter/json_lines.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "test NAME ... bench: 12 ns/iter (+/- 3)";

/// `12 ns/iter (+/- 3)` in nanoseconds; `at` goes behind it.
bool timing(Cursor& at, Metric& out) {
  double value = 0, spread = 0, factor = 0;
  if (!at.number(value) || !at.blanks() || !at.unit(factor) || !at.take("/iter") || !at.blanks() || !at.take("(+/-") ||
      !at.blanks() || !at.number(spread) || !at.take(')'))
    return false;
  value *= factor;
  spread *= factor;
  out = {value, value - spread, value + spread};
  return true;
}

bool strict_line(std::string_view line, std::string_view& name, Metric& latency) {
  Cursor at(line);
  if (!at.take("test") || !at.blanks()) return false;
  const char* from = at.at;
  const void* space = std::memchr(from, ' ', static_cast<std::size_t>(at.end - from));
  if (!space) return false;
  at.at = static_cast<const char*>(space);
  name = between(from, at.at);
  return name_fits(name) && at.blanks() && at.take("...") && at.blanks() && at.take("bench:") && at.blanks() &&
         timing(at, latency) && at.done();
}

/// Names with blanks, a throughput behind the time, and a line that the program cut in two by printing itself.
void read_lines(std::string_view text, Builder& out) {
  std::string_view waiting;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    line = trimmed(line);
    // With --format=terse the signs of tests, `i` and `.`, stand before it.
    if (const auto sign = line.find_first_not_of("i."); sign != std::string_view::npos && sign > 0)
      if (line.substr(sign).starts_with("test ")) line.remove_prefix(sign);
    const bool named = line.starts_with("test ");
    const auto dots = named ? place_of(line, " ... ") : std::string_view::npos;
    if (named && (dots != std::string_view::npos || line.ends_with(" ...")))
      waiting = trimmed(line.substr(5, std::min(dots, line.size() - 4) - 5));
    const auto bench = place_of(line, "bench:");
    if (bench == std::string_view::npos || !name_fits(waiting)) continue;
    Cursor at(line.substr(bench + 6));
    at.skip();
    Metric latency;
    if (!timing(at, latency)) continue;
    out.benchmark(waiting);
    out.latency(latency);
    at.skip();
    double amount = 0;
    if (at.take('=') && at.blanks() && any_number(at.word(), amount) && at.blanks()) out.extra(at.word(), amount);
    waiting = {};
  }
}

void read_json(std::string_view text, Builder& out) {
  std::string type_text, name_text;
  json_lines(text, [&](json::Reader& r) {
    std::string_view type, name;
    std::optional<double> median, deviation, mib;
    const bool read = json::object(r, "an event", [&](std::string_view key) {
      if (key == "type" && r.peek() == '"') return r.string(type, type_text);
      if (key == "name" && r.peek() == '"') return r.string(name, name_text);
      auto* number = key == "median"           ? &median
                     : key == "deviation"      ? &deviation
                     : key == "mib_per_second" ? &mib
                                               : nullptr;
      if (!number || !(digit(r.peek()) || r.peek() == '-')) return r.skip();
      return r.number(number->emplace());
    });
    if (!read || type != "bench" || !median || !name_fits(name)) return read;
    out.benchmark(name);
    if (deviation)
      out.latency({*median, *median - *deviation, *median + *deviation});
    else
      out.latency({*median, {}, {}});
    if (mib) out.extra("mib_per_second", *mib);
    return true;
  });
}

}  // namespace

Result<void> read_rust_bench(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  bool skipped = false;
  for (std::string_view line; lines.next_with("bench:", line);) {
    std::string_view name;
    Metric latency;
    if (strict_line(line, name, latency)) {
      out.benchmark(name);
      out.latency(latency);
    } else {
      if (!near) near = line.data();
      skipped = true;
    }
  }
  if (out.empty()) return no_match(text, near, form);
  if (skipped) out.warn("lines with 'bench:' in another form than '" + std::string(form) + "' are left out");
  return {};
}

Result<void> read_rust_bench_extended(std::string_view text, Builder& out) {
  if (has_json_line(text)) read_json(text, out);
  if (out.empty()) read_lines(text, out);
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
