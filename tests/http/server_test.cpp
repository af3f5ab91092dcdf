#include "lib/http/server.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/http/notifier.hpp"
#include "tests/support/http_server.hpp"

using namespace bencher;
using namespace std::chrono_literals;
using bencher::test::HttpClient;
using bencher::test::HttpServer;
using http::Exchange;
using http::Response;
using http::Task;

namespace {

Response text(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

/// Answers with method, path, query and the body.
Task<void> echo(Exchange& exchange) {
  auto body = co_await exchange.read_body(1 << 20);
  const auto& head = exchange.head();
  if (!body) {
    co_await exchange.respond(text(body.error().message(), body.error().code() == Errc::too_large ? 413 : 400));
    co_return;
  }
  co_await exchange.respond(text(fmt::format("{} {} {} {}", head.method, head.path(), head.query, *body)));
}

/// A file in the temporary folder, removed at the end.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& bytes)
      : path(std::filesystem::temp_directory_path() / fmt::format("bencher-http-test-{}", ::getpid())) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string out;
  char part[4096];
  while (const auto n = std::fread(part, 1, sizeof part, pipe.get()))
    out.append(part, n);
  return out;
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<char>('a' + i * 31 % 26);
  return out;
}

template <class F>
bool comes_true(F condition) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_SUITE("http/server") {
  TEST_CASE("a connection is kept for many requests, each with its own id and one line in the log") {
    HttpServer server(echo);
    HttpClient client(server.port());
    std::string last;
    for (int i = 0; i < 3; ++i) {
      const auto reply = client.request("POST", "/v0/x?n=" + std::to_string(i), "body");
      CHECK(reply.status == 200);
      CHECK(reply.body == fmt::format("POST /v0/x n={} body", i));
      CHECK(reply.header("content-type") == "text/plain");
      CHECK(reply.header("connection").empty());
      CHECK(reply.header("date").ends_with(" GMT"));
      CHECK(reply.header("x-request-id").size() == 36);
      CHECK(reply.header("x-request-id") != last);
      last = reply.header("x-request-id");
    }
    CHECK(server.connections() == 1);
    REQUIRE(comes_true([&] { return server.logger.lines("request").size() == 3; }));
    const auto lines = server.logger.lines("request");
    CHECK(lines[2].at("method") == "POST");
    CHECK(lines[2].at("path") == "/v0/x");
    CHECK(lines[2].at("status") == "200");
    CHECK(lines[2].at("bytes") == std::to_string(std::string("POST /v0/x n=2 body").size()));
    CHECK(lines[2].at("request_id") == last);
    CHECK(lines[2].at("peer") == "127.0.0.1");
    CHECK_FALSE(lines[2].at("duration_us").empty());
  }

  TEST_CASE("'connection: close' and HTTP/1.0 end the connection after the answer") {
    HttpServer server(echo);
    HttpClient client(server.port());
    const auto reply = client.request("GET", "/", {}, "connection: close\r\n");
    CHECK(reply.header("connection") == "close");
    CHECK(client.at_end());
    HttpClient old(server.port());
    old.send("GET /old HTTP/1.0\r\n\r\n");
    CHECK(old.read_reply().body == "GET /old  ");
    CHECK(old.at_end());
    HttpClient kept(server.port());
    kept.send("GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    CHECK(kept.read_reply().header("connection") == "keep-alive");
    kept.send("GET /b HTTP/1.0\r\n\r\n");
    CHECK(kept.read_reply().body == "GET /b  ");
  }

  TEST_CASE("pipelined requests are answered in order, their bodies told apart") {
    HttpServer server(echo);
    HttpClient client(server.port());
    client.send(
        "POST /1 HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\noneGET /2 HTTP/1.1\r\nhost: x\r\n\r\n"
        "POST /3 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nthr\r\n2;x=y\r\nee\r\n0\r\n\r\n"
        "GET /4 HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(client.read_reply().body == "POST /1  one");
    CHECK(client.read_reply().body == "GET /2  ");
    CHECK(client.read_reply().body == "POST /3  three");
    CHECK(client.read_reply().body == "GET /4  ");
  }

  TEST_CASE("a request that arrives byte by byte is read") {
    HttpServer server(echo);
    HttpClient client(server.port());
    for (const char c :
         std::string("POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"))
      REQUIRE(client.send(std::string_view(&c, 1)));
    CHECK(client.read_reply().body == "POST /x  ab");
  }

  TEST_CASE("a chunked upload is read part by part, none over 64 KiB") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      std::size_t size = 0, largest = 0;
      for (;;) {
        auto part = co_await exchange.read_some();
        if (!part || part->empty()) break;
        size += part->size();
        largest = std::max(largest, part->size());
      }
      co_await exchange.respond(text(fmt::format("{} {}", size, largest <= 64 * 1024)));
    });
    HttpClient client(server.port());
    client.send("PUT /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    const auto chunk = pattern(300'000);
    for (int i = 0; i < 10; ++i)
      client.send(fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk));
    client.send("0\r\n\r\n");
    CHECK(client.read_reply().body == "3000000 true");
    CHECK(client.request("PUT", "/x", chunk).body == "300000 true");
  }

