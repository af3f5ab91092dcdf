#include "apps/cli/watch.hpp"

#include <doctest/doctest.h>

#include "lib/json/value.hpp"
#include "tests/cli/fake_world.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using json::Value;
using test::FakeWorld;

namespace {

const std::string job = "99999999-2222-3333-4444-555555555555";
const std::string job_path = "/v0/projects/the-computer/jobs/" + job;

std::string report(bool with_job) {
  auto body = Value::parse(test::read_data("examples/run_post_alert.json")).value()["response"]["body"];
  if (with_job) body.set("job", job);
  return body.compact();
}

/// A server with one job. Each connection to its stream takes the next script, cut into pieces of odd sizes.
struct JobWorld : FakeWorld {
  struct Connection {
    std::string text;
    std::optional<Error> then = {};
    std::function<void()> act = [] {};
  };
  std::deque<Connection> connections;
  std::vector<std::string> polls;  ///< bodies of GET job, the last one over and over
  std::size_t polled = 0;
  bool streams = true;
  int cancel_status = 201;

  JobWorld() {
    server = [this](const client::HttpRequest& request) -> Result<client::HttpResponse> {
      const auto path = request.url.substr(std::string("http://bencher.test").size());
      if (path == "/v0/run") return answer(201, report(true));
      if (path.starts_with(job_path + "/output/stream")) return stream(request);
      if (path == job_path + "/cancel")
        return answer(cancel_status, cancel_status == 201 ? "{}" : R"({"message":"no"})");
      if (path == job_path) {
        if (polls.empty()) return answer(200, R"({"status":"processed"})");
        return answer(200, polls[std::min(polled++, polls.size() - 1)]);
      }
      if (path.starts_with("/v0/projects/the-computer/reports/")) return answer(200, report(true));
      return answer(404, R"({"message":"nothing here"})");
    };
  }

  Result<client::HttpResponse> stream(const client::HttpRequest& request) {
    if (!streams) return answer(404, "");
    if (connections.empty()) return answer(200, "");
    auto connection = std::move(connections.front());
    connections.pop_front();
    for (std::size_t at = 0, size = 1; at < connection.text.size(); at += size, size = size * 3 % 17 + 1)
      if (!request.on_data(std::string_view(connection.text).substr(at, size)))
        return Error(Errc::cancelled, "stopped by the receiver");
    connection.act();
    if (connection.then) return *std::move(connection.then);
    return answer(200, "");
  }

  int run_image(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"run", "--project", "the-computer", "--image", "bench:v1"});
    return run(more);
  }
  std::vector<std::string> stream_requests() const {
    std::vector<std::string> list;
    for (const auto& line : sent())
      if (line.find("/output/stream") != std::string::npos) list.push_back(line.substr(line.find('?')));
    return list;
  }
};

const std::string whole_stream = R"({"id":1,"event":"status","status":"pending","position":3})"
                                 "\n"
                                 R"({"id":2,"event":"status","status":"pending","position":2})"
                                 "\n"
                                 R"({"event":"ping"})"
                                 "\n"
                                 R"({"id":3,"event":"status","status":"running"})"
                                 "\n"
                                 R"({"id":4,"event":"log","iteration":0,"stream":"stdout","data":"first\n"})"
                                 "\n"
                                 R"({"id":5,"event":"log","iteration":0,"stream":"stderr","data":"second\n"})"
                                 "\n"
                                 R"({"id":6,"event":"end","status":"processed"})"
                                 "\n";

}  // namespace

