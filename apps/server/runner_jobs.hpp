// What both of the runners' protocols do with jobs: claims, states, results.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/job/channel.hpp"

#include "apps/server/app.hpp"
#include "apps/server/hub.hpp"
#include "lib/job/json.hpp"
#include "lib/storage/specs.hpp"

namespace bencher::server {

/// The results of a terminal message: its own, or where it says so those of the upload before it. Error: `not_found`,
/// there is none; `invalid_argument`, it cannot be read.
Task<Result<JobOutput>> results_of(Context& context, const st::JobRow& row, JobEvent event, bool uploaded,
                                   JobOutput output);

/// The runner of the path, if the request has its key. Error: `unauthenticated`, whatever is wrong.
Result<st::RunnerRow> the_runner(st::Connection& c, const http::RequestHead& head, std::string_view id);

/// Before a runner's upgrade: says in its answer what runners of ours may do here beyond Bencher's protocol.
void announce_features(http::Exchange& exchange);

struct RunnersJob {
  st::RunnerRow runner;
  st::JobRow job;
};
/// The runner and the job of a path, if the job is this runner's. Errors: `unauthenticated`, `not_found`, `forbidden`.
Result<RunnersJob> the_job(st::Connection& c, const http::RequestHead& head, const http::Params& path);

/// For one job's image, and only to pull it.
std::string pull_token(const Context& context, const ClaimedJob& job, Timestamp now);

/// One look for a job.
struct Attempt {
  st::RunnerId runner{};
  std::vector<st::SpecId> specs;
  std::optional<ClaimedJob> job;
  std::optional<st::JobId> job_id;
  std::vector<st::SpecId> pending;  ///< what else could be claimed
};
Result<Attempt> attempt_claim(st::Connection& c, const pipeline::Env& env, st::RunnerId runner);
/// Tells everybody of a claim. The job has a lease from now on.
std::shared_ptr<LiveJob> job_claimed(Context& context, const Attempt& attempt, Timestamp now);
/// Undoes a claim that could not be delivered.
Task<void> release(Context& context, st::JobId id);

/// An event of a job that brings no results, in a transaction of its own.
Task<Result<st::JobRow>> advance(Context& context, st::JobId id, JobEvent event);
Task<JobStatus> current_status(Context& context, st::JobId id);
/// After a job has left its runner: its lease ends, watchers hear of it, and who waits for its place is woken.
Task<void> job_ended(Context& context, const st::JobRow& job, std::optional<std::string> error);

struct Finished {
  st::JobRow job;
  std::optional<std::string> error;
};
/// Keeps the output, then completes, fails or cancels the job. Error: `conflict`, the state does not allow it.
Task<Result<Finished>> finish(Context& context, const st::JobRow& row, JobEvent event, JobOutput output);
/// The runner was heard of; stored now and then.
Task<void> beat(Context& context, LiveJob& live);
/// Keeps what is new in a log message.
void take_log(Context& context, const AnyUuid& job, const channel::Log& log);
/// Keeps what a runner says of its machine with the job's report, the first time that it does.
Task<void> take_host(Context& context, LiveJob& live, std::string host);
/// The job has come that far on its runner.
Task<void> reach(Context& context, st::JobId id, JobStage stage);

}  // namespace bencher::server
