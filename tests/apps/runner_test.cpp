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
          "\n  mksquashfs ", "\n  mke2fs ", "\ncontainer ", "\n  bwrap ", "\n  cgroups ", "\nprocess       yes "})
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
}
