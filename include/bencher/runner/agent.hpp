#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bencher/base/clock.hpp"
#include "bencher/base/logger.hpp"
#include "bencher/base/result.hpp"
#include "bencher/image/manifest.hpp"
#include "bencher/runner/job.hpp"

/// The runner as a machine of steps: what to do next, given what happened. No clock, socket, file or thread; the shell
/// around it carries the actions out and tells of their ends as events.
namespace bencher::runner {

/// How the runner and the server talk.
enum class Protocol {
  automatic,  ///< `jobs` where the server has that endpoint, else `channel`
  jobs,       ///< a claim, and a channel for each job
  channel,    ///< one channel for the runner's whole life, as the runner of Bencher 0.6.12 has it
};

struct AgentOptions {
  Protocol protocol = Protocol::automatic;
  std::chrono::seconds poll_timeout{30};  ///< 1 to 900; a claim waits 60 at most
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::seconds patch_heartbeat{10};
  /// Without an answer for that long, a channel counts as lost.
  std::chrono::seconds answer_timeout{30};
  std::chrono::seconds terminal_timeout{10};
  int resends = 10;  ///< of a terminal message, before it is given up
  // Of the runner's own channel.
  std::chrono::seconds job_slack{30};  ///< beyond the poll timeout, for the answer to `ready`
  std::chrono::seconds own_terminal_timeout{5};
  int own_resends = 5;
  int uploads = 8;  ///< of one job's results, before they are cut instead
  /// Before it is opened again, and as much again at random.
  std::chrono::milliseconds reconnect{5000};
  int reconnects = 100;           ///< that fail, one after the other, until a result is dropped
  std::string os, arch, version;  ///< of this runner, as `ready` tells them
  std::uint64_t seed = 0;         ///< of what is random
  std::size_t logs_in_flight = 16;
  std::size_t log_backlog = 1u << 20;    ///< bytes that wait to be sent
  std::uint64_t max_output = 25u << 20;  ///< of each stream
};

// What happened.
struct Started {};
struct Claimed {
  Result<std::optional<ClaimedJob>> answer;
};
struct ClaimRefused {
  int status = 0;  ///< HTTP; 0: no answer
  std::string reason;
};
struct ChannelOpened {
  std::string features = {};  ///< of the upgrade's answer: `Bencher-Features`
};
/// The channel could not be opened, or ended.
struct ChannelClosed {
  bool was_open = false;
  int status = 0;  ///< HTTP, when it was refused with an answer
  int code = 0;    ///< of the close frame, when it was open
  std::string reason;
};
struct ChannelMessage {
  std::string text;
};
struct PatchAnswered {
  int status = 0;  ///< HTTP; 0: no answer
  std::string body;
};
struct Prepared {
  Result<ImageConfig> image;  ///< pulled and unpacked, and the sandbox is there
  std::string host = {};      ///< what is to be told of the machine, a JSON object; empty: nothing
};
/// The program of an iteration runs.
struct ProgramStarted {};
struct Output {
  bool standard_error = false;
  std::string bytes;
};
/// An iteration ended; the output was told before.
struct Ended {
  int exit_code = 0;
  bool timed_out = false;
  bool cancelled = false;
  std::uint64_t oom_kills = 0;
  std::chrono::microseconds wall{0};
  std::map<std::string, std::string> files;
};
struct RunFailed {
  Error error;
};
/// The results were uploaded, or not.
struct Uploaded {
  int status = 0;  ///< HTTP; 0: no answer
  std::string reason;
};
/// Time has passed.
struct Tick {};
/// Somebody asks the runner to stop: the first time after the job, the second time at once.
struct Shutdown {};

using Event = std::variant<Started, Claimed, ClaimRefused, ChannelOpened, ChannelClosed, ChannelMessage, PatchAnswered,
                           Prepared, ProgramStarted, Output, Ended, RunFailed, Uploaded, Tick, Shutdown>;

// What to do.
struct Claim {
  std::chrono::seconds poll_timeout;
};
struct CancelClaim {};
struct OpenChannel {
  std::string job;  ///< empty: the runner's own channel
};
struct Send {
  std::string text;
};
struct CloseChannel {};
struct Patch {
  std::string job;
  std::string body;
};
/// Make the sandbox, pull and unpack the image.
struct Prepare {
  ClaimedJob job;
};
struct RunIteration {
  ClaimedJob job;
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> env;
  std::string working_dir, user;
  std::uint32_t iteration = 0;  ///< from 0
  bool last = false;
};
/// End the pull or the run; `Prepared`, `Ended` or `RunFailed` still comes.
struct CancelWork {};
/// An iteration is among the results, with all its output: keep it for an upload.
struct KeepResult {
  int exit_code;
  std::map<std::string, std::string> files;
};
/// Upload what was kept; `Uploaded` comes.
struct UploadResults {
  std::string job;
  std::string error;  ///< of the job; may be empty
};
struct CancelUpload {};
/// The results are with the server, or lost.
struct ForgetResults {};
/// The job is over: remove what was unpacked.
struct CleanUp {};
struct Log {
  LogLevel level;
  std::string text;
};
struct Exit {
  int code;
};

using Action = std::variant<Claim, CancelClaim, OpenChannel, Send, CloseChannel, Patch, Prepare, RunIteration,
                            CancelWork, KeepResult, UploadResults, CancelUpload, ForgetResults, CleanUp, Log, Exit>;

struct AgentState {
  AgentOptions options;

