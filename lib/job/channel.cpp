#include "bencher/job/channel.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "lib/job/message.hpp"

namespace bencher::channel {
namespace {

using Protocol = State::Protocol;
using Waits = State::Waits;

constexpr std::int64_t least_poll = 1, usual_poll = 30, most_poll = 900;  // seconds
constexpr std::size_t most_host = 16 * 1024;

struct RunnerProgram {
  std::string os;
  std::string arch;
  std::string version;
};
BOOST_DESCRIBE_STRUCT(RunnerProgram, (), (os, arch, version))
struct ReadyBody {
  std::optional<std::int64_t> poll_timeout;  ///< seconds
  std::optional<RunnerProgram> runner;
};
BOOST_DESCRIBE_STRUCT(ReadyBody, (), (poll_timeout, runner))

std::optional<JobEvent> terminal(std::string_view event) {
  if (event == "completed") return JobEvent::complete;
  if (event == "failed") return JobEvent::fail;
  if (event == "canceled" || event == "cancelled") return JobEvent::cancel;
  return std::nullopt;
}

bool speaks_of_a_job(std::string_view event) {
  return event == "running" || event == "heartbeat" || event == "log";
}

/// What a runner's channel wants of each event; a job's channel takes them with less.
bool whole(const RunnerMessage& message) {
  if (!terminal(*message.event)) return true;
  if (!message.job) return false;
  const bool has_results = message.results || message.uploaded.value_or(false);
  if (message.event == "completed") return has_results;
  return message.event != "failed" || (has_results && message.error);
}

class Machine {
 public:
  Machine(State& state, Instant now) : s_(state), now_(now) {}

  std::vector<Action> run(const Event& event) {
    std::visit([this](const auto& e) { on(e); }, event);
    s_.wake_at = s_.held && s_.cancel_at ? std::min(s_.silent_at, *s_.cancel_at) : s_.silent_at;
    return std::move(actions_);
  }

 private:
  template <class A>
  void act(A action) {
    actions_.emplace_back(std::move(action));
  }
  void ack(const AnyUuid& job) { act(Say{fmt::format(R"({{"event":"ack","job":"{}"}})", job.str())}); }
  void say_cancel() { act(Say{R"({"event":"cancel"})"}); }
  void close(std::uint16_t code, std::string_view reason) {
    s_.ended = true;
    act(Close{code, fmt::format("\"{}\"", reason)});
  }
  void drop() {
    s_.ended = true;
    act(Drop{});
  }
  void heard() { s_.silent_at = now_ + s_.options.heartbeat_timeout; }
  Timestamp time() const { return Timestamp::of(now_); }
  bool over() const { return s_.held && past_limit(s_.held->state, s_.held->timeout, s_.options.job_grace, time()); }

  void hold(Held job) {
    s_.held = std::move(job);
    s_.canceled = false;
    s_.cancel_at.reset();
    heard();
  }
  void let_go() {
    s_.held.reset();
    s_.canceled = false;
    s_.cancel_at.reset();
    heard();
  }

  void on(const Received& frame) {
    if (s_.ended) return;
    if (s_.protocol == Protocol::runner && !s_.held) {
      heard();
      idle(frame.text);
    } else if (!frame.text.empty()) {
      auto message = json::parse<RunnerMessage>(frame.text);
      if (!message || !message->event) return;
      if (s_.protocol == Protocol::runner && !whole(*message)) return;
      report(*std::move(message));
    }
  }

  void idle(const std::string& text) {
    if (text.empty()) return;
    auto message = json::parse<RunnerMessage>(text);
    if (!message || !message->event || !whole(*message)) return drop();
    const auto event = *message->event;
    if (event == "ready") {
      const auto ready = json::parse<ReadyBody>(text);
      const auto wanted = ready ? ready->poll_timeout.value_or(usual_poll) : 0;
      if (wanted < least_poll || wanted > most_poll) return drop();
      s_.waits = Waits::poll;
      act(Poll{std::chrono::seconds(wanted)});
    } else if (const auto result = terminal(event)) {
      // For a job that this connection does not execute. It is acked whatever becomes of it: the runner can do no more.
      s_.waits = Waits::late_result;
      s_.late = *message->job;
      finish(s_.late, *result, *std::move(message));
    } else if (speaks_of_a_job(event)) {
      // A runner that came back while its job runs goes on with it.
      s_.waits = Waits::resume;
      s_.kept = text;
      act(Resume{});
    } else {
      drop();
    }
  }

  void report(RunnerMessage message) {
    const auto event = *message.event;
    if (s_.protocol == Protocol::runner && event == "ready") return ack(s_.held->uuid);
    if (message.job && *message.job != s_.held->uuid) return close(1008, "wrong_job");
    if (event == "running") {
      // Said again and again, it must not carry a job past its limit.
      const bool late = !s_.canceled && over();
      s_.waits = late ? Waits::overrun : Waits::start;
      act(Advance{late ? JobEvent::overrun : JobEvent::start});
    } else if (event == "heartbeat" || event == "log") {
      sign_of_life(std::move(message));
    } else if (const auto result = terminal(event)) {
      s_.waits = Waits::result;
      s_.result = *result;
      finish(s_.held->uuid, *result, std::move(message));
    }
  }

  void finish(const AnyUuid& job, JobEvent event, RunnerMessage message) {
    const bool uploaded = message.uploaded.value_or(false);
    act(Finish{job, event, output_of(std::move(message)), uploaded, s_.waits == Waits::late_result});
  }

