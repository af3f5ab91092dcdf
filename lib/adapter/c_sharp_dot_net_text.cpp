// BenchmarkDotNet's summary, as it is printed and as its Markdown and CSV reports have it; the JSON is in
// c_sharp_dot_net.cpp.

#include <algorithm>
#include <cstring>
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

/// Whether a figure such as `20.425,7 ns` or `0,5 us` has a comma as its decimal point; nothing where that is open.
std::optional<bool> has_decimal_comma(std::string_view figure) {
  const auto number = figure.substr(0, std::min(figure.find_first_not_of("0123456789.,-\u00a0\u202f"), figure.size()));
  const auto comma = number.rfind(','), dot = number.rfind('.');
  if (comma == std::string_view::npos)
    return dot == std::string_view::npos || number.size() - dot - 1 == 3 ? std::nullopt : std::optional(false);
  if (dot != std::string_view::npos) return comma > dot;
  if (number.find(',') != comma) return false;
  const auto before = trimmed(number.substr(0, comma));
  if (before == "0" || before == "-0" || number.size() - comma - 1 != 3) return true;
  return {};
}

/// Markdown for GitHub has names as in HTML.
std::string unescaped(std::string_view text) {
  static constexpr std::pair<std::string_view, char> escapes[]{
      {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#39;", '\''}, {"&#124;", '|'}, {"\\|", '|'}};
  std::string out;
  while (!text.empty()) {
    const auto* found = std::find_if(std::begin(escapes), std::end(escapes),
                                     [&](const auto& escape) { return text.starts_with(escape.first); });
    out += found == std::end(escapes) ? text.front() : found->second;
    text.remove_prefix(found == std::end(escapes) ? 1 : found->first.size());
  }
  return out;
}

/// Whether there may be an ampersand in a line: it looks at some thousand bytes at once, which the lines then find
/// near.
class Ampersands {
 public:
  explicit Ampersands(std::string_view text) : end_(text.data() + text.size()), seen_(text.data()) {}

  bool near(std::string_view line) {
    const char* const end = line.data() + line.size();
    if (end > seen_) look(line.data());
    return has_ || end > seen_;
  }

 private:
  void look(const char* from) {
    constexpr std::ptrdiff_t part = 8192;
    seen_ = end_ - from > part ? from + part : end_;
    has_ = std::memchr(from, '&', static_cast<std::size_t>(seen_ - from)) != nullptr;
  }

  const char* end_;
  const char* seen_;
  bool has_ = false;
};

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
    culture_ = Culture::open;
    return method_ < columns_.size() && mean_ < columns_.size();
  }

  /// `html`: names may be as in HTML.
  template <class Cells>
  void row(const Cells& cells, bool html) {
    if (culture_ == Culture::open) find_culture(cells);
    if (culture_ == Culture::comma || html || !plain_row(cells)) other_row(cells, html);
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

  /// False: it has no result, or not one that reads so. Inlined, for which rows are 7 % faster.
  template <class Cells>
  [[gnu::always_inline]] bool plain_row(const Cells& cells) {
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
    if (!name_fits(name) || !value) return false;
    out_.benchmark(name);
    const auto deviation = time(deviation_);
    if (deviation)
      out_.latency({*value, *value - *deviation, *value + *deviation});
    else
      out_.latency({*value, {}, {}});
    figures(cells);
    if (out_.wants_distinct_names()) distinct(name, cells);
    return true;
  }

  /// The cells with decimal points, without what stands between thousands, and with the name as it was before HTML.
  template <class Cells>
  const std::vector<std::string_view>& plain(const Cells& cells, bool html) {
    plain_texts_.clear();
    for (std::size_t i = 0; i < std::size(cells); ++i) {
      const auto cell = trimmed(cells[i]);
      plain_texts_.push_back(i == method_ && html && cell.size() <= 8192 ? unescaped(cell)
                             : i >= mean_ && cell.size() <= 256          ? figure(cell)
                                                                         : std::string(cell));
    }
    plain_cells_.assign(plain_texts_.begin(), plain_texts_.end());
    return plain_cells_;
  }

  template <class Cells>
  [[gnu::noinline]] void other_row(const Cells& cells, bool html) {
    if (plain_row(plain(cells, html))) return;
    if (mean_ >= std::size(cells)) return;
    if (trimmed(cells[mean_]) == "NA")
      out_.warn("benchmarks without a result (NA) are left out");
    else if (method_ < std::size(cells) && !trimmed(cells[method_]).empty())
      out_.warn("rows of the table without a time that can be read are left out");
  }

  /// Figures are printed as the culture says that the benchmark ran in, with decimals: the first row mostly tells.
  template <class Cells>
  [[gnu::noinline]] void find_culture(const Cells& cells) {
    for (std::size_t i = mean_; i < std::min(columns_.size(), std::size(cells)); ++i)
      if (const auto comma = has_decimal_comma(trimmed(cells[i]))) {
        culture_ = *comma ? Culture::comma : Culture::point;
        return;
      }
  }

  std::string figure(std::string_view cell) const {
    const bool comma = culture_ == Culture::comma;
    std::string out;
    for (std::size_t i = 0; i < cell.size(); ++i) {
      const auto rest = cell.substr(i);
      if (rest.starts_with("\u00a0"))
        i += 1;
      else if (rest.starts_with("\u202f") || rest.starts_with("\u2019"))
        i += 2;
      else if (!comma || cell[i] != '.')
        out += comma && cell[i] == ',' ? '.' : cell[i];
    }
    return out;
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
  [[gnu::noinline]] void distinct(std::string_view name, const Cells& cells) {
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
  std::vector<std::string> plain_texts_;
  std::vector<std::string_view> plain_cells_;
  enum class Culture { open, point, comma } culture_ = Culture::open;
  std::size_t method_ = 0, mean_ = 0, value_ = 0, deviation_ = 0;
};

bool is_rule(const std::vector<std::string_view>& cells) {
  return std::all_of(cells.begin(), cells.end(),
                     [](std::string_view c) { return c.find_first_not_of("-: ") == std::string_view::npos; });
}

/// What separates the columns of the CSV report; a joined one has the types before the methods. 0: it is no head.
char csv_separator(std::string_view line) {
  for (const std::string_view before : {"Namespace", "Type"})
    if (line.starts_with(before) && line.size() > before.size() &&
        (line[before.size()] == ',' || line[before.size()] == ';' || line[before.size()] == '\t'))
      line.remove_prefix(before.size() + 1);
  if (!line.starts_with("Method") || line.size() < 7) return 0;
  return line[6] == ',' || line[6] == ';' || line[6] == '\t' ? line[6] : '\0';
}

}  // namespace

Result<void> read_dot_net_text(std::string_view text, Builder& out) {
  Table table(out);
  bool in_table = false;
  std::vector<std::string_view> cells;
  Ampersands ampersands(text);
  Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    if (!pipe_cells(line, cells)) {
      if (const char separator = csv_separator(line)) {
        auto csv = between(line.data(), text.data() + text.size());
        CsvRecord record;
        if (!record.take(csv, separator) || !table.header(record)) continue;
        while (record.take(csv, separator))
          table.row(record, false);
        break;
      }
      // An empty line ends a table in Markdown; the console has one before it only.
      in_table = false;
      continue;
    }
    if (!in_table) {
      // Atlassian's markup has two bars in the head.
      if (trimmed(line).starts_with("||")) std::erase(cells, std::string_view());
      in_table = table.header(cells);
    } else if (!is_rule(cells)) {
      table.row(cells, ampersands.near(line));
    }
  }
  if (out.empty() && holds(text, "Measurement_Value"))
    return Error(Errc::invalid_argument,
                 "these are single measurements: export the report as CSV, Markdown or full JSON instead");
  if (out.empty()) return no_match(text, nullptr, "| Method | Mean | Error | StdDev |");
  return {};
}

}  // namespace bencher::adapter
