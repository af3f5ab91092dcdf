// Hostile programs: each is contained, its run is reported, and the next run is none the wiser. Those that look for a
// way out run where that is promised to hold, in container and microVM; those that use things up run in all three.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <doctest/doctest.h>

#include "lib/sandbox/cgroup.hpp"
#include "tests/sandbox/world.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using namespace bencher::sandbox::test;

namespace {

const std::vector<std::string> ways_out{"read-host-files", "write-outside", "mount", "namespaces", "trace-host",
                                        "modules",         "network",       "clock", "devices",    "setuid",
                                        "kernel-settings", "kernel-calls",  "forge", "kill-host"};

/// What is there to be reached from a sandbox: a process, files, and listening sockets.
class Prey {
 public:
  Prey() {
    fs::permissions(dir_.path(), fs::perms(0777));
    write_file(dir_ / "secret", "of the machine");
    victim_ = fork();
    if (victim_ == 0) {
      for (;;)
        pause();
    }
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof in;
    inet_ = files::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(inet_.get(), reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
    REQUIRE(listen(inet_.get(), 4) == 0);
    getsockname(inet_.get(), reinterpret_cast<sockaddr*>(&in), &size);
    port_ = ntohs(in.sin_port);
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    abstract_ = "bencher-test-" + std::to_string(getpid());
    abstract_.copy(un.sun_path + 1, sizeof un.sun_path - 2);
    unix_ = files::Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + abstract_.size());
    REQUIRE(bind(unix_.get(), reinterpret_cast<sockaddr*>(&un), length) == 0);
    REQUIRE(listen(unix_.get(), 4) == 0);
  }
  ~Prey() {
    CHECK(waitpid(victim_, nullptr, WNOHANG) == 0);
    CHECK_FALSE(fs::exists(dir_ / "outside"));
    CHECK(read_file(dir_ / "secret") == "of the machine");
    kill(victim_, SIGKILL);
    waitpid(victim_, nullptr, 0);
  }

  std::vector<std::pair<std::string, std::string>> env() const {
    return {{"PATH", "/bin"},
            {"VICTIM", std::to_string(victim_)},
            {"SECRET", (dir_ / "secret").string()},
            {"OUTSIDE", (dir_ / "outside").string()},
            {"PORT", std::to_string(port_)},
            {"ABSTRACT", abstract_}};
  }

 private:
  TempDir dir_;
  pid_t victim_ = -1;
  files::Fd inet_, unix_;
  int port_ = 0;
  std::string abstract_;
};

/// The image with the hostile program, a setuid copy of it, and device nodes as a layer may not bring them.
void spoil(const fs::path& root) {
  fs::copy_file(BENCHER_BUILD_DIR "/guest/probe", root / "bin/probe");
  fs::copy_file(BENCHER_BUILD_DIR "/guest/probe", root / "bin/setuid");
  chmod((root / "bin/setuid").c_str(), 06755);
  chmod((root / "job").c_str(), 01777);
  if (geteuid() != 0) return;
  struct Device {
    const char* name;
    mode_t type;
    unsigned major, minor;
  };
  for (const auto& [name, type, major, minor] :
       {Device{"mem", S_IFCHR, 1, 1}, Device{"kmsg", S_IFCHR, 1, 11}, Device{"vda", S_IFBLK, 254, 0},
        Device{"loop", S_IFBLK, 7, 0}, Device{"vport", S_IFCHR, 248, 1}}) {
    const auto path = root / "data" / ("device-" + std::string(name));
    if (mknod(path.c_str(), type | 0666, makedev(major, minor)) == 0) chmod(path.c_str(), 0666);
  }
}

bool limits_hold() {
  return Cgroup::create(Machine{}).has_value();
}

void next_run_is_well(World& world) {
  world.sink.out.clear();
  world.sink.err.clear();
  world.sink.on_output = nullptr;
  world.machine = Machine{.memory = 256u << 20, .disk = 64u << 20};
  CHECK(need(world.shell("echo next")).exit_code == 0);
  CHECK_MESSAGE(world.sink.out == "next\n", world.sink.out << world.sink.err);
  CHECK_FALSE(alive("probe"));
}

Result<Outcome> probe(World& world, std::vector<std::string> attacks, Request request = {}) {
  request.command = {"/bin/probe"};
  request.command.insert(request.command.end(), attacks.begin(), attacks.end());
  return world.run(std::move(request));
}

Request bounded(milliseconds timeout, std::uint64_t output = 1u << 20) {
  Request request;
  request.timeout = timeout;
  request.grace = milliseconds(50);
  request.max_output = output;
  request.working_dir = "/job";
  return request;
}

/// The machine's limits end it, and not its time.
void is_refused(World& world, const char* attack) {
  CAPTURE(attack);
  world.sink.out.clear();
  const auto outcome = need(probe(world, {attack}, bounded(seconds(30))));
  CHECK_MESSAGE(outcome.exit_code != 0, world.sink.out);
  CHECK(world.sink.out.find("BROKEN") == std::string::npos);
  CHECK_FALSE(outcome.timed_out);
}

}  // namespace

