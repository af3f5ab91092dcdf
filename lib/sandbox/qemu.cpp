#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "lib/sandbox/engine.hpp"
#include "lib/sandbox/guest/protocol.hpp"
#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

using files::Fd;

namespace {

constexpr uid_t nobody = 65534;

struct Pair {
  Fd ours, theirs;
  static Result<Pair> make() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
      return files::system_error("cannot make a socket");
    return Pair{Fd(fds[0]), Fd(fds[1])};
  }
};

// The microvm machine has no timer that the kernel could measure the processor's clock with; on a busy host its attempt
// never ends. Under emulation the guest's clock is this machine's.
std::uint64_t tsc_khz() {
#if defined(__x86_64__)
  static const std::uint64_t value = [] {
    struct Sample {
      std::uint64_t ticks = 0;
      std::int64_t ns = 0, width = LLONG_MAX;
    };
    const auto now = [] {
      timespec time{};
      clock_gettime(CLOCK_MONOTONIC_RAW, &time);
      return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
    };
    // The one of many that was least disturbed.
    const auto sample = [&] {
      Sample best;
      for (int i = 0; i < 50; ++i) {
        const auto before = now();
        const auto ticks = __rdtsc();
        const auto after = now();
        if (after - before < best.width) best = {ticks, before + (after - before) / 2, after - before};
      }
      return best;
    };
    const auto first = sample();
    const timespec wait{0, 20'000'000};
    nanosleep(&wait, nullptr);
    const auto second = sample();
    return static_cast<std::uint64_t>(static_cast<double>(second.ticks - first.ticks) * 1e6 /
                                      static_cast<double>(second.ns - first.ns));
  }();
  return value;
#else
  return 0;
#endif
}

class Qemu final : public Engine {
 public:
  Qemu(std::string program, std::string version) : program_(std::move(program)), version_(std::move(version)) {}

  std::string describe() const override { return version_; }

  Result<Vm> start(const VmConfig& config) override {
    BENCHER_TRY(auto console, Pair::make());
    BENCHER_TRY(auto control, Pair::make());
    BENCHER_TRY(auto out, Pair::make());
    BENCHER_TRY(auto err, Pair::make());
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return files::system_error("cannot make a pipe");
    Fd errors_in(fds[0]), errors(fds[1]);
    const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return files::system_error("cannot open /dev/null");

    const std::array sockets{console.theirs.get(), control.theirs.get(), out.theirs.get(), err.theirs.get()};
    const auto words = arguments(config, sockets);
    std::vector<int> inherited{config.kernel, config.initramfs};
    inherited.insert(inherited.end(), sockets.begin(), sockets.end());
    for (const int disk : {config.image, config.scratch})
      if (disk >= 0) inherited.push_back(disk);
    Child child{.config = config,
                .program = program_.c_str(),
                .argv = pointers(words),
                .inherited = inherited,
                .kept = inherited,
                .entrances = {},
                .parent = getpid(),
                .null = null.get(),
                .errors = errors.get(),
                .drop_user = geteuid() == 0 && (!config.kvm || kvm_for_all())};
    if (config.cgroup) child.entrances = config.cgroup->entrances();
    child.kept.insert(child.kept.end(), child.entrances.begin(), child.entrances.end());
    child.kept.push_back(null.get());
    child.kept.push_back(errors.get());
    std::sort(child.kept.begin(), child.kept.end());
    Vm vm;
    vm.pid = fork();
    if (vm.pid < 0) return files::system_error("cannot start a process");
    if (vm.pid == 0) child.run();
    vm.control = std::move(control.ours);
    vm.out = std::move(out.ours);
    vm.err = std::move(err.ours);
    vm.console = std::move(console.ours);
    vm.errors = std::move(errors_in);
    return vm;
  }

 private:
  // After the fork: only system calls, on what was prepared before.
  struct Child {
    const VmConfig& config;
    const char* program;
    std::vector<char*> argv;
    std::vector<int> inherited, kept, entrances;
    pid_t parent;
    int null, errors;
    bool drop_user;

    [[noreturn]] void run() const {
      setsid();
      for (const int entrance : entrances)
        if (write(entrance, "0", 1) != 1) _exit(125);
      dup2(null, 0);
      dup2(null, 1);
      dup2(errors, 2);
      close_all_but_(kept);
      for (const int fd : kept)
        if (fd > 2) fcntl(fd, F_SETFD, FD_CLOEXEC);
      for (const int fd : inherited)
        fcntl(fd, F_SETFD, 0);
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      for (int number = 1; number < NSIG; ++number)
        signal(number, SIG_DFL);
      const rlimit no_core{0, 0}, few{256, 256};
      setrlimit(RLIMIT_CORE, &no_core);
      setrlimit(RLIMIT_NOFILE, &few);
      // It talks through what it inherits; a network of the machine's is only for guests that may use it.
      if (geteuid() == 0) unshare(config.network ? CLONE_NEWIPC : CLONE_NEWIPC | CLONE_NEWNET);
      if (drop_user && (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 ||
                        setresuid(nobody, nobody, nobody) != 0))
        _exit(125);
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      // Last, since a change of user clears it.
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(125);
      char* env[] = {nullptr};
      execve(program, argv.data(), env);
      const char text[] = "cannot be executed\n";
      [[maybe_unused]] const auto wrote = write(2, text, sizeof text - 1);
      _exit(127);
    }
    static void close_all_but_(const std::vector<int>& kept_ones) {
      std::array<int, 64> list{0, 1, 2};
      std::size_t count = 3;
      for (const int fd : kept_ones)
        if (fd > 2 && count < list.size()) list[count++] = fd;
      close_all_but(list.data(), count);
    }
  };

