// Runners, by the newer protocol: one WebSocket for a runner's whole life, on which it asks for jobs, is given them and
// reports them.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/core.h>

#include "apps/server/runner_jobs.hpp"

namespace bencher::server {
namespace {

using namespace boost::asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds cancel_grace{30};
constexpr std::int64_t least_poll = 1, usual_poll = 30, most_poll = 900;

struct RunnerPath {
  ResourceId runner;
};
BOOST_DESCRIBE_STRUCT(RunnerPath, (), (runner))

struct ReadyBody {
  std::optional<std::int64_t> poll_timeout;  ///< seconds
};
BOOST_DESCRIBE_STRUCT(ReadyBody, (), (poll_timeout))

/// A job as it is given on the channel: its members stand beside the event.
struct GivenJob {
  std::string event = "job";
  Uuid<Job> uuid;
  Spec spec;
  JobConfigWire config;
  std::string oci_token;
  std::uint32_t timeout = 0;
  Timestamp created;
};
BOOST_DESCRIBE_STRUCT(GivenJob, (), (event, uuid, spec, config, oci_token, timeout, created))

bool is_terminal(std::string_view event) {
  return event == "completed" || event == "failed" || event == "canceled" || event == "cancelled";
}

/// What each event must have.
bool complete(const RunnerMessage& message) {
  const auto& event = *message.event;
  if (!is_terminal(event)) return true;
  if (!message.job) return false;
  if (event == "completed") return message.results.has_value();
  return event != "failed" || (message.results && message.error);
}

JobEvent event_of(std::string_view event) {
  if (event == "completed") return JobEvent::complete;
  return event == "failed" ? JobEvent::fail : JobEvent::cancel;
}

class RunnerChannel {
 public:
  RunnerChannel(Context& context, http::RequestHead head, std::string id, st::RunnerId runner,
                std::shared_ptr<http::WebSocket> socket)
      : context_(context), head_(std::move(head)), id_(std::move(id)), runner_(runner), socket_(std::move(socket)) {}

  /// Idle and executing, in turn, until the connection ends.
  Task<void> run() {
    bool goes_on = true;
    while (goes_on) {
      if (live_)
        goes_on = co_await execute();
      else
        goes_on = co_await idle();
    }
  }

 private:
  milliseconds silence() const { return seconds(context_.config.heartbeat_timeout); }
  Timestamp now() const { return Timestamp::of(context_.clock.now()); }

  Task<void> ack(AnyUuid job) {
    auto text = fmt::format(R"({{"event":"ack","job":"{}"}})", job.str());
    co_await socket_->send(std::move(text));
  }
  Task<void> say(std::string_view event) {
    auto text = fmt::format(R"({{"event":"{}"}})", event);
    co_await socket_->send(std::move(text));
  }

  /// Takes one message. False: the connection has ended.
  Task<bool> idle() {
    auto message = co_await socket_->receive(silence());
    if (!message) {
      // A runner that says nothing is dropped without a word, as the protocol has it.
      if (message.error().code() == Errc::timed_out) socket_->abort();
      co_return false;
    }
    if (message->kind != http::WebSocket::Message::Kind::text) co_return true;
    auto parsed = json::parse<RunnerMessage>(message->data);
    if (!parsed || !parsed->event || !complete(*parsed)) {
      socket_->abort();
      co_return false;
    }
    const auto event = *parsed->event;
    if (event == "ready") {
      const auto ready = json::parse<ReadyBody>(message->data);
      const auto wanted = ready ? ready->poll_timeout.value_or(usual_poll) : 0;
      if (wanted < least_poll || wanted > most_poll) {
        socket_->abort();
        co_return false;
      }
      const bool polled = co_await poll(seconds(wanted));
      co_return polled;
    }
    if (is_terminal(event)) {
      auto result = *std::move(parsed);
      co_await late(std::move(result));
      co_return true;
    }
    if (event == "running" || event == "heartbeat" || event == "log") {
      // A runner that came back while its job runs goes on with it.
      const bool resumed = co_await resume();
      if (!resumed) co_return true;
      auto report_of = *std::move(parsed);
      const auto handled = co_await report(std::move(report_of));
      if (handled == Handled::idle) let_go();
      co_return handled != Handled::end;
    }
    socket_->abort();
    co_return false;
  }

  /// A result for a job that this connection does not execute. It is acked whatever becomes of it: the runner can do no
  /// more.
  Task<void> late(RunnerMessage message) {
    const auto job = *message.job;
    const auto load = [&](st::Connection& c) { return st::find_job(c, job); };
    auto row = co_await context_.read(load);
    if (row && row->runner_id == runner_) {
      const auto kind = event_of(*message.event);
      auto finished = co_await finish(context_, *row, kind, output_of(std::move(message)));
      if (!finished && finished.error().code() != Errc::conflict)
        context_.logger.log(LogLevel::error, "result not stored",
                            {{"job", job.str()}, {"message", finished.error().message()}});
    }
    co_await ack(job);
  }