TEST_CASE("no known way leads out of a container or a microVM, for root and for the image's user") {
  for (const std::string name : {"container", "microvm"}) {
    CAPTURE(name);
    const char* mode = std::getenv("BENCHER_TEST_MICROVM");
    const bool full = mode && std::string_view(mode).find("full") != std::string_view::npos;
    World world{name};
    if (!world.usable()) continue;
    spoil(world.root());
    for (const std::string user : {"bench", "root"}) {
      if (user == "root" && name == "microvm" && !full) continue;
      CAPTURE(user);
      Prey prey;
      world.sink.out.clear();
      Request request = bounded(seconds(60));
      request.env = prey.env();
      request.user = user;
      const auto outcome = need(probe(world, ways_out, request));
      for (const auto& attack : ways_out)
        CHECK_MESSAGE(world.sink.out.find(attack + ": contained (") != std::string::npos, attack);
      CHECK_MESSAGE(world.sink.out.find("BROKEN") == std::string::npos, world.sink.out);
      CHECK_MESSAGE(outcome.exit_code == 0, world.sink.out << world.sink.err);
    }
    if (full || name != "microvm") next_run_is_well(world);
  }
}

TEST_CASE("a fork bomb that ignores signals ends with its time, and nobody is left of it") {
  if (!limits_hold()) return;  // it would take the machine with it
  on_each(
      [](World& world) {
        spoil(world.root());
        world.machine.processes = 64;
        const auto outcome = need(probe(world, {"fork-bomb"}, bounded(milliseconds(300))));
        CHECK(outcome.timed_out);
        CHECK(outcome.exit_code == 137);
        CHECK_MESSAGE(world.sink.out.find("refused") != std::string::npos, world.sink.out);
        next_run_is_well(world);
      },
      InVm::full);
}

TEST_CASE("what fills the disk, with large files or with many, is refused or killed at the limit") {
  on_each([](World& world) {
    spoil(world.root());
    world.machine.disk = 20u << 20;
    world.machine.memory = 128u << 20;
    // The process sandbox's limit holds for each file only.
    if (world.sandbox().name() != "process")
      for (const char* attack : {"fill-disk", "many-files"})
        is_refused(world, attack);
    next_run_is_well(world);
  });
}

TEST_CASE("filesystems in memory count as the program's memory") {
  on_each([](World& world) {
    if (world.sandbox().name() == "process") return;
    spoil(world.root());
    world.machine.memory = 32u << 20;
    for (const char* attack : {"fill-tmp", "fill-shm"})
      is_refused(world, attack);
    next_run_is_well(world);
  });
}

