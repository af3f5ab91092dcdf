#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bencher/base/encoding.hpp"

#include "lib/render/parts.hpp"

namespace bencher::render {
namespace {

/// Without control characters, which a name from elsewhere could steer the terminal with.
std::string plain(std::string_view text) {
  auto out = to_valid_utf8(text);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

/// Columns that a terminal takes for it, one a code point.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(std::string text, std::size_t to, bool right) {
  const auto have = width(text);
  if (have >= to) return text;
  return right ? std::string(to - have, ' ') + text : text + std::string(to - have, ' ');
}

class Painter {
 public:
  explicit Painter(bool colour) : colour_(colour) {}
  std::string red(std::string text) const { return wrap("31", std::move(text)); }
  std::string bold(std::string text) const { return wrap("1", std::move(text)); }

 private:
  std::string wrap(std::string_view code, std::string text) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }
  bool colour_;
};

/// The scale of one row: its own, so that the smallest of its numbers is readable.
Scale row_scale(const Report::Measure& measure, std::optional<double> value, const Boundary& boundary) {
  double smallest = value.value_or(0);
  for (const auto& limit : {boundary.lower_limit, boundary.upper_limit})
    if (limit) smallest = std::min(smallest, *limit);
  return scale_for(measure.units, smallest);
}

std::string limits(const Boundary& boundary, const Scale& scale) {
  const auto& [baseline, lower, upper] = boundary;
  if (lower && upper) return fmt::format("{} … {}", scaled(*lower, scale), scaled(*upper, scale));
  if (lower) return "≥ " + scaled(*lower, scale);
  if (upper) return "≤ " + scaled(*upper, scale);
  return "-";
}

struct Line {
  std::array<std::string, 6> cells;
  bool alert = false;
};

std::string table(const std::vector<Line>& lines, const Painter& paint) {
  const std::array<std::string, 6> head{"Benchmark", "Measure", "Value", "Baseline", "Change", "Limit"};
  std::array<std::size_t, 6> widths{};
  for (std::size_t i = 0; i < head.size(); ++i) {
    widths[i] = width(head[i]);
    for (const auto& line : lines)
      widths[i] = std::max(widths[i], width(line.cells[i]));
  }
  const auto row = [&](const std::array<std::string, 6>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i)
      out += (i == 0 ? "  " : "  ") + padded(cells[i], widths[i], i >= 2 && i <= 4);
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
  };
  auto out = paint.bold(row(head)) + "\n";
  for (const auto& line : lines) {
    auto text = row(line.cells);
    if (line.alert) text[0] = '!';
    out += (line.alert ? paint.red(text) : text) + "\n";
  }
  return out;
}

std::string alerts_text(const Report& report, const Links& links, const Painter& paint, bool with_links) {
  const auto count = report.alerts.size();
  auto out = paint.red(paint.bold(count == 1 ? "1 alert" : fmt::format("{} alerts", count))) + "\n";
  for (const auto& alert : report.alerts) {
    const auto scale = row_scale(alert.measure, alert.value, alert.boundary);
    const bool lower = alert.limit == Limit::lower;
    const auto& limit = lower ? alert.boundary.lower_limit : alert.boundary.upper_limit;
    auto text = fmt::format("! {} ({}): {}", plain(alert.benchmark.name), plain(alert.measure.name),
                            alert.value ? scaled(*alert.value, scale) : "no value");
    if (limit) text += fmt::format(" is {} the limit {}", lower ? "under" : "over", scaled(*limit, scale));
    if (alert.value && alert.boundary.baseline)
      text += fmt::format(", {} from the baseline {}", change_percent(*alert.value, *alert.boundary.baseline),
                          scaled(*alert.boundary.baseline, scale));
    if (report.iterations.size() > 1) text += fmt::format(", iteration {}", alert.iteration);
    if (!alert.active) text += " (no longer active)";
    out += paint.red(text) + "\n";
    if (with_links) out += "    " + links.alert(alert) + "\n";
  }
  return out;
}

}  // namespace

std::string terminal(const Report& report, const TerminalOptions& options) {
  const Links links(report, options.console_url);
  const Painter paint(options.colour);
  const bool several = report.iterations.size() > 1;
  const bool with_links = !options.console_url.empty();
  std::string out;

  if (options.summary) {
    if (!report.alerts.empty()) out += alerts_text(report, links, paint, with_links) + "\n";
    for (std::size_t i = 0; i < report.iterations.size(); ++i) {
      if (report.iterations[i].empty()) continue;
      if (several) out += paint.bold(fmt::format("Iteration {}", i)) + "\n";
      std::vector<Line> lines;
      for (const auto& benchmark : report.iterations[i]) {
        for (const auto& row : benchmark.rows) {
          const auto scale = row_scale(row.measure, row.value, row.boundary);
          auto& line = lines.emplace_back();
          line.alert = find_alert(report, i, benchmark, row.measure) != nullptr;
          line.cells = {plain(benchmark.name),
                        plain(row.measure.name),
                        row.value ? scaled(*row.value, scale) : "-",
                        row.boundary.baseline ? scaled(*row.boundary.baseline, scale) : "-",
                        row.value && row.boundary.baseline ? change_percent(*row.value, *row.boundary.baseline) : "-",
                        limits(row.boundary, scale)};
        }
      }
      out += table(lines, paint) + "\n";
    }
  }

  if (!report.noise.empty()) out += report.noise + "\n";
  // Without a console there is nothing to look at.
  if (with_links) out += fmt::format("View report: {}\n", links.report());
  if (!report.has_benchmarks()) out += "\nWarning: this report has no benchmarks.\n";
  if (!with_links) return out;
  if (report.has_benchmarks()) {
    out += "\nView results:\n";
    for (std::size_t i = 0; i < report.iterations.size(); ++i) {
      if (several) out += fmt::format("Iteration {}:\n", i);
      for (const auto& benchmark : report.iterations[i])
        for (const auto& row : benchmark.rows)
          out += fmt::format("- {} ({}): {}\n", plain(benchmark.name), plain(row.measure.name),
                             links.plot(benchmark, row.measure, row.boundary.lower_limit.has_value(),
                                        row.boundary.upper_limit.has_value()));
    }
  }
  if (!report.alerts.empty()) {
    out += "\nView alerts:\n";
    for (const auto& alert : report.alerts)
      out += fmt::format(
          "- {} ({}){}: {}\n", plain(alert.benchmark.name), plain(alert.measure.name),
          several ? fmt::format(" (iteration {})", alert.iteration) : "",
          links.plot(alert.benchmark, alert.measure, alert.limit == Limit::lower, alert.limit == Limit::upper));
  }
  if (!report.claimed) out += fmt::format("\nClaim this project: {}\n", links.claim());
  return out;
}

}  // namespace bencher::render