  /// Takes up the job that the runner has in flight, if it is one only.
  Task<bool> resume() {
    const auto load = [&](st::Connection& c) {
      std::vector<st::JobRow> own;
      for (auto& job : st::jobs_in_flight(c))
        if (job.runner_id == runner_) own.push_back(std::move(job));
      return own;
    };
    auto own = co_await context_.read(load);
    if (own.size() != 1) co_return false;
    take_up(std::move(own.front()));
    co_return true;
  }

  void take_up(st::JobRow job) {
    job_ = std::move(job);
    live_ = context_.hub->live(job_.id, job_.uuid);
    live_->channel = socket_;
    ++live_->channel_number;
    announced_ = job_.state.status == JobStatus::running;
    deadline_ = steady_clock::now() + silence();
    cancel_deadline_.reset();
  }
  void let_go() { live_.reset(); }

  /// Looks for a job until there is one or the time is over. Claims are woken, not timed. False: the connection ended.
  Task<bool> poll(seconds timeout) {
    auto& hub = *context_.hub;
    const auto deadline = steady_clock::now() + timeout;
    std::shared_ptr<JobWait> wait;
    struct Leaving {
      JobHub& hub;
      std::shared_ptr<JobWait>& wait;
      ~Leaving() {
        if (wait) hub.leave(wait);
      }
    } const leaving{hub, wait};
    for (;;) {
      if (hub.stopping()) co_return false;
      const auto env = context_.env();
      const auto work = [&](st::Connection& c) -> Result<Attempt> {
        // Its key may have been rotated, or it archived, meanwhile.
        BENCHER_TRY(const auto runner, the_runner(c, head_, id_));
        return attempt_claim(c, env, runner.id);
      };
      if (wait) wait->woken = false;
      auto attempt = co_await context_.write(work);
      if (!attempt) {
        socket_->abort();
        co_return false;
      }
      if (attempt->job) {
        const bool given = co_await give(*attempt);
        co_return given;
      }
      if (!wait) {
        wait = hub.enter(attempt->specs);
        continue;
      }
      wait->specs = attempt->specs;
      while (!wait->woken && !hub.stopping()) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
        if (left.count() <= 0) {
          co_await say("no_job");
          co_return true;
        }
        const auto ended = co_await (socket_->receive(left) || wait->notifier.wait(left));
        // What comes while a job is looked for is not answered.
        if (ended.index() == 0 && !std::get<0>(ended)) {
          const auto code = std::get<0>(ended).error().code();
          if (code != Errc::timed_out && code != Errc::cancelled) co_return false;
        }
      }
    }
  }

  Task<bool> give(const Attempt& attempt) {
    const auto time = now();
    job_claimed(context_, attempt, time);
    const auto& claimed = *attempt.job;
    GivenJob given;
    given.uuid = claimed.uuid;
    given.spec = claimed.spec;
    given.config = config_for_runner(claimed.config);
    given.oci_token = pull_token(context_, claimed, time);
    given.timeout = claimed.timeout;
    given.created = claimed.created;
    auto text = json::print(given);
    auto sent = co_await socket_->send(std::move(text));
    if (!sent) {
      co_await release(context_, *attempt.job_id);
      co_return false;
    }
    const auto load = [&](st::Connection& c) { return st::job_by_id(c, *attempt.job_id); };
    auto row = co_await context_.read(load);
    if (!row) co_return true;
    take_up(*std::move(row));
    co_return true;
  }

  enum class Handled { ignored, valid, idle, end };

  /// Until the job is no longer this connection's. False: the connection has ended.
  Task<bool> execute() {
    while (live_) {
      if (live_->canceled && !cancel_deadline_) cancel_deadline_ = steady_clock::now() + cancel_grace;
      const auto until = cancel_deadline_ ? std::min(deadline_, *cancel_deadline_) : deadline_;
      const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
      auto message = co_await socket_->receive(std::max(left, milliseconds(0)));
      if (!message) {
        if (message.error().code() != Errc::timed_out) co_return false;  // lost: the lease decides
        const bool over = past_limit(job_.state, job_.timeout, context_.config.job_grace, now());
        std::string reason = over ? R"("job_timeout_exceeded")" : R"("heartbeat_timeout")";
        co_await socket_->close(1000, std::move(reason));
        co_return false;
      }
      if (message->kind != http::WebSocket::Message::Kind::text) continue;
      auto parsed = json::parse<RunnerMessage>(message->data);
      if (!parsed || !parsed->event || !complete(*parsed)) continue;
      auto report_of = *std::move(parsed);
      const auto handled = co_await report(std::move(report_of));
      if (handled == Handled::end) co_return false;
      if (handled == Handled::idle) let_go();
      if (handled == Handled::valid) deadline_ = steady_clock::now() + silence();
    }
    co_return true;
  }