TEST_CASE("a program and its children that take all memory are killed, and that is said") {
  if (!limits_hold()) return;
  on_each([](World& world) {
    spoil(world.root());
    world.machine.memory = 48u << 20;
    const auto outcome = need(probe(world, {"memory"}, bounded(seconds(30))));
    CHECK(outcome.exit_code == 137);
    CHECK(outcome.oom_kills > 0);
    CHECK_FALSE(outcome.timed_out);
    next_run_is_well(world);
  });
}

TEST_CASE("a program that spins for ever, its child in a session of its own too, ends with its time") {
  on_each([](World& world) {
    spoil(world.root());
    const auto outcome = need(probe(world, {"spin"}, bounded(milliseconds(300))));
    CHECK(outcome.timed_out);
    CHECK(outcome.exit_code == 137);
    CHECK(world.sink.out.starts_with("spinning\n"));
    next_run_is_well(world);
  });
}

TEST_CASE("a flood on both outputs ends with its time and costs the runner no memory") {
  on_each([](World& world) {
    spoil(world.root());
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const auto outcome = need(probe(world, {"flood"}, bounded(milliseconds(300), 64 << 10)));
    getrusage(RUSAGE_SELF, &after);
    CHECK(outcome.timed_out);
    CHECK(outcome.stdout_cut_bytes > 0);
    CHECK(outcome.stderr_cut_bytes > 0);
    CHECK(world.sink.out.size() < (64 << 10) + 100);
    CHECK(after.ru_maxrss - before.ru_maxrss < 16 << 10);  // KiB
    next_run_is_well(world);
  });
}

TEST_CASE("a program that closes its outputs and leaves a child goes on and is reported") {
  on_each([](World& world) {
    spoil(world.root());
    const auto outcome = need(probe(world, {"close"}, bounded(seconds(20))));
    CHECK(outcome.exit_code == 5);
    CHECK(outcome.wall >= milliseconds(50));
    CHECK(world.sink.out.empty());
    next_run_is_well(world);
  });
}

TEST_CASE("files to collect that are links out, change all the time, or have no end bring nothing of the machine") {
  on_each([](World& world) {
    spoil(world.root());
    Prey prey;
    Request request = bounded(seconds(30));
    request.env = prey.env();
    request.file_paths = {"/job/link",       "/job/relative", "/job/magic",
                          "/job/root/job/x", "/job/loop",     "/job/environment",
                          "/job/fifo",       "/job/folder",   "/job/race",
                          "/dev/zero",       "/dev/stdin",    "/job/top" + prey.env()[2].second,
                          "/proc/1/environ", "/proc/kmsg",    "/../../../../../.." + prey.env()[2].second};
    const auto outcome = need(probe(world, {"bait"}, request));
    CHECK(world.sink.out == "bait: laid\n");
    for (const auto& [path, text] : outcome.files) {
      CAPTURE(path);
      CHECK(path == "/job/race");
      CHECK(text.empty());
    }
    // Eight gigabytes of nothing are not read before they are refused.
    request.file_paths = {"/job/sparse"};
    const auto refused = probe(world, {"sparse"}, request);
    if (world.sandbox().name() == "process") {
      CHECK(need(refused).signal == SIGXFSZ);
    } else {
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code() == Errc::too_large);
      CHECK(refused.error().message().find("/job/sparse") != std::string::npos);
    }
    next_run_is_well(world);
  });
}

TEST_CASE("records of the protocol on a program's outputs are its output and nothing else") {
  on_each([](World& world) {
    Request request = bounded(seconds(20));
    const auto outcome =
        need(world.shell("printf 'E\\060\\0\\0\\0%048d' 0; printf 'X\\040\\0\\0\\0%032d' 0 >&2; exit 6", request));
    CHECK(outcome.exit_code == 6);
    CHECK(outcome.stdout_bytes == 53);
    CHECK(outcome.stderr_bytes == 37);
  });
}
