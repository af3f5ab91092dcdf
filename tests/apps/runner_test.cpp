// The runner's own commands, without a server.
#include <doctest/doctest.h>

#include "tests/support/image.hpp"
#include "tests/support/process.hpp"

using namespace bencher::test;

TEST_SUITE("apps/runner") {
  const std::string program = std::string(BENCHER_BIN_DIR) + "/bencher-runner";

  TEST_CASE("check has a line for each thing that sandboxes need, with a remedy for what is missing") {
    TempDir dir;
    ChildProcess check({program, "check", "--sandbox", "process", "--acceleration", "tcg", "--kernel",
                        (dir / "vmlinuz-0").string(), "--cache-dir", (dir / "cache").string()});
    CHECK(check.wait() == 0);
    const auto text = check.text();
    INFO(text);
    for (const char* line :
         {"microvm       no ", "\n  qemu  ", "\n  firecracker ", "\n  kvm         no ", "\n  kernel      no ",
          "\n  mksquashfs ", "\n  mke2fs ", "\ncontainer ", "\n  bwrap ", "\n  cgroups ", "\nprocess       yes ",
          "\ncores ", "\ntuning ", "\n  quiet ", "\n  noise "})
      CHECK_MESSAGE(text.find(line) != std::string::npos, line);
    CHECK(text.find("scripts/fetch-kernel") != std::string::npos);
    CHECK(text.find("--sandbox process means process here") != std::string::npos);
  }

  TEST_CASE("check fails when the sandbox that is asked for is not there") {
    TempDir dir;
    ChildProcess check({program, "check", "--sandbox", "microvm", "--acceleration", "tcg", "--kernel",
                        (dir / "vmlinuz-0").string(), "--cache-dir", (dir / "cache").string()});
    CHECK(check.wait() == 1);
  }

  TEST_CASE("a choice below the floor is refused at the start") {
    TempDir dir;
    ChildProcess up({program, "up", "--runner", "one", "--key", "k", "--sandbox", "container", "--sandbox-floor",
                     "microvm", "--work-dir", (dir / "work").string()});
    CHECK(up.wait() == 1);
    CHECK(up.text().find("less than the least allowed, 'microvm'") != std::string::npos);
  }

  TEST_CASE("a machine is tuned while a runner lives, and as before after its end, a killed one's too") {
    const auto value = [] { return read_file("/proc/sys/vm/swappiness"); };
    const auto before = value();
    TempDir dir;
    const auto start = [&](const std::string& work, const std::vector<std::string>& more) {
      // Only what no other program of this machine notices; the server is never there.
      std::vector<std::string> command{program,      "up",
                                       "--runner",   "one",
                                       "--key",      "k",
                                       "--host",     "http://127.0.0.1:1",
                                       "--work-dir", (dir / work).string(),
                                       "--sandbox",  "process",
                                       "--aslr",     "--smt",
                                       "--turbo",    "--no-irq-steering"};
      command.insert(command.end(), more.begin(), more.end());
      return std::make_unique<ChildProcess>(command);
    };
    {
      auto runner = start("one", {"--swappiness", "57"});
      runner->line("jobs run in the sandbox");
      if (runner->text().find(" tuned knob=swappiness") == std::string::npos) {
        MESSAGE("SKIPPED: this machine lets nobody tune it, or somebody else does");
        return;
      }
      CHECK(value() == "57\n");
      auto second = start("two", {"--swappiness", "56"});
      second->line("another runner");
      CHECK(value() == "57\n");
      runner->signal(SIGTERM);
      CHECK(runner->wait() == 0);
      CHECK(value() == before);
    }
    {
      auto runner = start("one", {"--swappiness", "55"});
      runner->line("jobs run in the sandbox");
      CHECK(value() == "55\n");
      runner->signal(SIGKILL);
      CHECK(runner->wait() == 128 + SIGKILL);
      CHECK(value() == "55\n");
      auto next = start("two", {"--no-tuning"});
      next->line("did not end in order");
      CHECK(value() == before);
    }
    ChildProcess wrong({program, "up", "--runner", "one", "--key", "k", "--swappiness", "201"});
    CHECK(wrong.wait() == 2);
  }
}
