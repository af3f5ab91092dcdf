// Waking coroutines of the network thread: a wait that ends at a notification, a deadline or cancellation.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bencher::http {

/// A condition that coroutines of one io_context wait for. `notify_all` may be called from any thread (it posts), the
/// rest on the network thread only.
class Notifier {
 public:
  explicit Notifier(boost::asio::io_context& io) : io_(io), timer_(io, boost::asio::steady_timer::time_point::max()) {}

  /// Completes at the next notification (true), or after `timeout` (false).
  boost::asio::awaitable<bool> wait(std::chrono::milliseconds timeout);
  void notify_all();
  /// How often it was notified; compare before waiting to miss none.
  std::uint64_t count() const { return count_; }

 private:
  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  std::uint64_t count_ = 0;
};

}  // namespace bencher::http
