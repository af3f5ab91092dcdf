// The bytes of one connection, plain or TLS, behind one Asio stream type. Private to the server's files.
#pragma once

#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace bencher::http {

namespace asio = boost::asio;
using boost::system::error_code;

/// A socket whose executor is known at compile time: cheaper than the type-erased one.
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// An AsyncReadStream and AsyncWriteStream over a socket, with TLS or without.
struct Transport {
  using executor_type = asio::io_context::executor_type;

  Transport(Socket s, asio::ssl::context* context) : socket(std::move(s)) {
    if (context) tls.emplace(socket, *context);
  }

  executor_type get_executor() { return socket.get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& b) {
          if (tls)
            tls->async_read_some(b, std::move(handler));
          else
            socket.async_read_some(b, std::move(handler));
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& b) {
          if (tls)
            tls->async_write_some(b, std::move(handler));
          else
            socket.async_write_some(b, std::move(handler));
        },
        token, buffers);
  }

  Socket socket;
  std::optional<asio::ssl::stream<Socket&>> tls;
};

}  // namespace bencher::http
