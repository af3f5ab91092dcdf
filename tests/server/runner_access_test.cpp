// What a runner's key and the registry token of its job open, and what not.
#include <boost/json.hpp>

#include "tests/server/claim_world.hpp"

using namespace bencher;
using namespace bencher::test;

namespace {

struct AccessWorld : ClaimWorld {
  st::ProjectRow other = store.project(owner, "Another");
  st::RunnerId second_machine = store.runner("Second", {});
  std::string second_key = make_key(KeyKind::runner, random);
  HttpClient client{network.port()};

  AccessWorld() { st::set_runner_key(store.c, second_machine, hash_key(second_key), store.now()); }

  HttpReply ask(const std::string& request, const std::string& token, const std::string& body = {}) {
    client.send(request + " HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer " + token +
                "\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    return client.read_reply();
  }
  int status(const std::string& request, const std::string& token, const std::string& body = {}) {
    const auto reply = ask(request, token, body);
    CAPTURE(request);
    // Whatever it is refused with does not repeat what it was asked with.
    CHECK(reply.body.find(token) == std::string::npos);
    return reply.status;
  }
  void advance(std::chrono::seconds time) {
    network.on_network([&] {
      store.clock.advance(time);
      return true;
    });
  }
  std::string claimed_token() {
    const auto reply = ask("POST /v0/runners/machine/jobs", key, "{\"poll_timeout\":1}");
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
    return std::string(boost::json::parse(reply.body).at("oci_token").as_string());
  }
};

// A credential of another kind is malformed to some endpoints.
bool refused(int status) {
  return status == 400 || status == 401 || status == 403;
}

const std::string manifest = "/manifests/sha256:" + std::string(64, '0');

}  // namespace

TEST_SUITE("server/runner access") {
  TEST_CASE("a job's registry token only pulls, only from the job's project, and only for ten minutes") {
    AccessWorld w;
    w.submit_job();
    const auto token = w.claimed_token();
    const auto repository = "/v2/" + w.project.project.uuid.str();
    // It may look for what is not there.
    CHECK(w.status("GET " + repository + manifest, token) == 404);
    CHECK(w.status("GET /v2/the-computer" + manifest, token) == 403);
    CHECK(w.status("GET /v2/" + w.other.project.uuid.str() + manifest, token) == 403);
    CHECK(w.status("GET /v2/" + w.second_key + manifest, token) >= 400);
    for (const std::string& push :
         {"POST " + repository + "/blobs/uploads/", "PUT " + repository + "/manifests/v1",
          "DELETE " + repository + manifest, "DELETE " + repository + "/blobs/sha256:" + std::string(64, '0'),
          std::string("POST /v2/new-project/blobs/uploads/")}) {
      const auto code = w.status(push, token);
      CHECK_MESSAGE(refused(code), push << " " << code);
    }
    // It is no key of the API's, and no runner's.
    CHECK(refused(w.status("GET /v0/projects/the-computer/keys", token)));
    CHECK(refused(w.status("GET /v0/users", token)));
    CHECK(w.status("POST /v0/runners/machine/jobs", token, "{\"poll_timeout\":1}") == 401);
    w.advance(std::chrono::seconds(599));
    CHECK(w.status("GET " + repository + manifest, token) == 404);
    w.advance(std::chrono::seconds(2));
    CHECK(w.status("GET " + repository + manifest, token) == 401);
  }

  TEST_CASE("a runner's key opens that runner's endpoints and jobs, and nothing else") {
    AccessWorld w;
    const auto job = w.submit_job().str();
    w.claimed_token();
    const std::string running = "{\"status\":\"running\"}";
    // Of another runner: neither under that runner's name nor under its own.
    CHECK(w.status("PATCH /v0/runners/second/jobs/" + job, w.second_key, running) == 403);
    CHECK(w.status("PATCH /v0/runners/machine/jobs/" + job, w.second_key, running) == 401);
    CHECK(w.status("POST /v0/runners/machine/jobs", w.second_key, "{\"poll_timeout\":1}") == 401);
    CHECK(w.status("GET /v0/runners/machine/channel", w.second_key) >= 400);
    // It is no user's.
    for (const char* path : {"GET /v0/users", "GET /v0/runners", "GET /v0/runners/machine", "GET /v0/specs",
                             "POST /v0/runners/machine/key", "GET /v0/projects/the-computer/keys"}) {
      const auto code = w.status(path, w.key);
      CHECK_MESSAGE(refused(code), path << " " << code);
    }
    CHECK(w.status("GET /v2/" + w.project.project.uuid.str() + manifest, w.key) == 401);
    CHECK(w.status("PATCH /v0/runners/machine/jobs/" + job, w.key, running) == 200);
  }
}
