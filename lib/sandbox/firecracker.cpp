// Firecracker: started without a configuration and told over its API, HTTP on a Unix socket, what machine to be.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "lib/sandbox/engine.hpp"
#include "lib/sandbox/engine_process.hpp"
#include "lib/sandbox/guest/protocol.hpp"
#include "lib/sandbox/guest_reader.hpp"
#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

using files::Fd;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr auto api_limit = std::chrono::seconds(5);
constexpr std::size_t most_answer = 64 * 1024;

// By the folder's descriptor: the path itself may be longer than a socket's may be.
sockaddr_un address_in(const Fd& folder, const std::string& name) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const auto path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
  std::memcpy(out.sun_path, path.c_str(), std::min(path.size(), sizeof out.sun_path - 1));
  return out;
}

Fd socket_stream() {
  return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Result<Fd> listen_in(const Fd& folder, const std::string& name) {
  Fd fd = socket_stream();
  const auto address = address_in(folder, name);
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd.get(), 1) != 0)
    return files::system_error("cannot listen for the virtual machine");
  return fd;
}

class Api {
 public:
  explicit Api(Fd socket) : socket_(std::move(socket)) {}

  // It makes its socket when it is ready.
  static Result<Api> connect(const Fd& folder, const std::string& name) {
    const auto address = address_in(folder, name);
    const auto end = SteadyClock::now() + api_limit;
    for (;;) {
      Fd fd = socket_stream();
      if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return Api(std::move(fd));
      if (SteadyClock::now() > end) return files::system_error("Firecracker does not open its API");
      poll(nullptr, 0, 5);
    }
  }

  Result<void> put(const std::string& path, const std::string& body) {
    const auto end = SteadyClock::now() + api_limit;
    std::string request = "PUT " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n" +
                          "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                          "\r\n\r\n" + body;
    while (!request.empty()) {
      const auto wrote = send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
      if (wrote > 0) {
        request.erase(0, static_cast<std::size_t>(wrote));
      } else {
        BENCHER_DO(wait(POLLOUT, end, path));
      }
    }
    std::string answer;
    for (;;) {
      const auto head = answer.find("\r\n\r\n");
      if (head != std::string::npos && answer.size() >= head + 4 + body_size(answer.substr(0, head))) break;
      char buffer[4096];
      const auto got = recv(socket_.get(), buffer, sizeof buffer, 0);
      if (got > 0 && answer.size() < most_answer) {
        answer.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      if (got >= 0) return Error(Errc::unavailable, "Firecracker ended its answer to " + path + " too early");
      BENCHER_DO(wait(POLLIN, end, path));
    }
    if (answer.starts_with("HTTP/1.1 2")) return {};
    return Error(Errc::unavailable,
                 "Firecracker refuses " + path + ": " + harmless(answer.substr(answer.find("\r\n\r\n") + 4), 300));
  }

 private:
  static std::size_t body_size(std::string head) {
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view key = "\r\ncontent-length:";
    auto at = head.find(key);
    if (at == std::string::npos) return 0;
    at = head.find_first_not_of(' ', at + key.size());
    std::size_t size = 0;
    if (at != std::string::npos) std::from_chars(head.data() + at, head.data() + head.size(), size);
    return std::min(size, most_answer);
  }
  Result<void> wait(short what, SteadyClock::time_point end, const std::string& path) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now()).count();
    pollfd fd{socket_.get(), what, 0};
    if (left > 0 && (errno == EAGAIN || errno == EINTR) && poll(&fd, 1, static_cast<int>(left)) > 0) return {};
    return Error(Errc::unavailable, "Firecracker does not answer " + path);
  }

  Fd socket_;
};

class Firecracker final : public Engine {
 public:
  Firecracker(std::string program, std::string version) : program_(std::move(program)), version_(std::move(version)) {}

  std::string describe() const override { return version_; }
  bool vsock() const override { return true; }
  bool emulates() const override { return false; }

