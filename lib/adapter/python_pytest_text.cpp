// The tables of pytest-benchmark on the terminal: `Name (time in us)`, and the columns of `--benchmark-columns`. Names
// are those of `--benchmark-name`, without a file by default.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view head = "Name (time in ";

class Tables {
 public:
  explicit Tables(Builder& out) : out_(out), median_(out.options().average == Average::median) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      line = trimmed(line);
      if (line.starts_with(head))
        header(line.substr(head.size()));
      else if (line.empty())
        columns_.clear();
      else if (!columns_.empty() && line.find_first_not_of('-') != std::string_view::npos)
        row(line);
    }
    if (saved_ > 0)
      out_.warn(fmt::format("{} of runs that were saved before left out", counted(saved_, "row", "rows")));
    if (without_ > 0)
      out_.warn(fmt::format("the tables have no column '{}', so {} left out: see --benchmark-columns",
                            median_ ? "Median" : "Mean", counted(without_, "benchmark is", "benchmarks are")));
  }
  std::size_t saved() const { return saved_; }
  std::size_t without() const { return without_; }

 private:
  /// `us)  Min  Max  Mean  OPS (Kops/s)  Rounds`.
  void header(std::string_view line) {
    columns_.clear();
    to_ns_ = any_time_factor(line.substr(0, std::min(line.find(')'), line.size())));
    Cursor at(line.substr(std::min(line.find(')'), line.size() - 1) + 1));
    per_second_ = 1;
    while (at.blanks() && !at.done()) {
      const auto word = at.word();
      if (columns_.size() == most_columns) columns_.clear();
      if (!word.starts_with('('))
        columns_.push_back(word);
      else
        per_second_ = word == "(Kops/s)" ? 1e3 : word == "(Mops/s)" ? 1e6 : word == "(Gops/s)" ? 1e9 : 1;
    }
    if (to_ns_ == 0) columns_.clear();
  }

  /// The last cell of what is left of a row: `35.9844 (1.0)`, `2;243`.
  static bool take_cell(std::string_view& line, std::string_view& cell) {
    if (line.ends_with(')')) {
      const auto open = line.rfind('(');
      if (open == std::string_view::npos || open == 0) return false;
      line = trimmed(line.substr(0, open));
    }
    const auto blank_at = line.find_last_of(" \t");
    if (blank_at == std::string_view::npos) return false;
    cell = line.substr(blank_at + 1);
    line = trimmed(line.substr(0, blank_at));
    return !cell.empty() && (digit(cell.front()) || cell.front() == '-' || cell == "nan" || cell == "inf");
  }

  /// Whether it is of a run that was saved, `NAME (0001_abc)`; of this one, `NAME (NOW)`, the end is cut off.
  static bool of_saved_run(std::string_view& name) {
    const auto open = name.rfind(" (");
    if (open == std::string_view::npos || !name.ends_with(')')) return false;
    auto source = name.substr(open + 2, name.size() - open - 3);
    if (source == "NOW") {
      name = trimmed(name.substr(0, open));
      return false;
    }
    source = source.substr(source.rfind('/') + 1);
    if (source.size() < 4 || (source.size() > 4 && source[4] != '_')) return false;
    for (const char c : source.substr(0, 4))
      if (!digit(c)) return false;
    return true;
  }

  void row(std::string_view line) {
    std::optional<double> mean, deviation, middle, range, rate;
    for (auto i = columns_.size(); i-- > 0;) {
      std::string_view cell;
      if (!take_cell(line, cell)) return;
      double value = 0;
      if (!any_number(cell, value)) continue;
      const auto column = columns_[i];
      if (column == "Mean") mean = value;
      if (column == "StdDev") deviation = value;
      if (column == "Median") middle = value;
      if (column == "IQR") range = value;
      if (column == "OPS") rate = value * per_second_;
    }
    const auto& value = median_ ? middle : mean;
    const auto& spread = median_ ? range : deviation;
    if (of_saved_run(line)) {
      ++saved_;
    } else if (!value) {
      ++without_;
    } else if (name_fits(line)) {
      out_.benchmark(line);
      out_.latency(spread ? plus_minus(*value, *spread, to_ns_) : Metric{*value * to_ns_, {}, {}});
      if (rate) out_.extra("throughput", *rate);
    }
  }

  Builder& out_;
  bool median_;
  double to_ns_ = 0, per_second_ = 1;
  std::size_t saved_ = 0, without_ = 0;
  std::vector<std::string_view> columns_;
};

}  // namespace

Result<void> read_pytest_text(std::string_view text, Builder& out) {
  Tables tables(out);
  tables.read(text);
  if (!out.empty()) return {};
  if (tables.without() > 0)
    return Error(Errc::invalid_argument, fmt::format("the tables have no column '{}': see --benchmark-columns",
                                                     out.options().average == Average::median ? "Median" : "Mean"));
  if (tables.saved() > 0)
    return Error(Errc::invalid_argument, "all rows are of runs that were saved before, and none of this one");
  return no_match(text, nullptr, "Name (time in us)  Min  Max  Mean");
}

}  // namespace bencher::adapter
