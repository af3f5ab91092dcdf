#include <fmt/format.h>

#include "lib/render/parts.hpp"

namespace bencher::render {

Links::Links(const Report& report, std::string_view console_url, std::string tracking)
    : report_(report), console_(console_url), tracking_(std::move(tracking)) {
  while (!console_.empty() && console_.back() == '/')
    console_.pop_back();
}

std::string Links::page(std::string_view tail, std::string_view query) const {
  auto out = report_.is_public ? fmt::format("{}/perf/{}", console_, report_.project.slug)
                               : fmt::format("{}/console/projects/{}", console_, report_.project.slug);
  if (!tail.empty()) out += fmt::format("/{}", tail);
  std::string sep = "?";
  for (const auto part : {query, std::string_view(tracking_)}) {
    if (part.empty()) continue;
    out += sep;
    out += part;
    sep = "&";
  }
  return out;
}

std::string Links::project() const {
  return page("");
}
std::string Links::report() const {
  return page("reports/" + report_.uuid);
}
std::string Links::branch() const {
  return page("branches/" + report_.branch.slug, "head=" + report_.head);
}
std::string Links::testbed() const {
  return page("testbeds/" + report_.testbed.slug, report_.spec.empty() ? "" : "spec=" + report_.spec);
}
std::string Links::benchmark(const Report::Named& benchmark) const {
  return page("benchmarks/" + benchmark.slug);
}
std::string Links::measure(const Report::Named& measure) const {
  return page("measures/" + measure.slug);
}
std::string Links::threshold(const Report::Threshold& threshold) const {
  return page("thresholds/" + threshold.uuid, threshold.model.empty() ? "" : "model=" + threshold.model);
}
std::string Links::alert(const Report::Alert& alert) const {
  return page("alerts/" + alert.uuid);
}
std::string Links::add_threshold() const {
  return fmt::format("{}/console/projects/{}/thresholds/add", console_, report_.project.slug);
}
std::string Links::claim() const {
  return fmt::format("{}/auth/signup?claim={}", console_, report_.organization);
}

std::string Links::plot(const Report::Named& benchmark, const Report::Named& measure, bool lower, bool upper) const {
  constexpr std::int64_t month = 30 * 24 * 60 * 60;
  auto out = report_.is_public ? fmt::format("{}/perf/{}", console_, report_.project.slug)
                               : fmt::format("{}/console/projects/{}/perf", console_, report_.project.slug);
  out += fmt::format(
      "?branches={}&heads={}&testbeds={}&specs={}&benchmarks={}&measures={}&start_time={}&end_time={}&report={}",
      report_.branch.uuid, report_.head, report_.testbed.uuid, report_.spec, benchmark.uuid, measure.uuid,
      (report_.start_time.seconds - month) * 1000, report_.end_time.seconds * 1000, report_.uuid);
  if (lower) out += "&lower_boundary=true";
  if (upper) out += "&upper_boundary=true";
  return out;
}

const Report::Alert* find_alert(const Report& report, std::size_t iteration, const Report::Named& benchmark,
                                const Report::Named& measure) {
  for (const auto& alert : report.alerts)
    if (alert.iteration == iteration && alert.benchmark.uuid == benchmark.uuid && alert.measure.uuid == measure.uuid)
      return &alert;
  return nullptr;
}

}  // namespace bencher::render