  Result<Vm> start(const VmConfig& config) override {
    if (config.network)
      return Error(Errc::unavailable, "microVMs of Firecracker have no network; use QEMU, or a spec without network");
    std::string name = "/tmp/bencher-firecracker-XXXXXX";
    if (!mkdtemp(name.data())) return files::system_error("cannot make a folder in /tmp");
    Vm vm;
    vm.folder = name;
    vm.listening = true;
    const Fd folder(open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto port = [](unsigned i) { return "vsock_" + std::to_string(guest::first_vsock_port + i); };
    BENCHER_TRY(vm.control, listen_in(folder, port(0)));
    BENCHER_TRY(vm.out, listen_in(folder, port(1)));
    BENCHER_TRY(vm.err, listen_in(folder, port(2)));
    int fds[4];
    if (pipe2(fds, O_CLOEXEC) != 0) return files::system_error("cannot make a pipe");
    vm.console = Fd(fds[0]);
    const Fd console(fds[1]);
    if (pipe2(fds + 2, O_CLOEXEC) != 0) return files::system_error("cannot make a pipe");
    vm.errors = Fd(fds[2]);
    const Fd errors(fds[3]);
    EngineProcess process{.program = program_,
                          .arguments = {"firecracker", "--api-sock", "api", "--level", "Error"},
                          .inherited = {config.kernel, config.initramfs},
                          .out = console.get(),
                          .err = errors.get(),
                          .folder = name,
                          .cgroup = config.cgroup,
                          .cpus = config.placed};
    for (const int disk : {config.image, config.scratch})
      if (disk >= 0) process.inherited.push_back(disk);
    BENCHER_TRY(vm.pid, sandbox::start(process));
    BENCHER_TRY(auto api, Api::connect(folder, "api"));
    BENCHER_DO(configure(api, config));
    return vm;
  }

 private:
  static Result<void> configure(Api& api, const VmConfig& config) {
    const auto number = [](auto value) { return std::to_string(value); };
    // The process resolves them: they are its own descriptors.
    const auto file = [&](int fd) { return "\"/proc/self/fd/" + number(fd) + "\""; };
    BENCHER_DO(api.put("/machine-config", "{\"vcpu_count\":" + number(std::min(config.cpus, 32u)) +
                                              ",\"mem_size_mib\":" + number(config.memory >> 20) + ",\"smt\":false}"));
    BENCHER_DO(api.put("/boot-source",
                       "{\"kernel_image_path\":" + file(config.kernel) + ",\"initrd_path\":" + file(config.initramfs) +
                           ",\"boot_args\":\"console=ttyS0 quiet loglevel=4 panic=-1 reboot=t nokaslr mitigations=off "
                           "random.trust_cpu=on cryptomgr.notests i8042.noaux " +
                           guest::vsock_word + "\"}"));
    // In the order in which the guest finds them.
    if (config.image >= 0) {
      BENCHER_DO(drive(api, guest::image_disk, file(config.image), true));
    }
    if (config.scratch >= 0) {
      BENCHER_DO(drive(api, guest::scratch_disk, file(config.scratch), false));
    }
    BENCHER_DO(api.put("/vsock", "{\"guest_cid\":3,\"uds_path\":\"vsock\"}"));
    return api.put("/actions", "{\"action_type\":\"InstanceStart\"}");
  }
  static Result<void> drive(Api& api, const std::string& id, const std::string& file, bool read_only) {
    return api.put("/drives/" + id, "{\"drive_id\":\"" + id + "\",\"path_on_host\":" + file +
                                        ",\"is_root_device\":false,\"is_read_only\":" + (read_only ? "true" : "false") +
                                        "}");
  }

  std::string program_, version_;
};

}  // namespace

Result<std::unique_ptr<Engine>> make_firecracker(const std::string& program) {
  auto version = ask_tool({program, "--version"});
  if (!version) return std::move(version).error().within("Firecracker");
  version->resize(std::min(version->find('\n'), version->size()));
  return std::unique_ptr<Engine>(std::make_unique<Firecracker>(program, harmless(*version, 100)));
}

}  // namespace bencher::sandbox
