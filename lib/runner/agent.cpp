#include "bencher/runner/agent.hpp"

#include <algorithm>

#include "bencher/base/encoding.hpp"

namespace bencher::runner {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Work = AgentState::Work;
using Link = AgentState::Link;
using Phase = AgentState::Phase;

constexpr std::size_t log_chunk = 64 * 1024;
constexpr int exit_code_timeout = 124;
constexpr int message_too_big = 1009;  // RFC 6455 section 7.4.1
constexpr seconds longest_claim{60}, least_poll{1};
constexpr Instant never = Instant::max();

seconds back_off(int failures) {
  return seconds(std::min(30, 1 << std::clamp(failures - 1, 0, 5)));
}

class Machine {
 public:
  Machine(AgentState& state, Instant now) : s_(state), now_(now) {}

  std::vector<Action> run(const Event& event) {
    std::visit([this](const auto& e) { on(e); }, event);
    advance();
    s_.wake_at = next_wake();
    return std::move(actions_);
  }

 private:
  template <class A>
  void act(A action) {
    actions_.emplace_back(std::move(action));
  }
  void log(LogLevel level, std::string text) { act(Log{level, std::move(text)}); }
  std::string shown() const { return "job " + s_.work->job.uuid; }

  // Claiming.

  bool own_channel() const { return s_.protocol == Protocol::channel; }

  void claim() {
    s_.phase = Phase::claiming;
    if (!own_channel())
      act(Claim{std::min(s_.options.poll_timeout, longest_claim)});
    else if (s_.link.state == Link::State::open)
      ready();
    else
      open_link();
  }
  void claim_later(milliseconds after, const std::string& why) {
    s_.phase = Phase::waiting;
    s_.claim_at = now_ + after;
    const auto shown_seconds = std::chrono::ceil<seconds>(after).count();
    log(LogLevel::warning, why + "; next try in " + std::to_string(shown_seconds) + " s");
  }
  void stop(int code) {
    s_.phase = Phase::stopped;
    act(Exit{code});
  }

  void on(const Started&) {
    s_.protocol = s_.options.protocol;
    s_.random = s_.options.seed;
    log(LogLevel::info, "Polling for jobs");
    claim();
  }

  void on(const Claimed& event) {
    if (s_.phase != Phase::claiming) return;
    if (!event.answer) {
      ++s_.claim_failures;
      claim_later(back_off(s_.claim_failures), "the server's answer is not a job: " + event.answer.error().message());
      return;
    }
    s_.claim_failures = 0;
    s_.protocol = Protocol::jobs;
    if (!*event.answer) {
      if (s_.shutdowns > 0)
        stop(0);
      else
        claim();
      return;
    }
    take(**event.answer);
  }

  // Also when we are asked to stop: the server counts on us now, so the job is reported at least.
  void take(const ClaimedJob& job) {
    s_.phase = Phase::working;
    s_.work.emplace(job);
    log(LogLevel::info, "claimed " + shown());
    if (own_channel())
      begin_on_link();
    else
      open_channel();
    if (s_.shutdowns > 0) {
      finish(Work::End::failed, "the runner was stopped before the job began");
      return;
    }
    s_.work->busy = true;
    act(Prepare{s_.work->job});
  }

  void on(const ClaimRefused& event) {
    if (s_.phase != Phase::claiming || own_channel()) return;
    if (s_.shutdowns > 0) {
      stop(0);
      return;
    }
    // A runner that is unknown is refused with 401: this is a server without the endpoint.
    if (s_.protocol == Protocol::automatic && (event.status == 404 || event.status == 405)) {
      log(LogLevel::info, "the server has no endpoint to claim jobs from; using the runner's own channel");
      s_.protocol = Protocol::channel;
      claim();
      return;
    }
    const std::string why = "cannot claim a job: " + event.reason;
    switch (event.status) {
      case 400:
      case 401:
      case 403:
      case 404:
        log(LogLevel::error, why + "; check --host, --runner and --key");
        stop(1);
        return;
      default:
        ++s_.claim_failures;
        claim_later(event.status == 409 || event.status == 429 ? seconds(30) : back_off(s_.claim_failures), why);
    }
  }

  // The runner's own channel.

