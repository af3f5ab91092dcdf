#include "apps/server/registry.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/wait.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/http_server.hpp"

using namespace bencher;
using namespace std::chrono_literals;
using bencher::test::HttpClient;
using bencher::test::HttpReply;
using bencher::test::HttpServer;
using http::Exchange;
using http::Task;
namespace fs = std::filesystem;

namespace {

const std::string oci_manifest = "application/vnd.oci.image.manifest.v1+json";
const std::string oci_index = "application/vnd.oci.image.index.v1+json";

/// Projects by name, with what may be done with them.
class Access final : public server::RegistryAccess {
 public:
  Task<Result<server::RegistryGrant>> authorize(const http::RequestHead& head, std::string name, bool push,
                                                bool create) override {
    const auto* credential = head.header("authorization");
    if (need_token && (!credential || *credential != "Bearer secret-token"))
      co_return Error(Errc::unauthenticated, "Authentication required");
    if (name == "locked") co_return Error(Errc::forbidden, "Token not valid for repository: locked");
    if (name == "busy") co_return Error(Errc::rate_limited, "too many requests");
    if (name == "down") co_return Error(Errc::unavailable, "the database is busy");
    if (name == "bug") co_return Error(Errc::internal, "bug");
    if (name == "readonly" && push) co_return Error(Errc::forbidden, "pull only");
    if (create && push && name == "new") projects.emplace("new", "01890a5d-ac96-774b-bcce-b30209900003");
    const auto at = projects.find(name);
    if (!name.empty() && at == projects.end()) co_return Error(Errc::not_found, "there is no project " + name);
    server::RegistryGrant grant;
    if (!name.empty()) grant.repository = at->second;
    co_return grant;
  }

  bool need_token = false;
  std::map<std::string, std::string> projects{{"job", "01890a5d-ac96-774b-bcce-b30209900001"},
                                              {"other", "01890a5d-ac96-774b-bcce-b30209900002"},
                                              {"readonly", "01890a5d-ac96-774b-bcce-b30209900004"}};
};

struct World {
  explicit World(std::uint64_t limit = 256 << 20)
      : root(fs::temp_directory_path() / fmt::format("bencher-registry-{}-{}", ::getpid(), ++count)),
        store(root, random),
        server([this](Exchange& exchange) { return handle(exchange); }),
        registry(store, access,
                 {.registry_url = fmt::format("http://127.0.0.1:{}", server.port()), .max_body_size = limit}, pool,
                 clock),
        client(server.port()) {}
  ~World() {
    server.stop();
    pool.join();
    fs::remove_all(root);
  }

  Task<void> handle(Exchange& exchange) {
    if (exchange.head().path() != "/v0/auth/oci/token") {
      co_await registry.handle(exchange);
      co_return;
    }
    http::Response response;
    response.body = R"({"token":"secret-token","expires_in":300})";
    co_await exchange.respond(std::move(response));
  }

  HttpReply get(const std::string& path) { return client.get(path); }
  HttpReply put(const std::string& path, const std::string& body = {}, const std::string& headers = {}) {
    return client.request("PUT", path, body, headers);
  }
  HttpReply post(const std::string& path, const std::string& body = {}) { return client.request("POST", path, body); }
  HttpReply patch(const std::string& path, const std::string& body, const std::string& range = {}) {
    return client.request("PATCH", path, body, range.empty() ? "" : "content-range: " + range + "\r\n");
  }
  HttpReply remove(const std::string& path) { return client.request("DELETE", path); }

  std::string begin() {
    const auto reply = post("/v2/job/blobs/uploads/");
    REQUIRE(reply.status == 202);
    return reply.header("location");
  }
  Digest blob(const std::string& bytes, const std::string& name = "job") {
    const auto digest = Digest::of(bytes);
    REQUIRE(put(fmt::format("/v2/{}/blobs/uploads?digest={}", name, digest.str()), bytes).status == 201);
    return digest;
  }
  std::string manifest(const std::string& more = {}) {
    const auto config = blob("{}");
    return fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/x.config","digest":"{}","size":2}},"layers":[]{}}})",
        oci_manifest, config.str(), more);
  }
  HttpReply put_manifest(const std::string& reference, const std::string& bytes,
                         const std::string& type = oci_manifest) {
    return put("/v2/job/manifests/" + reference, bytes, "content-type: " + type + "\r\n");
  }

