#include "lib/http/notifier.hpp"

#include <algorithm>
#include <atomic>
#include <list>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bencher::http {
namespace asio = boost::asio;

struct Notifier::State {
  struct Waiter {
    explicit Waiter(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool notified = false;
  };

  explicit State(asio::io_context& i) : io(i) {}

  asio::io_context& io;
  std::atomic<bool> posted = false;
  std::uint64_t count = 0;
  std::list<Waiter> waiters;
};

Notifier::Notifier(asio::io_context& io) : state_(std::make_shared<State>(io)) {}
Notifier::~Notifier() = default;

std::uint64_t Notifier::count() const {
  return state_->count;
}

asio::awaitable<bool> Notifier::wait(std::chrono::milliseconds timeout) {
  // Longer waits would overflow the clock.
  constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
  struct Entry {
    explicit Entry(std::shared_ptr<State> s)
        : state(std::move(s)), at(state->waiters.emplace(state->waiters.end(), state->io)) {}
    ~Entry() { state->waiters.erase(at); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    std::shared_ptr<State> state;
    std::list<State::Waiter>::iterator at;
  };
  Entry entry(state_);
  entry.at->timer.expires_after(std::clamp(timeout, std::chrono::milliseconds(0), longest));
  co_await entry.at->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return entry.at->notified;
}

void Notifier::notify_all() {
  if (state_->posted.exchange(true)) return;
  asio::post(state_->io, [state = state_] {
    state->posted = false;
    ++state->count;
    for (auto& waiter : state->waiters) {
      waiter.notified = true;
      waiter.timer.cancel();
    }
  });
}

}  // namespace bencher::http
