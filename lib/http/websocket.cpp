// WebSockets (RFC 6455) on a connection of the server. Beast does the framing; two coroutines read and write, so that a
// `receive` that is given up, or a `send` that is, leaves the stream whole.
#include <algorithm>
#include <deque>
#include <list>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_cat.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "lib/http/session.hpp"

namespace bencher::http {
namespace {

namespace websocket = boost::beast::websocket;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// So many messages wait to be received; then reading rests, and the client's sending with it.
constexpr std::size_t queue_limit = 16;
constexpr milliseconds close_timeout{5000};

/// The connection's stream as Beast's WebSocket sees it: bytes that came with the handshake first.
struct Link {
  using executor_type = Transport::executor_type;
  executor_type get_executor() { return connection->transport().get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& b) {
          auto& early = connection->buffer();
          if (early.size() == 0) {
            connection->transport().async_read_some(b, std::move(handler));
            return;
          }
          const auto n = asio::buffer_copy(b, early.data());
          early.consume(n);
          asio::post(get_executor(), boost::beast::bind_front_handler(std::move(handler), error_code(), n));
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return connection->transport().async_write_some(buffers, std::forward<Token>(token));
  }

  friend void beast_close_socket(Link& link) { link.connection->close_socket(); }
  // The connection itself lingers afterwards, so that the close frame gets there.
  friend void teardown(boost::beast::role_type, Link&, error_code& ec) { ec = {}; }
  template <class Handler>
  friend void async_teardown(boost::beast::role_type, Link& link, Handler&& handler) {
    asio::post(link.get_executor(), boost::beast::bind_front_handler(std::forward<Handler>(handler), error_code()));
  }

  Connection* connection;
};

Error lost() {
  return Error(Errc::unavailable, "the WebSocket is closed");
}

}  // namespace

/// Network thread only. Lives until its two coroutines have ended and nobody holds it.
class WebSocketSession : public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(std::shared_ptr<Connection> connection, std::size_t limit)
      : connection_(std::move(connection)),
        limit_(limit),
        stream_(Link{connection_.get()}),
        arrived_(connection_->core().io),
        room_(connection_->core().io),
        work_(connection_->core().io),
        ended_(connection_->core().io) {
    for (auto* timer : {&arrived_, &room_, &work_, &ended_})
      timer->expires_at(steady_clock::time_point::max());
    stream_.read_message_max(limit);
    stream_.auto_fragment(false);
    stream_.text(true);
    websocket::stream_base::timeout none{websocket::stream_base::none(), websocket::stream_base::none(), false};
    stream_.set_option(none);
  }

  Task<bool> accept() {
    const auto& head = connection_->head();
    boost::beast::http::request<boost::beast::http::empty_body> request(boost::beast::http::verb::get, "/", 11);
    for (const auto& header : head.headers)
      request.insert(header.name, header.value);
    const auto decorate = [id = head.request_id,
                           more = connection_->upgrade_headers()](websocket::response_type& response) {
      response.set(boost::beast::http::field::server, "bencher");
      response.set("x-request-id", id);
      for (const auto& header : more)
        response.insert(header.name, header.value);
    };
    stream_.set_option(websocket::stream_base::decorator(decorate));
    connection_->arm(connection_->core().options.write_timeout);
    auto [ec] = co_await stream_.async_accept(request, as_awaitable_tuple);
    connection_->disarm();
    if (ec) co_return false;
    running_ = 2;
    asio::co_spawn(connection_->core().io, read_all(shared_from_this()), asio::detached);
    asio::co_spawn(connection_->core().io, write_all(shared_from_this()), asio::detached);
    co_return true;
  }

