// What hyperfine prints, and its exports as CSV, Markdown, org-mode and AsciiDoc; the JSON is in shell_hyperfine.cpp.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form =
    "Benchmark 1: COMMAND, and below it 'Time (mean \u00b1 \u03c3): 1.2 ms \u00b1 0.1 ms'";
constexpr double from_s = 1e9;

bool wants_median(const Builder& out) {
  return out.options().average == Average::median;
}

/// `command,mean,stddev,median,user,system,min,max`, in seconds, and a column for each parameter.
void read_csv(std::string_view text, Builder& out) {
  CsvRecord cells;
  if (!cells.take(text, ',')) return;
  const std::vector<std::string> header(cells.begin(), cells.end());
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const auto mean_at = column("mean"), deviation_at = column("stddev"), median_at = column("median"),
             min_at = column("min"), max_at = column("max"), user_at = column("user"), system_at = column("system");
  const bool has_parameters =
      std::any_of(header.begin(), header.end(), [](const auto& cell) { return cell.starts_with("parameter_"); });
  while (cells.take(text, ',')) {
    const auto number = [&](std::size_t i) -> std::optional<double> {
      double value = 0;
      if (i >= cells.size() || !any_number(trimmed(cells[i]), value)) return {};
      return value;
    };
    const auto mean = number(mean_at), deviation = number(deviation_at), median = number(median_at);
    if (cells.size() < 2 || !name_fits(cells[0]) || !(wants_median(out) ? median : mean)) continue;
    out.benchmark(cells[0]);
    if (wants_median(out)) {
      Metric latency{*median * from_s, {}, {}};
      if (const auto min = number(min_at)) latency.lower = *min * from_s;
      if (const auto max = number(max_at)) latency.upper = *max * from_s;
      out.latency(latency);
    } else if (deviation) {
      out.latency({*mean * from_s, (*mean - *deviation) * from_s, (*mean + *deviation) * from_s});
    } else {
      out.latency({*mean * from_s, {}, {}});
    }
    if (const auto user = number(user_at)) out.extra("user", *user * from_s);
    if (const auto system = number(system_at)) out.extra("system", *system * from_s);
    if (!has_parameters) continue;
    std::string parameters;
    for (std::size_t i = 0; i < std::min(header.size(), cells.size()); ++i)
      if (header[i].starts_with("parameter_"))
        parameters += fmt::format("{}{}={}", parameters.empty() ? "" : ", ", name_part(header[i]).substr(10), cells[i]);
    if (!parameters.empty()) out.distinct_name(fmt::format("{} ({})", cells[0], parameters));
  }
}

/// `1.2 ms`, cut off.
bool take_time(Cursor& at, double& ns) {
  double factor = 0;
  at.skip();
  if (!any_number(at.word(), ns) || !at.blanks()) return false;
  auto unit = at.word();
  while (unit.ends_with(',') || unit.ends_with(']'))
    unit.remove_suffix(1);
  if (!any_unit(unit, factor)) return false;
  ns *= factor;
  at.skip();
  return true;
}

void read_console(std::string_view text, Builder& out) {
  Lines lines(text);
  std::string_view name;
  for (std::string_view line; lines.next(line);) {
    const auto shown = trimmed(after_return(line));
    Cursor at(shown);
    if (at.take("Benchmark ")) {
      (void)at.take('#');
      const auto colon = shown.find(": ");
      if (at.integer() && colon != std::string_view::npos) name = trimmed(shown.substr(colon + 2));
      continue;
    }
    if (!at.take("Time (") || !name_fits(name)) continue;
    const auto colon = shown.find(':');
    if (colon == std::string_view::npos) continue;
    at = Cursor(shown.substr(colon + 1));
    double mean = 0, deviation = 0, user = 0, system = 0;
    if (!take_time(at, mean)) continue;
    out.benchmark(name);
    if (at.take("\u00b1") && take_time(at, deviation))
      out.latency({mean, mean - deviation, mean + deviation});
    else
      out.latency({mean, {}, {}});
    if (at.take("[User:") && take_time(at, user)) out.extra("user", user);
    if (at.take("System:") && take_time(at, system)) out.extra("system", system);
    name = {};
  }
}

