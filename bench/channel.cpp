// What connected runners and watchers cost a server, and how long lines and cancels take.
//
//   channel [RUNNERS] [WATCHERS]      (default 1000 and 1000)
//
// RUNNERS runners wait for jobs, each on its own channel (`GET /v0/runners/{runner}/channel`); ten more run a job each,
// and WATCHERS watchers follow these jobs' logs. Lines are written into the logs, jobs canceled, and 100 MB of output
// sent through one of the channels. Everything here runs on one thread, so that the figures are those of a machine with
// the server on it.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "support.hpp"

using namespace bencher::bench;
namespace json = boost::json;

namespace {

constexpr std::size_t workers = 10;
constexpr auto idle_time = std::chrono::seconds(10);
constexpr std::string_view digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A connection that was made with a request, and what it has sent since: frames of a WebSocket, or lines of a stream.
class Stream {
 public:
  Stream(std::uint16_t port, const std::string& request) : fd_(connect_to(port)) { write(request); }
  ~Stream() { ::close(fd_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const { return fd_; }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) throw std::runtime_error("the server has closed a connection");
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// A masked text frame (RFC 6455).
  void say(std::string_view text) {
    std::string frame("\x81", 1);
    if (text.size() < 126) {
      frame += static_cast<char>(0x80 | text.size());
    } else if (text.size() < 65536) {
      frame += static_cast<char>(0x80 | 126);
      frame += static_cast<char>(text.size() >> 8);
      frame += static_cast<char>(text.size() & 0xff);
    } else {
      frame += static_cast<char>(0x80 | 127);
      for (int shift = 56; shift >= 0; shift -= 8)
        frame += static_cast<char>(text.size() >> shift & 0xff);
    }
    frame.append(4, '\0');  // a mask of zeros leaves the text as it is
    frame += text;
    write(frame);
  }
  /// Reads what there is; false at the end.
  bool fill(bool wait = false) {
    char part[65536];
    const auto n = ::recv(fd_, part, sizeof part, wait ? 0 : MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    bytes_.append(part, static_cast<std::size_t>(n));
    return n > 0;
  }
  bool open() {
    if (opened_) return true;
    const auto end = bytes_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    if (bytes_.compare(9, 3, "101") != 0 && bytes_.compare(9, 3, "200") != 0)
      throw std::runtime_error("refused: " + bytes_.substr(0, end));
    bytes_.erase(0, end + 4);
    return opened_ = true;
  }
  /// The next frame's text, if it is here.
  std::optional<std::string> frame() {
    if (!open() || bytes_.size() < 2) return std::nullopt;
    std::size_t length = static_cast<unsigned char>(bytes_[1]) & 0x7f, head = 2;
    if (length == 126) {
      if (bytes_.size() < 4) return std::nullopt;
      length =
          static_cast<std::size_t>(static_cast<unsigned char>(bytes_[2])) << 8 | static_cast<unsigned char>(bytes_[3]);
      head = 4;
    }
    if (bytes_.size() < head + length) return std::nullopt;
    auto text = bytes_.substr(head, length);
    bytes_.erase(0, head + length);
    return text;
  }
  /// Calls `take` for each whole line of a chunked stream; lengths of chunks are lines too, and no JSON.
  template <class F>
  void lines(F take) {
    if (!open()) return;
    std::size_t from = 0;
    for (auto end = bytes_.find('\n'); end != std::string::npos; end = bytes_.find('\n', from)) {
      if (bytes_[from] == '{') take(std::string_view(bytes_).substr(from, end - from));
      from = end + 1;
    }
    bytes_.erase(0, from);
  }
  /// The next frame, waiting for it.
  std::string hear() {
    for (;;) {
      if (auto text = frame()) return *text;
      if (!fill(true)) throw std::runtime_error("the server has closed a channel");
    }
  }
  std::string hear(std::string_view event) {
    for (;;) {
      auto text = hear();
      if (text.find(fmt::format(R"("event":"{}")", event)) != std::string::npos) return text;
    }
  }

 private:
  int fd_;
  bool opened_ = false;
  std::string bytes_;
};

std::string upgrade(const std::string& path, const std::string& token) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {}\r\n\r\n",
      path, token);
}

std::int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

void print(std::string_view what, std::vector<double>& values) {
  fmt::print("| {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} |\n", what, values.size(), percentile(values, 0.5),
             percentile(values, 0.9), percentile(values, 0.99), percentile(values, 1));
  std::fflush(stdout);
}

class Bench {
 public:
  Bench(std::size_t runners, std::size_t watchers) : setup_(server_.port()), poll_(epoll_create1(0)) {
    admin_ = sign_up(server_, setup_);
    const auto spec = setup_.json(
        201, "POST", "/v0/specs", admin_.token,
        R"({"name":"small","os":"linux","architecture":"x86_64","cpu":1,"memory":1073741824,"disk":1073741824,"network":false,"fallback":true})");
    spec_ = std::string(spec.at("uuid").as_string());
    // For runners that wait there must be nothing to do: they are of another spec.
    const auto other = setup_.json(
        201, "POST", "/v0/specs", admin_.token,
        R"({"name":"idle","os":"linux","architecture":"x86_64","cpu":1,"memory":1073741824,"disk":1073741824,"network":false})");
    idle_spec_ = std::string(other.at("uuid").as_string());
    report("nothing connected");
    for (std::size_t i = 0; i < runners; ++i) {
      auto channel = make_runner(fmt::format("idle {}", i), idle_spec_);
      channel->say(R"({"event":"ready","poll_timeout":900})");
      idle_.push_back(std::move(channel));
    }
    settle();
    report(fmt::format("{} idle runners", runners));
    for (std::size_t i = 0; i < workers; ++i) {
      const auto name = fmt::format("work-{}", i);
      setup_.call(201, "POST", "/v0/organizations", admin_.token,
                  fmt::format(R"({{"name":"{0}","slug":"{0}"}})", name));
      setup_.call(201, "POST", fmt::format("/v0/organizations/{}/projects", name), admin_.token,
                  fmt::format(R"({{"name":"{0}","slug":"{0}"}})", name));
      channels_.push_back(make_runner(name, spec_));
      jobs_.push_back(start_job(i));
    }
    for (std::size_t i = 0; i < watchers; ++i) {
      const auto job = i % workers;
      watchers_.push_back(std::make_unique<Stream>(
          server_.port(),
          fmt::format(
              "GET /v0/projects/work-{}/jobs/{}/output/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
              "{}\r\n\r\n",
              job, jobs_[job], admin_.token)));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(poll_, EPOLL_CTL_ADD, watchers_.back()->fd(), &event);
    }
    settle();
    report(fmt::format("{} idle runners, {} watchers", runners, watchers));
  }
  ~Bench() { ::close(poll_); }