  Task<Result<WebSocket::Message>> receive(milliseconds timeout) {
    constexpr milliseconds longest = std::chrono::hours(24 * 365);
    arrived_.expires_after(std::clamp(timeout, milliseconds(0), longest));
    for (;;) {
      if (!queue_.empty()) {
        auto message = std::move(queue_.front());
        queue_.pop_front();
        queued_bytes_ -= message.data.size();
        room_.cancel();
        co_return message;
      }
      if (too_large_)
        co_return Error(Errc::too_large,
                        "a WebSocket message is over the limit of " + std::to_string(limit_) + " bytes");
      if (closed_) co_return lost();
      if (arrived_.expiry() <= steady_clock::now()) co_return Error(Errc::timed_out, "no WebSocket message in time");
      co_await arrived_.async_wait(as_awaitable_tuple);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none)
        co_return Error(Errc::cancelled, "receiving was cancelled");
    }
  }

  Task<Result<void>> send(std::string text) {
    auto item = std::make_shared<Item>(connection_->core().io);
    item->text = std::move(text);
    co_await finish(item);
    if (!item->sent) co_return lost();
    co_return Result<void>();
  }

  Task<void> close(std::uint16_t code, std::string reason) {
    auto item = std::make_shared<Item>(connection_->core().io);
    item->text = reason.substr(0, 123);  // a control frame takes 125 bytes
    item->close_code = code;
    co_await finish(item);
  }

  /// Queues a close frame and does not wait for it.
  void request_close(std::uint16_t code, std::string reason) {
    if (closed_ || closing_) return;
    auto item = std::make_shared<Item>(connection_->core().io);
    item->text = std::move(reason);
    item->close_code = code;
    items_.push_back(std::move(item));
    work_.cancel();
  }

  void abort() {
    connection_->close_socket();
    end();
  }

  Task<void> ended() {
    if (!closed_) co_await close(1000, "");
    while (running_ != 0) {
      co_await ended_.async_wait(as_awaitable_tuple);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return;
    }
  }

 private:
  struct Item {
    explicit Item(asio::io_context& io) : done(io, steady_clock::time_point::max()) {}
    std::string text;
    std::uint16_t close_code = 0;  // 0: a message
    bool finished = false;
    bool sent = false;
    asio::steady_timer done;
  };

  Task<void> finish(std::shared_ptr<Item> item) {
    if (closed_ || closing_) co_return;
    items_.push_back(item);
    work_.cancel();
    while (!item->finished) {
      co_await item->done.async_wait(as_awaitable_tuple);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return;
    }
  }

  /// Nothing is read or written any more; tells all that wait.
  void end() {
    closed_ = true;
    for (const auto& item : items_)
      complete(*item, false);
    items_.clear();
    arrived_.cancel();
    room_.cancel();
    work_.cancel();
  }

  static void complete(Item& item, bool sent) {
    item.finished = true;
    item.sent = sent;
    item.done.cancel();
  }

  void leave() {
    end();
    if (--running_ == 0) ended_.cancel();
  }

  static Task<void> read_all(std::shared_ptr<WebSocketSession> self) {
    while (!self->closed_) {
      if (self->queue_.size() >= queue_limit || (self->queued_bytes_ >= self->limit_ && !self->queue_.empty())) {
        co_await self->room_.async_wait(as_awaitable_tuple);
        continue;
      }
      WebSocket::Message message;
      auto buffer = asio::dynamic_buffer(message.data);
      auto [ec, n] = co_await self->stream_.async_read(buffer, as_awaitable_tuple);
      if (ec) {
        self->too_large_ = ec == websocket::error::message_too_big;
        break;
      }
      message.kind = self->stream_.got_text() ? WebSocket::Message::Kind::text : WebSocket::Message::Kind::binary;
      self->queued_bytes_ += message.data.size();
      self->queue_.push_back(std::move(message));
      self->arrived_.cancel();
    }
    self->leave();
  }

  static Task<void> write_all(std::shared_ptr<WebSocketSession> self) {
    while (!self->closed_) {
      if (self->items_.empty()) {
        co_await self->work_.async_wait(as_awaitable_tuple);
        continue;
      }
      const auto item = std::move(self->items_.front());
      self->items_.pop_front();
      if (item->close_code != 0) {
        self->closing_ = true;
        websocket::close_reason reason(static_cast<websocket::close_code>(item->close_code), item->text);
        self->connection_->arm(close_timeout);
        co_await self->stream_.async_close(reason, as_awaitable_tuple);
        self->connection_->disarm();
        complete(*item, true);
        break;
      }
      self->connection_->arm(self->connection_->core().options.write_timeout);
      auto [ec, n] = co_await self->stream_.async_write(asio::buffer(item->text), as_awaitable_tuple);
      self->connection_->disarm();
      complete(*item, !ec);
      if (ec) break;
    }
    // After a failed write or our own close there is nothing to read.
    if (!self->closed_ && !self->closing_) self->connection_->close_socket();
    self->leave();
  }

  std::shared_ptr<Connection> connection_;
  std::size_t limit_;
  websocket::stream<Link, false> stream_;
  std::deque<WebSocket::Message> queue_;
  std::size_t queued_bytes_ = 0;
  std::deque<std::shared_ptr<Item>> items_;
  asio::steady_timer arrived_;  // cancelled when `queue_` or the state changed
  asio::steady_timer room_;     // cancelled when `queue_` got shorter
  asio::steady_timer work_;     // cancelled when `items_` got longer
  asio::steady_timer ended_;
  bool too_large_ = false;
  bool closing_ = false;
  bool closed_ = false;
  int running_ = 0;
};

