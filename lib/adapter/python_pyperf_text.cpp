// What pyperf prints for people: `NAME: Mean +- std dev: 43.5 ns +- 8.6 ns`, and under a heading the same without a
// name.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
Result<void> read_pyperf_text(std::string_view text, Builder& out) {
  const bool median = out.options().average == Average::median;
  const std::string_view average = median ? "Median +- MAD:" : "Mean +- std dev:", between = " +- ";
  Lines lines(text);
  std::string_view before, title;
  std::size_t unnamed = 0;
  const char* near = nullptr;
  for (std::string_view line; lines.next(line); before = line) {
    line = trimmed(line);
    if (line.starts_with("--") && line.find_first_not_of('-') == std::string_view::npos &&
        line.size() == points_in(before))
      title = before;
    const auto place = place_of(line, average);
    if (place == std::string_view::npos) continue;
    const auto value = trimmed(line.substr(place + average.size()));
    const auto sign = value.find(between);
    if (sign == std::string_view::npos) continue;
    if (!near) near = line.data();
    const auto left = value.substr(0, sign), right = value.substr(sign + between.size());
    double number = 0, spread = 0;
    const bool time = duration_in(left, number) && duration_in(right, spread);
    // Of two files it is a comparison.
    if (!time && (!bytes_in(left, 1024, number) || !bytes_in(right, 1024, spread))) continue;
    auto name = trimmed(line.substr(0, place));
    if (name.ends_with(':')) name.remove_suffix(1);
    if (name.empty()) name = title;
    const auto unnamed_as = name.empty() ? fmt::format("unnamed {}", ++unnamed) : std::string();
    if (name.empty()) name = unnamed_as;
    if (!name_fits(name)) continue;
    out.benchmark(name);
    if (time)
      out.latency(plus_minus(number, spread));
    else
      out.metric(out.measure("memory"), plus_minus(number, spread));
  }
  if (unnamed > 0) out.warn("results without a name are numbered: give pyperf --name, or read the file of its -o");
  if (!out.empty()) return {};
  return no_match(text, near,
                  median ? "NAME: Median +- MAD: 12.5 ns +- 0.1 ns" : "NAME: Mean +- std dev: 12.5 ns +- 0.1 ns");
}

}  // namespace bencher::adapter
