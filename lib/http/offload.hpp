// Blocking and heavy work, away from the network thread.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>

#include <boost/asio/thread_pool.hpp>

#include "lib/http/server.hpp"

namespace bencher::http {

/// Runs `work` on `pool`; completes, or throws what it threw, on the caller's thread.
Task<void> run_on(boost::asio::thread_pool& pool, std::function<void()> work);

/// Runs `f()` on `pool` and goes on with its value, or exception, where it was called. `f` may refer to what lives in
/// the calling coroutine. It is waited for even when the coroutine is cancelled; so join the pool before the io_context
/// ends.
template <class F>
Task<std::invoke_result_t<F&>> offload(boost::asio::thread_pool& pool, F f) {
  if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
    std::function<void()> work = [&f] { f(); };
    co_await run_on(pool, std::move(work));
  } else {
    std::optional<std::invoke_result_t<F&>> value;
    std::function<void()> work = [&f, &value] { value.emplace(f()); };
    co_await run_on(pool, std::move(work));
    co_return *std::move(value);
  }
}

}  // namespace bencher::http
