// Waking coroutines of the network thread: a wait that ends at a notification, a deadline or cancellation.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace bencher::http {

/// A condition that coroutines of one io_context wait for. `notify_all` may be called from any thread (it posts), the
/// rest on the network thread only.
class Notifier {
 public:
  explicit Notifier(boost::asio::io_context& io);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Completes at the next notification (true), or after `timeout` or when cancelled (false).
  boost::asio::awaitable<bool> wait(std::chrono::milliseconds timeout);
  /// Wakes all that wait once the network thread gets to it. Calls that come before that are one notification.
  void notify_all();
  /// How often it was notified; compare before waiting to miss none.
  std::uint64_t count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace bencher::http
