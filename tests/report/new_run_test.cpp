#include "bencher/report/new_run.hpp"

#include <doctest/doctest.h>

using namespace bencher;

namespace {

std::string body(std::string_view more = "") {
  return R"({"start_time":"2026-11-01T10:00:00Z","end_time":"2026-11-01T10:00:05Z","results":[])" + std::string(more) +
         "}";
}

std::string error_of(std::string_view more) {
  const auto run = parse_new_run(body(more));
  REQUIRE_FALSE(run.has_value());
  CHECK(run.error().code() == Errc::invalid_argument);
  return run.error().message();
}

}  // namespace

TEST_SUITE("report/new run") {
  TEST_CASE("what is left out has its default") {
    const auto run = parse_new_run(body());
    REQUIRE(run.has_value());
    CHECK(run->settings.adapter == AdapterKind::magic);
    CHECK_FALSE(run->has_context);
    CHECK(run_branch(*run).str() == "main");
    CHECK(run_testbed(*run).str() == "localhost");
    CHECK_FALSE(run_hash(*run).has_value());
    CHECK(context_project_slug(*run).empty());
  }

  TEST_CASE("the context says branch, hash, testbed, name and slug when the run does not") {
    const auto run = parse_new_run(body(R"(,"context":{
      "bencher.dev/v0/repo/name":"Über Repo","bencher.dev/v0/repo/hash":"0123456789abcdef0123456789abcdef01234567",
      "bencher.dev/v0/branch/ref/name":"topic","bencher.dev/v0/branch/hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "bencher.dev/v0/testbed/os":"Linux","bencher.dev/v0/testbed/fingerprint":"p78ezm4408me2","other":"x"})"));
    REQUIRE(run.has_value());
    CHECK(run_branch(*run).str() == "topic");
    CHECK(run_hash(*run) == std::string(40, 'a'));
    CHECK(run_testbed(*run).str() == "Linux");
    CHECK(context_project_name(*run) == "Über Repo");
    CHECK(context_project_slug(*run) == "uber-repo-0123456-p78ezm4408me2");
  }

  TEST_CASE("settings say how results are read") {
    const auto run = parse_new_run(body(R"(,"settings":{"adapter":"json","average":"median","fold":"min",)"
                                        R"("all_measures":true,"distinct_names":true,"fold_repeats":"mean",)"
                                        R"("file_adapters":{"a.txt":"go_bench","b":"rust"}})"));
    REQUIRE(run.has_value());
    const ReadSettings expected{.adapter = AdapterKind::json,
                                .options = {.average = Average::median,
                                            .all_measures = true,
                                            .distinct_names = true,
                                            .fold_repeats = Fold::mean},
                                .fold = Fold::min,
                                .file_adapters = {{"a.txt", AdapterKind::go_bench}, {"b", AdapterKind::magic}}};
    CHECK(run->settings == expected);
  }

  TEST_CASE("a language's adapter is magic, an alias is what it stands for") {
    CHECK(parse_new_run(body(R"(,"settings":{"adapter":"rust"})"))->settings.adapter == AdapterKind::magic);
    CHECK(parse_new_run(body(R"(,"settings":{"adapter":"rust_iai_callgrind"})"))->settings.adapter ==
          AdapterKind::rust_gungraun);
  }

  TEST_CASE("models are read by measure, with their aliases and negative integers") {
    const auto run = parse_new_run(body(
        R"(,"thresholds":{"models":{"latency":{"test":"t","upper_boundary":0.99},"x":{"test":"static","lower_boundary":-5}},"reset":true})"));
    REQUIRE(run.has_value());
    REQUIRE(run->models.size() == 2);
    CHECK(run->models[0].model.test == ModelTest::t_test);
    CHECK(run->models[1].model.lower_boundary == -5.0);
    CHECK(run->thresholds_reset);
  }

  TEST_CASE("each mistake is named by its place") {
    CHECK(error_of(R"(,"branch":"a b")").find("/branch") != std::string::npos);
    CHECK(error_of(R"(,"hash":"123")").find("/hash") != std::string::npos);
    CHECK(error_of(R"(,"results":[])").find("/results: expected to be given once") != std::string::npos);
    CHECK(error_of(R"(,"settings":{"file_adapters":{"a/b":"nope"}})").find("/settings/file_adapters/a/b") !=
          std::string::npos);
    CHECK(error_of(R"(,"settings":{"mapping":"{"})").find("/settings/mapping") != std::string::npos);
    CHECK(error_of(R"(,"settings":{"fold_repeats":"first"})").find("min, max, mean, median") != std::string::npos);
    CHECK(error_of(R"(,"settings":{"adapter":"nope"})").find("/settings/adapter") != std::string::npos);
    CHECK(error_of(R"(,"settings":{"average":"mode"})").find("mean, median") != std::string::npos);
    CHECK(error_of(R"(,"thresholds":{"models":{"latency":{"test":"nope"}}})").find("/thresholds/models/latency") !=
          std::string::npos);
    CHECK(error_of(R"(,"job":{"image":null})").find("/job/image") != std::string::npos);
    CHECK(error_of(R"(,"job":{"image":""})").find("/job/image") != std::string::npos);
    CHECK(error_of(R"(,"job":{"image":"a","timeout":0})").find("/job/timeout") != std::string::npos);
    CHECK(error_of(R"(,"idempotency_key":"x")").find("/idempotency_key") != std::string::npos);
    std::string cmd = R"(,"job":{"image":"a","cmd":["x")";
    for (int i = 0; i < 64; ++i)
      cmd += R"(,"x")";
    CHECK(error_of(cmd + "]}").find("/job/cmd: 65 items, at most 64") != std::string::npos);
    CHECK_FALSE(parse_new_run("{").has_value());
    CHECK_FALSE(parse_new_run("[]").has_value());
    CHECK_FALSE(parse_new_run(R"({"results":[]})").has_value());
    CHECK_FALSE(parse_new_report(body()).has_value());
  }
}
