// A server in this process on a free port, and a blocking client that sees every byte.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "lib/http/server.hpp"

namespace bencher::test {

/// Keeps what was logged.
class MemoryLogger final : public Logger {
 public:
  using Line = std::map<std::string, std::string>;
  void log(LogLevel, std::string_view event, std::initializer_list<Field> fields) override {
    Line line{{"event", std::string(event)}};
    for (const auto& [name, value] : fields)
      line.emplace(name, value);
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<Line> lines(std::string_view event) const {
    const std::lock_guard lock(mutex_);
    std::vector<Line> out;
    for (const auto& line : lines_)
      if (line.at("event") == event) out.push_back(line);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

/// Gives each request to a function, which a test may be.
class FunctionHandler final : public http::Handler {
 public:
  using Function = std::function<http::Task<void>(http::Exchange&)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  http::Task<void> handle(http::Exchange& exchange) override { return function_(exchange); }

 private:
  Function function_;
};

/// A server whose network thread runs as long as this lives.
class HttpServer {
 public:
  explicit HttpServer(FunctionHandler::Function function, http::ServerOptions options = {})
      : handler_(std::move(function)) {
    server_ = std::make_unique<http::Server>(io_, std::move(options), handler_, random_, logger);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~HttpServer() {
    if (server_) stop();
    work_.reset();
    thread_.join();
  }

  std::uint16_t port() const { return server_->port(); }
  boost::asio::io_context& io() { return io_; }
  /// Runs `function` on the network thread and gives its value.
  template <class F>
  auto on_network(F function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto value = task.get_future();
    boost::asio::post(io_, [&task] { task(); });
    return value.get();
  }
  std::size_t connections() {
    return on_network([this] { return server_->connections(); });
  }
  std::future<void> begin_stop() { return boost::asio::co_spawn(io_, server_->stop(), boost::asio::use_future); }
  void stop() {
    begin_stop().get();
    on_network([this] { server_.reset(); });
  }

  MemoryLogger logger;

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  SystemRandom random_;
  FunctionHandler handler_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

struct HttpReply {
  int status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
  }
};

/// A connection to the server. What does not come within ten seconds is an exception.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("cannot connect");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~HttpClient() { close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void shutdown_send() { ::shutdown(fd_, SHUT_WR); }
  /// Closes with RST instead of FIN.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  /// False once the server has closed its side.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// Reads until `end` is there; what is behind it stays for the next call.
  std::string read_until(std::string_view end) {
    for (;;) {
      const auto at = buffer_.find(end);
      if (at != std::string::npos) return take(at + end.size());
      if (!fill()) throw std::runtime_error("closed before '" + std::string(end) + "': " + buffer_);
    }
  }
  std::string read(std::size_t size) {
    while (buffer_.size() < size)
      if (!fill()) throw std::runtime_error("closed within " + std::to_string(size) + " bytes");
    return take(size);
  }
  /// All there is until the server closes.
  std::string read_all() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }
  bool at_end() { return buffer_.empty() && !fill(); }

  HttpReply read_head() {
    HttpReply reply;
    const auto head = read_until("\r\n\r\n");
    reply.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (at + 2 < head.size()) {
      const auto end = head.find("\r\n", at);
      const auto colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      for (auto& c : name)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      reply.headers.emplace(std::move(name), head.substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
    return reply;
  }
  HttpReply read_reply(bool has_body = true) {
    auto reply = read_head();
    if (!has_body || reply.status == 204 || reply.status == 304) return reply;
    if (reply.header("transfer-encoding") == "chunked") {
      for (;;) {
        const auto size = std::stoul(read_until("\r\n"), nullptr, 16);
        reply.body += read(size);
        read_until("\r\n");
        if (size == 0) break;
      }
    } else if (const auto length = reply.header("content-length"); !length.empty()) {
      reply.body = read(std::stoul(length));
    } else {
      reply.body = read_all();
    }
    return reply;
  }

  HttpReply request(std::string_view method, std::string_view target, std::string_view body = {},
                    std::string_view headers = {}) {
    std::string text(method);
    text += ' ';
    text += target;
    text += " HTTP/1.1\r\nhost: localhost\r\n";
    text += headers;
    if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
      text += "content-length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text += body;
    send(text);
    return read_reply(method != "HEAD");
  }
  HttpReply get(std::string_view target) { return request("GET", target); }

 private:
  std::string take(std::size_t size) {
    auto out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }
  bool fill() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) == 0) throw std::runtime_error("nothing came within ten seconds");
    char part[64 * 1024];
    const auto n = ::recv(fd_, part, sizeof part, 0);
    if (n > 0) buffer_.append(part, static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  std::string buffer_;
};

}  // namespace bencher::test