namespace {

class ServerWebSocket final : public WebSocket {
 public:
  explicit ServerWebSocket(std::shared_ptr<WebSocketSession> session) : session_(std::move(session)) {}
  Task<Result<Message>> receive(milliseconds timeout) override { return session_->receive(timeout); }
  Task<Result<void>> send(std::string text) override { return session_->send(std::move(text)); }
  Task<void> close(std::uint16_t code, std::string reason) override { return session_->close(code, std::move(reason)); }
  void abort() override { session_->abort(); }

 private:
  std::shared_ptr<WebSocketSession> session_;
};

}  // namespace

std::optional<std::string> handshake_error(const RequestHead& head) {
  const auto lists = [&head](std::string_view name, std::string_view token) {
    for (const auto& header : head.headers) {
      if (!boost::beast::iequals(header.name, boost::beast::string_view(name.data(), name.size()))) continue;
      if (boost::beast::http::token_list{header.value}.exists(boost::beast::string_view(token.data(), token.size())))
        return true;
    }
    return false;
  };
  if (head.verb != Verb::get || !lists("upgrade", "websocket") || !lists("connection", "upgrade"))
    return "expected connection upgrade";
  const auto* version = head.header("sec-websocket-version");
  if (!version || *version != "13") return "expected the header 'sec-websocket-version: 13'";
  const auto* key = head.header("sec-websocket-key");
  if (!key || key->size() != 24) return "expected the header 'sec-websocket-key' with 24 characters";
  return std::nullopt;
}

Task<Result<std::unique_ptr<WebSocket>>> accept_websocket(std::shared_ptr<Connection> connection,
                                                          std::size_t message_limit,
                                                          std::weak_ptr<WebSocketSession>& session) {
  auto made = std::make_shared<WebSocketSession>(std::move(connection), message_limit);
  if (!co_await made->accept()) co_return lost();
  session = made;
  co_return std::make_unique<ServerWebSocket>(std::move(made));
}

void close_websocket(std::shared_ptr<WebSocketSession> session, std::uint16_t code, std::string reason) {
  session->request_close(code, std::move(reason));
}

void abort_websocket(WebSocketSession& session) {
  session.abort();
}

Task<void> end_websocket(std::shared_ptr<WebSocketSession> session) {
  if (session) co_await session->ended();
}

}  // namespace bencher::http
