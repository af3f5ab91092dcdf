// threshold, alert

#include "apps/cli/arguments.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
const Positional project{"project", &resource_id, "UUID or slug of the project"};
const Positional threshold{"threshold", &uuid, "UUID of the threshold"};
const Positional alert{"alert", &uuid, "UUID of the alert"};
constexpr auto required = Credential::required, optional = Credential::optional;

void finish_model(const Arguments& arguments, json::Value& body) {
  if (!arguments.has("remove-model")) return check_model(arguments);
  for (const auto* name : {"min-sample-size", "max-sample-size", "window", "lower-boundary", "upper-boundary"})
    if (arguments.has(name))
      throw Failure{Exit::usage, "--remove-model and --" + std::string(name) + " exclude each other"};
  body.set("test", nullptr);
}
}  // namespace

void add_threshold(std::vector<Command>& table) {
  table.push_back({.path = "threshold list",
                   .aliases = "ls",
                   .summary = "List thresholds",
                   .positionals = {project},
                   .flags = std::vector{flag("branch", branch_id, "Only of that branch"),
                                        flag("testbed", name_id, "Only of that testbed"),
                                        flag("measure", name_id, "Only of that measure"),
                                        flag("benchmark", benchmark_name, "Only of that benchmark alone")} +
                            pages("created modified") +
                            std::vector{flag("archived", "Only those of something archived")},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/thresholds"});
  table.push_back({.path = "threshold create",
                   .aliases = "add",
                   .summary = "Create a threshold",
                   .positionals = {project},
                   .flags = std::vector{flag("branch", branch_id, "Branch").required(),
                                        flag("testbed", name_id, "Testbed").required(),
                                        flag("measure", name_id, "Measure").required(),
                                        flag("benchmark", benchmark_name, "The only benchmark it is of"),
                                        flag("test", word, "Test").required().one_of(tests).also(hidden_tests)} +
                            model_flags(""),
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/thresholds",
                   .finish = finish_model});
  table.push_back({.path = "threshold preview",
                   .aliases = "try",
                   .summary = "Show which past metrics a threshold would have alerted on",
                   .positionals = {project},
                   .flags = std::vector{flag("branch", branch_id, "Branch").required(),
                                        flag("testbed", name_id, "Testbed").required(),
                                        flag("measure", name_id, "Measure").required(),
                                        flag("benchmark", benchmark_name, "Only that benchmark"),
                                        flag("start-time", rfc3339, "Only reports that began then or later"),
                                        flag("end-time", rfc3339, "Only reports that began before"),
                                        flag("test", word, "Test").required().one_of(tests).also(hidden_tests)} +
                            model_flags(""),
                   .credential = optional,
                   .method = "POST",
                   .url = "/v0/projects/{project}/thresholds/preview",
                   .finish = finish_model});
  table.push_back(
      {.path = "threshold changes",
       .summary = "Show where series have changed their level",
       .positionals = {project},
       .flags = {flag("branch", branch_id, "Branch").required(), flag("testbed", name_id, "Testbed").required(),
                 flag("measure", name_id, "Measure").required(),
                 flag("benchmark", benchmark_name, "Only that benchmark")},
       .credential = optional,
       .method = "GET",
       .url = "/v0/projects/{project}/changes"});
  table.push_back({.path = "threshold view",
                   .aliases = "get",
                   .summary = "View a threshold",
                   .positionals = {project, threshold},
                   .flags = {flag("model", uuid, "With that model instead of the current one")},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/thresholds/{threshold}"});
  table.push_back(
      {.path = "threshold update",
       .aliases = "edit",
       .summary = "Give a threshold another model, or none",
       .positionals = {project, threshold},
       .flags =
           std::vector{
               flag("test", word, "Test of the new model").one_of(tests).also(hidden_tests).excludes("remove-model")} +
           model_flags("") + std::vector{flag("remove-model", "Take its model away").excludes("test").in(Place::none)},
       .credential = required,
       .method = "PUT",
       .url = "/v0/projects/{project}/thresholds/{threshold}",
       .finish = finish_model,
       .one_of = "test remove-model"});
  table.push_back({.path = "threshold delete",
                   .aliases = "rm",
                   .summary = "Delete a threshold",
                   .positionals = {project, threshold},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/thresholds/{threshold}"});

  table.push_back({.path = "alert list",
                   .aliases = "ls",
                   .summary = "List alerts",
                   .positionals = {project},
                   .flags = pages("created modified") +
                            std::vector{flag("status", word, "Only those").one_of("active dismissed silenced"),
                                        flag("archived", "Only those of something archived")},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/alerts"});
  table.push_back({.path = "alert view",
                   .aliases = "get",
                   .summary = "View an alert",
                   .positionals = {project, alert},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/alerts/{alert}"});
  table.push_back({.path = "alert update",
                   .aliases = "edit",
                   .summary = "Dismiss an alert, or make it active again",
                   .positionals = {project, alert},
                   .flags = {flag("status", word, "New status").one_of("active dismissed")},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/projects/{project}/alerts/{alert}"});
}

}  // namespace bencher::cli
