#include "apps/cli/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <ostream>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace bencher::cli {
namespace {

constexpr std::size_t most_output = 64u << 20;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0)
    return Error(Errc::internal, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  return Pipe{Descriptor(fds[0]), Descriptor(fds[1])};
}

/// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const ChildOptions& options, char* const* argv, const Pipe& out, const Pipe& err,
                         const Pipe& failed) {
  const auto fail = [&] {
    const int code = errno;
    [[maybe_unused]] const auto written = ::write(failed.write.get(), &code, sizeof code);
    ::_exit(127);
  };
  // What we ignore or catch is not the child's business.
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  if (options.without_input) {
    const int null = ::open("/dev/null", O_RDONLY);
    if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) fail();
  }
  if (::dup2(out.write.get(), STDOUT_FILENO) < 0 || ::dup2(err.write.get(), STDERR_FILENO) < 0) fail();
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) fail();
  ::execvp(argv[0], argv);
  fail();
  ::_exit(127);
}

}  // namespace

std::string Child::how_it_ended() const {
  if (exit_code) return fmt::format("exit code {}", *exit_code);
  return fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
}

Result<Child> run_child(const ChildOptions& options) {
  if (options.argv.empty() || options.argv.front().empty())
    return Error(Errc::invalid_argument, "the command is empty");
  std::vector<char*> argv;
  for (const auto& word : options.argv)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  BENCHER_TRY(auto out, make_pipe());
  BENCHER_TRY(auto err, make_pipe());
  BENCHER_TRY(auto failed, make_pipe());

  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid < 0) return Error(Errc::internal, fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (pid == 0) become(options, argv.data(), out, err, failed);
  out.write.close();
  err.write.close();
  failed.write.close();

  int code = 0;
  ssize_t got = 0;
  while ((got = ::read(failed.read.get(), &code, sizeof code)) < 0 && errno == EINTR) {
  }
  if (got == sizeof code) {
    ::waitpid(pid, nullptr, 0);
    return Error(code == ENOENT ? Errc::not_found : Errc::invalid_argument,
                 fmt::format("cannot run '{}': {}", options.argv.front(), std::strerror(code)));
  }

  Child child;
  bool too_large = false;
  // Tells when the child itself has ended, though something that it left behind may hold its pipes open.
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  struct Stream {
    Descriptor& fd;
    std::string& text;
    std::ostream* echo;
  };
  std::array streams{Stream{out.read, child.out, options.quiet ? nullptr : options.echo_out},
                     Stream{err.read, child.err, options.quiet ? nullptr : options.echo_err}};
  std::array<char, 65536> buffer;
  bool ended = false;
  int rounds_after_end = 0;
  while (streams[0].fd.get() >= 0 || streams[1].fd.get() >= 0) {
    std::array<pollfd, 3> poller{pollfd{streams[0].fd.get(), POLLIN, 0}, pollfd{streams[1].fd.get(), POLLIN, 0},
                                 pollfd{ended ? -1 : process.get(), POLLIN, 0}};
    const int ready = ::poll(poller.data(), poller.size(), ended ? 0 : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    if (poller[2].revents != 0) ended = true;
    // What is in the pipes is the child's; what goes on filling them is not.
    if (ended && ++rounds_after_end > 256) break;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (poller[i].revents == 0) continue;
      auto& stream = streams[i];
      const auto size = ::read(stream.fd.get(), buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) {
        stream.fd.close();
        continue;
      }
      const std::string_view part(buffer.data(), static_cast<std::size_t>(size));
      if (stream.echo) {
        *stream.echo << part;
        stream.echo->flush();
      }
      if (child.out.size() + child.err.size() + part.size() > most_output)
        too_large = true;
      else
        stream.text += part;
    }
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.duration = std::chrono::steady_clock::now() - start;
  if (WIFEXITED(status))
    child.exit_code = WEXITSTATUS(status);
  else if (WIFSIGNALED(status))
    child.signal = WTERMSIG(status);
  if (too_large)
    return Error(Errc::too_large,
                 fmt::format("'{}' wrote more than {} MiB of output", options.argv.front(), most_output >> 20));
  return child;
}

}  // namespace bencher::cli
