// Images, jobs and runners: the real server, the real runner, and skopeo as the registry's client.
#include <future>
#include <set>

#include <doctest/doctest.h>

#include "bencher/sandbox/sandbox.hpp"

#include "tests/support/runner_channel.hpp"
#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

const std::string one_metric = R"({"bench":{"latency":{"value":42}}})";
const std::string print_metric = "echo working >&2; echo '" + one_metric + "'";

bool is_event(const json::object& line, std::string_view event) {
  return std::string_view(line.at("event").as_string()) == event;
}
bool has_log(const json::object& line, std::string_view text) {
  return is_event(line, "log") && std::string_view(line.at("data").as_string()).find(text) != std::string_view::npos;
}

using Channel = RunnerChannel;

}  // namespace

TEST_SUITE("apps/job") {
  TEST_CASE("an image pushed with skopeo is run, followed live, and its results raise an alert") {
    World world;
    const auto layout = world.dir / "layout";
    ChildProcess build({"sh", std::string(BENCHER_SOURCE_DIR) + "/examples/image/build.sh", layout.string()},
                       {{"CXX", "g++"}});
    REQUIRE_MESSAGE(build.wait() == 0, build.text());
    ChildProcess skopeo({"skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "--dest-creds",
                         "ada@example.com:" + world.user_key, "oci:" + layout.string() + ":latest",
                         "docker://" + world.server.registry() + "/bench:v1"});
    REQUIRE_MESSAGE(skopeo.wait() == 0, skopeo.text());

    world.add_runner();
    auto runner = world.start_runner();
    const json::object rounds{{"env", json::object{{"BENCH_ROUNDS", "2"}}}};
    const json::object limit{
        {"thresholds", json::object{{"models", json::object{{"latency", json::object{{"test", "static"},
                                                                                     {"upper_boundary", 1.0}}}}}}}};
    // A threshold says nothing of the first values that it sees.
    CHECK(world.ended(job_of(world.run_image("bench:v1", rounds, limit))).str("/status") == "processed");
    const auto report = world.run_image("bench:v1", rounds, limit);
    const auto job = job_of(report);
    CHECK(report.at("/results").as_array().empty());

    const auto lines = world.follow(job);
    CHECK(is_event(lines.back(), "end"));
    CHECK(lines.back().at("status") == "processed");
    CHECK(World::output_of(lines, "stderr").find("running hash: 2 rounds\n") != std::string::npos);
    CHECK(json::parse(World::output_of(lines)).as_object().size() == 3);
    // The ids lead from one line to the next, and who comes back gets the rest, and only that.
    for (std::size_t i = 1; i < lines.size(); ++i)
      CHECK(lines[i].at("id").as_int64() > lines[i - 1].at("id").as_int64());
    const auto middle = lines.size() / 2;
    const auto rest = world.follow(job, {}, static_cast<std::uint64_t>(lines[middle].at("id").as_int64()));
    REQUIRE(rest.size() == lines.size() - middle - 1);
    CHECK(rest.front() == lines[middle + 1]);

    const auto done = world.admin.get("/v0/projects/bench/reports/" + report.str("/uuid"));
    CHECK(done.at("/results/0").as_array().size() == 3);
    CHECK(done.at("/counts/alerts/active") == 3);
    CHECK(done.str("/testbed/spec/slug") == "small");
    const auto shown = world.admin.get("/v0/projects/bench/jobs/" + job);
    CHECK(shown.str("/status") == "processed");
    CHECK(shown.at("/output/results/0/exit_code") == 0);
    runner->signal(SIGTERM);
    CHECK(runner->wait() == 0);
  }

  TEST_CASE("our runner on its own channel does jobs with live output, and is canceled at once") {
    World world;
    world.add_runner();
    const Gate gate(world.dir / "gate");
    world.push_script("v1", "echo before >&2; read line < \"$GATE\"; echo $line >&2; echo '" + one_metric + "'");
    auto runner = world.start_runner("runner-one", "process", {"--protocol", "channel"});
    const json::object gated{{"env", json::object{{"GATE", gate.path()}}}, {"file_paths", json::array()}};
    const auto job = job_of(world.run_image("bench:v1", gated));
    bool live = false;
    world.follow(job, [&](const json::object& line) { return live = live || has_log(line, "before"); });
    CHECK(live);
    gate.let_through();
    const auto lines = world.follow(job);
    CHECK(lines.back().at("status") == "processed");
    CHECK(World::output_of(lines, "stderr").find("opened") != std::string::npos);
    // The next jobs come on the same channel; one is canceled.
    world.push_script("v2", "echo started; sleep 1000 & sleep 1000");
    const auto long_job = job_of(world.run_image("bench:v2"));
    world.follow(long_job, [](const json::object& line) { return has_log(line, "started"); });
    World::must(world.admin.post("/v0/projects/bench/jobs/" + long_job + "/cancel", json::object()), 200);
    world.push_script("v3", print_metric);
    const auto ended = world.ended(job_of(world.run_image("bench:v3")));
    INFO(runner->text());
    CHECK(ended.str("/status") == "processed");
    CHECK(ended.str("/output/results/0/stdout").find("latency") != std::string::npos);
    runner->signal(SIGTERM);
    CHECK(runner->wait() == 0);
  }

  TEST_CASE("a running job goes on over a restart of the server, on the runner's own channel too") {
    World world;
    world.add_runner();
    const Gate gate(world.dir / "gate");
    world.push_script("v1", "echo before >&2; read line < \"$GATE\"; echo '" + one_metric + "'");
    auto runner = world.start_runner("runner-one", "process", {"--protocol", "channel", "--reconnect-delay", "0"});
    const json::object gated{{"env", json::object{{"GATE", gate.path()}}}};
    const auto job = job_of(world.run_image("bench:v1", gated));
    world.follow(job, [](const json::object& line) { return has_log(line, "before"); });
    CHECK(world.server.stop() == 0);
    gate.let_through();
    world.server.start();
    const auto ended = world.ended(job);
    INFO(runner->text());
    CHECK(ended.str("/status") == "processed");
  }

  TEST_CASE("an output of 20 MiB arrives whole, by both protocols") {
    for (const char* protocol : {"jobs", "channel"}) {
      CAPTURE(protocol);
      World world;
      world.add_runner();
      world.push_script("v1", "head -c 20971520 /dev/zero | busybox tr '\\000' x >&2; echo '" + one_metric + "'");
      auto runner = world.start_runner("runner-one", "process", {"--protocol", protocol});
      const auto ended = world.ended(job_of(world.run_image("bench:v1")));
      INFO(runner->text());
      REQUIRE(ended.str("/status") == "processed");
      CHECK(ended.at("/output/results/0/stderr").as_string() == std::string(20971520, 'x'));
      CHECK(ended.str("/output/results/0/stdout") == one_metric + "\n");
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // which take memory of their own
      const auto status = read_file("/proc/" + std::to_string(runner->pid()) + "/status");
      CHECK(std::stoull(status.substr(status.find("VmHWM:") + 6)) < 64 * 1024);  // KiB
#endif
      runner->signal(SIGTERM);
      CHECK(runner->wait() == 0);
      // Neither side keeps what it no longer needs.
      CHECK_FALSE(std::filesystem::exists(world.dir / "work-runner-one/results"));
      for (const auto& entry : std::filesystem::directory_iterator(world.server.data() / "live"))
        CHECK(entry.path().string().find("results") == std::string::npos);
    }
  }

  TEST_CASE("a server with small messages gets larger results all the same") {
    for (const char* protocol : {"jobs", "channel"}) {
      CAPTURE(protocol);
      World world(R"({"server":{"request_body_max_bytes":100000}})");
      world.add_runner();
      world.push_script("v1", "head -c 200000 /dev/zero | busybox tr '\\000' x >&2; echo '" + one_metric + "'");
      auto runner = world.start_runner("runner-one", "process", {"--protocol", protocol, "--reconnect-delay", "0"});
      const auto ended = world.ended(job_of(world.run_image("bench:v1")));
      INFO(runner->text());
      REQUIRE(ended.str("/status") == "processed");
      CHECK(ended.at("/output/results/0/stderr").as_string().size() == 200000);
    }
  }

  TEST_CASE("uploaded results are taken from the job's runner only, within a limit, and with the terminal message") {
    World world(R"({"plus":{"runners":{"max_result_bytes":1000}}})");
    world.add_runner("one");
    world.add_runner("two");
    world.push_script("v1", print_metric);
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "one").str("/uuid") == job);
    auto one = world.server.client(world.runner_keys.at("one"));
    auto two = world.server.client(world.runner_keys.at("two"));
    const auto path = "/v0/runners/one/jobs/" + job + "/results";
    const json::object results{
        {"results", json::array{json::object{{"exit_code", 0}, {"stdout", one_metric}, {"stderr", "all of it"}}}}};
    CHECK(two.put(path, results).status == 401);
    CHECK(two.put("/v0/runners/two/jobs/" + job + "/results", results).status == 403);
    CHECK(one.put("/v0/runners/one/jobs/00000000-0000-4000-8000-000000000000/results", results).status == 404);
    const auto large = one.send("PUT", path, std::string(1001, 'x'));
    CHECK(large.status == 413);
    CHECK(large.str("/message").find("1000") != std::string::npos);

    Channel channel(world, "one", job, world.runner_keys.at("one"));
    channel.send({{"event", "running"}});
    CHECK(channel.event() == "ack");
    channel.send({{"event", "completed"}, {"uploaded", true}});
    CHECK(channel.next() == R"(closed 1008 "results_missing")");

    // What cannot be read is no result either; the last upload counts.
    CHECK(one.send("PUT", path, "{").status == 204);
    Channel again(world, "one", job, world.runner_keys.at("one"));
    again.send({{"event", "completed"}, {"uploaded", true}});
    CHECK(again.next() == R"(closed 1008 "results_missing")");
    CHECK(one.put(path, json::object{{"results", json::array()}}).status == 204);
    CHECK(one.put(path, results).status == 204);
    Channel last(world, "one", job, world.runner_keys.at("one"));
    last.send({{"event", "completed"}, {"uploaded", true}});
    CHECK(last.event() == "ack");
    CHECK(last.next() == R"(closed 1000 "job_completed")");
    const auto ended = world.ended(job);
    CHECK(ended.str("/status") == "processed");
    CHECK(ended.str("/output/results/0/stderr") == "all of it");
    CHECK(one.put(path, results).status == 409);
    for (const auto& entry : std::filesystem::directory_iterator(world.server.data() / "live"))
      CHECK(entry.path().string().find("results") == std::string::npos);
  }

  TEST_CASE("uploaded results are taken by PATCH too, and lost with the server's process") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    auto runner = world.server.client(world.runner_keys.at("runner-one"));
    const auto path = "/v0/runners/runner-one/jobs/" + job;
    const json::object results{{"results", json::array{json::object{{"exit_code", 1}, {"stderr", "all of it"}}}}};
    CHECK(runner.patch(path, {{"status", "running"}}).status == 200);
    CHECK(runner.put(path + "/results", results).status == 204);
    CHECK(world.server.stop() == 0);
    world.server.start();
    auto back = world.server.client(world.runner_keys.at("runner-one"));
    const json::object failed{{"status", "failed"}, {"uploaded", true}, {"error", "exit code 1"}};
    CHECK(back.patch(path, failed).status == 409);
    CHECK(back.put(path + "/results", results).status == 204);
    CHECK(back.patch(path, failed).str("/status") == "failed");
    CHECK(back.patch(path, failed).str("/status") == "failed");  // again: it is known
    const auto shown = world.server.client(world.admin.token()).get("/v0/projects/bench/jobs/" + job);
    CHECK(shown.str("/output/results/0/stderr") == "all of it");
    CHECK(shown.str("/output/error") == "exit code 1");
  }

  TEST_CASE("a job runs in a container, as the image's user, with no network but its own loopback") {
    World world;
    if (auto sandbox = bencher::sandbox::make("container", {.work_dir = world.dir / "probe"}); !sandbox) {
      MESSAGE("skipped: " << sandbox.error().message());
      return;
    }
    world.add_runner();
    world.push_script(
        "v1",
        "cat /proc/self/status /proc/net/dev >&2; echo x > /bin/x || echo not mine >&2; echo '" + one_metric + "'",
        R"(,"User":"1000:1000")");
    auto runner = world.start_runner("runner-one", "container");
    const auto ended = world.ended(job_of(world.run_image("bench:v1")));
    INFO(ended.text);
    INFO(runner->text());
    CHECK(ended.str("/status") == "processed");
    const auto said = ended.str("/output/results/0/stderr");
    CHECK(said.find("Uid:\t1000") != std::string::npos);
    CHECK(said.find("not mine") != std::string::npos);
    CHECK(said.find("lo:") != std::string::npos);
    CHECK(said.find("eth") == std::string::npos);
    CHECK(said.find("CapEff:\t0000000000000000") != std::string::npos);
  }

  TEST_CASE("a job whose spec says firecracker runs in a microVM, whatever the runner's own choice is") {
    World world;
    if (auto sandbox =
            bencher::sandbox::make("microvm", {.work_dir = world.dir / "probe", .cache_dir = world.dir / "cache"});
        !sandbox) {
      MESSAGE("SKIPPED, no microVM here: " << sandbox.error().message());
      return;
    }
    world.add_runner("runner-one", "firecracker");
    world.push_script("v1", "cat /proc/cmdline >&2; busybox id >&2; echo '" + one_metric + "' >/tmp/out.json",
                      R"(,"User":"1000:1000")");
    auto runner = world.start_runner("runner-one", "process",
                                     {"--acceleration", "tcg", "--cache-dir", (world.dir / "cache").string()});
    const auto ended = world.ended(job_of(world.run_image("bench:v1", {{"file_paths", json::array{"/tmp/out.json"}}})));
    INFO(ended.text);
    INFO(runner->text());
    CHECK(ended.str("/status") == "processed");
    const auto said = ended.str("/output/results/0/stderr");
    // Of our kernel's command line: it is not this machine's.
    CHECK(said.find("cryptomgr.notests") != std::string::npos);
    CHECK(said.find("uid=1000 gid=1000") != std::string::npos);
  }

  TEST_CASE("output reaches those who follow while the job runs, and who may not see it hears of states only") {
    World world;
    world.add_runner();
    const Gate gate(world.dir / "gate");
    world.push_script("v1", "echo before; read line < \"$GATE\"; echo $line >&2; echo '" + one_metric + "'");
    auto runner = world.start_runner();
    const auto job = job_of(
        world.run_image("bench:v1", {{"env", json::object{{"GATE", gate.path()}}}, {"file_paths", json::array()}}));
    bool found = false;
    world.follow(job, [&](const json::object& line) { return found = found || has_log(line, "before"); });
    CHECK(found);
    CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "running");
    gate.let_through();
    const auto lines = world.follow(job);
    CHECK(World::output_of(lines, "stderr").find("opened") != std::string::npos);
    CHECK(World::output_of(lines).starts_with("before\n"));
    const auto anonymous = world.follow(job, {}, {}, "bench", "");
    CHECK(World::output_of(anonymous).empty());
    CHECK(is_event(anonymous.back(), "end"));
  }

  TEST_CASE("a running job is canceled at once, with all that it started") {
    World world;
    world.add_runner();
    world.push_script("v1", "echo started; sleep 1000 & sleep 1000");
    auto runner = world.start_runner();
    const auto job = job_of(world.run_image("bench:v1"));
    world.follow(job, [](const json::object& line) { return has_log(line, "started"); });
    const auto before = std::chrono::steady_clock::now();
    CHECK(world.admin.post("/v0/projects/bench/jobs/" + job + "/cancel", json::object()).str("/status") == "canceled");
    CHECK(world.ended(job).str("/status") == "canceled");
    // The runner is free again: it takes and ends the next job, long before the sleep would.
    world.push_script("v2", print_metric);
    CHECK(world.ended(job_of(world.run_image("bench:v2"))).str("/status") == "processed");
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
    CHECK(world.admin.post("/v0/projects/bench/jobs/" + job + "/cancel", json::object()).status == 409);
  }

  TEST_CASE("two runners never get one job") {
    World world;
    world.add_runner("one");
    world.add_runner("two");
    world.push_script("v1", print_metric);
    // The admin's organization is free: one of its jobs at a time is claimed, whoever asks.
    std::set<std::string> jobs;
    for (int i = 0; i < 3; ++i)
      jobs.insert(job_of(world.run_image("bench:v1")));
    std::set<std::string> claimed;
    for (int round = 0; round < 3; ++round) {
      auto other = std::async(std::launch::async, [&] { return claim(world, "one"); });
      const auto mine = claim(world, "two");
      const auto theirs = other.get();
      REQUIRE(mine.status == 200);
      REQUIRE(theirs.status == 200);
      REQUIRE(mine.body.is_null() != theirs.body.is_null());
      const bool is_mine = !mine.body.is_null();
      const auto job = (is_mine ? mine : theirs).str("/uuid");
      CHECK(claimed.insert(job).second);
      auto runner = world.server.client(world.runner_keys.at(is_mine ? "two" : "one"));
      const auto path = std::string("/v0/runners/") + (is_mine ? "two" : "one") + "/jobs/" + job;
      CHECK(runner.patch(path, {{"status", "failed"}, {"error", "not today"}}).status == 200);
    }
    CHECK(claimed == jobs);
  }

  TEST_CASE("a waiting claim is answered at once when a job comes in") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    auto waiting = std::async(std::launch::async, [&] { return claim(world, "runner-one", 30); });
    // Whether the claim waits already or comes later, it gets the job.
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(waiting.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    const auto claimed = waiting.get();
    CHECK(claimed.str("/uuid") == job);
    CHECK(claimed.str("/status") == "claimed");
    CHECK(claimed.str("/config/digest").starts_with("sha256:"));
    CHECK(claimed.at("/oci_token").is_string());
  }

  TEST_CASE("a rotated runner key is dead at once, on both names of the endpoint") {
    World world;
    world.add_runner();
    const auto old = world.runner_keys.at("runner-one");
    // A valid key is told that there is no such job, any other nothing.
    const auto answer = [&](const std::string& key) {
      auto client = world.server.client(key);
      return client.patch("/v0/runners/runner-one/jobs/00000000-0000-4000-8000-000000000000", {{"status", "running"}})
          .status;
    };
    CHECK(answer(old) == 404);
    const auto second = World::must(world.admin.post("/v0/runners/runner-one/key", json::object()), 201).str("/key");
    CHECK(answer(old) == 401);
    CHECK(world.server.client(old).post("/v0/runners/runner-one/jobs", {{"poll_timeout", 1}}).status == 401);
    CHECK(answer(second) == 404);
    const auto third = World::must(world.admin.post("/v0/runners/runner-one/token", json::object()), 201).str("/token");
    CHECK(answer(second) == 401);
    CHECK(answer(third) == 404);
    // A runner that holds a dead key ends with a reason.
    auto runner = world.start_runner();
    CHECK(runner->wait() == 1);
    CHECK(runner->text().find("key") != std::string::npos);
  }

  TEST_CASE("where there are no WebSockets, a job is reported by PATCH") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto report = world.run_image("bench:v1");
    const auto job = job_of(report);
    CHECK(claim(world, "runner-one").str("/uuid") == job);
    auto runner = world.server.client(world.runner_keys.at("runner-one"));
    const auto path = "/v0/runners/runner-one/jobs/" + job;
    CHECK(runner.patch(path, {{"status", "completed"}}).status == 409);
    CHECK(runner.patch(path, {{"status", "sleeping"}}).status == 400);
    CHECK(runner.patch(path, {{"status", "running"}}).str("/status") == "running");
    CHECK(runner.patch(path, {{"status", "running"}}).str("/status") == "running");
    const json::object done{{"status", "completed"}, {"exit_code", 0}, {"stdout", one_metric}};
    const auto completed = runner.patch(path, done);
    CHECK((completed.str("/status") == "completed" || completed.str("/status") == "processed"));
    CHECK(runner.patch(path, done).status == 200);
    CHECK(runner.patch(path, {{"status", "failed"}}).status == 409);
    CHECK(world.ended(job).str("/status") == "processed");
    const auto shown = world.admin.get("/v0/projects/bench/reports/" + report.str("/uuid"));
    CHECK(shown.at("/results/0/0/measures/0/metric/value").to_number<double>() == 42.0);
    // As curl would send it: no body at all is no status.
    CHECK(runner.send("PATCH", path).status == 400);
    CHECK(world.server.client(std::string("bencher_runner_") + std::string(30, 'x')).patch(path, done).status == 401);
  }

  TEST_CASE("a server that stops closes channels with 1001, and a later one lets the job go on") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    const auto& key = world.runner_keys.at("runner-one");
    {
      Channel channel(world, "runner-one", job, key);
      channel.send({{"event", "running"}});
      CHECK(channel.event() == "ack");
      channel.send({{"event", "log"}, {"iteration", 0}, {"stream", "stdout"}, {"offset", 0}, {"data", "hello"}});
      CHECK(channel.event() == "ack");
      CHECK(world.server.stop() == 0);
      CHECK(channel.next().starts_with("closed 1001"));
    }
    world.server.start();
    auto admin = world.server.client(world.admin.token());
    CHECK(admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "running");
    Channel channel(world, "runner-one", job, key);
    channel.send({{"event", "running"}});
    CHECK(channel.event() == "ack");
    channel.send({{"event", "completed"},
                  {"job", job},
                  {"results", json::array{json::object{{"exit_code", 0}, {"stdout", one_metric}}}}});
    CHECK(channel.event() == "ack");
    CHECK(channel.next().starts_with("closed 1000"));
    CHECK(admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "processed");
  }

  TEST_CASE("a server stops at once although runners wait for jobs and people follow them, who then come back") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    auto waiting = std::async(std::launch::async, [&] { return claim(world, "runner-one", 60); });
    std::promise<void> begun;
    auto following = std::async(std::launch::async, [&] {
      bool first = true;
      return world.follow(job, [&](const json::object&) {
        if (std::exchange(first, false)) begun.set_value();
        return false;
      });
    });
    begun.get_future().wait();
    const auto before = std::chrono::steady_clock::now();
    CHECK(world.server.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    const auto lines = following.get();
    CHECK_FALSE(is_event(lines.back(), "end"));
    // Either it waited, and was told that there is no job, or it came too late.
    try {
      const auto none = waiting.get();
      CHECK(none.text == "null");
    } catch (const std::runtime_error& error) {
      CHECK(std::string(error.what()).find("connect") != std::string::npos);
    }
    world.server.start();
    auto admin = world.server.client(world.admin.token());
    World::must(admin.post("/v0/projects/bench/jobs/" + job + "/cancel", json::object()), 200);
    CHECK(is_event(world.follow(job).back(), "end"));
  }

  TEST_CASE("a real runner finishes its job over a restart of the server") {
    World world;
    world.add_runner();
    const Gate gate(world.dir / "gate");
    world.push_script("v1", "echo before >&2; read line < \"$GATE\"; echo $line >&2; echo '" + one_metric + "'");
    auto runner = world.start_runner();
    const auto job = job_of(world.run_image("bench:v1", {{"env", json::object{{"GATE", gate.path()}}}}));
    world.follow(job, [](const json::object& line) { return has_log(line, "before"); });
    CHECK(world.server.stop() == 0);
    world.server.start();
    gate.let_through();
    const auto ended = world.ended(job);
    INFO(ended.text);
    INFO(runner->text());
    CHECK(ended.str("/status") == "processed");
  }

  TEST_CASE("a pushed cancel reaches a channel that says nothing, and a superseded channel is closed") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto job = job_of(world.run_image("bench:v1"));
    REQUIRE(claim(world, "runner-one").str("/uuid") == job);
    const auto& key = world.runner_keys.at("runner-one");
    Channel older(world, "runner-one", job, key);
    older.send({{"event", "running"}});
    CHECK(older.event() == "ack");
    Channel newer(world, "runner-one", job, key);
    newer.send({{"event", "running"}});
    CHECK(newer.event() == "ack");
    CHECK(older.next() == R"(closed 1008 "superseded")");
    World::must(world.admin.post("/v0/projects/bench/jobs/" + job + "/cancel", json::object()), 200);
    CHECK(newer.event() == "cancel");
    newer.send({{"event", "canceled"}});
    CHECK(newer.event() == "ack");
    CHECK(newer.next() == R"(closed 1000 "job_canceled_by_runner")");
    Channel late(world, "runner-one", job, key);
    CHECK(late.next() == "refused 409");
    Channel foreign(world, "runner-one", job, world.admin.token());
    CHECK(foreign.next() == "refused 401");
  }
}

