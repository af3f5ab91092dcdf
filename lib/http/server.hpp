// The HTTP server that all of it is served by: connections, limits, time-outs, streams, WebSockets, graceful stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "bencher/base/logger.hpp"
#include "bencher/base/random.hpp"
#include "bencher/base/result.hpp"

#include "lib/http/message.hpp"

namespace bencher::http {

template <class T>
using Task = boost::asio::awaitable<T>;

/// One WebSocket connection (RFC 6455, version 13). Pings are answered inside. Network thread only; at most one
/// `receive` and any number of `send`s (they queue) at a time.
class WebSocket {
 public:
  struct Message {
    enum class Kind { text, binary } kind = Kind::text;
    std::string data;
  };

  virtual ~WebSocket() = default;
  /// The next message. Errors: `timed_out` after `timeout` without one; `too_large` for one over the limit (the
  /// connection is closed with 1009 first); `unavailable` once the connection is closed or lost.
  virtual Task<Result<Message>> receive(std::chrono::milliseconds timeout) = 0;
  /// Sends one text message. Error: `unavailable`.
  virtual Task<Result<void>> send(std::string text) = 0;
  /// Sends a close frame and ends the connection. Never fails.
  virtual Task<void> close(std::uint16_t code, std::string reason) = 0;
  /// Drops the connection without a close frame; ends a waiting `receive`. Can be called from another coroutine.
  virtual void abort() = 0;
};

/// One request on a connection, and the way to answer it. Network thread only. A handler answers exactly once, by one
/// of `respond`, `respond_file`, `begin_stream … end_stream`, `upgrade`. What it leaves of the body is read and thrown
/// away (up to a limit), else the connection is closed after the answer.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const RequestHead& head() const = 0;

  /// The whole body. Errors: `too_large` over `limit` bytes; `invalid_argument` for broken chunks; `unavailable` when
  /// the client goes away; `timed_out`. The request can still be answered after each of them.
  virtual Task<Result<std::string>> read_body(std::uint64_t limit) = 0;
  /// The next part of the body, at most 64 KiB; empty at its end. Errors as `read_body`, without a limit.
  virtual Task<Result<std::string>> read_some() = 0;

  /// Whether the answer was handed on whole: one that was not never reaches the client as an answer.
  virtual Task<bool> respond(Response response) = 0;
  /// Answers with `length` bytes of `file` from `offset`, in bounded memory; `response.body` is not used. Throws
  /// std::system_error, with nothing sent, when the file cannot be opened.
  virtual Task<void> respond_file(Response response, std::filesystem::path file, std::uint64_t offset,
                                  std::uint64_t length) = 0;
  /// Starts an answer of unknown length (chunked); each chunk is sent at once. Error: `unavailable`, the client left.
  virtual Task<Result<void>> begin_stream(Response response) = 0;
  virtual Task<Result<void>> write_chunk(std::string chunk) = 0;
  virtual Task<void> end_stream() = 0;

  /// Becomes a WebSocket. Errors: `invalid_argument` when the request does not ask for one (nothing was sent then);
  /// `unavailable`.
  virtual Task<Result<std::unique_ptr<WebSocket>>> upgrade(std::size_t message_limit) = 0;
  /// One more header of the upgrade's answer; before `upgrade`.
  virtual void add_upgrade_header(std::string name, std::string value) = 0;

  /// Completes with true once the client has closed its side or the connection broke, with false when cancelled. For
  /// long polls: wait for it `||` something else. Only after the body has been read.
  virtual Task<bool> gone() = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  /// Answers one request. What it throws becomes a 500 with the request id, and the server lives.
  virtual Task<void> handle(Exchange& exchange) = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;          ///< 0: any free one
  std::string certificate_file{};  ///< PEM chain; with `key_file`: TLS
  std::string key_file{};
  std::size_t header_limit = 32 * 1024;
  std::size_t connection_limit = 4096;              ///< more are accepted and closed with 503
  std::chrono::milliseconds idle_timeout{75'000};   ///< between requests
  std::chrono::milliseconds read_timeout{30'000};   ///< for a header, and for each part of a body
  std::chrono::milliseconds write_timeout{30'000};  ///< for each part of an answer
  std::chrono::milliseconds stop_grace{10'000};
};

/// Listens, and gives each request to `handler`. Everything runs on the one thread that runs `io`.
class Server {
 public:
  /// Binds and starts to accept. Throws boost::system::system_error when the address cannot be bound.
  Server(boost::asio::io_context& io, ServerOptions options, Handler& handler, Random& random, Logger& logger);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  std::size_t connections() const;
  /// Stops accepting, closes idle connections, closes every WebSocket with 1001 `server shutting down`, lets running
  /// requests finish for `stop_grace`, then drops the rest. Completes when no connection is left.
  Task<void> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bencher::http
