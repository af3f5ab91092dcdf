#include "support.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bencher::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

/// The number after `key` at the start of a line of `text`, or 0.
std::uint64_t number_of(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  return 0;
}

}  // namespace

double milliseconds(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  return values[std::min(values.size(), std::max<std::size_t>(1, static_cast<std::size_t>(rank))) - 1];
}

Usage usage(pid_t pid) {
  Usage out;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    Usage::Thread thread;
    thread.name = read_file(task.path() / "comm");
    while (!thread.name.empty() && thread.name.back() == '\n')
      thread.name.pop_back();
    const auto status = read_file(task.path() / "status");
    thread.switches = number_of(status, "voluntary_ctxt_switches:") + number_of(status, "nonvoluntary_ctxt_switches:");
    thread.cpu_seconds = std::strtod(read_file(task.path() / "schedstat").c_str(), nullptr) / 1e9;
    out.cpu_seconds += thread.cpu_seconds;
    out.threads.push_back(std::move(thread));
  }
  return out;
}

Memory memory(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/smaps_rollup", pid));
  return Memory{number_of(text, "Rss:"), number_of(text, "Pss:"),
                number_of(text, "Private_Clean:") + number_of(text, "Private_Dirty:")};
}

fs::path server_program() {
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bencher-server";
}

// ---- the server ----------------------------------------------------------------------------------------------------

Server::Server(std::optional<fs::path> data) {
  if (data) {
    data_ = *std::move(data);
  } else {
    auto name = (fs::temp_directory_path() / "bencher-bench-XXXXXX").string();
    if (!::mkdtemp(name.data())) fail("cannot make " + name);
    data_ = name;
    own_data_ = true;
  }
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) fail("pipe");
  const auto program = server_program().string();
  const auto data_text = data_.string();
  const auto log = (data_ / "server.log").string();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    const int err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), "--data", data_text.c_str(), "--listen", "127.0.0.1:0",
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(out[1]);
  // "… listens on http://localhost:PORT"
  std::string line;
  for (char c; ::read(out[0], &c, 1) == 1 && c != '\n';)
    line += c;
  // The rest of its greeting fits into the pipe.
  ::close(out[0]);
  const auto colon = line.rfind(':');
  if (colon != std::string::npos) port_ = static_cast<std::uint16_t>(std::atoi(line.c_str() + colon + 1));
  if (port_ == 0) throw std::runtime_error(fmt::format("{} did not start: {}", program, this->log()));
}

void Server::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

Server::~Server() {
  stop();
  std::error_code ignored;
  if (own_data_) fs::remove_all(data_, ignored);
}

std::string Server::log() const {
  return read_file(data_ / "server.log");
}

// ---- HTTP ----------------------------------------------------------------------------------------------------------

std::string request(std::string_view method, std::string_view path, std::string_view token, std::string_view body) {
  auto out = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n", method, path);
  if (!token.empty()) out += fmt::format("Authorization: Bearer {}\r\n", token);
  if (method != "GET") out += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  out += "\r\n";
  out += body;
  return out;
}

std::optional<Answer> AnswerReader::feed(std::string_view bytes) {
  if (!in_body_) {
    head_ += bytes;
    const auto end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    answer_ = Answer{};
    answer_.status = std::atoi(head_.c_str() + std::strlen("HTTP/1.1 "));
    auto lower = head_.substr(0, end);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    static constexpr std::string_view key = "\r\ncontent-length:";
    const auto length = lower.find(key);
    left_ = length == std::string::npos ? 0 : std::strtoull(lower.c_str() + length + key.size(), nullptr, 10);
    in_body_ = true;
    // What is measured is the server's time, not that of this string's growing.
    if (keep_) answer_.body.reserve(left_);
    const std::string rest = head_.substr(end + 4);
    head_.clear();
    return feed(rest);
  }
  const auto mine = std::min(left_, bytes.size());
  if (keep_) answer_.body += bytes.substr(0, mine);
  left_ -= mine;
  if (left_ != 0) return std::nullopt;
  in_body_ = false;
  head_ = bytes.substr(mine);
  return std::move(answer_);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    fail("connect");
  }
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

