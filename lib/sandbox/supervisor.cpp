#include "lib/sandbox/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox/output.hpp"
#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

using files::Fd;
using SteadyClock = std::chrono::steady_clock;

CancelFlag::CancelFlag() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void CancelFlag::set() noexcept {
  flag_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto wrote = write(fd_.get(), &one, sizeof one);
}

namespace {

// From the supervisor, each in one write: they are shorter than a pipe's atomic size.
struct Report {
  enum class Kind : std::uint32_t { failed, started, exited, empty } kind = Kind::failed;
  std::int32_t value = 0;  // errno, pid or wait status
  std::int64_t wall_us = 0, user_us = 0, system_us = 0, max_rss = 0;
  char step[24] = {};
};

struct ExecFailure {
  int code = 0;
  char step[24] = {};
};

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now().time_since_epoch()).count();
}

std::int64_t microseconds(const timeval& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_usec;
}

// Everything below runs in the forked processes. The parent may have threads, so nothing here waits for a lock of
// theirs; what could fail is prepared before.
class Child {
 public:
  Child(const Launch& launch, std::vector<char*> arguments, std::vector<char*> env, std::vector<int> entrances,
        std::vector<int> kept, std::vector<gid_t> groups, std::string overlay, std::string disk_options,
        std::string tmp_options, int out, int err, int null, int report, int commands)
      : launch_(launch),
        arguments_(std::move(arguments)),
        env_(std::move(env)),
        entrances_(std::move(entrances)),
        kept_(std::move(kept)),
        groups_(std::move(groups)),
        overlay_(std::move(overlay)),
        disk_options_(std::move(disk_options)),
        tmp_options_(std::move(tmp_options)),
        out_(out),
        err_(err),
        null_(null),
        report_(report),
        commands_(commands) {}