  static bool kvm_for_all() {
    struct stat info {};
    return stat("/dev/kvm", &info) == 0 && (info.st_mode & 0006) == 0006;
  }

  std::vector<std::string> arguments(const VmConfig& config, const std::array<int, 4>& sockets) const {
    const auto number = [](auto value) { return std::to_string(value); };
    const auto inherited = [&](int fd) { return "/proc/self/fd/" + number(fd); };
    std::string line =
        "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t nokaslr mitigations=off random.trust_cpu=on "
        "cryptomgr.notests no_timer_check";
    if (!config.kvm) line += " tsc=reliable tsc_early_khz=" + number(tsc_khz());
    std::vector<std::string> out{"qemu-system-x86_64",
                                 "-M",
                                 "microvm",
                                 "-accel",
                                 config.kvm ? "kvm" : "tcg,tb-size=128",
                                 "-cpu",
                                 config.kvm ? "host" : "max,la57=off",
                                 "-m",
                                 number(config.memory >> 20) + "M",
                                 "-smp",
                                 number(config.cpus),
                                 "-nodefaults",
                                 "-no-user-config",
                                 "-display",
                                 "none",
                                 "-no-reboot",
                                 "-sandbox",
                                 "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                                 "-kernel",
                                 inherited(config.kernel),
                                 "-initrd",
                                 inherited(config.initramfs),
                                 "-append",
                                 line};
    const auto add = [&](std::initializer_list<std::string> words) { out.insert(out.end(), words); };
    add({"-chardev", "socket,id=console,fd=" + number(sockets[0]), "-serial", "chardev:console"});
    add({"-device", "virtio-serial-device,max_ports=8"});
    const char* ports[] = {guest::control_port, guest::out_port, guest::err_port};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto id = "port" + number(i);
      add({"-chardev", "socket,id=" + id + ",fd=" + number(sockets[i + 1])});
      add({"-device", "virtserialport,chardev=" + id + ",name=" + ports[i] + ",nr=" + number(i + 1)});
    }
    const auto disk = [&](int fd, const char* serial, const std::string& set, const char* options) {
      if (fd < 0) return;
      add({"-add-fd", "fd=" + number(fd) + ",set=" + set});
      add({"-drive", "if=none,format=raw,id=" + std::string(serial) + ",file=/dev/fdset/" + set + options});
      add({"-device", "virtio-blk-device,drive=" + std::string(serial) + ",serial=" + serial +
                          // A full disk of this machine's is an error to the guest; it would stop otherwise.
                          ",werror=report,rerror=report"});
    };
    disk(config.image, guest::image_disk, "1", ",readonly=on,file.locking=off");
    disk(config.scratch, guest::scratch_disk, "2", ",cache=unsafe,discard=unmap,auto-read-only=off,file.locking=off");
    if (config.network) {
      add({"-netdev", "user,id=net0,ipv6=off"});
      add({"-device", "virtio-net-device,netdev=net0"});
    }
    return out;
  }

  std::string program_, version_;
};

}  // namespace

Vm::~Vm() {
  if (pid <= 0) return;
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Vm::Vm(Vm&& other) noexcept
    : control(std::move(other.control)),
      out(std::move(other.out)),
      err(std::move(other.err)),
      console(std::move(other.console)),
      errors(std::move(other.errors)),
      pid(std::exchange(other.pid, -1)) {}

Result<std::unique_ptr<Engine>> make_qemu() {
#if defined(__x86_64__)
  const std::string program = find_tool("qemu-system-x86_64");
  if (program.empty()) return Error(Errc::unavailable, "qemu-system-x86_64 is not installed (package qemu-system-x86)");
  BENCHER_TRY(auto version, ask_tool({program, "--version"}));
  version.resize(std::min(version.find('\n'), version.size()));
  const auto at = version.find("version ");
  version = "QEMU " + (at == std::string::npos ? version : version.substr(at + 8));
  return std::unique_ptr<Engine>(std::make_unique<Qemu>(program, version));
#else
  return Error(Errc::unavailable, "microVMs need an x86_64 machine");
#endif
}

bool kvm_opens() {
  return Fd(open("/dev/kvm", O_RDWR | O_CLOEXEC)).get() >= 0;
}

}  // namespace bencher::sandbox
