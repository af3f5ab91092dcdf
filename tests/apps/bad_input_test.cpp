// What the world may do wrong, and what it is told.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

json::object run_body(const std::string& result = R"({"bench":{"latency":{"value":1}}})") {
  return {{"project", "bench"},
          {"branch", "main"},
          {"testbed", "lab"},
          {"start_time", "2024-07-11T06:23:00Z"},
          {"end_time", "2024-07-11T06:23:10Z"},
          {"results", json::array{result}},
          {"settings", json::object{{"adapter", "json"}}}};
}

/// Refused with that status and a reason, in the API's form.
void check_refused(const Reply& reply, int status, const std::string& part = {}) {
  INFO(reply.text);
  CHECK(reply.status == status);
  REQUIRE(reply.body.is_object());
  CHECK(reply.at("/request_id").is_string());
  CHECK(reply.str("/message").find(part) != std::string::npos);
}
/// Refused in the registry's form.
void check_oci_refused(const Reply& reply, int status, const std::string& code) {
  INFO(reply.text);
  CHECK(reply.status == status);
  REQUIRE(reply.body.is_object());
  CHECK(reply.str("/errors/0/code") == code);
}

/// Sends raw bytes, closes its side, and reads what comes.
std::string raw(std::uint16_t port, const std::string& bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{15, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string out;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    shutdown(fd, SHUT_WR);
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
  }
  close(fd);
  return out;
}

std::string job_of(const Reply& report) {
  return World::must(report, 201).str("/job");
}

}  // namespace

