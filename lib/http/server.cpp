#include "lib/http/server.hpp"

#include <algorithm>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "lib/http/session.hpp"

namespace bencher::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// So many connections over the limit are told so at a time; more are only closed.
constexpr std::size_t refusal_limit = 64;

}  // namespace

const std::string& ServerCore::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[64];
    date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    date_second_ = now;
  }
  return date_;
}

struct Server::Impl : ServerCore, std::enable_shared_from_this<Server::Impl> {
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

  Impl(asio::io_context& i, ServerOptions o, Handler& h, Random& r, Logger& l)
      : ServerCore(i, std::move(o), h, r, l), acceptor(i.get_executor()), pause(i), watch(i) {
    if (!options.certificate_file.empty()) {
      tls.emplace(asio::ssl::context::tls_server);
      tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
      tls->use_certificate_chain_file(options.certificate_file);
      tls->use_private_key_file(options.key_file, asio::ssl::context::pem);
    }
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(options.address), options.port);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen(asio::socket_base::max_listen_connections);
    bound = acceptor.local_endpoint().port();
    const auto shortest = std::min({options.idle_timeout, options.read_timeout, options.write_timeout});
    tick = std::clamp(shortest / 8, milliseconds(2), milliseconds(1000));
  }

  static Task<void> accept(std::shared_ptr<Impl> self) {
    while (self->acceptor.is_open()) {
      auto [ec, socket] = co_await self->acceptor.async_accept(as_awaitable_tuple);
      if (!self->acceptor.is_open()) break;
      if (ec) {
        if (ec == asio::error::connection_aborted) continue;
        // Out of descriptors or memory: wait for some to be given back.
        const std::string text = ec.message();
        self->logger.log(LogLevel::warning, "accept failed", {{"error", text}});
        self->pause.expires_after(milliseconds(100));
        co_await self->pause.async_wait(as_awaitable_tuple);
        continue;
      }
      self->start(std::move(socket));
    }
  }

  void start(Socket socket) {
    const bool over = connections.size() - refused >= options.connection_limit;
    if (over && refused >= refusal_limit) return;
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), over);
    const auto at = connections.insert(connections.end(), connection);
    refused += over ? 1 : 0;
    auto ended_with = [self = shared_from_this(), at](std::exception_ptr) {
      // An exception is a cancelled wait: the connection was dropped.
      self->refused -= (*at)->over_limit ? 1 : 0;
      self->connections.erase(at);
      if (self->connections.empty()) self->watch.cancel();
      if (self->stopping) self->ended.notify_all();
    };
    asio::co_spawn(io, connection->run(),
                   asio::bind_cancellation_slot(connection->cancel.slot(), std::move(ended_with)));
    if (!watching) {
      watching = true;
      asio::co_spawn(io, watch_deadlines(shared_from_this()), asio::detached);
    }
  }

  // One timer for all deadlines, so that an operation costs no timer of its own. Runs while there are connections.
  static Task<void> watch_deadlines(std::shared_ptr<Impl> self) {
    while (!self->connections.empty()) {
      self->watch.expires_after(self->tick);
      co_await self->watch.async_wait(as_awaitable_tuple);
      const auto now = steady_clock::now();
      for (const auto& connection : self->connections)
        connection->expire(now);
    }
    self->watching = false;
  }

  void close() {
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
  }

  void drop_all() {
    const auto all = connections;
    for (const auto& connection : all)
      connection->drop();
  }

  static Task<void> stop(std::shared_ptr<Impl> self) {
    self->close();
    const auto all = self->connections;
    for (const auto& connection : all)
      connection->stop();
    const auto until = steady_clock::now() + self->options.stop_grace;
    while (!self->connections.empty()) {
      const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
      if (left <= milliseconds(0)) break;
      co_await self->ended.wait(left);
    }
    self->drop_all();
    while (!self->connections.empty())
      co_await self->ended.wait(std::chrono::hours(1));
  }

  Acceptor acceptor;
  asio::steady_timer pause;
  asio::steady_timer watch;
  milliseconds tick{1000};
  bool watching = false;
  std::uint16_t bound = 0;
};

Server::Server(asio::io_context& io, ServerOptions options, Handler& handler, Random& random, Logger& logger)
    : impl_(std::make_shared<Impl>(io, std::move(options), handler, random, logger)) {
  asio::co_spawn(io, Impl::accept(impl_), asio::detached);
}

Server::~Server() {
  impl_->close();
  impl_->drop_all();
}

std::uint16_t Server::port() const {
  return impl_->bound;
}

std::size_t Server::connections() const {
  return impl_->connections.size() - impl_->refused;
}

Task<void> Server::stop() {
  return Impl::stop(impl_);
}

}  // namespace bencher::http
