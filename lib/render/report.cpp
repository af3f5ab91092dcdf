#include "bencher/render/report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "lib/json/value.hpp"

namespace bencher::render {
namespace {

using json::Value;

Report::Named named(const Value& value) {
  return {.uuid = value["uuid"].text(), .name = value["name"].text(), .slug = value["slug"].text()};
}

Report::Measure measure(const Value& value) {
  Report::Measure out;
  static_cast<Report::Named&>(out) = named(value);
  out.units = value["units"].text();
  return out;
}

Boundary boundary(const Value& value) {
  return {.baseline = value["baseline"].as_double(),
          .lower_limit = value["lower_limit"].as_double(),
          .upper_limit = value["upper_limit"].as_double()};
}

Report::Threshold threshold(const Value& value) {
  return {.uuid = value["uuid"].text(), .model = value["model"]["uuid"].text()};
}

Error missing(std::string_view member) {
  return Error(Errc::invalid_argument, "report: '" + std::string(member) + "' is missing or not of its type");
}

// Whether it was is for the runner to say, which knows how it was measured.
std::string noise_line(const Value& json) {
  const auto cv = json["cv_percent"].as_double();
  if (!json["noisy"].boolean() || !cv) return {};
  auto out = fmt::format("The machine was noisy: the same work varied by {:.1f} % before the job ran", *cv);
  if (const auto steal = json["steal_percent"].as_double(); steal && *steal >= 0.05)
    out += fmt::format(", and {:.1f} % of its time went elsewhere", *steal);
  return out + ".";
}

}  // namespace

Result<Report> Report::parse(std::string_view text) {
  BENCHER_TRY(const auto json, Value::parse(text));
  if (!json.is_object()) return Error(Errc::invalid_argument, "report: not a JSON object");
  Report out;
  out.uuid = json["uuid"].text();
  out.project = named(json["project"]);
  out.branch = named(json["branch"]);
  out.testbed = named(json["testbed"]);
  if (out.uuid.empty()) return missing("uuid");
  for (const auto& [what, name] :
       {std::pair{"project", &out.project}, {"branch", &out.branch}, {"testbed", &out.testbed}})
    if (name->slug.empty()) return missing(what);
  out.organization = json["project"]["organization"].text();
  out.is_public = json["project"]["visibility"].text() != "private";
  out.claimed = !json["project"]["claimed"].is_null();
  out.head = json["branch"]["head"]["uuid"].text();
  out.spec = json["testbed"]["spec"]["uuid"].text();
  BENCHER_TRY(out.start_time, Timestamp::parse(json["start_time"].text()));
  BENCHER_TRY(out.end_time, Timestamp::parse(json["end_time"].text()));
  out.adapter = json["adapter"].text();
  out.job = json["job"].text();
  out.noise = noise_line(json["host"]["noise"]);

  for (const auto& iteration : json["results"].items()) {
    auto& benchmarks = out.iterations.emplace_back();
    for (const auto& result : iteration.items()) {
      auto& benchmark = benchmarks.emplace_back();
      static_cast<Named&>(benchmark) = named(result["benchmark"]);
      for (const auto& one : result["measures"].items()) {
        auto& row = benchmark.rows.emplace_back();
        row.measure = measure(one["measure"]);
        row.value = one["metric"]["value"].as_double();
        if (one["threshold"].is_object()) row.threshold = threshold(one["threshold"]);
        row.boundary = boundary(one["boundary"]);
      }
    }
  }
  for (const auto& one : json["alerts"].items()) {
    auto& alert = out.alerts.emplace_back();
    alert.uuid = one["uuid"].text();
    alert.iteration = static_cast<std::size_t>(std::max<std::int64_t>(0, one["iteration"].as_integer().value_or(0)));
    alert.benchmark = named(one["benchmark"]);
    alert.measure = measure(one["threshold"]["measure"]);
    alert.threshold = threshold(one["threshold"]);
    alert.value = one["metric"]["value"].as_double();
    alert.boundary = boundary(one["boundary"]);
    alert.limit = one["limit"].text() == "lower" ? Limit::lower : Limit::upper;
    alert.active = one["status"].text() == "active";
  }
  const auto total = json["counts"]["alerts"]["total"].as_integer();
  out.alert_count = total && *total >= 0 ? static_cast<std::size_t>(*total) : out.alerts.size();
  return out;
}

bool Report::has_benchmarks() const {
  return std::any_of(iterations.begin(), iterations.end(), [](const auto& benchmarks) { return !benchmarks.empty(); });
}

}  // namespace bencher::render
