#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/adapter/read.hpp"
#include "bencher/base/clock.hpp"
#include "bencher/base/result.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/project.hpp"
#include "bencher/spec/spec.hpp"

namespace bencher {

struct Runner;

/// Values are those stored.
enum class JobStatus { pending = 0, claimed = 1, running = 2, completed = 3, processed = 4, failed = 5, canceled = 6 };

/// What can happen to a job.
enum class JobEvent {
  claim,     ///< a runner takes it
  release,   ///< the claim could not be delivered
  start,     ///< the runner says that it runs
  complete,  ///< the runner delivers results
  fail,      ///< the runner says that it failed
  cancel,    ///< the user or the runner ends it
  lose,      ///< the runner went silent
  overrun,   ///< it ran past its limit
  process,   ///< its results were stored
  reject,    ///< its results could not be stored
};

/// How far a job has come, each reached once at most.
enum class JobStage {
  queued,
  claimed,
  pulled,     ///< its image is on the runner
  booted,     ///< its first program starts
  ran,        ///< its last program has ended
  processed,  ///< its results are stored
};
constexpr std::size_t job_stages = 6;
/// When each was reached.
using JobTimes = std::array<std::optional<Instant>, job_stages>;

std::string_view to_string(JobStatus status);
std::string_view to_string(JobEvent event);
std::string_view to_string(JobStage stage);
/// A stage that a runner may tell of: `pulled`, `booted` or `ran`.
std::optional<JobStage> parse_runner_stage(std::string_view text);

/// The part of a job that the state machine knows.
struct JobState {
  JobStatus status = JobStatus::pending;
  std::optional<Timestamp> claimed;
  std::optional<Timestamp> started;
  std::optional<Timestamp> completed;
  std::optional<Timestamp> last_heartbeat;

  bool operator==(const JobState&) const = default;
};

/// Where `event` leads from `from`, or nothing. The one table of all transitions.
std::optional<JobStatus> next_status(JobStatus from, JobEvent event);
/// The state after `event`. Error: `conflict` when the table has no such transition; the same text everywhere.
Result<JobState> step(JobState state, JobEvent event, Timestamp now);

/// Whether the status is one that clients wait for.
constexpr bool is_final(JobStatus s) {
  return s == JobStatus::processed || s == JobStatus::failed || s == JobStatus::canceled;
}
constexpr bool in_flight(JobStatus s) {
  return s == JobStatus::claimed || s == JobStatus::running;
}
/// Whether the job has come to an end on its runner.
constexpr bool has_run(JobStatus s) {
  return s == JobStatus::completed || is_final(s);
}

/// Whether a started job is past `timeout` and `grace`, both in seconds. Exactly at the limit it is not.
bool past_limit(const JobState& state, std::int64_t timeout, std::int64_t grace, Timestamp now);
/// What silence makes of the job: `lose`, or `overrun` when it is past its limit too.
JobEvent silence_event(const JobState& state, std::int64_t timeout, std::int64_t grace, Timestamp now);

/// What an organization pays, as far as its jobs are concerned.
enum class Plan { unclaimed, free, team, enterprise };

/// The order of claims: higher first. Values as the reference's, with enterprise above.
int job_priority(Plan plan);
/// The timeout of a job in seconds: the requested one within the plan's limit, else the plan's default.
std::uint32_t job_timeout(Plan plan, std::optional<std::uint32_t> requested);

/// How many jobs may be in flight at once: what is counted, if anything.
enum class Concurrency { unlimited, one_per_organization, one_per_source_ip };
Concurrency concurrency_of(int priority);

/// What a runner is told of a job. Defaults and empty members are not sent.
struct JobConfig {
  std::string registry;  ///< URL of the registry, with a trailing slash
  Uuid<Project> project;
  std::string digest;
  std::optional<std::string> image;
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::optional<std::map<std::string, std::string>> env;
  std::uint32_t timeout = 0;
  std::optional<std::vector<std::string>> file_paths;
  std::optional<bool> build_time;
  std::optional<bool> file_size;
  ReadSettings settings;  ///< how its outputs are read; the adapter is its report's
  std::optional<std::uint32_t> iter;
  std::optional<bool> allow_failure;
  std::optional<Timestamp> backdate;
};
Result<JobConfig> parse_job_config(std::string_view json);
std::string print(const JobConfig& config);

/// One iteration's output.
struct IterationOutput {
  int exit_code = 0;
  std::optional<std::string> stdout_;
  std::optional<std::string> stderr_;
  std::optional<std::map<std::string, std::string>> output;  ///< path → content of the files asked for
};
/// All of a job's output, kept whole.
struct JobOutput {
  std::vector<IterationOutput> results;
  std::optional<std::string> error;
};
Result<JobOutput> parse_job_output(std::string_view json);
std::string print(const JobOutput& output);

/// The texts that go to the adapter: for each iteration its files in the order of their paths, else its standard
/// output. They are views into `output`.
std::vector<Output> adapter_texts(const JobOutput& output);

struct Job {
  Uuid<Job> uuid;
  JobStatus status = JobStatus::pending;
  Spec spec;
  std::optional<Uuid<Runner>> runner;
  std::optional<Timestamp> claimed;
  std::optional<Timestamp> started;
  std::optional<Timestamp> completed;
  Timestamp created;
  Timestamp modified;
  std::optional<std::uint32_t> position;  ///< in the queue, from 1, while pending
  JobTimes times;
  std::optional<JobOutput> output;
};

/// A job as its runner gets it.
struct ClaimedJob {
  Uuid<Job> uuid;
  JobStatus status = JobStatus::claimed;
  Spec spec;
  JobConfig config;
  std::uint32_t timeout = 0;
  Uuid<Runner> runner;
  JobState state;
  Timestamp created;
  Timestamp modified;
};

}  // namespace bencher
