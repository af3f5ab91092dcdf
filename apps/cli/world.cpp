#include "apps/cli/world.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <unistd.h>

namespace bencher::cli {
namespace {

// What the signal handler may touch: lock-free atomics, and `HttpClient::cancel`, which allows it.
std::atomic<int> interrupt_count{0};
std::atomic<client::HttpClient*> running_client{nullptr};
int wake_pipe[2] = {-1, -1};

extern "C" void on_interrupt(int) {
  const int saved = errno;
  interrupt_count.fetch_add(1);
  if (auto* client = running_client.load()) client->cancel();
  const char byte = 0;
  [[maybe_unused]] const auto written = ::write(wake_pipe[1], &byte, 1);
  errno = saved;
}

}  // namespace

struct RealWorld::Impl {
  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<client::HttpClient> client;
  int client_interrupts = 0;  ///< how many there were when the client was made
  World world{.out = std::cout,
              .err = std::cerr,
              .clock = clock,
              .random = random,
              .env = env,
              .send = [this](const auto& request, const auto& options) { return send(request, options); },
              .wait = wait,
              .interrupts = [] { return interrupt_count.load(); },
              .catch_interrupts = catch_interrupts,
              .read_input = read_input};

  static std::optional<std::string> env(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    if (!value || *value == '\0') return {};
    return value;
  }

  Result<client::HttpResponse> send(const client::HttpRequest& request, const client::HttpOptions& options) {
    // A client that was cancelled stays so; whoever sends again after an interrupt wants it sent.
    if (!client || client_interrupts != interrupt_count.load()) {
      client_interrupts = interrupt_count.load();
      client = std::make_unique<client::HttpClient>(options);
    }
    running_client.store(client.get());
    auto response = client->send(request);
    running_client.store(nullptr);
    return response;
  }

  static bool wait(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return true;
      pollfd poller{wake_pipe[0], POLLIN, 0};
      const int ready = ::poll(wake_pipe[0] < 0 ? nullptr : &poller, wake_pipe[0] < 0 ? 0 : 1,
                               static_cast<int>(std::min<std::int64_t>(left.count() + 1, 1'000'000)));
      if (ready <= 0) continue;
      char byte = 0;
      if (::read(wake_pipe[0], &byte, 1) == 1) return false;
    }
  }

  static void catch_interrupts() {
    if (wake_pipe[0] >= 0) return;
    if (::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
  }

  static Result<std::optional<std::string>> read_input() {
    if (::isatty(STDIN_FILENO)) return std::optional<std::string>();
    constexpr std::size_t most = 64u << 20;
    std::string text;
    char buffer[65536];
    for (;;) {
      const auto got = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
      if (text.size() > most) return Error(Errc::too_large, "standard input: more than 64 MiB of results");
    }
    return std::optional<std::string>(std::move(text));
  }
};

RealWorld::RealWorld() : impl_(std::make_unique<Impl>()) {
  // A reader that went away is no reason to leave a run half done.
  std::signal(SIGPIPE, SIG_IGN);
  impl_->world.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  impl_->world.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
}

RealWorld::~RealWorld() = default;
World& RealWorld::get() {
  return impl_->world;
}

}  // namespace bencher::cli
