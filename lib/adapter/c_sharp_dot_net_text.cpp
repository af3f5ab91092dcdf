// BenchmarkDotNet's summary, as it is printed and as its Markdown and CSV reports have it; the JSON is in
// c_sharp_dot_net.cpp.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

/// The columns that are no parameters of a benchmark.
constexpr std::string_view known_columns[]{
    "Method",   "Mean",     "Error",  "StdErr",     "StdDev",    "Median",      "Min",       "Q1",
    "Q3",       "Max",      "Op/s",   "Ratio",      "RatioSD",   "Rank",        "Gen0",      "Gen1",
    "Gen2",     "Gen 0",    "Gen 1",  "Gen 2",      "Allocated", "Alloc Ratio", "Code Size", "Baseline",
    "Skewness", "Kurtosis", "MValue", "Iterations", "Scaled",    "ScaledSD",    "P0",        "P25",
    "P50",      "P67",      "P80",    "P85",        "P90",       "P95",         "P100",      "CI99.9% Margin"};

class Table {
 public:
  explicit Table(Builder& out) : out_(out) {}

  /// `| Method | Mean | …`, or a record of the CSV. False: it is no header.
  template <class Cells>
  bool header(const Cells& cells) {
    columns_.clear();
    for (const auto& cell : cells) {
      Column column{std::string(trimmed(cell)), 0};
      // `Mean [ns]`: the unit stands in the head only.
      const auto open = column.name.find(" [");
      if (open != std::string::npos && column.name.ends_with("]")) {
        const auto unit = column.name.substr(open + 2, column.name.size() - open - 3);
        if (!any_unit(unit, column.factor) && !bytes_in("1 " + unit, 1024, column.factor)) column.factor = 0;
        column.name.resize(open);
      }
      column.allocated = column.name == "Allocated";
      column.figure = column.name.starts_with("Gen") || column.name == "Op/s";
      columns_.push_back(std::move(column));
    }
    method_ = index("Method");
    mean_ = index("Mean");
    value_ = out_.options().average == Average::median ? index("Median") : mean_;
    deviation_ = out_.options().average == Average::median ? columns_.size() : index("StdDev");
    return method_ < columns_.size() && mean_ < columns_.size();
  }

  template <class Cells>
  void row(const Cells& cells) {
    const auto cell = [&](std::size_t at) -> std::string_view {
      return at < cells.size() ? trimmed(cells[at]) : std::string_view{};
    };
    const auto time = [&](std::size_t at) -> std::optional<double> {
      double ns = 0;
      if (at >= std::min(cells.size(), columns_.size())) return {};
      const auto text = cell(at);
      if (duration_in(text, ns)) return ns;
      if (columns_[at].factor == 0 || !any_number(text, ns)) return {};
      return ns * columns_[at].factor;
    };
    auto name = cell(method_);
    if (name.size() > 2 && name.front() == '\'' && name.back() == '\'') name = name.substr(1, name.size() - 2);
    const auto value = time(value_);
    if (!name_fits(name) || !value) {
      if (cell(mean_) == "NA") out_.warn("benchmarks without a result (NA) are left out");
      return;
    }
    out_.benchmark(name);
    const auto deviation = time(deviation_);
    if (deviation)
      out_.latency({*value, *value - *deviation, *value + *deviation});
    else
      out_.latency({*value, {}, {}});
    figures(cells);
    if (out_.wants_distinct_names()) distinct(name, cells);
  }

 private:
  struct Column {
    std::string name;
    double factor;
    bool allocated = false, figure = false;
  };

  std::size_t index(std::string_view name) const {
    return static_cast<std::size_t>(
        std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) { return c.name == name; }) -
        columns_.begin());
  }

  template <class Cells>
  void figures(const Cells& cells) {
    for (std::size_t i = 0; i < std::min(columns_.size(), std::size(cells)); ++i) {
      if (!columns_[i].allocated && !columns_[i].figure) continue;
      const auto& name = columns_[i].name;
      const auto text = trimmed(cells[i]);
      double value = 0;
      if (columns_[i].allocated) {
        if (bytes_in(text, 1024, value) || (columns_[i].factor != 0 && any_number(text, value))) {
          if (columns_[i].factor != 0) value *= columns_[i].factor;
          out_.metric(out_.measure("allocated"), {value, {}, {}});
        } else if (text == "-") {
          out_.metric(out_.measure("allocated"), {0, {}, {}});
        }
      } else if (any_number(text, value)) {
        out_.extra(name, value);
      }
    }
  }

  /// `Method(N=10)`: with the columns that are neither results nor the job.
  template <class Cells>
  void distinct(std::string_view name, const Cells& cells) {
    std::string parameters, type;
    const auto mean = mean_;
    // The CSV has all of the job's settings, too many for a name.
    const bool csv = columns_.size() > 30;
    for (std::size_t i = 0; i < std::min(mean, std::size(cells)); ++i) {
      const auto& column = columns_[i].name;
      const auto value = trimmed(cells[i]);
      if (column == "Type" || column == "Namespace") {
        type.append(value).append(".");
      } else if (!csv &&
                 std::find(std::begin(known_columns), std::end(known_columns), column) == std::end(known_columns)) {
        parameters += fmt::format("{}{}={}", parameters.empty() ? "" : ", ", name_part(column), value);
      }
    }
    if (csv) {
      // Parameters stand right before the mean, behind the last setting of the job.
      const auto last = index("WarmupCount");
      for (auto i = last + 1; last < mean && i < std::min(mean, std::size(cells)); ++i)
        parameters +=
            fmt::format("{}{}={}", parameters.empty() ? "" : ", ", name_part(columns_[i].name), trimmed(cells[i]));
    }
    out_.distinct_name(fmt::format("{}{}{}{}{}", type, name, parameters.empty() ? "" : "(", parameters,
                                   parameters.empty() ? "" : ")"));
  }

  Builder& out_;
  std::vector<Column> columns_;
  std::size_t method_ = 0, mean_ = 0, value_ = 0, deviation_ = 0;
};

bool is_rule(const std::vector<std::string_view>& cells) {
  return std::all_of(cells.begin(), cells.end(),
                     [](std::string_view c) { return c.find_first_not_of("-: ") == std::string_view::npos; });
}

}  // namespace

Result<void> read_dot_net_text(std::string_view text, Builder& out) {
  Table table(out);
  bool in_table = false;
  std::vector<std::string_view> cells;
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (!pipe_cells(line, cells)) {
      if (line.starts_with("Method,") || line.starts_with("Method;")) {
        auto csv = between(line.data(), text.data() + text.size());
        const char separator = line[6];
        CsvRecord record;
        if (!record.take(csv, separator) || !table.header(record)) continue;
        while (record.take(csv, separator))
          table.row(record);
        break;
      }
      // An empty line ends a table in Markdown; the console has one before it only.
      in_table = false;
      continue;
    }
    if (!in_table)
      in_table = table.header(cells);
    else if (!is_rule(cells))
      table.row(cells);
  }
  if (out.empty()) return no_match(text, nullptr, "| Method | Mean | Error | StdDev |");
  return {};
}

}  // namespace bencher::adapter
