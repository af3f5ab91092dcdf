// What both of the runners' protocols do with jobs: claims, states, results.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/server/app.hpp"
#include "apps/server/hub.hpp"
#include "lib/job/json.hpp"
#include "lib/storage/specs.hpp"

namespace bencher::server {

/// What a runner says of its job, in the forms of both of the protocol's revisions.
struct RunnerMessage {
  std::optional<std::string> event;
  std::optional<std::string> status;
  std::optional<AnyUuid> job;
  std::optional<std::vector<IterationOutputWire>> results;
  std::optional<std::string> error;
  std::optional<int> exit_code;
  std::optional<std::string> stdout_;
  std::optional<std::string> stderr_;
  std::optional<std::map<std::string, std::string>> output;
  std::optional<std::uint32_t> iteration;
  std::optional<std::string> stream;
  std::optional<std::uint64_t> offset;
  std::optional<std::string> data;
  std::optional<json::Raw> host;
};
BOOST_DESCRIBE_STRUCT(RunnerMessage, (),
                      (event, status, job, results, error, exit_code, stdout_, stderr_, output, iteration, stream,
                       offset, data, host))

/// The results of a terminal message.
JobOutput output_of(RunnerMessage message);

/// The runner of the path, if the request has its key. Error: `unauthenticated`, whatever is wrong.
Result<st::RunnerRow> the_runner(st::Connection& c, const http::RequestHead& head, std::string_view id);

/// For one job's image, and only to pull it.
std::string pull_token(const Context& context, const ClaimedJob& job, Timestamp now);
/// The configuration as runners get it.
JobConfigWire config_for_runner(const JobConfig& config);

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
void take_log(Context& context, const AnyUuid& job, const RunnerMessage& message);
/// Keeps what a runner says of its machine with the job's report, the first time that it does: an object of at most
/// 16 KiB. Anything else is passed over.
Task<void> take_host(Context& context, LiveJob& live, const RunnerMessage& message);

}  // namespace bencher::server
