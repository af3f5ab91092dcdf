#include "lib/http/websocket_client.hpp"

#include <condition_variable>
#include <cstdlib>
#include <optional>
#include <vector>

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tests/support/image.hpp"
#include "tests/support/peer.hpp"

using bencher::http::WebSocketClient;
using bencher::test::Channel;
using bencher::test::Peer;
using bencher::test::Request;

namespace {

/// What a client told, to be waited for.
class Told {
 public:
  WebSocketClient::Events events() {
    return {.on_open = [this] { set([this] { open = true; }); },
            .on_message = [this](std::string text) { set([&] { messages.push_back(std::move(text)); }); },
            .on_closed = [this](WebSocketClient::Closed c) { set([&] { closed = std::move(c); }); },
            .on_upgraded =
                [this](const WebSocketClient::Headers& headers) {
                  for (const auto& [name, value] : headers)
                    if (name == "upgrade") set([&] { upgraded = value; });
                }};
  }
  template <class F>
  void wait(F until) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(10), until));
  }
  WebSocketClient::Closed wait_closed() {
    wait([this] { return closed.has_value(); });
    return *closed;
  }

  bool open = false;
  std::string upgraded;
  std::vector<std::string> messages;
  std::optional<WebSocketClient::Closed> closed;

 private:
  template <class F>
  void set(F change) {
    std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

void echo(const Request&, Channel& channel) {
  for (std::string text; !(text = channel.read()).empty();) {
    if (text == "close") {
      channel.close(1008, "superseded");
      return;
    }
    channel.write(text);
  }
}

/// A certificate for 127.0.0.1, signed by itself.
struct Certificate {
  Certificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509, key, EVP_sha256());
    const auto text = [](auto write) {
      BIO* bio = BIO_new(BIO_s_mem());
      write(bio);
      char* data = nullptr;
      const long size = BIO_get_mem_data(bio, &data);
      std::string out(data, static_cast<std::size_t>(size));
      BIO_free(bio);
      return out;
    };
    certificate = text([&](BIO* bio) { PEM_write_bio_X509(bio, x509); });
    private_key = text([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  std::string certificate, private_key;
};

}  // namespace

TEST_CASE("a client sends and receives messages in order, with its headers and the port in Host") {
  Peer peer;
  std::string host, authorization, target;
  peer.on_channel = [&](const Request& request, Channel& channel) {
    host = std::string(request["host"]);
    authorization = std::string(request["authorization"]);
    target = std::string(request.target());
    echo(request, channel);
  };
  peer.start();
  Told told;
  {
    WebSocketClient client({.url = peer.url("/v0/x?y=1"), .headers = {{"Authorization", "Bearer k"}}}, told.events());
    client.send("early");
    told.wait([&] { return told.messages.size() == 1; });
    for (int i = 0; i < 100; ++i)
      client.send(std::to_string(i) + std::string(50'000, 'x'));
    told.wait([&] { return told.messages.size() == 101; });
    CHECK(told.open);
    CHECK(told.upgraded == "websocket");
    CHECK(told.messages[0] == "early");
    CHECK(told.messages[100].starts_with("99x"));
    client.close();
    CHECK(told.wait_closed().was_open);
  }
  peer.stop();
  CHECK(host == "127.0.0.1:" + std::to_string(peer.port()));
  CHECK(authorization == "Bearer k");
  CHECK(target == "/v0/x?y=1");
}

TEST_CASE("the code and reason of the server's close are told") {
  Peer peer;
  peer.on_channel = echo;
  peer.start();
  Told told;
  WebSocketClient client({.url = peer.url()}, told.events());
  client.send("close");
  const auto closed = told.wait_closed();
  CHECK(closed.was_open);
  CHECK(closed.code == 1008);
  CHECK(closed.reason == "superseded");
}

TEST_CASE("a connection that breaks is told as 1006") {
  Peer peer;
  peer.on_channel = [](const Request&, Channel&) {};
  peer.start();
  Told told;
  WebSocketClient client({.url = peer.url()}, told.events());
  const auto closed = told.wait_closed();
  CHECK(closed.was_open);
  CHECK(closed.code == 1006);
}

TEST_CASE("a refused upgrade is told with its status, no server and no URL without") {
  Peer peer;
  peer.on_upgrade = [](const Request&) { return 409; };
  peer.start();
  {
    Told told;
    WebSocketClient client({.url = peer.url()}, told.events());
    const auto closed = told.wait_closed();
    CHECK_FALSE(closed.was_open);
    CHECK(closed.status == 409);
  }
  const std::string url = peer.url();
  peer.stop();
  for (const std::string& bad : {std::string("not a url"), std::string("http://")}) {
    Told told;
    WebSocketClient client({.url = bad}, told.events());
    CHECK(told.wait_closed().status == 0);
    CHECK_FALSE(told.closed->reason.empty());
  }
}

TEST_CASE("a message over the limit ends the connection") {
  Peer peer;
  peer.on_channel = echo;
  peer.start();
  Told told;
  WebSocketClient client({.url = peer.url(), .headers = {}, .message_limit = 1000}, told.events());
  client.send(std::string(1001, 'x'));
  CHECK(told.wait_closed().was_open);
  CHECK(told.messages.empty());
}

TEST_CASE("a server that does not answer the upgrade is given up in time") {
  Peer peer;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  peer.on_upgrade = [&](const Request&) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
    return 500;
  };
  peer.start();
  Told told;
  WebSocketClient client({.url = peer.url(), .headers = {}, .open_timeout = std::chrono::milliseconds(100)},
                         told.events());
  const auto closed = told.wait_closed();
  CHECK_FALSE(closed.was_open);
  CHECK(closed.status == 0);
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  changed.notify_all();
}

TEST_CASE("a client can be dropped in every state") {
  Peer peer;
  peer.on_channel = echo;
  peer.start();
  for (int i = 0; i < 20; ++i) {
    Told told;
    WebSocketClient client({.url = peer.url()}, told.events());
    if (i % 2) told.wait([&] { return told.open; });
    client.send("x");
  }
}

TEST_CASE("wss trusts what SSL_CERT_FILE names, and nothing else") {
  const Certificate own, other;
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
  context.use_certificate_chain(boost::asio::buffer(own.certificate));
  context.use_private_key(boost::asio::buffer(own.private_key), boost::asio::ssl::context::pem);
  bencher::test::TempDir dir;
  Peer peer(&context);
  peer.on_channel = echo;
  peer.start();
  const auto wss = "wss" + peer.url("/x").substr(5);

  bencher::test::write_file(dir / "own.pem", own.certificate);
  setenv("SSL_CERT_FILE", (dir / "own.pem").c_str(), 1);
  {
    Told told;
    WebSocketClient client({.url = wss}, told.events());
    client.send("over tls");
    told.wait([&] { return told.messages.size() == 1 || told.closed; });
    CHECK_MESSAGE(told.messages.size() == 1, (told.closed ? told.closed->reason : ""));
  }
  bencher::test::write_file(dir / "other.pem", other.certificate);
  setenv("SSL_CERT_FILE", (dir / "other.pem").c_str(), 1);
  {
    Told told;
    WebSocketClient client({.url = wss}, told.events());
    const auto closed = told.wait_closed();
    CHECK_FALSE(closed.was_open);
    CHECK(closed.reason.find("TLS") != std::string::npos);
  }
  unsetenv("SSL_CERT_FILE");
}
