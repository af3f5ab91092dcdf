#include "bencher/pipeline/pipeline.hpp"

#include <filesystem>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace bencher;

namespace {

struct World {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("bencher-pipeline-test-{}", ::getpid());
  ManualClock clock;
  SeededRandom random{3};
  Store store = *Store::open(":memory:");
  BlobStore blobs{folder, random};
  Pipeline pipeline{store, blobs, clock, random};
  Uuid<Spec> spec = pipeline.add_spec({.name = "Small", .is_default = true})->uuid;
  Uuid<Runner> runner = pipeline.add_runner("Machine", {spec})->uuid;

  World() { REQUIRE(pipeline.project("p", "P").has_value()); }
  ~World() { std::filesystem::remove_all(folder); }

  Uuid<Job> submit() {
    NewRun run;
    run.project = *ResourceId::parse("p");
    run.settings.adapter = AdapterKind::json;
    run.job = NewJob{.image = "p@" + Digest::of("image").str()};
    const auto report = pipeline.submit(run);
    REQUIRE(report.has_value());
    return *report->job;
  }
};

}  // namespace

TEST_SUITE("pipeline/pipeline") {
  TEST_CASE("a job goes all the way, and keeps its output") {
    World w;
    const auto job = w.submit();
    REQUIRE((*w.pipeline.claim(w.runner))->uuid == job);
    CHECK_FALSE((*w.pipeline.claim(w.runner)).has_value());
    REQUIRE(w.pipeline.start(job).has_value());
    IterationOutput output;
    output.stdout_ = R"({"b":{"latency":{"value":1}}})";
    const auto done = w.pipeline.complete(job, {{output}, {}});
    REQUIRE(done.has_value());
    CHECK(done->status == JobStatus::processed);
    CHECK(w.pipeline.job(job)->output->results[0].stdout_ == output.stdout_);
  }

  TEST_CASE("a runner that is killed while its job runs loses it after the heartbeat timeout, and no sooner") {
    World w;
    const auto job = w.submit();
    REQUIRE(w.pipeline.claim(w.runner).has_value());
    REQUIRE(w.pipeline.start(job).has_value());
    w.clock.advance(std::chrono::seconds(60));
    REQUIRE(w.pipeline.start(job).has_value());
    w.clock.advance(std::chrono::seconds(90));
    CHECK(w.pipeline.expire().empty());
    w.clock.advance(std::chrono::seconds(1));
    const auto lost = w.pipeline.expire();
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].status == JobStatus::failed);
    SUBCASE("its late result is still taken") {
      IterationOutput output;
      output.stdout_ = R"({"b":{"latency":{"value":1}}})";
      CHECK(w.pipeline.complete(job, {{output}, {}})->status == JobStatus::processed);
    }
  }

  TEST_CASE("a job that is silent and past its limit is canceled, not failed") {
    World w;
    const auto job = w.submit();
    REQUIRE(w.pipeline.claim(w.runner).has_value());
    REQUIRE(w.pipeline.start(job).has_value());
    w.clock.advance(std::chrono::hours(2));
    const auto lost = w.pipeline.expire();
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].status == JobStatus::canceled);
    CHECK_FALSE(w.pipeline.complete(job, {}).has_value());
  }

  TEST_CASE("what is not there is not found, and says what it was") {
    World w;
    const auto nobody = Uuid<Runner>(AnyUuid::make(w.clock.now(), w.random));
    CHECK(w.pipeline.claim(nobody).error().message().find(nobody.str()) != std::string::npos);
    CHECK(w.pipeline.job(Uuid<Job>()).error().code() == Errc::not_found);
    CHECK(w.pipeline.add_runner("Machine", {}).error().code() == Errc::conflict);
    CHECK(w.pipeline.add_spec({.name = "", .is_default = false}).error().code() == Errc::invalid_argument);
  }
}
