// A program that a test has started, and what it says.
#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace bencher::test {

/// A child process, with the lines of its standard output and error. Its environment is ours without what begins with
/// BENCHER_ and without proxies, then `env`. Killed and waited for at the end.
class ChildProcess {
 public:
  using Env = std::map<std::string, std::string>;
  static constexpr std::chrono::seconds patience{15};

  explicit ChildProcess(std::vector<std::string> command, const Env& env = {}) {
    int out[2], err[2];
    if (exited_ < 0) throw std::runtime_error("cannot make an eventfd");
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    std::vector<std::string> variables;
    for (char** at = environ; *at; ++at) {
      const std::string_view text = *at;
      const auto name = text.substr(0, text.find('='));
      if (name == "CI" || name.starts_with("BENCHER_") || name.ends_with("_proxy") || name.ends_with("_PROXY") ||
          env.contains(std::string(name)))
        continue;
      variables.emplace_back(text);
    }
    for (const auto& [name, value] : env)
      variables.push_back(name + "=" + value);
    std::vector<char*> argv, envp;
    for (auto& part : command)
      argv.push_back(part.data());
    for (auto& part : variables)
      envp.push_back(part.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    const int failed = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    if (failed) {
      close(out[0]);
      close(err[0]);
      throw std::runtime_error("cannot start " + command[0] + ": " + std::strerror(failed));
    }
    reader_ = std::thread([this, a = out[0], b = err[0]] { read(a, b); });
  }
  ~ChildProcess() {
    if (!status_) {
      ::kill(pid_, SIGKILL);
      int status = 0;
      waitpid(pid_, &status, 0);
    }
    reader_.join();
    close(exited_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const {
    if (!status_) ::kill(pid_, number);
  }
  /// The exit code, or 128 and the number of the signal that ended it. All that it said is in `text` then.
  int wait() {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!status_) {
      // The pipes close when it ends; a grandchild may still hold them, so the state is asked for, too.
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        take_the_rest();
        break;
      }
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the program does not end: " + text());
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(10));
    }
    return *status_;
  }

  /// Waits for a line of either stream, after the first `skip` lines, that `wanted` takes.
  std::string line(const std::function<bool(const std::string&)>& wanted, std::size_t skip = 0) {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + patience;
    for (std::size_t at = skip;;) {
      for (; at < lines_.size(); ++at)
        if (wanted(lines_[at])) return lines_[at];
      if (ended_) throw std::runtime_error("the program ended without the line that was waited for:\n" + joined());
      if (changed_.wait_until(lock, until) == std::cv_status::timeout)
        throw std::runtime_error("the line that was waited for did not come:\n" + joined());
    }
  }
  std::string line(const std::string& part, std::size_t skip = 0) {
    return line([&](const std::string& text) { return text.find(part) != std::string::npos; }, skip);
  }
  std::size_t line_count() {
    std::lock_guard lock(mutex_);
    return lines_.size();
  }
  std::string text() {
    std::lock_guard lock(mutex_);
    return joined();
  }

 private:
  /// What the process has written before its end is in the pipes, and may still be there. They need not be at their
  /// end: a grandchild may hold them.
  void take_the_rest() {
    eventfd_write(exited_, 1);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return drained_ || ended_; });
  }
  std::string joined() const {
    std::string out;
    for (const auto& line : lines_)
      out += line + "\n";
    return out;
  }
  void read(int a, int b) {
    pollfd fds[3] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {exited_, POLLIN, 0}};
    std::string rest[2];
    bool after_exit = false;
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
      if (poll(fds, 3, after_exit ? 0 : -1) == 0) {
        after_exit = false;
        std::lock_guard lock(mutex_);
        drained_ = true;
        changed_.notify_all();
        continue;
      }
      if (fds[2].fd >= 0 && fds[2].revents) {
        fds[2].fd = -1;
        after_exit = true;
      }
      for (int i = 0; i < 2; ++i) {
        if (fds[i].fd < 0 || !fds[i].revents) continue;
        char buffer[16384];
        const auto count = ::read(fds[i].fd, buffer, sizeof buffer);
        std::lock_guard lock(mutex_);
        if (count > 0) rest[i].append(buffer, static_cast<std::size_t>(count));
        for (auto end = rest[i].find('\n'); end != std::string::npos; end = rest[i].find('\n')) {
          lines_.push_back(rest[i].substr(0, end));
          rest[i].erase(0, end + 1);
        }
        if (count <= 0) {
          if (!rest[i].empty()) lines_.push_back(rest[i]);
          ::close(fds[i].fd);
          fds[i].fd = -1;
        }
        changed_.notify_all();
      }
    }
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  pid_t pid_ = -1;
  std::optional<int> status_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  bool drained_ = false;  ///< the process has ended, and its pipes are empty
  bool ended_ = false;    ///< its pipes are closed
  int exited_ = eventfd(0, EFD_CLOEXEC);
  std::thread reader_;
};

}  // namespace bencher::test
