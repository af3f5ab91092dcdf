// Runners, by the older protocol: a long-polled claim, a channel for each job, and PATCH where there are no WebSockets.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/core.h>

#include "apps/server/runner_jobs.hpp"

namespace bencher::server {
namespace {

using namespace boost::asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds cancel_grace{30};

struct RunnerPath {
  ResourceId runner;
};
BOOST_DESCRIBE_STRUCT(RunnerPath, (), (runner))
struct RunnerJobPath {
  ResourceId runner;
  AnyUuid job;
};
BOOST_DESCRIBE_STRUCT(RunnerJobPath, (), (runner, job))
struct ClaimBody {
  std::optional<std::int64_t> poll_timeout;  ///< seconds
};
BOOST_DESCRIBE_STRUCT(ClaimBody, (), (poll_timeout))
struct ClaimedWire {
  Uuid<Job> uuid;
  JobStatus status = JobStatus::claimed;
  Spec spec;
  JobConfigWire config;
  std::string oci_token;
  std::uint32_t timeout = 0;
  Uuid<Runner> runner;
  std::optional<Timestamp> claimed;
  std::optional<Timestamp> started;
  std::optional<Timestamp> completed;
  Timestamp created;
  Timestamp modified;
};
BOOST_DESCRIBE_STRUCT(ClaimedWire, (),
                      (uuid, status, spec, config, oci_token, timeout, runner, claimed, started, completed, created,
                       modified))

struct RunnersJob {
  st::RunnerRow runner;
  st::JobRow job;
};
Result<RunnersJob> the_job(st::Connection& c, const http::RequestHead& head, const http::Params& path) {
  BENCHER_TRY(auto runner, the_runner(c, head, path[0].second));
  BENCHER_TRY(const auto uuid, AnyUuid::parse(path[1].second));
  auto job = st::find_job(c, uuid);
  if (!job) return not_found("job", uuid.str());
  if (job->runner_id != runner.id) return Error(Errc::forbidden, "the job belongs to another runner");
  return RunnersJob{std::move(runner), *std::move(job)};
}

extern const std::array<CustomEndpoint, 4> channels;

// Claims.

http::Reply print_claim(const Context& context, const ClaimedJob& job, Timestamp now) {
  ClaimedWire w;
  w.uuid = job.uuid;
  w.status = job.status;
  w.spec = job.spec;
  w.config = config_for_runner(job.config);
  w.oci_token = pull_token(context, job, now);
  w.timeout = job.timeout;
  w.runner = job.runner;
  w.claimed = job.state.claimed;
  w.started = job.state.started;
  w.completed = job.state.completed;
  w.created = job.created;
  w.modified = job.modified;
  http::Reply reply;
  json::write(reply.body, w);
  return reply;
}

/// Seconds to wait, from the body; 30 when it does not say.
Result<seconds> poll_timeout(std::string_view body) {
  if (body.empty()) return seconds(30);
  BENCHER_TRY(const auto parsed, json::parse<ClaimBody>(body));
  const auto wanted = parsed.poll_timeout.value_or(30);
  if (wanted < 0) return Error(Errc::invalid_argument, "/poll_timeout: expected seconds, 1 to 60");
  return seconds(std::clamp<std::int64_t>(wanted, 1, 60));
}

Task<void> claim_job(App& app, http::Exchange& exchange, http::Params path) {
  auto& context = app.context();
  auto& hub = *context.hub;
  const auto& row = channels[0].row;
  auto body = co_await app.read_json(exchange);
  if (!body) {
    co_await app.refuse(exchange, std::move(body).error());
    co_return;
  }
  auto timeout = poll_timeout(*body);
  if (!timeout) {
    co_await app.refuse(exchange, std::move(timeout).error());
    co_return;
  }
  const auto deadline = std::chrono::steady_clock::now() + *timeout;
  std::shared_ptr<JobWait> wait;
  while (!hub.stopping()) {
    const auto env = context.env();
    const auto work = [&](st::Connection& c) -> Result<Attempt> {
      BENCHER_TRY(const auto runner, the_runner(c, exchange.head(), path[0].second));
      return attempt_claim(c, env, runner.id);
    };
    if (wait) wait->woken = false;
    auto attempt = co_await context.write(work);
    if (!attempt) {
      if (wait) hub.leave(wait);
      co_await app.answer(exchange, row, std::move(attempt).error());
      co_return;
    }
    if (attempt->job) {
      if (wait) hub.leave(wait);
      job_claimed(context, *attempt, env.time());
      boost::asio::steady_timer now(context.io, seconds(0));
      const auto left = co_await (exchange.gone() || now.async_wait(boost::asio::use_awaitable));
      if (left.index() == 0 && std::get<0>(left)) {
        co_await release(context, *attempt->job_id);
        co_return;
      }
      auto reply = print_claim(context, *attempt->job, env.time());
      co_await app.answer(exchange, row, std::move(reply));
      co_return;
    }
    if (!wait) {
      // Entered only now: a runner that finds a job at once never waits. Another look follows, so that no job that came
      // in between is missed.
      wait = hub.enter(attempt->specs);
      continue;
    }
    wait->specs = attempt->specs;
    const auto remaining = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (remaining.count() <= 0 || hub.stopping()) break;
    if (wait->woken) continue;
    const auto ended = co_await (exchange.gone() || wait->notifier.wait(remaining));
    if (ended.index() == 0 && std::get<0>(ended)) {
      hub.leave(wait);
      co_return;
    }
    if (!wait->woken && std::chrono::steady_clock::now() >= deadline) break;
  }
  if (wait) hub.leave(wait);
  http::Reply nothing;
  nothing.body = "null";
  co_await app.answer(exchange, row, std::move(nothing));
}

// What a runner reports, through the channel or by PATCH.

// The channel.

class Channel {
 public:
  Channel(Context& context, st::JobRow job, std::shared_ptr<http::WebSocket> socket)
      : context_(context),
        job_(std::move(job)),
        socket_(std::move(socket)),
        live_(context.hub->live(job_.id, job_.uuid)) {
    if (auto older = live_->channel.lock()) close_later(std::move(older), 1008, R"("superseded")");
    live_->channel = socket_;
    number_ = ++live_->channel_number;
  }

