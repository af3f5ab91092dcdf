#include <fmt/core.h>

#include "lib/pipeline/results.hpp"
#include "lib/storage/specs.hpp"

namespace bencher::pipeline {

namespace st = bencher::storage;

Result<std::optional<ClaimedJob>> claim(st::Connection& c, const Env& env, st::RunnerId runner) {
  st::touch_runner(c, runner, env.time());
  for (;;) {
    const auto id = st::eligible_job(c, runner);
    if (!id) return std::optional<ClaimedJob>();
    auto job = *st::job_by_id(c, *id);
    auto config = parse_job_config(job.config);
    if (!config) {
      // Nobody can run it; it must not stand in the way of the others.
      auto broken = job.state;
      broken.status = JobStatus::failed;
      broken.completed = env.time();
      st::set_job_state(c, *id, JobStatus::pending, broken, env.now);
      continue;
    }
    BENCHER_TRY(const auto state, step(job.state, JobEvent::claim, env.time()));
    if (!st::claim_job(c, *id, runner, state, env.now)) continue;
    ClaimedJob out;
    out.uuid = job.uuid;
    out.status = state.status;
    out.spec = st::spec_by_id(c, job.spec_id)->spec;
    out.config = *std::move(config);
    out.timeout = static_cast<std::uint32_t>(job.timeout);
    out.runner = st::runner_uuid(c, runner);
    out.state = state;
    out.created = job.created;
    out.modified = env.time();
    return std::optional(std::move(out));
  }
}

Result<st::JobRow> advance(st::Connection& c, const Env& env, const st::JobRow& job, JobEvent event) {
  st::JobRow out = job;
  BENCHER_TRY(out.state, step(job.state, event, env.time()));
  out.modified = env.time();
  if (event == JobEvent::release) {
    out.runner_id.reset();
    if (!st::release_job(c, job.id, env.time())) return Error(Errc::conflict, "the job has changed meanwhile");
    return out;
  }
  if (!st::set_job_state(c, job.id, job.state.status, out.state, env.now))
    return Error(Errc::conflict, "the job has changed meanwhile");
  if (has_run(out.state.status) && out.state.started && out.state.completed)
    st::set_job_duration(c, job.report_id, out.state.completed->seconds - out.state.started->seconds);
  return out;
}

Result<st::JobRow> retry(st::Connection& c, const Env& env, const st::JobRow& job) {
  const auto status = job.state.status;
  if (status != JobStatus::failed && status != JobStatus::canceled)
    return Error(Errc::conflict, fmt::format("cannot retry a job that is {}; only one that has failed or was canceled",
                                             to_string(status)));
  if (st::was_retried(c, job))
    return Error(Errc::conflict, "the job was retried already; retry its report's newest job");
  st::JobRow again;
  again.uuid = Uuid<Job>(env.uuid());
  again.report_id = job.report_id;
  again.organization_id = job.organization_id;
  again.source_ip = job.source_ip;
  again.spec_id = job.spec_id;
  again.config = job.config;
  again.timeout = job.timeout;
  again.priority = job.priority;
  again.created = again.modified = env.time();
  again.times[static_cast<std::size_t>(JobStage::queued)] = env.now;
  BENCHER_TRY(again.id, st::insert_job(c, again));
  return again;
}

ReadSettings job_settings(st::Connection& c, const st::JobRow& job) {
  ReadSettings settings;
  if (auto config = parse_job_config(job.config)) settings = std::move(config->settings);
  settings.adapter = st::report_by_id(c, job.report_id)->adapter;
  return settings;
}

Result<Completed> complete(st::Connection& c, const Env& env, const st::JobRow& job,
                           const Result<ReadResults>& parsed) {
  Completed out;
  out.job = job;
  // A late result must not stand beside that of the job in its place.
  if (job.state.status == JobStatus::failed && st::was_retried(c, job))
    return Error(Errc::conflict, "the job was retried meanwhile");
  if (job.state.status != JobStatus::completed) {
    BENCHER_TRY(out.job, advance(c, env, job, JobEvent::complete));
  }
  auto result = [&]() -> Result<void> {
    if (!parsed) return Error(parsed.error());
    st::Savepoint savepoint(c);
    ReportScope scope;
    scope.report = *st::report_by_id(c, job.report_id);
    scope.project = *st::project_by_id(c, scope.report.project_id);
    scope.branch = st::branch_of_head(c, scope.report.head_id);
    const auto config = parse_job_config(job.config);
    const auto started = out.job.state.started.value_or(env.time());
    const auto elapsed = env.time().seconds - started.seconds;
    scope.report.start_time = config && config->backdate ? *config->backdate : started;
    scope.report.end_time = Timestamp{scope.report.start_time.seconds + elapsed};
    st::set_report_times(c, scope.report.id, scope.report.start_time, scope.report.end_time);
    st::set_report_warnings(c, scope.report.id, parsed->warnings);
    BENCHER_DO(store_results(c, env, scope, parsed->results));
    savepoint.commit();
    return {};
  }();
  if (!result) out.error = result.error().message();
  BENCHER_TRY(out.job, advance(c, env, out.job, result ? JobEvent::process : JobEvent::reject));
  return out;
}

}  // namespace bencher::pipeline
