// job

#include <charconv>
#include <ostream>

#include <fmt/format.h>

#include "apps/cli/api.hpp"
#include "apps/cli/types.hpp"
#include "apps/cli/watch.hpp"

namespace bencher::cli {

using namespace types;

namespace {

const Positional project{"project", &resource_id, "UUID or slug of the project"};
const Positional job{"job", &uuid, "UUID of the job"};

Exit watch(World& world, const Command& command, const Arguments& arguments) {
  Api api(world, command, arguments);
  const auto seconds = [&](const char* flag_name) {
    return std::chrono::seconds(std::stoll(*arguments.get(flag_name)));
  };
  const auto slug_or_uuid = *arguments.positional("project");
  const auto id = *arguments.positional("job");
  const auto end = watch_job(world, api,
                             {.project = slug_or_uuid,
                              .job = id,
                              .poll_interval = seconds("job-poll-interval"),
                              .limit = 2 * seconds("job-timeout"),
                              .quiet = arguments.has("quiet")});
  const auto path = fmt::format("/v0/projects/{}/jobs/{}", percent_encoded(slug_or_uuid), id);
  world.out << api.call({.method = "GET", .path = path, .body = {}})
                   .body.indented({.sort_keys = true, .leave_out_nulls = true})
            << '\n';
  if (exit_of(end) != Exit::ok)
    throw Failure{exit_of(end), fmt::format("the job {}{}{}", end.status, end.error.empty() ? "" : ": ", end.error)};
  return Exit::ok;
}

}  // namespace

void add_job(std::vector<Command>& table) {
  constexpr auto required = Credential::required, optional = Credential::optional;
  table.push_back({.path = "job list",
                   .aliases = "ls",
                   .summary = "List jobs",
                   .positionals = {project},
                   .flags = std::vector{flag("status", word, "Only those")
                                            .one_of("pending claimed running completed processed failed canceled")} +
                            pages("created"),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/jobs"});
  table.push_back({.path = "job view",
                   .aliases = "get",
                   .summary = "View a job",
                   .positionals = {project, job},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}/jobs/{job}"});
  table.push_back(
      {.path = "job watch",
       .summary = "Follow a job's status and log until it ends",
       .run = watch,
       .positionals = {project, job},
       .flags = {flag("quiet", "Only the job itself, at the end").short_form('q'),
                 flag("job-poll-interval", to_900_seconds, "Seconds between looks, where the server cannot stream")
                     .alias("poll-interval")
                     .by_default("5"),
                 flag("job-timeout", positive_i32, "The job's own limit; twice that is waited").by_default("3600")},
       .credential = optional});
  table.push_back({.path = "job cancel",
                   .summary = "Cancel a job",
                   .positionals = {project, job},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/jobs/{job}/cancel"});
}

}  // namespace bencher::cli
