// A server of raw HTTP answers on the loopback.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace bencher::test {

/// Answers each request on the loopback with what `answer` says; an empty answer leaves the client waiting, "drop"
/// hangs up at once, and what ends with "\\nhang up" after the rest. One connection at a time, kept open.
class RawServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  explicit RawServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0)
      throw std::runtime_error("cannot listen on the loopback");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (pipe(stop_) != 0) throw std::runtime_error("cannot make a pipe");
    thread_ = std::thread([this] { serve(); });
  }
  ~RawServer() {
    close(stop_[1]);
    thread_.join();
    close(listener_);
    close(stop_[0]);
  }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  std::vector<std::string> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  /// Ready once the first request has been read whole.
  std::shared_future<void> first_request() const { return first_; }

 private:
  bool wait(int fd) {
    pollfd fds[2] = {{fd, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    return poll(fds, 2, 20'000) > 0 && fds[1].revents == 0;
  }

  bool read_request(int fd, std::string& buffer, std::string& request) {
    for (;;) {
      const auto end = buffer.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::size_t body = 0;
        if (const auto at = buffer.find("Content-Length: "); at != std::string::npos && at < end)
          body = static_cast<std::size_t>(std::stoul(buffer.substr(at + 16)));
        if (buffer.size() >= end + 4 + body) {
          request = buffer.substr(0, end + 4 + body);
          buffer.erase(0, end + 4 + body);
          return true;
        }
      }
      char chunk[4096];
      if (!wait(fd)) return false;
      const auto got = recv(fd, chunk, sizeof chunk, 0);
      if (got <= 0) return false;
      buffer.append(chunk, static_cast<std::size_t>(got));
      if (buffer[0] == 0x16) return false;  // a TLS hello: not spoken here
    }
  }

  void serve() {
    while (wait(listener_)) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      std::string buffer, request;
      while (read_request(fd, buffer, request)) {
        {
          std::lock_guard lock(mutex_);
          requests_.push_back(request);
          if (requests_.size() == 1) first_done_.set_value();
        }
        std::string answer = answer_(request);
        if (answer == "drop") break;
        constexpr std::string_view last = "\nhang up";
        const bool hangs_up = answer.ends_with(last);
        if (hangs_up) answer.resize(answer.size() - last.size());
        for (std::size_t sent = 0; sent < answer.size();) {
          const auto n = send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
          if (n <= 0) break;
          sent += static_cast<std::size_t>(n);
        }
        if (hangs_up) break;
      }
      close(fd);
    }
  }

  Answer answer_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::promise<void> first_done_;
  std::shared_future<void> first_{first_done_.get_future()};
  std::thread thread_;
};

/// One HTTP/1.1 answer.
inline std::string answer(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace bencher::test
