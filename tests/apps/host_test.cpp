// What a report says of the machine that its job ran on.
#include <doctest/doctest.h>

#include "tests/support/runner_channel.hpp"
#include "tests/support/world.hpp"

using namespace bencher::test;

TEST_SUITE("apps/host") {
  TEST_CASE("the report of a job says what machine it ran on, other reports say nothing") {
    World world;
    world.add_runner();
    world.push_script("v1", R"(echo '{"bench":{"latency":{"value":1}}}')");
    auto runner = world.start_runner();
    const auto report = World::must(world.run_image("bench:v1"), 201);
    CHECK(world.ended(report.str("/job")).str("/status") == "processed");
    const auto shown = world.admin.get("/v0/projects/bench/reports/" + report.str("/uuid"));
    REQUIRE_MESSAGE(shown.body.as_object().contains("host"), shown.text);
    CHECK(shown.at("/host/cores").as_int64() > 0);
    CHECK(shown.at("/host/noise/samples").as_int64() > 10);
    CHECK(shown.at("/host/noise/noisy").is_bool());
    CHECK(shown.at("/host/tuning").as_array().empty());
    CHECK_FALSE(shown.str("/host/kernel").empty());
    const auto list = world.admin.get("/v0/projects/bench/reports");
    CHECK_FALSE(list.at("/0").as_object().contains("host"));
  }

  TEST_CASE("what a runner says of its machine is taken once, when it is an object of a sensible size") {
    World world;
    world.add_runner();
    world.push_script("v1", "true");
    const auto& key = world.runner_keys.at("runner-one");
    const auto host_of = [&](const Reply& report) {
      const auto shown = world.admin.get("/v0/projects/bench/reports/" + report.str("/uuid"));
      const auto* host = shown.body.as_object().if_contains("host");
      return host ? json::serialize(*host) : std::string();
    };
    const auto beat = [&](RunnerChannel& channel, const std::string& host) {
      channel.send_text(R"({"event":"heartbeat","host":)" + host + "}");
      CHECK(channel.event() == "ack");
    };
    const auto first = World::must(world.run_image("bench:v1"), 201);
    {
      RunnerChannel channel(world, "runner-one", "", key);
      channel.send({{"event", "ready"}, {"poll_timeout", 5}});
      CHECK(channel.event() == "job");
      for (const std::string& wrong : {std::string("null"), std::string("5"), std::string("[1]"), std::string(R"("x")"),
                                       R"({"x":")" + std::string(17'000, 'x') + R"("})"})
        beat(channel, wrong);
      CHECK(host_of(first).empty());
      beat(channel, R"({"cores": 2, "text": "</script>"})");
      CHECK(host_of(first) == R"({"cores":2,"text":"</script>"})");
      beat(channel, R"({"cores":3})");
      CHECK(host_of(first) == R"({"cores":2,"text":"</script>"})");
      channel.send({{"event", "running"}});
      CHECK(channel.event() == "ack");
      channel.send({{"event", "failed"}, {"job", first.str("/job")}, {"results", json::array()}, {"error", "x"}});
      CHECK(channel.event() == "ack");
    }
    // The older protocol's channel.
    const auto second = World::must(world.run_image("bench:v1"), 201);
    auto client = world.server.client(key);
    const auto claimed = client.post("/v0/runners/runner-one/jobs", {{"poll_timeout", 5}});
    REQUIRE(claimed.status == 200);
    RunnerChannel channel(world, "runner-one", second.str("/job"), key);
    beat(channel, R"({"cores":8})");
    CHECK(host_of(second) == R"({"cores":8})");
  }
}
