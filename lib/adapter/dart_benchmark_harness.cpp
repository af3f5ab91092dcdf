// Dart's benchmark_harness: `NAME(RunTime): 12.5 us.`

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view mark = "(RunTime):";
constexpr std::string_view form = "NAME(RunTime): 12.5 us.";

}  // namespace

Result<void> read_dart(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  for (std::string_view line; lines.next_with(mark, line);) {
    const auto place = place_of(line, mark);
    if (place == std::string_view::npos) continue;
    const auto name = trimmed(line.substr(0, place));
    Cursor at(line.substr(place + mark.size()));
    double us = 0;
    at.skip();
    const bool read = at.number(us) && at.blanks() && at.take("us.");
    at.skip();
    if (!read || !at.done() || !name_fits(name)) {
      if (!near) near = line.data();
      continue;
    }
    out.benchmark(name);
    out.latency({us * 1000, {}, {}});
  }
  if (out.empty()) return no_match(text, near, form);
  return {};
}

/// Other units, no full stop, and RunTimeRaw, the mean of one run that some emitters print.
Result<void> read_dart_extended(std::string_view text, Builder& out) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("(RunTime", line);) {
    const auto place = place_of(line, "(RunTime");
    const auto close = place == std::string_view::npos ? place : line.find("):", place);
    if (close == std::string_view::npos) continue;
    const auto name = trimmed(line.substr(0, place));
    auto value = trimmed(line.substr(close + 2));
    if (value.ends_with('.')) value.remove_suffix(1);
    double ns = 0;
    if (!name_fits(name) || !duration_in(value, ns)) continue;
    out.benchmark(name);
    out.latency({ns, {}, {}});
  }
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
