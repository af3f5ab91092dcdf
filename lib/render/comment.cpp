#include <algorithm>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "bencher/base/encoding.hpp"

#include "lib/render/parts.hpp"

namespace bencher::render {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : to_valid_utf8(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n':
      case '\r':
        out += ' ';  // the comment stays one line
        break;
      default: out += c;
    }
  }
  return out;
}

/// `text` is HTML already.
std::string link(std::string_view url, std::string_view text) {
  return fmt::format("<a href=\"{}\">{}</a>", escaped(url), text);
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts)
    out += (out.empty() ? "" : "<br />") + part;
  return out;
}

std::string value_cell(std::optional<double> value, const Boundary& boundary, const Scale& scale, bool bold) {
  if (!value) return "<td></td>";
  auto text = escaped(scaled(*value, scale));
  if (boundary.baseline)
    text += fmt::format("<br /><details><summary>({})</summary>Baseline: {}</details>",
                        change_percent(*value, *boundary.baseline), escaped(scaled(*boundary.baseline, scale)));
  return bold ? fmt::format("<td><b>{}</b></td>", text) : fmt::format("<td>{}</td>", text);
}

std::string limit_cell(std::optional<double> limit, std::optional<double> value, bool lower, const Scale& scale,
                       bool bold) {
  if (!limit || !value) return "<td></td>";
  const double percent = lower ? ratio_percent(*limit, *value) : ratio_percent(*value, *limit);
  const auto text = fmt::format("{}<br />({}%)", escaped(scaled(*limit, scale)), number(percent));
  // The two breaks line it up with the value beside it.
  return bold ? fmt::format("<td><b>{}<br /><br /></b></td>", text) : fmt::format("<td>{}</td>", text);
}

void lower_to(double& smallest, std::optional<double> value, const Boundary& boundary) {
  for (const auto& one : {value, boundary.lower_limit, boundary.upper_limit})
    if (one) smallest = std::min(smallest, *one);
}

constexpr double nothing = std::numeric_limits<double>::infinity();

std::string scale_or_units(const Report::Measure& measure, double smallest, Scale& scale) {
  scale = scale_for(measure.units, smallest == nothing ? 0 : smallest);
  return escaped(scale.units);
}

class Comment {
 public:
  Comment(const Report& report, const CommentOptions& options)
      : report_(report), options_(options), links_(report, options.console_url, tracking()) {}

  std::string write() {
    title();
    identity();
    if (!report_.has_benchmarks())
      out_ += "<blockquote><h3>⚠️ WARNING: No benchmarks were found in this report.</h3></blockquote>";
    else if (options_.shortened)
      out_ +=
          "<blockquote><h3>⚠️ WARNING: This comment is shortened.</h3><p>The whole report is too long for a "
          "comment; "
          "follow the link below.</p></blockquote>";
    if (report_.has_benchmarks() && !options_.require_thresholds) missing_thresholds();
    alerts();
    if (!report_.noise.empty()) out_ += fmt::format("<p>⚠️ {}</p>", escaped(report_.noise));
    if (report_.has_benchmarks() && !options_.shortened) results();
    out_ += link(links_.report(), "🐰 View the full report in Bencher");
    out_ +=
        fmt::format("<div id=\"bencher.dev/projects/{}/id/{}\"></div>", escaped(report_.project.slug), escaped(id()));
    return std::move(out_);
  }

 private:
  bool hosted() const {
    return options_.console_url.starts_with("https://bencher.dev") &&
           (options_.console_url.size() == 19 || options_.console_url[19] == '/');
  }

  std::string tracking() const {
    if (!hosted()) return {};
    return fmt::format("utm_medium=referral&utm_source={}&utm_content=comment&utm_campaign=pr+comments&utm_term={}",
                       options_.source, report_.project.slug);
  }

  std::string id() const {
    if (!options_.id.empty()) return options_.id;
    return fmt::format("{}/{}/{}{}{}", report_.branch.slug, report_.testbed.slug, report_.adapter,
                       options_.build_time ? "-build_time" : "", options_.file_size ? "-file_size" : "");
  }

  void title() {
    auto console = options_.console_url;
    while (!console.empty() && console.back() == '/')
      console.pop_back();
    out_ += "<h2>" +
            link(links_.report(),
                 fmt::format("<img src=\"{}/favicon.svg\" width=\"24\" height=\"24\" alt=\"🐰\" /> Bencher Report",
                             escaped(console))) +
            "</h2>";
  }

