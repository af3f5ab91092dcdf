// A container: bubblewrap for the namespaces, control groups of our own for the limits and the kill.
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/sandbox/backend.hpp"
#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

using files::Fd;

namespace {

constexpr std::uint64_t smallest_disk = 16u << 20;

// A descriptor that a program reads `bytes` from.
Fd memory_file(const char* name, std::string_view bytes) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) return fd;
  while (!bytes.empty()) {
    const auto wrote = write(fd.get(), bytes.data(), bytes.size());
    if (wrote <= 0) return Fd();
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// What a benchmark has no use for and the kernel had its holes in. New user namespaces would give back the
// capabilities that were dropped; clone3 hides its flags from a filter, and every caller falls back to clone.
std::string seccomp_filter() {
#if defined(__x86_64__)
  constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
  constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
#else
#error "no seccomp filter for this architecture"
#endif
  constexpr auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  constexpr auto architecture = static_cast<std::uint32_t>(offsetof(seccomp_data, arch));
  constexpr auto first_argument = static_cast<std::uint32_t>(offsetof(seccomp_data, args));
  constexpr auto second_argument = static_cast<std::uint32_t>(first_argument + sizeof(__u64));
  constexpr std::uint32_t no_family = SECCOMP_RET_ERRNO | EAFNOSUPPORT;
  constexpr std::uint32_t no_such = SECCOMP_RET_ERRNO | ENOSYS, denied = SECCOMP_RET_ERRNO | EPERM;
  constexpr std::uint32_t new_user = 0x10000000;  // CLONE_NEWUSER
  std::vector<sock_filter> code;
  const auto load = [&](std::uint32_t at) { code.push_back(sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)); };
  const auto end = [&](std::uint32_t value) { code.push_back(sock_filter BPF_STMT(BPF_RET | BPF_K, value)); };
  // The instructions that follow are skipped unless the value matches.
  const auto unless_equal_skip = [&](std::uint32_t value, std::uint8_t skip) {
    code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip));
  };
  load(architecture);
  code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, native, 1, 0));
  end(no_such);
  load(number);
#if defined(__x86_64__)
  code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1));  // the x32 calls
  end(no_such);
#endif
  for (const long call : {SYS_mount,          SYS_umount2,       SYS_pivot_root,
                          SYS_setns,          SYS_open_tree,     SYS_move_mount,
                          SYS_fsopen,         SYS_fsconfig,      SYS_fsmount,
                          SYS_fspick,         SYS_mount_setattr, SYS_keyctl,
                          SYS_add_key,        SYS_request_key,   SYS_bpf,
                          SYS_userfaultfd,    SYS_kexec_load,    SYS_init_module,
                          SYS_finit_module,   SYS_delete_module, SYS_open_by_handle_at,
                          SYS_io_uring_setup, SYS_swapon,        SYS_swapoff,
                          SYS_reboot,         SYS_acct,          SYS_quotactl,
                          SYS_syslog,         SYS_settimeofday,  SYS_clock_settime,
                          SYS_adjtimex,       SYS_clock_adjtime, SYS_lookup_dcookie,
                          SYS_vhangup}) {
    unless_equal_skip(static_cast<std::uint32_t>(call), 1);
    end(denied);
  }
  unless_equal_skip(static_cast<std::uint32_t>(SYS_clone3), 1);
  end(no_such);
  for (const long call : {SYS_clone, SYS_unshare}) {
    unless_equal_skip(static_cast<std::uint32_t>(call), 4);
    load(first_argument);
    code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, new_user, 0, 1));
    end(denied);
    load(number);
  }
  // Only kinds of socket that are divided by the network namespace: others reach the kernel's insides, and vsock even
  // the program that this machine runs under.
  unless_equal_skip(static_cast<std::uint32_t>(SYS_socket), 7);
  load(first_argument);
  std::uint8_t skip = 4;
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
    code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(family), skip--, 0));
  end(no_family);
  load(number);
  // Performance events of all processes, which need no capability on a machine that is set up for measuring.
  unless_equal_skip(static_cast<std::uint32_t>(SYS_perf_event_open), 4);
  load(second_argument);
  code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffffu, 0, 1));
  end(denied);
  load(number);
  end(SECCOMP_RET_ALLOW);
  return std::string(reinterpret_cast<const char*>(code.data()), code.size() * sizeof(sock_filter));
}

