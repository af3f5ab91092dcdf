// What every handler is given, and the way from the network thread to the database's threads and back.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bencher/base/clock.hpp"
#include "bencher/base/logger.hpp"
#include "bencher/base/random.hpp"
#include "bencher/image/blob_store.hpp"
#include "bencher/image/resolve.hpp"

#include "apps/server/config.hpp"
#include "lib/http/server.hpp"
#include "lib/pipeline/steps.hpp"
#include "lib/storage/database.hpp"

namespace bencher::server {

using http::Task;

class JobHub;

struct Context {
  boost::asio::io_context& io;
  const Config& config;
  storage::Database& db;
  BlobStore& blobs;
  ImageResolver& images;
  Clock& clock;
  Random& random;
  Logger& logger;
  JobHub* hub = nullptr;

  pipeline::Env env(std::string source_ip = "127.0.0.1") const {
    return pipeline::Env{clock.now(), random, images, config.registry_url, std::move(source_ip)};
  }

  /// Runs a coroutine beside all else; what it throws is logged and ends only it.
  template <class F>
  void spawn(F coroutine) {
    auto held = std::make_shared<F>(std::move(coroutine));
    boost::asio::co_spawn(
        io, [held]() -> Task<void> { return (*held)(); },
        [held, &logger = logger](std::exception_ptr error) {
          try {
            if (error) std::rethrow_exception(error);
          } catch (const std::exception& e) {
            logger.log(LogLevel::error, "background work failed", {{"message", e.what()}});
          }
        });
  }

  /// Runs `work(Connection&)` on the writer thread, in a transaction, and resumes after its commit. A `Result` that is
  /// an error rolls back. Error of its own: `unavailable`, too much waits (only when `work` gives a `Result`).
  template <class F>
  Task<std::invoke_result_t<F&, storage::Connection&>> write(F work) {
    using R = std::invoke_result_t<F&, storage::Connection&>;
    auto slot = std::make_shared<Slot<R>>();
    auto start = [this, slot, &work](auto resume) {
      auto in_transaction = [slot, &work](storage::Connection& c) {
        slot->value.emplace(work(c));
        return keeps(*slot->value);
      };
      auto done = [slot, resume](std::exception_ptr error) {
        slot->error = error;
        resume();
      };
      return db.write(std::move(in_transaction), std::move(done));
    };
    co_await offload(slot, std::move(start));
    co_return take(*slot);
  }

  /// Runs `work(Connection&)` on a reader thread, on a read-only connection.
  template <class F>
  Task<std::invoke_result_t<F&, storage::Connection&>> read(F work) {
    using R = std::invoke_result_t<F&, storage::Connection&>;
    auto slot = std::make_shared<Slot<R>>();
    auto start = [this, slot, &work](auto resume) {
      return db.read([slot, &work, resume](storage::Connection& c) {
        try {
          slot->value.emplace(work(c));
        } catch (...) {
          slot->error = std::current_exception();
        }
        resume();
      });
    };
    co_await offload(slot, std::move(start));
    co_return take(*slot);
  }

  /// Runs `work()` on a pool thread.
  template <class F>
  Task<std::invoke_result_t<F&>> compute(F work) {
    using R = std::invoke_result_t<F&>;
    auto slot = std::make_shared<Slot<R>>();
    auto start = [this, slot, &work](auto resume) {
      return db.compute([slot, &work, resume] {
        try {
          slot->value.emplace(work());
        } catch (...) {
          slot->error = std::current_exception();
        }
        resume();
      });
    };
    co_await offload(slot, std::move(start));
    co_return take(*slot);
  }

 private:
  template <class R>
  struct Slot {
    std::optional<R> value;
    std::exception_ptr error;
    bool refused = false;
  };
  template <class T>
  static bool keeps(const Result<T>& r) {
    return r.has_value();
  }
  template <class T>
  static bool keeps(const T&) {
    return true;
  }
  template <class R>
  static R take(Slot<R>& slot) {
    if (slot.refused) {
      if constexpr (std::is_constructible_v<R, Error>)
        return Error(Errc::unavailable, "the server has too much to do; try again");
      else
        throw std::runtime_error("the database takes no more work");
    }
    if (slot.error) std::rethrow_exception(slot.error);
    return std::move(*slot.value);
  }
  /// What continues the coroutine on the network thread, from any thread.
  template <class H>
  std::function<void()> resumer(H handler) {
    auto held = std::make_shared<H>(std::move(handler));
    return [held, executor = boost::asio::prefer(io.get_executor(), boost::asio::execution::outstanding_work.tracked)] {
      boost::asio::post(executor, [held] { std::move (*held)(); });
    };
  }
  template <class R, class I>
  Task<void> offload(std::shared_ptr<Slot<R>> slot, I start) {
    auto initiate = [this, slot, &start](auto handler) {
      auto resume = resumer(std::move(handler));
      if (!start(resume)) {
        slot->refused = true;
        resume();
      }
    };
    auto op =
        boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(initiate, boost::asio::use_awaitable);
    co_await std::move(op);
  }
};

}  // namespace bencher::server
