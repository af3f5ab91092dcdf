// A scripted HTTP and WebSocket server on the loopback, one thread a connection, plain or TLS.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

namespace bencher::test {

namespace beast = boost::beast;
using Request = beast::http::request<beast::http::string_body>;
using Response = beast::http::response<beast::http::string_body>;

/// The server's end of a channel.
class Channel {
 public:
  virtual ~Channel() = default;
  /// The next message; empty when the client is gone.
  virtual std::string read() = 0;
  virtual void write(const std::string& text) = 0;
  virtual void close(std::uint16_t code, const std::string& reason) = 0;
};

class Peer {
 public:
  std::function<Response(const Request&)> on_request;
  /// Asked before an upgrade; 101 goes on.
  std::function<int(const Request&)> on_upgrade = [](const Request&) { return 101; };
  std::function<void(const Request&, Channel&)> on_channel;

  explicit Peer(boost::asio::ssl::context* tls = nullptr)
      : tls_(tls), acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {}
  ~Peer() { stop(); }

  void start() {
    thread_ = std::thread([this] {
      for (;;) {
        boost::asio::ip::tcp::socket socket(io_);
        boost::system::error_code ec;
        acceptor_.accept(socket, ec);
        std::lock_guard lock(mutex_);
        if (ec || stopped_) return;
        sockets_.push_back(socket.native_handle());
        connections_.emplace_back([this, s = std::move(socket)]() mutable { serve(std::move(s)); });
      }
    });
  }
  void stop() {
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
      stopped_ = true;
      for (const int socket : sockets_)
        ::shutdown(socket, SHUT_RDWR);
      ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    }
    if (thread_.joinable()) thread_.join();
    for (auto& connection : connections_)
      connection.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string url(const std::string& path = "") const {
    return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + path;
  }
  static Response answer(int status, const std::string& body = "") {
    Response response(static_cast<beast::http::status>(status), 11);
    response.body() = body;
    response.prepare_payload();
    return response;
  }

 private:
  template <class Stream>
  class ChannelOn final : public Channel {
   public:
    explicit ChannelOn(beast::websocket::stream<Stream&>& ws) : ws_(ws) {}
    std::string read() override {
      beast::flat_buffer buffer;
      boost::system::error_code ec;
      ws_.read(buffer, ec);
      return ec ? "" : beast::buffers_to_string(buffer.data());
    }
    void write(const std::string& text) override {
      boost::system::error_code ec;
      ws_.text(true);
      ws_.write(boost::asio::buffer(text), ec);
    }
    void close(std::uint16_t code, const std::string& reason) override {
      boost::system::error_code ec;
      ws_.close(beast::websocket::close_reason(static_cast<beast::websocket::close_code>(code), reason), ec);
    }

   private:
    beast::websocket::stream<Stream&>& ws_;
  };

  void serve(boost::asio::ip::tcp::socket socket) {
    const int handle = socket.native_handle();
    if (tls_) {
      beast::ssl_stream<boost::asio::ip::tcp::socket> stream(std::move(socket), *tls_);
      boost::system::error_code ec;
      stream.handshake(boost::asio::ssl::stream_base::server, ec);
      if (!ec) requests(stream);
      std::lock_guard lock(mutex_);
      sockets_.remove(handle);
    } else {
      requests(socket);
      std::lock_guard lock(mutex_);
      sockets_.remove(handle);
      boost::system::error_code ignored;
      socket.close(ignored);
    }
  }

  template <class Stream>
  void requests(Stream& stream) {
    beast::flat_buffer buffer;
    for (;;) {
      boost::system::error_code ec;
      Request request;
      beast::http::read(stream, buffer, request, ec);
      if (ec) return;
      if (beast::websocket::is_upgrade(request)) {
        const int status = on_upgrade(request);
        if (status == 101) {
          beast::websocket::stream<Stream&> ws(stream);
          ws.read_message_max(4u << 20);
          ws.accept(request, ec);
          ChannelOn<Stream> channel(ws);
          if (!ec) on_channel(request, channel);
          return;
        }
        beast::http::write(stream, answer(status), ec);
      } else {
        beast::http::write(stream, on_request(request), ec);
      }
      if (ec) return;
    }
  }

  boost::asio::ssl::context* tls_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
  std::mutex mutex_;
  std::list<int> sockets_;
  std::list<std::thread> connections_;
  bool stopped_ = false;
};

}  // namespace bencher::test
