// The runner's own commands, without a server.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

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

  TEST_CASE("the key is neither on the process list, nor in the environment, nor in the log") {
    TempDir dir;
    const std::string key = "bencher_runner_" + std::string(30, 'k');
    write_file(dir / "key", key + "\n");
    std::filesystem::permissions(dir / "key", std::filesystem::perms(0600));
    write_file(dir / "runner.json", R"({"runner": "one", "sandbox": "process", "host": "http://127.0.0.1:9",)"
                                    "\n\"work_dir\": \"" +
                                        (dir / "work").string() + "\", \"cache_dir\": \"" + (dir / "cache").string() +
                                        "\"}");
    const std::vector<std::string> up{program, "up", "--no-tuning", "--config", (dir / "runner.json").string()};
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.begin(), up.begin(), up.end());
      return more;
    };
    const std::pair<std::vector<std::string>, ChildProcess::Env> ways[] = {
        {with({"--key-file", (dir / "key").string()}), {}},
        {up, {{"BENCHER_RUNNER_KEY_FILE", (dir / "key").string()}}},
        {up, {{"BENCHER_RUNNER_KEY", key}}},
        {with({"--key", key}), {}},
        {with({"--key=" + key}), {}},
    };
    for (const auto& [command, env] : ways) {
      ChildProcess runner(command, env);
      // The key was read: nobody listens there.
      runner.line("cannot claim a job");
      const auto proc = "/proc/" + std::to_string(runner.pid()) + "/";
      CHECK(read_file(proc + "cmdline").find(key) == std::string::npos);
      CHECK(read_file(proc + "environ").find(key) == std::string::npos);
      runner.signal(SIGTERM);
      CHECK(runner.wait() == 0);
      CHECK(runner.text().find(key) == std::string::npos);
    }
  }

  TEST_CASE("flags count more than the environment, and that more than the file, whose mistakes are named by line") {
    TempDir dir;
    write_file(dir / "runner.json", "{\n  \"sandbox\": \"microvm\",\n  \"runner\": \"from file\"\n}");
    const auto config = (dir / "runner.json").string();
    ChildProcess file({program, "up", "--key", "k"}, {{"BENCHER_RUNNER_CONFIG", config}});
    CHECK(file.wait() == 2);
    CHECK(file.text().find("'from file' is not a runner") != std::string::npos);
    ChildProcess variable({program, "up", "--key", "k", "--config", config}, {{"BENCHER_RUNNER", "from variable"}});
    CHECK(variable.wait() == 2);
    CHECK(variable.text().find("'from variable' is not a runner") != std::string::npos);
    ChildProcess flag({program, "up", "--key", "k", "--config", config, "--runner", "from flag"},
                      {{"BENCHER_RUNNER", "from variable"}});
    CHECK(flag.wait() == 2);
    CHECK(flag.text().find("'from flag' is not a runner") != std::string::npos);
    write_file(dir / "runner.json", "{\n  \"hots\": \"x\"\n}");
    ChildProcess wrong({program, "up", "--key", "k", "--config", config});
    CHECK(wrong.wait() == 2);
    CHECK(wrong.text().find("line 2: unknown key 'hots'") != std::string::npos);
    ChildProcess keyless({program, "up", "--runner", "one"});
    CHECK(keyless.wait() == 2);
    CHECK(keyless.text().find("--key-file") != std::string::npos);
  }

  TEST_CASE("run takes a layout and says what the program says, file by file, iteration by iteration") {
    TempDir dir;
    Layout layout(dir / "layout");
    Tar tar;
    tar.folder("bin").file("bin/busybox", read_file("/bin/busybox"), 0755).link("bin/sh", "busybox");
    tar.folder("tmp", 01777);
    const auto digest = layout.image({tar.str()}, R"("Entrypoint":["/bin/sh","-c"],"Env":["PATH=/bin","A=image"])");
    const std::vector<std::string> base{
        program,   "run",        "--no-tuning",          "--image", (dir / "layout").string(), "--sandbox",
        "process", "--work-dir", (dir / "work").string()};
    const auto run = [&](std::vector<std::string> more, int code) {
      more.insert(more.begin(), base.begin(), base.end());
      ChildProcess child(more);
      CHECK(child.wait() == code);
      return child.text();
    };
    const auto said = run({"--iter", "2", "--env", "A=flag", "--env", "B=b", "--output", "/tmp/out", "--cmd",
                           "echo $A $B; echo text > tmp/out"},
                          0);
    CHECK(said.find("flag b") != std::string::npos);
    CHECK(said.find("flag b") != said.rfind("flag b"));
    CHECK(run({"--cmd", "exit 3"}, 1).find("exit code 3") != std::string::npos);
    CHECK(run({"--cmd", "exit 3", "--allow-failure", "--iter", "2"}, 0).find("Error") == std::string::npos);
    CHECK(run({"--cmd", "echo never", "--iter", "0"}, 0).find("never") == std::string::npos);
    CHECK(run({"--cmd", "busybox sleep 100", "--timeout", "1", "--grace-period", "1"}, 1).find("timed out") !=
          std::string::npos);
    CHECK(run({"--entrypoint", "/bin/busybox", "echo", "--cmd", "entry"}, 0).find("entry") != std::string::npos);
    CHECK(run({"--env", "novalue", "--cmd", "true"}, 1).find("KEY=VALUE") != std::string::npos);
    ChildProcess absent(
        {program, "run", "--image", "./absent", "--sandbox", "process", "--work-dir", (dir / "work").string()});
    CHECK(absent.wait() == 1);
    CHECK(absent.text().find("does not exist") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(dir / "work/job"));
  }

  TEST_CASE("run takes an image of a registry, by tag or digest, with a token") {
    World world;
    const auto digest = world.push_script("v1", "echo from the registry");
    const auto token = world.registry_token("repository:bench:pull");
    const auto run = [&](const std::string& image, const std::string& with) {
      std::vector<std::string> command{program,
                                       "run",
                                       "--no-tuning",
                                       "--image",
                                       image,
                                       "--sandbox",
                                       "process",
                                       "--work-dir",
                                       (world.dir / "work").string(),
                                       "--cache-dir",
                                       (world.dir / "cache").string()};
      if (!with.empty()) command.insert(command.end(), {"--token", with});
      auto child = std::make_unique<ChildProcess>(command);
      const int code = child->wait();
      return std::pair(code, child->text());
    };
    const auto name = world.server.registry() + "/bench";
    for (const auto& image : {name + ":v1", name + "@" + digest}) {
      const auto [code, text] = run(image, token);
      INFO(text);
      CHECK(code == 0);
      CHECK(text.find("from the registry") != std::string::npos);
    }
    CHECK(run(name + ":v2", token).second.find("404") != std::string::npos);
    CHECK(run(name + ":v1", "wrong").second.find("401") != std::string::npos);
  }

  TEST_CASE("the units for systemd are what systemd takes") {
    if (!std::filesystem::exists("/usr/bin/systemd-analyze")) {
      MESSAGE("skipped: systemd-analyze is not installed");
      return;
    }
    TempDir dir;
    for (const std::string name : {"bencher-runner", "bencher-server"}) {
      auto unit = read_file(std::string(BENCHER_SOURCE_DIR) + "/tools/systemd/" + name + ".service");
      const std::string installed = "/usr/bin/" + name;
      const auto at = unit.find(installed);
      REQUIRE(at != std::string::npos);
      unit.replace(at, installed.size(), std::string(BENCHER_BIN_DIR) + "/" + name);
      write_file(dir / (name + ".service"), unit);
      ChildProcess verify({"systemd-analyze", "verify", "--man=no", (dir / (name + ".service")).string()});
      CHECK(verify.wait() == 0);
      CHECK(verify.text() == "");
    }
  }
}