  /// What the server does while nothing happens but heartbeats of the ten jobs.
  void idle() {
    const auto before = usage(server_.pid());
    const auto until = Clock::now() + idle_time;
    while (Clock::now() < until) {
      beat();
      drain(std::min(until, Clock::now() + std::chrono::seconds(1)), [](std::string_view) {});
    }
    const auto cpu = usage(server_.pid()).cpu_seconds - before.cpu_seconds;
    fmt::print("\nNothing but the heartbeats of {} jobs for {} s: {:.1f} ms of CPU ({:.3f} % of a core)\n\n", workers,
               idle_time.count(), 1000 * cpu, 100 * cpu / static_cast<double>(idle_time.count()));
  }

  void table() { fmt::print("\n| ms | count | p50 | p90 | p99 | most |\n|---|--:|--:|--:|--:|--:|\n"); }

  /// Each job writes a line ten times a second.
  void lines(int rounds) {
    std::vector<double> times;
    const auto take = [&](std::string_view line) {
      const auto at = line.find("\"at ");
      if (at != std::string_view::npos)
        times.push_back(static_cast<double>(nanoseconds() - std::strtoll(line.data() + at + 4, nullptr, 10)) / 1e6);
    };
    const auto before = usage(server_.pid());
    const auto began = Clock::now();
    std::array<std::size_t, workers> offsets{};
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < workers; ++i) {
        const auto data = fmt::format("at {:020}\\n", nanoseconds());
        channels_[i]->say(
            fmt::format(R"({{"event":"log","job":"{}","iteration":0,"stream":"stdout","offset":{},"data":"{}"}})",
                        jobs_[i], offsets[i], data));
        offsets[i] += data.size() - 1;
        drain(Clock::now() + std::chrono::milliseconds(10), take);
      }
    }
    drain(Clock::now() + std::chrono::seconds(1), take);
    hear_acks();
    const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
    const auto wanted = static_cast<std::size_t>(rounds) * watchers_.size();
    if (times.size() != wanted) throw std::runtime_error(fmt::format("{} of {} lines arrived", times.size(), wanted));
    print("a line, from its job to each watcher", times);
    lines_cpu_ = (usage(server_.pid()).cpu_seconds - before.cpu_seconds) / seconds;
  }

  void cancels(int rounds) {
    std::vector<double> times;
    for (int round = 0; round < rounds; ++round) {
      const auto which = static_cast<std::size_t>(round) % workers;
      const auto path = fmt::format("/v0/projects/work-{}/jobs/{}/cancel", which, jobs_[which]);
      const auto began = Clock::now();
      const auto bytes = request("POST", path, admin_.token, "{}");
      Client client(server_.port());
      // The answer comes beside the cancel; whichever is first.
      std::exception_ptr failed;
      client.send(bytes);
      channels_[which]->hear("cancel");
      times.push_back(milliseconds(Clock::now() - began));
      channels_[which]->say(fmt::format(R"({{"event":"canceled","job":"{}"}})", jobs_[which]));
      channels_[which]->hear("ack");
      jobs_[which] = start_job(which);
      drain(Clock::now(), [](std::string_view) {});
    }
    print("a cancel, from the user's request to the runner", times);
  }

  /// As much as a job may print, as fast as it is taken.
  void flood(std::size_t total) {
    constexpr std::size_t part = 64 * 1024, in_flight = 16;
    const std::string text(part - 1, 'x');
    auto& channel = *channels_[0];
    Stream watcher(
        server_.port(),
        fmt::format("GET /v0/projects/work-0/jobs/{}/output/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
                    "Bearer {}\r\n\r\n",
                    jobs_[0], admin_.token));
    const auto before = memory(server_.pid());
    std::uint64_t most = before.rss;
    std::size_t sent = 0, unacked = 0, received = 0;
    const auto began = Clock::now();
    auto look = began;
    const auto receive = [&] {
      while (watcher.fill()) {
        bool more = false;
        watcher.lines([&](std::string_view line) {
          more = true;
          if (line.find("\"log\"") != std::string_view::npos) received += part;
        });
        if (!more) break;
      }
    };
    while (received < total) {
      if (sent < total && unacked < in_flight) {
        channel.say(
            fmt::format(R"({{"event":"log","job":"{}","iteration":0,"stream":"stdout","offset":{},"data":"{}\n"}})",
                        jobs_[0], sent, text));
        sent += part;
        ++unacked;
      }
      channel.fill();
      while (auto frame = channel.frame())
        --unacked;
      receive();
      if (Clock::now() > look) {
        most = std::max(most, memory(server_.pid()).rss);
        look = Clock::now() + std::chrono::milliseconds(20);
      }
      if (Clock::now() - began > std::chrono::minutes(2)) throw std::runtime_error("the output does not come through");
    }
    const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
    fmt::print(
        "\n{} MB of output through a channel to a watcher in {:.1f} s ({:.0f} MB/s): the server's memory {:.1f} MiB "
        "before, {:.1f} MiB at most\n",
        total / 1'000'000, seconds, static_cast<double>(total) / 1e6 / seconds, static_cast<double>(before.rss) / 1024,
        static_cast<double>(most) / 1024);
  }

  void lines_cpu() {
    fmt::print("\nCPU of the server while lines were written: {:.0f} % of a core\n", 100 * lines_cpu_);
  }

 private:
  void report(const std::string& what) {
    const auto m = memory(server_.pid());
    if (what == "nothing connected") fmt::print("\n| | RSS MiB |\n|---|--:|\n");
    fmt::print("| {} | {:.1f} |\n", what, static_cast<double>(m.rss) / 1024);
    std::fflush(stdout);
  }
  std::unique_ptr<Stream> make_runner(const std::string& name, const std::string& spec) {
    const auto made = setup_.json(201, "POST", "/v0/runners", admin_.token, fmt::format(R"({{"name":"{}"}})", name));
    const auto uuid = std::string(made.at("uuid").as_string());
    setup_.call(201, "POST", fmt::format("/v0/runners/{}/specs", uuid), admin_.token,
                fmt::format(R"({{"spec":"{}"}})", spec));
    auto stream = std::make_unique<Stream>(
        server_.port(), upgrade("/v0/runners/" + uuid + "/channel", std::string(made.at("key").as_string())));
    while (!stream->open())
      if (!stream->fill(true)) throw std::runtime_error("no channel");
    return stream;
  }
  std::string start_job(std::size_t which) {
    const auto body = fmt::format(
        R"({{"project":"work-{}","branch":"main","testbed":"lab","start_time":"2024-07-11T06:23:00Z","end_time":"2024-07-11T06:23:00Z","results":[],"settings":{{"adapter":"json"}},"job":{{"image":"work-{}@{}"}}}})",
        which, which, digest);
    setup_.call(201, "POST", "/v0/run", admin_.token, body);
    auto& channel = *channels_[which];
    for (;;) {
      channel.say(R"({"event":"ready","poll_timeout":10})");
      const auto text = channel.hear();
      if (text.find(R"("event":"job")") == std::string::npos) continue;
      channel.say(R"({"event":"running"})");
      channel.hear("ack");
      return std::string(json::parse(text).at("uuid").as_string());
    }
  }
  void beat() {
    for (auto& channel : channels_)
      channel->say(R"({"event":"heartbeat"})");
    hear_acks();
  }
  void hear_acks() {
    for (auto& channel : channels_) {
      channel->fill();
      while (channel->frame()) {
      }
    }
  }
  void settle() {
    drain(Clock::now() + std::chrono::seconds(2), [](std::string_view) {});
  }
  template <class F>
  void drain(Clock::time_point until, F take) {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      const int n = epoll_wait(poll_, events.data(), events.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
      for (int i = 0; i < n; ++i) {
        auto& watcher = *watchers_[events[static_cast<std::size_t>(i)].data.u64];
        if (!watcher.fill()) {
          // A job that was canceled has ended, and its log with it.
          epoll_ctl(poll_, EPOLL_CTL_DEL, watcher.fd(), nullptr);
        }
        watcher.lines(take);
      }
      if (Clock::now() >= until && n <= 0) return;
    }
  }

  Server server_;
  Client setup_;
  Admin admin_;
  std::string spec_, idle_spec_;
  int poll_;
  std::vector<std::unique_ptr<Stream>> idle_, channels_, watchers_;
  std::vector<std::string> jobs_;
  double lines_cpu_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    Bench bench(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000,
                argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000);
    bench.idle();
    bench.table();
    bench.lines(100);
    bench.cancels(300);
    bench.lines_cpu();
    bench.flood(100'000'000);
  } catch (const std::exception& error) {
    fmt::print(stderr, "channel: {}\n", error.what());
    return 1;
  }
  return 0;
}
