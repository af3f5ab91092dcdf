#include "apps/cli/api.hpp"

#include <doctest/doctest.h>

#include "tests/cli/fake_world.hpp"

using namespace bencher;
using test::FakeWorld;

namespace {
const std::string key = "bencher_user_" + std::string(30, 'a');
const std::string uuid = "11111111-2222-3333-4444-555555555555";
}  // namespace

TEST_SUITE("cli/api") {
  TEST_CASE("the answer is printed with sorted keys and without nulls; no content is null") {
    FakeWorld w;
    w.server = [](const auto&) { return FakeWorld::answer(200, R"({"b":1.10,"a":{"n":null,"x":[1,null]}})"); };
    CHECK(w.run({"project", "view", "p"}) == 0);
    CHECK(w.out.str() == "{\n  \"a\": {\n    \"x\": [\n      1,\n      null\n    ]\n  },\n  \"b\": 1.10\n}\n");
    FakeWorld empty;
    empty.server = [](const auto&) { return FakeWorld::answer(204, ""); };
    CHECK(empty.run({"project", "delete", "p", "--key", key}) == 0);
    CHECK(empty.out.str() == "null\n");
  }

  TEST_CASE("requests have single-slash paths and the agreed headers") {
    FakeWorld w;
    w.variables["BENCHER_HOST"] = "http://bencher.test/";
    w.server = [](const auto&) { return FakeWorld::answer(201, "{}"); };
    CHECK(w.run({"organization", "create", "--name", "Acme", "--key", key}) == 0);
    REQUIRE(w.requests.size() == 2);
    CHECK(w.requests[0].url == "http://bencher.test/v0/server/version");
    const auto& request = w.requests[1];
    CHECK(request.url == "http://bencher.test/v0/organizations");
    CHECK(request.body == R"({"name":"Acme"})");
    using Header = std::pair<std::string, std::string>;
    CHECK(request.headers == std::vector<Header>{{"accept", "application/json"},
                                                 {"api-version", "0.6.12"},
                                                 {"authorization", "Bearer " + key},
                                                 {"content-type", "application/json"}});
  }

  TEST_CASE("a command that needs a credential asks for it before anything is sent") {
    FakeWorld w;
    CHECK(w.run({"organization", "list"}) == 4);
    CHECK(w.requests.empty());
    CHECK(w.err.str().find("BENCHER_API_KEY") != std::string::npos);
  }

  TEST_CASE("each status has its exit code, and the message is the server's") {
    const std::pair<int, int> rows[]{{400, 5}, {401, 4}, {402, 5}, {403, 4}, {404, 5},
                                     {409, 5}, {413, 5}, {500, 6}, {503, 6}};
    for (const auto& [status, exit] : rows) {
      CAPTURE(status);
      FakeWorld w;
      w.server = [status = status](const auto&) {
        return FakeWorld::answer(status, R"({"message":"because","request_id":"id-1"})");
      };
      CHECK(w.run({"project", "view", "p", "--attempts", "1"}) == exit);
      CHECK(w.err.str().find("Status: " + std::to_string(status) + " ") != std::string::npos);
      CHECK(w.err.str().find("Message: because\nRequest: id-1") != std::string::npos);
    }
    CHECK(cli::error_message(404, "plain text") == "Status: 404 Not Found\nBody: plain text");
  }

  TEST_CASE("failures are told at once and tried again with doubling pauses") {
    FakeWorld w;
    int count = 0;
    w.server = [&](const auto&) -> Result<client::HttpResponse> {
      ++count;
      if (count == 1) return Error(Errc::unavailable, "connection lost");
      if (count < 5) return FakeWorld::answer(502, "");
      return FakeWorld::answer(200, "{}");
    };
    CHECK(w.run({"project", "view", "p", "--max-retry-after", "3"}) == 0);
    using std::chrono::seconds;
    CHECK(w.waits == std::vector<std::chrono::milliseconds>{seconds(1), seconds(2), seconds(3), seconds(3)});
    CHECK(w.err.str().starts_with("connection lost\nTry 1 of 35 failed; trying again in 1 s.\n"));
  }

  TEST_CASE("Retry-After is honoured, for 429 too") {
    FakeWorld w;
    int count = 0;
    w.server = [&](const auto&) {
      return ++count < 3 ? FakeWorld::answer(count == 1 ? 429 : 503, "", {{"retry-after", "7"}})
                         : FakeWorld::answer(200, "{}");
    };
    CHECK(w.run({"project", "view", "p"}) == 0);
    CHECK(w.waits == std::vector<std::chrono::milliseconds>(2, std::chrono::seconds(7)));
  }

  TEST_CASE("the last failure is told after the last try") {
    FakeWorld w;
    w.server = [](const auto&) -> Result<client::HttpResponse> { return Error(Errc::timed_out, "no answer"); };
    CHECK(w.run({"project", "view", "p", "--attempts", "3"}) == 6);
    CHECK(w.waits.size() == 2);
    CHECK(w.err.str().ends_with("error: no answer\n"));
  }

  TEST_CASE("an interrupt ends the pauses") {
    FakeWorld w;
    w.server = [](const auto&) { return FakeWorld::answer(500, ""); };
    w.on_wait = [&] { ++w.interrupts; };
    CHECK(w.run({"project", "view", "p"}) == 130);
    CHECK(w.waits.size() == 1);
  }

  TEST_CASE("an unknown host is not tried twice") {
    FakeWorld w;
    w.server = [](const auto&) -> Result<client::HttpResponse> {
      return Error(Errc::unavailable, "x: the host name cannot be resolved; check");
    };
    CHECK(w.run({"project", "view", "p"}) == 6);
    CHECK(w.waits.empty());
  }

  TEST_CASE("another version is a warning, and only once") {
    FakeWorld w;
    w.server = [](const auto&) { return FakeWorld::answer(200, "{}"); };
    w.world.send = [&](const client::HttpRequest& request, const client::HttpOptions&) -> Result<client::HttpResponse> {
      if (request.url.ends_with("/version")) {
        w.requests.push_back(request);
        return FakeWorld::answer(200, R"({"version":"0.7.0"})");
      }
      return w.send(request);
    };
    CHECK(w.run({"project", "view", "p"}) == 0);
    CHECK(w.err.str().find("speaks API version 0.7.0, this program 0.6.12") != std::string::npos);
    CHECK(w.requests.size() == 2);
  }

  TEST_CASE("a host that is no URL of the web is refused") {
    FakeWorld w;
    w.variables["BENCHER_HOST"] = "localhost:61016";
    CHECK(w.run({"project", "view", "p"}) == 2);
    CHECK(w.err.str().find("'localhost:61016' does not begin with http:// or https://") != std::string::npos);
  }

  TEST_CASE("an answer that is not JSON is a failure; strict takes documented ones only") {
    FakeWorld w;
    w.server = [](const auto&) { return FakeWorld::answer(200, "<html>"); };
    CHECK(w.run({"project", "view", "p"}) == 6);
    FakeWorld odd;
    odd.server = [](const auto&) { return FakeWorld::answer(206, "{}"); };
    CHECK(odd.run({"project", "view", "p"}) == 0);
    CHECK(odd.run({"project", "view", "p", "--strict"}) == 6);
  }

  TEST_CASE("perf prints a table when asked to") {
    FakeWorld w;
    w.server = [](const auto&) {
      return FakeWorld::answer(
          200,
          R"({"project":{"name":"P"},"results":[{"branch":{"name":"main"},"testbed":{"name":"ci"},"benchmark":{"name":"fib"},"measure":{"name":"Latency","units":"ns"},)"
          R"("metrics":[{"iteration":0,"start_time":"2024-07-11T06:23:00Z","end_time":"2024-07-11T06:24:00Z","version":{"number":3,"hash":null},"metric":{"value":1.50},)"
          R"("boundary":{"baseline":1.25,"lower_limit":null,"upper_limit":2}}]}]})");
    };
    const std::vector<std::string> words{"perf",         "p",  "--branches", uuid, "--testbeds",      uuid,
                                         "--benchmarks", uuid, "--measures", uuid, "--table=markdown"};
    CHECK(w.run(words) == 0);
    CHECK(w.out.str() ==
          "| Project | Branch | Testbed | Benchmark | Measure     | Iteration | Start Time              | End Time     "
          "           | Version Number | Version Hash | Metric Value | "
          "Boundary Baseline | Lower Boundary Limit | Upper Boundary Limit |\n"
          "|---------|--------|---------|-----------|-------------|-----------|-------------------------|--------------"
          "-----------|----------------|--------------|--------------|"
          "-------------------|----------------------|----------------------|\n"
          "| P       | main   | ci      | fib       | Latency: ns | 0         | 2024-07-11 06:23:00 UTC | 2024-07-11 "
          "06:24:00 UTC | 3              |              | 1.50         | "
          "1.25              |                      | 2                    |\n");
  }

  TEST_CASE("archive finds a name, and says so when there is nothing to do") {
    FakeWorld w;
    w.server = [](const client::HttpRequest& request) {
      if (request.url.find("name=My%20Branch&archived=false") != std::string::npos)
        return FakeWorld::answer(200, R"([{"uuid":"u-1"}])");
      if (request.url.find("name=Old%20One&archived=true") != std::string::npos)
        return FakeWorld::answer(200, R"([{"uuid":"u-2"}])");
      if (request.method == "PATCH") return FakeWorld::answer(200, "{}");
      return FakeWorld::answer(200, "[]");
    };
    const std::vector<std::string> archive{"archive", "--project", "p", "--key", key};
    auto words = archive;
    words.insert(words.end(), {"--measure", "My Branch"});
    CHECK(w.run(words) == 0);
    CHECK(w.sent() == std::vector<std::string>{"GET /v0/projects/p/measures?name=My%20Branch&archived=false",
                                               "PATCH /v0/projects/p/measures/u-1"});
    words = archive;
    words.insert(words.end(), {"--measure", "Old One"});
    CHECK(w.run(words) == 0);
    CHECK(w.out.str().find("The measure 'Old One' is already archived.") != std::string::npos);
    words = archive;
    words.insert(words.end(), {"--measure", "No Such"});
    CHECK(w.run(words) == 5);
    words = archive;
    words.insert(words.end(), {"--branch", "slug"});
    CHECK(w.run(words) == 0);
    CHECK(w.sent().back() == "PATCH /v0/projects/p/branches/slug");
    CHECK(w.requests.back().body == R"({"archived":true})");
  }
}
