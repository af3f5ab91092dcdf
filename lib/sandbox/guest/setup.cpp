#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <initializer_list>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/sandbox/guest/init.hpp"

namespace bencher::sandbox::guest {

namespace {

void must_mount(const char* what, const char* where, const char* type, unsigned long flags, const char* options) {
  if (mount(what, where, type, flags, options) == 0) return;
  char step[128];
  std::snprintf(step, sizeof step, "mount %s", where);
  fail(step);
}

bool write_text(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool good = write(fd, text, std::strlen(text)) == static_cast<ssize_t>(std::strlen(text));
  close(fd);
  return good;
}

// Their order on the bus is not that of the command line.
bool find_disk(const char* serial, char* device, std::size_t size) {
  if (by_vsock()) {
    std::snprintf(device, size, "%s", std::strcmp(serial, image_disk) == 0 ? "/dev/vda" : "/dev/vdb");
    return access(device, F_OK) == 0;
  }
  DIR* dir = opendir("/sys/block");
  if (!dir) return false;
  bool found = false;
  while (const dirent* entry = readdir(dir)) {
    char path[320], text[64] = {};
    std::snprintf(path, sizeof path, "/sys/block/%s/serial", entry->d_name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const auto got = read(fd, text, sizeof text - 1);
    close(fd);
    // It has no newline.
    if (got <= 0 || std::strncmp(text, serial, std::strlen(serial)) != 0) continue;
    std::snprintf(device, size, "/dev/%.64s", entry->d_name);
    found = true;
    break;
  }
  closedir(dir);
  return found;
}

// A folder of the image to mount on, never a link that leads elsewhere.
void real_folder(const char* path, mode_t mode) {
  struct stat info {};
  if (lstat(path, &info) == 0) {
    if (S_ISDIR(info.st_mode)) return;
    if (unlink(path) != 0) fail(path);
  }
  if (mkdir(path, mode) != 0 || chmod(path, mode) != 0) fail(path);
}

void make_devices() {
  must_mount("dev", "/root/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k");
  struct Device {
    const char* path;
    unsigned major, minor;
  };
  for (const auto& [path, major, minor] :
       {Device{"/root/dev/null", 1, 3}, Device{"/root/dev/zero", 1, 5}, Device{"/root/dev/full", 1, 7},
        Device{"/root/dev/random", 1, 8}, Device{"/root/dev/urandom", 1, 9}, Device{"/root/dev/tty", 5, 0}}) {
    if (mknod(path, S_IFCHR | 0666, makedev(major, minor)) != 0 || chmod(path, 0666) != 0) fail(path);
  }
  for (const char* folder : {"/root/dev/pts", "/root/dev/shm"})
    mkdir(folder, 0755);
  must_mount("devpts", "/root/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666");
  must_mount("shm", "/root/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
  struct Link {
    const char *to, *path;
  };
  for (const auto& [to, path] :
       {Link{"pts/ptmx", "/root/dev/ptmx"}, Link{"/proc/self/fd", "/root/dev/fd"},
        Link{"/proc/self/fd/0", "/root/dev/stdin"}, Link{"/proc/self/fd/1", "/root/dev/stdout"},
        Link{"/proc/self/fd/2", "/root/dev/stderr"}})
    if (symlink(to, path) != 0) fail(path);
}

Group make_group(const Job& job) {
  must_mount("cgroup", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  if (!write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids")) fail("control group controllers");
  if (mkdir("/sys/fs/cgroup/job", 0755) != 0) fail("control group");
  char number[32];
  std::snprintf(number, sizeof number, "%llu", static_cast<unsigned long long>(job.limits.memory));
  if (!write_text("/sys/fs/cgroup/job/memory.max", number)) fail("memory limit");
  std::snprintf(number, sizeof number, "%llu", static_cast<unsigned long long>(job.limits.processes));
  if (!write_text("/sys/fs/cgroup/job/pids.max", number)) fail("processes limit");
  Group group;
  group.procs = open("/sys/fs/cgroup/job/cgroup.procs", O_WRONLY | O_CLOEXEC);
  group.kill = open("/sys/fs/cgroup/job/cgroup.kill", O_WRONLY | O_CLOEXEC);
  group.events = open("/sys/fs/cgroup/job/memory.events", O_RDONLY | O_CLOEXEC);
  if (group.procs < 0 || group.kill < 0 || group.events < 0) fail("control group files");
  umount2("/sys/fs/cgroup", MNT_DETACH);
  return group;
}

void read_only(const char* path) {
  if (mount(path, path, nullptr, MS_BIND, nullptr) == 0)
    mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

}  // namespace

void mount_basics() {
  for (const char* folder : {"/proc", "/sys", "/dev", "/lower", "/scratch", "/root"})
    mkdir(folder, 0755);
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  mount("sys", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  mount("dev", "/dev", "devtmpfs", MS_NOSUID, nullptr);
}

void load_modules() {
  // In the order in which the runner found that they need each other.
  for (int number = 0; number < 100; ++number) {
    char path[32];
    std::snprintf(path, sizeof path, "/modules/%02d.ko", number);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST)
      std::fprintf(stderr, "bencher-init: module %d: %s\n", number, std::strerror(errno));
    close(fd);
  }
}

Group enter_root(const Job& job) {
  char device[80], options[64];
  if (!find_disk(image_disk, device, sizeof device)) {
    errno = ENODEV;
    fail("image disk");
  }
  must_mount(device, "/lower", "squashfs", MS_RDONLY | MS_NODEV, nullptr);
  if (find_disk(scratch_disk, device, sizeof device)) {
    must_mount(device, "/scratch", "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, nullptr);
  } else {
    std::snprintf(options, sizeof options, "mode=0755,size=%llu", static_cast<unsigned long long>(job.limits.disk));
    must_mount("scratch", "/scratch", "tmpfs", MS_NOSUID | MS_NODEV, options);
  }
  struct stat info {};
  if (stat("/lower", &info) != 0 || mkdir("/scratch/upper", 0755) != 0 || mkdir("/scratch/work", 0755) != 0 ||
      chown("/scratch/upper", info.st_uid, info.st_gid) != 0 || chmod("/scratch/upper", info.st_mode & 07777) != 0)
    fail("writable layer");
  must_mount("overlay", "/root", "overlay", MS_NODEV, "lowerdir=/lower,upperdir=/scratch/upper,workdir=/scratch/work");

  real_folder("/root/proc", 0555);
  real_folder("/root/sys", 0555);
  real_folder("/root/dev", 0755);
  real_folder("/root/tmp", 01777);
  real_folder("/root/run", 0755);
  std::snprintf(options, sizeof options, "mode=1777,size=%llu", static_cast<unsigned long long>(job.limits.memory));
  must_mount("tmp", "/root/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options);
  std::snprintf(options, sizeof options, "mode=0755,size=%llu", static_cast<unsigned long long>(job.limits.memory));
  must_mount("run", "/root/run", "tmpfs", MS_NOSUID | MS_NODEV, options);
  must_mount("proc", "/root/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  must_mount("sys", "/root/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  make_devices();
  write_text("/proc/sys/user/max_user_namespaces", "0");
  // The control group decides who has too much, as on a large machine.
  write_text("/proc/sys/vm/overcommit_memory", "1");
  if (sethostname("bench", 5) != 0) log("the host name could not be set");
  for (const char* path : {"/root/proc/sys", "/root/proc/sysrq-trigger", "/root/proc/irq"})
    read_only(path);
  if (job.limits.network) {
    real_folder("/root/etc", 0755);
    unlink("/root/etc/resolv.conf");
    const int fd = open("/root/etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    constexpr char text[] = "nameserver 10.0.2.3\n";
    if (fd < 0 || write(fd, text, sizeof text - 1) < 0) log("the image's resolv.conf could not be replaced");
    if (fd >= 0) close(fd);
  }
  const Group group = make_group(job);

  // What is left of the machine's own devices and disks stays below the new root, out of everybody's reach.
  umount2("/dev", MNT_DETACH);
  umount2("/sys", MNT_DETACH);
  if (chdir("/root") != 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || chroot(".") != 0 || chdir("/") != 0)
    fail("root");
  return group;
}

void start_network(bool outside) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto up = [fd](const char* name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) return false;
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  };
  up("lo");
  if (outside) {
    // What QEMU's user network gives to its first guest.
    const auto address = [](sockaddr& out, std::uint32_t value) {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_addr.s_addr = htonl(value);
      std::memcpy(&out, &in, sizeof out);
    };
    ifreq request{};
    std::strncpy(request.ifr_name, "eth0", sizeof request.ifr_name - 1);
    address(request.ifr_addr, 0x0a00020f);
    bool good = ioctl(fd, SIOCSIFADDR, &request) == 0;
    address(request.ifr_addr, 0xffffff00);
    good = good && ioctl(fd, SIOCSIFNETMASK, &request) == 0 && up("eth0");
    rtentry route{};
    address(route.rt_dst, 0);
    address(route.rt_genmask, 0);
    address(route.rt_gateway, 0x0a000202);
    route.rt_flags = RTF_UP | RTF_GATEWAY;
    if (!good || ioctl(fd, SIOCADDRT, &route) != 0) log("the network could not be set up");
  }
  close(fd);
}

}  // namespace bencher::sandbox::guest