  Task<void> run() {
    auto deadline = std::chrono::steady_clock::now() + silence();
    for (;;) {
      if (live_->canceled && !cancel_deadline_) cancel_deadline_ = std::chrono::steady_clock::now() + cancel_grace;
      const auto until = cancel_deadline_ ? std::min(deadline, *cancel_deadline_) : deadline;
      const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
      auto message = co_await socket_->receive(std::max(left, milliseconds(0)));
      if (!message) {
        if (message.error().code() != Errc::timed_out) co_return;  // lost: the lease decides
        const bool over = past_limit(job_.state, job_.timeout, context_.config.job_grace, now());
        co_await close(1008, over ? R"("job_timeout_exceeded")" : R"("heartbeat_timeout")");
        co_return;
      }
      if (message->kind != http::WebSocket::Message::Kind::text) continue;
      auto parsed = json::parse<RunnerMessage>(message->data);
      if (!parsed || !parsed->event) continue;
      if (parsed->job && *parsed->job != job_.uuid) {
        co_await close(1008, R"("wrong_job")");
        co_return;
      }
      const auto handled = co_await handle(*std::move(parsed));
      if (handled == Handled::end) co_return;
      if (handled == Handled::valid) deadline = std::chrono::steady_clock::now() + silence();
    }
  }

 private:
  enum class Handled { ignored, valid, end };

  Timestamp now() const { return Timestamp::of(context_.clock.now()); }
  milliseconds silence() const { return seconds(context_.config.heartbeat_timeout); }

  Task<void> answer(std::string_view event) {
    auto text = event == "ack" ? fmt::format(R"({{"event":"ack","job":"{}"}})", job_.uuid.str())
                               : fmt::format(R"({{"event":"{}"}})", event);
    co_await socket_->send(std::move(text));
  }
  Task<void> close(std::uint16_t code, std::string reason) { co_await socket_->close(code, std::move(reason)); }
  void close_later(std::shared_ptr<http::WebSocket> socket, std::uint16_t code, std::string reason) {
    auto closing = [socket = std::move(socket), code, reason = std::move(reason)]() -> Task<void> {
      co_await socket->close(code, reason);
    };
    auto held = std::make_shared<decltype(closing)>(std::move(closing));
    boost::asio::co_spawn(
        context_.io, [held]() -> Task<void> { return (*held)(); }, [held](std::exception_ptr) {});
  }

