#include "bencher/client/registry.hpp"

#include <atomic>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/image.hpp"
#include "tests/support/raw_server.hpp"

using namespace bencher;
using namespace bencher::client;
using namespace bencher::test;

namespace {

/// Serves a layout's blobs as the registry's repository `team/bench`.
RawServer::Answer registry(const Layout& layout) {
  return [&layout](const std::string& request) {
    if (request.find("Authorization: Bearer good\r\n") == std::string::npos) return answer(401, "{}");
    const auto at = request.find("sha256:");
    if (!request.starts_with("GET /v2/team/bench/") || at == std::string::npos) return answer(404, "{}");
    const auto digest = Digest::parse(request.substr(at, 71));
    if (!digest || !std::filesystem::exists(layout.blob_path(*digest))) return answer(404, "{}");
    return answer(200, read_file(layout.blob_path(*digest)));
  };
}

/// Answers each connection's one request and hangs up.
class BreakingServer {
 public:
  explicit BreakingServer(RawServer::Answer answer)
      : server_([answer = std::move(answer)](const std::string& request) { return answer(request) + "\nhang up"; }) {}
  std::string url(const std::string& path) const { return server_.url(path); }

 private:
  RawServer server_;
};

}  // namespace

TEST_CASE("an image is pulled from a registry with its token, manifests by what they can be") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto digest = layout.image({Tar().file("bench", std::string(300'000, 'b')).str()}, R"("Cmd":["/bench"])");
  RawServer server(registry(layout));
  HttpClient http;
  RegistrySource source(http, server.url("/"), "team/bench", "good");
  const auto config = pull(source, digest, dir / "root");
  REQUIRE_MESSAGE(config, config.error().message());
  CHECK(config->cmd == std::vector<std::string>{"/bench"});
  CHECK(read_file(dir / "root/bench").size() == 300'000);
  const auto requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].starts_with("GET /v2/team/bench/manifests/" + digest.str() + " "));
  CHECK(requests[0].find("application/vnd.oci.image.index.v1+json") != std::string::npos);
  CHECK(requests[0].find("application/vnd.docker.distribution.manifest.list.v2+json") != std::string::npos);
  CHECK(requests[1].starts_with("GET /v2/team/bench/blobs/sha256:"));
}

TEST_CASE("a registry's refusals say what is wrong") {
  TempDir dir;
  Layout layout(dir / "layout");
  RawServer server(registry(layout));
  const auto absent = Digest::of("absent");
  {
    HttpClient http;
    RegistrySource source(http, server.url(""), "team/bench", "stale");
    CHECK(source.manifest(absent).error().code() == Errc::unauthenticated);
  }
  HttpClient http;
  RegistrySource source(http, server.url(""), "team/bench", "good");
  CHECK(source.manifest(absent).error().code() == Errc::not_found);
  const auto blob = source.blob(absent, [](std::string_view) -> Result<void> { return {}; });
  CHECK(blob.error().code() == Errc::not_found);
  CHECK(blob.error().message().find(absent.str()) != std::string::npos);
}

TEST_CASE("the error of the one who takes a blob ends its transfer") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto digest = layout.blob(std::string(1'000'000, 'x'));
  RawServer server(registry(layout));
  HttpClient http;
  RegistrySource source(http, server.url(""), "team/bench", "good");
  const auto done =
      source.blob(digest, [](std::string_view) -> Result<void> { return Error(Errc::too_large, "no more room"); });
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::too_large);
  CHECK(done.error().message() == "no more room");
}

namespace {

/// Where a request's range begins, if it asks for one.
std::optional<std::size_t> range_of(const std::string& request) {
  const auto at = request.find("Range: bytes=");
  if (at == std::string::npos) return std::nullopt;
  return std::stoul(request.substr(at + 13));
}

/// An answer that promises `body` from `from`, and breaks off after `size` bytes of it.
std::string broken(const std::string& body, std::size_t from, std::size_t size) {
  auto whole = from > 0 ? answer(206, body.substr(from),
                                 "Content-Range: bytes " + std::to_string(from) + "-" +
                                     std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n")
                        : answer(200, body);
  return whole.substr(0, whole.find("\r\n\r\n") + 4 + std::min(size, body.size() - from));
}

struct Pauses {
  RetryPolicy policy() {
    RetryPolicy out;
    out.wait = [this](std::chrono::milliseconds time) {
      told.push_back(time.count());
      return !stop;
    };
    return out;
  }
  std::vector<std::int64_t> told;
  bool stop = false;
};

Result<std::string> fetch(RegistrySource& source, const Digest& digest) {
  std::string out;
  auto done = source.blob(digest, [&](std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  });
  if (!done) return done.error();
  return out;
}

}  // namespace

TEST_CASE("a blob whose connection is lost goes on where it was, by ranges or without") {
  std::string body;
  for (int i = 0; body.size() < 300'000; ++i)
    body += std::to_string(i) + " ";
  const auto digest = Digest::of(body);
  for (const bool ranges : {true, false}) {
    CAPTURE(ranges);
    std::atomic<int> requests{0};
    BreakingServer server([&](const std::string& request) {
      const auto from = ranges ? range_of(request).value_or(0) : 0;
      return broken(body, from,
                    ++requests < 4 ? 70'000u * (ranges ? 1u : static_cast<unsigned>(requests)) : body.size());
    });
    HttpClient http;
    Pauses pauses;
    RegistrySource source(http, server.url(""), "r", "good", pauses.policy());
    const auto got = fetch(source, digest);
    REQUIRE_MESSAGE(got, got.error().message());
    CHECK(*got == body);
    CHECK(requests == 4);
    CHECK(pauses.told == std::vector<std::int64_t>{250, 250, 250});
  }
}

TEST_CASE("a registry that is away is asked again with growing pauses, and given up") {
  std::atomic<int> requests{0};
  BreakingServer server([&](const std::string&) {
    ++requests;
    return answer(requests % 2 ? 503 : 429, "");
  });
  HttpClient http;
  Pauses pauses;
  RegistrySource source(http, server.url(""), "r", "good", pauses.policy());
  const auto got = fetch(source, Digest::of("x"));
  REQUIRE_FALSE(got);
  CHECK(got.error().message().find("given up after 7 attempts") != std::string::npos);
  CHECK(requests == 7);
  CHECK(pauses.told == std::vector<std::int64_t>{250, 500, 1000, 2000, 4000, 8000});
  CHECK_FALSE(source.manifest(Digest::of("x")));
  CHECK(requests == 14);
  pauses.stop = true;
  CHECK(source.manifest(Digest::of("x")).error().code() == Errc::cancelled);
}

TEST_CASE("a refusal in the middle of a blob, and a part that was not asked for, end the transfer") {
  const std::string body(200'000, 'x');
  for (const int status : {401, 403, 404, 416}) {
    std::atomic<int> requests{0};
    BreakingServer server(
        [&](const std::string&) { return ++requests == 1 ? broken(body, 0, 100'000) : answer(status, ""); });
    HttpClient http;
    Pauses pauses;
    RegistrySource source(http, server.url(""), "r", "good", pauses.policy());
    CHECK_FALSE(fetch(source, Digest::of(body)));
    CHECK(requests == 2);
  }
  BreakingServer server([&](const std::string& request) {
    return range_of(request) ? broken(body, 5, body.size()) : broken(body, 0, 100'000);
  });
  HttpClient http;
  Pauses pauses;
  RegistrySource source(http, server.url(""), "r", "good", pauses.policy());
  CHECK(fetch(source, Digest::of(body)).error().message().find("another part") != std::string::npos);
}