  void identity() {
    out_ += "<table>";
    const auto row = [&](const char* label, const std::string& url, const Report::Named& what) {
      out_ += fmt::format("<tr><td>{}</td><td>{}</td></tr>", label, link(url, escaped(what.name)));
    };
    row("Project", links_.project(), report_.project);
    row("Branch", links_.branch(), report_.branch);
    row("Testbed", links_.testbed(), report_.testbed);
    out_ += "</table>";
  }

  void missing_thresholds() {
    std::vector<const Report::Measure*> missing;
    for (const auto& benchmarks : report_.iterations)
      for (const auto& benchmark : benchmarks)
        for (const auto& row : benchmark.rows)
          if (!row.threshold &&
              std::none_of(missing.begin(), missing.end(), [&](const auto* m) { return m->uuid == row.measure.uuid; }))
            missing.push_back(&row.measure);
    if (missing.empty()) return;
    std::sort(missing.begin(), missing.end(), [](const auto* a, const auto* b) {
      return std::tie(a->name, a->slug, a->units) < std::tie(b->name, b->slug, b->units);
    });
    out_ +=
        "<blockquote><h3>⚠️ WARNING: Some measures have no threshold.</h3><p>Without a threshold no result of them "
        "can "
        "raise an alert.</p>";
    if (!options_.shortened) {
      out_ += "<ul>";
      for (const auto* measure : missing)
        out_ += fmt::format("<li>{}</li>", link(links_.measure(*measure), fmt::format("{} ({})", escaped(measure->name),
                                                                                      escaped(measure->units))));
      out_ +=
          fmt::format("</ul><p>{}<br />{}<br />{}</p>", link(links_.add_threshold(), "Add a threshold in the console"),
                      link("https://bencher.dev/docs/explanation/thresholds/", "What thresholds are"),
                      link("https://bencher.dev/docs/explanation/bencher-run/#--ci-only-thresholds",
                           "Leave this warning out with --ci-only-thresholds"));
    }
    out_ += "</blockquote>";
  }

  void alerts() {
    if (report_.alerts.empty()) return;
    const auto count = report_.alerts.size();
    out_ += fmt::format("<h3>🚨 {} Alert{}</h3>", count, count == 1 ? "" : "s");
    if (options_.shortened) return;
    const bool several = report_.iterations.size() > 1;
    const auto broke = [&](Limit limit) {
      return std::any_of(report_.alerts.begin(), report_.alerts.end(), [&](const auto& a) { return a.limit == limit; });
    };
    const bool lower = broke(Limit::lower), upper = broke(Limit::upper);
    out_ += "<table><thead><tr>";
    if (several) out_ += "<th>Iteration</th>";
    out_ += "<th>Benchmark</th><th>Measure<br />Units</th><th>View</th><th>Benchmark Result<br />(Result Δ%)</th>";
    if (lower) out_ += "<th>Lower Boundary<br />(Limit %)</th>";
    if (upper) out_ += "<th>Upper Boundary<br />(Limit %)</th>";
    out_ += "</tr></thead><tbody>";
    for (const auto& alert : report_.alerts) {
      double smallest = nothing;
      lower_to(smallest, alert.value, alert.boundary);
      Scale scale;
      const auto units = scale_or_units(alert.measure, smallest, scale);
      const bool is_lower = alert.limit == Limit::lower;
      out_ += "<tr>";
      if (several) out_ += fmt::format("<td>{}</td>", alert.iteration);
      out_ += fmt::format("<td>{}</td>", link(links_.benchmark(alert.benchmark), escaped(alert.benchmark.name)));
      out_ += fmt::format("<td>{}</td>",
                          link(links_.measure(alert.measure), escaped(alert.measure.name) + "<br />" + units));
      out_ += fmt::format("<td>📈 {}<br />🚷 {}<br />🚨 {}</td>",
                          link(links_.plot(alert.benchmark, alert.measure, is_lower, !is_lower), "plot"),
                          link(links_.threshold(alert.threshold), "threshold"),
                          link(links_.alert(alert), fmt::format("alert ({})", alert.active ? "🔔" : "🔕")));
      out_ += value_cell(alert.value, alert.boundary, scale, true);
      if (lower) out_ += limit_cell(alert.boundary.lower_limit, alert.value, true, scale, is_lower);
      if (upper) out_ += limit_cell(alert.boundary.upper_limit, alert.value, false, scale, !is_lower);
      out_ += "</tr>";
    }
    out_ += "</tbody></table>";
  }

