// perf, plot

#include <algorithm>
#include <array>
#include <ostream>

#include <fmt/format.h>

#include "bencher/base/timestamp.hpp"

#include "apps/cli/api.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {

const Positional project{"project", &resource_id, "UUID or slug of the project"};
const Positional plot{"plot", &uuid, "UUID of the plot"};
constexpr auto required = Credential::required, optional = Credential::optional;

/// A horizontal line: left end, filling, crossing, right end. No filling: no line.
struct Rule {
  std::string_view left, fill, cross, right;
};
struct Style {
  std::string_view name;
  Rule top, header, between, bottom;
  std::string_view left, middle, right;  ///< of a row
};
constexpr std::array styles{
    Style{"empty", {}, {}, {}, {}, "", "", ""},
    Style{"blank", {}, {}, {}, {}, "", " ", ""},
    Style{
        "ascii", {"+", "-", "+", "+"}, {"+", "-", "+", "+"}, {"+", "-", "+", "+"}, {"+", "-", "+", "+"}, "|", "|", "|"},
    Style{"ascii_rounded", {".", "-", "-", "."}, {}, {}, {"'", "-", "-", "'"}, "|", "|", "|"},
    Style{"modern",
          {"┌", "─", "┬", "┐"},
          {"├", "─", "┼", "┤"},
          {"├", "─", "┼", "┤"},
          {"└", "─", "┴", "┘"},
          "│",
          "│",
          "│"},
    Style{"sharp", {"┌", "─", "┬", "┐"}, {"├", "─", "┼", "┤"}, {}, {"└", "─", "┴", "┘"}, "│", "│", "│"},
    Style{"rounded", {"╭", "─", "┬", "╮"}, {"├", "─", "┼", "┤"}, {}, {"╰", "─", "┴", "╯"}, "│", "│", "│"},
    Style{"psql", {}, {"", "-", "+", ""}, {}, {}, "", "|", ""},
    Style{"markdown", {}, {"|", "-", "|", "|"}, {}, {}, "|", "|", "|"},
    Style{"re_structured_text", {"", "=", " ", ""}, {"", "=", " ", ""}, {}, {"", "=", " ", ""}, "", " ", ""},
    Style{"extended",
          {"╔", "═", "╦", "╗"},
          {"╠", "═", "╬", "╣"},
          {"╠", "═", "╬", "╣"},
          {"╚", "═", "╩", "╝"},
          "║",
          "║",
          "║"},
    Style{
        "dots", {".", ".", ".", "."}, {":", ".", ":", ":"}, {":", ".", ":", ":"}, {":", ".", ":", ":"}, ":", ":", ":"},
};

using Row = std::array<std::string, 14>;

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string time_text(const json::Value& time) {
  const auto parsed = Timestamp::parse(time.text());
  if (!parsed) return time.text();
  auto text = parsed->str();  // 2024-07-11T06:23:00Z
  text[10] = ' ';
  text.pop_back();
  return text + " UTC";
}

std::vector<Row> rows_of(const json::Value& perf) {
  std::vector<Row> out{{"Project", "Branch", "Testbed", "Benchmark", "Measure", "Iteration", "Start Time", "End Time",
                        "Version Number", "Version Hash", "Metric Value", "Boundary Baseline", "Lower Boundary Limit",
                        "Upper Boundary Limit"}};
  for (const auto& result : perf["results"].items()) {
    for (const auto& metric : result["metrics"].items()) {
      out.push_back({perf["project"]["name"].text(), result["branch"]["name"].text(), result["testbed"]["name"].text(),
                     result["benchmark"]["name"].text(),
                     fmt::format("{}: {}", result["measure"]["name"].text(), result["measure"]["units"].text()),
                     metric["iteration"].text(), time_text(metric["start_time"]), time_text(metric["end_time"]),
                     metric["version"]["number"].text(), metric["version"]["hash"].text(),
                     metric["metric"]["value"].text(), metric["boundary"]["baseline"].text(),
                     metric["boundary"]["lower_limit"].text(), metric["boundary"]["upper_limit"].text()});
    }
  }
  // Names come from elsewhere; a table has one line a row.
  for (auto& row : out)
    for (auto& cell : row)
      std::replace_if(
          cell.begin(), cell.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

void print_table(std::ostream& out, const std::vector<Row>& rows, const Style& style) {
  std::array<std::size_t, 14> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i]));
  const auto rule = [&](const Rule& r) {
    if (r.fill.empty()) return;
    out << r.left;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (i) out << r.cross;
      for (std::size_t n = 0; n < widths[i] + 2; ++n)
        out << r.fill;
    }
    out << r.right << '\n';
  };
  rule(style.top);
  for (std::size_t n = 0; n < rows.size(); ++n) {
    if (n == 1) rule(style.header);
    if (n > 1) rule(style.between);
    out << style.left;
    for (std::size_t i = 0; i < widths.size(); ++i)
      out << (i ? style.middle : "") << ' ' << rows[n][i] << std::string(widths[i] - width(rows[n][i]) + 1, ' ');
    out << style.right << '\n';
  }
  rule(style.bottom);
}

