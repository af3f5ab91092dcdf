#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "bencher/base/clock.hpp"
#include "bencher/job/job.hpp"

/// The server's side of a runner's channel as a machine of steps: what to say and to do, given what came. No clock,
/// socket or store; the shell around it carries the actions out, and answers those that ask. Both protocols: the
/// channel of one job, and the channel of a runner for all its jobs.
namespace bencher::channel {

struct Options {
  std::chrono::milliseconds heartbeat_timeout{90'000};
  std::chrono::milliseconds cancel_grace{30'000};  ///< from a cancel to the runner's last word
  std::int64_t job_grace = 60;                     ///< seconds past its timeout after which a job is canceled
};

/// The job that the connection is about.
struct Held {
  AnyUuid uuid;
  JobState state;
  std::int64_t timeout = 0;  ///< seconds
};

// What happened.

/// A frame came; `text` is empty for one that is not text.
struct Received {
  std::string text;
};
/// Somebody has canceled the job at hand.
struct Canceled {};
/// `State::wake_at` is reached.
struct Lapsed {};

// Answers.

/// Of `Advance`: the job's new state, or none if its status, which is told, does not allow the event.
struct Advanced {
  std::optional<JobState> state;
  JobStatus status = JobStatus::pending;
};
/// Of `Finish`.
struct Finished {
  /// refused: by the job's status; missing: an upload that is not there; broken: it could not be stored.
  enum class How { taken, refused, missing, broken } how = How::taken;
  JobStatus before = JobStatus::pending;
};
/// Of `Poll`: the job that was given to the runner. `gone`: the connection ended meanwhile.
struct Polled {
  std::optional<Held> job;
  bool gone = false;
};
/// Of `Resume`: the one job that the runner has in flight, if it is one.
struct Resumed {
  std::optional<Held> job;
};

using Event = std::variant<Received, Canceled, Lapsed, Advanced, Finished, Polled, Resumed>;

// What to do.

struct Say {
  std::string text;
};
/// Ends the connection with a close frame.
struct Close {
  std::uint16_t code = 1000;
  std::string reason;
};
/// Ends the connection without a word.
struct Drop {};
/// The held job has that event. Answered by `Advanced`.
struct Advance {
  JobEvent event;
};
/// The results of a job, which need not be the held one and then is the runner's own only if the store says so.
/// Answered by `Finished`.
struct Finish {
  AnyUuid job;
  JobEvent event;
  JobOutput output;
  bool uploaded = false;  ///< the results came before, beside the channel
  bool late = false;      ///< it comes on a connection that does not execute the job
};
/// Whether a job of that status is to be started before it is finished: one that is only claimed has run all the same
/// when its results come late, and what said so was lost with the connection before.
bool starts_first(const Finish& finish, JobStatus status);
/// The held job was heard of.
struct Beat {};
/// A part of the held job's output; `offset` is that of `data` in its stream.
struct Log {
  std::uint32_t iteration = 0;
  bool standard_error = false;
  std::uint64_t offset = 0;
  std::string data;
};
/// The held job has come that far on its runner.
struct Reach {
  JobStage stage;
};
/// What the runner says of the machine that the held job runs on: a JSON object of at most 16 KiB.
struct Host {
  std::string json;
};
/// Look for a job, for that long, and give it to the runner. Answered by `Polled`.
struct Poll {
  std::chrono::seconds timeout;
};
/// Answered by `Resumed`.
struct Resume {};

using Action = std::variant<Say, Close, Drop, Advance, Finish, Beat, Log, Reach, Host, Poll, Resume>;

struct State {
  enum class Protocol { job, runner };

  Options options;
  Protocol protocol = Protocol::job;
  std::optional<Held> held;
  bool ended = false;  ///< nothing is to be read any more
  /// Without anything received by then, a `Lapsed` is due.
  Instant wake_at{};

  // Inside the machine.
  bool canceled = false;  ///< and the runner was told, or is about to be
  enum class Waits { nothing, start, overrun, result, late_result, poll, resume } waits = Waits::nothing;
  JobEvent result = JobEvent::complete;
  AnyUuid late;
  std::string kept;  ///< the message that waits for `Resumed`
  Instant silent_at{};
  std::optional<Instant> cancel_at;
};

/// The channel of one job, which is claimed or running.
State open_job(Options options, Held job, Instant now);
/// The channel of a runner, idle.
State open_runner(Options options, Instant now);

/// What becomes of a PATCH, which takes the channel's place where there are no WebSockets. `wanted` is `running`,
/// `completed` or `failed`; `over`: the job is past its limit.
struct PatchRule {
  enum class Do {
    say,     ///< answer with the status as it is
    start,   ///< the job runs, or still does, or has run for too long, as `event` says
    finish,  ///< take the results
    refuse,  ///< 409
  } what = Do::refuse;
  JobEvent event = JobEvent::start;
};
PatchRule patch_rule(JobStatus status, std::string_view wanted, bool over);

/// One step. While an action waits for its answer, nothing but `Canceled` and that answer may be told.
std::pair<State, std::vector<Action>> step(State state, const Event& event, Instant now);

}  // namespace bencher::channel
