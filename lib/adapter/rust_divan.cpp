// Divan's tree: under a header `NAME  fastest │ slowest │ median │ mean │ samples │ iters` a line for each benchmark,
// and below it lines for its counters and allocations.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view bar = "\u2502";

class Tree {
 public:
  explicit Tree(Builder& out) : out_(out), median_(out.options().average == Average::median) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      if (header(line)) continue;
      if (column_ > 0) row(line);
    }
  }

 private:
  enum Cell { fastest, slowest, median, mean, samples, cells };
  using Cells = std::array<std::string_view, cells>;

  bool header(std::string_view line) {
    const auto at = place_of(line, "fastest");
    if (at == std::string_view::npos || !holds(line, "slowest") || !holds(line, "median")) return false;
    column_ = points_in(line.substr(0, at));
    const auto cell = line.substr(at);
    width_ = points_in(cell.substr(0, cell.find(bar)));
    path_.assign(1, std::string(name_part(trimmed(line.substr(0, at)))));
    has_benchmark_ = cut_off_ = false;
    return true;
  }

  /// The branches before a name: two or three columns each.
  static std::size_t depth_of(std::string_view tree, std::string_view& name, bool& named) {
    std::size_t points = 0;
    named = false;
    while (!tree.empty()) {
      if (tree.starts_with(' ')) {
        tree.remove_prefix(1);
      } else if (tree.starts_with(bar)) {
        tree.remove_prefix(bar.size());
      } else if (tree.starts_with("\u251c\u2500") || tree.starts_with("\u2570\u2500") ||
                 tree.starts_with("\u2514\u2500")) {
        tree.remove_prefix(6);
        named = true;
        break;
      } else {
        break;
      }
      ++points;
    }
    name = trimmed(tree);
    return points / 3;
  }

  /// Whether the values of a row begin there, behind two blanks.
  static bool begins_values(std::string_view line, std::size_t at) {
    return at < 2 || at >= line.size() || (line[at] != bar[0] && line[at - 1] == ' ' && line[at - 2] == ' ');
  }

  /// With --threads the names are longer than the header was made for, and move all columns of their rows.
  [[gnu::noinline]] std::size_t moved_values(std::string_view line, std::size_t expected) const {
    const auto first = line.find(bar, expected);
    if (first == std::string_view::npos || points_in(line.substr(expected, first - expected)) == width_)
      return expected;
    auto at = line.size();
    for (int bars = 0; bars < cells; ++bars) {
      if (at > 0) at = line.rfind(bar, at - 1);
      if (at == 0 || at == std::string_view::npos) return expected;
    }
    for (std::size_t points = 0; at > 0 && points < width_;)
      points += point_begins(line[--at]);
    return at >= 2 && line.substr(at - 2, 2) == "  " ? at : expected;
  }

  static Cells cells_of(std::string_view rest) {
    Cells values{};
    for (auto& value : values) {
      const auto end = std::min(rest.find(bar), rest.size());
      value = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + bar.size()));
    }
    return values;
  }

  void row(std::string_view line) {
    auto split = byte_of(line, column_);
    if (!begins_values(line, split)) split = moved_values(line, split);
    std::string_view name;
    bool named = false;
    const auto depth = depth_of(line.substr(0, split), name, named);
    // A benchmark may print something behind its name; its values follow on a line of their own then.
    if (!named && cut_off_) split = 0;
    const auto values = cells_of(line.substr(split));
    if (named) {
      path_.resize(std::min(path_.size(), depth + 1));
      path_.emplace_back(name_part(name));
      section_.clear();
    }
    if (named || cut_off_) {
      has_benchmark_ = benchmark(values);
      cut_off_ = !has_benchmark_ && (!named || line.find(bar, split) == std::string_view::npos);
    } else if (has_benchmark_) {
      // What the lines below count stands where a first value would: `max alloc:`, `alloc:`, ….
      if (values[fastest].ends_with(':'))
        section_ = values[fastest].substr(0, values[fastest].size() - 1);
      else
        figure(values[median_ ? median : mean]);
    }
  }

  bool benchmark(const Cells& values) {
    double low = 0, high = 0, value = 0;
    if (!duration_in(values[median_ ? median : mean], value)) return false;
    std::string name;
    for (const auto& part : path_)
      name.append(name.empty() ? "" : "::").append(part);
    if (!name_fits(name)) return false;
    out_.benchmark(name);
    Metric latency{value, {}, {}};
    if (duration_in(values[fastest], low)) latency.lower = low;
    if (duration_in(values[slowest], high)) latency.upper = high;
    out_.latency(latency);
    return true;
  }

  /// `6.253 GB/s`, `31.26 Mitem/s`; with a section above it a count or an amount of bytes.
  void figure(std::string_view text) {
    double value = 0;
    std::string_view unit = text;
    if (!take_number(unit, value)) return;
    unit = trimmed(unit);
    if (!section_.empty()) {
      if (bytes_in(text, 1000, value))
        out_.extra(section_, value);
      else if (std::string_view rest; scaled(text, value, rest) && rest.empty())
        out_.extra(section_ + " count", value);
      return;
    }
    // `Mi` of `Mitem/s` is no power of 1024.
    for (const std::string_view known : {"item/s", "char/s", "cycle/s", "B/s", "Hz"}) {
      if (!unit.ends_with(known)) continue;
      const auto prefix = unit.substr(0, unit.size() - known.size());
      std::string_view rest;
      const std::string number(text.substr(0, text.find_first_of(" \t")));
      if (scaled(number + std::string(prefix), value, rest) && rest.empty()) out_.extra(known, value);
      return;
    }
  }

  Builder& out_;
  bool median_;
  std::size_t column_ = 0;  ///< of the first value, in code points; 0: no header yet
  std::size_t width_ = 0;   ///< of the column of first values, in code points
  std::vector<std::string> path_;
  std::string section_;
  bool has_benchmark_ = false;
  bool cut_off_ = false;  ///< whether a name stands there without values
};

}  // namespace

Result<void> read_divan(std::string_view text, Builder& out) {
  Tree(out).read(text);
  if (out.empty())
    return no_match(text, nullptr,
                    "NAME  fastest \u2502 slowest \u2502 median \u2502 mean \u2502 samples \u2502 iters");
  return {};
}

}  // namespace bencher::adapter
