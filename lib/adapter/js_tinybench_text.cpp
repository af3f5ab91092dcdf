// tinybench: the rows of `table()`, as `console.table` draws them.

#include <algorithm>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"
#include "lib/adapter/tinybench.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view bar = "\u2502", plus_minus_sign = "\u00b1";

/// `527.36`, `527.36 ± 8.00`, `527.36 ± 39.86%`, `1,670,329`.
std::optional<Metric> value_in(std::string_view text, double factor) {
  double value = 0, spread = 0;
  const auto sign = text.find(plus_minus_sign);
  if (factor == 0 || !any_number(trimmed(text.substr(0, sign)), value)) return {};
  value *= factor;
  if (sign == std::string_view::npos) return Metric{value, {}, {}};
  auto rest = trimmed(text.substr(sign + plus_minus_sign.size()));
  const bool percent = rest.ends_with('%');
  if (percent) rest.remove_suffix(1);
  if (!any_number(rest, spread)) return Metric{value, {}, {}};
  return plus_minus(value, percent ? value * (spread / 100) : spread * factor);
}

/// The cells between the bars, without quotes.
std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> out;
  line = trimmed(line);
  while (line.starts_with(bar)) {
    line.remove_prefix(bar.size());
    auto end = std::min(line.find(bar), line.size());
    auto cell = trimmed(line.substr(0, end));
    // A bar within quotes is one of the text.
    if (const char quote = cell.empty() ? ' ' : cell.front(); quote == '\'' || quote == '"')
      while (end < line.size() && (cell.size() < 2 || cell.back() != quote)) {
        end = std::min(line.find(bar, end + bar.size()), line.size());
        cell = trimmed(line.substr(0, end));
      }
    if (cell.size() >= 2 && (cell.front() == '\'' || cell.front() == '"') && cell.back() == cell.front())
      cell = cell.substr(1, cell.size() - 2);
    out.push_back(cell);
    line.remove_prefix(end);
  }
  return out;
}

}  // namespace

bool take_cell(TinybenchFigures& out, std::string_view column, std::string_view text) {
  const auto open = column.rfind('('), close = column.rfind(')');
  const auto unit = open == std::string_view::npos || close == std::string_view::npos || close < open
                        ? std::string_view("ns")
                        : column.substr(open + 1, close - open - 1);
  if (column == "Error" || (column == "Remarks" && text == "aborted")) {
    out.failed |= !text.empty();
  } else if (column == "Margin") {
    if (text.starts_with(plus_minus_sign)) text.remove_prefix(plus_minus_sign.size());
    if (text.ends_with('%')) text.remove_suffix(1);
    double margin = 0;
    if (any_number(trimmed(text), margin)) out.margin = margin;
  } else if (column.starts_with("Latency med")) {
    out.median = value_in(text, any_time_factor(unit));
  } else if (column.starts_with("Latency av") || column.starts_with("Average Time")) {
    out.mean = value_in(text, any_time_factor(unit));
  } else if (column.starts_with("Throughput med")) {
    out.throughput_median = value_in(text, 1);
  } else if (column.starts_with("Throughput av") || column == "ops/sec") {
    out.throughput_mean = value_in(text, 1);
  } else {
    return false;
  }
  return true;
}

Result<void> read_tinybench_text(std::string_view text, Builder& out) {
  Lines lines(text);
  std::vector<std::string_view> columns;
  std::size_t names = 0, errors = 0;  ///< which columns they are
  bool failures = false;
  for (std::string_view line; lines.next_with(bar, line);) {
    const auto cells = cells_of(line);
    const auto name = std::find_if(cells.begin(), cells.end(),
                                   [](std::string_view cell) { return cell == "Task name" || cell == "Task Name"; });
    if (name != cells.end()) {
      columns = cells;
      names = static_cast<std::size_t>(name - cells.begin());
      errors = static_cast<std::size_t>(std::find(cells.begin(), cells.end(), "Error") - cells.begin());
      continue;
    }
    if (cells.size() > columns.size() || cells.size() <= names || !name_fits(cells[names])) continue;
    // A stack, which is the last column, may go on in lines below.
    if (cells.size() < columns.size() && (errors >= cells.size() || cells[errors].empty())) continue;
    TinybenchFigures figures;
    bool any = false;
    for (std::size_t i = 0; i < cells.size(); ++i)
      any |= take_cell(figures, columns[i], cells[i]);
    if (any) failures |= !add(cells[names], figures, out);
  }
  if (!out.empty()) return {};
  if (failures) return no_results("task in it that gave a result");
  return no_match(text, nullptr, "\u2502 Task name \u2502 Latency avg (ns) \u2502 Latency med (ns) \u2502");
}

}  // namespace bencher::adapter