  void sign_of_life(RunnerMessage message) {
    if (message.event == "log" && message.data)
      act(Log{message.iteration.value_or(0), message.stream == "stderr", message.offset.value_or(0),
              *std::move(message.data)});
    if (const auto stage = message.stage ? parse_runner_stage(*message.stage) : std::nullopt) act(Reach{*stage});
    if (message.host && message.host->text.size() <= most_host && message.host->text.starts_with('{'))
      act(Host{std::move(message.host->text)});
    if (s_.canceled) return answer();
    if (over()) {
      s_.waits = Waits::overrun;
      act(Advance{JobEvent::overrun});
      return;
    }
    act(Beat{});
    answer();
  }

  /// Of `running`, a heartbeat or a log.
  void answer() {
    heard();
    if (s_.canceled && s_.protocol == Protocol::job)
      say_cancel();
    else
      ack(s_.held->uuid);
  }

  /// A runner's channel takes the job away with it; the runner then says `canceled` to nobody in particular.
  void answer_canceled() {
    if (s_.protocol == Protocol::runner && !s_.canceled) {
      say_cancel();
      let_go();
      return;
    }
    if (!s_.canceled) s_.cancel_at = now_ + s_.options.cancel_grace;
    s_.canceled = true;
    answer();
  }

  void on(const Advanced& answered) {
    s_.waits = Waits::nothing;
    if (s_.ended || !s_.held) return;
    if (answered.state) s_.held->state = *answered.state;
    if (answered.status == JobStatus::canceled) return answer_canceled();
    answer();
  }

  void on(const Finished& finished) {
    const auto waited = std::exchange(s_.waits, Waits::nothing);
    if (s_.ended) return;
    if (finished.how == Finished::How::missing) return close(1008, "results_missing");
    if (waited == Waits::late_result) return ack(s_.late);
    if (!s_.held) return;
    const bool job_channel = s_.protocol == Protocol::job;
    if (finished.how == Finished::How::broken) return job_channel ? close(1011, "internal_error") : drop();
    // A result that comes too late is taken note of and dropped; one that comes too early is a mistake of the runner.
    if (finished.how == Finished::How::refused && !has_run(finished.before))
      return job_channel ? close(1008, "not_running") : drop();
    ack(s_.held->uuid);
    if (!job_channel) return let_go();
    close(1000, s_.result == JobEvent::complete ? "job_completed"
                : s_.result == JobEvent::fail   ? "job_failed"
                                                : "job_canceled_by_runner");
  }

  void on(const Polled& polled) {
    s_.waits = Waits::nothing;
    if (polled.gone) {
      s_.ended = true;
    } else if (polled.job) {
      hold(*polled.job);
    } else {
      heard();
      act(Say{R"({"event":"no_job"})"});
    }
  }

  void on(const Resumed& resumed) {
    s_.waits = Waits::nothing;
    const auto text = std::exchange(s_.kept, {});
    if (!resumed.job) return;
    hold(*resumed.job);
    on(Received{text});
  }

  void on(const Canceled&) {
    if (s_.ended || !s_.held || s_.canceled) return;
    s_.canceled = true;
    s_.cancel_at = now_ + s_.options.cancel_grace;
    say_cancel();
  }

  void on(const Lapsed&) {
    if (s_.ended || s_.waits != Waits::nothing || now_ < s_.wake_at) return;
    // A runner that waits for nothing and says nothing is dropped without a word, as the protocol has it.
    if (!s_.held) return drop();
    close(s_.protocol == Protocol::job ? 1008 : 1000, over() ? "job_timeout_exceeded" : "heartbeat_timeout");
  }

  State& s_;
  Instant now_;
  std::vector<Action> actions_;
};

}  // namespace

State open_job(Options options, Held job, Instant now) {
  State state;
  state.options = options;
  state.protocol = Protocol::job;
  state.held = std::move(job);
  state.wake_at = state.silent_at = now + options.heartbeat_timeout;
  return state;
}

State open_runner(Options options, Instant now) {
  State state;
  state.options = options;
  state.protocol = Protocol::runner;
  state.wake_at = state.silent_at = now + options.heartbeat_timeout;
  return state;
}

bool starts_first(const Finish& finish, JobStatus status) {
  return finish.late && finish.event == JobEvent::complete && status == JobStatus::claimed;
}

PatchRule patch_rule(JobStatus status, std::string_view wanted, bool over) {
  using Do = PatchRule::Do;
  const bool again = (wanted == "completed" && (status == JobStatus::completed || status == JobStatus::processed)) ||
                     (wanted == "failed" && status == JobStatus::failed);
  if (status == JobStatus::canceled || again) return {Do::say, JobEvent::start};
  if (wanted == "running")
    return {Do::start, over && status == JobStatus::running ? JobEvent::overrun : JobEvent::start};
  if (wanted == "failed") return {Do::finish, JobEvent::fail};
  // Unlike on a channel, a late result is refused: there is no session that it could belong to.
  return {status == JobStatus::running ? Do::finish : Do::refuse, JobEvent::complete};
}

std::pair<State, std::vector<Action>> step(State state, const Event& event, Instant now) {
  auto actions = Machine(state, now).run(event);
  return {std::move(state), std::move(actions)};
}

}  // namespace bencher::channel
