// How a runner stops: the real server, the real runner, real signals.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

const std::string script = R"(echo up >&2; read line < "$GATE"; echo '{"bench":{"latency":{"value":42}}}')";

/// A runner with a job that waits at a gate.
struct Busy {
  explicit Busy(const std::string& protocol) : gate(world.dir / "gate") {
    world.add_runner();
    world.push_script("v1", script);
    runner = world.start_runner("runner-one", "process", {"--protocol", protocol, "--reconnect-delay", "0"});
    job = start_job();
    world.follow(job, [](const json::object& line) { return line.at("event") == "log"; });
  }
  std::string start_job() {
    return World::must(world.run_image("bench:v1", {{"env", json::object{{"GATE", gate.path()}}}}), 201).str("/job");
  }
  Reply shown(const std::string& which) { return world.admin.get("/v0/projects/bench/jobs/" + which); }

  World world;
  Gate gate;
  std::unique_ptr<ChildProcess> runner;
  std::string job;
};

}  // namespace

TEST_SUITE("apps/drain") {
  TEST_CASE("a runner that is asked to stop ends and delivers its job, takes no other, and exits with 0") {
    for (const char* protocol : {"jobs", "channel"}) {
      for (const int signal : {SIGTERM, SIGINT}) {
        CAPTURE(protocol);
        CAPTURE(signal);
        Busy busy(protocol);
        const auto next = busy.start_job();
        busy.runner->signal(signal);
        busy.runner->line("stopping after this job");
        CHECK(busy.shown(busy.job).str("/status") == "running");
        busy.gate.let_through();
        CHECK(busy.runner->wait() == 0);
        INFO(busy.runner->text());
        CHECK(busy.shown(busy.job).str("/status") == "processed");
        CHECK(busy.shown(next).str("/status") == "pending");
      }
    }
  }

  TEST_CASE("a runner that is asked twice aborts its job, reports it as failed, and exits") {
    for (const char* protocol : {"jobs", "channel"}) {
      CAPTURE(protocol);
      Busy busy(protocol);
      busy.runner->signal(SIGTERM);
      busy.runner->line("stopping after this job");
      busy.runner->signal(SIGINT);
      CHECK(busy.runner->wait() == 0);
      INFO(busy.runner->text());
      const auto shown = busy.shown(busy.job);
      CHECK(shown.str("/status") == "failed");
      CHECK(shown.str("/output/error").find("stopped") != std::string::npos);
      // Nothing of it is left on the machine.
      CHECK(std::filesystem::is_empty(busy.world.dir / "work-runner-one/runs"));
    }
  }

  TEST_CASE("a runner that waits for jobs stops at once") {
    for (const char* protocol : {"jobs", "channel"}) {
      CAPTURE(protocol);
      World world;
      world.add_runner();
      auto runner = world.start_runner("runner-one", "process", {"--protocol", protocol});
      runner->line("Polling for jobs");
      const auto before = std::chrono::steady_clock::now();
      runner->signal(SIGTERM);
      CHECK(runner->wait() == 0);
      CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    }
  }

  TEST_CASE("a runner that stops while the server is away gives its result up in bounded time when asked twice") {
    Busy busy("channel");
    CHECK(busy.world.server.stop() == 0);
    busy.runner->line("connecting again");
    busy.runner->signal(SIGTERM);
    busy.runner->line("stopping after this job");
    busy.runner->signal(SIGTERM);
    busy.runner->line("aborted");
    busy.world.server.start();
    CHECK(busy.runner->wait() == 0);
    CHECK(busy.shown(busy.job).str("/status") == "failed");
  }
}