  static inline int count = 0;
  fs::path root;
  SystemRandom random;
  ManualClock clock;  // network thread only
  BlobStore store;
  Access access;
  boost::asio::thread_pool pool{2};
  HttpServer server;
  server::Registry registry;
  HttpClient client;
};

/// The code of the only error, checked for its form.
std::string code(const HttpReply& reply) {
  CHECK(reply.header("content-type") == "application/json");
  CHECK(reply.header("x-request-id").size() == 36);
  CHECK(reply.header("docker-distribution-api-version") == "registry/2.0");
  const std::string begin = R"({"errors":[{"code":")";
  CHECK(reply.body.starts_with(begin));
  CHECK(reply.body.find(R"(","message":")") != std::string::npos);
  const auto end = reply.body.find('"', begin.size());
  return reply.body.substr(begin.size(), end - begin.size());
}

std::pair<int, std::string> run(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe);
  std::string out;
  char part[4096];
  while (const auto n = std::fread(part, 1, sizeof part, pipe))
    out.append(part, n);
  const int status = ::pclose(pipe);
  return {WEXITSTATUS(status), out};
}

// The sanitizers keep freed memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

std::size_t resident_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

template <class F>
bool comes_true(F condition) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_SUITE("server/registry") {
  TEST_CASE("the base path tells whether a credential is good, and the challenge where to get one") {
    World world;
    const auto fine = world.get("/v2/");
    CHECK(fine.status == 200);
    CHECK(fine.body == "{}");
    CHECK(fine.header("docker-distribution-api-version") == "registry/2.0");
    world.server.on_network([&] { world.access.need_token = true; });
    const auto realm =
        fmt::format(R"(Bearer realm="http://127.0.0.1:{}/v0/auth/oci/token",service="127.0.0.1")", world.server.port());
    const auto base = world.get("/v2/");
    CHECK(base.status == 401);
    CHECK(code(base) == "UNAUTHORIZED");
    CHECK(base.header("www-authenticate") == realm);
    CHECK(world.get("/v2/job/manifests/v1").header("www-authenticate") == realm + R"(,scope="repository:job:pull")");
    const auto push = world.post("/v2/job/blobs/uploads/");
    CHECK(push.status == 401);
    CHECK(push.header("www-authenticate") == realm + R"(,scope="repository:job:push")");
    CHECK(world.get("/v2/a%22b/manifests/v1").header("www-authenticate") == realm);
    CHECK(world.client.request("GET", "/v2/", {}, "authorization: Bearer secret-token\r\n").status == 200);
  }

  TEST_CASE("what the access check says becomes the status and code") {
    World world;
    const auto says = [&](const std::string& name, int status) {
      const auto reply = world.get("/v2/" + name + "/tags/list");
      CHECK(reply.status == status);
      return status == 500 ? std::string() : code(reply);
    };
    CHECK(says("locked", 403) == "DENIED");
    CHECK(says("missing", 404) == "NAME_UNKNOWN");
    CHECK(says("busy", 429) == "TOOMANYREQUESTS");
    CHECK(says("down", 503) == "UNAVAILABLE");
    CHECK(says("bug", 500).empty());
    CHECK(world.get("/v2/readonly/tags/list").status == 200);
    for (const auto& [method, path] :
         std::vector<std::pair<std::string, std::string>>{{"POST", "blobs/uploads/"},
                                                          {"PUT", "manifests/v1"},
                                                          {"DELETE", "manifests/v1"},
                                                          {"DELETE", "blobs/" + Digest::of("").str()},
                                                          {"PATCH", "blobs/uploads/x"},
                                                          {"GET", "blobs/uploads/x"}}) {
      CAPTURE(method);
      const auto reply = world.client.request(method, "/v2/readonly/" + path);
      CHECK(reply.status == 403);
      CHECK(code(reply) == "DENIED");
    }
    // Only the first upload may make a project.
    CHECK(world.put("/v2/new/manifests/v1").status == 404);
    CHECK(world.post("/v2/new/blobs/uploads/").status == 202);
    CHECK(world.get("/v2/new/tags/list").body == R"({"name":"new","tags":[]})");
  }

  TEST_CASE("other paths are 404, other methods 405 with Allow, OPTIONS 200") {
    World world;
    for (const char* path :
         {"/v2/job", "/v2/job/sub/tags/list", "/v2/job/tags", "/v2/job/blobs/uploads/x/y", "/v2/_catalog"}) {
      CAPTURE(path);
      const auto reply = world.get(path);
      CHECK(reply.status == 404);
      CHECK(code(reply) == "NAME_UNKNOWN");
      CHECK(world.client.request("OPTIONS", path).status == 200);
    }
    const auto reply = world.post("/v2/job/blobs/zzz");
    CHECK(reply.status == 405);
    CHECK(reply.header("allow") == "GET, HEAD, DELETE");
    CHECK(code(reply) == "UNSUPPORTED");
    CHECK(world.post("/v2/").status == 405);
    CHECK(world.post("/v2/job/manifests/v1").status == 405);
    CHECK(world.post("/v2/job/tags/list").status == 405);
    CHECK(world.post("/v2/job/referrers/x").status == 405);
    CHECK(world.get("/v2/job/blobs/uploads/").status == 405);
    CHECK(world.post("/v2/job/blobs/uploads/x").status == 405);
  }

  TEST_CASE("an upload in chunks: start, chunks in order, status, end") {
    World world;
    const auto start = world.post("/v2/job/blobs/uploads/");
    CHECK(start.status == 202);
    CHECK(start.header("range") == "0-0");
    CHECK(start.header("content-length") == "0");
    const auto location = start.header("location");
    CHECK(location == "/v2/job/blobs/uploads/" + start.header("docker-upload-uuid"));
    auto reply = world.get(location);
    CHECK(reply.status == 204);
    CHECK(reply.header("range") == "0-0");
    reply = world.patch(location, "hello ", "0-5");
    CHECK(reply.status == 202);
    CHECK(reply.header("range") == "0-5");
    CHECK(reply.header("location") == location);
    SUBCASE("chunks out of order or overlapping are 416 and change nothing") {
      for (const char* range : {"7-11", "0-4", "5-9"}) {
        reply = world.patch(location, "world", range);
        CHECK(reply.status == 416);
        CHECK(reply.header("range") == "0-5");
        CHECK(reply.header("location") == location);
        CHECK(reply.body.empty());
      }
    }
    SUBCASE("a range that is malformed or does not fit its body is 400 and changes nothing") {
      for (const char* range : {"6", "6-", "a-b", "10-6", "6-9", "6-11", "6-99999999999999999999999"}) {
        CAPTURE(range);
        CHECK(world.patch(location, "world", range).status == 400);
      }
      CHECK(world.client.request("PATCH", location, {}, "content-range: 6-10\r\n").status == 400);
      HttpClient chunked(world.server.port());
      chunked.send(
          "PATCH " + location +
          " HTTP/1.1\r\nhost: x\r\ncontent-range: 6-10\r\ntransfer-encoding: chunked\r\n\r\n3\r\nwor\r\n0\r\n\r\n");
      CHECK(chunked.read_reply().status == 400);
    }
    reply = world.get(location);
    CHECK(reply.header("range") == "0-5");
    CHECK(world.patch(location, "wor", "6-8").header("range") == "0-8");
    const auto digest = Digest::of("hello world");
    std::string last = "ld";  // the last chunk may come with the end
    SUBCASE("or before it, without a range") {
      CHECK(world.patch(location, last).status == 202);
      last.clear();
    }
    reply = world.put(location + "?digest=" + digest.str(), last);
    CHECK(reply.status == 201);
    CHECK(reply.header("location") == "/v2/job/blobs/" + digest.str());
    CHECK(reply.header("docker-content-digest") == digest.str());
    CHECK(world.get(location).status == 404);
    CHECK(world.get("/v2/job/blobs/" + digest.str()).body == "hello world");
  }

  TEST_CASE("a wrong digest ends the upload and stores nothing, a malformed one keeps it") {
    World world;
    auto location = world.begin();
    const auto other = Digest::of("other").str();
    auto reply = world.put(location + "?digest=sha256:zz", "abc");
    CHECK(reply.status == 400);
    CHECK(code(reply) == "DIGEST_INVALID");
    CHECK(world.put(location, "abc").status == 400);
    CHECK(world.get(location).header("range") == "0-0");
    reply = world.put(location + "?digest=" + other, "abc");
    CHECK(reply.status == 400);
    CHECK(code(reply) == "DIGEST_INVALID");
    reply = world.get(location);
    CHECK(reply.status == 404);
    CHECK(code(reply) == "BLOB_UPLOAD_UNKNOWN");
    CHECK(world.get("/v2/job/blobs/" + other).status == 404);
    CHECK(world.get("/v2/job/blobs/" + Digest::of("abc").str()).status == 404);
  }

  TEST_CASE("a whole blob goes with one PUT or one POST") {
    World world;
    const auto digest = Digest::of("whole", DigestAlgorithm::sha512);
    for (const char* method : {"PUT", "POST"}) {
      CAPTURE(method);
      auto reply = world.client.request(method, "/v2/job/blobs/uploads/?digest=" + digest.str(), "whole");
      CHECK(reply.status == 201);
      CHECK(reply.header("docker-content-digest") == digest.str());
      CHECK(world.remove("/v2/job/blobs/" + digest.str()).status == 202);
      reply = world.client.request(method, "/v2/job/blobs/uploads/?digest=" + digest.str(), "hole");
      CHECK(code(reply) == "DIGEST_INVALID");
      CHECK(code(world.client.request(method, "/v2/job/blobs/uploads/?digest=x", "whole")) == "DIGEST_INVALID");
      CHECK(world.get("/v2/job/blobs/" + digest.str()).status == 404);
    }
    CHECK(world.put("/v2/job/blobs/uploads/", "whole").status == 400);
  }

  TEST_CASE("an upload can be cancelled, belongs to its repository, and expires when nobody touches it") {
    World world;
    const auto location = world.begin();
    const auto id = location.substr(location.rfind('/') + 1);
    CHECK(world.get("/v2/other/blobs/uploads/" + id).status == 404);
    CHECK(world.patch("/v2/job/blobs/uploads/3bb76625-1afa-4c0d-b42b-9b4c168abc53", "x").status == 404);
    CHECK(world.patch("/v2/job/blobs/uploads/%2e%2e%2fx", "x").status == 404);
    CHECK(world.remove(location).status == 202);
    CHECK(code(world.remove(location)) == "BLOB_UPLOAD_UNKNOWN");
    const auto old = world.begin();
    world.server.on_network([&] { world.clock.advance(2h); });
    world.begin();
    CHECK(world.get(old).status == 404);
  }

  TEST_CASE("an upload that breaks off keeps what came, and goes on from there") {
    World world;
    const auto location = world.begin();
    {
      HttpClient broken(world.server.port());
      broken.send("PATCH " + location + " HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhello");
      broken.close();
    }
    CHECK(comes_true([&] { return world.get(location).header("range") == "0-4"; }));
    HttpReply reply;
    CHECK(comes_true([&] { return (reply = world.patch(location, " world", "5-10")).status != 409; }));
    CHECK(reply.status == 202);
    CHECK(world.put(location + "?digest=" + Digest::of("hello world").str()).status == 201);
  }

  TEST_CASE("two requests cannot write to one upload at a time") {
    World world;
    const auto location = world.begin();
    HttpClient slow(world.server.port());
    slow.send("PATCH " + location + " HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    slow.read_until("100 Continue\r\n\r\n");
    const auto reply = world.patch(location, "hello");
    CHECK(reply.status == 409);
    CHECK(code(reply) == "BLOB_UPLOAD_INVALID");
    slow.send("hello");
    CHECK(slow.read_reply().status == 202);
  }

  TEST_CASE("a blob over the limit is 413, whether its length is told or not, and nothing stays") {
    World world(1000);
    CHECK(world.put("/v2/job/blobs/uploads?digest=" + Digest::of(std::string(1000, 'x')).str(), std::string(1000, 'x'))
              .status == 201);
    auto reply = world.put("/v2/job/blobs/uploads?digest=" + Digest::of("x").str(), std::string(1001, 'x'));
    CHECK(reply.status == 413);
    CHECK(code(reply) == "SIZE_INVALID");
    const auto location = world.begin();
    CHECK(world.patch(location, std::string(900, 'x')).status == 202);
    HttpClient chunked(world.server.port());
    chunked.send("PATCH " + location + " HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n65\r\n" +
                 std::string(101, 'x') + "\r\n0\r\n\r\n");
    CHECK(chunked.read_reply().status == 413);
    CHECK(world.get(location).status == 404);
  }

  TEST_CASE("memory does not grow with a blob") {
    if (sanitized) return;
    World world;
    const std::string part(1 << 20, 'x');
    Hasher hasher;
    for (int i = 0; i < 128; ++i)
      hasher.update(part);
    const auto digest = hasher.finish();
    world.get("/v2/");
    const auto before = resident_kib();
    world.client.send("PUT /v2/job/blobs/uploads?digest=" + digest.str() +
                      " HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    std::size_t most = 0;
    for (int i = 0; i < 128; ++i) {
      world.client.send("100000\r\n" + part + "\r\n");
      most = std::max(most, resident_kib());
    }
    world.client.send("0\r\n\r\n");
    CHECK(world.client.read_reply().status == 201);
    world.client.send("GET /v2/job/blobs/" + digest.str() + " HTTP/1.1\r\nhost: x\r\n\r\n");
    CHECK(world.client.read_head().header("content-length") == std::to_string(128 << 20));
    for (int i = 0; i < 128; ++i) {
      CHECK((world.client.read(part.size()) == part));
      most = std::max(most, resident_kib());
    }
    CHECK(most < before + 24 * 1024);
  }

  TEST_CASE("a blob is read whole, in ranges, or only its head, until it is deleted") {
    World world;
    const auto digest = world.blob("0123456789");
    const auto path = "/v2/job/blobs/" + digest.str();
    auto reply = world.get(path);
    CHECK(reply.status == 200);
    CHECK(reply.body == "0123456789");
    CHECK(reply.header("content-type") == "application/octet-stream");
    CHECK(reply.header("docker-content-digest") == digest.str());
    reply = world.client.request("HEAD", path);
    CHECK(reply.status == 200);
    CHECK(reply.header("content-length") == "10");
    struct Row {
      const char* range;
      int status;
      const char* body;
      const char* content_range;
    };
    for (const auto& row :
         {Row{"bytes=0-3", 206, "0123", "bytes 0-3/10"}, Row{"bytes=8-", 206, "89", "bytes 8-9/10"},
          Row{"bytes=-3", 206, "789", "bytes 7-9/10"}, Row{"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
          Row{"bytes=5-99", 206, "56789", "bytes 5-9/10"}, Row{"bytes=10-", 416, nullptr, "bytes */10"},
          Row{"bytes=-0", 416, nullptr, "bytes */10"}, Row{"bytes=3-1", 200, "0123456789", ""},
          Row{"bytes=0-1,3-4", 200, "0123456789", ""}, Row{"lines=1-2", 200, "0123456789", ""},
          Row{"bytes=x-", 200, "0123456789", ""}}) {
      CAPTURE(row.range);
      reply = world.client.request("GET", path, {}, fmt::format("range: {}\r\n", row.range));
      CHECK(reply.status == row.status);
      if (row.body) CHECK(reply.body == row.body);
      CHECK(reply.header("content-range") == row.content_range);
    }
    CHECK(world.get("/v2/other/blobs/" + digest.str()).status == 404);
    CHECK(code(world.get("/v2/job/blobs/zzz")) == "DIGEST_INVALID");
    CHECK(world.remove(path).status == 202);
    reply = world.get(path);
    CHECK(reply.status == 404);
    CHECK(code(reply) == "BLOB_UNKNOWN");
    CHECK(world.remove(path).status == 404);
    CHECK(world.client.request("HEAD", path).status == 404);
    const auto empty = world.blob("");
    CHECK(world.get("/v2/job/blobs/" + empty.str()).body.empty());
  }

  TEST_CASE("a blob is mounted from a repository that may be read, else an upload begins") {
    World world;
    const auto digest = world.blob("layer", "other");
    const auto mount = [&](const std::string& query) { return world.post("/v2/job/blobs/uploads/?" + query); };
    CHECK(mount("mount=" + digest.str()).status == 202);
    CHECK(mount("mount=" + digest.str() + "&from=locked").status == 202);
    CHECK(mount("mount=" + Digest::of("x").str() + "&from=other").status == 202);
    CHECK(mount("mount=zzz&from=other").status == 400);
    CHECK(world.get("/v2/job/blobs/" + digest.str()).status == 404);
    const auto reply = mount("mount=" + digest.str() + "&from=other");
    CHECK(reply.status == 201);
    CHECK(reply.header("location") == "/v2/job/blobs/" + digest.str());
    CHECK(reply.header("docker-content-digest") == digest.str());
    CHECK(world.get("/v2/job/blobs/" + digest.str()).body == "layer");
  }

  TEST_CASE("a manifest is put, read by tag and digest, and deleted") {
    World world;
    const auto bytes = world.manifest();
    const auto digest = Digest::of(bytes);
    auto reply = world.put_manifest("v1", bytes, oci_manifest + "; charset=utf-8");
    CHECK(reply.status == 201);
    CHECK(reply.header("location") == "/v2/job/manifests/" + digest.str());
    CHECK(reply.header("docker-content-digest") == digest.str());
    CHECK(reply.headers.count("oci-subject") == 0);
    CHECK(world.put_manifest("v2", bytes).status == 201);
    CHECK(world.put_manifest(digest.str(), bytes).status == 201);
    const auto long_digest = Digest::of(bytes, DigestAlgorithm::sha512).str();
    CHECK(world.put_manifest(long_digest, bytes).header("docker-content-digest") == long_digest);
    for (const auto& reference : {std::string("v1"), digest.str()}) {
      reply = world.get("/v2/job/manifests/" + reference);
      CHECK(reply.status == 200);
      CHECK(reply.body == bytes);
      CHECK(reply.header("content-type") == oci_manifest);
      CHECK(reply.header("docker-content-digest") == digest.str());
      reply = world.client.request("HEAD", "/v2/job/manifests/" + reference);
      CHECK(reply.status == 200);
      CHECK(reply.header("content-length") == std::to_string(bytes.size()));
    }
    CHECK(world.remove("/v2/job/manifests/v1").status == 202);
    CHECK(code(world.remove("/v2/job/manifests/v1")) == "MANIFEST_UNKNOWN");
    CHECK(world.get("/v2/job/manifests/v2").status == 200);
    CHECK(world.remove("/v2/job/manifests/" + digest.str()).status == 202);
    CHECK(world.remove("/v2/job/manifests/" + digest.str()).status == 202);
    CHECK(code(world.get("/v2/job/manifests/v2")) == "MANIFEST_UNKNOWN");
    CHECK(world.client.request("HEAD", "/v2/job/manifests/v2").status == 404);
  }

  TEST_CASE("a manifest that is wrong is refused with the code that says how") {
    World world;
    const auto bytes = world.manifest();
    const auto missing = Digest::of("missing").str();
    const auto refused = [&](const std::string& reference, const std::string& body,
                             const std::string& type = oci_manifest) {
      const auto reply = world.put_manifest(reference, body, type);
      CHECK(reply.status == 400);
      return code(reply);
    };
    CHECK(refused("v1", "garbage") == "MANIFEST_INVALID");
    CHECK(refused("v1", bytes, "application/json") == "MANIFEST_INVALID");
    CHECK(refused("v1", bytes, oci_index) == "MANIFEST_INVALID");
    CHECK(code(world.put("/v2/job/manifests/v1", bytes)) == "MANIFEST_INVALID");
    CHECK(refused(missing, bytes) == "DIGEST_INVALID");
    CHECK(refused("sha256:zz", bytes) == "DIGEST_INVALID");
    CHECK(refused("..bad", bytes) == "TAG_INVALID");
    CHECK(refused("v1", R"({"schemaVersion":2,"config":{"digest":")" + missing + R"("},"layers":[]})") ==
          "MANIFEST_BLOB_UNKNOWN");
    CHECK(refused("v1", R"({"schemaVersion":2,"manifests":[{"digest":")" + missing + R"("}]})", oci_index) ==
          "MANIFEST_BLOB_UNKNOWN");
    CHECK(code(world.get("/v2/job/manifests/..bad")) == "TAG_INVALID");
    HttpClient huge(world.server.port());
    const auto reply = huge.request("PUT", "/v2/job/manifests/v1", std::string((4 << 20) + 1, ' '),
                                    "content-type: " + oci_manifest + "\r\n");
    CHECK(reply.status == 413);
    CHECK(code(reply) == "SIZE_INVALID");
    CHECK(world.get("/v2/job/tags/list").body == R"({"name":"job","tags":[]})");
  }

  TEST_CASE("tags are listed in pages that link to the next") {
    World world;
    const auto bytes = world.manifest();
    for (const char* tag : {"v1", "a-tag", "b-tag"})
      CHECK(world.put_manifest(tag, bytes).status == 201);
    auto reply = world.get("/v2/job/tags/list");
    CHECK(reply.body == R"({"name":"job","tags":["a-tag","b-tag","v1"]})");
    CHECK(reply.headers.count("link") == 0);
    reply = world.get("/v2/job/tags/list?n=2");
    CHECK(reply.body == R"({"name":"job","tags":["a-tag","b-tag"]})");
    CHECK(reply.header("link") == R"(</v2/job/tags/list?n=2&last=b-tag>; rel="next")");
    reply = world.get("/v2/job/tags/list?n=2&last=b-tag");
    CHECK(reply.body == R"({"name":"job","tags":["v1"]})");
    CHECK(reply.headers.count("link") == 0);
    CHECK(world.get("/v2/job/tags/list?n=0").header("link") == R"(</v2/job/tags/list?n=1&last=a-tag>; rel="next")");
    CHECK(world.get("/v2/job/tags/list?n=99999").status == 200);
    CHECK(world.get("/v2/job/tags/list?n=x").status == 400);
  }

  TEST_CASE("referrers are an index, also of an unknown digest, and can be filtered") {
    World world;
    const auto subject = Digest::of("subject").str();
    auto reply = world.get("/v2/job/referrers/" + subject);
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type") == oci_index);
    CHECK(reply.body == R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})");
    const auto about = R"(,"subject":{"digest":")" + subject + R"("})";
    reply = world.put_manifest("sbom", world.manifest(R"(,"artifactType":"application/x.sbom")" + about));
    CHECK(reply.status == 201);
    CHECK(reply.header("oci-subject") == subject);
    CHECK(world.put_manifest("sig", world.manifest(R"(,"artifactType":"application/x.sig")" + about)).status == 201);
    const auto count = [](const std::string& body) {
      std::size_t n = 0;
      for (auto at = body.find("\"digest\""); at != std::string::npos; at = body.find("\"digest\"", at + 1))
        ++n;
      return n;
    };
    reply = world.get("/v2/job/referrers/" + subject);
    CHECK(count(reply.body) == 2);
    CHECK(reply.headers.count("oci-filters-applied") == 0);
    reply = world.get("/v2/job/referrers/" + subject + "?artifactType=application/x.sbom");
    CHECK(count(reply.body) == 1);
    CHECK(reply.header("oci-filters-applied") == "artifactType");
    CHECK(code(world.get("/v2/job/referrers/zzz")) == "DIGEST_INVALID");
  }

  TEST_CASE("referrers over 4 MiB link to the next page") {
    World world;
    const auto subject = Digest::of("subject").str();
    for (const char* n : {"1", "2", "3"})
      CHECK(world
                .put_manifest(
                    n,
                    world.manifest(fmt::format(
                        R"(,"artifactType":"application/x+y","subject":{{"digest":"{}"}},"annotations":{{"n":"{}{}"}})",
                        subject, n, std::string(2'000'000, 'x'))))
                .status == 201);
    const auto first = world.get("/v2/job/referrers/" + subject + "?artifactType=application%2Fx%2By");
    const auto link = first.header("link");
    REQUIRE(link.starts_with("</v2/job/referrers/" + subject + "?last=sha256:"));
    CHECK(link.ends_with(R"(&artifactType=application/x%2By>; rel="next")"));
    const auto second = world.get(link.substr(1, link.find('>') - 1));
    CHECK(second.body.size() > 2'000'000);
    CHECK(second.body.size() < 3'000'000);
    CHECK(second.headers.count("link") == 0);
  }

  TEST_CASE("skopeo pushes and pulls OCI and Docker images and an index, through the token flow") {
    World world;
    world.server.on_network([&] { world.access.need_token = true; });
    const auto dir = world.root / "client";
    fs::create_directories(dir / "files");
    std::ofstream(dir / "files" / "data.bin", std::ios::binary) << std::string(3'000'000, 'd');
    const auto layout = (dir / "layout").string();
    const auto must = [](const std::string& command) {
      CAPTURE(command);
      const auto [status, out] = run(command);
      CAPTURE(out);
      REQUIRE(status == 0);
      return out;
    };
    must("umoci init --layout " + layout);
    must("umoci new --image " + layout + ":v1");
    must("umoci insert --rootless --image " + layout + ":v1 " + (dir / "files").string() + " /data");
    must("umoci config --image " + layout + ":v1 --config.entrypoint /bin/bench");
    const auto remote = fmt::format("docker://127.0.0.1:{}/job", world.server.port());
    const std::string skopeo = "skopeo --insecure-policy --command-timeout 30s ";
    must(skopeo + "copy --dest-tls-verify=false oci:" + layout + ":v1 " + remote + ":v1");
    must(skopeo + "copy --dest-tls-verify=false --format v2s2 oci:" + layout + ":v1 " + remote + ":docker");
    must(skopeo + "copy --src-tls-verify=false " + remote + ":v1 oci:" + (dir / "back").string() + ":v1");
    must(skopeo + "copy --src-tls-verify=false " + remote + ":docker oci:" + (dir / "back").string() + ":docker");
    const auto sent = must(skopeo + "inspect --raw oci:" + layout + ":v1");
    CHECK(must(skopeo + "inspect --raw oci:" + (dir / "back").string() + ":v1") == sent);
    CHECK(must(skopeo + "inspect --raw --tls-verify=false " + remote + ":v1") == sent);
    CHECK(must(skopeo + "inspect --raw --tls-verify=false " + remote + ":docker")
              .find("application/vnd.docker.distribution.manifest.v2+json") != std::string::npos);
    CHECK(must(skopeo + "list-tags --tls-verify=false " + remote).find("\"docker\"") != std::string::npos);
    const auto digest = Digest::of(sent);
    const auto index =
        fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{}",)"
                    R"("size":{},"platform":{{"architecture":"amd64","os":"linux"}}}}]}})",
                    oci_index, oci_manifest, digest.str(), sent.size());
    CHECK(world
              .put("/v2/job/manifests/multi", index,
                   "content-type: " + oci_index + "\r\nauthorization: Bearer secret-token\r\n")
              .status == 201);
    must(skopeo + "copy --all --src-tls-verify=false --dest-tls-verify=false " + remote + ":multi " + remote + ":copy");
    CHECK(must(skopeo + "inspect --raw --tls-verify=false " + remote + ":copy") == index);
    // Into another repository: its blobs are uploaded or mounted.
    const auto second = fmt::format("docker://127.0.0.1:{}/other", world.server.port());
    must(skopeo + "copy --all --src-tls-verify=false --dest-tls-verify=false " + remote + ":multi " + second +
         ":multi");
    must(skopeo + "delete --tls-verify=false " + remote + ":v1");
    CHECK(run(skopeo + "inspect --raw --tls-verify=false " + remote + ":v1").first != 0);
    CHECK(must(skopeo + "inspect --raw --tls-verify=false " + second + ":multi") == index);
  }
}
