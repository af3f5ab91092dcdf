// What Iai prints: a name and five counts below it.

#include <array>
#include <string>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

struct Count {
  std::string_view label, measure;
};
constexpr std::array counts{Count{"Instructions:", "instructions"}, Count{"L1 Accesses:", "l1-accesses"},
                            Count{"L2 Accesses:", "l2-accesses"}, Count{"RAM Accesses:", "ram-accesses"},
                            Count{"Estimated Cycles:", "estimated-cycles"}};
constexpr std::string_view form = "NAME, and below it: Instructions, L1, L2 and RAM Accesses, Estimated Cycles";

/// ` (No change)`, ` (+1.5%)`, ` (-1.5%)` or nothing.
bool change(Cursor at) {
  if (at.done()) return true;
  if (!at.blanks()) return false;
  if (at.take("(No change)")) return at.done();
  double ignored = 0;
  return at.take('(') && (at.take('+') || at.take('-')) && at.number(ignored) && at.take("%)") && at.done();
}

bool strict_line(std::string_view line, std::string_view label, double& out) {
  Cursor at(line);
  at.skip();
  if (!at.take(label) || !at.blanks()) return false;
  const char* from = at.at;
  while (at.at != at.end && (digit(*at.at) || *at.at == ','))
    ++at.at;
  std::uint64_t count = 0;
  if (at.at == from || !integer_in(between(from, at.at), count) || !change(at)) return false;
  out = static_cast<double>(count);
  return true;
}

}  // namespace

Result<void> read_iai(std::string_view text, Builder& out) {
  std::array<Builder::MeasureId, counts.size()> measures;
  const char* near = nullptr;
  Lines lines(text);
  // The first count is looked for rather than a window moved over all lines.
  for (std::string_view line; lines.next_with("Instructions:", line);) {
    std::string_view name;
    std::array<double, counts.size()> values{};
    if (!lines.before(line, name) || !name_fits(name) || !strict_line(line, counts[0].label, values[0])) {
      if (!near) near = line.data();
      continue;
    }
    Lines below(lines.rest());
    std::size_t read = 1;
    for (std::string_view next; read < counts.size() && below.next(next); ++read)
      if (!strict_line(next, counts[read].label, values[read])) break;
    if (read < counts.size()) {
      if (!near) near = line.data();
      continue;
    }
    if (out.empty())
      for (std::size_t i = 0; i < counts.size(); ++i)
        measures[i] = out.measure(counts[i].measure);
    out.benchmark(name);
    for (std::size_t i = 0; i < counts.size(); ++i)
      out.metric(measures[i], {values[i], {}, {}});
    lines.go(below.rest().data());
  }
  if (out.empty()) return no_match(text, near, form);
  return {};
}

/// Any change behind a count, counts that are missing or in another order.
Result<void> read_iai_extended(std::string_view text, Builder& out) {
  Lines lines(text);
  std::string_view name;
  bool begun = false;
  for (std::string_view line; lines.next(line);) {
    Cursor at(line);
    const bool indented = at.blanks();
    if (at.done()) continue;
    const Count* count = nullptr;
    for (const auto& c : counts)
      if (at.take(c.label)) {
        count = &c;
        break;
      }
    if (!count) {
      if (!indented) {
        name = trimmed(line);
        begun = false;
      }
      continue;
    }
    at.skip();
    double value = 0;
    if (!name_fits(name) || !any_number(at.word(), value)) continue;
    if (!begun) out.benchmark(name);
    begun = true;
    out.metric(out.measure(count->measure), {value, {}, {}});
  }
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
