// The server and its runners are killed at random moments while jobs run and reports come in.
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "bencher/base/random.hpp"

#include "tests/support/runner_channel.hpp"

using namespace bencher::test;

namespace {

constexpr int metrics = 10;

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string results() {
  json::object all;
  for (int m = 0; m < metrics; ++m)
    all[fmt::format("bench{}", m)] = json::object{{"latency", json::object{{"value", 1 + m}}}};
  return json::serialize(all);
}

/// Who submits, what was acknowledged, and whether the server is there to be asked.
class Load {
 public:
  Load(World& world, std::vector<std::string> projects) : world_(world) {
    for (const auto& project : projects) {
      threads_.emplace_back([this, project] { submit_jobs(project); });
      threads_.emplace_back([this, project] { submit_reports(project); });
    }
  }
  ~Load() { stop(); }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      ++life_;
      changed_.notify_all();
    }
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  /// Waits for so many more acknowledgements and jobs that end.
  bool more(std::uint64_t count, std::uint64_t jobs) {
    std::unique_lock lock(mutex_);
    const auto goal = acknowledged_ + count, jobs_goal = ended_ + jobs;
    return changed_.wait_for(lock, ChildProcess::patience,
                             [&] { return acknowledged_ >= goal && ended_ >= jobs_goal; });
  }
  /// The server has been started again.
  void up() {
    std::lock_guard lock(mutex_);
    ++life_;
    changed_.notify_all();
  }

  struct Acknowledged {
    std::string project, report, job;  // `job` is empty for a report that came with its results
  };
  std::vector<Acknowledged> all;

 private:
  /// Calls `work` until it can; false when all is over.
  bool persist(const std::function<void()>& work) {
    for (;;) {
      std::uint64_t life = 0;
      {
        std::lock_guard lock(mutex_);
        if (stopping_) return false;
        life = life_;
      }
      try {
        work();
        return true;
      } catch (const std::exception&) {
        // Killed: until it is there again. A connection may break a moment before the main thread knows.
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(100), [&] { return life_ != life; });
      }
    }
  }
  void acknowledge(Acknowledged what) {
    std::lock_guard lock(mutex_);
    all.push_back(std::move(what));
    ++acknowledged_;
    changed_.notify_all();
  }
  json::object run(const std::string& project) {
    return {{"project", project},
            {"branch", "main"},
            {"testbed", "lab"},
            {"start_time", "2024-07-11T06:23:00Z"},
            {"end_time", "2024-07-11T06:23:10Z"},
            {"settings", json::object{{"adapter", "json"}}},
            {"results", json::array()}};
  }
  void submit_jobs(const std::string& project) {
    for (;;) {
      std::string job;
      const bool going = persist([&] {
        auto client = world_.server.client(world_.admin.token());
        auto body = run(project);
        body["job"] = json::object{{"image", project + ":v1"}};
        const auto report = World::must(client.post("/v0/run", body), 201);
        job = report.str("/job");
        acknowledge({project, report.str("/uuid"), job});
      });
      if (!going || !persist([&] { world_.follow(job, {}, {}, project); })) return;
      std::lock_guard lock(mutex_);
      ++ended_;
      changed_.notify_all();
    }
  }
  void submit_reports(const std::string& project) {
    while (persist([&] {
      auto client = world_.server.client(world_.admin.token());
      auto body = run(project);
      body["results"] = json::array{results()};
      acknowledge({project, World::must(client.post("/v0/run", body), 201).str("/uuid"), {}});
    })) {
    }
  }

  World& world_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t acknowledged_ = 0, ended_ = 0, life_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_SUITE("apps/kill") {
  // BENCHER_KILL_ROUNDS=200 for the long form.
  TEST_CASE("whenever server or runners are killed, what was acknowledged is kept, whole, and nothing is stuck") {
    const auto rounds = number("BENCHER_KILL_ROUNDS", 6), seed = number("BENCHER_KILL_SEED", 1);
    bencher::SeededRandom dice(seed);
    World world(R"({"plus":{"runners":{"heartbeat_timeout":2}}})");
    const std::vector<std::string> projects{"bench", "second", "third"};
    const std::vector<std::string> names{"one", "two", "three"};
    const std::string script = R"("Entrypoint":["/bin/sh","-c"],"Env":["PATH=/bin"],"Cmd":[)" +
                               json::serialize("echo start >&2; sleep 0.0$((RANDOM % 10)); echo '" + results() + "'") +
                               "]";
    for (const auto& project : projects) {
      if (project != "bench") {
        World::must(world.admin.post("/v0/organizations", {{"name", project}, {"slug", project}}), 201);
        World::must(
            world.admin.post("/v0/organizations/" + project + "/projects", {{"name", project}, {"slug", project}}),
            201);
      }
      world.push("v1", script, project);
    }
    std::vector<std::unique_ptr<ChildProcess>> runners;
    for (const auto& name : names) {
      world.add_runner(name);
      runners.push_back(world.start_runner(name));
    }
    int server_kills = 0, runner_kills = 0;
    Load load(world, projects);
    for (std::uint64_t round = 0; round < rounds; ++round) {
      INFO("round " << round << " of seed " << seed);
      REQUIRE(load.more(1 + dice.below(25), dice.below(4)));
      const auto victim = dice.below(names.size() + 2);
      if (victim < names.size()) {
        runners[victim]->signal(SIGKILL);
        runners[victim]->wait();
        runners[victim] = world.start_runner(names[victim]);
        ++runner_kills;
      } else {
        REQUIRE(world.server.stop(SIGKILL) == 128 + SIGKILL);
        world.server.start();
        load.up();
        ++server_kills;
      }
    }
    REQUIRE(load.more(1, names.size()));
    load.stop();

    auto client = world.server.client(world.admin.token());
    int processed = 0, failed = 0, reports = 0;
    for (const auto& [project, uuid, job] : load.all) {
      CAPTURE(uuid);
      CAPTURE(job);
      const auto path = "/v0/projects/" + project;
      std::string status = "processed";
      if (!job.empty()) {
        world.follow(job, {}, {}, project);
        status = client.get(path + "/jobs/" + job).str("/status");
        processed += status == "processed";
        failed += status == "failed";
        CHECK((status == "processed" || status == "failed"));
      } else {
        ++reports;
      }
      const auto report = client.get(path + "/reports/" + uuid);
      REQUIRE(report.status == 200);
      const auto& iterations = report.at("/results").as_array();
      if (status == "failed") {
        CHECK(iterations.empty());
      } else {
        REQUIRE(iterations.size() == 1);
        CHECK(iterations[0].as_array().size() == metrics);
      }
    }
    CHECK(processed > 0);
    MESSAGE(
        fmt::format("{} kills of the server, {} of runners: {} reports, {} jobs processed, {} lost with their runner",
                    server_kills, runner_kills, reports, processed, failed));
    // Every runner is of use: together they end as many jobs as there are projects.
    for (auto& runner : runners) {
      runner->signal(SIGTERM);
      CHECK(runner->wait() == 0);
    }
    CHECK(world.server.stop() == 0);
    SQLite::Database db((world.server.data() / "bencher.db").string());
    CHECK(db.execAndGet("PRAGMA integrity_check").getString() == "ok");
    CHECK(db.execAndGet("SELECT count(*) FROM job WHERE status < 4").getInt64() == 0);
  }
}
