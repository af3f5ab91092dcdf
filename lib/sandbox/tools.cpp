#include "lib/sandbox/tools.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <span>
#include <spawn.h>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bencher::sandbox {

using files::Fd;

namespace {

constexpr std::size_t most_said = 4096;

// Keeps the beginning of one stream for `ask`, else the end of both.
Result<std::string> run(const std::vector<std::string>& command, bool ask, const std::function<bool()>& cancelled) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return files::system_error("cannot make a pipe");
  const Fd reader(fds[0]);
  Fd writer(fds[1]);
  auto argv = pointers(command);
  std::vector<std::string> variables{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  auto env = pointers(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), 1);
  if (ask)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  else
    posix_spawn_file_actions_adddup2(&actions, writer.get(), 2);
  pid_t pid = 0;
  const int spawned = posix_spawn(&pid, command[0].c_str(), &actions, nullptr, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&actions);
  writer.reset();
  if (spawned != 0) {
    errno = spawned;
    return files::system_error("cannot start " + command[0]);
  }
  std::string said;
  bool killed = false;
  for (;;) {
    pollfd wait{reader.get(), POLLIN, 0};
    poll(&wait, 1, cancelled ? 50 : -1);
    if (!killed && cancelled && cancelled()) {
      killed = true;
      kill(pid, SIGKILL);
    }
    if (!wait.revents) continue;
    char buffer[4096];
    const auto got = read(reader.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    said.append(buffer, static_cast<std::size_t>(got));
    if (said.size() > most_said) {
      if (ask)
        said.resize(most_said);
      else
        said.erase(0, said.size() - most_said);
    }
  }
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (killed) return Error(Errc::cancelled, "cancelled");
  if (status != 0) {
    while (!said.empty() && said.back() == '\n')
      said.pop_back();
    for (char& c : said)
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return Error(Errc::unavailable, command[0] + " failed: " + (said.empty() ? "it said nothing" : said));
  }
  return said;
}

}  // namespace

std::string find_tool(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream in(std::string(path ? path : "") +
                        ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string dir; std::getline(in, dir, ':');) {
    const std::string candidate = dir + "/" + name;
    if (!dir.empty() && dir[0] == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

Result<void> run_tool(const std::vector<std::string>& command, const std::function<bool()>& cancelled) {
  BENCHER_TRY(const auto said, run(command, false, cancelled));
  (void)said;
  return {};
}

Result<std::string> ask_tool(const std::vector<std::string>& command) {
  return run(command, true, {});
}

Result<Fd> make_ext4(const std::filesystem::path& file, std::uint64_t size) {
  const std::string tool = find_tool("mke2fs");
  if (tool.empty()) return Error(Errc::unavailable, "mke2fs is not installed (package e2fsprogs)");
  Fd fd(open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return files::system_error("cannot make a file for the disk");
  BENCHER_DO(run_tool({tool, "-q", "-F", "-t", "ext4", "-m", "0", "-O", "^has_journal", "-E",
                       "nodiscard,lazy_itable_init=1,root_owner=0:0", file.string()}));
  return fd;
}

void close_all_but(const int* kept, std::size_t count) {
  const auto close_range_ = [](unsigned from, unsigned to) {
    if (syscall(SYS_close_range, from, to, 0) == 0) return;
    const long most = std::min<long>(sysconf(_SC_OPEN_MAX), 65536);
    for (unsigned fd = from; fd <= to && fd < static_cast<unsigned long>(most); ++fd)
      close(static_cast<int>(fd));
  };
  unsigned from = 0;
  for (const int fd : std::span(kept, count)) {
    const auto until = static_cast<unsigned>(fd);
    if (until > from) close_range_(from, until - 1);
    from = until + 1;
  }
  close_range_(from, ~0u);
}

void pin(int thread, const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(cpu), &set);
  sched_setaffinity(thread, sizeof set, &set);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const auto& text : strings)
    out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace bencher::sandbox
