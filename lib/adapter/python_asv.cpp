// What airspeed velocity's `asv run` prints: `[ 50.00%] ··· NAME  12.5±0.1ms`, with -v the value on a line further
// down, and for benchmarks with parameters a table.

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "[ 50.00%] \u00b7\u00b7\u00b7 NAME  12.5\u00b10.1ms";
constexpr std::string_view dot = "\u00b7", plus_minus_sign = "\u00b1";

/// `[ 50.00%] ··· `, at which `at` goes on.
bool progress(Cursor& at) {
  double percent = 0;
  if (!at.take('[')) return false;
  at.skip();
  if (!at.number(percent) || !at.take("%]") || !at.blanks() || !at.take(dot)) return false;
  while (at.take(dot)) {
  }
  return at.blanks();
}

bool strict_line(std::string_view line, std::string_view& name, Metric& latency) {
  Cursor at(line);
  if (!progress(at)) return false;
  const char* from = at.at;
  const void* space = std::memchr(from, ' ', static_cast<std::size_t>(at.end - from));
  if (!space) return false;
  at.at = static_cast<const char*>(space);
  name = between(from, at.at);
  double value = 0, spread = 0, factor = 0;
  if (!name_fits(name) || !at.blanks() || !at.number(value) || !at.take(plus_minus_sign) || !at.number(spread) ||
      !at.unit(factor) || !at.done())
    return false;
  value *= factor;
  spread *= factor;
  latency = {value, value - spread, value + spread};
  return true;
}

/// `12.5±0.1ms`, `12.5±0.1 ms`, `12.5ms`; the whole of `text`.
bool loose_value(std::string_view text, Metric& out) {
  double value = 0, spread = 0, factor = 0;
  if (!take_number(text, value)) return false;
  bool has_spread = false;
  if (text.starts_with(plus_minus_sign)) {
    text.remove_prefix(plus_minus_sign.size());
    has_spread = true;
    if (!take_number(text, spread)) return false;
  }
  if (!any_unit(trimmed(text), factor)) return false;
  value *= factor;
  spread *= factor;
  out = {value, {}, {}};
  if (has_spread) out = {value, value - spread, value + spread};
  return true;
}

/// The value at the end of a line; `text` is cut before it.
bool value_at_end(std::string_view& text, Metric& out) {
  text = trimmed(text);
  for (int words = 1; words <= 2; ++words) {
    // A blank may stand before the unit.
    auto from = text.find_last_of(" \t");
    if (words == 2 && from != std::string_view::npos) {
      Backward at(text.substr(0, from));
      at.skip();
      from = at.rest().find_last_of(" \t");
    }
    const auto word = from == std::string_view::npos ? text : text.substr(from + 1);
    if (loose_value(word, out)) {
      text = trimmed(text.substr(0, text.size() - word.size()));
      return true;
    }
    if (from == std::string_view::npos) return false;
  }
  return false;
}

/// A table's columns, in code points: asv pads by these.
struct Columns {
  struct Span {
    std::size_t from, to;
  };
  std::vector<Span> spans;

  static bool is_rule(std::string_view line, char c) {
    line = trimmed(line);
    return line.size() >= 2 && line.find_first_not_of(std::string{c, ' '}) == std::string_view::npos;
  }

  void read(std::string_view line, char c) {
    spans.clear();
    std::size_t at = 0;
    bool in = false;
    for (const char byte : line) {
      if ((byte & 0xc0) == 0x80) continue;
      if (byte == c && !in) spans.push_back({at, at});
      in = byte == c;
      if (in) spans.back().to = at + 1;
      ++at;
    }
  }

  std::vector<std::string_view> cells(std::string_view line) const {
    std::vector<std::string_view> out;
    std::size_t byte = 0, point = 0;
    const auto go = [&](std::size_t to) {
      while (byte < line.size() && point < to) {
        ++byte;
        while (byte < line.size() && (line[byte] & 0xc0) == 0x80)
          ++byte;
        ++point;
      }
      return byte;
    };
    for (std::size_t i = 0; i < spans.size(); ++i) {
      const auto from = go(spans[i].from);
      // What is wider than its column, the last one say, has all that is left.
      const auto to = go(i + 1 < spans.size() ? spans[i].to : SIZE_MAX);
      out.push_back(trimmed(line.substr(from, to - from)));
    }
    return out;
  }
};

class Further {
 public:
  /// `only_tables`: beside results of single benchmarks, which are there already. They are counted, and kept with
  /// `all_measures`.
  explicit Further(Builder& out, bool only_tables = false) : out_(out), only_tables_(only_tables) {}

