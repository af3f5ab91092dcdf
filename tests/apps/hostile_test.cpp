// A runner's life among jobs that do their worst, and what it gives away of its secrets.
#include <doctest/doctest.h>

#include "bencher/sandbox/sandbox.hpp"

#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

/// Whether a process of this machine shows that text on its command line.
bool on_a_command_line(const std::string& text) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(in), {}};
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_SUITE("apps/hostile") {
  TEST_CASE("jobs that do their worst fail with a reason, the runner takes the next, and gives no secret away") {
    TempDir dir;
    const auto usable = bencher::sandbox::make("container", {.work_dir = dir / "work"});
    if (!usable) {
      MESSAGE("SKIPPED: " << usable.error().message());
      return;
    }
    World world;
    world.add_runner();
    const auto key = world.runner_keys.at("runner-one");
    auto runner = world.start_runner("runner-one", "container", {"--key", key, "--max-output-size", "100000"});
    runner->line("jobs run in the sandbox");
    CHECK_FALSE(on_a_command_line(key));

    struct Row {
      const char* name;
      const char* script;
      const char* status;
      int code;
      const char* text;  ///< in what the job shows
    };
    const std::string metric = R"(echo '{"bench":{"latency":{"value":1}}}')";
    const auto job_of = [&](const Reply& report) { return World::must(report, 201).str("/job"); };
    for (const auto& [name, script, status, code, text] :
         {Row{"memory", "/bin/busybox dd if=/dev/zero of=/dev/null bs=400M count=1", "failed", 137, "memory"},
          Row{"spin", "trap '' TERM; while :; do :; done", "failed", 124, "timed out"},
          Row{"bomb", "trap '' TERM; bomb() { bomb | bomb & bomb; }; bomb", "failed", 0, ""},
          Row{"kill", "kill -9 -1; kill -9 1; exit 9", "failed", 9, "9"},
          Row{"flood", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 4", "failed", 4, "cut after"},
          Row{"quiet", "exec >&- 2>&-; exit 5", "failed", 5, "5"},
          Row{"disk", "head -c 400000000 /dev/zero >/tmp/x && exit 0; exit 6", "failed", 0, ""},
          Row{"secret", "cat /proc/*/environ /proc/*/cmdline; exit 8", "failed", 8, "8"}}) {
      CAPTURE(name);
      world.push_script(name, script);
      const auto job = world.ended(job_of(world.run_image("bench:" + std::string(name), {{"timeout", 2}})));
      CAPTURE(job.text.substr(0, 2000));
      CHECK(job.str("/status") == status);
      if (code) CHECK(job.at("/output/results/0/exit_code") == code);
      CHECK(job.text.find(text) != std::string::npos);
      CHECK(job.text.find("bencher_runner_") == std::string::npos);
    }
    world.push_script("fine", metric);
    CHECK(world.ended(job_of(world.run_image("bench:fine"))).str("/status") == "processed");
    runner->signal(SIGTERM);
    CHECK(runner->wait() == 0);

    for (const auto& said : {runner->text(), world.server.process().text()}) {
      CHECK(said.find(key) == std::string::npos);
      CHECK(said.find(world.user_key) == std::string::npos);
    }
    // A token begins with this, the beginning of `{"alg":` or `{"typ":` in base64.
    CHECK(runner->text().find("eyJ") == std::string::npos);
  }
}
