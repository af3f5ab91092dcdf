#include "lib/http/offload.hpp"

#include <exception>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bencher::http {
namespace asio = boost::asio;

Task<void> run_on(asio::thread_pool& pool, std::function<void()> work) {
  auto start = [&pool](auto handler, std::function<void()> job) {
    auto executor = asio::get_associated_executor(handler);
    asio::post(pool, [executor, handler = std::move(handler), job = std::move(job)]() mutable {
      std::exception_ptr failure;
      try {
        job();
      } catch (...) {
        failure = std::current_exception();
      }
      asio::post(executor, [handler = std::move(handler), failure]() mutable { std::move(handler)(failure); });
    });
  };
  auto running = asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      std::move(start), asio::use_awaitable, std::move(work));
  co_await std::move(running);
}

}  // namespace bencher::http
