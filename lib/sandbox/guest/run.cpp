#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox/guest/init.hpp"

namespace bencher::sandbox::guest {

namespace {

// One stream, from the program's pipe to its port. While the port takes nothing the pipe is not read, which holds the
// program up.
struct Stream {
  int pipe = -1, port = -1;
  std::uint64_t written = 0, sent = 0, most = 0;
  std::size_t begin = 0, end = 0;
  char buffer[64 * 1024];

  bool empty() const { return begin == end; }
  bool done() const { return pipe < 0 && empty(); }

  void fill() {
    const auto got = read(pipe, buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      close(pipe);
      pipe = -1;
      return;
    }
    written += static_cast<std::uint64_t>(got);
    begin = 0;
    end = static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(got), most - sent));
  }
  void drain() {
    const auto wrote = write(port, buffer + begin, end - begin);
    if (wrote <= 0) return;
    begin += static_cast<std::size_t>(wrote);
    sent += static_cast<std::uint64_t>(wrote);
  }
};

Stream streams[2];

// What a container's root has, too; without those that reach the machine's devices, modules, clock and mounts.
bool capability_kept(int number) {
  switch (number) {
    case CAP_CHOWN:
    case CAP_DAC_OVERRIDE:
    case CAP_FOWNER:
    case CAP_FSETID:
    case CAP_KILL:
    case CAP_SETGID:
    case CAP_SETUID:
    case CAP_SETPCAP:
    case CAP_NET_BIND_SERVICE:
    case CAP_IPC_LOCK:
    case CAP_SYS_NICE:
    case CAP_SETFCAP: return true;
    default: return false;
  }
}

[[noreturn]] void become(const Job& job, const Group& group, int out, int err) {
  const auto give_up = [](int code, const char* text, const char* what) {
    std::fprintf(stderr, "bencher: %s '%.200s': %s\n", text, what, std::strerror(errno));
    _exit(code);
  };
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out, 1);
  dup2(err, 2);
  // All that is above ends with the exec; the ports and pipes are so by O_CLOEXEC.
  if (null > 2) close(null);
  if (write(group.procs, "0", 1) != 1) give_up(125, "cannot enter", "the control group");
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  umask(022);
  if (chdir(job.folder) != 0) give_up(1, "cannot enter the working folder", job.folder);
  const rlimit no_core{0, 0}, files{65536, 65536};
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_NOFILE, &files);
  for (int number = 0; number < 64; ++number)
    if (!capability_kept(number)) prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
  if (setgroups(job.group_count, job.groups) != 0 || setresgid(job.gid, job.gid, job.gid) != 0 ||
      setresuid(job.uid, job.uid, job.uid) != 0)
    give_up(125, "cannot become", "the image's user");
  // As in a container: the image's setuid programs make nobody root.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  environ = job.env;
  execvp(job.arguments[0], job.arguments);
  give_up(errno == ENOENT || errno == ENOTDIR ? 127 : 126, "cannot start", job.arguments[0]);
  _exit(126);
}

std::uint64_t oom_kills(int events) {
  char text[512];
  const auto got = pread(events, text, sizeof text - 1, 0);
  if (got <= 0) return 0;
  text[got] = '\0';
  const char* at = std::strstr(text, "oom_kill ");
  return at ? std::strtoull(at + 9, nullptr, 10) : 0;
}

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

// Only regular files, found from the program's root: a link leads nowhere else.
void send_files(const Job& job) {
  const int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  std::uint64_t left = job.limits.files + 1;
  for (std::size_t i = 0; i < job.file_count && left > 0; ++i) {
    char path[8300];
    std::snprintf(path, sizeof path, "%s/%s", job.files[i][0] == '/' ? "" : job.folder, job.files[i]);
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const int fd = static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how));
    if (fd < 0) continue;
    struct stat info {};
    struct statfs system {};
    // What the kernel shows as files is no output of the program.
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && fstatfs(fd, &system) == 0 &&
        system.f_type != PROC_SUPER_MAGIC && system.f_type != SYSFS_MAGIC) {
      const auto index = static_cast<std::uint32_t>(i);
      send(Report::file, &index, sizeof index);
      auto& buffer = streams[0].buffer;
      while (left > 0) {
        const auto got = read(fd, buffer, static_cast<std::size_t>(std::min<std::uint64_t>(sizeof buffer, left)));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        send(Report::data, buffer, static_cast<std::size_t>(got));
        left -= static_cast<std::uint64_t>(got);
      }
    }
    close(fd);
  }
}

}  // namespace

void run(const Job& job, const Group& group) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) fail("pipe");
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, nullptr);
  const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("signalfd");

  const auto start = now_us();
  const pid_t program = fork();
  if (program < 0) fail("fork");
  if (program == 0) become(job, group, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  send(Report::started, nullptr, 0);
  streams[0].pipe = out[0];
  streams[1].pipe = err[0];
  streams[0].port = out_channel();
  streams[1].port = err_channel();
  for (auto& stream : streams) {
    stream.most = job.limits.output + 1;
    fcntl(stream.pipe, F_SETFL, O_NONBLOCK);
  }

  bool ended = false;
  std::uint64_t give_up_at = 0;
  while (!ended || !streams[0].done() || !streams[1].done()) {
    pollfd fds[4] = {{signals, POLLIN, 0}, {control(), POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}};
    for (int i = 0; i < 2; ++i) {
      if (!streams[i].empty())
        fds[2 + i] = {streams[i].port, POLLOUT, 0};
      else if (streams[i].pipe >= 0)
        fds[2 + i] = {streams[i].pipe, POLLIN, 0};
    }
    poll(fds, 4, ended ? 100 : -1);
    signalfd_siginfo drained;
    while (read(signals, &drained, sizeof drained) > 0) {
    }
    Order order;
    char* payload = nullptr;
    std::size_t size = 0;
    while (next_order(order, payload, size)) {
      if (order == Order::terminate && !ended) kill(-program, SIGTERM);
      if (order == Order::kill && write(group.kill, "1", 1) != 1) kill(-program, SIGKILL);
    }
    for (;;) {
      int status = 0;
      rusage usage{};
      const pid_t pid = wait4(-1, &status, WNOHANG, &usage);
      if (pid <= 0) break;
      if (pid != program) continue;
      ended = true;
      give_up_at = now_us() + 5'000'000;
      const Ended end{.status = static_cast<std::uint64_t>(static_cast<unsigned>(status)),
                      .wall_us = now_us() - start,
                      .user_us = microseconds(usage.ru_utime),
                      .system_us = microseconds(usage.ru_stime),
                      .max_rss = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024,
                      .oom_kills = oom_kills(group.events)};
      send(Report::ended, &end, sizeof end);
      // Whatever it left running goes with it.
      if (write(group.kill, "1", 1) != 1) log("what the program left running could not be killed");
    }
    for (int i = 0; i < 2; ++i) {
      if (!fds[2 + i].revents) continue;
      if (!streams[i].empty())
        streams[i].drain();
      else if (streams[i].pipe >= 0)
        streams[i].fill();
    }
    if (ended && now_us() > give_up_at) {
      for (auto& stream : streams) {
        if (stream.pipe >= 0) close(stream.pipe);
        stream.pipe = -1;
      }
    }
  }
  send_files(job);
  const Finished finished{.out_written = streams[0].written,
                          .out_sent = streams[0].sent,
                          .err_written = streams[1].written,
                          .err_sent = streams[1].sent};
  send(Report::finished, &finished, sizeof finished);
}

}  // namespace bencher::sandbox::guest
