#include "lib/http/websocket_client.hpp"

#include <cctype>
#include <deque>
#include <memory>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/url.hpp>

namespace bencher::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

// What does not depend on the kind of stream.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  virtual void send(std::string text) = 0;
  virtual void close() = 0;
  virtual void drop() = 0;
};

WebSocketClient::Headers headers_of(const websocket::response_type& response) {
  WebSocketClient::Headers out;
  for (const auto& field : response) {
    std::string name(field.name_string());
    for (char& c : name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    out.emplace_back(std::move(name), std::string(field.value()));
  }
  return out;
}

struct Target {
  bool tls = false;
  std::string host, port, authority, path;
};

template <class Stream>
class ConnectionOn final : public Connection {
 public:
  template <class... Args>
  ConnectionOn(asio::io_context& io, const WebSocketClient::Options& options, const WebSocketClient::Events& events,
               Target target, Args&&... args)
      : options_(options),
        events_(events),
        target_(std::move(target)),
        resolver_(io),
        deadline_(io),
        stream_(io, std::forward<Args>(args)...) {}

  void start() override {
    deadline_.expires_after(options_.open_timeout);
    deadline_.async_wait([this](error_code ec) {
      if (ec || open_) return;
      timed_out_ = true;
      drop();
    });
    resolver_.async_resolve(target_.host, target_.port, [this](error_code ec, tcp::resolver::results_type results) {
      if (ec) return fail(ec, "the host name cannot be resolved");
      beast::get_lowest_layer(stream_).async_connect(
          results, [this](error_code connect_ec, const tcp::endpoint&) { connected(connect_ec); });
    });
  }

  void send(std::string text) override {
    if (done_ || closing_) return;
    queue_.push_back(std::move(text));
    if (open_ && queue_.size() == 1) write();
  }

  void close() override {
    if (done_ || closing_) return;
    closing_ = true;
    if (!open_)
      drop();
    else if (queue_.empty())
      send_close();
  }

  void drop() override {
    resolver_.cancel();
    deadline_.cancel();
    beast::get_lowest_layer(stream_).close();
  }

 private:
  void connected(error_code ec) {
    if (ec) return fail(ec, "cannot connect");
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true), ignored);
    if constexpr (std::is_same_v<Stream, websocket::stream<beast::ssl_stream<beast::tcp_stream>>>) {
      auto& tls = stream_.next_layer();
      if (!SSL_set_tlsext_host_name(tls.native_handle(), target_.host.c_str()))
        return fail(asio::error::invalid_argument, "no server name");
      if (!options_.insecure) tls.set_verify_callback(asio::ssl::host_name_verification(target_.host));
      tls.async_handshake(asio::ssl::stream_base::client, [this](error_code tls_ec) {
        if (tls_ec) return fail(tls_ec, "no trusted TLS connection");
        upgrade();
      });
    } else {
      upgrade();
    }
  }

  void upgrade() {
    // Beast's own time-out would close idle connections; the caller sends heartbeats.
    websocket::stream_base::timeout timeouts{options_.open_timeout, websocket::stream_base::none(), false};
    stream_.set_option(timeouts);
    stream_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, "bencher");
      for (const auto& [name, value] : options_.headers)
        request.set(name, value);
    }));
    stream_.read_message_max(options_.message_limit);
    stream_.async_handshake(response_, target_.authority, target_.path, [this](error_code ec) {
      if (ec == websocket::error::upgrade_declined) {
        status_ = static_cast<int>(response_.result_int());
        return fail(ec, "the server answered " + std::to_string(status_));
      }
      if (ec) return fail(ec, "no upgrade to a WebSocket");
      open_ = true;
      deadline_.cancel();
      if (events_.on_upgraded) events_.on_upgraded(headers_of(response_));
      events_.on_open();
      if (!queue_.empty()) write();
      read();
    });
  }

  void read() {
    stream_.async_read(buffer_, [this](error_code ec, std::size_t) {
      if (ec) return fail(ec, "");
      if (stream_.got_text()) events_.on_message(beast::buffers_to_string(buffer_.data()));
      buffer_.consume(buffer_.size());
      read();
    });
  }

  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(queue_.front()), [this](error_code ec, std::size_t) {
      if (ec) return;  // the reader tells of it
      queue_.pop_front();
      if (!queue_.empty())
        write();
      else if (closing_)
        send_close();
    });
  }

  void send_close() {
    deadline_.expires_after(std::chrono::seconds(5));
    deadline_.async_wait([this](error_code ec) {
      if (!ec) beast::get_lowest_layer(stream_).close();
    });
    stream_.async_close(websocket::close_code::normal, [](error_code) {});
  }

  void fail(error_code ec, const std::string& what) {
    if (done_) return;
    done_ = true;
    deadline_.cancel();
    WebSocketClient::Closed closed{.was_open = open_, .status = status_, .reason = {}};
    if (open_) {
      closed.code = ec == websocket::error::closed ? static_cast<int>(stream_.reason().code) : 1006;
      closed.reason = ec == websocket::error::closed ? std::string(stream_.reason().reason.c_str()) : ec.message();
    } else {
      closed.reason = timed_out_ ? "timed out" : status_ ? what : what + ": " + ec.message();
    }
    beast::get_lowest_layer(stream_).close();
    events_.on_closed(std::move(closed));
  }

  const WebSocketClient::Options& options_;
  const WebSocketClient::Events& events_;
  Target target_;
  tcp::resolver resolver_;
  asio::steady_timer deadline_;
  Stream stream_;
  beast::flat_buffer buffer_;
  websocket::response_type response_;
  std::deque<std::string> queue_;
  int status_ = 0;
  bool open_ = false, done_ = false, closing_ = false, timed_out_ = false;
};

}  // namespace