  struct Column {
    const Report::Measure* measure = nullptr;
    bool lower = false, upper = false, baseline = false;
    double smallest = nothing;
    Scale scale{};
  };

  std::vector<Column> columns(const std::vector<Report::Benchmark>& benchmarks) const {
    std::vector<Column> out;
    for (const auto& benchmark : benchmarks) {
      for (const auto& row : benchmark.rows) {
        auto at =
            std::find_if(out.begin(), out.end(), [&](const Column& c) { return c.measure->uuid == row.measure.uuid; });
        if (at == out.end()) at = out.insert(out.end(), Column{.measure = &row.measure});
        at->lower |= row.boundary.lower_limit.has_value();
        at->upper |= row.boundary.upper_limit.has_value();
        at->baseline |= row.boundary.baseline.has_value();
        lower_to(at->smallest, row.value, row.boundary);
      }
    }
    if (options_.require_thresholds) std::erase_if(out, [](const Column& c) { return !c.lower && !c.upper; });
    std::sort(out.begin(), out.end(), [](const Column& a, const Column& b) {
      return std::tie(a.measure->name, a.measure->slug, a.measure->units) <
             std::tie(b.measure->name, b.measure->slug, b.measure->units);
    });
    return out;
  }

  void results() {
    out_ += "<details><summary>All benchmark results</summary><br />";
    for (std::size_t i = 0; i < report_.iterations.size(); ++i)
      iteration(i);
    out_ += "</details>";
  }

  void iteration(std::size_t index) {
    const auto& benchmarks = report_.iterations[index];
    auto found = columns(benchmarks);
    out_ += "<table><thead><tr><th>Benchmark</th>";
    for (auto& column : found) {
      const auto units = scale_or_units(*column.measure, column.smallest, column.scale);
      out_ += fmt::format("<th>{}</th>", link(links_.measure(*column.measure), escaped(column.measure->name)));
      if (column.lower || column.upper || column.baseline)
        out_ += fmt::format("<th>Benchmark Result<br />{}<br />(Result Δ%)</th>", units);
      else
        out_ += fmt::format("<th>{}</th>", units);
      if (column.lower) out_ += fmt::format("<th>Lower Boundary<br />{}<br />(Limit %)</th>", units);
      if (column.upper) out_ += fmt::format("<th>Upper Boundary<br />{}<br />(Limit %)</th>", units);
    }
    out_ += "</tr></thead><tbody>";
    for (const auto& benchmark : benchmarks) {
      out_ += fmt::format("<tr><td>{}</td>", link(links_.benchmark(benchmark), escaped(benchmark.name)));
      for (const auto& column : found)
        cells(index, benchmark, column);
      out_ += "</tr>";
    }
    out_ += "</tbody></table>";
  }

  void cells(std::size_t index, const Report::Benchmark& benchmark, const Column& column) {
    const auto row = std::find_if(benchmark.rows.begin(), benchmark.rows.end(),
                                  [&](const auto& r) { return r.measure.uuid == column.measure->uuid; });
    if (row == benchmark.rows.end()) {
      for (int i = 2 + column.lower + column.upper; i > 0; --i)
        out_ += "<td></td>";
      return;
    }
    const auto* alert = find_alert(report_, index, benchmark, row->measure);
    std::vector<std::string> views{"📈 " +
                                   link(links_.plot(benchmark, row->measure, row->boundary.lower_limit.has_value(),
                                                    row->boundary.upper_limit.has_value()),
                                        "view plot")};
    views.push_back(row->threshold ? "🚷 " + link(links_.threshold(*row->threshold), "view threshold")
                                   : "⚠️ NO THRESHOLD");
    if (alert)
      views.push_back("🚨 " + link(links_.alert(*alert), fmt::format("view alert ({})", alert->active ? "🔔" : "🔕")));
    out_ += fmt::format("<td>{}</td>", join(views));
    out_ += value_cell(row->value, row->boundary, column.scale, alert != nullptr);
    const bool is_lower = alert && alert->limit == Limit::lower;
    if (column.lower) out_ += limit_cell(row->boundary.lower_limit, row->value, true, column.scale, is_lower);
    if (column.upper)
      out_ += limit_cell(row->boundary.upper_limit, row->value, false, column.scale, alert && !is_lower);
  }

  const Report& report_;
  const CommentOptions& options_;
  Links links_;
  std::string out_;
};

}  // namespace

std::string comment(const Report& report, const CommentOptions& options) {
  return Comment(report, options).write();
}

}  // namespace bencher::render
