#include "apps/server/runner_session.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "lib/job/message.hpp"

namespace bencher::server {

using namespace boost::asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

RunnerSession::RunnerSession(Context& context, st::RunnerId runner, std::shared_ptr<http::WebSocket> socket,
                             http::RequestHead head, std::string id)
    : context_(context), runner_(runner), socket_(std::move(socket)), head_(std::move(head)), id_(std::move(id)) {}

channel::Options RunnerSession::options() const {
  channel::Options options;
  options.heartbeat_timeout = std::chrono::seconds(context_.config.heartbeat_timeout);
  options.job_grace = context_.config.job_grace;
  return options;
}

Task<void> RunnerSession::run_job(st::JobRow job) {
  auto first = held(std::move(job));
  state_ = channel::open_job(options(), std::move(first), context_.clock.now());
  co_await loop();
}

Task<void> RunnerSession::run() {
  state_ = channel::open_runner(options(), context_.clock.now());
  co_await loop();
}

Task<void> RunnerSession::loop() {
  context_.hub->connected(runner_, weak_from_this());
  sync();
  while (!state_.ended) {
    const auto left = state_.wake_at - context_.clock.now();
    auto frame = co_await socket_->receive(std::max(left, milliseconds(0)));
    channel::Event event = channel::Lapsed{};
    if (frame) {
      channel::Received received;
      if (frame->kind == http::WebSocket::Message::Kind::text) received.text = std::move(frame->data);
      event = std::move(received);
    } else if (frame.error().code() != Errc::timed_out) {
      break;  // lost: the lease decides
    }
    co_await tell(std::move(event));
  }
}

std::vector<channel::Action> RunnerSession::step(const channel::Event& event) {
  auto [state, actions] = channel::step(std::move(state_), event, context_.clock.now());
  state_ = std::move(state);
  return std::move(actions);
}

Task<void> RunnerSession::tell(channel::Event event) {
  // An action that is answered is the last of its step.
  Answer next = std::move(event);
  while (next) {
    auto actions = step(*next);
    sync();
    next.reset();
    for (auto& action : actions) {
      auto perform_it = [this](auto& what) { return perform(std::move(what)); };
      auto performing = std::visit(perform_it, action);
      next = co_await std::move(performing);
    }
  }
}

/// The job that the machine holds now is this connection's.
void RunnerSession::sync() {
  if (!state_.held) {
    live_.reset();
    return;
  }
  if (live_ && live_->uuid == state_.held->uuid) return;
  live_ = context_.hub->live(row_->id, row_->uuid);
  context_.hub->attach(*live_, weak_from_this());
  if (live_->canceled) cancel();
}

void RunnerSession::cancel() {
  auto telling = [self = shared_from_this()]() -> Task<void> {
    channel::Event canceled = channel::Canceled{};
    co_await self->tell(std::move(canceled));
  };
  context_.spawn(std::move(telling));
}

void RunnerSession::close(std::uint16_t code, std::string reason) {
  if (state_.ended) return;
  state_.ended = true;
  auto closing = [socket = socket_, code, reason = std::move(reason)]() -> Task<void> {
    co_await socket->close(code, reason);
  };
  context_.spawn(std::move(closing));
}

channel::Held RunnerSession::held(st::JobRow row) {
  channel::Held out{row.uuid, row.state, row.timeout};
  row_ = std::move(row);
  return out;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Say action) {
  co_await socket_->send(std::move(action.text));
  co_return std::nullopt;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Close action) {
  co_await socket_->close(action.code, std::move(action.reason));
  co_return std::nullopt;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Drop) {
  socket_->abort();
  co_return std::nullopt;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Advance action) {
  const auto live = live_;
  const bool was_claimed = state_.held && state_.held->state.status == JobStatus::claimed;
  auto advanced = co_await advance(context_, live->id, action.event);
  if (!advanced) {
    const auto status = co_await current_status(context_, live->id);
    co_return channel::Advanced{std::nullopt, status};
  }
  if (action.event == JobEvent::overrun) {
    co_await job_ended(context_, *advanced, std::string("the job ran past its time limit"));
  } else {
    live->persisted_heartbeat = Timestamp::of(context_.clock.now());
    context_.hub->heard_of(live->id);
    if (was_claimed) context_.hub->status(live->uuid, JobStatus::running, std::nullopt, std::nullopt);
  }
  co_return channel::Advanced{advanced->state, advanced->state.status};
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Finish action) {
  const auto load = [&](st::Connection& c) { return st::find_job(c, action.job); };
  auto row = co_await context_.read(load);
  // A job that is gone, or another's, is none of this runner's: as good as canceled.
  if (!row || row->runner_id != runner_)
    co_return channel::Finished{channel::Finished::How::refused, JobStatus::canceled};
  if (channel::starts_first(action, row->state.status)) {
    auto started = co_await advance(context_, row->id, JobEvent::start);
    if (started) row = *std::move(started);
  }
  auto output = co_await results_of(context_, *row, action.event, action.uploaded, std::move(action.output));
  if (!output) co_return channel::Finished{channel::Finished::How::missing, row->state.status};
  auto finished = co_await finish(context_, *row, action.event, *std::move(output));
  if (finished) co_return channel::Finished{channel::Finished::How::taken, row->state.status};
  if (finished.error().code() == Errc::conflict) {
    const auto status = co_await current_status(context_, row->id);
    co_return channel::Finished{channel::Finished::How::refused, status};
  }
  context_.logger.log(LogLevel::error, "result not stored",
                      {{"job", row->uuid.str()}, {"message", finished.error().message()}});
  co_return channel::Finished{channel::Finished::How::broken, row->state.status};
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Beat) {
  const auto live = live_;
  co_await beat(context_, *live);
  co_return std::nullopt;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Log action) {
  take_log(context_, live_->uuid, action);
  co_return std::nullopt;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Reach action) {
  const auto live = live_;
  co_await reach(context_, live->id, action.stage);
  co_return std::nullopt;
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Host action) {
  const auto live = live_;
  co_await take_host(context_, *live, std::move(action.json));
  co_return std::nullopt;
}

/// Looks for a job until there is one or the time is over. Claims are woken, not timed.
Task<RunnerSession::Answer> RunnerSession::perform(channel::Poll action) {
  auto& hub = *context_.hub;
  const auto deadline = steady_clock::now() + action.timeout;
  std::shared_ptr<JobWait> wait;
  struct Leaving {
    JobHub& hub;
    std::shared_ptr<JobWait>& wait;
    ~Leaving() {
      if (wait) hub.leave(wait);
    }
  } const leaving{hub, wait};
  const channel::Polled gone{std::nullopt, true};
  for (;;) {
    if (hub.stopping() || state_.ended) co_return gone;
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
      co_return gone;
    }
    if (attempt->job) {
      auto given = co_await give(*attempt);
      co_return given;
    }
    if (!wait) {
      // Another look follows, so that no job that came in between is missed.
      wait = hub.enter(attempt->specs);
      continue;
    }
    wait->specs = attempt->specs;
    while (!wait->woken && !hub.stopping() && !state_.ended) {
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      if (left.count() <= 0) co_return channel::Polled{};
      const auto ended = co_await (socket_->receive(left) || wait->notifier.wait(left));
      // What comes while a job is looked for is not answered.
      if (ended.index() == 0 && !std::get<0>(ended)) {
        const auto code = std::get<0>(ended).error().code();
        if (code != Errc::timed_out && code != Errc::cancelled) co_return gone;
      }
    }
  }
}

Task<channel::Polled> RunnerSession::give(const Attempt& attempt) {
  const auto time = Timestamp::of(context_.clock.now());
  job_claimed(context_, attempt, time);
  auto text = print_given(*attempt.job, pull_token(context_, *attempt.job, time));
  auto sent = co_await socket_->send(std::move(text));
  if (!sent) {
    co_await release(context_, *attempt.job_id);
    co_return channel::Polled{std::nullopt, true};
  }
  const auto load = [&](st::Connection& c) { return st::job_by_id(c, *attempt.job_id); };
  auto row = co_await context_.read(load);
  if (!row) co_return channel::Polled{};
  auto given = held(*std::move(row));
  co_return channel::Polled{std::move(given), false};
}

Task<RunnerSession::Answer> RunnerSession::perform(channel::Resume) {
  const auto load = [&](st::Connection& c) { return st::jobs_of_runner_in_flight(c, runner_); };
  auto own = co_await context_.read(load);
  if (own.size() != 1) co_return channel::Resumed{};
  auto job = held(std::move(own.front()));
  co_return channel::Resumed{std::move(job)};
}

}  // namespace bencher::server
