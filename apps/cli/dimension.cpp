// branch, testbed, benchmark, measure, metric

#include "apps/cli/arguments.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {

const Positional project{"project", &resource_id, "UUID or slug of the project"};
constexpr auto required = Credential::required, optional = Credential::optional;

std::vector<Flag> filters(const Type& name) {
  return std::vector{flag("name", name, "Only the one of that name"), flag("search", text, "Only those that match")} +
         pages("name") + std::vector{flag("archived", "Only archived ones")};
}
std::vector<Flag> named(const Type& name) {
  return {flag("name", name, "Its name").required(), flag("slug", slug, "Its slug (else made from the name)")};
}
std::vector<Flag> renamed(const Type& name) {
  return {flag("name", name, "New name"), flag("slug", slug, "New slug")};
}

void finish_branch(const Arguments& arguments, json::Value& body) {
  finish_start_point(arguments, body);
  finish_archive(arguments, body);
}

}  // namespace

void add_dimension(std::vector<Command>& table) {
  const Positional branch{"branch", &resource_id, "UUID or slug of the branch"};
  const Positional testbed{"testbed", &resource_id, "UUID or slug of the testbed"};
  const Positional benchmark{"benchmark", &resource_id, "UUID or slug of the benchmark"};
  const Positional measure{"measure", &resource_id, "UUID or slug of the measure"};

  table.push_back({.path = "branch list",
                   .aliases = "ls",
                   .summary = "List branches",
                   .positionals = {project},
                   .flags = filters(branch_name),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/branches"});
  table.push_back({.path = "branch create",
                   .aliases = "add",
                   .summary = "Create a branch",
                   .positionals = {project},
                   .flags = named(branch_name) + start_point(false),
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/branches",
                   .finish = finish_start_point});
  table.push_back({.path = "branch view",
                   .aliases = "get",
                   .summary = "View a branch",
                   .positionals = {project, branch},
                   .flags = {flag("head", uuid, "With that head instead of the current one")},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/branches/{branch}"});
  table.push_back({.path = "branch update",
                   .aliases = "edit",
                   .summary = "Update a branch",
                   .positionals = {project, branch},
                   .flags = renamed(branch_name) + start_point(true) + archive_toggle(),
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/projects/{project}/branches/{branch}",
                   .finish = finish_branch});
  table.push_back({.path = "branch delete",
                   .aliases = "rm",
                   .summary = "Delete a branch",
                   .positionals = {project, branch},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/branches/{branch}"});

  table.push_back({.path = "testbed list",
                   .aliases = "ls",
                   .summary = "List testbeds",
                   .positionals = {project},
                   .flags = filters(resource_name),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/testbeds"});
  table.push_back({.path = "testbed create",
                   .aliases = "add",
                   .summary = "Create a testbed",
                   .positionals = {project},
                   .flags = named(resource_name) + std::vector{flag("spec", resource_id, "Its spec")},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/testbeds"});
  table.push_back({.path = "testbed view",
                   .aliases = "get",
                   .summary = "View a testbed",
                   .positionals = {project, testbed},
                   .flags = {flag("spec", uuid, "With that spec instead of the current one")},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/testbeds/{testbed}"});
  table.push_back(
      {.path = "testbed update",
       .aliases = "edit",
       .summary = "Update a testbed",
       .positionals = {project, testbed},
       .flags = renamed(resource_name) + std::vector{flag("spec", resource_id, "New spec").none()} + archive_toggle(),
       .credential = required,
       .method = "PATCH",
       .url = "/v0/projects/{project}/testbeds/{testbed}",
       .finish = finish_archive});
  table.push_back({.path = "testbed delete",
                   .aliases = "rm",
                   .summary = "Delete a testbed",
                   .positionals = {project, testbed},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/testbeds/{testbed}"});

  table.push_back({.path = "benchmark list",
                   .aliases = "ls",
                   .summary = "List benchmarks",
                   .positionals = {project},
                   .flags = filters(benchmark_name),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/benchmarks"});
  table.push_back({.path = "benchmark create",
                   .aliases = "add",
                   .summary = "Create a benchmark",
                   .positionals = {project},
                   .flags = named(benchmark_name),
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/benchmarks"});
  table.push_back({.path = "benchmark view",
                   .aliases = "get",
                   .summary = "View a benchmark",
                   .positionals = {project, benchmark},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/benchmarks/{benchmark}"});
  table.push_back({.path = "benchmark update",
                   .aliases = "edit",
                   .summary = "Update a benchmark",
                   .positionals = {project, benchmark},
                   .flags = renamed(benchmark_name) + archive_toggle(),
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/projects/{project}/benchmarks/{benchmark}",
                   .finish = finish_archive});
  table.push_back({.path = "benchmark delete",
                   .aliases = "rm",
                   .summary = "Delete a benchmark",
                   .positionals = {project, benchmark},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/benchmarks/{benchmark}"});

  table.push_back({.path = "measure list",
                   .aliases = "ls",
                   .summary = "List measures",
                   .positionals = {project},
                   .flags = filters(resource_name),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/measures"});
  table.push_back(
      {.path = "measure create",
       .aliases = "add",
       .summary = "Create a measure",
       .positionals = {project},
       .flags = named(resource_name) +
                std::vector{flag("units", resource_name, "Its units, such as 'nanoseconds (ns)'").required()},
       .credential = required,
       .method = "POST",
       .url = "/v0/projects/{project}/measures"});
  table.push_back({.path = "measure view",
                   .aliases = "get",
                   .summary = "View a measure",
                   .positionals = {project, measure},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/measures/{measure}"});
  table.push_back(
      {.path = "measure update",
       .aliases = "edit",
       .summary = "Update a measure",
       .positionals = {project, measure},
       .flags = renamed(resource_name) + std::vector{flag("units", resource_name, "New units")} + archive_toggle(),
       .credential = required,
       .method = "PATCH",
       .url = "/v0/projects/{project}/measures/{measure}",
       .finish = finish_archive});
  table.push_back({.path = "measure delete",
                   .aliases = "rm",
                   .summary = "Delete a measure",
                   .positionals = {project, measure},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/measures/{measure}"});

  table.push_back({.path = "metric view",
                   .aliases = "get",
                   .summary = "View a metric",
                   .positionals = {project, {"metric", &uuid, "UUID of the metric"}},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/metrics/{metric}"});
}

}  // namespace bencher::cli