// An ext4 filesystem of a given size in a file, as a block device. The device goes when its last user does.
class Disk {
 public:
  static Result<Disk> make(const std::filesystem::path& file, std::uint64_t size) {
    BENCHER_TRY(const Fd backing, make_ext4(file, size));
    Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control) return files::system_error("cannot open /dev/loop-control");
    for (int attempt = 0; attempt < 16; ++attempt) {
      const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
      if (number < 0) return files::system_error("there is no free loop device");
      Disk disk;
      disk.device_ = "/dev/loop" + std::to_string(number);
      disk.fd_ = Fd(open(disk.device_.c_str(), O_RDWR | O_CLOEXEC));
      if (!disk.fd_) return files::system_error("cannot open " + disk.device_);
      loop_config config{};
      config.fd = static_cast<std::uint32_t>(backing.get());
      config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
      if (ioctl(disk.fd_.get(), LOOP_CONFIGURE, &config) == 0) return disk;
      if (errno != EBUSY) return files::system_error("cannot set up a loop device");
    }
    return Error(Errc::unavailable, "every loop device was taken by somebody else");
  }
  const std::string& device() const { return device_; }

 private:
  std::string device_;
  Fd fd_;
};

// Passes events on and keeps the beginning of standard error, where bubblewrap would say what it could not do.
class Watch final : public EventSink {
 public:
  explicit Watch(EventSink& inner) : inner_(inner) {}
  void started() override { inner_.started(); }
  void output(Stream stream, std::string_view bytes) override {
    if (stream == Stream::stderr_ && head_.size() < 4096) head_ += bytes.substr(0, 4096 - head_.size());
    inner_.output(stream, bytes);
  }
  void warning(std::string_view text) override { inner_.warning(text); }
  const std::string& head() const { return head_; }

 private:
  EventSink& inner_;
  std::string head_;
};

class Container final : public Sandbox {
 public:
  Container(const Options& options, std::string bwrap) : options_(options), bwrap_(std::move(bwrap)) {}

  std::string_view name() const override { return "container"; }
  void cancel() noexcept override { cancel_.set(); }

  Result<Outcome> run(const std::filesystem::path& image, const Machine& machine, const Request& request,
                      EventSink& events) override {
    BENCHER_DO(check_request(machine, request));
    Fd image_fd(open(image.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!image_fd) return files::system_error("cannot open the image's root '" + image.string() + "'");
    BENCHER_TRY(const User user, find_user(image_fd.get(), request.user));
    Program program;
    if (auto outcome = cannot_start(image_fd.get(), request, events, program)) return *std::move(outcome);

    const Job job{.image = image, .image_fd = image_fd.get(), .machine = machine, .request = request, .user = user};
    StartFailure failure;
    if (geteuid() == 0) {
      auto outcome = attempt(job, true, events, failure);
      if (outcome || (failure.step != "overlay" && failure.step != "namespace")) return outcome;
      events.warning("the image is copied for each run, since it cannot be overlaid: " + outcome.error().message());
    }
    return attempt(job, false, events, failure);
  }

 private:
  struct Job {
    const std::filesystem::path& image;
    int image_fd;
    const Machine& machine;
    const Request& request;
    const User& user;
  };

  Result<Outcome> attempt(const Job& job, bool overlay, EventSink& events, StartFailure& failure) {
    const bool root = geteuid() == 0;
    BENCHER_TRY(const auto folder, RunFolder::make(options_.work_dir));
    for (const char* name : {"lower", "disk", "merged"}) {
      if (!overlay && std::string_view(name) == "merged") {
        BENCHER_DO(files::copy_tree(job.image, folder.path() / name, [this] { return cancel_.is_set(); }));
      } else if (mkdir((folder.path() / name).c_str(), 0755) != 0) {
        return files::system_error("cannot make a folder for the container");
      }
    }

    Launch launch;
    launch.limits = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 65536}};
    std::optional<Disk> disk;
    auto& mounts = launch.mounts;
    mounts.wanted = root && failure.step != "namespace";
    if (mounts.wanted) {
      mounts.folder = folder.path().string();
      mounts.memory = job.machine.memory;
      struct stat info {};
      // Anyone may pass there, which is not so for the work folder; it hides what the machine has mounted there.
      if (stat("/mnt", &info) == 0 && S_ISDIR(info.st_mode)) mounts.target = "/mnt";
    }
    if (overlay) {
      mounts.lower = std::filesystem::absolute(job.image).string();
      mounts.disk_size = job.machine.disk;
      if (job.machine.disk >= smallest_disk) {
        if (auto made = Disk::make(folder.path() / "disk.img", job.machine.disk)) {
          disk.emplace(*std::move(made));
          mounts.disk = disk->device();
        } else {
          events.warning("what the program writes is kept in memory and counts as such: " + made.error().message());
        }
      }
    } else {
      launch.limits.push_back({RLIMIT_FSIZE, job.machine.disk});
      events.warning("the disk limit holds for each file only");
    }
    const std::string view = launch.mounts.target.empty() ? (folder.path() / "merged").string() : launch.mounts.target;