  milliseconds reconnect_delay() {
    // SplitMix64 (Steele, Lea, Flood 2014).
    std::uint64_t z = s_.random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    const auto most = static_cast<std::uint64_t>(s_.options.reconnect.count()) + 1;
    return s_.options.reconnect + milliseconds(z % most);
  }

  void open_link() {
    s_.link.state = Link::State::opening;
    act(OpenChannel{});
  }

  void close_link() {
    s_.link.state = Link::State::closed;
    act(CloseChannel{});
  }

  void ready() {
    std::optional<RunnerVersion> version;
    if (!s_.link.hide_version) version = {s_.options.os, s_.options.arch, s_.options.version};
    s_.link.job_by = now_ + s_.options.poll_timeout + s_.options.job_slack;
    act(Send{ready_message(s_.options.poll_timeout, version)});
  }

  void begin_on_link() {
    auto& w = *s_.work;
    w.channel = Work::Channel::open;
    w.heartbeat_at = now_ + s_.options.heartbeat;
    send(Work::Sent::running, event_message("running", w.job.uuid));
  }

  void link_opened() {
    if (s_.link.state != Link::State::opening) return;
    s_.link.state = Link::State::open;
    s_.link.heard = false;
    if (!s_.work) {
      ready();
      return;
    }
    auto& w = *s_.work;
    w.channel = Work::Channel::open;
    w.open_failures = 0;
    w.terminal_sent = w.resent_here = false;
    w.heartbeat_at = now_ + s_.options.heartbeat;
    w.quiet = !s_.features.resume;
    if (w.quiet || !s_.features.logs) forget_logs();
    if (w.quiet) return;
    // A result is taken without; but only of a job that runs.
    if (!w.end || !w.told_running) send(Work::Sent::running, event_message("running", w.job.uuid));
    requeue_logs();
  }

  void link_closed(const ChannelClosed& event) {
    if (s_.link.state == Link::State::closed) return;
    s_.link.state = Link::State::closed;
    if (s_.work) upload_again(event.code);
    const std::string reason = event.reason.empty() ? std::string() : " (" + event.reason + ")";
    const std::string what = event.was_open ? "the channel ended" + reason : "the channel cannot be opened" + reason;
    const bool refused =
        !event.was_open && (event.status == 401 || event.status == 403 || event.status == 404 || event.status == 405);
    if (!s_.work) {
      if (refused) {
        log(LogLevel::error, what + "; check --host, --runner and --key");
        stop(1);
      } else if (s_.shutdowns > 0) {
        stop(0);
      } else {
        // Some servers upgrade first and refuse then, by hanging up.
        s_.link.silent = event.was_open && !s_.link.heard ? s_.link.silent + 1 : 0;
        claim_later(reconnect_delay(),
                    s_.link.silent > 1 ? what + " as soon as it was open: check --runner and --key" : what);
      }
      return;
    }
    auto& w = *s_.work;
    w.channel = Work::Channel::closed;
    w.unanswered.clear();
    if (refused) {
      abandon(what);
      return;
    }
    if (event.was_open) w.open_failures = 0;
    // A server that cannot take the job up again is left alone until there is a result.
    w.open_at = w.end || s_.features.resume ? now_ + reconnect_delay() : never;
    if (w.end && !event.was_open && ++w.open_failures > (s_.shutdowns > 1 ? 2 : s_.options.reconnects)) {
      drop_result(std::to_string(w.open_failures) + " attempts to connect");
      return;
    }
    log(LogLevel::warning, shown() + ": " + what + "; connecting again" + (w.open_at == never ? " when it ended" : ""));
  }