namespace {

json::object ready(int seconds) {
  return {{"event", "ready"},
          {"poll_timeout", seconds},
          {"runner", json::object{{"os", "linux"}, {"arch", "x86_64"}, {"version", "0.6.12"}}}};
}
json::object completed(const std::string& job) {
  return {{"event", "completed"},
          {"job", job},
          {"results", json::array{json::object{{"exit_code", 0}, {"stdout", one_metric}}}}};
}
std::string acked(Channel& channel) {
  const auto answer = json::parse(channel.next());
  CHECK(answer.at("event") == "ack");
  return std::string(answer.at("job").as_string());
}

}  // namespace

TEST_SUITE("apps/runner channel") {
  TEST_CASE("one connection takes jobs, one after the other, and reports them") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    Channel channel(world, "runner-one", "", world.runner_keys.at("runner-one"));
    channel.send(ready(1));
    CHECK(channel.event() == "no_job");
    for (int round = 0; round < 2; ++round) {
      // It waits, and is given the job at once.
      channel.send(ready(60));
      const auto job = job_of(world.run_image("bench:v1"));
      const auto given = json::parse(channel.next());
      CHECK(given.at("event") == "job");
      CHECK(given.at("uuid") == job.c_str());
      CHECK(given.at("timeout").is_number());
      CHECK(given.at("spec").at("slug") == "small");
      CHECK(given.at("config").at("image") == "bench:v1");
      CHECK_FALSE(given.at("oci_token").as_string().empty());
      channel.send({{"event", "heartbeat"}});
      CHECK(acked(channel) == job);
      CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "claimed");
      channel.send({{"event", "running"}});
      CHECK(acked(channel) == job);
      channel.send({{"event", "log"}, {"iteration", 0}, {"stream", "stdout"}, {"offset", 0}, {"data", "hello"}});
      CHECK(acked(channel) == job);
      // What is no message is not answered, and asking for a job while one runs is acked.
      channel.send_text("{");
      channel.send({{"event", "nope"}});
      channel.send(ready(1));
      CHECK(acked(channel) == job);
      channel.send(completed(job));
      CHECK(acked(channel) == job);
      CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "processed");
      // Said again, it is acked and changes nothing.
      channel.send({{"event", "failed"}, {"job", job}, {"results", json::array()}, {"error", "late"}});
      CHECK(acked(channel) == job);
      CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "processed");
    }
    CHECK(world.admin.get("/v0/projects/bench/reports").header("x-total-count") == "2");
  }

  TEST_CASE("a cancel reaches the runner at once, and the next job comes on the same connection") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    Channel channel(world, "runner-one", "", world.runner_keys.at("runner-one"));
    const auto job = job_of(world.run_image("bench:v1"));
    channel.send(ready(5));
    CHECK(channel.event() == "job");
    channel.send({{"event", "running"}});
    CHECK(acked(channel) == job);
    World::must(world.admin.post("/v0/projects/bench/jobs/" + job + "/cancel", json::object()), 200);
    CHECK(channel.event() == "cancel");
    // One that was on its way meanwhile.
    channel.send({{"event", "heartbeat"}});
    CHECK(acked(channel) == job);
    channel.send({{"event", "canceled"}, {"job", job}});
    CHECK(acked(channel) == job);
    CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "canceled");
    const auto next = job_of(world.run_image("bench:v1"));
    channel.send(ready(5));
    CHECK(json::parse(channel.next()).at("uuid") == next.c_str());
  }

  TEST_CASE("a runner that comes back goes on with its job, or delivers the result") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto& key = world.runner_keys.at("runner-one");
    std::string job;
    {
      Channel channel(world, "runner-one", "", key);
      job = job_of(world.run_image("bench:v1"));
      channel.send(ready(5));
      CHECK(channel.event() == "job");
      channel.send({{"event", "running"}});
      CHECK(acked(channel) == job);
    }
    {
      Channel channel(world, "runner-one", "", key);
      channel.send({{"event", "heartbeat"}});
      CHECK(acked(channel) == job);
    }
    Channel channel(world, "runner-one", "", key);
    channel.send(completed(job));
    CHECK(acked(channel) == job);
    CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "processed");
    // Nothing is in flight now, so that is not answered; a job that nobody knows is acked, too.
    channel.send({{"event", "heartbeat"}});
    const std::string unknown = "f3d86ced-b23b-4e6c-9f73-8764cb675250";
    channel.send(completed(unknown));
    CHECK(acked(channel) == unknown);
  }

  TEST_CASE("what makes no sense ends the connection, and a wrong key is refused") {
    World world;
    world.add_runner();
    world.push_script("v1", print_metric);
    const auto& key = world.runner_keys.at("runner-one");
    const auto ends = [&](std::string text) {
      Channel channel(world, "runner-one", "", key);
      channel.send_text(std::move(text));
      return channel.next().starts_with("closed");
    };
    CHECK(ends("{"));
    CHECK(ends(R"({"event":"nope"})"));
    CHECK(ends(R"({"event":"ready","poll_timeout":0})"));
    CHECK(ends(R"({"event":"ready","poll_timeout":901})"));
    CHECK(ends(R"({"event":"completed","job":"f3d86ced-b23b-4e6c-9f73-8764cb675250"})"));
    Channel stranger(world, "runner-one", "", key.substr(0, key.size() - 1) + (key.back() == 'a' ? "b" : "a"));
    CHECK(stranger.next() == "refused 401");
    // A result before the job runs: the runner is confused, and the job stays claimed until its lease ends.
    const auto job = job_of(world.run_image("bench:v1"));
    Channel early(world, "runner-one", "", key);
    early.send(ready(5));
    CHECK(early.event() == "job");
    early.send(completed(job));
    CHECK(early.next().starts_with("closed"));
    CHECK(world.admin.get("/v0/projects/bench/jobs/" + job).str("/status") == "claimed");
  }

  TEST_CASE("a server stops at once although runners wait on their channels") {
    World world;
    world.add_runner();
    Channel waiting(world, "runner-one", "", world.runner_keys.at("runner-one"));
    waiting.send(ready(1));
    CHECK(waiting.event() == "no_job");
    waiting.send(ready(900));
    Channel idle(world, "runner-one", "", world.runner_keys.at("runner-one"));
    const auto before = std::chrono::steady_clock::now();
    CHECK(world.server.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    CHECK(waiting.next().starts_with("closed"));
  }
}
