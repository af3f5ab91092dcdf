#include "bencher/sandbox/sandbox.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <signal.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/sandbox/world.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using namespace bencher::sandbox::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a program's output, exit code and use of the machine are reported") {
  on_each(
      [](World& world) {
        const auto outcome =
            need(world.shell("echo out; echo err >&2; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3"));
        CHECK(world.sink.out == "out\n");
        CHECK(world.sink.err == "err\n");
        CHECK(outcome.exit_code == 3);
        CHECK(outcome.signal == 0);
        CHECK_FALSE(outcome.timed_out);
        CHECK_FALSE(outcome.cancelled);
        CHECK(outcome.stdout_bytes == 4);
        CHECK(outcome.stdout_cut_bytes == 0);
        CHECK(outcome.wall.count() > 0);
        CHECK(outcome.user.count() + outcome.system.count() > 0);
        CHECK(outcome.max_rss > 100'000);
      },
      InVm::always);
}

TEST_CASE("a program that a signal ends has 128 and the signal as exit code") {
  on_each([](World& world) {
    const auto outcome = need(world.shell("kill -SEGV $$"));
    CHECK(outcome.exit_code == 139);
    CHECK(outcome.signal == SIGSEGV);
  });
}

TEST_CASE("a program that is not there ends with 127, one that cannot run with 126, and both say so") {
  on_each([](World& world) {
    struct Row {
      std::vector<std::string> command;
      int code;
    };
    for (const auto& [command, code] :
         {Row{{"absent"}, 127}, Row{{"/absent/x"}, 127}, Row{{"not-executable"}, 126}, Row{{"/data"}, 126}}) {
      CAPTURE(command[0]);
      world.sink.err.clear();
      Request request;
      request.command = command;
      CHECK(need(world.run(request)).exit_code == code);
      CHECK(world.sink.err.find(command[0]) != std::string::npos);
    }
    Request request;
    request.command = {"true"};
    request.working_dir = "/absent";
    CHECK(need(world.run(request)).exit_code == 1);
    CHECK(world.sink.err.find("/absent") != std::string::npos);
  });
}

TEST_CASE("a script without its interpreter ends with 127") {
  on_each([](World& world) {
    Request request;
    request.command = {"no-interpreter"};
    CHECK(need(world.run(request)).exit_code == 127);
  });
}

TEST_CASE("arguments, environment and working folder are those of the request and no others") {
  setenv("BENCHER_TEST_LEAK", "secret", 1);
  on_each(
      [](World& world) {
        Request request;
        request.command = {"sh", "-c", "pwd; echo \"$1|$2\"; env", "x", "a b", "--version"};
        request.env = {{"PATH", "/bin"}, {"KEY", "line\nbreak = x"}, {"EMPTY", ""}};
        request.working_dir = "/job";
        REQUIRE(need(world.run(request)).exit_code == 0);
        const auto& out = world.sink.out;
        CHECK_MESSAGE(out.find("/job\na b|--version\n") != std::string::npos, out);
        CHECK(out.find("KEY=line\nbreak = x\n") != std::string::npos);
        CHECK(out.find("EMPTY=\n") != std::string::npos);
        CHECK(out.find("HOME=") != std::string::npos);
        CHECK(out.find("BENCHER_TEST_LEAK") == std::string::npos);
      },
      InVm::always);
  unsetenv("BENCHER_TEST_LEAK");
}

TEST_CASE("a program inherits no descriptors but its three streams") {
  on_each([](World& world) {
    need(world.shell("for f in /proc/self/fd/*; do echo ${f##*/}; done"));
    // The shell itself may have the folder open while it reads it.
    for (const char* number : {"4", "5", "6", "7", "8", "9", "10"})
      CHECK_MESSAGE(("\n" + world.sink.out).find("\n" + std::string(number) + "\n") == std::string::npos,
                    world.sink.out);
  });
}

TEST_CASE("a timeout ends the whole tree, those included that hide in sessions of their own and ignore signals") {
  on_each(
      [](World& world) {
        const auto start = std::chrono::steady_clock::now();
        Request request;
        request.timeout = milliseconds(300);
        request.grace = milliseconds(100);
        const auto outcome = need(world.shell(
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 98761; sleep 98761' & echo up; sleep 98762; sleep 98762",
            request));
        CHECK(outcome.timed_out);
        CHECK_FALSE(outcome.cancelled);
        CHECK(outcome.exit_code == 137);
        CHECK(world.sink.out == "up\n");
        CHECK(std::chrono::steady_clock::now() - start < seconds(8));
        CHECK_FALSE(alive("98761"));
        CHECK_FALSE(alive("98762"));
      },
      InVm::always);
}