  TEST_CASE("a body over the handler's limit can still be answered, for a stated length and for chunks") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      auto body = co_await exchange.read_body(10);
      auto response = body ? text("fits " + *body) : text(body.error().message(), 413);
      co_await exchange.respond(std::move(response));
    });
    HttpClient client(server.port());
    CHECK(client.request("POST", "/", "0123456789").body == "fits 0123456789");
    const auto reply = client.request("POST", "/", "0123456789a");
    CHECK(reply.status == 413);
    CHECK(reply.body == "the request's body is over the limit of 10 bytes");
    client.send(
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n");
    CHECK(client.read_reply().status == 413);
    CHECK(client.request("POST", "/", "again").body == "fits again");
  }

  TEST_CASE("an unread body under 1 MiB is thrown away, a larger one closes the connection after the answer") {
    HttpServer server([](Exchange& exchange) -> Task<void> { co_await exchange.respond(text("no thanks", 403)); });
    HttpClient client(server.port());
    CHECK(client.request("POST", "/", pattern(1'000'000)).status == 403);
    CHECK(client.request("POST", "/", pattern(100)).status == 403);
    const auto reply = client.request("POST", "/", pattern(5 << 20));
    CHECK(reply.status == 403);
    CHECK(reply.header("connection") == "close");
    client.shutdown_send();
    CHECK(client.at_end());
    HttpClient chunked(server.port());
    chunked.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n200000\r\n" + pattern(2 << 20));
    CHECK(chunked.read_reply().status == 403);
    chunked.shutdown_send();
    CHECK(chunked.at_end());
  }

  TEST_CASE("headers over the limit are 431, also when they come in one line or without end") {
    HttpServer server(echo, {.header_limit = 1024});
    HttpClient client(server.port());
    CHECK(client.request("GET", "/", {}, "x: " + std::string(900, 'x') + "\r\n").status == 200);
    const auto reply = client.request("GET", "/", {}, "x: " + std::string(2000, 'x') + "\r\n");
    CHECK(reply.status == 431);
    CHECK(reply.body == fmt::format(R"({{"request_id":"{}","message":"the request's headers are over 1024 bytes"}})",
                                    reply.header("x-request-id")));
    client.shutdown_send();
    CHECK(client.at_end());
    HttpClient endless(server.port());
    endless.send("GET /" + std::string(10'000, 'a'));
    CHECK(endless.read_reply().status == 431);
  }

  TEST_CASE("what is not HTTP is 400 with the JSON error, and a bad path is too") {
    HttpServer server(echo);
    for (const char* bad : {"nonsense\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                            "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
                            "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                            "POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n"}) {
      CAPTURE(bad);
      HttpClient client(server.port());
      client.send(bad);
      const auto reply = client.read_reply();
      CHECK(reply.status == 400);
      CHECK(reply.header("content-type") == "application/json");
      CHECK(reply.body.starts_with(R"({"request_id":")" + reply.header("x-request-id") + R"(","message":")"));
      client.shutdown_send();
      CHECK(client.at_end());
    }
    HttpClient client(server.port());
    for (const char* target : {"/a/../b", "/%zz", "/%ff", "/%2e%2e/x"}) {
      CAPTURE(target);
      CHECK(client.get(target).status == 400);
    }
    CHECK(client.get("/fine").status == 200);
  }

  TEST_CASE("empty segments collapse, and an absolute target is its path") {
    HttpServer server(echo);
    HttpClient client(server.port());
    CHECK(client.get("//v0/projects//x/?a=//b").body == "GET /v0/projects/x a=//b ");
    CHECK(client.get("http://example.com/v0/x?q").body == "GET /v0/x q ");
    CHECK(client.get("/a%2Fb/%C3%BC").body == "GET /a/b/\xC3\xBC  ");
  }

  TEST_CASE("broken chunks are the handler's to refuse") {
    HttpServer server(echo);
    HttpClient client(server.port());
    client.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    CHECK(client.read_reply().status == 400);
    client.shutdown_send();
    CHECK(client.at_end());
    HttpClient endless(server.port());
    endless.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x'));
    CHECK(endless.read_reply().status == 400);
  }

  TEST_CASE("a slow header is 408, an idle connection is closed, a slow body is timed out") {
    HttpServer server(
        [](Exchange& exchange) -> Task<void> {
          auto body = co_await exchange.read_body(100);
          auto response = body ? text("ok") : text(body.error().code() == Errc::timed_out ? "slow" : "?", 408);
          co_await exchange.respond(std::move(response));
        },
        {.idle_timeout = 200ms, .read_timeout = 200ms});
    HttpClient header(server.port());
    header.send("GET / HTTP/1.1\r\nhos");
    CHECK(header.read_reply().status == 408);
    header.close();
    HttpClient silent(server.port());
    CHECK(silent.at_end());
    HttpClient idle(server.port());
    CHECK(idle.get("/").status == 200);
    CHECK(idle.at_end());
    HttpClient body(server.port());
    body.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123");
    CHECK(body.read_reply().body == "slow");
    body.close();
    CHECK(comes_true([&] { return server.connections() == 0; }));
  }

  TEST_CASE("a client that does not read its answer is dropped after the write time-out") {
    HttpServer server(
        [](Exchange& exchange) -> Task<void> { co_await exchange.respond(text(std::string(16 << 20, 'x'))); },
        {.write_timeout = 60ms});
    HttpClient client(server.port());
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(comes_true([&] { return server.logger.lines("request").size() == 1; }));
    CHECK(comes_true([&] { return server.connections() == 0; }));
  }

  TEST_CASE("connections over the limit are told so with 503, and one that ends makes room") {
    HttpServer server(echo, {.connection_limit = 2});
    HttpClient a(server.port());
    auto b = std::make_unique<HttpClient>(server.port());
    CHECK(a.get("/").status == 200);
    CHECK(b->get("/").status == 200);
    HttpClient c(server.port());
    const auto reply = c.read_reply();
    CHECK(reply.status == 503);
    CHECK(reply.header("retry-after") == "1");
    CHECK(reply.body.find("too many connections") != std::string::npos);
    c.close();
    b.reset();
    CHECK(comes_true([&] { return server.connections() == 1; }));
    HttpClient d(server.port());
    CHECK(d.get("/").status == 200);
  }

  TEST_CASE("a handler that throws is 500 with the request id and an error code, and the server lives") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      if (exchange.head().path() == "/throw") throw std::runtime_error("the reason");
      if (exchange.head().path() == "/throw_int") throw 1;
      if (exchange.head().path() == "/silent") co_return;
      if (exchange.head().path() == "/late") {
        auto response = text("");
        auto begun = co_await exchange.begin_stream(std::move(response));
        if (begun) throw std::runtime_error("too late");
      }
      if (exchange.head().path() == "/twice") co_await exchange.respond(text("first"));
      co_await exchange.respond(text("ok"));
    });
    HttpClient client(server.port());
    const auto reply = client.get("/throw");
    CHECK(reply.status == 500);
    const auto lines = server.logger.lines("handler failed");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("error") == "the reason");
    CHECK(lines[0].at("request_id") == reply.header("x-request-id"));
    CHECK(reply.body == fmt::format(R"({{"request_id":"{}","error_code":"{}","message":)"
                                    R"("internal error; please report it with this request id and error code"}})",
                                    reply.header("x-request-id"), lines[0].at("error_code")));
    CHECK(client.get("/throw_int").status == 500);
    CHECK(client.get("/silent").status == 500);
    CHECK(client.get("/twice").body == "first");
    CHECK(comes_true([&] { return server.logger.lines("answered twice").size() == 1; }));
    CHECK(client.get("/").body == "ok");
    client.send("GET /late HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(client.read_head().status == 200);
    CHECK(client.at_end());  // without the last chunk, so that nobody takes it for whole
    HttpClient next(server.port());
    CHECK(next.get("/").body == "ok");
  }

  TEST_CASE("HEAD has the length of the body and no body; 204 has neither") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      co_await exchange.respond(text("12345", exchange.head().path() == "/none" ? 204 : 200));
    });
    HttpClient client(server.port());
    const auto reply = client.request("HEAD", "/");
    CHECK(reply.status == 200);
    CHECK(reply.header("content-length") == "5");
    const auto none = client.get("/none");
    CHECK(none.status == 204);
    CHECK(none.headers.count("content-length") == 0);
    CHECK(none.headers.count("content-type") == 0);
    CHECK(client.get("/").body == "12345");
  }

  TEST_CASE("a header's value cannot end its line") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      auto response = text("");
      response.headers.push_back({"x-echo", "a\r\nx-evil: 1"});
      co_await exchange.respond(std::move(response));
    });
    HttpClient client(server.port());
    const auto reply = client.get("/");
    CHECK(reply.header("x-echo") == "a  x-evil: 1");
    CHECK(reply.headers.count("x-evil") == 0);
  }

  TEST_CASE("'expect: 100-continue' is answered once the body is wanted, and not when it is not") {
    HttpServer server([](Exchange& exchange) -> Task<void> {
      if (exchange.head().path() == "/no") {
        co_await exchange.respond(text("no", 403));
        co_return;
      }
      co_await echo(exchange);
    });
    HttpClient client(server.port());
    client.send("POST /yes HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    CHECK(client.read_reply().body == "POST /yes  body");
    client.send("POST /no HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
    const auto reply = client.read_reply();
    CHECK(reply.status == 403);
    CHECK(reply.header("connection") == "close");
    client.shutdown_send();
    CHECK(client.at_end());
  }

  TEST_CASE("a file is sent whole or in part, and HEAD tells its length") {
    const auto bytes = pattern(1'500'000);
    TemporaryFile file(bytes);
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      const auto path = exchange.head().path();
      auto response = text("");
      if (path == "/whole") co_await exchange.respond_file(std::move(response), file.path, 0, bytes.size());
      if (path == "/part") co_await exchange.respond_file(std::move(response), file.path, 1000, 500);
      if (path == "/empty") co_await exchange.respond_file(std::move(response), file.path, 0, 0);
      if (path == "/over") co_await exchange.respond_file(std::move(response), file.path, 0, bytes.size() + 1);
      if (path == "/missing") co_await exchange.respond_file(std::move(response), "/nonexistent/file", 0, 1);
    });
    HttpClient client(server.port());
    CHECK((client.get("/whole").body == bytes));
    CHECK(client.get("/part").body == bytes.substr(1000, 500));
    CHECK(client.get("/empty").body.empty());
    CHECK(client.request("HEAD", "/whole").header("content-length") == "1500000");
    CHECK(client.get("/missing").status == 500);
    client.send("GET /over HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(client.read_head().header("content-length") == "1500001");
    CHECK(client.read_all().size() <= bytes.size());
  }

  TEST_CASE("a stream's chunks arrive as they are written, and the connection goes on") {
    HttpServer* self = nullptr;
    std::unique_ptr<http::Notifier> go;
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      auto response = text("");
      auto done = co_await exchange.begin_stream(std::move(response));
      CHECK(done.has_value());
      done = co_await exchange.write_chunk("first");
      CHECK(done.has_value());
      if (exchange.head().path() == "/wait" && go->count() == 0) {
        const bool notified = co_await go->wait(10s);
        CHECK(notified);
      }
      done = co_await exchange.write_chunk("");
      done = co_await exchange.write_chunk("second");
      CHECK(done.has_value());
      co_await exchange.end_stream();
    });
    self = &server;
    self->on_network([&] { go = std::make_unique<http::Notifier>(server.io()); });
    HttpClient client(server.port());
    client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(client.read_head().header("transfer-encoding") == "chunked");
    CHECK(client.read_until("first\r\n") == "5\r\nfirst\r\n");
    go->notify_all();
    CHECK(client.read_until("0\r\n\r\n") == "6\r\nsecond\r\n0\r\n\r\n");
    CHECK(client.get("/").body == "firstsecond");
    CHECK(client.request("HEAD", "/").status == 200);
    HttpClient old(server.port());
    old.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(old.read_reply().body == "firstsecond");
  }

  TEST_CASE("a stream tells the handler that the client has left") {
    std::promise<std::string> told;
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      auto response = text("");
      auto done = co_await exchange.begin_stream(std::move(response));
      while (done)
        done = co_await exchange.write_chunk(pattern(100'000));
      told.set_value(done.error().message());
    });
    HttpClient client(server.port());
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    client.read_head();
    client.close();
    CHECK(told.get_future().get() == "the client closed the connection");
  }

  TEST_CASE("gone ends when the client closes or resets, and leaves pipelined bytes alone") {
    using namespace boost::asio::experimental::awaitable_operators;
    std::mutex mutex;
    std::vector<std::string> seen;
    std::unique_ptr<http::Notifier> waiting, go;
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      if (exchange.head().path() == "/next") {
        co_await echo(exchange);
        co_return;
      }
      waiting->notify_all();
      auto either = co_await (exchange.gone() || go->wait(10s));
      const std::string how = either.index() == 0 ? "gone" : "notified";
      {
        const std::lock_guard lock(mutex);
        seen.push_back(how);
      }
      co_await exchange.respond(text(how));
    });
    server.on_network([&] {
      waiting = std::make_unique<http::Notifier>(server.io());
      go = std::make_unique<http::Notifier>(server.io());
    });
    const auto polls = [&](std::uint64_t n) {
      return comes_true([&] { return server.on_network([&] { return waiting->count(); }) >= n; });
    };
    HttpClient client(server.port());
    client.send("GET /poll HTTP/1.1\r\nhost: x\r\n\r\n");
    REQUIRE(polls(1));
    client.send("POST /next HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi");
    go->notify_all();
    CHECK(client.read_reply().body == "notified");
    CHECK(client.read_reply().body == "POST /next  hi");
    client.send("GET /poll HTTP/1.1\r\nhost: x\r\n\r\n");
    REQUIRE(polls(2));
    client.close();
    CHECK(comes_true([&] { return server.connections() == 0; }));
    HttpClient rude(server.port());
    rude.send("GET /poll HTTP/1.1\r\nhost: x\r\n\r\n");
    REQUIRE(polls(3));
    rude.reset();
    CHECK(comes_true([&] { return server.connections() == 0; }));
    const std::lock_guard lock(mutex);
    CHECK(seen == std::vector<std::string>{"notified", "gone", "gone"});
  }

  TEST_CASE("stop closes what is idle, lets what runs finish, and refuses new connections") {
    std::unique_ptr<http::Notifier> waiting, go;
    HttpServer server([&](Exchange& exchange) -> Task<void> {
      if (exchange.head().path() == "/wait") {
        waiting->notify_all();
        const bool notified = co_await go->wait(10s);
        CHECK(notified);
      }
      co_await exchange.respond(text("done"));
    });
    server.on_network([&] {
      waiting = std::make_unique<http::Notifier>(server.io());
      go = std::make_unique<http::Notifier>(server.io());
    });
    HttpClient idle(server.port());
    CHECK(idle.get("/").status == 200);
    HttpClient busy(server.port());
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
    REQUIRE(comes_true([&] { return server.on_network([&] { return waiting->count(); }) == 1; }));
    auto stopped = server.begin_stop();
    CHECK(idle.at_end());
    CHECK_THROWS(HttpClient(server.port()));
    CHECK(stopped.wait_for(0s) == std::future_status::timeout);
    go->notify_all();
    const auto reply = busy.read_reply();
    CHECK(reply.body == "done");
    CHECK(reply.header("connection") == "close");
    CHECK(busy.at_end());
    CHECK(stopped.wait_for(10s) == std::future_status::ready);
    CHECK(server.connections() == 0);
  }

  TEST_CASE("stop drops what still runs after the grace period") {
    std::unique_ptr<http::Notifier> waiting;
    HttpServer server(
        [&](Exchange&) -> Task<void> {
          waiting->notify_all();
          co_await waiting->wait(1h);
          co_await waiting->wait(1h);
        },
        {.stop_grace = 30ms});
    server.on_network([&] { waiting = std::make_unique<http::Notifier>(server.io()); });
    HttpClient client(server.port());
    HttpClient half(server.port());
    half.send("GET / HT");
    client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
    REQUIRE(comes_true([&] { return server.on_network([&] { return waiting->count(); }) == 1; }));
    auto stopped = server.begin_stop();
    CHECK(client.at_end());
    CHECK(half.at_end());
    CHECK(stopped.wait_for(10s) == std::future_status::ready);
    CHECK(server.logger.lines("handler failed").empty());
  }

  TEST_CASE("mutated requests never hang or end the server") {
    HttpServer server(echo);
    const std::string seeds[] = {
        "GET /a/b?x=1 HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: v\r\n\r\n",
        "PUT /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc",
    };
    const std::string pieces[] = {"\r\n",
                                  "0\r\n\r\n",
                                  "content-length: 99999999999999999999\r\n",
                                  "transfer-encoding: chunked\r\n",
                                  "\xff\xff\xff",
                                  std::string(40'000, 'A')};
    const std::uint64_t seed = SystemRandom().next();
    CAPTURE(seed);
    SeededRandom random(seed);
    for (int round = 0; round < 400; ++round) {
      CAPTURE(round);
      std::string text;
      for (auto n = random.below(3) + 1; n > 0; --n)
        text += seeds[random.below(std::size(seeds))];
      for (auto n = random.below(6); n > 0; --n) {
        const auto at = random.below(text.size() + 1);
        switch (random.below(4)) {
          case 0: text.insert(at, 1, static_cast<char>(random.below(256))); break;
          case 1: text.erase(at, random.below(10)); break;
          case 2: text.insert(at, pieces[random.below(std::size(pieces))]); break;
          default: text.insert(at, text.substr(at, random.below(50))); break;
        }
      }
      HttpClient client(server.port());
      client.send(text.substr(0, random.below(text.size() + 1)));
      client.shutdown_send();
      client.read_all();
    }
    HttpClient client(server.port());
    CHECK(client.get("/alive").status == 200);
    CHECK(server.logger.lines("handler failed").empty());
  }

  TEST_CASE("an address that is taken is an exception") {
    HttpServer server(echo);
    boost::asio::io_context io(1);
    SystemRandom random;
    NullLogger logger;
    test::FunctionHandler handler(echo);
    CHECK_THROWS_AS(http::Server(io, {.port = server.port()}, handler, random, logger), boost::system::system_error);
    CHECK_THROWS_AS(http::Server(io, {.certificate_file = "/nonexistent.pem", .key_file = "/nonexistent.pem"}, handler,
                                 random, logger),
                    boost::system::system_error);
  }

  TEST_CASE("curl uploads with 100-continue, reuses its connection, and speaks TLS") {
    const auto dir = std::filesystem::temp_directory_path() / fmt::format("bencher-tls-{}", ::getpid());
    std::filesystem::create_directories(dir);
    const auto key = (dir / "key.pem").string(), certificate = (dir / "certificate.pem").string();
    REQUIRE(
        std::system(fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {} "
                                "-out {} -subj /CN=localhost -days 2 >/dev/null 2>&1",
                                key, certificate)
                        .c_str()) == 0);
    const auto bytes = pattern(3'000'000);
    const auto upload = (dir / "upload").string();
    std::ofstream(upload, std::ios::binary) << bytes;
    const auto size_of_body = [](Exchange& exchange) -> Task<void> {
      auto body = co_await exchange.read_body(4 << 20);
      auto response = text(body ? fmt::format("{};", body->size()) : body.error().message());
      co_await exchange.respond(std::move(response));
    };
    HttpServer plain(size_of_body);
    HttpServer secure(size_of_body, {.certificate_file = certificate, .key_file = key});
    CHECK(output_of(fmt::format("curl -s -m 10 -T {0} http://127.0.0.1:{1}/a -T {0} http://127.0.0.1:{1}/b", upload,
                                plain.port())) == "3000000;3000000;");
    CHECK(output_of(fmt::format("curl -s -m 10 -k -T {0} https://127.0.0.1:{1}/a -T {0} https://127.0.0.1:{1}/b",
                                upload, secure.port())) == "3000000;3000000;");
    CHECK(comes_true([&] { return secure.connections() == 0; }));
    HttpClient not_tls(secure.port());
    not_tls.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    not_tls.read_all();
    HttpClient silent(secure.port());
    secure.stop();  // with a handshake that never comes
    CHECK(silent.at_end());
    std::filesystem::remove_all(dir);
  }
}