TEST_SUITE("apps/bad input") {
  TEST_CASE(
      "bodies that are no JSON, of wrong types, with unknown enumerators or bad names are refused with the place") {
    World world;
    auto& api = world.admin;
    for (const auto* text : {"{bad", "", "[1,2", "nul", "{\"project\":\"bench\"", "\xff\xfe", "{} {}"}) {
      CAPTURE(text);
      check_refused(api.send("POST", "/v0/run", text), 400);
      check_refused(api.send("POST", "/v0/projects/bench/measures", text), 400);
    }
    check_refused(api.send("POST", "/v0/run", std::string(100'000, '[')), 400);
    const auto with = [](const std::string& member, const json::value& value) {
      auto body = run_body();
      body[member] = value;
      return body;
    };
    struct Row {
      std::string member;
      json::value value;
    };
    for (const auto& [member, value] :
         {Row{"results", "text"}, Row{"results", json::array{1}}, Row{"branch", 7}, Row{"start_time", "yesterday"},
          Row{"settings", json::object{{"adapter", "nope"}}}, Row{"settings", json::object{{"fold", "sum"}}},
          Row{"hash", "xyz"}, Row{"branch", json::string(1025, 'b')}, Row{"testbed", json::string(65, 't')},
          Row{"testbed", ""}, Row{"branch", "a..b"}, Row{"project", "No Slug"}, Row{"results", nullptr},
          Row{"thresholds", json::object{{"models", json::object{{"latency", json::object{{"test", "magic"}}}}}}},
          Row{"thresholds", json::object{{"models", json::array()}}}}) {
      CAPTURE(member);
      CAPTURE(json::serialize(value).substr(0, 80));
      check_refused(api.post("/v0/run", with(member, value)), 400);
    }
    for (const auto& name : {std::string(65, 'n'), std::string(), std::string(" padded "), std::string("\t")}) {
      CAPTURE(name);
      check_refused(api.post("/v0/projects/bench/measures", {{"name", name}, {"units", "s"}}), 400, "name");
    }
    check_refused(api.post("/v0/projects/bench/measures", {{"name", "ok"}, {"slug", "No Slug"}, {"units", "s"}}), 400,
                  "slug");
    check_refused(api.post("/v0/auth/signup", {{"name", "X"}, {"email", "no address"}, {"i_agree", true}}), 400);
    check_refused(api.patch("/v0/projects/bench", {{"visibility", "secret"}}), 400, "visibility");
    check_refused(api.get("/v0/projects/bench/measures?per_page=256"), 400);
    check_refused(api.get("/v0/projects/bench/measures?sort=color"), 400);
    check_refused(api.get("/v0/projects/bench/perf?branches=x&testbeds=y&benchmarks=z&measures=w"), 400);
    CHECK(api.get("/v0/projects/bench/reports").header("x-total-count") == "0");
  }

  TEST_CASE("ids that are unknown, foreign or archived are told apart only by those who may") {
    World world;
    auto& api = world.admin;
    auto stranger = world.server.client(world.server.sign_up("Sam Stranger", "sam@example.com"));
    const std::string nobody = "00000000-0000-4000-8000-000000000000";
    for (const auto& path :
         {"/v0/projects/" + nobody, std::string("/v0/projects/none"), "/v0/projects/bench/reports/" + nobody,
          "/v0/projects/bench/branches/" + nobody, std::string("/v0/projects/bench/branches/none"),
          "/v0/projects/bench/testbeds/" + nobody, "/v0/projects/bench/jobs/" + nobody,
          "/v0/projects/bench/alerts/" + nobody, "/v0/projects/bench/metrics/" + nobody,
          "/v0/projects/bench/thresholds/" + nobody, std::string("/v0/specs/none"), std::string("/v0/runners/none")}) {
      CAPTURE(path);
      check_refused(api.get(path), 404);
    }
    check_refused(api.get("/v0/projects/bench/reports/not-a-uuid"), 400);
    check_refused(stranger.get("/v0/organizations/ada-admin"), 404);
    check_refused(stranger.patch("/v0/projects/bench", {{"name", "Mine"}}), 403);
    check_refused(stranger.post("/v0/run", run_body()), 403);
    check_refused(stranger.get("/v0/specs"), 403);
    check_refused(stranger.get("/v0/runners"), 403);

    // A report of one project is not found in another.
    const auto report = World::must(api.post("/v0/run", run_body()), 201);
    World::must(api.post("/v0/organizations/ada-admin/projects", {{"name", "Other"}}), 201);
    check_refused(api.get("/v0/projects/other/reports/" + report.str("/uuid")), 404);
    check_refused(api.get("/v0/projects/other/branches/" + report.str("/branch/uuid")), 404);
    auto foreign_branch = run_body();
    foreign_branch["project"] = "other";
    foreign_branch["branch"] = report.str("/branch/uuid");
    check_refused(api.post("/v0/run", foreign_branch), 404);

    world.add_runner();
    World::must(api.patch("/v0/specs/small", {{"archived", true}}), 200);
    World::must(api.patch("/v0/runners/runner-one", {{"archived", true}}), 200);
    world.push_script("v1", "true");
    check_refused(world.run_image("bench:v1", {{"spec", "small"}}), 404, "small");
    check_refused(world.run_image("bench:v1", {{"spec", "none"}}), 404, "none");
    auto runner = world.server.client(world.runner_keys.at("runner-one"));
    check_refused(runner.post("/v0/runners/runner-one/jobs", {{"poll_timeout", 1}}), 401);
  }

  TEST_CASE("keys that are missing, malformed, revoked or another's open nothing") {
    World world;
    auto& api = world.admin;
    const auto as = [&](const std::string& token) { return world.server.client(token); };
    const std::string long_key = "bencher_user_" + std::string(5000, 'a');
    for (const auto& token :
         {std::string("garbage"), std::string("bencher_user_short"), long_key, "bencher_user_" + std::string(30, 'a'),
          "bencher_runner_" + std::string(30, 'a'), std::string("a.b.c"), std::string("eyJhbGciOiJub25lIn0.e30.")}) {
      CAPTURE(token.substr(0, 40));
      auto client = as(token);
      CHECK(client.get("/v0/organizations").status / 100 == 4);
      CHECK(client.post("/v0/run", run_body()).status / 100 == 4);
      CHECK(client.post("/v0/runners/none/jobs", json::object()).status == 401);
    }
    check_refused(as("").get("/v0/organizations"), 400);
    check_refused(as("").post("/v0/projects/bench/measures", {{"name", "x"}, {"units", "y"}}), 401);

    const auto key = World::must(api.post("/v0/projects/bench/keys", {{"name", "ci"}}), 201);
    World::must(api.post("/v0/organizations/ada-admin/projects", {{"name", "Other"}}), 201);
    auto ci = as(key.str("/key"));
    auto other = run_body();
    other["project"] = "other";
    CHECK(ci.post("/v0/run", run_body()).status == 201);
    check_refused(ci.post("/v0/run", other), 401);
    check_refused(ci.get("/v0/projects/other"), 403);
    CHECK(api.del("/v0/projects/bench/keys/" + key.str("/uuid")).status == 204);
    check_refused(ci.post("/v0/run", run_body()), 401);
    check_refused(api.del("/v0/projects/bench/keys/" + key.str("/uuid")), 409);

    // A runner's key opens its own queue only.
    world.add_runner("one");
    world.add_runner("two");
    auto one = as(world.runner_keys.at("one"));
    check_refused(one.post("/v0/runners/two/jobs", {{"poll_timeout", 1}}), 401);
    check_refused(as(api.token()).post("/v0/runners/one/jobs", {{"poll_timeout", 1}}), 401);
    CHECK(one.post("/v0/runners/one/jobs", {{"poll_timeout", 0}}).status == 200);
    check_refused(one.post("/v0/runners/one/jobs", {{"poll_timeout", -1}}), 400);
    check_refused(one.post("/v0/runners/one/jobs", {{"poll_timeout", "long"}}), 400);
  }

  TEST_CASE("a body of 5 MiB is refused, and the server goes on") {
    World world;
    auto body = run_body(std::string(5 << 20, ' '));
    const auto reply = world.admin.post("/v0/run", body);
    check_refused(reply, 400, "4194304");
    // Also when its length is not told before.
    const std::string head = "POST /v0/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + world.admin.token() +
                             "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto answer = raw(world.server.port(), head + "500000\r\n" + std::string(5 << 20, ' ') + "\r\n0\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 400"));
    CHECK(World::must(world.admin.post("/v0/run", run_body()), 201).at("/results/0").as_array().size() == 1);
  }

  TEST_CASE("uploads that are cut, wrong in digest or range, or huge leave nothing in the registry") {
    World world;
    ApiClient::Options options;
    options.token = world.registry_token("repository:bench:pull,push");
    options.content_type = "application/octet-stream";
    auto& api = world.admin;
    const auto call = [&](const std::string& method, const std::string& path, const std::string& body = {},
                          const std::vector<std::pair<std::string, std::string>>& headers = {}) {
      auto more = options;
      more.headers = headers;
      return api.send(method, path, body, more);
    };
    const std::string data = "some bytes of a layer";
    const auto digest = bencher::Digest::of(data).str();

    // Cut in the middle of a chunk: what came is not taken for the whole.
    auto location = *World::must(call("POST", "/v2/bench/blobs/uploads/"), 202).header("location");
    const auto path = location.substr(location.find("/v2/"));
    raw(world.server.port(),
        "PATCH " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + *options.token +
            "\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome \r\n"
            "20\r\nbytes");
    CHECK(call("HEAD", "/v2/bench/blobs/" + digest).status == 404);
    CHECK(call("PUT", path + "?digest=" + digest).status / 100 == 4);

    location = *World::must(call("POST", "/v2/bench/blobs/uploads/"), 202).header("location");
    const auto second = location.substr(location.find("/v2/"));
    CHECK(call("PATCH", second, data, {{"Content-Range", "5-25"}}).status == 416);
    World::must(call("PATCH", second, data.substr(0, 5), {{"Content-Range", "0-4"}}), 202);
    CHECK(call("PATCH", second, data.substr(5), {{"Content-Range", "9-24"}}).status == 416);
    check_oci_refused(
        call("PUT", second + "?digest=" + bencher::Digest::of(std::string("other")).str(), data.substr(5)), 400,
        "DIGEST_INVALID");
    CHECK(call("HEAD", "/v2/bench/blobs/" + digest).status == 404);
    check_oci_refused(call("POST", "/v2/bench/blobs/uploads/?digest=" + digest, "not that"), 400, "DIGEST_INVALID");
    check_oci_refused(call("GET", "/v2/bench/blobs/sha256:zz"), 400, "DIGEST_INVALID");

    World::must(call("POST", "/v2/bench/blobs/uploads/?digest=" + digest, data), 201);
    CHECK(call("GET", "/v2/bench/blobs/" + digest, "", {{"Range", "bytes=5-9"}}).text == "bytes");
    CHECK(call("GET", "/v2/bench/blobs/" + digest, "", {{"Range", "bytes=99-"}}).status == 416);

    options.content_type = "application/vnd.oci.image.manifest.v1+json";
    const auto huge = call("PUT", "/v2/bench/manifests/huge", std::string(5 << 20, ' '));
    CHECK((huge.status == 413 || huge.status == 400));
    CHECK(call("HEAD", "/v2/bench/manifests/huge").status == 404);
    check_oci_refused(call("PUT", "/v2/bench/manifests/v1", "{not json"), 400, "MANIFEST_INVALID");
    check_oci_refused(call("GET", "/v2/bench/manifests/none"), 404, "MANIFEST_UNKNOWN");

    // Without a token, with one for another repository, with a key in its place.
    options.token = "";
    const auto challenged = call("GET", "/v2/");
    CHECK(challenged.status == 401);
    CHECK(challenged.header("www-authenticate").value_or("").starts_with("Bearer realm="));
    check_oci_refused(
        call("HEAD", "/v2/bench/blobs/uploads/x").status == 404 ? challenged : call("POST", "/v2/bench/blobs/uploads/"),
        401, "UNAUTHORIZED");
    options.token = world.registry_token("repository:elsewhere:pull,push");
    CHECK(call("POST", "/v2/bench/blobs/uploads/").status / 100 == 4);
    options.token = world.user_key;
    CHECK(call("POST", "/v2/bench/blobs/uploads/").status / 100 == 4);
  }

  TEST_CASE("a run of an image or tag that is not there, or without a spec, is refused with the reason") {
    World world;
    world.push_script("v1", "true");
    check_refused(world.run_image("bench:v1"), 400, "No spec provided and no default spec configured");
    world.add_runner();
    check_refused(world.run_image("bench:v9"), 400, "v9");
    check_refused(world.run_image("ghcr.io/a/b:v1"), 400, "External registries not yet supported");
    check_refused(world.run_image("bench@sha256:zz"), 400);
    check_refused(world.run_image(""), 400);
    check_refused(world.run_image("bench:v1", {{"timeout", 0}}), 400);
    json::array many;
    for (int i = 0; i < 65; ++i)
      many.push_back("x");
    check_refused(world.run_image("bench:v1", {{"cmd", many}}), 400);
    CHECK(world.admin.get("/v0/projects/bench/jobs").header("x-total-count") == "0");
    CHECK(world.admin.get("/v0/projects/bench/reports").header("x-total-count") == "0");
  }

  TEST_CASE("results that no adapter knows leave nothing behind") {
    World world;
    for (const auto* adapter : {"json", "magic"}) {
      auto body = run_body("no benchmark here");
      body["settings"] = json::object{{"adapter", adapter}};
      check_refused(world.admin.post("/v0/run", body), 400);
    }
    auto half = run_body();
    half["results"] = json::array{R"({"a":{"latency":{"value":1}}})", "garbage"};
    check_refused(world.admin.post("/v0/run", half), 400);
    CHECK(world.admin.get("/v0/projects/bench/reports").header("x-total-count") == "0");
    CHECK(world.admin.get("/v0/projects/bench/branches").header("x-total-count") == "0");
    CHECK(world.admin.get("/v0/projects/bench/benchmarks").header("x-total-count") == "0");
  }

  TEST_CASE("jobs that cannot start, end badly or print nonsense fail with their reason, and the runner goes on") {
    World world;
    world.add_runner();
    auto runner = world.start_runner();
    const auto failed = [&](const std::string& tag, const json::object& more = {}) {
      const auto job = job_of(world.run_image("bench:" + tag, more));
      const auto shown = world.ended(job);
      CAPTURE(shown.text);
      CHECK(shown.str("/status") == "failed");
      return shown;
    };
    const auto reason = [](const Reply& job) {
      const auto* error = job.at("/output").as_object().if_contains("error");
      return error && error->is_string() ? std::string(error->as_string()) : std::string();
    };
    world.push("bare", R"("Env":["PATH=/bin"])");
    CHECK(reason(failed("bare")).find("entrypoint") != std::string::npos);
    world.push("missing", R"("Entrypoint":["/bin/no-such-program"])");
    const auto missing = failed("missing");
    CAPTURE(missing.text);
    CHECK(missing.text.find("no-such-program") != std::string::npos);
    world.push_script("killed", "echo before; kill -9 $$");
    const auto killed = failed("killed");
    CHECK(killed.at("/output/results/0/exit_code") == 137);
    CHECK(killed.str("/output/results/0/stdout") == "before\n");
    world.push_script("three", "echo why >&2; exit 3");
    const auto three = failed("three");
    CHECK(three.at("/output/results/0/exit_code") == 3);
    CHECK(three.str("/output/results/0/stderr") == "why\n");
    world.push_script("nonsense", "echo nonsense");
    const auto nonsense = failed("nonsense");
    CHECK(nonsense.str("/output/results/0/stdout") == "nonsense\n");
    CHECK_FALSE(reason(nonsense).empty());
    world.push_script("slow", "echo waiting; sleep 1000");
    const auto slow = failed("slow", {{"timeout", 1}});
    CHECK_FALSE(reason(slow).empty());
    const auto gone = job_of(world.run_image("bench@sha256:" + std::string(64, '0')));
    CHECK(world.ended(gone).str("/status") == "failed");

    world.push_script("fine", R"(echo '{"bench":{"latency":{"value":1}}}')");
    CHECK(world.ended(job_of(world.run_image("bench:fine"))).str("/status") == "processed");
    // With its leave, a failing benchmark's results count.
    world.push_script("allowed", R"(echo '{"bench":{"latency":{"value":1}}}'; exit 3)");
    CHECK(world.ended(job_of(world.run_image("bench:allowed", {{"allow_failure", true}}))).str("/status") ==
          "processed");
  }

  TEST_CASE("a spec that asks for a sandbox that is not there fails its job with that reason") {
    World world;
    world.add_runner("runner-one", "firecracker");
    world.push_script("v1", "true");
    auto runner = world.start_runner("runner-one", "process", {"--kernel", "/absent/vmlinuz"});
    const auto job = world.ended(job_of(world.run_image("bench:v1")));
    CHECK(job.str("/status") == "failed");
    CHECK(job.str("/output/error").find("microVM") != std::string::npos);
  }

  TEST_CASE("the job of a runner that was killed fails once its heartbeats are missed") {
    World world(R"({"plus":{"runners":{"heartbeat_timeout":1}}})");
    world.add_runner();
    const Gate gate(world.dir / "gate");
    world.push_script("v1", "echo started; read line < \"$GATE\"");
    auto runner = world.start_runner();
    const auto job = job_of(world.run_image("bench:v1", {{"env", json::object{{"GATE", gate.path()}}}}));
    world.follow(job, [](const json::object& line) {
      return line.at("event") == "log" &&
             std::string_view(line.at("data").as_string()).find("started") != std::string_view::npos;
    });
    runner->signal(SIGKILL);
    CHECK(runner->wait() == 128 + SIGKILL);
    const auto ended = world.ended(job);
    CHECK(ended.str("/status") == "failed");
    CHECK(ended.str("/output/error").find("heartbeat") != std::string::npos);
  }
}