  enum class Phase { idle, claiming, waiting, working, delivering, stopped } phase = Phase::idle;
  int shutdowns = 0;
  int claim_failures = 0;
  Instant claim_at{};
  Protocol protocol = Protocol::automatic;  ///< the one that is spoken, once that is known
  std::uint64_t random = 0;

  /// What the server said that it can.
  struct Features {
    bool logs = false;    ///< takes output as it comes
    bool upload = false;  ///< takes results that are too large for a message
    bool resume = false;  ///< takes up a running job again on the runner's own channel
  } features;

  /// The runner's own channel.
  struct Link {
    enum class State { closed, opening, open } state = State::closed;
    Instant job_by{};           ///< when the answer to `ready` has to be there
    bool heard = false;         ///< a message since it was opened
    int silent = 0;             ///< opened and ended without a word, one after the other
    bool hide_version = false;  ///< `ready` tells no version: an update was offered
  } link;

  /// Of the job at hand.
  struct Work {
    explicit Work(ClaimedJob claimed) : job(std::move(claimed)) {}

    ClaimedJob job;
    ImageConfig image;
    std::string host;  ///< not yet told
    std::uint32_t iteration = 0;
    std::vector<Iteration> results;
    Iteration current;
    Utf8Stream utf8[2];
    std::uint64_t offsets[2] = {0, 0};
    bool busy = false;       ///< the shell prepares or runs
    bool cancelled = false;  ///< by the server
    bool aborted = false;    ///< by a second shutdown
    bool lost = false;       ///< the server does not want it any more

    enum class Channel { closed, opening, open, patch } channel = Channel::closed;
    int open_failures = 0;
    Instant open_at{};
    Instant heartbeat_at{};
    Instant answer_by{};
    enum class Sent { running, heartbeat, log, terminal };
    std::deque<Sent> unanswered;
    bool patching = false;
    bool told_running = false;       ///< and the server took it
    int silent_channels = 0;         ///< opened and ended without a word, one after the other
    bool quiet = false;              ///< after a reconnect, to a server that takes nothing but the result
    bool resent_here = false;        ///< the terminal message, on the same channel
    std::deque<std::string> stages;  ///< reached, and not yet told

    struct Chunk {
      std::uint32_t iteration;
      bool standard_error;
      std::uint64_t offset;
      std::string data;
    };
    std::deque<Chunk> sent_logs;  ///< not yet acknowledged: sent again after a reconnect
    std::deque<Chunk> logs;       ///< not yet sent
    std::size_t log_bytes = 0;    ///< in `logs`

    enum class End { completed, failed, canceled };
    std::optional<End> end;
    std::string error;
    bool cut = false;  ///< `results` are not whole
    enum class Upload { none, running, done, refused } upload = Upload::none;
    int upload_failures = 0;
    Instant upload_at{};
    bool terminal_sent = false;
    int sends = 0;
  };
  std::optional<Work> work;

  /// When to send a `Tick` at the latest.
  Instant wake_at{};
  /// Whether the program's output should wait for the channel.
  bool hold_output() const;
};

/// One step. The first event is `Started`.
std::pair<AgentState, std::vector<Action>> step(AgentState state, const Event& event, Instant now);

}  // namespace bencher::runner