TEST_SUITE("cli/watch") {
  TEST_CASE("a job is followed live, then its report is shown") {
    JobWorld w;
    w.world.err_is_terminal = true;
    w.connections.push_back({whole_stream});
    CHECK(w.run_image() == 0);
    const auto err = w.err.str();
    CAPTURE(err);
    CHECK(err.find("Job pending, place 3 in the queue\nJob pending, place 2 in the queue\nJob "
                   "running\nfirst\nsecond\nJob processed\n") != std::string::npos);
    CHECK(w.out.str().find("View report: ") != std::string::npos);
    CHECK(w.sent() == std::vector<std::string>{"POST /v0/run", "GET " + job_path + "/output/stream?after=0",
                                               "GET /v0/projects/the-computer/reports/" +
                                                   Value::parse(report(true)).value()["uuid"].text()});
    CHECK(w.waits.empty());
  }

  TEST_CASE("moves in the queue are for terminals only, and quiet is quiet") {
    JobWorld w;
    w.connections.push_back({whole_stream});
    CHECK(w.run_image() == 0);
    CHECK(w.err.str().find("place 3") != std::string::npos);
    CHECK(w.err.str().find("place 2") == std::string::npos);
    JobWorld quiet;
    quiet.connections.push_back({whole_stream});
    CHECK(quiet.run_image({"--quiet"}) == 0);
    CHECK(quiet.err.str().empty());
  }

  TEST_CASE("a lost stream is taken up where it ended, without repeating what was seen") {
    JobWorld w;
    const auto cut = whole_stream.find(R"({"id":5)") + 10;  // within a line
    w.connections.push_back({whole_stream.substr(0, cut), Error(Errc::unavailable, "connection lost")});
    w.connections.push_back({whole_stream.substr(whole_stream.find(R"({"id":4)"))});
    CHECK(w.run_image() == 0);
    CHECK(w.stream_requests() == std::vector<std::string>{"?after=0", "?after=4"});
    const auto err = w.err.str();
    CHECK(err.find("first") == err.rfind("first"));
    CHECK(err.find("second\n") != std::string::npos);
    CHECK(err.find("The job's stream was lost (connection lost); connecting again.") != std::string::npos);
  }

  TEST_CASE("a server without streams is polled") {
    JobWorld w;
    w.streams = false;
    const auto processed =
        Value::parse(test::read_data("examples/job_processed.json")).value()["response"]["body"].compact();
    w.polls = {R"({"status":"pending"})", R"({"status":"running"})", R"({"status":"running"})", processed};
    CHECK(w.run_image({"--poll-interval", "2"}) == 0);
    CHECK(w.waits == std::vector<std::chrono::milliseconds>(4, std::chrono::seconds(2)));
    CHECK(w.err.str().find("Job pending\nJob running\nJob processed\n") != std::string::npos);
    CHECK(w.err.str().find("Iteration 0, stderr:\nwarm\n") != std::string::npos);
  }

  TEST_CASE("a failed job ends with 9 and its reason, a canceled one with 10, after the report") {
    JobWorld w;
    w.connections.push_back({R"({"id":1,"event":"end","status":"failed","error":"Exit code 2"})"
                             "\n"});
    CHECK(w.run_image() == 9);
    CHECK(w.err.str().find("error: the job failed: Exit code 2\n") != std::string::npos);
    CHECK(w.out.str().find("View report: ") != std::string::npos);
    w.connections.push_back({R"({"id":1,"event":"end","status":"canceled"})"
                             "\n"});
    CHECK(w.run_image() == 10);
    JobWorld polled;
    polled.streams = false;
    polled.polls = {Value::parse(test::read_data("examples/job_failed.json")).value()["response"]["body"].compact()};
    CHECK(polled.run_image() == 9);
    CHECK(polled.err.str().find("Exit code 2") != std::string::npos);
  }

  TEST_CASE("alerts of a job end with 7 when asked to") {
    JobWorld w;
    w.connections.push_back({whole_stream});
    CHECK(w.run_image({"--error-on-alert"}) == 7);
  }

  TEST_CASE("twice the job's limit is waited, then 11") {
    JobWorld w;
    w.streams = false;
    w.polls = {R"({"status":"pending"})"};
    CHECK(w.run_image({"--job-timeout", "30", "--quiet"}) == 11);
    CHECK(w.polled == 12);
    CHECK(w.err.str().find("bencher job watch the-computer " + job) != std::string::npos);
    // A stream that stays open but brings nothing does not prolong it.
    JobWorld silent;
    for (int i = 0; i < 10; ++i)
      silent.connections.push_back({R"({"event":"ping"})"
                                    "\n",
                                    Error(Errc::timed_out, "limit"),
                                    [&] { silent.clock.advance(std::chrono::seconds(30)); }});
    CHECK(silent.run_image({"--job-timeout", "60", "--quiet"}) == 11);
    CHECK(silent.connections.size() == 6);
  }

  TEST_CASE("one interrupt detaches and says how to attach again") {
    JobWorld w;
    w.connections.push_back(
        {whole_stream.substr(0, 100), Error(Errc::cancelled, "cancelled"), [&] { ++w.interrupts; }});
    CHECK(w.run_image() == 130);
    CHECK(w.err.str().find("Detached; the job goes on.") != std::string::npos);
    CHECK(w.err.str().find("Attach again: bencher job watch the-computer " + job) != std::string::npos);
    CHECK(w.err.str().find("bencher job view the-computer " + job) != std::string::npos);
    CHECK(w.sent().size() == 2);
  }

  TEST_CASE("a second interrupt asks the server to cancel") {
    JobWorld w;
    w.connections.push_back(
        {whole_stream.substr(0, 100), Error(Errc::cancelled, "cancelled"), [&] { ++w.interrupts; }});
    w.on_wait = [&] { ++w.interrupts; };
    CHECK(w.run_image() == 10);
    CHECK(w.sent().back() == "POST " + job_path + "/cancel");
    JobWorld refused;
    refused.cancel_status = 404;
    refused.connections.push_back({"", Error(Errc::cancelled, "cancelled"), [&] { refused.interrupts = 2; }});
    CHECK(refused.run_image() == 5);
  }

  TEST_CASE("job watch follows a job by its id and prints it") {
    JobWorld w;
    w.connections.push_back({whole_stream});
    CHECK(w.run({"job", "watch", "the-computer", job}) == 0);
    CHECK(w.out.str() == "{\n  \"status\": \"processed\"\n}\n");
    w.connections.push_back({R"({"id":1,"event":"end","status":"failed","error":"boom"})"
                             "\n"});
    CHECK(w.run({"job", "watch", "the-computer", job}) == 9);
  }

  TEST_CASE("nonsense in a stream is passed over, and an endless line is not collected") {
    JobWorld w;
    w.connections.push_back({"nonsense\n[]\n{\"id\":\"x\"}\n" + whole_stream});
    CHECK(w.run_image() == 0);
    JobWorld endless;
    endless.server = [&](const client::HttpRequest& request) -> Result<client::HttpResponse> {
      if (request.url.find("/output/stream") == std::string::npos) return FakeWorld::answer(201, report(true));
      const std::string part(1 << 20, 'x');
      int parts = 0;
      while (request.on_data(part))
        REQUIRE(++parts < 20);
      return Error(Errc::cancelled, "stopped");
    };
    CHECK(endless.run_image() == 6);
  }

  TEST_CASE("a stream that always ends at once is given up") {
    JobWorld w;
    CHECK(w.run_image() == 6);
    CHECK(w.waits.size() < 25);
    JobWorld refused;
    refused.server = [&](const client::HttpRequest& request) {
      return request.url.ends_with("/v0/run") ? FakeWorld::answer(201, report(true))
                                              : FakeWorld::answer(401, R"({"message":"no"})");
    };
    CHECK(refused.run_image() == 4);
  }
}
