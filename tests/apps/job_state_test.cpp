// Jobs when things go wrong: retries, rotated keys, archived runners, odd claims, messages that are too long.
#include <future>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/runner_channel.hpp"

using namespace bencher::test;

namespace {

const std::string one_metric = R"({"bench":{"latency":{"value":42}}})";

json::object completed(const std::string& job) {
  return {{"event", "completed"},
          {"job", job},
          {"results", json::array{json::object{{"exit_code", 0}, {"stdout", one_metric}}}}};
}

}  // namespace

TEST_SUITE("apps/job state") {
  TEST_CASE("a failed job is tried again by its user, and its report gets the new job's results") {
    World world;
    world.add_runner();
    world.push_script("v1", "test -e \"$MARK\" && echo '" + one_metric + "'");
    auto runner = world.start_runner();
    const auto mark = world.dir / "mark";
    const auto report = world.run_image("bench:v1", {{"env", json::object{{"MARK", mark.string()}}}});
    const auto first = job_of(report);
    const auto jobs = std::string("/v0/projects/bench/jobs/");
    CHECK(world.ended(first).str("/status") == "failed");
    std::ofstream(mark) << "now";
    const auto again = World::must(world.admin.post(jobs + first + "/retry", json::object()), 201);
    const auto second = again.str("/uuid");
    CHECK(second != first);
    CHECK(again.str("/status") == "pending");
    CHECK(world.ended(second).str("/status") == "processed");
    CHECK(world.admin.post(jobs + first + "/retry", json::object()).status == 409);
    CHECK(world.admin.post(jobs + second + "/retry", json::object()).status == 409);
    const auto shown = world.admin.get("/v0/projects/bench/reports/" + report.str("/uuid"));
    CHECK(shown.str("/job") == second);
    CHECK(shown.at("/results/0").as_array().size() == 1);
    CHECK(world.server.client().post(jobs + first + "/retry", json::object()).status == 401);
  }

  TEST_CASE("a job's times are stored in order, and a waiting job has its place in the queue") {
    World world;
    world.add_runner();
    world.push_script("v1", "echo '" + one_metric + "'");
    const auto first = job_of(world.run_image("bench:v1")), second = job_of(world.run_image("bench:v1"));
    const auto list = world.admin.get("/v0/projects/bench/jobs?sort=created&direction=asc");
    CHECK(list.at("/0/position") == 1);
    CHECK(list.at("/1/position") == 2);
    auto runner = world.start_runner();
    world.ended(first);
    const auto job = world.ended(second);
    std::string before;
    for (const auto* stage : {"queued", "claimed", "ran", "processed"}) {
      const auto at = job.str(std::string("/times/") + stage);
      CHECK(at.size() == 24);
      CHECK(at >= before);
      before = at;
    }
    CHECK_FALSE(job.body.as_object().contains("position"));
  }

  TEST_CASE("poll timeouts are brought to 1 to 60 seconds, and what is no number is refused") {
    World world;
    world.add_runner();
    world.push_script("v1", "true");
    auto client = world.server.client(world.runner_keys.at("runner-one"));
    for (const int timeout : {0, 61, 900}) {
      const auto job = job_of(world.run_image("bench:v1"));
      const auto claimed = client.post("/v0/runners/runner-one/jobs", {{"poll_timeout", timeout}});
      CHECK(claimed.str("/uuid") == job);
      CHECK(client.patch("/v0/runners/runner-one/jobs/" + job, {{"status", "failed"}, {"error", "x"}}).status == 200);
    }
    CHECK(client.post("/v0/runners/runner-one/jobs", {{"poll_timeout", 0}}).body.is_null());
    for (const json::value& wrong : {json::value(-1), json::value("5"), json::value(1.5)})
      CHECK(client.post("/v0/runners/runner-one/jobs", {{"poll_timeout", wrong}}).status == 400);
  }

  TEST_CASE("a key that is rotated while a job runs ends its channels, and the new key reports the job") {
    World world;
    world.add_runner();
    world.push_script("v1", "true");
    const auto old = world.runner_keys.at("runner-one");
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    RunnerChannel channel(world, "runner-one", job, old), idle(world, "runner-one", "", old);
    channel.send({{"event", "running"}});
    CHECK(channel.event() == "ack");
    idle.send({{"event", "ready"}, {"poll_timeout", 1}});
    CHECK(idle.event() == "no_job");
    const auto key = World::must(world.admin.post("/v0/runners/runner-one/key", json::object()), 201).str("/key");
    CHECK(channel.next() == R"(closed 1008 "key_rotated")");
    CHECK(idle.next() == R"(closed 1008 "key_rotated")");
    RunnerChannel refused(world, "runner-one", job, old);
    CHECK(refused.next() == "refused 401");
    RunnerChannel next(world, "runner-one", job, key);
    next.send({{"event", "running"}});
    CHECK(next.event() == "ack");
    next.send(completed(job));
    CHECK(next.event() == "ack");
    CHECK(world.ended(job).str("/status") == "processed");
  }

  TEST_CASE("of keys that are rotated at the same time exactly one works") {
    World world;
    world.add_runner();
    std::vector<std::future<std::string>> rotations;
    for (int i = 0; i < 8; ++i)
      rotations.push_back(std::async(std::launch::async, [&world] {
        auto admin = world.server.client(world.admin.token());
        return World::must(admin.post("/v0/runners/runner-one/key", json::object()), 201).str("/key");
      }));
    int working = 0;
    for (auto& rotation : rotations) {
      const auto key = rotation.get();
      RunnerChannel channel(world, "runner-one", "", key);
      channel.send({{"event", "ready"}, {"poll_timeout", 1}});
      working += channel.next() == R"({"event":"no_job"})" ? 1 : 0;
    }
    CHECK(working == 1);
  }

  TEST_CASE("a runner that is archived while its job runs is cut off, and the job fails when its time is over") {
    World world(R"({"plus":{"runners":{"heartbeat_timeout":1}}})");
    world.add_runner();
    world.push_script("v1", "true");
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    RunnerChannel channel(world, "runner-one", job, world.runner_keys.at("runner-one"));
    channel.send({{"event", "running"}});
    CHECK(channel.event() == "ack");
    World::must(world.admin.patch("/v0/runners/runner-one", {{"archived", true}}), 200);
    CHECK(channel.next() == R"(closed 1008 "runner_archived")");
    CHECK(world.ended(job).str("/status") == "failed");
  }

  TEST_CASE("a message over the limit ends the channel, and the job goes on over the next one") {
    World world;
    world.add_runner();
    world.push_script("v1", "true");
    const auto& key = world.runner_keys.at("runner-one");
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    RunnerChannel channel(world, "runner-one", job, key);
    channel.send({{"event", "running"}});
    CHECK(channel.event() == "ack");
    channel.send({{"event", "log"}, {"stream", "stdout"}, {"offset", 0}, {"data", std::string(5 << 20, 'x')}});
    CHECK(channel.next().starts_with("closed 1009"));
    CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "running");
    RunnerChannel next(world, "runner-one", job, key);
    next.send({{"event", "running"}});
    CHECK(next.event() == "ack");
    next.send(completed(job));
    CHECK(next.event() == "ack");
    CHECK(world.ended(job).str("/status") == "processed");
  }
}
