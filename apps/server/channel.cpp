// Runners, by the older protocol: a long-polled claim, a channel for each job, and PATCH where there are no WebSockets.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/core.h>

#include "apps/server/runner_session.hpp"
#include "lib/job/message.hpp"

namespace bencher::server {
namespace {

using namespace boost::asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::seconds;

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

extern const std::array<CustomEndpoint, 4> channels;

// Claims.

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
      http::Reply reply;
      reply.body = print_claim(*attempt->job, pull_token(context, *attempt->job, env.time()));
      const bool delivered = co_await app.answer(exchange, row, std::move(reply));
      if (!delivered) co_await release(context, *attempt->job_id);
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

// The channel.

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
  announce_features(exchange);
  auto socket = co_await exchange.upgrade(context.config.body_limit);
  if (!socket) {
    if (socket.error().code() == Errc::invalid_argument) co_await app.refuse(exchange, std::move(socket).error());
    co_return;
  }
  std::shared_ptr<http::WebSocket> shared = *std::move(socket);
  auto head = exchange.head();
  std::string id(path[0].second);
  auto session =
      std::make_shared<RunnerSession>(context, found->runner.id, std::move(shared), std::move(head), std::move(id));
  co_await session->run_job(std::move(found->job));
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
  const auto rule = channel::patch_rule(
      status, wanted,
      past_limit(found->job.state, found->job.timeout, context.config.job_grace, Timestamp::of(context.clock.now())));
  switch (rule.what) {
    case channel::PatchRule::Do::say: reply = say(status); break;
    case channel::PatchRule::Do::start: {
      auto started = co_await advance(context, found->job.id, rule.event);
      if (!started) {
        reply = std::move(started).error();
        break;
      }
      if (rule.event == JobEvent::overrun) {
        co_await job_ended(context, *started, std::string("the job ran past its time limit"));
        reply = say(started->state.status);
        break;
      }
      auto live = context.hub->live(found->job.id, found->job.uuid);
      co_await beat(context, *live);
      if (status == JobStatus::claimed)
        context.hub->status(found->job.uuid, JobStatus::running, std::nullopt, std::nullopt);
      reply = say(started->state.status);
      break;
    }
    case channel::PatchRule::Do::finish: {
      const bool uploaded = message->uploaded.value_or(false);
      auto output = co_await results_of(context, found->job, rule.event, uploaded, output_of(*std::move(message)));
      if (!output) {
        auto missing = Error(Errc::conflict, output.error().message());
        reply = std::move(missing);
        break;
      }
      auto finished = co_await finish(context, found->job, rule.event, *std::move(output));
      if (finished)
        reply = say(finished->job.state.status);
      else
        reply = std::move(finished).error();
      break;
    }
    case channel::PatchRule::Do::refuse: {
      auto refused = Error(Errc::conflict, fmt::format("cannot complete a job that is {}", to_string(status)));
      reply = std::move(refused);
    }
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
