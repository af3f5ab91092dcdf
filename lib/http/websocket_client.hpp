// A WebSocket connection to a server, on a thread of its own: for programs that otherwise have no event loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bencher::http {

/// One connection (RFC 6455), ws or wss; the latter trusts what the system trusts, or SSL_CERT_FILE and SSL_CERT_DIR.
/// Pings are answered inside.
class WebSocketClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  struct Options {
    std::string url;  ///< ws, wss, http or https
    Headers headers = {};
    std::chrono::milliseconds open_timeout{15'000};  ///< connecting, TLS and upgrade together
    std::size_t message_limit = 4u << 20;
    bool insecure = false;  ///< take any certificate
  };
  struct Closed {
    bool was_open = false;
    int status = 0;  ///< HTTP, when the server answered the upgrade with something else
    int code = 0;    ///< of its close frame; 1006 without one
    std::string reason;
  };
  /// Called on the connection's thread. `on_closed` comes once, last, in every case but destruction.
  struct Events {
    std::function<void()> on_open;
    std::function<void(std::string text)> on_message;
    std::function<void(Closed)> on_closed;
    /// Before `on_open`: the headers of the upgrade's answer, names in lower case.
    std::function<void(const Headers& headers)> on_upgraded = {};
  };

  /// Starts to connect.
  WebSocketClient(Options options, Events events);
  /// Drops the connection, and waits for its thread: not to be called on it.
  ~WebSocketClient();

  /// Queues a text message; lost if the connection is or gets closed. Any thread.
  void send(std::string text);
  /// Sends a close frame, after what is queued. Any thread.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher::http
