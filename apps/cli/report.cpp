// report

#include "apps/cli/arguments.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
const Positional project{"project", &resource_id, "UUID or slug of the project"};
const Positional report{"report", &uuid, "UUID of the report"};
constexpr auto required = Credential::required, optional = Credential::optional;

void finish_report(const Arguments& arguments, json::Value& body) {
  finish_start_point(arguments, body);
  if (auto thresholds = thresholds_of(arguments); !thresholds.is_null()) body.set("thresholds", std::move(thresholds));
  json::Value settings;
  for (const auto* name : {"adapter", "average", "fold"})
    if (const auto value = arguments.get(name)) settings.set(name, *value);
  if (!settings.is_null()) body.set("settings", std::move(settings));
  if (!body.contains("results")) body.set("results", json::Value::array());
}
}  // namespace

void add_report(std::vector<Command>& table) {
  table.push_back(
      {.path = "report list",
       .aliases = "ls",
       .summary = "List reports",
       .positionals = {project},
       .flags = std::vector{flag("branch", branch_id, "Only of that branch"),
                            flag("testbed", name_id, "Only of that testbed"),
                            flag("start-time", unix_seconds, "Only from then on (seconds since 1970)").milliseconds(),
                            flag("end-time", unix_seconds, "Only until then (seconds since 1970)").milliseconds()} +
                pages("date_time") +
                std::vector{flag("archived", "Only those of an archived branch or testbed"),
                            flag("expand", "With results and alerts")},
       .credential = optional,
       .method = "GET",
       .url = "/v0/projects/{project}/reports"});
  table.push_back(
      {.path = "report create",
       .aliases = "add",
       .summary = "Create a report from results",
       .positionals = {project},
       .flags =
           std::vector{flag("branch", branch_id, "Branch").required(), flag("hash", git_hash, "Commit")} +
           start_point(true) + std::vector{flag("testbed", name_id, "Testbed").required()} + report_thresholds() +
           std::vector{
               flag("start-time", rfc3339, "When the benchmarks began").required(),
               flag("end-time", rfc3339, "When they ended").required(),
               flag("results", text, "Output of one iteration").list(),
               flag("adapter", word, "How results are read").one_of(adapters).also(hidden_adapters).in(Place::none),
               flag("average", word, "Which average is read").one_of("mean median").in(Place::none),
               flag("fold", word, "How iterations become one").one_of("min max mean median").in(Place::none)},
       .credential = required,
       .method = "POST",
       .url = "/v0/projects/{project}/reports",
       .finish = finish_report});
  table.push_back({.path = "report view",
                   .aliases = "get",
                   .summary = "View a report",
                   .positionals = {project, report},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/reports/{report}"});
  table.push_back({.path = "report delete",
                   .aliases = "rm",
                   .summary = "Delete a report",
                   .positionals = {project, report},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/reports/{report}"});
}

}  // namespace bencher::cli