  void link_message(const std::string& text) {
    if (s_.link.state != Link::State::open) return;
    s_.link.heard = true;
    s_.link.silent = 0;
    const auto kind = parse_server_event(text);
    if (s_.work) {
      if (kind == ServerEvent::ack || kind == ServerEvent::cancel)
        answered(kind, text);
      else
        log(LogLevel::debug, shown() + ": unexpected message from the server");
      return;
    }
    if (s_.phase != Phase::claiming) return;
    switch (kind) {
      case ServerEvent::job: given(text); return;
      case ServerEvent::no_job: ask_again(); return;
      case ServerEvent::update:
        if (s_.link.hide_version) {
          close_link();
          claim_later(reconnect_delay(), "the server offers an update to a runner that does not tell its version");
          return;
        }
        log(LogLevel::info, "the server offers version " + printable(parse_update_version(text)) +
                                " of its own runner; it is not taken, this runner goes on");
        s_.link.hide_version = true;
        ready();
        return;
      // Acks of messages that were sent twice, and cancels of jobs that ended.
      case ServerEvent::ack:
      case ServerEvent::cancel:
      case ServerEvent::other: return;
    }
  }

  // A server that has no job at once, whatever the time, is not asked without a pause.
  void ask_again() {
    const auto asked_at = s_.link.job_by - s_.options.poll_timeout - s_.options.job_slack;
    if (now_ - asked_at >= least_poll) {
      claim();
    } else {
      s_.phase = Phase::waiting;
      s_.claim_at = asked_at + least_poll;
    }
  }

  static std::string printable(std::string text) {
    text.resize(std::min<std::size_t>(text.size(), 40));
    return to_valid_utf8(text);
  }

  void given(const std::string& text) {
    auto job = parse_claim(text);
    if (job && *job) {
      take(**job);
      return;
    }
    const std::string why = job ? "the server's job is empty" : job.error().message();
    log(LogLevel::error, "the server's message is not a job: " + why);
    if (const auto uuid = parse_job_uuid(text); !uuid.empty())
      act(Send{failed_message(uuid, {}, "the runner cannot read the job: " + why)});
    claim();
  }

  // The channel of a job.

  void open_channel() {
    auto& w = *s_.work;
    w.channel = Work::Channel::opening;
    w.unanswered.clear();
    if (own_channel())
      open_link();
    else
      act(OpenChannel{w.job.uuid});
  }