    launch.cpus = cpus_for(options_, job.machine.cpu, events);
    BENCHER_TRY(auto group, Cgroup::create(job.machine, {.cpus = launch.cpus, .exclusive = options_.exclusive_cpus}));
    const Fd filter = memory_file("seccomp", seccomp_filter());
    if (!filter) return files::system_error("cannot make a file in memory");
    const Fd arguments = memory_file("arguments", options(job, view, filter.get()));
    if (!arguments) return files::system_error("cannot make a file in memory");

    launch.program = bwrap_;
    launch.arguments = {"bwrap", "--args", std::to_string(arguments.get()), "--"};
    launch.arguments.insert(launch.arguments.end(), job.request.command.begin(), job.request.command.end());
    // Its own; the program's comes by --setenv, so that nothing of the image steers bubblewrap itself.
    launch.env = {std::string("PATH=") + default_path};
    launch.inherited = {arguments.get(), filter.get()};
    launch.drop_user = root && (job.user.uid != 0 || job.user.gid != 0);
    launch.user = job.user;

    Watch watch(events);
    auto outcome = supervise(launch,
                             {.request = job.request,
                              .events = watch,
                              .cancel = cancel_,
                              .cgroup = &group,
                              .terminate_by_cgroup = true,
                              .open_root =
                                  [&](int supervisor) {
                                    const auto merged = (folder.path() / "merged").string();
                                    const auto path =
                                        overlay ? "/proc/" + std::to_string(supervisor) + "/root" + merged : merged;
                                    return Fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
                                  }},
                             failure);
    if (!outcome) return outcome;
    BENCHER_DO(explain(*outcome, watch.head()));
    return outcome;
  }

  // NUL-terminated, as --args reads them.
  static std::string options(const Job& job, const std::string& view, int filter) {
    std::string out;
    const auto add = [&](std::initializer_list<std::string> words) {
      for (const auto& word : words)
        out += word + '\0';
    };
    add({"--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "bench"});
    if (job.machine.network) add({"--share-net"});
    if (geteuid() != 0)
      add({"--unshare-user", "--uid", std::to_string(job.user.uid), "--gid", std::to_string(job.user.gid)});
    add({"--bind", view, "/", "--proc", "/proc", "--dev", "/dev"});
    // Uid 0 may write settings of the whole machine there, even without any capability.
    for (const char* path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"})
      if (access(path, F_OK) == 0) add({"--ro-bind", path, path});
    for (const char* path :
         {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats", "/proc/sched_debug"})
      if (access(path, F_OK) == 0) add({"--ro-bind", "/dev/null", path});
    for (const char* path : {"/proc/acpi", "/proc/scsi"})
      if (access(path, F_OK) == 0) add({"--tmpfs", path});
    if (job.machine.network) {
      // Only where no link of the image could lead the mount elsewhere.
      struct stat info {};
      const Fd there = files::open_in_root(job.image_fd, "etc/resolv.conf", O_PATH | O_NOFOLLOW, false);
      const Fd etc = files::open_in_root(job.image_fd, "etc", O_PATH | O_DIRECTORY, false);
      if (etc && access("/etc/resolv.conf", R_OK) == 0 &&
          (!there || (fstat(there.get(), &info) == 0 && S_ISREG(info.st_mode))) && (there || errno != ELOOP))
        add({"--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"});
    }
    add({"--clearenv"});
    for (const auto& variable : environment(job.request, job.user)) {
      const auto equals = variable.find('=');
      add({"--setenv", variable.substr(0, equals), variable.substr(equals + 1)});
    }
    add({"--chdir", job.request.working_dir, "--seccomp", std::to_string(filter)});
    return out;
  }

  // bubblewrap tells of its own failures with exit code 1 and one line, when the program has not run at all.
  static Result<void> explain(Outcome& outcome, const std::string& head) {
    if (outcome.exit_code > 128) outcome.signal = outcome.exit_code - 128;
    if (outcome.exit_code != 1 || outcome.stdout_bytes != 0 || !head.starts_with("bwrap: ") ||
        head.find('\n') != head.size() - 1)
      return {};
    if (head.starts_with("bwrap: execvp ")) {
      outcome.exit_code = head.find("No such file") != std::string::npos ? 127 : 126;
      return {};
    }
    return Error(Errc::unavailable, "the container cannot be set up: " + head.substr(0, head.size() - 1));
  }

  Options options_;
  std::string bwrap_;
  CancelFlag cancel_;
};

}  // namespace

Result<std::unique_ptr<Sandbox>> make_container(const Options& options) {
  const std::string bwrap = find_tool("bwrap");
  if (bwrap.empty()) {
    return Error(Errc::unavailable,
                 "the container sandbox needs bwrap, which is not installed (package bubblewrap); or use "
                 "`--sandbox process` for images that you trust");
  }
  Cgroup::sweep();
  auto group = Cgroup::create(Machine{});
  if (!group) return std::move(group).error().within("the container sandbox");
  return std::unique_ptr<Sandbox>(std::make_unique<Container>(options, bwrap));
}

}  // namespace bencher::sandbox
