// What people do with the server, from signing up to reading alerts, over the loopback.
#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

json::object results(double latency) {
  return {{"bench", json::object{{"latency", json::object{{"value", latency}}}}}};
}
json::object run_body(double latency, const json::object& more = {}) {
  json::object body{{"project", "bench"},
                    {"branch", "main"},
                    {"testbed", "lab"},
                    {"start_time", "2024-07-11T06:23:00Z"},
                    {"end_time", "2024-07-11T06:23:10Z"},
                    {"results", json::array{json::serialize(results(latency))}},
                    {"settings", json::object{{"adapter", "json"}}}};
  for (const auto& member : more)
    body[member.key()] = member.value();
  return body;
}
const json::object at_most_hundred{
    {"models", json::object{{"latency", json::object{{"test", "static"}, {"upper_boundary", 100.0}}}}}};

}  // namespace

TEST_SUITE("apps/flow") {
  TEST_CASE("the first to sign up becomes admin, and makes keys, organizations and projects for others to use") {
    ServerProcess server;
    auto anyone = server.client();
    auto admin = server.client(server.sign_up("Ada Admin", "ada@example.com"));
    auto user = server.client(server.sign_up("Uma User", "uma@example.com"));
    CHECK(admin.get("/v0/users/ada-admin").at("/admin") == true);
    CHECK(user.get("/v0/users/uma-user").at("/admin") == false);
    CHECK(user.get("/v0/users/ada-admin").status == 403);
    CHECK(admin.get("/v0/users").header("x-total-count") == "2");

    const auto key = World::must(user.post("/v0/users/uma-user/keys", {{"name", "laptop"}}), 201);
    auto by_key = server.client(key.str("/key"));
    CHECK(by_key.get("/v0/organizations").at("/0/slug") == "uma-user");
    CHECK(by_key.post("/v0/users/uma-user/keys", {{"name", "second"}}).status == 403);

    World::must(user.post("/v0/organizations", {{"name", "Team"}}), 201);
    World::must(by_key.post("/v0/organizations/team/projects", {{"name", "Engine"}}), 201);
    CHECK(anyone.get("/v0/projects/engine").str("/name") == "Engine");
    CHECK(anyone.get("/v0/organizations/team").status == 400);

    const auto project_key = World::must(user.post("/v0/projects/engine/keys", {{"name", "ci"}}), 201);
    auto ci = server.client(project_key.str("/key"));
    CHECK(ci.post("/v0/run", run_body(1, {{"project", "engine"}})).at("/user").is_null());
    CHECK(ci.get("/v0/projects/engine/keys").status == 400);

    CHECK(user.del("/v0/projects/engine/keys/" + project_key.str("/uuid")).status == 204);
    CHECK(ci.post("/v0/run", run_body(1, {{"project", "engine"}})).status == 401);
    CHECK(user.del("/v0/users/uma-user/keys/" + key.str("/uuid")).status == 204);
    CHECK(by_key.get("/v0/organizations").status == 401);
  }

  TEST_CASE("paths with a double slash and the header of the reference's CLI are answered") {
    ServerProcess server;
    ApiClient::Options options;
    options.headers = {{"api-version", "0.6.12"}};
    const auto reply = server.client().send("GET", "//v0/server/version", "", options);
    CHECK(reply.status == 200);
    CHECK(reply.str("/version") == "0.6.12");
    CHECK(reply.at("/build").is_string());
  }

  TEST_CASE("a run with results becomes a report with thresholds, an alert to dismiss, a metric and a series") {
    World world;
    auto& api = world.admin;
    const auto fine = World::must(api.post("/v0/run", run_body(10, {{"thresholds", at_most_hundred}})), 201);
    CHECK(fine.at("/alerts").as_array().empty());
    // A threshold says nothing of the first value that it sees.
    CHECK(fine.at("/results/0/0/measures/0/boundary/upper_limit").is_null());
    const auto slow = World::must(api.post("/v0/run", run_body(250)), 201);
    CHECK(slow.at("/results/0/0/measures/0/boundary/upper_limit").to_number<double>() == 100.0);
    CHECK(slow.at("/counts/alerts/active") == 1);
    CHECK(slow.at("/branch/head/version/number") == 1);

    CHECK(api.get("/v0/projects/bench/thresholds").at("/0/model/test") == "static");
    const auto alert = slow.str("/alerts/0/uuid");
    CHECK(api.get("/v0/projects/bench/alerts?status=active").at("/0/uuid").as_string() == alert.c_str());
    CHECK(api.patch("/v0/projects/bench/alerts/" + alert, {{"status", "dismissed"}}).at("/status") == "dismissed");
    CHECK(api.get("/v0/projects/bench/alerts?status=active").header("x-total-count") == "0");

    const auto metric = api.get("/v0/projects/bench/metrics/" + slow.str("/results/0/0/measures/0/metric/uuid"));
    CHECK(metric.at("/metric/value").to_number<double>() == 250.0);
    CHECK(metric.str("/alert/uuid") == alert);
    const auto perf = api.get("/v0/projects/bench/perf?branches=" + slow.str("/branch/uuid") + "&testbeds=" +
                              slow.str("/testbed/uuid") + "&benchmarks=" + slow.str("/results/0/0/benchmark/uuid") +
                              "&measures=" + slow.str("/results/0/0/measures/0/measure/uuid"));
    REQUIRE(perf.status == 200);
    CHECK(perf.at("/results/0/metrics").as_array().size() == 2);
    CHECK(perf.at("/results/0/metrics/1/metric/value").to_number<double>() == 250.0);
    CHECK(api.get("/v0/projects/bench/reports").header("x-total-count") == "2");
  }

  TEST_CASE("a step is seen by preview, listed as a change, and alerted on by tests that look for changes") {
    World world;
    auto& api = world.admin;
    const auto value = [](int i) { return 100 + (i * 37 % 11) * 0.1 + (i >= 30 ? 5 : 0); };
    for (int i = 0; i < 60; ++i)
      World::must(api.post("/v0/run", run_body(value(i))), 201);
    const json::object subject{{"branch", "main"}, {"testbed", "lab"}, {"measure", "latency"}};
    const auto with = [&](std::initializer_list<std::pair<const char*, json::value>> more) {
      auto body = subject;
      for (const auto& [key, item] : more)
        body[key] = item;
      return body;
    };
    const auto preview = World::must(
        api.post("/v0/projects/bench/thresholds/preview", with({{"test", "percentage"}, {"upper_boundary", 0.02}})),
        200);
    CHECK(preview.at("/metrics") == 60);
    CHECK(preview.at("/total").to_number<int>() >= 1);
    CHECK(preview.at("/alerts/0/version/number") == 30);
    CHECK(preview.at("/alerts/0/limit") == "upper");
    const auto changed =
        World::must(api.post("/v0/projects/bench/thresholds/preview", with({{"test", "change_point"}})), 200);
    CHECK(changed.at("/total") == 1);
    CHECK(changed.at("/alerts/0/change/first_bad/version/number") == 30);
    CHECK(changed.at("/alerts/0/change/last_good/version/number") == 29);
    CHECK(api.get("/v0/projects/bench/thresholds").header("x-total-count") == "0");

    const auto changes = api.get("/v0/projects/bench/changes?branch=main&testbed=lab&measure=latency");
    REQUIRE(changes.status == 200);
    CHECK(changes.at("/0/changes").as_array().size() == 1);
    CHECK(changes.at("/0/changes/0/first_bad/version/number") == 30);
    CHECK(changes.at("/0/segment/values") == 30);
    CHECK(changes.at("/0/segment/mean").to_number<double>() > 104);

    // A threshold of one benchmark only.
    const auto name = changes.str("/0/benchmark/name");
    const auto made = World::must(
        api.post("/v0/projects/bench/thresholds", with({{"test", "auto"}, {"benchmark", name.c_str()}})), 201);
    CHECK(made.str("/benchmark/name") == name);
    CHECK(made.at("/model/test") == "auto");
    CHECK(made.at("/model/upper_boundary").is_null());
    CHECK(api.post("/v0/projects/bench/thresholds", with({{"test", "auto"}, {"benchmark", name.c_str()}})).status ==
          409);
    const auto general =
        World::must(api.post("/v0/projects/bench/thresholds", with({{"test", "static"}, {"upper_boundary", 1}})), 201);
    CHECK(general.body.as_object().if_contains("benchmark") == nullptr);
    // The static threshold would alert on anything; the more specific one comes first.
    const auto next = World::must(api.post("/v0/run", run_body(value(60))), 201);
    CHECK(next.at("/alerts").as_array().empty());
    CHECK(next.at("/results/0/0/measures/0/threshold/model/test") == "auto");
  }

  TEST_CASE("anyone starts a project on the fly, a user claims it, and then it is closed to others") {
    ServerProcess server;
    auto anyone = server.client();
    auto user = server.client(server.sign_up("Uma User", "uma@example.com"));
    const auto run = [](double value) {
      return run_body(value,
                      {{"project", "quick-try"}, {"context", json::object{{"bencher.dev/v0/repo/name", "Quick Try"}}}});
    };
    const auto first = World::must(anyone.post("/v0/run", run(1)), 201);
    CHECK(first.str("/project/slug") == "quick-try");
    CHECK(first.at("/project/claimed").is_null());
    CHECK(anyone.post("/v0/run", run(2)).at("/branch/head/version/number") == 1);
    CHECK(user.post("/v0/organizations/quick-try/claim", json::object()).status == 201);
    CHECK(anyone.post("/v0/run", run(3)).status == 401);
    CHECK(user.post("/v0/run", run(3)).status == 201);
    CHECK(user.get("/v0/projects/quick-try").at("/claimed").is_string());
    CHECK(anyone.get("/v0/projects/quick-try/reports").header("x-total-count") == "3");
  }

  TEST_CASE("a branch with a start point goes on from its history, with the thresholds cloned") {
    World world;
    auto& api = world.admin;
    const std::string hash(40, 'a');
    World::must(api.post("/v0/run", run_body(10, {{"hash", hash}, {"thresholds", at_most_hundred}})), 201);
    World::must(api.post("/v0/run", run_body(11, {{"hash", std::string(40, 'b')}})), 201);
    const auto feature = World::must(
        api.post("/v0/run",
                 run_body(500, {{"branch", "feature"},
                                {"start_point",
                                 json::object{{"branch", "main"}, {"hash", hash}, {"clone_thresholds", true}}}})),
        201);
    CHECK(feature.str("/branch/head/start_point/version/hash") == hash);
    CHECK(feature.at("/branch/head/version/number") == 1);
    CHECK(feature.at("/counts/alerts/active") == 1);
    CHECK(api.get("/v0/projects/bench/thresholds?branch=feature").header("x-total-count") == "1");

    // The series of the branch begins with what it took over: not the second run of main.
    const auto perf = api.get("/v0/projects/bench/perf?branches=" + feature.str("/branch/uuid") +
                              "&testbeds=" + feature.str("/testbed/uuid") +
                              "&benchmarks=" + feature.str("/results/0/0/benchmark/uuid") +
                              "&measures=" + feature.str("/results/0/0/measures/0/measure/uuid"));
    const auto& metrics = perf.at("/results/0/metrics").as_array();
    REQUIRE(metrics.size() == 2);
    CHECK(metrics[0].at("metric").at("value").to_number<double>() == 10.0);
    CHECK(metrics[1].at("metric").at("value").to_number<double>() == 500.0);
  }

  TEST_CASE("a stopped server is started again with all that it had") {
    World world;
    World::must(world.admin.post("/v0/run", run_body(10)), 201);
    CHECK(world.server.stop() == 0);
    CHECK(world.server.process().text().find("\"stopped\"") != std::string::npos);
    world.server.start();
    auto again = world.server.client(world.admin.token());
    CHECK(again.get("/v0/projects/bench/reports").header("x-total-count") == "1");
  }

  TEST_CASE("a server that is killed while results come in keeps every report that it acknowledged, and none by half") {
    World world;
    constexpr int metrics = 20;
    const auto results_of = [](int high) {
      json::object all;
      for (int m = 0; m < metrics; ++m)
        all[fmt::format("bench{}", m)] = json::object{{"latency", json::object{{"value", m < 2 ? high : 1}}}};
      return json::array{json::serialize(all)};
    };
    // The first report has no alerts, each later one has two.
    auto first = run_body(0, {{"thresholds", at_most_hundred}});
    first["results"] = results_of(1);
    const auto first_uuid = World::must(world.admin.post("/v0/run", first), 201).str("/uuid");
    std::atomic<int> acknowledged{0};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> uuids;
    std::vector<std::thread> senders;
    for (int s = 0; s < 4; ++s)
      senders.emplace_back([&, s] {
        auto client = world.server.client(world.admin.token());
        for (int i = 0;; ++i) {
          auto body = run_body(0, {{"hash", fmt::format("{:020x}{:020x}", s + 1, i)}});
          body["results"] = results_of(500 + i);
          try {
            const auto reply = client.post("/v0/run", body);
            if (reply.status != 201) return;
            std::lock_guard lock(mutex);
            uuids.push_back(reply.str("/uuid"));
            ++acknowledged;
            changed.notify_all();
          } catch (const std::exception&) {
            return;  // killed
          }
        }
      });
    {
      std::unique_lock lock(mutex);
      CHECK(changed.wait_for(lock, std::chrono::seconds(15), [&] { return acknowledged >= 25; }));
    }
    CHECK(world.server.stop(SIGKILL) == 128 + SIGKILL);
    for (auto& sender : senders)
      sender.join();
    world.server.start();

    auto client = world.server.client(world.admin.token());
    for (const auto& uuid : uuids) {
      const auto report = client.get("/v0/projects/bench/reports/" + uuid);
      REQUIRE(report.status == 200);
      CHECK(report.at("/results/0").as_array().size() == metrics);
      CHECK(report.at("/counts/results/0/benchmarks") == metrics);
      CHECK(report.at("/alerts").as_array().size() == 2);
    }
    // Those that were not acknowledged are whole, or not there.
    std::size_t seen = 0;
    for (int page = 1;; ++page) {
      const auto list = client.get(fmt::format("/v0/projects/bench/reports?per_page=255&expand=true&page={}", page));
      REQUIRE(list.status == 200);
      if (list.body.as_array().empty()) break;
      for (const auto& report : list.body.as_array()) {
        ++seen;
        const bool is_first = report.at("uuid").as_string() == first_uuid.c_str();
        CHECK(report.at_pointer("/results/0").as_array().size() == metrics);
        CHECK(report.at("alerts").as_array().size() == (is_first ? 0u : 2u));
      }
    }
    CHECK(seen >= uuids.size() + 1);
    CHECK(seen <= uuids.size() + 1 + 4);
    CHECK(client.get("/v0/projects/bench/alerts").header("x-total-count") == std::to_string(2 * (seen - 1)));
  }
}