  [[noreturn]] void run() {
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "bencher-sandbox");
    close_all_but(kept_.data(), kept_.size());
    dup2(null_, 0);
    dup2(null_, 1);
    dup2(null_, 2);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGQUIT})
      signal(number, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, nullptr);
    const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fail("signalfd", errno);
    if (launch_.mounts.wanted) mounts();

    int status_pipe[2];
    if (pipe2(status_pipe, O_CLOEXEC) != 0) fail("pipe", errno);
    const std::int64_t start = now_us();
    pid_ = fork();
    if (pid_ < 0) fail("fork", errno);
    if (pid_ == 0) {
      close(status_pipe[0]);
      become(status_pipe[1]);
    }
    close(status_pipe[1]);
    close(out_);
    close(err_);
    ExecFailure failure;
    if (read(status_pipe[0], &failure, sizeof failure) == static_cast<ssize_t>(sizeof failure)) {
      waitpid(pid_, nullptr, 0);
      fail(failure.step, failure.code);
    }
    close(status_pipe[0]);
    Report started{.kind = Report::Kind::started, .value = pid_};
    send(started);
    loop(signals, start);
  }

 private:
  void send(const Report& report) { [[maybe_unused]] const auto wrote = write(report_, &report, sizeof report); }

  [[noreturn]] void fail(const char* step, int code) {
    Report report{.kind = Report::Kind::failed, .value = code};
    std::strncpy(report.step, step, sizeof report.step - 1);
    send(report);
    _exit(1);
  }

  // A folder in the merged view to mount on, never a link that leads elsewhere.
  static bool real_folder(const char* name, mode_t mode) {
    struct stat info {};
    if (lstat(name, &info) == 0) {
      if (S_ISDIR(info.st_mode)) return true;
      if (unlink(name) != 0) return false;
    }
    return mkdir(name, mode) == 0 && chmod(name, mode) == 0;
  }

  void mounts() {
    const auto& m = launch_.mounts;
    if (unshare(CLONE_NEWNS) != 0) fail("namespace", errno);
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("namespace", errno);
    if (chdir(m.folder.c_str()) != 0) fail("folder", errno);
    if (!m.lower.empty()) {
      if (mount(m.lower.c_str(), "lower", nullptr, MS_BIND, nullptr) != 0) fail("image", errno);
      if (m.disk.empty()) {
        if (mount("tmpfs", "disk", "tmpfs", MS_NOSUID | MS_NODEV, disk_options_.c_str()) != 0) fail("disk", errno);
      } else if (mount(m.disk.c_str(), "disk", "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, nullptr) != 0) {
        fail("disk", errno);
      }
      struct stat info {};
      if (stat("lower", &info) != 0) fail("image", errno);
      if (mkdir("disk/upper", 0755) != 0 || mkdir("disk/work", 0755) != 0 ||
          chown("disk/upper", info.st_uid, info.st_gid) != 0 || chmod("disk/upper", info.st_mode & 07777) != 0)
        fail("disk", errno);
      if (mount("overlay", "merged", "overlay", MS_NODEV, overlay_.c_str()) != 0) fail("overlay", errno);
    }
    if (chdir("merged") != 0) fail("folder", errno);
    if (!real_folder("proc", 0555) || !real_folder("dev", 0755) || !real_folder("tmp", 01777) ||
        !real_folder("run", 0755))
      fail("image folders", errno);
    if (mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, tmp_options_.c_str()) != 0 || chmod("tmp", 01777) != 0)
      fail("tmp", errno);
    if (mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, tmp_options_.c_str()) != 0 || chmod("run", 0755) != 0)
      fail("run", errno);
    // Mounted on the current folder itself would not show: by its path.
    if (chdir("..") != 0) fail("folder", errno);
    if (!m.target.empty() && mount("merged", m.target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
      fail("target", errno);
    if (chdir("/") != 0) fail("folder", errno);
  }

  [[noreturn]] void give_up(int status, const char* step) {
    ExecFailure failure{.code = errno};
    std::strncpy(failure.step, step, sizeof failure.step - 1);
    [[maybe_unused]] const auto wrote = write(status, &failure, sizeof failure);
    _exit(127);
  }

  [[noreturn]] void become(int status) {
    setsid();
    for (const int entrance : entrances_)
      if (write(entrance, "0", 1) != 1) give_up(status, "control group");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < NSIG; ++number)
      signal(number, SIG_DFL);
    // Where the control group does not hold it there; then it is a request, that the program can take back.
    pin(0, launch_.cpus);
    if (dup2(out_, 1) < 0 || dup2(err_, 2) < 0) give_up(status, "output");
    if (launch_.working_dir >= 0) {
      if (fchdir(launch_.working_dir) != 0) give_up(status, "working folder");
    } else if (chdir("/") != 0) {
      give_up(status, "working folder");
    }
    for (const auto& limit : launch_.limits) {
      // Not above what we have ourselves, which only root could.
      rlimit now{};
      getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &now);
      const rlim_t value = now.rlim_max == RLIM_INFINITY ? limit.value : std::min<rlim_t>(limit.value, now.rlim_max);
      const rlimit wanted{value, value};
      if (setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &wanted) != 0) give_up(status, "limits");
    }
    // What the program gets and what ends with the exec.
    for (const int fd : kept_)
      if (fd > 2) fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (const int fd : launch_.inherited)
      fcntl(fd, F_SETFD, 0);
    umask(022);
    if (launch_.drop_user) {
      if (setgroups(groups_.size(), groups_.data()) != 0 ||
          setresgid(launch_.user.gid, launch_.user.gid, launch_.user.gid) != 0 ||
          setresuid(launch_.user.uid, launch_.user.uid, launch_.user.uid) != 0)
        give_up(status, "user");
    }
    execve(launch_.program.c_str(), arguments_.data(), env_.data());
    give_up(status, "exec");
  }

  // Adopted processes are our children, too: by what /proc says of each one's parent.
  void kill_children() {
    const int self = getpid();
    DIR* dir = opendir("/proc");
    if (!dir) {
      kill(-pid_, SIGKILL);
      return;
    }
    while (const dirent* entry = readdir(dir)) {
      const int pid = std::atoi(entry->d_name);
      if (pid <= 0) continue;
      char path[64];
      char* end = path;
      for (const char* c = "/proc/"; *c; ++c)
        *end++ = *c;
      for (const char* c = entry->d_name; *c && end < path + 40; ++c)
        *end++ = *c;
      for (const char* c = "/stat"; *c; ++c)
        *end++ = *c;
      *end = '\0';
      const int fd = open(path, O_RDONLY | O_CLOEXEC);
      if (fd < 0) continue;
      char text[512];
      const auto size = read(fd, text, sizeof text - 1);
      close(fd);
      if (size <= 0) continue;
      text[size] = '\0';
      // `pid (name) state parent`; the name may hold anything.
      const char* after = std::strrchr(text, ')');
      if (after && after[1] && after[2] && after[3] && std::atoi(after + 3) == self) kill(pid, SIGKILL);
    }
    closedir(dir);
  }

  void reap(std::int64_t start) {
    for (;;) {
      int status = 0;
      rusage usage{};
      const pid_t pid = wait4(-1, &status, WNOHANG, &usage);
      if (pid < 0 && errno == EINTR) continue;
      if (pid < 0 && errno == ECHILD) childless_ = true;
      if (pid <= 0) return;
      if (pid != pid_) continue;
      exited_ = true;
      Report report{.kind = Report::Kind::exited,
                    .value = status,
                    .wall_us = now_us() - start,
                    .user_us = microseconds(usage.ru_utime),
                    .system_us = microseconds(usage.ru_stime),
                    .max_rss = static_cast<std::int64_t>(usage.ru_maxrss) * 1024};
      send(report);
    }
  }

  [[noreturn]] void loop(int signals, std::int64_t start) {
    bool killing = false, told = false;
    for (;;) {
      pollfd fds[2] = {{signals, POLLIN, 0}, {commands_, POLLIN, 0}};
      poll(fds, 2, killing && !told ? 10 : -1);
      signalfd_siginfo drained;
      while (read(signals, &drained, sizeof drained) > 0) {
      }
      if (fds[1].revents) {
        char command = 0;
        if (read(commands_, &command, 1) <= 0) {
          // Done, or the runner is no more.
          for (int i = 0; i < 500 && !childless_; ++i) {
            kill_children();
            poll(nullptr, 0, i == 0 ? 0 : 10);
            reap(start);
          }
          _exit(0);
        }
        if (command == 't' && !exited_) kill(-pid_, SIGTERM);
        if (command == 'k') killing = true;
      }
      reap(start);
      if (killing && !childless_) {
        if (!exited_) kill(-pid_, SIGKILL);
        kill_children();
        reap(start);
      }
      if (killing && childless_ && !told) {
        told = true;
        Report report{.kind = Report::Kind::empty};
        send(report);
      }
    }
  }

  const Launch& launch_;
  std::vector<char*> arguments_, env_;
  std::vector<int> entrances_, kept_;
  std::vector<gid_t> groups_;
  std::string overlay_, disk_options_, tmp_options_;
  int out_, err_, null_, report_, commands_;
  pid_t pid_ = 0;
  bool exited_ = false;
  bool childless_ = false;
};