Exit perf(World& world, const Command& command, const Arguments& arguments) {
  const auto request = build_request(command, arguments);
  Api api(world, command, arguments);
  const auto answer = api.call(request);
  if (!arguments.has("table")) {
    world.out << answer.body.indented({.sort_keys = true, .leave_out_nulls = true}) << '\n';
    return Exit::ok;
  }
  const auto name = arguments.get_or("table", "");
  const auto style = std::find_if(styles.begin(), styles.end(),
                                  [&](const Style& s) { return s.name == (name.empty() ? "ascii" : name); });
  print_table(world.out, rows_of(answer.body), *style);
  return Exit::ok;
}

std::vector<Flag> plot_lists() {
  return {flag("branches", uuid, "A branch").list(), flag("testbeds", uuid, "A testbed").list(),
          flag("benchmarks", uuid, "A benchmark").list(), flag("measures", uuid, "A measure").list()};
}

}  // namespace

void add_perf(std::vector<Command>& table) {
  table.push_back(
      {.path = "perf",
       .summary = "Query metrics",
       .run = perf,
       .positionals = {project},
       .flags = {flag("branches", uuid, "A branch").list().required(),
                 flag("heads", uuid, "A head of the branch in the same place ('_': its current one)").list().none(),
                 flag("testbeds", uuid, "A testbed").list().required(),
                 flag("specs", uuid, "A spec of the testbed in the same place ('_': any)").list().none(),
                 flag("benchmarks", uuid, "A benchmark").list().required(),
                 flag("measures", uuid, "A measure").list().required(),
                 flag("start-time", unix_seconds, "Only from then on (seconds since 1970)").milliseconds(),
                 flag("end-time", unix_seconds, "Only until then (seconds since 1970)").milliseconds(),
                 flag("table", word, "Print a table instead of JSON")
                     .optional_value()
                     .one_of("empty blank ascii ascii_rounded modern sharp rounded psql markdown re_structured_text "
                             "extended dots")
                     .in(Place::none)},
       .credential = optional,
       .method = "GET",
       .url = "/v0/projects/{project}/perf"});

  table.push_back({.path = "plot list",
                   .aliases = "ls",
                   .summary = "List pinned plots",
                   .positionals = {project},
                   .flags = std::vector{flag("title", resource_name, "Only the one of that title"),
                                        flag("search", text, "Only those that match")} +
                            pages("index title"),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/plots"});
  auto create_lists = plot_lists();
  for (auto& one : create_lists)
    one.required();
  table.push_back(
      {.path = "plot create",
       .aliases = "add",
       .summary = "Pin a plot",
       .positionals = {project},
       .flags = std::vector{flag("index", plot_index, "Its place"), flag("title", resource_name, "Its title"),
                            flag("lower-value", "Show lower values").always(),
                            flag("upper-value", "Show upper values").always(),
                            flag("lower-boundary", "Show lower boundaries").always(),
                            flag("upper-boundary", "Show upper boundaries").always(),
                            flag("x-axis", word, "What runs to the right").required().one_of("date_time version"),
                            flag("y-axis", word, "How values are spread").one_of("auto linear log").by_default("auto"),
                            flag("window", positive_u32, "Seconds back that it shows").required()} +
                create_lists,
       .credential = required,
       .method = "POST",
       .url = "/v0/projects/{project}/plots"});
  table.push_back({.path = "plot view",
                   .aliases = "get",
                   .summary = "View a pinned plot",
                   .positionals = {project, plot},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/plots/{plot}"});
  table.push_back(
      {.path = "plot update",
       .aliases = "edit",
       .summary = "Update a pinned plot",
       .positionals = {project, plot},
       .flags = std::vector{flag("index", plot_index, "New place"), flag("title", resource_name, "New title").none(),
                            flag("lower-value", boolean, "Show lower values"),
                            flag("upper-value", boolean, "Show upper values"),
                            flag("lower-boundary", boolean, "Show lower boundaries"),
                            flag("upper-boundary", boolean, "Show upper boundaries"),
                            flag("x-axis", word, "What runs to the right").one_of("date_time version"),
                            flag("y-axis", word, "How values are spread").one_of("auto linear log"),
                            flag("window", positive_u32, "Seconds back that it shows")} +
                plot_lists(),
       .credential = required,
       .method = "PATCH",
       .url = "/v0/projects/{project}/plots/{plot}"});
  table.push_back({.path = "plot delete",
                   .aliases = "rm",
                   .summary = "Unpin a plot",
                   .positionals = {project, plot},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/plots/{plot}"});
}

}  // namespace bencher::cli
