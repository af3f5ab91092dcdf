// Which processors programs run on.
#include <thread>

#include <doctest/doctest.h>

#include "lib/sandbox/cgroup.hpp"
#include "lib/sandbox/engine.hpp"
#include "tests/sandbox/world.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using namespace bencher::sandbox::test;

namespace {

/// What a line of a status file says after its name and colon; `status` is any path to one.
std::string allowed(const std::string& status) {
  std::ifstream in(status);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("Cpus_allowed_list:\t")) return line.substr(19);
  return {};
}

/// Empty when it is gone, as files of processes may be.
std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool two_processors() {
  if (std::thread::hardware_concurrency() >= 2) return true;
  MESSAGE("SKIPPED: one processor");
  return false;
}

}  // namespace

TEST_CASE("a program and what it starts run on the processors that are given, and the runner does not") {
  if (!two_processors()) return;
  const auto ours = allowed("/proc/self/status");
  for (const std::string name : {"process", "container"}) {
    CAPTURE(name);
    World world(name, {1});
    if (!world.usable()) continue;
    need(world.shell("cat /proc/self/status; sh -c 'cat /proc/self/status'"));
    std::size_t count = 0;
    for (std::size_t at = 0; (at = world.sink.out.find("Cpus_allowed_list:\t1\n", at)) != std::string::npos; ++at)
      ++count;
    CHECK_MESSAGE(count == 2, world.sink.out);
    CHECK(world.sink.warnings.find("cores") == std::string::npos);
  }
  CHECK(allowed("/proc/self/status") == ours);
}

TEST_CASE("a program that may use more cores than there are to give runs on all, with a warning") {
  World world("process", {1});
  world.machine.cpu = 2;
  need(world.shell("cat /proc/self/status"));
  CHECK(world.sink.out.find("Cpus_allowed_list:\t" + allowed("/proc/self/status") + "\n") != std::string::npos);
  CHECK(world.sink.warnings.find("of its own there are 1") != std::string::npos);
}

TEST_CASE("a control group divides processors, or says that it does not") {
  if (!two_processors()) return;
  auto made = Cgroup::create(Machine{}, {.cpus = {1}});
  if (!made) return;
  CHECK((made->partition().empty() || made->partition() == "member" || made->partition() == "root" ||
         made->partition() == "isolated"));
  // A second one for the same processors takes nothing from the first, and both can be entered.
  auto second = Cgroup::create(Machine{}, {.cpus = {1}});
  REQUIRE(second);
  CHECK(made->entrances().size() == second->entrances().size());
  CHECK(Cgroup::create(Machine{}, {.cpus = {4000}})->partition().empty());
  CHECK(Cgroup::create(Machine{})->partition().empty());
}

TEST_CASE("a machine's processors are threads that are placed one by one, its other threads on the last") {
  if (!two_processors()) return;
  World world("microvm", {1, 0});
  if (!world.usable()) return;
  std::map<std::string, std::string> threads;
  world.sink.on_output = [&] {
    if (!threads.empty()) return;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      if (!text_of(entry.path() / "comm").starts_with("qemu")) continue;
      if (text_of(entry.path() / "status").find("PPid:\t" + std::to_string(getpid()) + "\n") == std::string::npos)
        continue;
      for (const auto& task : fs::directory_iterator(entry.path() / "task"))
        threads[text_of(task.path() / "comm")] = allowed((task.path() / "status").string());
    }
  };
  need(world.shell("echo up; sleep 0.2"));
  REQUIRE_FALSE(threads.empty());
  bool found = false;
  for (const auto& [name, cpus] : threads) {
    CAPTURE(name);
    found = found || name.starts_with("CPU 0");
    CHECK(cpus == (name.starts_with("CPU 0") ? "1" : "0"));
  }
  CHECK(found);
}