  std::size_t left_out() const { return left_out_; }

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      Cursor at(line);
      at.skip();
      if (table_ != Table::none && !progress(at)) {
        table_line(line);
        continue;
      }
      at = Cursor(line);
      at.skip();
      if (!progress(at)) {
        if (shown_name(line)) continue;
        if (only_shown_ && Columns::is_rule(line, '='))
          begin_table(line);
        else
          value_below(line);
        continue;
      }
      only_shown_ = false;
      table_ = Table::none;
      if (Columns::is_rule(at.rest(), '=')) {
        begin_table(line);
        continue;
      }
      named_line(at.rest());
    }
  }

 private:
  enum class Table { none, head, names, rule, rows };

  void begin_table(std::string_view line) {
    columns_.read(line, '=');
    table_ = Table::head;
    header_.clear();
    left_ = columns_.spans.empty() ? 0 : columns_.spans.size() - 1;
  }

  /// `NAME [MACHINE/ENVIRONMENT]`, as `asv show` prints it before the value.
  bool shown_name(std::string_view line) {
    line = trimmed(line);
    const auto open = line.rfind(" [");
    if (!line.ends_with(']') || open == std::string_view::npos || line.find('/', open) == std::string_view::npos ||
        line.find(' ') != open)
      return false;
    name_ = line.substr(0, open);
    return only_shown_ = true;
  }

  /// What stands behind the dots.
  void named_line(std::string_view rest) {
    const bool message = rest.starts_with("Running ") || rest.starts_with("Building ") ||
                         rest.starts_with("Benchmarking ") || rest.starts_with("Installing ") ||
                         rest.starts_with("Setting up ") || rest.starts_with("Uninstalling ");
    Metric latency;
    if (value_at_end(rest, latency)) {
      // With -v a value stands behind the last message of the benchmark that was named before.
      auto name = message ? name_ : Cursor(rest).word();
      if (name.empty()) name = name_;
      if (name_fits(name)) add(name, latency);
    } else if (!message) {
      name_ = Cursor(rest).word();
    }
  }

  /// A line with a value only.
  void value_below(std::string_view line) {
    Metric latency;
    line = trimmed(line);
    if (!name_fits(name_) || !line.ends_with('s') || !holds(line, plus_minus_sign)) return;
    if (!loose_value(line, latency)) {
      // Behind what the benchmark printed last, with -v.
      auto before = line;
      if (!value_at_end(before, latency) || !line.substr(before.size()).starts_with("  ")) return;
    }
    add(name_, latency);
    name_ = {};
  }

  void table_line(std::string_view line) {
    const auto shown = trimmed(line);
    if (table_ == Table::rows) {
      if (shown.empty() || Columns::is_rule(shown, '='))
        table_ = Table::none;
      else
        row(columns_.cells(line));
      return;
    }
    if (shown.empty()) {
      table_ = Table::none;
    } else if (table_ == Table::head && Columns::is_rule(shown, '-') && !header_.empty()) {
      // With several parameters the last one goes across: `-- NAME`, dashes, the names and values, another rule.
      Columns groups;
      groups.read(line, '-');
      const bool across = header_.front() == "--";
      if (across && groups.spans.size() <= columns_.spans.size()) left_ = groups.spans.size() - 1;
      // The first rule stands behind the progress, and need not be where the rows are.
      if (!across) columns_ = std::move(groups);
      table_ = across ? Table::names : Table::rows;
    } else if (table_ == Table::head) {
      header_ = columns_.cells(line);
    } else if (table_ == Table::names) {
      names_line_ = line;
      table_ = Table::rule;
    } else {
      columns_.read(line, '=');
      header_ = columns_.cells(names_line_);
      table_ = Table::rows;
    }
  }

  /// `NAME(a, b)`, as asv itself calls a benchmark with its parameters.
  void row(const std::vector<std::string_view>& cells) {
    for (auto i = left_; i < cells.size(); ++i) {
      Metric latency;
      if (!loose_value(cells[i], latency)) continue;
      std::string name(name_);
      name += '(';
      for (std::size_t k = 0; k < left_; ++k) {
        if (k > 0) name += ", ";
        name += cells[k];
      }
      // Parameters that go across together are joined by a slash.
      if (left_ + 1 < columns_.spans.size() && i < header_.size())
        for (auto rest = header_[i];;) {
          const auto slash = std::min(rest.find(" / "), rest.size());
          name.append(", ").append(rest.substr(0, slash));
          if (slash == rest.size()) break;
          rest.remove_prefix(slash + 3);
        }
      name += ')';
      if (!name_.empty() && name_fits(name)) add(name, latency, true);
    }
  }

  void add(std::string_view name, const Metric& latency, bool of_table = false) {
    if (only_tables_ && (!of_table || !out_.wants_extras())) {
      left_out_ += of_table;
      return;
    }
    out_.benchmark(name);
    out_.latency(latency);
  }

  Builder& out_;
  bool only_tables_;
  std::size_t left_out_ = 0;
  bool only_shown_ = false;  ///< by `asv show`
  std::string_view name_;
  Table table_ = Table::none;
  Columns columns_;
  std::vector<std::string_view> header_;
  std::string_view names_line_;
  std::size_t left_ = 0;  ///< how many columns are parameters
};

}  // namespace

Result<void> read_asv(std::string_view text, Builder& out) {
  Lines lines(text);
  const char* near = nullptr;
  std::size_t commits = 0;
  for (std::string_view line; lines.next_with(plus_minus_sign, line);) {
    std::string_view name;
    Metric latency;
    // `· For PROJECT commit HASH <NAME>:`.
    if (const auto between_them = lines.passed(); !between_them.empty()) commits += holds(between_them, " commit ");
    if (!strict_line(line, name, latency)) {
      if (!near) near = line.data();
      continue;
    }
    out.benchmark(name);
    out.latency(latency);
  }
  if (out.empty()) return no_match(text, near, form);
  if (commits > 1)
    out.warn(fmt::format("asv ran {} times for a commit: of each benchmark the last result counts, whichever it is of",
                         commits));
  if (!near) return {};
  Further tables(out, true);
  tables.read(text);
  if (tables.left_out() > 0)
    out.warn(fmt::format("{} left out beside those without: all_measures keeps them",
                         counted(tables.left_out(), "result with parameters is", "results with parameters are")));
  return {};
}

Result<void> read_asv_extended(std::string_view text, Builder& out) {
  Further(out).read(text);
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