  Task<Handled> report(RunnerMessage message) {
    const auto event = *message.event;
    if (event == "ready") {
      co_await ack(job_.uuid);
      co_return Handled::ignored;
    }
    if (message.job && *message.job != job_.uuid) {
      std::string reason = R"("wrong_job")";
      co_await socket_->close(1008, std::move(reason));
      co_return Handled::end;
    }
    // A cancel that was pushed is not said again: the runner is about to say `canceled`.
    const bool told = live_->canceled;
    if (event == "running") {
      auto started = co_await advance(context_, job_.id, JobEvent::start);
      if (started) {
        job_ = *started;
        live_->persisted_heartbeat = now();
        context_.hub->heard_of(job_.id);
        if (!announced_) context_.hub->status(job_.uuid, JobStatus::running, std::nullopt, std::nullopt);
        announced_ = true;
        co_await ack(job_.uuid);
        co_return Handled::valid;
      }
      const auto status = co_await current_status(context_, job_.id);
      const auto answered = co_await answer(told, status == JobStatus::canceled);
      co_return answered;
    }
    if (event == "heartbeat" || event == "log") {
      if (event == "log") take_log(context_, job_.uuid, message);
      co_await take_host(context_, *live_, message);
      bool over = false;
      if (!told && past_limit(job_.state, job_.timeout, context_.config.job_grace, now())) {
        auto overrun = co_await advance(context_, job_.id, JobEvent::overrun);
        if (overrun) {
          over = true;
          co_await job_ended(context_, *overrun, std::string("the job ran past its time limit"));
        }
      }
      if (!told && !over) co_await beat(context_, *live_);
      const auto answered = co_await answer(told, over);
      co_return answered;
    }
    if (!is_terminal(event)) co_return Handled::ignored;
    const auto handled = co_await terminal(std::move(message));
    co_return handled;
  }

  /// `cancel` takes the job from the runner, which then says `canceled` to nobody in particular.
  Task<Handled> answer(bool told, bool canceled) {
    if (told || !canceled) {
      co_await ack(job_.uuid);
      co_return Handled::valid;
    }
    co_await say("cancel");
    co_return Handled::idle;
  }

  Task<Handled> terminal(RunnerMessage message) {
    const auto load = [&](st::Connection& c) { return st::job_by_id(c, job_.id); };
    auto row = co_await context_.read(load);
    if (!row) co_return Handled::end;
    const auto kind = event_of(*message.event);
    auto finished = co_await finish(context_, *row, kind, output_of(std::move(message)));
    if (!finished) {
      if (finished.error().code() != Errc::conflict) {
        context_.logger.log(LogLevel::error, "result not stored",
                            {{"job", job_.uuid.str()}, {"message", finished.error().message()}});
        socket_->abort();
        co_return Handled::end;
      }
      // A result before the job runs is a mistake of the runner; one that comes too late is taken note of and dropped.
      if (!has_run(row->state.status)) {
        socket_->abort();
        co_return Handled::end;
      }
    }
    co_await ack(job_.uuid);
    co_return Handled::idle;
  }

  Context& context_;
  http::RequestHead head_;
  std::string id_;
  st::RunnerId runner_;
  std::shared_ptr<http::WebSocket> socket_;

  // While executing.
  std::shared_ptr<LiveJob> live_;
  st::JobRow job_;
  bool announced_ = false;
  steady_clock::time_point deadline_;
  std::optional<steady_clock::time_point> cancel_deadline_;
};

extern const std::array<CustomEndpoint, 1> channels;

Task<void> runner_channel(App& app, http::Exchange& exchange, http::Params path) {
  auto& context = app.context();
  const std::string id(path[0].second);
  const auto work = [&](st::Connection& c) { return the_runner(c, exchange.head(), id); };
  auto runner = co_await context.read(work);
  if (!runner) {
    co_await app.answer(exchange, channels[0].row, std::move(runner).error());
    co_return;
  }
  auto head = exchange.head();
  auto socket = co_await exchange.upgrade(context.config.body_limit);
  if (!socket) {
    if (socket.error().code() == Errc::invalid_argument) co_await app.refuse(exchange, std::move(socket).error());
    co_return;
  }
  std::shared_ptr<http::WebSocket> shared = *std::move(socket);
  auto channel = std::make_shared<RunnerChannel>(context, std::move(head), id, runner->id, std::move(shared));
  co_await channel->run();
}

void describe(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<RunnerPath>>::describe(op, components);
  op["responses"] = boost::json::object{{"101", boost::json::object{{"description", "a WebSocket"}}}};
}

const std::array<CustomEndpoint, 1> channels{
    CustomEndpoint{{Verb::get, "/v0/runners/{runner}/channel", Access::public_, "runner_channel",
                    "The channel of a runner, for all its jobs"},
                   runner_channel,
                   describe},
};

}  // namespace

std::span<const CustomEndpoint> runner_channel_endpoints() {
  return channels;
}

}  // namespace bencher::server
