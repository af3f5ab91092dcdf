// A proxy on the loopback between a program and a server, which cuts connections.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace bencher::test {

/// Passes everything on to `port`; the first answers to requests with `part` in their line are cut after some bytes.
class CuttingProxy {
 public:
  CuttingProxy(std::uint16_t port, std::string part, int cuts, std::size_t after)
      : upstream_(port), part_(std::move(part)), cuts_(cuts), after_(after) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0)
      throw std::runtime_error("cannot listen on the loopback");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~CuttingProxy() {
    stopped_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (auto& connection : connections_)
      connection.join();
    close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// How many request lines had `text` in them.
  int count(const std::string& text) {
    std::lock_guard lock(mutex_);
    int out = 0;
    for (const auto& line : lines_)
      out += line.find(text) != std::string::npos;
    return out;
  }
  int cuts_left() const { return cuts_; }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void serve() {
    for (;;) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0 || stopped_) {
        if (client >= 0) close(client);
        return;
      }
      connections_.emplace_back([this, client] { pass_on(client); });
    }
  }

  void pass_on(int client) {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(upstream_);
    const bool connected = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    bool cutting = false;
    std::size_t passed = 0;
    std::vector<char> buffer(16 * 1024);
    while (connected && !stopped_) {
      pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (poll(fds, 2, 50) <= 0) continue;
      const bool asks = fds[0].revents != 0;
      const auto got = recv(asks ? client : server, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      const std::string text(buffer.data(), static_cast<std::size_t>(got));
      if (asks) {
        const auto line = text.substr(0, text.find("\r\n"));
        cutting = line.find(part_) != std::string::npos && cuts_ > 0;
        passed = 0;
        std::lock_guard lock(mutex_);
        lines_.push_back(line);
      } else if (cutting && (passed += text.size()) > after_) {
        --cuts_;
        break;
      }
      if (!send_all(asks ? server : client, text)) break;
    }
    close(server);
    close(client);
  }

  static bool send_all(int fd, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
      const auto n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }

  std::uint16_t upstream_, port_ = 0;
  std::string part_;
  std::atomic<int> cuts_;
  std::size_t after_;
  int listener_ = -1;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::list<std::thread> connections_;
  std::thread thread_;
};

}  // namespace bencher::test