TEST_CASE("a program is asked to end before it is killed") {
  on_each([](World& world) {
    Request request;
    request.timeout = milliseconds(300);
    request.grace = seconds(20);
    const auto outcome =
        need(world.shell("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.02; done", request));
    CHECK(outcome.timed_out);
    CHECK(outcome.exit_code == 5);
    CHECK(world.sink.out == "up\nbye\n");
  });
}

TEST_CASE("a cancel from another thread ends the run, and every later one") {
  on_each(
      [](World& world) {
        std::promise<void> up;
        bool once = false;
        world.sink.on_output = [&] {
          if (!once) up.set_value();
          once = true;
        };
        std::thread canceller([&] {
          up.get_future().wait();
          world.sandbox().cancel();
        });
        Request request;
        request.grace = milliseconds(100);
        const auto outcome = need(world.shell("setsid sleep 98763 & echo up; sleep 98763", request));
        canceller.join();
        CHECK(outcome.cancelled);
        CHECK_FALSE(outcome.timed_out);
        CHECK(outcome.exit_code > 128);
        CHECK_FALSE(alive("98763"));
        const auto later = world.shell("true");
        REQUIRE_FALSE(later);
        CHECK(later.error().code() == Errc::cancelled);
      },
      InVm::always);
}

TEST_CASE("a background process that keeps the output open does not hold up the end") {
  on_each([](World& world) {
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = need(world.shell("setsid sleep 98764 & sleep 98764 & echo done"));
    CHECK(outcome.exit_code == 0);
    CHECK(world.sink.out == "done\n");
    CHECK(std::chrono::steady_clock::now() - start < seconds(5));
    CHECK_FALSE(alive("98764"));
  });
}

