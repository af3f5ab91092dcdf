// One connection of the server and what all connections share. Private to server.cpp, session.cpp and websocket.cpp.
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "lib/http/notifier.hpp"
#include "lib/http/server.hpp"
#include "lib/http/transport.hpp"

namespace bencher::http {

inline constexpr auto as_awaitable_tuple = asio::as_tuple(asio::use_awaitable);

class Connection;

/// What the connections of one server share. Network thread only.
struct ServerCore {
  ServerCore(asio::io_context& i, ServerOptions o, Handler& h, Random& r, Logger& l)
      : io(i), options(std::move(o)), handler(h), random(r), logger(l), ended(i) {}

  asio::io_context& io;
  ServerOptions options;
  Handler& handler;
  Random& random;
  Logger& logger;
  std::optional<asio::ssl::context> tls;
  std::list<std::shared_ptr<Connection>> connections;
  std::size_t refused = 0;  ///< of `connections`: those over the limit, being told so
  bool stopping = false;
  Notifier ended;  ///< notified when a connection has ended while stopping

  /// The `date` header's value for the current second (RFC 9110 section 5.6.7).
  const std::string& date();

 private:
  std::time_t date_second_ = -1;
  std::string date_;
};

/// Writes a request's head into a `RequestHead`, and collects the body's part that was parsed last.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(RequestHead& head) : head_(head) {}

  /// The part of the body that came with the last `put`.
  std::string part;
  bool discard = false;
  int version = 11;
  std::uint64_t body_bytes = 0;

 private:
  using Text = boost::beast::string_view;
  using Size = boost::optional<std::uint64_t>;
  void on_request_impl(boost::beast::http::verb verb, Text method, Text target, int version, error_code& ec) override;
  void on_response_impl(int, Text, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field, Text name, Text value, error_code&) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const Size&, error_code&) override {}
  std::size_t on_body_impl(Text body, error_code&) override;
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, error_code&) override;
  void on_finish_impl(error_code&) override {}

  RequestHead& head_;
};

class WebSocketSession;

class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerCore> core, Socket socket, bool over_limit);
  ~Connection() override;

  /// The connection's whole life.
  Task<void> run();

  /// Ends the running operation if its deadline is over.
  void expire(std::chrono::steady_clock::time_point now);
  /// The server stops: ends the connection if nothing runs on it; a WebSocket is closed with 1001.
  void stop();
  /// Ends the connection now, whatever runs on it.
  void drop();

  const RequestHead& head() const override { return head_; }
  Task<Result<std::string>> read_body(std::uint64_t limit) override;
  Task<Result<std::string>> read_some() override;
  Task<bool> respond(Response response) override;
  Task<void> respond_file(Response response, std::filesystem::path file, std::uint64_t offset,
                          std::uint64_t length) override;
  Task<Result<void>> begin_stream(Response response) override;
  Task<Result<void>> write_chunk(std::string chunk) override;
  Task<void> end_stream() override;
  Task<Result<std::unique_ptr<WebSocket>>> upgrade(std::size_t message_limit) override;
  void add_upgrade_header(std::string name, std::string value) override {
    upgrade_headers_.push_back({std::move(name), std::move(value)});
  }
  Task<bool> gone() override;

  // For the WebSocket on it.
  const std::vector<Header>& upgrade_headers() const { return upgrade_headers_; }
  Transport& transport() { return transport_; }
  boost::beast::flat_buffer& buffer() { return buffer_; }
  ServerCore& core() { return *core_; }
  void arm(std::chrono::milliseconds timeout);
  void disarm() { deadline_ = std::chrono::steady_clock::time_point::max(); }
  void close_socket();

  asio::cancellation_signal cancel;
  const bool over_limit;

 private:
  enum class Phase { idle, busy, lingering };
  enum class Answer { none, streaming, sent, websocket };

  Task<bool> read_head(bool first);
  Task<void> serve();
  Task<void> refuse(int status, std::string message);
  Task<bool> drain();
  Task<void> finish();
  /// Reads more bytes into `buffer_`, at most `size`.
  Task<error_code> fill(std::size_t size);
  Task<bool> write(std::array<asio::const_buffer, 3> parts);
  /// Begins an answer: false, with a line in the log, when there was one already.
  bool claim();
  /// The head of an answer, in `out_`; an absent `length` means chunks.
  void compose(const Response& response, std::optional<std::uint64_t> length);
  bool bodyless(int status) const;
  void log_request();

  std::shared_ptr<ServerCore> core_;
  Transport transport_;
  std::string peer_;
  boost::beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  RequestHead head_;
  std::string path_error_;
  std::string out_;
  std::vector<Header> upgrade_headers_;
  std::weak_ptr<WebSocketSession> websocket_;  // its coroutines and the handler own it, and it owns this

  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  bool expired_ = false;
  Phase phase_ = Phase::idle;
  Answer answer_ = Answer::none;
  bool keep_ = false;             // the connection can take another request
  bool broken_ = false;           // no more can be written
  bool awaits_continue_ = false;  // the client sends the body only when told
  bool chunked_ = false;
  int status_ = 0;
  std::uint64_t sent_ = 0;  // of the body
  std::chrono::steady_clock::time_point started_;
};

/// Turns `connection`, whose head asks for a WebSocket, into one.
Task<Result<std::unique_ptr<WebSocket>>> accept_websocket(std::shared_ptr<Connection> connection,
                                                          std::size_t message_limit,
                                                          std::weak_ptr<WebSocketSession>& session);
/// Whether the head is a complete handshake (RFC 6455 section 4.2.1); else what it lacks.
std::optional<std::string> handshake_error(const RequestHead& head);
void close_websocket(std::shared_ptr<WebSocketSession> session, std::uint16_t code, std::string reason);
void abort_websocket(WebSocketSession& session);
/// Closes it unless it is closed, and completes when nothing runs on it any more.
Task<void> end_websocket(std::shared_ptr<WebSocketSession> session);

}  // namespace bencher::http
