// What only a virtual machine has. Each run takes a second or two: few cases, which look at much.
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/sandbox/world.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using namespace bencher::sandbox::test;

namespace {

/// The status file of this process's QEMU.
std::string engine_status() {
  const std::string parent = "PPid:\t" + std::to_string(getpid()) + "\n";
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "status");
    std::ostringstream out;
    out << in.rdbuf();
    const auto text = std::move(out).str();
    if (text.starts_with("Name:\tqemu") && text.find(parent) != std::string::npos) return text;
  }
  return {};
}

}  // namespace

TEST_CASE("a program in a microVM is alone with its image, has no way to the channels, and no power over the machine") {
  World world("microvm");
  if (!world.usable()) return;
  // Links that would lead a mount of the guest's init elsewhere.
  fs::create_symlink("/etc", world.root() / "dev");
  fs::create_symlink("/job", world.root() / "tmp");
  std::string engine;
  world.sink.on_output = [&] {
    if (engine.empty()) engine = engine_status();
  };
  Request request;
  request.file_paths = {"/tmp/result.json", "/proc/self/mem", "/dev/zero"};
  const auto outcome =
      need(world.shell("echo $(ls /); hostname; echo $(ls /dev); echo $(id -u) $(id -g); grep -c : /proc/net/dev;"
                       "ls /dev/vd* /dev/vport* 2>/dev/null; "
                       "for f in /proc/1/fd/*; do (: >$f) 2>/dev/null && echo reached $f; head -c 1 $f 2>/dev/null; "
                       "done; ls /etc/null /job/result.json 2>/dev/null;"
                       "mount -t tmpfs x /job && echo mounted; mount -t devtmpfs x /job && echo mounted;"
                       "unshare -U true && echo userns; echo c >/proc/sysrq-trigger && echo sysrq;"
                       "for f in kernel/hostname kernel/core_pattern vm/swappiness; do "
                       "cat /proc/sys/$f > /tmp/v && cat /tmp/v > /proc/sys/$f && echo wrote $f; done;"
                       "kill -9 1; echo {} >/tmp/result.json; exec >&- 2>&-; exit 4",
                       request));
  CHECK_MESSAGE(world.sink.out ==
                    "bin data dev etc job proc run sys tmp\nbench\n"
                    "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n0 0\n1\n",
                world.sink.out << world.sink.err);
  CHECK(outcome.exit_code == 4);
  CHECK(outcome.files == std::map<std::string, std::string>{{"/tmp/result.json", "{}\n"}});
  // The machine's own process is fenced in, too.
  CHECK_MESSAGE(engine.find("Seccomp:\t2") != std::string::npos, engine);
  CHECK(engine.find("NoNewPrivs:\t1") != std::string::npos);
  if (geteuid() == 0) {
    CHECK(engine.find("Uid:\t65534\t65534\t65534\t65534") != std::string::npos);
    CHECK(engine.find("CapEff:\t0000000000000000") != std::string::npos);
  }
  CHECK(engine_status().empty());
}

TEST_CASE("a microVM runs as the image's user, with a network when that is asked for, from a disk that is made once") {
  World world("microvm");
  if (!world.usable()) return;
  Request request;
  request.user = "bench";
  request.image_digest = "sha256:" + std::string(64, 'a');
  request.env = {{"LD_PRELOAD", "/absent.so"}, {"PATH", "/bin"}};
  world.machine.network = true;
  world.machine.cpu = 2;
  const std::string script =
      "echo $(id -u) $(id -g) $(id -G); grep -c : /proc/net/dev; cat /etc/resolv.conf; touch /tmp/mine;"
      "touch /data/x 2>/dev/null && echo wrote; grep CapBnd /proc/self/status; ls /data";
  need(world.shell(script, request));
  const auto first = world.sink.out;
  CHECK_MESSAGE(first.starts_with("1234 2345 2345 777\n2\nnameserver 10.0.2.3\nCapBnd:\t"), first << world.sink.err);
  CHECK(first.ends_with("\nkept\n"));
  // It is not looked at again, only its digest.
  write_file(world.root() / "data/later", "x");
  world.sink.out.clear();
  need(world.shell(script, request));
  CHECK(world.sink.out == first);
}
