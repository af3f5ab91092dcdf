#include "bencher/client/registry.hpp"

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
