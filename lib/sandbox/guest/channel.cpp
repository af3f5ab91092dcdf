#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/sandbox/guest/init.hpp"

namespace bencher::sandbox::guest {

namespace {

int ports[3] = {-1, -1, -1};
char in[head_size + max_payload + 1];
std::size_t in_begin = 0, in_end = 0;
// The NUL after what was handed out stands on the next record's first byte.
char under_nul = 0;

bool read_line(const char* path, char* text, std::size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const auto got = read(fd, text, size - 1);
  close(fd);
  if (got <= 0) return false;
  text[got] = '\0';
  if (char* end = std::strchr(text, '\n')) *end = '\0';
  return true;
}

// Nobody to tell but the console.
[[noreturn]] void give_up() {
  std::fprintf(stderr, "bencher-init: the machine has no channel to the runner\n");
  reboot(RB_AUTOBOOT);
  _exit(1);
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const auto wrote = write(fd, data, size);
    if (wrote > 0) {
      data += wrote;
      size -= static_cast<std::size_t>(wrote);
      continue;
    }
    if (wrote < 0 && errno != EAGAIN && errno != EINTR) return;
    pollfd wait{fd, POLLOUT, 0};
    poll(&wait, 1, 1000);
  }
}

}  // namespace

std::uint64_t now_us() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

bool by_vsock() {
  char line[4096];
  return read_line("/proc/cmdline", line, sizeof line) && std::strstr(line, vsock_word) != nullptr;
}

void open_channels() {
  if (by_vsock()) {
    for (unsigned i = 0; i < 3; ++i) {
      ports[i] = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_vm host{};
      host.svm_family = AF_VSOCK;
      host.svm_cid = VMADDR_CID_HOST;
      host.svm_port = first_vsock_port + i;
      if (connect(ports[i], reinterpret_cast<const sockaddr*>(&host), sizeof host) == 0)
        fcntl(ports[i], F_SETFL, O_NONBLOCK);
      else
        give_up();
    }
    return;
  }
  const char* names[3] = {control_port, out_port, err_port};
  // The driver learns of its ports, and then of their names, by messages of the device.
  for (int attempt = 0; attempt < 5000; ++attempt) {
    if (DIR* dir = opendir("/sys/class/virtio-ports")) {
      while (const dirent* entry = readdir(dir)) {
        char path[320], name[64];
        std::snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", entry->d_name);
        if (!read_line(path, name, sizeof name)) continue;
        for (int i = 0; i < 3; ++i) {
          if (ports[i] >= 0 || std::strcmp(name, names[i]) != 0) continue;
          std::snprintf(path, sizeof path, "/dev/%s", entry->d_name);
          ports[i] = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
      }
      closedir(dir);
    }
    if (ports[0] >= 0 && ports[1] >= 0 && ports[2] >= 0) return;
    usleep(2000);
  }
  give_up();
}

int control() {
  return ports[0];
}
int out_channel() {
  return ports[1];
}
int err_channel() {
  return ports[2];
}

void send(Report kind, const void* payload, std::size_t size) {
  char head[head_size] = {static_cast<char>(kind)};
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(head + 1, &length, sizeof length);
  write_all(control(), head, sizeof head);
  write_all(control(), static_cast<const char*>(payload), size);
}

void log(const char* text) {
  send(Report::log, text, std::strlen(text));
}

bool next_order(Order& kind, char*& payload, std::size_t& size) {
  in[in_begin] = under_nul;
  for (;;) {
    const auto there = in_end - in_begin;
    if (there >= head_size) {
      std::uint32_t length = 0;
      std::memcpy(&length, in + in_begin + 1, sizeof length);
      if (length > max_payload) {
        errno = EPROTO;
        fail("order");
      }
      if (there >= head_size + length) {
        kind = static_cast<Order>(in[in_begin]);
        payload = in + in_begin + head_size;
        size = length;
        in_begin += head_size + length;
        under_nul = in[in_begin];
        in[in_begin] = '\0';
        return true;
      }
    }
    if (in_begin > 0) {
      std::memmove(in, in + in_begin, there);
      in_begin = 0;
      in_end = there;
    }
    const auto got = read(control(), in + in_end, sizeof in - 1 - in_end);
    under_nul = in[0];
    if (got <= 0) return false;
    in_end += static_cast<std::size_t>(got);
  }
}

void fail(const char* step) {
  const int code = errno;
  char text[512];
  const int size = std::snprintf(text, sizeof text, "%s: %s", step, std::strerror(code));
  send(Report::failed, text, static_cast<std::size_t>(size));
  power_off();
}

void power_off() {
  const auto end = now_us() + 30'000'000;
  while (now_us() < end) {
    Order kind;
    char* payload = nullptr;
    std::size_t size = 0;
    while (next_order(kind, payload, size))
      if (kind == Order::done) {
        reboot(RB_AUTOBOOT);
        _exit(1);
      }
    pollfd wait{control(), POLLIN, 0};
    poll(&wait, 1, 1000);
  }
  reboot(RB_AUTOBOOT);
  _exit(1);
}

}  // namespace bencher::sandbox::guest