TEST_CASE("output over the limit is cut with a mark and counted") {
  on_each(
      [](World& world) {
        Request request;
        request.max_output = 100'000;
        const auto outcome = need(world.shell("head -c 3000000 /dev/zero; echo small >&2", request));
        CHECK(outcome.exit_code == 0);
        CHECK(outcome.stdout_bytes == 3'000'000);
        CHECK(outcome.stdout_cut_bytes == 2'900'000);
        CHECK(outcome.stderr_cut_bytes == 0);
        CHECK(world.sink.out.starts_with(std::string(100'000, '\0')));
        CHECK(world.sink.out.substr(100'000) == "\n[bencher: output cut after 100000 bytes]\n");
        CHECK(world.sink.err == "small\n");
        CHECK_FALSE(world.sink.too_big);
      },
      InVm::always);
}

TEST_CASE("a great deal of output arrives complete") {
  on_each([](World& world) {
    const auto outcome = need(world.shell("head -c 20000000 /dev/zero"));
    CHECK(outcome.stdout_bytes == 20'000'000);
    CHECK(world.sink.out.size() == 20'000'000);
  });
}

TEST_CASE("a program that takes more memory than it may is killed, and that is counted") {
  on_each(
      [](World& world) {
        world.machine.memory = 48u << 20;
        Request request;
        request.command = {"dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"};
        const auto outcome = need(world.run(request));
        // Without control groups the allocation fails instead.
        if (world.sink.warnings.find("limits hold for each process only") == std::string::npos) {
          CHECK(outcome.exit_code == 137);
          CHECK(outcome.oom_kills > 0);
        } else {
          CHECK(outcome.exit_code != 0);
        }
      },
      InVm::always);
}

TEST_CASE("more processes than allowed cannot be started, and none is left") {
  on_each(
      [](World& world) {
        world.machine.processes = 20;
        Request request;
        request.timeout = seconds(20);
        const auto outcome =
            need(world.shell("i=0; while [ $i -lt 60 ]; do sleep 98765 & i=$((i+1)); done; echo all", request));
        if (world.sink.warnings.find("limits hold for each process only") == std::string::npos)
          CHECK(outcome.exit_code != 0);
        CHECK_FALSE(alive("98765"));
      },
      InVm::always);
}

TEST_CASE("more than the disk's size cannot be written") {
  on_each(
      [](World& world) {
        world.machine.disk = 20u << 20;
        Request request;
        request.timeout = seconds(20);
        request.working_dir = "/job";
        const auto outcome = need(world.shell("dd if=/dev/zero of=big bs=1M count=40 && echo fits", request));
        CHECK(world.sink.out.find("fits") == std::string::npos);
        CHECK(outcome.exit_code != 0);
      },
      InVm::always);
}

TEST_CASE("regular files are collected within the root, and nothing else") {
  on_each(
      [](World& world) {
        write_file("/tmp/bencher-outside", "outside");
        Request request;
        request.working_dir = "/job";
        request.file_paths = {"/job/a", "b", "/job/none", "/job/folder", "/job/pipe", "/job/out", "/job/up", "/job/in"};
        auto outcome =
            need(world.shell("echo 1 >a; echo 2 >b; mkdir folder; mkfifo pipe; ln -s /tmp/bencher-outside out; "
                             "ln -s ../../../../../../../../../tmp/bencher-outside up; ln -s b in",
                             request));
        const std::map<std::string, std::string> expected{{"/job/a", "1\n"}, {"b", "2\n"}, {"/job/in", "2\n"}};
        CHECK(outcome.files == expected);
        fs::remove("/tmp/bencher-outside");
      },
      InVm::always);
}

TEST_CASE("files over the limit are refused by name") {
  on_each([](World& world) {
    Request request;
    request.working_dir = "/job";
    request.file_paths = {"/job/small", "/job/large"};
    request.max_file_bytes = 1000;
    const auto outcome = world.shell("head -c 900 /dev/zero >small; head -c 101 /dev/zero >large", request);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code() == Errc::too_large);
    CHECK(outcome.error().message().find("/job/large") != std::string::npos);
  });
}

TEST_CASE("each run sees the image afresh") {
  on_each([](World& world) {
    Request request;
    request.working_dir = "/data";
    const std::string script = "cat kept; echo changed >kept; touch new; ls";
    need(world.shell(script, request));
    const auto first = world.sink.out;
    world.sink.out.clear();
    need(world.shell(script, request));
    CHECK(world.sink.out == first);
    CHECK(first == "originalkept\nnew\n");
  });
}

TEST_CASE("requests that nothing can run are refused") {
  on_each([](World& world) {
    const auto refused = [&](const std::function<void(Request&)>& spoil) {
      Request request;
      request.command = {"true"};
      spoil(request);
      const auto outcome = world.run(request);
      REQUIRE_FALSE(outcome);
      CHECK(outcome.error().code() == Errc::invalid_argument);
    };
    refused([](Request& r) { r.command.clear(); });
    refused([](Request& r) { r.command = {""}; });
    refused([](Request& r) { r.command.push_back(std::string("a\0b", 3)); });
    refused([](Request& r) { r.command.push_back(std::string(200'000, 'x')); });
    refused([](Request& r) { r.env = {{"A=B", "x"}}; });
    refused([](Request& r) { r.env = {{"", "x"}}; });
    refused([](Request& r) { r.working_dir = "relative"; });
    refused([](Request& r) { r.file_paths.resize(256, "x"); });
    refused([](Request& r) { r.file_paths = {""}; });
  });
}

TEST_CASE("two sandboxes can run at the same time") {
  World one("process"), two("container");
  if (!two.usable()) return;
  std::thread other([&] { CHECK(need(one.shell("echo one; sleep 0.1")).exit_code == 0); });
  CHECK(need(two.shell("echo two; sleep 0.1")).exit_code == 0);
  other.join();
  CHECK(one.sink.out == "one\n");
  CHECK(two.sink.out == "two\n");
}

TEST_CASE("the process sandbox warns that it does not isolate") {
  World world("process");
  need(world.shell("true"));
  CHECK(world.sink.warnings.find("isolates nothing") != std::string::npos);
}

TEST_CASE("a container sees its image, its processes and no network, under its own host name") {
  World world("container");
  if (!world.usable()) return;
  need(world.shell("ls /; hostname; ps | wc -l; grep -c : /proc/net/dev"));
  CHECK_MESSAGE(world.sink.out == "bin\ndata\ndev\netc\njob\nproc\nrun\ntmp\nbench\n5\n1\n", world.sink.out);
  CHECK(world.sink.warnings == "");
}

TEST_CASE("a container with a network shares the machine's") {
  World world("container");
  if (!world.usable()) return;
  world.machine.network = true;
  need(world.shell("grep : /proc/net/dev | wc -l; cat /etc/resolv.conf >/dev/null"));
  std::ifstream in("/proc/net/dev");
  int interfaces = 0;
  for (std::string line; std::getline(in, line);)
    if (line.find(':') != std::string::npos) ++interfaces;
  CHECK(world.sink.out == std::to_string(interfaces) + "\n");
}

TEST_CASE("a container's root has no power over the machine") {
  World world("container");
  if (!world.usable()) return;
  const auto outcome =
      need(world.shell("grep -E 'Cap(Eff|Prm|Bnd)' /proc/self/status; grep NoNewPrivs /proc/self/status;"
                       "for f in kernel/hostname kernel/core_pattern vm/swappiness; do "
                       "cat /proc/sys/$f > /tmp/v && cat /tmp/v > /proc/sys/$f && echo wrote $f; done;"
                       "unshare -U true && echo userns; mount -t tmpfs x /job && echo mounted;"
                       "ls /sys /proc/acpi/* 2>/dev/null; exit 0"));
  CHECK(outcome.exit_code == 0);
  const auto& out = world.sink.out;
  CHECK_MESSAGE(out.find("CapEff:\t0000000000000000") != std::string::npos, out);
  CHECK_MESSAGE(out.find("NoNewPrivs:\t1") != std::string::npos, out);
  CHECK_MESSAGE(out.find("wrote") == std::string::npos, out);
  CHECK_MESSAGE(out.find("userns") == std::string::npos, out);
  CHECK_MESSAGE(out.find("mounted") == std::string::npos, out);
}

TEST_CASE("a container runs as the image's user, with its groups") {
  World world("container");
  if (!world.usable()) return;
  struct Row {
    std::string user, ids;
  };
  for (const auto& [user, ids] :
       {Row{"", "0 0"}, Row{"root", "0 0"}, Row{"bench", "1234 2345"}, Row{"1234", "1234 2345"}, Row{"4321", "4321 0"},
        Row{"bench:staff", "1234 50"}, Row{"4321:8765", "4321 8765"}}) {
    CAPTURE(user);
    world.sink.out.clear();
    Request request;
    request.user = user;
    const auto outcome =
        need(world.shell("echo $(id -u) $(id -g); touch /tmp/mine && ! touch /data/x 2>/dev/null || "
                         "[ $(id -u) = 0 ]",
                         request));
    CHECK(world.sink.out == ids + "\n");
    CHECK_MESSAGE(outcome.exit_code == 0, world.sink.err);
  }
  Request request;
  request.user = "nobody-here";
  const auto outcome = world.shell("true", request);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().message().find("nobody-here") != std::string::npos);
}

TEST_CASE("files in a container's /tmp can be collected, and links in the image mislead no mount") {
  World world("container");
  if (!world.usable()) return;
  fs::create_symlink("/job", world.root() / "tmp");
  fs::create_symlink("/etc", world.root() / "dev");
  Request request;
  request.file_paths = {"/tmp/result.json"};
  const auto outcome = need(world.shell("echo {} > /tmp/result.json; ls /job; echo x >/dev/null", request));
  CHECK(world.sink.out.empty());
  CHECK(outcome.files == std::map<std::string, std::string>{{"/tmp/result.json", "{}\n"}});
}

TEST_CASE("nothing of an image's environment steers the sandbox itself") {
  World world("container");
  if (!world.usable()) return;
  Request request;
  request.env = {{"LD_PRELOAD", "/absent.so"}, {"PATH", "/bin"}, {"LD_DEBUG", "all"}};
  const auto outcome = need(world.shell("echo ran", request));
  CHECK(outcome.exit_code == 0);
  CHECK(world.sink.out == "ran\n");
  CHECK(world.sink.err.empty());
}

TEST_CASE("a sandbox of no known name is refused") {
  TempDir dir;
  CHECK(make("docker", {.work_dir = dir / "work"}).error().code() == Errc::invalid_argument);
  CHECK(names() == std::vector<std::string_view>{"process", "container", "microvm"});
}

TEST_CASE("a microVM without its kernel says what to do") {
  TempDir dir;
  for (const char* name : {"firecracker", "microvm"}) {
    const auto made = make(name, {.work_dir = dir / "work", .cache_dir = dir / "cache", .kernel = dir / "vmlinuz-0"});
    REQUIRE_FALSE(made);
    CHECK(made.error().code() == Errc::unavailable);
    CHECK(made.error().message().find("microVM") != std::string::npos);
  }
}

TEST_CASE("a job gets the sandbox of its spec, else the runner's choice, and never less than the floor") {
  struct Row {
    std::string asked, choice, floor, best, expected;
  };
  for (const auto& [asked, choice, floor, best, expected] :
       {Row{"", "auto", "container", "container", "container"}, Row{"", "auto", "container", "microvm", "microvm"},
        Row{"", "auto", "microvm", "container", "microvm"}, Row{"", "process", "process", "container", "process"},
        Row{"", "microvm", "process", "container", "microvm"}, Row{"", "process", "container", "container", ""},
        Row{"firecracker", "process", "process", "container", "microvm"},
        Row{"firecracker", "auto", "container", "container", "microvm"},
        Row{"process", "container", "container", "container", "container"},
        Row{"process", "container", "process", "container", "process"}, Row{"jail", "auto", "process", "container", ""},
        Row{"", "jail", "process", "container", ""}, Row{"", "auto", "jail", "container", ""}}) {
    CAPTURE(asked);
    CAPTURE(choice);
    CAPTURE(floor);
    const auto name = choose(asked, choice, floor, best);
    if (expected.empty())
      CHECK(name.error().code() == Errc::invalid_argument);
    else
      CHECK(name.value() == expected);
  }
}
