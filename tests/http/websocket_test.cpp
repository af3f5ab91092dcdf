#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/http/notifier.hpp"
#include "lib/http/server.hpp"
#include "tests/support/http_server.hpp"

using namespace bencher;
using namespace std::chrono_literals;
using bencher::test::HttpServer;
using http::Exchange;
using http::Task;
using http::WebSocket;

namespace {

constexpr std::string_view handshake =
    "GET /channel HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

enum Opcode { continuation = 0, text = 1, binary = 2, closing = 8, ping = 9, pong = 10 };

std::string frame(Opcode opcode, std::string_view data, bool fin = true) {
  std::string out;
  out += static_cast<char>((fin ? 0x80 : 0) | opcode);
  if (data.size() < 126) {
    out += static_cast<char>(0x80 | data.size());
  } else if (data.size() < 65536) {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(data.size() >> 8);
    out += static_cast<char>(data.size());
  } else {
    out += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(static_cast<std::uint64_t>(data.size()) >> shift);
  }
  const char mask[4] = {0x12, 0x34, 0x56, 0x78};
  out.append(mask, 4);
  for (std::size_t i = 0; i < data.size(); ++i)
    out += static_cast<char>(data[i] ^ mask[i % 4]);
  return out;
}

struct Frame {
  int opcode = 0;
  std::string data;
  int code() const { return static_cast<unsigned char>(data.at(0)) << 8 | static_cast<unsigned char>(data.at(1)); }
};

class Client : public test::HttpClient {
 public:
  explicit Client(std::uint16_t port) : HttpClient(port) {
    send(handshake);
    const auto reply = read_head();
    REQUIRE(reply.status == 101);
    REQUIRE(reply.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 section 1.3
    REQUIRE(reply.header("x-request-id").size() == 36);
  }
  Frame read_frame() {
    const auto head = read(2);
    std::size_t size = static_cast<unsigned char>(head[1]);
    if (size >= 126) {
      const auto extended = read(size == 126 ? 2 : 8);
      size = 0;
      for (const char c : extended)
        size = size << 8 | static_cast<unsigned char>(c);
    }
    return {static_cast<unsigned char>(head[0]) & 15, read(size)};
  }
};

/// Echoes text until the client closes; what ended it is told at the end.
test::FunctionHandler::Function echo(std::promise<Errc>& ended, std::size_t limit = 1 << 20,
                                     std::chrono::milliseconds timeout = 10s) {
  return [&ended, limit, timeout](Exchange& exchange) -> Task<void> {
    auto socket = co_await exchange.upgrade(limit);
    if (!socket) throw std::runtime_error(socket.error().message());
    for (;;) {
      auto message = co_await (*socket)->receive(timeout);
      if (!message) {
        ended.set_value(message.error().code());
        break;
      }
      const bool is_text = message->kind == WebSocket::Message::Kind::text;
      std::string answer = is_text ? message->data : fmt::format("{} bytes", message->data.size());
      auto sent = co_await (*socket)->send(std::move(answer));
      CHECK(sent.has_value());
    }
  };
}

}  // namespace

TEST_SUITE("http/websocket") {
  TEST_CASE("messages of every size and kind come back, pings are answered inside, a close is answered") {
    std::promise<Errc> ended;
    HttpServer server(echo(ended));
    Client client(server.port());
    for (const std::size_t size : {0, 1, 125, 126, 65535, 65536, 300'000}) {
      client.send(frame(text, std::string(size, 'x')));
      const auto back = client.read_frame();
      CHECK(back.opcode == text);
      CHECK((back.data == std::string(size, 'x')));
    }
    client.send(frame(binary, "12345"));
    CHECK(client.read_frame().data == "5 bytes");
    client.send(frame(text, "one ", false) + frame(ping, "are you there") + frame(continuation, "message"));
    auto next = client.read_frame();
    CHECK(next.opcode == pong);
    CHECK(next.data == "are you there");
    CHECK(client.read_frame().data == "one message");
    client.send(frame(closing, std::string("\x03\xe8", 2)));
    next = client.read_frame();
    CHECK(next.opcode == closing);
    CHECK(next.code() == 1000);
    CHECK(client.at_end());
    CHECK(ended.get_future().get() == Errc::unavailable);
    client.close();
    server.stop();
    const auto lines = server.logger.lines("request");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("status") == "101");
  }

  TEST_CASE("frames that come along with the handshake are not lost") {
    std::promise<Errc> ended;
    HttpServer server(echo(ended));
    test::HttpClient raw(server.port());
    raw.send(std::string(handshake) + frame(text, "early"));
    CHECK(raw.read_head().status == 101);
    CHECK(raw.read(7) == std::string("\x81\x05", 2) + "early");
    raw.close();
    CHECK(ended.get_future().get() == Errc::unavailable);
  }

  TEST_CASE("a message over the limit is closed with 1009, and receive says too_large") {
    std::promise<Errc> ended;
    HttpServer server(echo(ended, 1000));
    Client client(server.port());
    client.send(frame(text, std::string(1000, 'x')));
    CHECK(client.read_frame().data.size() == 1000);
    client.send(frame(text, std::string(500'000, 'x')));
    const auto last = client.read_frame();
    CHECK(last.opcode == closing);
    CHECK(last.code() == 1009);
    client.close();
    CHECK(ended.get_future().get() == Errc::too_large);
  }

  TEST_CASE("text that is not UTF-8 and frames without a mask end the connection") {
    for (const std::string& bad : {frame(text, "\xff\xfe"), std::string("\x81\x01x", 3)}) {
      std::promise<Errc> ended;
      HttpServer server(echo(ended));
      Client client(server.port());
      client.send(bad);
      const auto last = client.read_frame();
      CHECK(last.opcode == closing);
      CHECK((last.code() == 1007 || last.code() == 1002));
      client.close();
      CHECK(ended.get_future().get() == Errc::unavailable);
    }
  }

  TEST_CASE("a receive that times out, or is cancelled, leaves the connection whole") {
    using namespace boost::asio::experimental::awaitable_operators;
    std::unique_ptr<http::Notifier> never;
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      auto socket = co_await exchange.upgrade(1000);
      auto message = co_await (*socket)->receive(20ms);
      CHECK(message.error().code() == Errc::timed_out);
      auto either = co_await ((*socket)->receive(10s) || never->wait(20ms));
      CHECK(either.index() == 1);
      auto sent = co_await (*socket)->send("go");
      CHECK(sent.has_value());
      message = co_await (*socket)->receive(10s);
      CHECK(message.has_value());
      sent = co_await (*socket)->send("got " + message->data);
      co_await (*socket)->close(4000, "that is all");
      message = co_await (*socket)->receive(10s);
      CHECK(message.error().code() == Errc::unavailable);
      sent = co_await (*socket)->send("late");
      CHECK(sent.error().code() == Errc::unavailable);
    });
    server.on_network([&] { never = std::make_unique<http::Notifier>(server.io()); });
    Client client(server.port());
    client.send(frame(text, "in two").substr(0, 4));  // the rest comes after both waits have ended
    CHECK(client.read_frame().data == "go");
    client.send(frame(text, "in two").substr(4));
    CHECK(client.read_frame().data == "got in two");
    const auto last = client.read_frame();
    CHECK(last.opcode == closing);
    CHECK(last.code() == 4000);
    CHECK(last.data.substr(2) == "that is all");
    client.send(frame(closing, last.data));
    CHECK(client.at_end());
    server.stop();
    CHECK(server.logger.lines("handler failed").empty());
  }

  TEST_CASE("sends from several coroutines queue and arrive whole") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      using namespace boost::asio::experimental::awaitable_operators;
      auto socket = co_await exchange.upgrade(1000);
      const auto many = [&](char letter) -> Task<void> {
        for (int i = 0; i < 50; ++i) {
          auto sent = co_await (*socket)->send(std::string(20'000, letter));
          CHECK(sent.has_value());
        }
      };
      co_await (many('a') && many('b') && many('c'));
    });
    Client client(server.port());
    std::map<char, int> count;
    for (int i = 0; i < 150; ++i) {
      const auto next = client.read_frame();
      REQUIRE(next.data.size() == 20'000);
      CHECK(next.data.find_first_not_of(next.data[0]) == std::string::npos);
      ++count[next.data[0]];
    }
    CHECK(count == std::map<char, int>{{'a', 50}, {'b', 50}, {'c', 50}});
    CHECK(client.read_frame().code() == 1000);  // the handler left it open
  }

  TEST_CASE("abort from another coroutine ends a waiting receive and drops the connection without a frame") {
    std::promise<Errc> ended;
    std::unique_ptr<http::Notifier> go;
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      auto socket = co_await exchange.upgrade(1000);
      const auto aborter = [](http::Notifier& when, WebSocket& victim) -> Task<void> {
        const bool notified = co_await when.wait(10s);
        CHECK(notified);
        victim.abort();
      };
      boost::asio::co_spawn(server.io(), aborter(*go, **socket), boost::asio::detached);
      auto sent = co_await (*socket)->send("ready");
      CHECK(sent.has_value());
      auto message = co_await (*socket)->receive(10s);
      ended.set_value(message.error().code());
    });
    server.on_network([&] { go = std::make_unique<http::Notifier>(server.io()); });
    Client client(server.port());
    CHECK(client.read_frame().data == "ready");
    go->notify_all();
    CHECK(client.at_end());
    CHECK(ended.get_future().get() == Errc::unavailable);
  }

