#include "lib/http/notifier.hpp"

#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

using bencher::http::Notifier;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_SUITE("http/notifier") {
  TEST_CASE("one notification from another thread wakes all that wait") {
    asio::io_context io(1);
    Notifier notifier(io);
    int woken = 0;
    for (int i = 0; i < 3; ++i)
      asio::co_spawn(
          io,
          [&]() -> asio::awaitable<void> {
            if (co_await notifier.wait(10s)) ++woken;
          },
          asio::detached);
    io.poll();
    CHECK(woken == 0);
    std::thread([&] {
      notifier.notify_all();
      notifier.notify_all();
    }).join();
    io.restart();
    io.run();
    CHECK(woken == 3);
    CHECK(notifier.count() == 1);
  }

  TEST_CASE("a wait ends with false after its time-out or when cancelled, and the longest does not overflow") {
    using namespace asio::experimental::awaitable_operators;
    asio::io_context io(1);
    Notifier notifier(io);
    bool timed_out = false, first = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          timed_out = !co_await notifier.wait(5ms);
          timed_out = timed_out && !co_await notifier.wait(-5ms);
          const auto either = co_await (notifier.wait(5ms) || notifier.wait(std::chrono::milliseconds::max()));
          first = either.index() == 0;
        },
        asio::detached);
    io.run();
    CHECK(timed_out);
    CHECK(first);
    CHECK(notifier.count() == 0);
  }

  TEST_CASE("waits that outlive the notifier, or the context, are let go") {
    asio::io_context io(1);
    {
      Notifier notifier(io);
      asio::co_spawn(
          io, [&]() -> asio::awaitable<void> { co_await notifier.wait(1h); }, asio::detached);
      io.poll();
    }
    CHECK_FALSE(io.stopped());
  }
}