  Task<Handled> handle(RunnerMessage message) {
    const auto event = *message.event;
    if (event == "running") {
      auto started = co_await advance(context_, job_.id, JobEvent::start);
      if (started) {
        job_ = *started;
        live_->persisted_heartbeat = now();
        context_.hub->heard_of(job_.id);
        if (!announced_) context_.hub->status(job_.uuid, JobStatus::running, std::nullopt, std::nullopt);
        announced_ = true;
        co_await answer("ack");
        co_return Handled::valid;
      }
      const auto status = co_await current_status(context_, job_.id);
      live_->canceled = live_->canceled || status == JobStatus::canceled;
      co_await answer(live_->canceled ? "cancel" : "ack");
      co_return Handled::valid;
    }
    if (event == "heartbeat" || event == "log") {
      if (event == "log") take_log(context_, job_.uuid, message);
      co_await take_host(context_, *live_, message);
      if (!live_->canceled && past_limit(job_.state, job_.timeout, context_.config.job_grace, now())) {
        auto over = co_await advance(context_, job_.id, JobEvent::overrun);
        if (over) {
          live_->canceled = true;
          co_await job_ended(context_, *over, std::string("the job ran past its time limit"));
        }
      }
      if (!live_->canceled) co_await beat(context_, *live_);
      co_await answer(live_->canceled ? "cancel" : "ack");
      co_return Handled::valid;
    }
    if (event == "completed" || event == "failed" || event == "canceled" || event == "cancelled")
      co_return co_await terminal(event, std::move(message));
    co_return Handled::ignored;
  }

  Task<Handled> terminal(const std::string& event, RunnerMessage message) {
    const auto kind = event == "completed" ? JobEvent::complete : event == "failed" ? JobEvent::fail : JobEvent::cancel;
    const auto load = [&](st::Connection& c) { return st::job_by_id(c, job_.id); };
    auto row = co_await context_.read(load);
    if (!row) co_return Handled::end;
    auto finished = co_await finish(context_, *row, kind, output_of(std::move(message)));
    if (!finished) {
      if (finished.error().code() != Errc::conflict) {
        context_.logger.log(LogLevel::error, "result not stored",
                            {{"job", job_.uuid.str()}, {"message", finished.error().message()}});
        co_await close(1011, R"("internal_error")");
        co_return Handled::end;
      }
      // A report that comes too late is taken note of and dropped; one that comes too early is a mistake of the runner.
      if (!has_run(row->state.status)) {
        co_await close(1008, R"("not_running")");
        co_return Handled::end;
      }
    }
    co_await answer("ack");
    const std::string_view reason = kind == JobEvent::complete ? R"("job_completed")"
                                    : kind == JobEvent::fail   ? R"("job_failed")"
                                                               : R"("job_canceled_by_runner")";
    co_await close(1000, std::string(reason));
    co_return Handled::end;
  }

