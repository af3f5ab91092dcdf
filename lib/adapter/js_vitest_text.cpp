// Vitest: the tables that `vitest bench` prints for people. Of versions 1 to 4 a heading is `✓ FILE > GROUP 356ms` and
// a row begins with a dot; version 5 has a tree of headings, with a label before the file's name.

#include <cmath>

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view dot = "\u00b7", plus_minus_sign = "\u00b1", between_names = " > ";
constexpr std::string_view form = "name  hz  min  max  mean  p75  p99  p995  p999  rme  samples";

/// Without `suffix`, if it has it behind a blank and `digits` before.
bool take_count(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  const auto rest = text.substr(0, text.size() - suffix.size());
  const auto blank_at = rest.rfind(' ');
  if (blank_at == std::string_view::npos || blank_at + 1 == rest.size()) return false;
  for (const char c : rest.substr(blank_at + 1))
    if (!digit(c)) return false;
  text = trimmed(rest.substr(0, blank_at));
  return true;
}

/// The name of a project before that of a file: `|unit| FILE`, `unit  FILE`. True if it is one of version 5.
bool take_label(std::string_view& line) {
  std::string_view label;
  if (const auto end = line.find("| "); line.starts_with('|') && end != std::string_view::npos) {
    line = trimmed(line.substr(end + 2));
  } else if (const auto gap = line.find("  "); line.substr(0, gap).find_first_of("/.>") == std::string_view::npos) {
    if (gap == std::string_view::npos) return false;
    label = line.substr(0, gap);
    line = trimmed(line.substr(gap));
  }
  return label == "bench" || label.ends_with("(bench)");
}

class Tables {
 public:
  explicit Tables(Builder& out) : out_(out), median_(out.options().average == Average::median) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      const auto shown = trimmed(line);
      if (shown.empty())
        table_ = false;
      else if (shown.starts_with("name ") && shown.ends_with(" samples") && holds(shown, " hz ") &&
               holds(shown, "p999"))
        table_ = true;
      else if (!table_ || !row(shown))
        heading(shown, static_cast<std::size_t>(shown.data() - line.data()));
    }
  }
  bool failures() const { return failures_; }

 private:
  struct Level {
    std::size_t indent;
    std::string_view name;
  };

  void heading(std::string_view line, std::size_t indent) {
    bool marked = false;
    for (const std::string_view mark : {"\u2713 ", "\u221a ", "\u276f ", "\u00d7 "})
      if (line.starts_with(mark)) {
        line = trimmed(line.substr(mark.size()));
        marked = true;
        break;
      }
    if (!marked) return;
    table_ = false;
    if (indent <= 1) tree_ = take_label(line);
    (void)take_count(line, "ms");
    // How many tests are in it.
    if (const auto open = line.rfind(" ("); tree_ && line.ends_with(')') && open != std::string_view::npos)
      if (digit(line[open + 2])) line = trimmed(line.substr(0, open));
    while (!path_.empty() && path_.back().indent >= indent)
      path_.pop_back();
    // Nobody nests so deep; a name of all of them would be too long.
    constexpr std::size_t deepest = 64;
    if (path_.size() < deepest) path_.push_back({indent, line});
  }

  /// Of the group of a row. The JSON of version 5 has no file in it either.
  std::string group() const {
    std::string out;
    for (const auto& level : path_) {
      if (out.size() > 1024) break;
      if (!out.empty()) out += between_names;
      out += name_part(level.name);
    }
    if (!tree_) return out;
    const auto file = out.find(between_names);
    return file == std::string::npos ? std::string() : out.substr(file + between_names.size());
  }

  /// `· NAME hz min max mean p75 p99 p995 p999 ±rme% samples`, and behind it how it compares.
  bool row(std::string_view line) {
    const auto sign = line.rfind(plus_minus_sign);
    if (sign == std::string_view::npos) return false;
    Cursor after(line.substr(sign + plus_minus_sign.size()));
    double percent = 0;
    if (!after.number(percent) || !after.take('%') || !after.blanks() || !after.integer()) return false;
    Backward before(line.substr(0, sign));
    double columns[8];
    for (double& column : columns)
      if (!before.blanks() || !before.number(column)) return false;
    auto name = trimmed(before.rest());
    const double hz = columns[7], mean = columns[4];
    // What it is compared with.
    if (trimmed(after.rest()) == "(baseline)") return true;
    if (name.starts_with(dot)) name = trimmed(name.substr(dot.size()));
    if (!name_fits(name)) return true;
    auto whole = group();
    if (!whole.empty()) whole.append(between_names).append(name);
    add(whole.empty() || whole.size() > 1024 ? name : std::string_view(whole), hz, mean, percent);
    return true;
  }

  void add(std::string_view name, double hz, double mean, double percent) {
    if (hz == 0) {
      failures_ = true;
      out_.warn(fmt::format("'{}' has no times, so it may have failed, and is left out", name));
      return;
    }
    if (median_) out_.warn(fmt::format("'{}' has no median, only a throughput", name));
    out_.benchmark(name);
    // Milliseconds with four places are too few for what is fast; the rate has them.
    const bool same = std::abs(1e3 / hz - mean) <= 0.51e-4;
    const double ns = same ? 1e9 / hz : mean * 1e6;
    if (!median_) out_.latency(plus_minus(ns, ns * (percent / 100)));
    out_.throughput(plus_minus(hz, hz * (percent / 100)));
  }

  Builder& out_;
  bool median_;
  bool failures_ = false;
  bool table_ = false;
  bool tree_ = false;  ///< version 5
  std::vector<Level> path_;
};

}  // namespace

Result<void> read_vitest_text(std::string_view text, Builder& out) {
  Tables tables(out);
  tables.read(text);
  if (!out.empty()) return {};
  if (tables.failures())
    return Error(Errc::invalid_argument, "the tables have no benchmark in them that gave a result");
  return no_match(text, nullptr, form);
}

}  // namespace bencher::adapter
