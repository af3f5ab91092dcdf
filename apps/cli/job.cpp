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

std::chrono::seconds seconds(const Arguments& arguments, const char* name) {
  return std::chrono::seconds(std::stoll(*arguments.get(name)));
}

Watch watch_of(const Arguments& arguments, Watch::Show show) {
  return {.project = *arguments.positional("project"),
          .job = *arguments.positional("job"),
          .poll_interval = seconds(arguments, "job-poll-interval"),
          .limit = 2 * seconds(arguments, "job-timeout"),
          .show = show};
}

Exit checked(const JobEnd& end) {
  if (exit_of(end) != Exit::ok)
    throw Failure{exit_of(end), fmt::format("the job {}{}{}", end.status, end.error.empty() ? "" : ": ", end.error)};
  return Exit::ok;
}

Exit wait(World& world, const Command& command, const Arguments& arguments) {
  Api api(world, command, arguments);
  const auto end = watch_job(world, api, watch_of(arguments, Watch::Show::nothing));
  world.out << end.status << '\n';
  return checked(end);
}

Exit logs(World& world, const Command& command, const Arguments& arguments) {
  Api api(world, command, arguments);
  auto watch = watch_of(arguments, Watch::Show::log);
  watch.to_the_end = arguments.has("follow");
  const auto end = watch_job(world, api, watch);
  return watch.to_the_end ? checked(end) : Exit::ok;
}

Exit watch(World& world, const Command& command, const Arguments& arguments) {
  Api api(world, command, arguments);
  const auto slug_or_uuid = *arguments.positional("project");
  const auto id = *arguments.positional("job");
  const auto end =
      watch_job(world, api, watch_of(arguments, arguments.has("quiet") ? Watch::Show::nothing : Watch::Show::all));
  const auto path = fmt::format("/v0/projects/{}/jobs/{}", percent_encoded(slug_or_uuid), id);
  world.out << api.call({.method = "GET", .path = path, .body = {}})
                   .body.indented({.sort_keys = true, .leave_out_nulls = true})
            << '\n';
  return checked(end);
}

}  // namespace

void add_job(std::vector<Command>& table) {
  constexpr auto required = Credential::required, optional = Credential::optional;
  const std::vector waiting{
      flag("job-poll-interval", to_900_seconds, "Seconds between looks, where the server cannot stream")
          .alias("poll-interval")
          .by_default("5"),
      flag("job-timeout", positive_i32, "The job's own limit; twice that is waited").by_default("3600")};
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
  table.push_back({.path = "job watch",
                   .summary = "Follow a job's status and log until it ends",
                   .run = watch,
                   .positionals = {project, job},
                   .flags = std::vector{flag("quiet", "Only the job itself, at the end").short_form('q')} + waiting,
                   .credential = optional});
  table.push_back({.path = "job cancel",
                   .summary = "Cancel a job",
                   .positionals = {project, job},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/jobs/{job}/cancel"});
  table.push_back({.path = "job retry",
                   .summary = "Try a job that has failed or was canceled again",
                   .positionals = {project, job},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/projects/{project}/jobs/{job}/retry"});
  table.push_back({.path = "job wait",
                   .summary = "Wait until a job ends; the exit code tells how",
                   .run = wait,
                   .positionals = {project, job},
                   .flags = waiting,
                   .credential = optional});
  table.push_back({.path = "job logs",
                   .aliases = "log",
                   .summary = "Print what a job has printed",
                   .run = logs,
                   .positionals = {project, job},
                   .flags = std::vector{flag("follow", "Go on until the job ends").short_form('f')} + waiting,
                   .credential = optional});
}

}  // namespace bencher::cli