  Context& context_;
  st::JobRow job_;
  std::shared_ptr<http::WebSocket> socket_;
  std::shared_ptr<LiveJob> live_;
  std::uint64_t number_ = 0;
  bool announced_ = false;
  std::optional<std::chrono::steady_clock::time_point> cancel_deadline_;
};

Task<void> job_channel(App& app, http::Exchange& exchange, http::Params path) {
  auto& context = app.context();
  const auto work = [&](st::Connection& c) -> Result<RunnersJob> {
    BENCHER_TRY(auto found, the_job(c, exchange.head(), path));
    if (!in_flight(found.job.state.status))
      return Error(Errc::conflict, fmt::format("the job is {}; only a claimed or running job has a channel",
                                               to_string(found.job.state.status)));
    return found;
  };
  auto found = co_await context.read(work);
  if (!found) {
    co_await app.answer(exchange, channels[1].row, std::move(found).error());
    co_return;
  }
  auto socket = co_await exchange.upgrade(context.config.body_limit);
  if (!socket) {
    if (socket.error().code() == Errc::invalid_argument) co_await app.refuse(exchange, std::move(socket).error());
    co_return;
  }
  std::shared_ptr<http::WebSocket> shared = *std::move(socket);
  auto channel = std::make_shared<Channel>(context, found->job, std::move(shared));
  co_await channel->run();
}

// PATCH.

Task<void> patch_job(App& app, http::Exchange& exchange, http::Params path) {
  auto& context = app.context();
  const auto& row = channels[3].row;
  auto body = co_await app.read_json(exchange);
  if (!body) {
    co_await app.refuse(exchange, std::move(body).error());
    co_return;
  }
  auto message = json::parse<RunnerMessage>(*body);
  if (!message || !message->status ||
      (*message->status != "running" && *message->status != "completed" && *message->status != "failed")) {
    auto error = message ? Error(Errc::invalid_argument, "/status: expected running, completed or failed")
                         : std::move(message).error();
    co_await app.refuse(exchange, std::move(error));
    co_return;
  }
  const auto work = [&](st::Connection& c) { return the_job(c, exchange.head(), path); };
  auto found = co_await context.read(work);
  if (!found) {
    co_await app.answer(exchange, row, std::move(found).error());
    co_return;
  }
  auto status = found->job.state.status;
  const auto wanted = *message->status;
  const auto say = [](JobStatus s) {
    http::Reply reply;
    reply.body = fmt::format(R"({{"status":"{}"}})", to_string(s));
    return reply;
  };
  Result<http::Reply> reply = http::Reply{};
  const bool retried = (wanted == "completed" && (status == JobStatus::completed || status == JobStatus::processed)) ||
                       (wanted == "failed" && status == JobStatus::failed);
  if (status == JobStatus::canceled || retried) {
    reply = say(status);
  } else if (wanted == "running") {
    auto started = co_await advance(context, found->job.id, JobEvent::start);
    if (started) {
      auto live = context.hub->live(found->job.id, found->job.uuid);
      co_await beat(context, *live);
      if (status == JobStatus::claimed)
        context.hub->status(found->job.uuid, JobStatus::running, std::nullopt, std::nullopt);
      reply = say(started->state.status);
    } else {
      reply = std::move(started).error();
    }
  } else if (wanted == "completed" && status != JobStatus::running) {
    // Unlike on a channel, a late result is refused: the fallback has no session that it could belong to.
    auto refused = Error(Errc::conflict, fmt::format("cannot complete a job that is {}", to_string(status)));
    reply = std::move(refused);
  } else {
    const auto kind = wanted == "completed" ? JobEvent::complete : JobEvent::fail;
    auto finished = co_await finish(context, found->job, kind, output_of(*std::move(message)));
    if (finished)
      reply = say(finished->job.state.status);
    else
      reply = std::move(finished).error();
  }
  co_await app.answer(exchange, row, std::move(reply));
}

void describe_claim(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<RunnerPath>>::describe(op, components);
  http::detail::Arg<Body<ClaimBody>>::describe(op, components);
  op["responses"] = boost::json::object{
      {"200",
       boost::json::object{{"description", "the job, or null"},
                           {"content", {{"application/json", {{"schema", json::schema<ClaimedWire>(components)}}}}}}}};
}
void describe_channel(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<RunnerJobPath>>::describe(op, components);
  op["responses"] = boost::json::object{{"101", boost::json::object{{"description", "a WebSocket"}}}};
}
void describe_patch(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<RunnerJobPath>>::describe(op, components);
  http::detail::Arg<Body<RunnerMessage>>::describe(op, components);
  op["responses"] = boost::json::object{{"200", boost::json::object{{"description", "the job's status"}}}};
}

const std::array<CustomEndpoint, 4> channels{
    CustomEndpoint{{Verb::post, "/v0/runners/{runner}/jobs", Access::public_, "runner_jobs_post",
                    "Claim a job, waiting for one if need be"},
                   claim_job,
                   describe_claim},
    CustomEndpoint{{Verb::get, "/v0/runners/{runner}/jobs/{job}/channel", Access::public_, "runner_job_channel",
                    "The channel of a claimed job"},
                   job_channel,
                   describe_channel},
    CustomEndpoint{{Verb::get, "/v0/runners/{runner}/jobs/{job}", Access::public_, "runner_job_get",
                    "Another name of the channel"},
                   job_channel,
                   describe_channel},
    CustomEndpoint{{Verb::patch, "/v0/runners/{runner}/jobs/{job}", Access::public_, "runner_job_patch",
                    "Report a job's state without a channel"},
                   patch_job,
                   describe_patch},
};

}  // namespace

std::span<const CustomEndpoint> channel_endpoints() {
  return channels;
}

}  // namespace bencher::server