// From here on: the runner's side.

struct Pipe {
  Fd read, write;
  static Result<Pipe> make() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return files::system_error("cannot make a pipe");
    return Pipe{Fd(fds[0]), Fd(fds[1])};
  }
};

class Run {
 public:
  Run(int pid, Fd reports, Fd commands, Fd out, Fd err, const Supervision& s)
      : s_(s),
        pid_(pid),
        reports_(std::move(reports)),
        commands_(std::move(commands)),
        out_(std::move(out), Stream::stdout_, s.request.max_output, s.events),
        err_(std::move(err), Stream::stderr_, s.request.max_output, s.events) {}

  ~Run() {
    // However we leave: nobody stays. The supervisor kills and ends when its commands end.
    commands_.reset();
    if (s_.cgroup) s_.cgroup->kill_all();
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  Result<Outcome> run(StartFailure& failure) {
    // Mounting and starting take milliseconds; a machine that cannot in a minute will not.
    deadline_ = SteadyClock::now() + std::chrono::minutes(1);
    while (!ended()) {
      wait();
      if (failed_) {
        failure = {.step = failed_->step, .code = failed_->value};
        return Error(Errc::unavailable,
                     "the sandbox cannot be set up (" + failure.step + "): " + std::strerror(failure.code));
      }
      act();
    }
    if (!exited_) {
      if (outcome_.cancelled) return Error(Errc::cancelled, "cancelled before the program started");
      if (program_ != 0) return Error(Errc::unavailable, "the sandbox was killed from outside");
      return Error(Errc::unavailable, "the sandbox did not start in time");
    }
    outcome_.stdout_bytes = out_.bytes();
    outcome_.stderr_bytes = err_.bytes();
    outcome_.stdout_cut_bytes = out_.cut();
    outcome_.stderr_cut_bytes = err_.cut();
    if (s_.cgroup) outcome_.oom_kills = s_.cgroup->oom_kills();
    if (!s_.request.file_paths.empty() && !outcome_.cancelled) {
      const Fd root = s_.open_root(pid_);
      if (!root) return files::system_error("cannot open the image's root to collect files");
      BENCHER_TRY(outcome_.files, collect_files(root.get(), s_.request));
    }
    return std::move(outcome_);
  }

 private:
  enum class Phase { starting, running, terminating, killing };

  bool ended() const { return empty_ ? !out_.open() && !err_.open() : lost_; }

  void wait() {
    std::vector<pollfd> fds{{reports_.get(), POLLIN, 0}};
    if (!outcome_.cancelled && !exited_) fds.push_back({s_.cancel.fd(), POLLIN, 0});
    const std::size_t outputs = fds.size();
    if (out_.open()) fds.push_back({out_.fd(), POLLIN, 0});
    if (err_.open()) fds.push_back({err_.fd(), POLLIN, 0});
    int timeout = -1;
    if (deadline_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - SteadyClock::now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    if (poll(fds.data(), fds.size(), timeout) < 0) return;
    for (std::size_t i = outputs; i < fds.size(); ++i) {
      if (!fds[i].revents) continue;
      auto& output = out_.open() && fds[i].fd == out_.fd() ? out_ : err_;
      output.pump();
    }
    if (fds[0].revents) take_report();
  }

  void take_report() {
    Report report;
    const auto got = read(reports_.get(), &report, sizeof report);
    if (got != static_cast<ssize_t>(sizeof report)) {
      if (got < 0 && errno == EINTR) return;
      lost_ = true;  // the supervisor itself was killed
      empty_ = empty_ || exited_;
      return;
    }
    switch (report.kind) {
      case Report::Kind::failed: failed_ = report; break;
      case Report::Kind::started:
        program_ = report.value;
        phase_ = Phase::running;
        deadline_.reset();
        if (s_.request.timeout.count() > 0) deadline_ = SteadyClock::now() + s_.request.timeout;
        s_.events.started();
        break;
      case Report::Kind::exited:
        exited_ = true;
        if (WIFSIGNALED(report.value)) {
          outcome_.signal = WTERMSIG(report.value);
          outcome_.exit_code = 128 + outcome_.signal;
        } else {
          outcome_.exit_code = WEXITSTATUS(report.value);
        }
        outcome_.wall = std::chrono::microseconds(report.wall_us);
        outcome_.user = std::chrono::microseconds(report.user_us);
        outcome_.system = std::chrono::microseconds(report.system_us);
        outcome_.max_rss = static_cast<std::uint64_t>(report.max_rss);
        kill_rest();
        break;
      case Report::Kind::empty:
        empty_ = true;
        // Everyone is gone, so the pipes end by themselves; but not if somebody hid from us.
        deadline_ = SteadyClock::now() + std::chrono::seconds(2);
        break;
    }
  }

  void command(char letter) { [[maybe_unused]] const auto wrote = write(commands_.get(), &letter, 1); }

  void kill_rest() {
    phase_ = Phase::killing;
    // The supervisor gives up on nobody; we do after that time.
    deadline_ = SteadyClock::now() + std::chrono::seconds(10);
    if (s_.cgroup) s_.cgroup->kill_all();
    command('k');
  }

  void terminate() {
    if (phase_ == Phase::starting) {
      kill_rest();
      return;
    }
    phase_ = Phase::terminating;
    deadline_ = SteadyClock::now() + s_.request.grace;
    if (s_.terminate_by_cgroup && s_.cgroup)
      s_.cgroup->signal_all(SIGTERM, program_);
    else
      command('t');
  }

  void act() {
    if (s_.cancel.is_set() && !outcome_.cancelled && !exited_) {
      outcome_.cancelled = true;
      terminate();
    }
    if (!deadline_ || SteadyClock::now() < *deadline_) return;
    switch (phase_) {
      case Phase::starting: kill_rest(); break;
      case Phase::running:
        outcome_.timed_out = true;
        terminate();
        break;
      case Phase::terminating: kill_rest(); break;
      case Phase::killing:
        out_.stop();
        err_.stop();
        if (!empty_) lost_ = true;
        deadline_.reset();
        break;
    }
  }

  const Supervision& s_;
  int pid_;
  Fd reports_, commands_;
  Output out_, err_;
  Phase phase_ = Phase::starting;
  std::optional<SteadyClock::time_point> deadline_;
  std::optional<Report> failed_;
  Outcome outcome_;
  int program_ = 0;
  bool exited_ = false, empty_ = false, lost_ = false;
};

}  // namespace

Result<Outcome> supervise(const Launch& launch, const Supervision& s, StartFailure& failure) {
  if (s.cancel.is_set()) return Error(Errc::cancelled, "cancelled before the program started");
  BENCHER_TRY(auto out, Pipe::make());
  BENCHER_TRY(auto err, Pipe::make());
  BENCHER_TRY(auto reports, Pipe::make());
  BENCHER_TRY(auto commands, Pipe::make());
  Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return files::system_error("cannot open /dev/null");

  std::vector<int> entrances;
  if (s.cgroup) entrances = s.cgroup->entrances();
  std::vector<int> kept = launch.inherited;
  for (const int fd : {out.write.get(), err.write.get(), reports.write.get(), commands.read.get(), null.get()})
    kept.push_back(fd);
  kept.insert(kept.end(), entrances.begin(), entrances.end());
  if (launch.working_dir >= 0) kept.push_back(launch.working_dir);
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  std::vector<gid_t> groups = launch.user.groups;
  if (groups.empty()) groups.push_back(launch.user.gid);
  const auto& m = launch.mounts;
  Child child(launch, pointers(launch.arguments), pointers(launch.env), std::move(entrances), std::move(kept),
              std::move(groups), "lowerdir=lower,upperdir=disk/upper,workdir=disk/work",
              "mode=0755,size=" + std::to_string(m.disk_size), "mode=0755,size=" + std::to_string(m.memory),
              out.write.get(), err.write.get(), null.get(), reports.write.get(), commands.read.get());

  const pid_t pid = fork();
  if (pid < 0) return files::system_error("cannot start a process");
  if (pid == 0) child.run();
  out.write.reset();
  err.write.reset();
  reports.write.reset();
  commands.read.reset();
  return Run(pid, std::move(reports.read), std::move(commands.write), std::move(out.read), std::move(err.read), s)
      .run(failure);
}

}  // namespace bencher::sandbox