  void read_features(const std::string& text) {
    s_.features = {};
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find_first_of(", ", at), text.size());
      const auto word = text.substr(at, end - at);
      if (word == "logs") s_.features.logs = true;
      if (word == "upload") s_.features.upload = true;
      if (word == "resume") s_.features.resume = true;
      at = end + 1;
    }
  }

  // A server that stopped has thrown them away. Another takes less in one message than ours holds.
  void upload_again(int code) {
    auto& w = *s_.work;
    if (w.upload == Work::Upload::done) w.upload = Work::Upload::none;
    if (code == message_too_big && w.terminal_sent) w.cut = true;
  }

  void requeue_logs() {
    auto& w = *s_.work;
    for (auto chunk = w.sent_logs.rbegin(); chunk != w.sent_logs.rend(); ++chunk) {
      w.log_bytes += chunk->data.size();
      w.logs.push_front(std::move(*chunk));
    }
    w.sent_logs.clear();
  }

  void send(Work::Sent kind, std::string text) {
    auto& w = *s_.work;
    if (w.unanswered.empty()) w.answer_by = now_ + s_.options.answer_timeout;
    w.unanswered.push_back(kind);
    act(Send{std::move(text)});
  }

  void on(const ChannelOpened& event) {
    read_features(event.features);
    if (own_channel()) {
      link_opened();
      return;
    }
    if (!s_.work || s_.work->channel != Work::Channel::opening) return;
    auto& w = *s_.work;
    w.channel = Work::Channel::open;
    w.open_failures = 0;
    w.heartbeat_at = now_ + s_.options.heartbeat;
    w.terminal_sent = false;
    // Also after a reconnect: the server takes it for a sign of life.
    send(Work::Sent::running, event_message("running", w.job.uuid));
    requeue_logs();
  }

  void on(const ChannelClosed& event) {
    if (own_channel()) {
      link_closed(event);
      return;
    }
    if (!s_.work || s_.work->channel == Work::Channel::closed || s_.work->channel == Work::Channel::patch) return;
    auto& w = *s_.work;
    w.channel = Work::Channel::closed;
    w.unanswered.clear();
    if (event.was_open) {
      upload_again(event.code);
      // Only after the acknowledgement of a terminal message does the server end a channel that way.
      if (w.terminal_sent && event.code == 1000) {
        delivered();
        return;
      }
      log(LogLevel::warning, shown() + ": the channel ended" +
                                 (event.reason.empty() ? std::string() : " (" + event.reason + ")") +
                                 "; connecting again");
      // Some servers upgrade first and refuse then, by hanging up.
      if (++w.silent_channels >= 3) {
        use_patch("the channel ends as soon as it is opened");
        return;
      }
      w.open_failures = w.silent_channels;
      w.open_at = now_ + back_off(w.open_failures);
      return;
    }
    switch (event.status) {
      case 401:
      case 403:
      case 404: abandon("the server refuses the channel (" + std::to_string(event.status) + ")"); return;
      case 409:
        // Over on the server's side. A result that it may have or not is told once more the other way.
        if (w.end && *w.end != Work::End::canceled)
          use_patch("the job is no longer running there");
        else
          abandon("the job is no longer running on the server");
        return;
      case 0:
      case 429:
      case 503:
        ++w.open_failures;
        if (w.open_failures >= 3 && event.status == 0) {
          use_patch("the channel cannot be opened");
          return;
        }
        log(LogLevel::warning, shown() + ": the channel cannot be opened (" + event.reason + ")");
        w.open_at = now_ + back_off(w.open_failures);
        return;
      default: use_patch("the channel cannot be opened (" + std::to_string(event.status) + ")"); return;
    }
  }

  void use_patch(const std::string& why) {
    log(LogLevel::warning, shown() + ": " + why + "; reporting by plain requests, without live output");
    auto& w = *s_.work;
    w.channel = Work::Channel::patch;
    w.terminal_sent = false;  // what the channel was told does not count
    w.heartbeat_at = now_;
    forget_logs();
  }

  void forget_logs() {
    auto& w = *s_.work;
    w.logs.clear();
    w.sent_logs.clear();
    w.log_bytes = 0;
  }

  void on(const ChannelMessage& event) {
    if (own_channel())
      link_message(event.text);
    else if (s_.work && s_.work->channel == Work::Channel::open)
      answered(parse_server_event(event.text), event.text);
  }

  void answered(ServerEvent kind_of_answer, const std::string& text) {
    auto& w = *s_.work;
    switch (kind_of_answer) {
      case ServerEvent::ack: {
        // Of a job before this one, whose messages were sent twice.
        if (const auto job = parse_job_uuid(text); !job.empty() && job != w.job.uuid) return;
        w.answer_by = now_ + s_.options.answer_timeout;
        w.silent_channels = 0;
        if (w.unanswered.empty()) return;
        // On the runner's own channel a cancel may have been one of the answers. It is over in any case.
        if (own_channel() && w.cancelled && w.terminal_sent) {
          delivered();
          return;
        }
        const auto kind = w.unanswered.front();
        w.unanswered.pop_front();
        if (kind == Work::Sent::running) w.told_running = true;
        if (kind == Work::Sent::log && !w.sent_logs.empty()) w.sent_logs.pop_front();
        if (kind == Work::Sent::terminal) delivered();
        return;
      }
      // Asked for or not: it does not count as an answer. If it was one, the close after our terminal message tells.
      case ServerEvent::cancel: cancel_job("the server cancelled it"); return;
      case ServerEvent::job:
      case ServerEvent::no_job:
      case ServerEvent::update:
      case ServerEvent::other: log(LogLevel::debug, shown() + ": unknown message from the server"); return;
    }
  }

  void on(const PatchAnswered& event) {
    if (!s_.work || !s_.work->patching) return;
    auto& w = *s_.work;
    w.patching = false;
    w.heartbeat_at = now_ + s_.options.patch_heartbeat;
    const bool was_terminal = w.terminal_sent;
    w.terminal_sent = false;
    if (event.status >= 200 && event.status < 300) {
      w.open_failures = 0;
      if (!was_terminal) {
        w.told_running = true;
        if (w.end) w.heartbeat_at = now_;
      }
      if (parse_patch_status(event.body) == "canceled") {
        cancel_job("the server cancelled it");
        w.lost = true;
      }
      if (was_terminal) delivered();
      return;
    }
    const bool over = event.status == 403 || event.status == 404 || event.status == 409 || event.status == 401 ||
                      event.status == 400 || event.status == 413;
    if (over) {
      abandon("the server refuses it (" + std::to_string(event.status) + ")");
      return;
    }
    ++w.open_failures;
    w.heartbeat_at = now_ + back_off(w.open_failures);
    if (!w.end) return;
    if (!was_terminal) ++w.sends;
    check_resends();
  }

  // The job.

  void cancel_job(const std::string& why) {
    auto& w = *s_.work;
    if (w.cancelled) return;
    w.cancelled = true;
    if (w.end) return;
    log(LogLevel::info, shown() + ": " + why);
    if (w.busy)
      act(CancelWork{});
    else
      finish(Work::End::canceled, "");
  }

  // The server does not want to hear of it any more.
  void abandon(const std::string& why) {
    auto& w = *s_.work;
    log(LogLevel::error, shown() + ": " + why + "; given up");
    w.lost = true;
    if (w.busy && !w.cancelled) {
      w.cancelled = true;
      act(CancelWork{});
    }
  }

  void on(const Prepared& event) {
    if (!s_.work || !s_.work->busy) return;
    auto& w = *s_.work;
    w.busy = false;
    if (stopped_early()) return;
    if (!event.image) {
      finish(Work::End::failed, event.image.error().message());
      return;
    }
    w.image = *event.image;
    reached("pulled");
    w.host = event.host;
    next_iteration();
  }

  void on(const ProgramStarted&) {
    if (s_.work && s_.work->busy && s_.work->iteration == 0) reached("booted");
  }

  void reached(const char* stage) { s_.work->stages.emplace_back(stage); }

  bool stopped_early() {
    auto& w = *s_.work;
    if (w.cancelled) {
      finish(Work::End::canceled, "");
    } else if (w.aborted) {
      finish(Work::End::failed, "the runner was stopped while the job ran");
    }
    return w.cancelled || w.aborted;
  }

  void next_iteration() {
    auto& w = *s_.work;
    if (w.iteration >= w.job.iterations) {
      finish(Work::End::completed, "");
      return;
    }
    auto command = command_of(w.job, w.image);
    if (command.empty()) {
      finish(Work::End::failed,
             "there is no command to run: the image has neither entrypoint nor cmd; give --entrypoint or --cmd");
      return;
    }
    w.current = {};
    for (int stream = 0; stream < 2; ++stream) {
      w.utf8[stream] = {};
      w.offsets[stream] = 0;
    }
    w.busy = true;
    act(RunIteration{.job = w.job,
                     .command = std::move(command),
                     .env = env_of(w.job, w.image),
                     .working_dir = w.image.working_dir.empty() ? "/" : w.image.working_dir,
                     .user = w.image.user,
                     .iteration = w.iteration,
                     .last = w.iteration + 1 == w.job.iterations});
  }

  void add_log(bool standard_error, std::string text) {
    auto& w = *s_.work;
    auto& offset = w.offsets[standard_error ? 1 : 0];
    if (w.channel == Work::Channel::patch || (own_channel() && !s_.features.logs)) {
      offset += text.size();
      return;
    }
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = std::min(at + log_chunk, text.size());
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
      w.logs.push_back({w.iteration, standard_error, offset, text.substr(at, end - at)});
      w.log_bytes += end - at;
      offset += end - at;
      at = end;
    }
    // Nobody to send them to: the oldest go, and their offsets tell that they are missing.
    while (w.channel != Work::Channel::open && w.log_bytes > s_.options.log_backlog && w.logs.size() > 1) {
      w.log_bytes -= w.logs.front().data.size();
      w.logs.pop_front();
    }
  }

  void on(const Output& event) {
    if (!s_.work || !s_.work->busy) return;
    auto& w = *s_.work;
    // What cannot be reported in the end need not be kept.
    auto& kept = event.standard_error ? w.current.standard_error : w.current.standard_output;
    if (kept.size() < message_limit + log_chunk) kept += event.bytes;
    if (!w.cancelled) add_log(event.standard_error, w.utf8[event.standard_error ? 1 : 0].feed(event.bytes));
  }

  void on(const Ended& event) {
    if (!s_.work || !s_.work->busy) return;
    auto& w = *s_.work;
    w.busy = false;
    for (const bool standard_error : {false, true})
      if (auto rest = w.utf8[standard_error ? 1 : 0].finish(); !rest.empty()) add_log(standard_error, std::move(rest));
    if (stopped_early()) return;
    Iteration done = std::move(w.current);
    w.current = {};
    done.exit_code = event.timed_out ? exit_code_timeout : event.exit_code;
    done.output = measured(w.job, event.files, event.wall);
    const int code = done.exit_code;
    w.results.push_back(std::move(done));
    act(KeepResult{w.results.back().exit_code, w.results.back().output});
    if (fit(w.results, message_limit)) w.cut = true;
    const bool failed = code != 0 && !w.job.allow_failure;
    if (failed || w.iteration + 1 == w.job.iterations) reached("ran");
    if (failed) {
      std::string why = event.timed_out
                            ? "timed out after " + std::to_string(w.job.timeout.count()) + " s"
                            : "the benchmark ended with exit code " + std::to_string(code) + reason(code, event);
      if (w.job.iterations > 1) why = "iteration " + std::to_string(w.iteration + 1) + ": " + why;
      finish(Work::End::failed, why);
      return;
    }
    ++w.iteration;
    next_iteration();
  }

  static std::string reason(int code, const Ended& event) {
    if (event.oom_kills > 0) return " (out of memory)";
    if (code == 127) return " (program not found)";
    if (code == 126) return " (program not executable)";
    if (code > 128 && code < 193) return " (signal " + std::to_string(code - 128) + ")";
    return "";
  }

  void on(const RunFailed& event) {
    if (!s_.work || !s_.work->busy) return;
    auto& w = *s_.work;
    w.busy = false;
    if (stopped_early()) return;
    finish(Work::End::failed, event.error.message());
  }

  void finish(Work::End end, std::string error) {
    auto& w = *s_.work;
    if (w.end) return;
    w.end = end;
    w.error = std::move(error);
    s_.phase = Phase::delivering;
    w.terminal_sent = false;
    if (w.channel == Work::Channel::closed && w.open_at == never) w.open_at = now_;
    if (end == Work::End::canceled) {
      w.logs.clear();
      w.log_bytes = 0;
    }
    const char* word = end == Work::End::completed ? "completed" : end == Work::End::failed ? "failed" : "canceled";
    log(LogLevel::info, shown() + ": " + word + (w.error.empty() ? "" : ": " + w.error));
    act(CleanUp{});
  }

  std::string terminal() const {
    const auto& w = *s_.work;
    const bool uploaded = w.upload == Work::Upload::done;
    switch (*w.end) {
      case Work::End::completed:
        return uploaded ? completed_uploaded_message(w.job.uuid) : completed_message(w.job.uuid, w.results);
      case Work::End::failed:
        return uploaded ? failed_uploaded_message(w.job.uuid, w.error) : failed_message(w.job.uuid, w.results, w.error);
      case Work::End::canceled: return event_message("canceled", w.job.uuid);
    }
    return {};
  }

  void delivered() {
    log(LogLevel::info, shown() + ": delivered");
    next_job();
  }

  void next_job() {
    const bool closes = !own_channel() || s_.shutdowns > 0;
    if (closes && (s_.work->channel == Work::Channel::open || s_.work->channel == Work::Channel::opening))
      act(CloseChannel{});
    act(ForgetResults{});
    s_.work.reset();
    if (s_.shutdowns > 0) {
      s_.link.state = Link::State::closed;
      stop(0);
    } else if (own_channel() && s_.link.state == Link::State::closed) {
      claim_later(reconnect_delay(), "the channel is closed");
    } else if (own_channel() && s_.link.state == Link::State::opening) {
      s_.phase = Phase::claiming;
    } else {
      claim();
    }
  }

  // False: given up.
  bool check_resends() {
    auto& w = *s_.work;
    const int most = s_.shutdowns > 1 ? 2 : own_channel() ? s_.options.own_resends : s_.options.resends;
    if (w.sends <= most) return true;
    drop_result(std::to_string(w.sends) + " attempts");
    return false;
  }
  void drop_result(const std::string& after) {
    log(LogLevel::error, shown() + ": the result could not be delivered after " + after + "; it is dropped");
    s_.work->lost = true;
  }

  void on(const Tick&) {}

  void on(const Shutdown&) {
    ++s_.shutdowns;
    switch (s_.phase) {
      case Phase::idle:
      case Phase::waiting:
        if (s_.link.state != Link::State::closed) close_link();
        stop(0);
        return;
      case Phase::claiming:
        if (own_channel()) {
          close_link();
          stop(0);
          return;
        }
        // Its answer may be a job all the same.
        act(CancelClaim{});
        return;
      case Phase::working:
        if (s_.shutdowns == 1) {
          log(LogLevel::info, shown() + ": stopping after this job; once more to stop at once");
        } else if (!s_.work->aborted) {
          s_.work->aborted = true;
          log(LogLevel::warning, shown() + ": aborted");
          if (s_.work->busy) act(CancelWork{});
        }
        return;
      case Phase::delivering:
        if (s_.shutdowns > 1 && s_.work->cut && s_.work->upload != Work::Upload::done) {
          if (s_.work->upload == Work::Upload::running) act(CancelUpload{});
          s_.work->upload = Work::Upload::refused;
        }
        return;
      case Phase::stopped: return;
    }
  }

  // What is due, whatever happened.
  void advance() {
    if (s_.phase == Phase::waiting && now_ >= s_.claim_at) claim();
    if (s_.phase == Phase::claiming && s_.link.state == Link::State::open && now_ >= s_.link.job_by) {
      close_link();
      claim_later(reconnect_delay(), "the server does not answer");
    }
    if (!s_.work) return;
    if (s_.work->lost && !s_.work->busy) {
      if (!s_.work->end) act(CleanUp{});
      next_job();
      return;
    }
    switch (s_.work->channel) {
      case Work::Channel::closed:
        if (now_ < s_.work->open_at) return;
        if (s_.work->end && s_.work->sends > 0 && !check_resends()) {
          next_job();
          return;
        }
        open_channel();
        return;
      case Work::Channel::opening: return;
      case Work::Channel::open: use_channel(); return;
      case Work::Channel::patch: patch(); return;
    }
  }

  Instant answer_due() const {
    const auto& w = *s_.work;
    if (!w.terminal_sent) return w.answer_by;
    const auto most = own_channel() ? s_.options.own_terminal_timeout : s_.options.terminal_timeout;
    return w.answer_by - s_.options.answer_timeout + std::min(most, s_.options.answer_timeout);
  }

  void answer_is_late() {
    auto& w = *s_.work;
    if (own_channel() && w.terminal_sent && !w.resent_here && check_resends()) {
      w.resent_here = true;
      send_terminal();
      return;
    }
    if (w.lost) {
      next_job();
      return;
    }
    log(LogLevel::warning, shown() + ": the server does not answer; connecting again");
    act(CloseChannel{});
    w.channel = Work::Channel::closed;
    w.unanswered.clear();
    ++w.open_failures;
    w.open_at = now_ + back_off(w.open_failures);
    if (!own_channel()) return;
    s_.link.state = Link::State::closed;
    w.open_at = w.end || s_.features.resume ? now_ + reconnect_delay() : never;
  }

  void send_terminal() {
    auto& w = *s_.work;
    ++w.sends;
    w.terminal_sent = true;
    send(Work::Sent::terminal, terminal());
    w.answer_by = now_ + s_.options.answer_timeout;
  }

  void use_channel() {
    auto& w = *s_.work;
    if (!w.unanswered.empty() && now_ >= answer_due()) {
      answer_is_late();
      return;
    }
    if (w.terminal_sent) return;
    // Once it was cancelled, the server may have given the channel back to waiting: only the end is answered then.
    if (!w.quiet && !(own_channel() && w.cancelled)) tell();
    if (w.end && (w.quiet || w.cancelled || w.logs.empty()) && uploaded_or_small()) send_terminal();
  }

  bool uploaded_or_small() {
    auto& w = *s_.work;
    if (!w.cut || w.cancelled || *w.end == Work::End::canceled || !s_.features.upload) return true;
    if (w.upload == Work::Upload::none && now_ >= w.upload_at) {
      w.upload = Work::Upload::running;
      act(UploadResults{w.job.uuid, w.error});
    }
    return w.upload == Work::Upload::done || w.upload == Work::Upload::refused;
  }

  void on(const Uploaded& event) {
    if (!s_.work || s_.work->upload != Work::Upload::running) return;
    auto& w = *s_.work;
    if (event.status >= 200 && event.status < 300) {
      w.upload = Work::Upload::done;
      return;
    }
    const bool again = event.status == 0 || event.status == 429 || event.status >= 500;
    w.upload = again && ++w.upload_failures < s_.options.uploads ? Work::Upload::none : Work::Upload::refused;
    w.upload_at = now_ + back_off(w.upload_failures);
    log(LogLevel::warning, shown() + ": the results could not be uploaded (" + event.reason + "); " +
                               (w.upload == Work::Upload::none ? "trying again" : "they are cut"));
  }

  // Signs of life, and output as it comes.
  void tell() {
    auto& w = *s_.work;
    if (now_ >= w.heartbeat_at) {
      w.heartbeat_at = now_ + s_.options.heartbeat;
      send(Work::Sent::heartbeat, event_message("heartbeat", w.job.uuid));
    }
    for (; !w.stages.empty(); w.stages.pop_front())
      send(Work::Sent::heartbeat, stage_message(w.job.uuid, w.stages.front()));
    if (!w.host.empty()) send(Work::Sent::heartbeat, host_message(w.job.uuid, std::exchange(w.host, {})));
    while (!w.logs.empty() && w.sent_logs.size() < s_.options.logs_in_flight) {
      auto chunk = std::move(w.logs.front());
      w.logs.pop_front();
      w.log_bytes -= chunk.data.size();
      send(Work::Sent::log, log_message(w.job.uuid, chunk.iteration, chunk.standard_error, chunk.offset, chunk.data));
      w.sent_logs.push_back(std::move(chunk));
    }
  }

  void patch() {
    auto& w = *s_.work;
    if (w.patching || now_ < w.heartbeat_at) {
      // A result does not wait for the next sign of life, but for the one on its way.
      if (w.patching || !w.end || w.open_failures > 0) return;
    }
    if (w.end == Work::End::canceled) {
      // Nothing to say: the server knows, or will cancel a job that is silent.
      next_job();
      return;
    }
    w.patching = true;
    // A job that never ran cannot be completed.
    if (!w.end || (*w.end == Work::End::completed && !w.told_running)) {
      act(Patch{w.job.uuid, patch_running()});
      return;
    }
    ++w.sends;
    w.terminal_sent = true;
    act(Patch{w.job.uuid,
              *w.end == Work::End::completed ? patch_completed(w.results) : patch_failed(w.results, w.error)});
  }

  Instant next_wake() const {
    if (s_.phase == Phase::waiting) return s_.claim_at;
    if (!s_.work) {
      const bool asked = s_.phase == Phase::claiming && s_.link.state == Link::State::open;
      return asked ? s_.link.job_by : never;
    }
    const auto& w = *s_.work;
    switch (w.channel) {
      case Work::Channel::closed: return w.open_at;
      case Work::Channel::opening: return never;
      case Work::Channel::open: {
        const bool silent = w.terminal_sent || w.quiet || (own_channel() && w.cancelled);
        Instant at = silent ? never : w.heartbeat_at;
        if (w.end && w.cut && w.upload == Work::Upload::none && w.upload_at > now_) at = std::min(at, w.upload_at);
        return w.unanswered.empty() ? at : std::min(at, answer_due());
      }
      case Work::Channel::patch: return w.patching ? never : w.heartbeat_at;
    }
    return never;
  }

  AgentState& s_;
  Instant now_;
  std::vector<Action> actions_;
};

}  // namespace

bool AgentState::hold_output() const {
  return work && work->channel == Work::Channel::open && work->log_bytes >= options.log_backlog && !work->cancelled &&
         !work->aborted;
}

std::pair<AgentState, std::vector<Action>> step(AgentState state, const Event& event, Instant now) {
  std::vector<Action> actions = Machine(state, now).run(event);
  return {std::move(state), std::move(actions)};
}

}  // namespace bencher::runner