Client::Client(std::uint16_t port) : fd_(connect_to(port)) {}

Client::~Client() {
  ::close(fd_);
}

Answer Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    const auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n <= 0) fail("the server closed the connection");
    if (auto answer = reader_.feed({buffer.data(), static_cast<std::size_t>(n)})) return *std::move(answer);
  }
}

Answer Client::call(int wanted, std::string_view method, std::string_view path, std::string_view token,
                    std::string_view body) {
  auto answer = send(request(method, path, token, body));
  if (answer.status != wanted)
    throw std::runtime_error(fmt::format("{} {}: {} {}", method, path, answer.status, answer.body));
  return answer;
}

boost::json::value Client::json(int wanted, std::string_view method, std::string_view path, std::string_view token,
                                std::string_view body) {
  return boost::json::parse(call(wanted, method, path, token, body).body);
}

Admin sign_up(const Server& server, Client& client) {
  client.call(202, "POST", "/v0/auth/signup", "",
              R"({"name":"Ann Admin","slug":"ann-admin","email":"ann@example.com","i_agree":true})");
  // The message with the token is in the log, as JSON inside of JSON. A buffered log gets there within a second or two.
  static constexpr std::string_view mark = "Confirmation Token: ";
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  for (;;) {
    const auto log = server.log();
    if (const auto at = log.find(mark); at != std::string::npos)
      if (const auto end = log.find('"', at); end != std::string::npos) {
        const auto token = log.substr(at + mark.size(), end - at - mark.size());
        const auto who = client.json(200, "POST", "/v0/auth/confirm", "", fmt::format(R"({{"token":"{}"}})", token));
        return Admin{std::string(who.at("token").as_string()), "ann-admin"};
      }
    if (Clock::now() > deadline) throw std::runtime_error("the confirmation token is not in the server's log");
    ::usleep(10'000);
  }
}

// ---- load ----------------------------------------------------------------------------------------------------------

Load::Load(std::uint16_t port, std::size_t connections, bool keep_bodies) : poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (poll_ < 0) fail("epoll_create1");
  for (std::size_t i = 0; i < connections; ++i) {
    connections_.push_back({connect_to(port), AnswerReader(keep_bodies), {}});
    const int fd = connections_.back().fd;
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }
}

Load::~Load() {
  for (const auto& c : connections_)
    ::close(c.fd);
  ::close(poll_);
}

void Load::send(std::size_t connection, std::string_view bytes) {
  connections_[connection].unsent = bytes;
  push(connection);
}

void Load::push(std::size_t connection) {
  auto& c = connections_[connection];
  while (!c.unsent.empty()) {
    const auto n = ::send(c.fd, c.unsent.data(), c.unsent.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) fail("send");
    c.unsent.remove_prefix(static_cast<std::size_t>(n));
  }
  if (c.unsent.empty()) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = connection;
  ::epoll_ctl(poll_, EPOLL_CTL_MOD, c.fd, &event);
}

void Load::run(Clock::time_point until, const OnAnswer& on_answer) {
  static thread_local std::vector<char> buffer(256 * 1024);
  std::array<epoll_event, 64> events;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return;
    const int n = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), static_cast<int>(left));
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
      auto& c = connections_[at];
      if (events[static_cast<std::size_t>(i)].events & EPOLLOUT) {
        push(at);
        if (c.unsent.empty()) {
          epoll_event event{};
          event.events = EPOLLIN;
          event.data.u64 = at;
          ::epoll_ctl(poll_, EPOLL_CTL_MOD, c.fd, &event);
        }
      }
      if (!(events[static_cast<std::size_t>(i)].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      const auto got = ::recv(c.fd, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) throw std::runtime_error("the server closed a connection");
      auto answer = c.reader.feed({buffer.data(), static_cast<std::size_t>(got)});
      if (answer && !on_answer(at, *answer)) return;
    }
  }
}

}  // namespace bencher::bench