struct WebSocketClient::Impl {
  Impl(Options o, Events e) : options(std::move(o)), events(std::move(e)), tls(asio::ssl::context::tls_client) {
    Target target;
    const auto url = boost::urls::parse_uri(options.url);
    if (url) {
      const std::string scheme(url->scheme());
      target.tls = scheme == "wss" || scheme == "https";
      target.host = std::string(url->host_address());
      target.port = url->has_port() ? std::string(url->port()) : target.tls ? "443" : "80";
      // With the port when the URL has one.
      target.authority = std::string(url->encoded_host_and_port());
      target.path = std::string(url->encoded_target());
      if (target.path.empty()) target.path = "/";
    }
    if (!url || target.host.empty()) {
      asio::post(io, [this] { events.on_closed({.reason = "'" + options.url + "' is not a URL"}); });
    } else if (target.tls) {
      error_code ignored;
      tls.set_default_verify_paths(ignored);
      tls.set_verify_mode(options.insecure ? asio::ssl::verify_none : asio::ssl::verify_peer);
      connection = std::make_unique<ConnectionOn<websocket::stream<beast::ssl_stream<beast::tcp_stream>>>>(
          io, options, events, std::move(target), tls);
    } else {
      connection =
          std::make_unique<ConnectionOn<websocket::stream<beast::tcp_stream>>>(io, options, events, std::move(target));
    }
    if (connection) asio::post(io, [this] { connection->start(); });
    thread = std::thread([this] { io.run(); });
  }

  Options options;
  Events events;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::ssl::context tls;
  std::unique_ptr<Connection> connection;
  std::thread thread;
};

WebSocketClient::WebSocketClient(Options options, Events events)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(events))) {}

WebSocketClient::~WebSocketClient() {
  impl_->io.stop();
  impl_->thread.join();
}

void WebSocketClient::send(std::string text) {
  asio::post(impl_->io, [impl = impl_.get(), message = std::move(text)]() mutable {
    if (impl->connection) impl->connection->send(std::move(message));
  });
}

void WebSocketClient::close() {
  asio::post(impl_->io, [impl = impl_.get()] {
    if (impl->connection) impl->connection->close();
  });
}

}  // namespace bencher::http
