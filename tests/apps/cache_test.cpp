// What a runner keeps of images: the real registry, behind a proxy that counts and cuts.
#include <doctest/doctest.h>

#include "tests/support/cutting_proxy.hpp"
#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

const std::string one_metric = R"({"bench":{"latency":{"value":42}}})";

/// A runner that reaches the server by a proxy; the channels of its jobs go straight.
std::unique_ptr<ChildProcess> start(World& world, const CuttingProxy& proxy, const std::string& name,
                                    const std::string& cache_size = "10GiB") {
  return std::make_unique<ChildProcess>(
      std::vector<std::string>{std::string(BENCHER_BIN_DIR) + "/bencher-runner", "up", "--no-tuning", "--host",
                               world.server.url(), "--runner", name, "--sandbox", "process", "--work-dir",
                               (world.dir / ("work-" + name)).string(), "--cache-dir", (world.dir / "cache").string(),
                               "--cache-size", cache_size},
      ChildProcess::Env{{"BENCHER_RUNNER_KEY", world.runner_keys.at(name)}, {"http_proxy", proxy.url()}});
}

std::string run(World& world, const std::string& image, const json::object& more = {}) {
  const auto report = World::must(world.run_image(image, more), 201);
  const auto ended = world.ended(report.str("/job"));
  INFO(ended.text);
  CHECK(ended.str("/status") == "processed");
  return ended.text;
}

}  // namespace

TEST_SUITE("apps/cache") {
  TEST_CASE("an image is pulled once, over connections that break, and then kept for all jobs and iterations") {
    World world;
    world.add_runner("one");
    world.add_runner("two");
    world.push_script("v1", "echo '" + one_metric + "'");
    CuttingProxy proxy(world.server.port(), "/blobs/", 3, 200'000);
    auto one = start(world, proxy, "one");
    run(world, "bench:v1", {{"iter", 3}});
    CHECK(proxy.cuts_left() == 0);
    CHECK(proxy.count("/manifests/") == 1);
    CHECK(proxy.count("/blobs/") == 5);  // configuration, and the layer in four parts
    run(world, "bench:v1");
    CHECK(proxy.count("/manifests/") == 1);
    CHECK(proxy.count("/blobs/") == 5);
    // A second runner of this user has it, too.
    one->signal(SIGTERM);
    CHECK(one->wait() == 0);
    auto two = start(world, proxy, "two");
    run(world, "bench:v1");
    CHECK(proxy.count("/blobs/") == 5);
  }

  TEST_CASE("what a program does to its files does not reach the next iteration or job") {
    World world;
    world.add_runner("one");
    world.push_script("v1", "cat made-before >&2 || echo fresh >&2; echo x >made-before; echo '" + one_metric + "'",
                      R"(,"WorkingDir":"/tmp")");
    auto runner = world.start_runner("one");
    for (int i = 0; i < 2; ++i) {
      const auto text = run(world, "bench:v1", {{"iter", 2}});
      const auto first = text.find("fresh\\n");
      REQUIRE(first != std::string::npos);
      CHECK(text.find("fresh\\n", first + 1) != std::string::npos);
    }
  }

  TEST_CASE("images that were used longest ago go when the cache becomes too large") {
    World world;
    world.add_runner("one");
    world.push_script("v1", "echo '" + one_metric + "'");
    world.push_script("v2", "echo first >&2; echo '" + one_metric + "'");
    CuttingProxy proxy(world.server.port(), "/nothing/", 0, 0);
    auto runner = start(world, proxy, "one", "1KiB");
    run(world, "bench:v1");
    run(world, "bench:v1");
    CHECK(proxy.count("/manifests/") == 1);
    run(world, "bench:v2");
    run(world, "bench:v1");
    CHECK(proxy.count("/manifests/") == 3);
    int kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(world.dir / "cache"))
      kept += entry.path().filename().string().starts_with("image");
    CHECK(kept == 1);
  }

  TEST_CASE("an image that one project keeps is not run for another that does not have it") {
    World world;
    world.add_runner("one");
    const auto digest = world.push_script("v1", "echo '" + one_metric + "'");
    auto runner = world.start_runner("one");
    run(world, "bench:v1");
    World::must(world.admin.post("/v0/organizations/ada-admin/projects", {{"name", "Other"}, {"slug", "other"}}), 201);
    const auto report = World::must(world.run_image("other@" + digest, {}, json::object{{"project", "other"}}), 201);
    world.follow(report.str("/job"), {}, {}, "other");
    const auto shown = world.admin.get("/v0/projects/other/jobs/" + report.str("/job"));
    CHECK(shown.str("/status") == "failed");
    CHECK(shown.str("/output/error").find("404") != std::string::npos);
  }
}
