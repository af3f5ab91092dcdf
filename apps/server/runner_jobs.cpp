#include "apps/server/runner_jobs.hpp"

#include <fmt/core.h>

#include "bencher/auth/credential.hpp"
#include "bencher/base/encoding.hpp"

#include "apps/server/job_output.hpp"

namespace bencher::server {
namespace {

constexpr std::int64_t pull_token_seconds = 600;
constexpr std::int64_t heartbeat_persisted_seconds = 15;

}  // namespace

Result<st::RunnerRow> the_runner(st::Connection& c, const http::RequestHead& head, std::string_view id) {
  const auto refused = [] { return Error(Errc::unauthenticated, "the runner key is not valid for this runner"); };
  const auto key = bearer(head);
  if (!key || !is_key(KeyKind::runner, *key)) return refused();
  auto parsed = ResourceId::parse(id);
  if (!parsed) return refused();
  auto row = st::find_runner(c, *parsed);
  if (!row || row->runner.archived || !constant_time_equal(row->key_hash, hash_key(*key))) return refused();
  return *std::move(row);
}

Result<RunnersJob> the_job(st::Connection& c, const http::RequestHead& head, const http::Params& path) {
  BENCHER_TRY(auto runner, the_runner(c, head, path[0].second));
  BENCHER_TRY(const auto uuid, AnyUuid::parse(path[1].second));
  auto job = st::find_job(c, uuid);
  if (!job) return not_found("job", uuid.str());
  if (job->runner_id != runner.id) return Error(Errc::forbidden, "the job belongs to another runner");
  return RunnersJob{std::move(runner), *std::move(job)};
}

void announce_features(http::Exchange& exchange) {
  exchange.add_upgrade_header("Bencher-Features", "logs, resume, upload");
}

std::string pull_token(const Context& context, const ClaimedJob& job, Timestamp now) {
  TokenClaims claims;
  claims.audience = "oci_runner";
  claims.issued_at = now.seconds;
  claims.expires = now.seconds + pull_token_seconds;
  claims.issuer = context.config.issuer;
  claims.subject = job.runner.str();
  claims.oci = OciScope{job.config.project.str(), {"pull"}};
  return encode_token(claims, context.config.secret_key);
}

Result<Attempt> attempt_claim(st::Connection& c, const pipeline::Env& env, st::RunnerId runner) {
  Attempt out;
  out.runner = runner;
  out.specs = st::runner_spec_ids(c, runner);
  BENCHER_TRY(out.job, pipeline::claim(c, env, runner));
  if (out.job) {
    out.job_id = st::find_job(c, out.job->uuid)->id;
    out.pending = st::pending_specs(c);
  }
  return out;
}

std::shared_ptr<LiveJob> job_claimed(Context& context, const Attempt& attempt, Timestamp now) {
  auto& hub = *context.hub;
  auto live = hub.live(*attempt.job_id, attempt.job->uuid);
  live->persisted_heartbeat = now;
  hub.status(attempt.job->uuid, JobStatus::claimed, std::nullopt, std::nullopt);
  // The next one that waits takes the next job.
  for (const auto spec : attempt.pending)
    hub.wake(spec);
  hub.positions_changed();
  return live;
}

Task<void> release(Context& context, st::JobId id) {
  const auto env = context.env();
  const auto work = [&](st::Connection& c) -> Result<st::JobRow> {
    const auto job = st::job_by_id(c, id);
    if (!job) return Error(Errc::not_found, "the job is gone");
    return pipeline::advance(c, env, *job, JobEvent::release);
  };
  auto released = co_await context.write(work);
  context.hub->ended(id);
  if (!released) co_return;
  context.hub->status(released->uuid, JobStatus::pending, std::nullopt, std::nullopt);
  context.hub->wake(released->spec_id);
}

Task<Result<st::JobRow>> advance(Context& context, st::JobId id, JobEvent event) {
  const auto env = context.env();
  const auto work = [&](st::Connection& c) -> Result<st::JobRow> {
    const auto job = st::job_by_id(c, id);
    if (!job) return Error(Errc::not_found, "the job is gone");
    return pipeline::advance(c, env, *job, event);
  };
  auto advanced = co_await context.write(work);
  co_return advanced;
}

Task<JobStatus> current_status(Context& context, st::JobId id) {
  const auto work = [&](st::Connection& c) {
    const auto job = st::job_by_id(c, id);
    return job ? job->state.status : JobStatus::canceled;
  };
  co_return co_await context.read(work);
}

Task<void> job_ended(Context& context, const st::JobRow& job, std::optional<std::string> error) {
  context.hub->ended(job.id);
  // Also of a job that had been given up as lost.
  std::error_code ignored;
  std::filesystem::remove(context.hub->results_file(job.uuid), ignored);
  context.hub->status(job.uuid, job.state.status, std::nullopt, error);
  const auto work = [](st::Connection& c) { return st::pending_specs(c); };
  const auto pending = co_await context.read(work);
  for (const auto spec : pending)
    context.hub->wake(spec);
}

Task<Result<Finished>> finish(Context& context, const st::JobRow& row, JobEvent event, JobOutput output) {
  const auto env = context.env();
  Result<ReadResults> parsed = ReadResults();
  if (!next_status(row.state.status, event)) {
    // Said by the table before anything is kept.
    auto refused = step(row.state, event, env.time());
    co_return std::move(refused).error();
  }
  struct About {
    Uuid<Project> project;
    ReadSettings settings;
  };
  const auto ask = [&](st::Connection& c) {
    return About{st::project_by_id(c, st::project_of_job(c, row))->project.uuid, pipeline::job_settings(c, row)};
  };
  const auto about = co_await context.read(ask);
  if (event != JobEvent::cancel) {
    const auto keep = [&]() -> Result<void> {
      if (event == JobEvent::complete) parsed = read_outputs(about.settings, adapter_texts(output));
      if (!parsed && !output.error) output.error = parsed.error().message();
      return store_output(context.blobs, about.project, row.uuid, output);
    };
    auto kept = co_await context.compute(keep);
    if (!kept) co_return std::move(kept).error();
  }
  const auto work = [&](st::Connection& c) -> Result<Finished> {
    const auto job = st::job_by_id(c, row.id);
    if (!job) return Error(Errc::not_found, "the job is gone");
    if (event != JobEvent::complete) {
      BENCHER_TRY(auto advanced, pipeline::advance(c, env, *job, event));
      return Finished{std::move(advanced), output.error};
    }
    BENCHER_TRY(auto completed, pipeline::complete(c, env, *job, parsed));
    return Finished{std::move(completed.job), std::move(completed.error)};
  };
  auto finished = co_await context.write(work);
  if (!finished) co_return std::move(finished).error();
  if (finished->error && !output.error) {
    // The results were well-formed, but could not be stored: the output says why.
    output.error = finished->error;
    const auto keep = [&] { return store_output(context.blobs, about.project, row.uuid, output).has_value(); };
    co_await context.compute(keep);
  }
  co_await job_ended(context, finished->job, finished->error);
  co_return finished;
}

Task<void> beat(Context& context, LiveJob& live) {
  context.hub->heard_of(live.id);
  const auto now = Timestamp::of(context.clock.now());
  if (now.seconds - live.persisted_heartbeat.seconds < heartbeat_persisted_seconds) co_return;
  live.persisted_heartbeat = now;
  const auto work = [&](st::Connection& c) {
    const auto job = st::job_by_id(c, live.id);
    st::touch_job(c, live.id, now);
    if (job && job->runner_id) st::touch_runner(c, *job->runner_id, now);
    return true;
  };
  co_await context.write(work);
}

void take_log(Context& context, const AnyUuid& job, const channel::Log& log) {
  const auto kept = context.hub->log(job);
  const auto text = kept->progress.fresh(log.iteration, log.standard_error, log.offset, log.data);
  if (!kept->ended) kept->append_log(log.iteration, log.standard_error, text);
}

Task<void> reach(Context& context, st::JobId id, JobStage stage) {
  const auto now = context.clock.now();
  const auto work = [&](st::Connection& c) {
    st::set_job_time(c, id, stage, now);
    return true;
  };
  co_await context.write(work);
}

Task<void> take_host(Context& context, LiveJob& live, std::string host) {
  if (live.told_host) co_return;
  live.told_host = true;
  const auto work = [&](st::Connection& c) {
    if (const auto job = st::job_by_id(c, live.id)) st::set_report_host(c, job->report_id, host);
    return true;
  };
  co_await context.write(work);
}

}  // namespace bencher::server