/// `Command`, `Mean [ms]`, `Min [ms]`, `Max [ms]`, `Relative`: a header, and below it a row for each command.
class Table {
 public:
  explicit Table(Builder& out) : out_(out) {}

  void row(const std::vector<std::string_view>& cells) {
    if (cells.size() < 2) return;
    if (cells[0] == "Command") return header(cells);
    if (factor_ == 0 || mean_at_ >= cells.size()) return;
    const auto name = command(cells[0]);
    auto value = cells[mean_at_];
    double mean = 0, deviation = 0;
    if (!name_fits(name) || !take_number(value, mean)) return;
    out_.benchmark(name);
    value = trimmed(value);
    if (value.starts_with("\u00b1") && any_number(trimmed(value.substr(2)), deviation))
      out_.latency({mean * factor_, (mean - deviation) * factor_, (mean + deviation) * factor_});
    else
      out_.latency({mean * factor_, {}, {}});
  }

 private:
  void header(const std::vector<std::string_view>& cells) {
    const auto mean = std::find_if(cells.begin(), cells.end(), [](auto c) { return c.starts_with("Mean ["); });
    factor_ = 0;
    if (mean == cells.end() || !mean->ends_with(']')) return;
    mean_at_ = static_cast<std::size_t>(mean - cells.begin());
    if (!any_unit(mean->substr(6, mean->size() - 7), factor_)) factor_ = 0;
  }

  /// Without the signs of code around it, `` ` `` or in org-mode `=`, and with the `|` that a table has as `\|`.
  std::string_view command(std::string_view cell) {
    if (cell.size() > 2 && (cell.front() == '`' || cell.front() == '=') && cell.back() == cell.front())
      cell = cell.substr(1, cell.size() - 2);
    if (cell.find("\\|") == std::string_view::npos) return cell;
    name_.clear();
    for (std::size_t i = 0; i < cell.size(); ++i)
      if (!cell.substr(i).starts_with("\\|")) name_ += cell[i];
    return name_;
  }

  Builder& out_;
  double factor_ = 0;
  std::size_t mean_at_ = 0;
  std::string name_;
};

/// Markdown and org-mode: `| Command | Mean [ms] |`.
void read_pipes(std::string_view text, Builder& out) {
  Lines lines(text);
  Table table(out);
  std::vector<std::string_view> cells;
  for (std::string_view line; lines.next_with("|", line);)
    if (pipe_cells(line, cells)) table.row(cells);
}

/// AsciiDoc: each cell in a line of its own, `| Mean [ms]`, an empty line between rows, `|===` around all. Before
/// version 1.15 the header is one line.
void read_asciidoc(std::string_view text, Builder& out) {
  Lines lines(text);
  Table table(out);
  std::vector<std::string_view> cells;
  bool inside = false;
  for (std::string_view line; lines.next(line);) {
    line = trimmed(line);
    const bool edge = line == "|===";
    if (line.empty() || edge) {
      table.row(cells);
      cells.clear();
      inside ^= edge;
    } else if (inside && cells.empty() && line.starts_with("| Command |")) {
      (void)pipe_cells(line, cells);
    } else if (inside && line.starts_with('|') && cells.size() < most_columns) {
      cells.push_back(trimmed(line.substr(1)));
    }
  }
}

}  // namespace

Result<void> read_hyperfine_text(std::string_view text, Builder& out) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("command,mean", line);)
    if (line.starts_with("command,mean")) {
      read_csv(between(line.data(), text.data() + text.size()), out);
      break;
    }
  if (out.empty() && wants_median(out))
    return Error(Errc::invalid_argument,
                 "what hyperfine prints has no median: export its results as JSON or CSV, or leave the average out");
  if (out.empty()) read_console(text, out);
  if (out.empty()) read_pipes(text, out);
  if (out.empty() && holds(text, "|===")) read_asciidoc(text, out);
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