  TEST_CASE("a client that vanishes ends receive") {
    std::promise<Errc> ended;
    HttpServer server(echo(ended));
    Client client(server.port());
    client.reset();
    CHECK(ended.get_future().get() == Errc::unavailable);
  }

  TEST_CASE("a client that sends and never reads does not make the server grow, and is dropped") {
    std::promise<Errc> ended;
    HttpServer server(
        [&](Exchange& exchange) -> Task<void> {
          auto socket = co_await exchange.upgrade(1000);
          for (;;) {
            auto sent = co_await (*socket)->send(std::string(1 << 20, 'x'));
            if (sent) continue;
            ended.set_value(sent.error().code());
            break;
          }
        },
        {.write_timeout = 60ms});
    Client client(server.port());
    CHECK(ended.get_future().get() == Errc::unavailable);
  }

  TEST_CASE("stop closes a WebSocket with 1001 and its reason") {
    std::promise<Errc> ended;
    HttpServer server(echo(ended));
    Client client(server.port());
    client.send(frame(text, "up"));
    CHECK(client.read_frame().data == "up");
    auto stopped = server.begin_stop();
    const auto last = client.read_frame();
    CHECK(last.opcode == closing);
    CHECK(last.code() == 1001);
    CHECK(last.data.substr(2) == "server shutting down");
    client.send(frame(closing, last.data));
    CHECK(client.at_end());
    client.close();
    CHECK(stopped.wait_for(10s) == std::future_status::ready);
    CHECK(ended.get_future().get() == Errc::unavailable);
  }

  TEST_CASE("upgrade refuses a request that does not ask for one, which can still be answered") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      auto socket = co_await exchange.upgrade(1000);
      http::Response response;
      response.status = 400;
      response.body = socket ? "" : socket.error().message();
      CHECK(socket.error().code() == Errc::invalid_argument);
      CHECK_FALSE(exchange.head().upgrade);
      co_await exchange.respond(std::move(response));
    });
    test::HttpClient client(server.port());
    CHECK(client.get("/channel").body == "expected connection upgrade");
    CHECK(client.request("GET", "/", {}, "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\n")
              .body == "expected the header 'sec-websocket-version: 13'");
    CHECK(client.request("GET", "/", {}, "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n")
              .body == "expected the header 'sec-websocket-key' with 24 characters");
  }
}
