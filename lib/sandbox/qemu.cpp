#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "lib/sandbox/engine.hpp"
#include "lib/sandbox/engine_process.hpp"
#include "lib/sandbox/guest/protocol.hpp"
#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

using files::Fd;

namespace {

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
    const std::array sockets{console.theirs.get(), control.theirs.get(), out.theirs.get(), err.theirs.get()};
    EngineProcess process{.program = program_,
                          .arguments = arguments(config, sockets),
                          .inherited = {config.kernel, config.initramfs},
                          .err = errors.get(),
                          .cgroup = config.cgroup,
                          .cpus = config.placed,
                          .host_network = config.network};
    choose_user(process, config.kvm);
    process.inherited.insert(process.inherited.end(), sockets.begin(), sockets.end());
    for (const int disk : {config.image, config.scratch})
      if (disk >= 0) process.inherited.push_back(disk);
    Vm vm;
    BENCHER_TRY(vm.pid, sandbox::start(process));
    vm.control = std::move(control.ours);
    vm.out = std::move(out.ours);
    vm.err = std::move(err.ours);
    vm.console = std::move(console.ours);
    vm.errors = std::move(errors_in);
    return vm;
  }

 private:
  // Who runs the guest: nobody, in the group that may use the device, if there is one. Else it stays who we are.
  static void choose_user(EngineProcess& process, bool kvm) {
    struct stat info {};
    process.drop_user = true;
    if (!kvm || stat("/dev/kvm", &info) != 0 || (info.st_mode & 0006) == 0006) return;
    if ((info.st_mode & 0060) == 0060 && info.st_gid != 0)
      process.group = info.st_gid;
    else
      process.drop_user = false;
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
                                 "-name",
                                 "bench,debug-threads=on",
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

}  // namespace bencher::sandbox
