#include "bencher/client/http.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/support/image.hpp"
#include "tests/support/raw_server.hpp"

using namespace bencher;
using namespace bencher::client;
using bencher::test::answer;
using bencher::test::RawServer;

namespace {

HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

/// Sets a variable of the environment for as long as it lives.
class Env {
 public:
  Env(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  ~Env() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("a response carries status, lower-case header names and body, and the connection is used again") {
  RawServer server([](const std::string&) { return answer(201, "hello", "X-Total-Count: 7\r\n"); });
  HttpClient client;
  for (int i = 0; i < 3; ++i) {
    const auto response = client.send(get(server.url("/a")));
    REQUIRE(response);
    CHECK(response->status == 201);
    CHECK(response->body == "hello");
    REQUIRE(response->header("x-total-count"));
    CHECK(*response->header("x-total-count") == "7");
    CHECK(response->header("absent") == nullptr);
  }
  CHECK(server.connections() == 1);
  CHECK(server.requests().size() == 3);
}

TEST_CASE("method, headers and body are sent as given and nothing is asked for compressed") {
  RawServer server([](const std::string&) { return answer(200, "{}"); });
  HttpClient client;
  HttpRequest request = get(server.url("//v0/x?a=b%20c"));
  request.method = "PATCH";
  request.headers = {{"Authorization", "Bearer t"}, {"Content-Type", "application/json"}};
  request.body = R"({"name":"n"})";
  REQUIRE(client.send(request));
  request.method = "POST";
  request.headers.clear();
  request.body.clear();
  REQUIRE(client.send(request));
  request.method = "DELETE";
  REQUIRE(client.send(request));

  const auto got = server.requests();
  REQUIRE(got.size() == 3);
  CHECK(got[0].starts_with("PATCH //v0/x?a=b%20c HTTP/1.1\r\n"));
  CHECK(got[0].find("Authorization: Bearer t\r\n") != std::string::npos);
  CHECK(got[0].find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(got[0].ends_with("\r\n\r\n{\"name\":\"n\"}"));
  CHECK(got[0].find("Accept-Encoding") == std::string::npos);
  CHECK(got[0].find("Expect") == std::string::npos);
  CHECK(got[1].starts_with("POST "));
  CHECK(got[1].find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(got[1].find("Content-Type") == std::string::npos);
  CHECK(got[2].starts_with("DELETE "));
}

TEST_CASE("a file is sent as the body, whole, and not to where an answer points") {
  RawServer server([](const std::string&) { return answer(307, "", "Location: /elsewhere\r\n"); });
  const test::TempDir dir;
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i)
    text += std::to_string(i) + "\n";
  test::write_file(dir / "body", text);
  HttpClient client;
  HttpRequest request = get(server.url("/a"));
  request.method = "PUT";
  request.body_file = dir / "body";
  const auto response = client.send(request);
  REQUIRE(response);
  CHECK(response->status == 307);
  REQUIRE(server.requests().size() == 1);
  const auto got = server.requests()[0];
  CHECK(got.starts_with("PUT /a "));
  CHECK(got.find("Content-Length: " + std::to_string(text.size()) + "\r\n") != std::string::npos);
  CHECK(got.ends_with("\r\n\r\n" + text));
  request.body_file = dir / "absent";
  const auto absent = client.send(request);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code() == Errc::invalid_argument);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a successful body is streamed and an error's body is collected") {
  RawServer server([](const std::string& request) {
    return request.starts_with("GET /bad") ? answer(404, "no such thing") : answer(200, std::string(300'000, 'x'));
  });
  HttpClient client;
  std::size_t streamed = 0;
  HttpRequest request = get(server.url("/good"));
  request.on_data = [&](std::string_view part) {
    streamed += part.size();
    return true;
  };
  auto response = client.send(request);
  REQUIRE(response);
  CHECK(response->body.empty());
  CHECK(streamed == 300'000);

  request.url = server.url("/bad");
  response = client.send(request);
  REQUIRE(response);
  CHECK(response->status == 404);
  CHECK(response->body == "no such thing");
  CHECK(streamed == 300'000);
}

TEST_CASE("the receiver can end a transfer, and the client works on") {
  RawServer server([](const std::string&) { return answer(200, std::string(300'000, 'x')); });
  HttpClient client;
  HttpRequest request = get(server.url("/"));
  request.on_data = [](std::string_view) { return false; };
  const auto response = client.send(request);
  REQUIRE_FALSE(response);
  CHECK(response.error().code() == Errc::cancelled);
  CHECK(client.send(get(server.url("/"))).has_value());
}

TEST_CASE("what the receiver throws reaches the caller") {
  RawServer server([](const std::string&) { return answer(200, "x"); });
  HttpClient client;
  HttpRequest request = get(server.url("/"));
  request.on_data = [](std::string_view) -> bool { throw std::runtime_error("disk full"); };
  CHECK_THROWS_WITH((void)client.send(request), "disk full");
}

TEST_CASE("a body over its limit is refused") {
  RawServer server([](const std::string&) { return answer(200, std::string(1001, 'x')); });
  HttpClient client;
  HttpRequest request = get(server.url("/"));
  request.max_body = 1000;
  const auto response = client.send(request);
  REQUIRE_FALSE(response);
  CHECK(response.error().code() == Errc::too_large);
}

TEST_CASE("endless headers are refused") {
  RawServer server([](const std::string&) {
    std::string headers;
    for (int i = 0; i < 400; ++i)
      headers += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
    return answer(200, "", headers);
  });
  HttpClient client;
  const auto response = client.send(get(server.url("/")));
  REQUIRE_FALSE(response);
}

TEST_CASE("cancel from another thread ends a waiting request at once, and every later one") {
  RawServer server([](const std::string&) { return std::string(); });
  HttpClient client;
  std::thread canceller([&] {
    server.first_request().wait();
    client.cancel();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto response = client.send(get(server.url("/")));
  canceller.join();
  REQUIRE_FALSE(response);
  CHECK(response.error().code() == Errc::cancelled);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(client.send(get(server.url("/"))).error().code() == Errc::cancelled);
}

TEST_CASE("a request over its time is timed out") {
  RawServer server([](const std::string&) { return std::string(); });
  HttpClient client;
  HttpRequest request = get(server.url("/"));
  request.total_timeout = std::chrono::milliseconds(50);
  const auto response = client.send(request);
  REQUIRE_FALSE(response);
  CHECK(response.error().code() == Errc::timed_out);
}

TEST_CASE("a refused, lost or foreign connection is unavailable and names the URL") {
  RawServer server([](const std::string&) { return std::string("drop"); });
  HttpClient client;
  const auto lost = client.send(get(server.url("/lost")));
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code() == Errc::unavailable);
  CHECK(lost.error().message().find("/lost") != std::string::npos);

  const int unused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(unused, reinterpret_cast<sockaddr*>(&address), size) == 0);  // bound but not listening
  getsockname(unused, reinterpret_cast<sockaddr*>(&address), &size);
  const auto refused = client.send(get("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/"));
  close(unused);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::unavailable);

  const auto tls = client.send(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
  REQUIRE_FALSE(tls);
  CHECK(tls.error().code() == Errc::unavailable);
}

TEST_CASE("what is not an http URL, a method or a header is refused") {
  HttpClient client;
  for (const char* url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "/v0", "http://"}) {
    CAPTURE(url);
    const auto response = client.send(get(url));
    REQUIRE_FALSE(response);
    CHECK(response.error().code() == Errc::invalid_argument);
  }
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers = {{"X-A", "b\r\nEvil: 1"}};
  CHECK(client.send(request).error().code() == Errc::invalid_argument);
  request.headers.clear();
  request.method = "GET /x";
  CHECK(client.send(request).error().code() == Errc::invalid_argument);
}

TEST_CASE("redirects are followed, with the credential only to the same server") {
  RawServer other([](const std::string&) { return answer(200, "other"); });
  RawServer server([&](const std::string& request) {
    if (request.starts_with("GET /same ")) return answer(307, "gone", "Location: /there\r\n");
    if (request.starts_with("GET /there ")) return answer(200, "there");
    if (request.starts_with("POST /form ")) return answer(303, "", "Location: there\r\n");
    return answer(302, "", "Location: " + other.url("/x") + "\r\n");
  });
  HttpClient client;
  HttpRequest request = get(server.url("/same"));
  request.headers = {{"authorization", "Bearer secret"}};
  std::string streamed;
  request.on_data = [&](std::string_view part) {
    streamed += part;
    return true;
  };
  REQUIRE(client.send(request));
  CHECK(streamed == "there");
  CHECK(server.requests().at(1).find("secret") != std::string::npos);
  request.on_data = nullptr;

  request.url = server.url("/away");
  const auto away = client.send(request);
  REQUIRE(away);
  CHECK(away->body == "other");
  CHECK(other.requests().at(0).find("secret") == std::string::npos);

  request.url = server.url("/form");
  request.method = "POST";
  request.body = "a=b";
  const auto form = client.send(request);
  REQUIRE(form);
  CHECK(form->body == "there");
  CHECK(server.requests().back().find("a=b") == std::string::npos);
}

TEST_CASE("a redirect loop ends, and redirects can be left to the caller") {
  RawServer server([](const std::string&) { return answer(301, "", "Location: /again\r\n"); });
  {
    HttpClient client({.client_certificate = {}, .max_redirects = 3});
    const auto looped = client.send(get(server.url("/")));
    REQUIRE_FALSE(looped);
    CHECK(looped.error().code() == Errc::unavailable);
    CHECK(server.requests().size() == 4);
  }
  HttpClient plain({.client_certificate = {}, .max_redirects = 0});
  const auto response = plain.send(get(server.url("/")));
  REQUIRE(response);
  CHECK(response->status == 301);
}

TEST_CASE("HTTP_PROXY and NO_PROXY are honoured") {
  RawServer proxy([](const std::string&) { return answer(200, "by proxy"); });
  RawServer server([](const std::string&) { return answer(200, "direct"); });
  Env http_proxy("HTTP_PROXY", proxy.url("/"));
  HttpClient client;
  auto response = client.send(get("http://bench.invalid/x"));
  REQUIRE(response);
  CHECK(response->body == "by proxy");
  CHECK(proxy.requests().at(0).starts_with("GET http://bench.invalid/x "));
  Env no_proxy("NO_PROXY", "127.0.0.1");
  response = client.send(get(server.url("/")));
  REQUIRE(response);
  CHECK(response->body == "direct");
}
