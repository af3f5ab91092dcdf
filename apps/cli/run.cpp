// run

#include "apps/cli/run.hpp"

#include <ostream>

#include <fmt/format.h>

#include "bencher/render/report.hpp"

#include "apps/cli/api.hpp"
#include "apps/cli/run_local.hpp"
#include "apps/cli/types.hpp"
#include "apps/cli/watch.hpp"

namespace bencher::cli {

using namespace types;

namespace {

/// Heading and text of what is about to be sent, for people. Beside data it goes to standard error.
void show_run(World& world, const RunPlan& plan, const json::Value& body) {
  if (plan.quiet) return;
  auto& to = plan.format == Format::human ? world.out : world.err;
  if (!plan.image) {
    to << "\nBenchmark results:\n";
    for (const auto& result : body["results"].items())
      to << result.text() << (result.text().ends_with('\n') ? "" : "\n");
  }
  to << "\nNew report:\n" << masked(body).indented() << '\n';
  to.flush();
}

void show_report(World& world, const RunPlan& plan, const json::Value& json, const std::string& console) {
  for (const auto& warning : json["warnings"].items())
    world.err << "warning: " << warning.text() << '\n';
  if (!plan.quiet && plan.format == Format::human) world.out << '\n';
  if (plan.format == Format::json) {
    world.out << json.indented() << '\n';
    return;
  }
  const auto report = must(render::Report::parse(json.compact()));
  if (plan.format == Format::html) {
    world.out << render::comment(report, {.console_url = console,
                                          .id = {},
                                          .require_thresholds = false,
                                          .shortened = false,
                                          .build_time = plan.build_time,
                                          .file_size = !plan.file_sizes.empty()})
              << '\n';
    return;
  }
  const bool colour = world.out_is_terminal && !world.env("NO_COLOR");
  world.out << render::terminal(report, {.console_url = console, .colour = colour});
}

void check_alerts(const RunPlan& plan, const json::Value& report) {
  if (!plan.error_on_alert) return;
  const auto total = report["counts"]["alerts"]["total"].as_integer().value_or(0);
  if (total > 0) throw Failure{Exit::alerts, fmt::format("the report has {} alert{}", total, total == 1 ? "" : "s")};
}

/// Waits for the job of a report; returns the report as it is then.
json::Value follow_job(World& world, Api& api, const RunPlan& plan, const Arguments& arguments, json::Value report,
                       JobEnd& end) {
  const auto project = report["project"]["slug"].text();
  end = watch_job(world, api,
                  {.project = project,
                   .job = report["job"].text(),
                   .poll_interval = std::chrono::seconds(std::stoll(*arguments.get("job-poll-interval"))),
                   .limit = 2 * std::chrono::seconds(std::stoll(arguments.get_or("job-timeout", "3600"))),
                   .show = plan.quiet ? Watch::Show::nothing : Watch::Show::all});
  const auto path =
      fmt::format("/v0/projects/{}/reports/{}", percent_encoded(project), percent_encoded(report["uuid"].text()));
  try {
    return api.call({.method = "GET", .path = path, .body = {}}).body;
  } catch (const Failure& failure) {
    // The job's own failure is the news; the report of before says where to look.
    if (exit_of(end) == Exit::ok) throw;
    world.err << "warning: " << failure.message << '\n';
    return report;
  }
}

Exit run(World& world, const Command& command, const Arguments& arguments) {
  const auto plan = plan_run(world, arguments);
  std::optional<LocalHistory> local;
  std::optional<Api> api;
  if (arguments.has("local")) {
    const auto directory = arguments.get_or("local", "");
    local.emplace(world, directory.empty() ? ".bencher" : directory, plan.quiet);
  } else {
    api.emplace(world, command, arguments);
  }

  const auto start = world.clock.now();
  auto results = plan.image ? std::vector<std::string>() : run_iterations(world, plan);
  const auto end = plan.image ? start : world.clock.now();
  const auto body = run_body(world, plan, arguments, std::move(results), start, end);
  show_run(world, plan, body);
  if (plan.dry_run) return Exit::ok;

  if (local) {
    const auto report = local->submit(body);
    show_report(world, plan, report, "");
    check_alerts(plan, report);
    return Exit::ok;
  }

  auto report = api->call({.method = "POST", .path = "/v0/run", .body = body}).body;
  JobEnd job_end{.status = "processed", .error = {}};
  if (report["job"].is_string()) {
    if (plan.detach)
      world.err << fmt::format("Job {} goes on. Follow it: bencher job watch {} {}\n", report["job"].text(),
                               report["project"]["slug"].text(), report["job"].text());
    else
      report = follow_job(world, *api, plan, arguments, std::move(report), job_end);
  }
  show_report(world, plan, report, api->console_url());
  world.out.flush();
  if (exit_of(job_end) != Exit::ok)
    throw Failure{exit_of(job_end),
                  fmt::format("the job {}{}{}", job_end.status == "canceled" ? "was canceled" : "failed",
                              job_end.error.empty() ? "" : ": ", job_end.error)};
  check_alerts(plan, report);
  return Exit::ok;
}

}  // namespace

void add_run(std::vector<Command>& table) {
  const std::vector<Flag> flags =
      std::vector{
          flag("project", resource_id, "Project; one that does not exist is made").from_env("BENCHER_PROJECT"),
          flag("ci-on-the-fly", "In CI too, let the server make a project where none is named"),
          flag("branch", branch_id, "Branch (else the one that is checked out)")
              .alias("if-branch")
              .from_env("BENCHER_BRANCH"),
          flag("hash", git_hash, "Commit (else the one that is checked out)"),
          flag("start-point", text, "Branch whose history a new branch begins with")
              .alias("else-if-branch branch-start-point"),
          flag("start-point-hash", git_hash, "Commit of that branch to begin at")
              .alias("branch-start-point-hash")
              .needs("start-point"),
          flag("start-point-max-versions", u32, "How many versions of it to take over")
              .by_default("255")
              .needs("start-point"),
          flag("start-point-clone-thresholds", "Take over its thresholds too").needs("start-point"),
          flag("start-point-reset", "Begin anew: a head without history").alias("branch-reset"),
          flag("deprecated", "Ignored").alias("else-branch endif-branch no-hash").hidden(),
          flag("testbed", name_id, "Testbed (else the operating system)").from_env("BENCHER_TESTBED"),
          flag("spec-reset", "Take the testbed's spec away").needs("testbed").excludes("image"),
          flag("adapter", word, "How results are read; mapping:FILE for a form of your own")
              .or_prefixed("mapping:")
              .one_of(adapters)
              .also(hidden_adapters)
              .by_default("magic")
              .from_env("BENCHER_ADAPTER"),
          flag("average", word, "Which average is read").one_of("mean median"),
          flag("all-measures", "Keep what is no measure by default: memory, allocations, rates, counters"),
          flag("distinct-names", "Longer names for benchmarks whose names collide"),
          flag("fold-repeats", word, "How results of one name within an output become one (else the last stays)")
              .one_of("min max mean median"),
          flag("iter", u32, "How often to run").by_default("1"),
          flag("fold", word, "How iterations become one").one_of("min max mean median").needs("iter"),
          flag("backdate", unix_seconds, "When the benchmarks ran, in seconds since 1970"),
          flag("allow-failure", "Go on when the command fails, without its results")} +
      report_thresholds() +
      std::vector{
          flag("error-on-alert", "End with exit code 7 when there are alerts").alias("err"),
          flag("format", word, "Form of the report").one_of("human json html").by_default("human"),
          flag("quiet", "Only the report").short_form('q'),
          flag("github-actions", text, "Token to post with (not built yet)").secret(),
          flag("ci-only-thresholds", "Post only with thresholds (not built yet)").needs("github-actions"),
          flag("ci-only-on-alert", "Post only with alerts (not built yet)").needs("github-actions"),
          flag("ci-public-links", "Post public links (not built yet)").needs("github-actions"),
          flag("ci-id", text, "Id of the comment (not built yet)").needs("github-actions"),
          flag("ci-number", u64, "Number of the pull request (not built yet)").needs("github-actions"),
          flag("ci-i-am-vulnerable-to-pwn-requests", "Post from forks").needs("github-actions").hidden(),
          flag("build-time", "The result is how long the command took").excludes("file"),
          flag("file", path, "File with results, read after the command; PATH:ADAPTER for one of another adapter")
              .list()
              .excludes("build-time file-size"),
          flag("file-size", path, "File whose size is a result").list().excludes("file"),
          flag("shell", path, "Shell for a command of one word (else /bin/sh)").excludes("exec"),
          flag("flag", text, "Its flag before the command (else -c)").excludes("exec"),
          flag("exec", "Run the command without a shell").excludes("shell flag").needs("command"),
          flag("cmd", text, "A word of the command in the image").list().needs("image"),
          flag("dry-run", "Run and show, but send nothing"),
          flag("local", path, "Keep history in a folder instead of a server: --local[=DIR], else .bencher")
              .optional_value()
              .excludes("detach"),
          flag("image", image, "Run on a runner, in this image").excludes("spec-reset"),
          flag("spec", resource_id, "Kind of machine to run on").needs("image"),
          flag("entrypoint", text, "Instead of the image's entrypoint").needs("image"),
          flag("env", key_value, "Variable of the job").list().needs("image").secret(),
          flag("job-timeout", positive_i32, "Seconds that the job may take").needs("image"),
          flag("job-poll-interval", to_900_seconds, "Seconds between looks, where the server cannot stream")
              .alias("poll-interval")
              .by_default("5")
              .needs("image")
              .excludes("detach"),
          flag("detach", "Do not wait for the job").needs("image").excludes("job-poll-interval")};
  table.push_back(
      {.path = "run",
       .summary = "Run benchmarks and report their results",
       .run = run,
       .flags = flags,
       .credential = Credential::optional,
       .takes_words = true,
       .details =
           "All words from the first that is no flag on are the command. One word is read by a shell; more are run\n"
           "as they are. Without a command, results are read from --file, or from standard input.\n"
           "BENCHER_CMD stands for a command of one word.\n\n"
           "Exit codes: 0 fine, 2 usage, 3 the benchmark failed, 4 credential, 5 refused by the server, 6 network,\n"
           "7 alerts (with --error-on-alert), 9 job failed, 10 job canceled, 11 waited too long, 130 interrupted."});
}

}  // namespace bencher::cli
