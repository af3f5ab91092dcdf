#include "tests/support/store_world.hpp"

using namespace bencher;
using namespace bencher::test;

namespace {

struct JobWorld : StoreWorld {
  pipeline::Actor owner = user("Muriel");
  st::ProjectRow home = project(owner, "The Computer");
  st::SpecId small = spec("Small", true);
  st::RunnerId machine = runner("Machine", {small});

  st::JobRow submit_job(const pipeline::Actor& actor, const char* slug = "the-computer", std::string ip = "127.0.0.1") {
    const auto done = must(submit(StoreWorld::job(slug), actor, std::move(ip)));
    return *st::job_by_id(c, *done.job);
  }
  std::optional<ClaimedJob> claim() { return must(pipeline::claim(c, env(), machine)); }
  st::JobRow reload(const st::JobRow& job) { return *st::job_by_id(c, job.id); }
  void plan(st::OrganizationId organization, const char* license) {
    c.raw().exec(
        std::string("INSERT INTO plan (organization_id, metered_plan, licensed_plan, license, created, modified) "
                    "VALUES (") +
        std::to_string(static_cast<std::int64_t>(organization)) +
        (license ? std::string(", NULL, 'l', '") + license + "'" : ", 'm', NULL, NULL") + ", 0, 0)");
  }
  JobOutput output(std::string text) {
    IterationOutput one;
    one.stdout_ = std::move(text);
    return {{one}, {}};
  }
  pipeline::Completed complete(const st::JobRow& job, const JobOutput& out) {
    const auto settings = pipeline::job_settings(c, job);
    return must(pipeline::complete(c, env(), job, read_outputs(settings, adapter_texts(out))));
  }
};

}  // namespace

TEST_SUITE("pipeline/spec resolution") {
  TEST_CASE("explicit, else the testbed's, else the default, else an error") {
    CHECK(resolve_spec(1, 2, 3)->source == SpecChoice::Source::explicit_);
    CHECK(resolve_spec(1, 2, 3)->id == 1);
    CHECK(resolve_spec({}, 2, 3)->id == 2);
    CHECK(resolve_spec({}, {}, 3)->source == SpecChoice::Source::default_);
    const auto none = resolve_spec({}, {}, {});
    CHECK(none.error().code() == Errc::invalid_argument);
    CHECK(none.error().message() == "No spec provided and no default spec configured");
  }

  TEST_CASE("a job's spec becomes its testbed's, and the testbed is named after it when none is named") {
    JobWorld w;
    const auto first = must(w.submit(StoreWorld::job("the-computer"), w.owner)).report;
    CHECK(first.testbed.name == "Small");
    REQUIRE(first.testbed.spec.has_value());
    CHECK(first.testbed.spec->name == "Small");
    w.spec("Large");
    auto run = StoreWorld::job("the-computer");
    run.testbed = *ResourceNameId::parse("small");
    run.job->spec = *ResourceId::parse("large");
    CHECK(must(w.submit(run, w.owner)).report.testbed.spec->name == "Large");
    run.job->spec.reset();
    CHECK(must(w.submit(run, w.owner)).report.testbed.spec->name == "Large");
  }

  TEST_CASE("without any spec a job is refused, and no testbed is made") {
    JobWorld w;
    must(st::update_spec(w.c, w.small, {.name = {}, .slug = {}, .fallback = false, .archived = {}}, w.now()));
    auto run = StoreWorld::job("the-computer");
    run.testbed = *ResourceNameId::parse("fresh");
    const auto refused = w.submit(run, w.owner);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message() == "No spec provided and no default spec configured");
    CHECK(w.count("testbed") == 0);
  }

  TEST_CASE("an unknown or archived spec is not found, an unknown tag and a foreign registry are refused") {
    JobWorld w;
    auto run = StoreWorld::job("the-computer");
    run.job->spec = *ResourceId::parse("nope");
    CHECK(w.submit(run, w.owner).error().code() == Errc::not_found);
    must(st::update_spec(w.c, w.small, {.name = {}, .slug = {}, .fallback = {}, .archived = true}, w.now()));
    run.job->spec = *ResourceId::parse("small");
    CHECK(w.submit(run, w.owner).error().code() == Errc::not_found);

    LocalImageResolver local("http://localhost:61016/", [](std::string_view, std::string_view tag) {
      return tag == "v1" ? std::optional(Digest::of("v1")) : std::nullopt;
    });
    const auto resolve = [&](const char* text) { return local.resolve(*ImageReference::parse(text), "project"); };
    CHECK(resolve("bench:v1").has_value());
    CHECK(resolve("localhost:61016/bench:v1").has_value());
    CHECK(resolve("bench:v2").error().code() == Errc::invalid_argument);
    CHECK(resolve("ghcr.io/a/bench:v1")
              .error()
              .message()
              .starts_with("External registries not yet supported: 'ghcr.io'"));
    const auto digest = Digest::of("x").str();
    CHECK(resolve(("bench@" + digest).c_str())->str() == digest);
    CHECK_FALSE(resolve("bench@sha256:zz").has_value());
  }
}

TEST_SUITE("pipeline/claim") {
  TEST_CASE("priority and timeout of a job follow the plan of its organization when it was submitted") {
    JobWorld w;
    auto run = StoreWorld::job("unclaimed");
    run.job->timeout = 1000;
    const auto unclaimed = *st::job_by_id(w.c, *must(w.submit(run, w.anonymous())).job);
    CHECK(unclaimed.priority == 0);
    CHECK(unclaimed.timeout == 60);
    CHECK(w.submit_job(w.owner).priority == 100);
    CHECK(w.submit_job(w.owner).timeout == 300);
    w.plan(w.home.organization_id, nullptr);
    CHECK(w.submit_job(w.owner).priority == 200);
    w.c.raw().exec("DELETE FROM plan");
    w.plan(w.home.organization_id, "licence");
    CHECK(w.submit_job(w.owner).priority == 300);
  }

  TEST_CASE("claims go by priority, then age, then id; what a limit holds back is passed over") {
    JobWorld w;
    const auto rich = w.user("Rich");
    const auto mansion = w.project(rich, "Mansion");
    w.plan(mansion.organization_id, nullptr);
    const auto free_first = w.submit_job(w.owner);
    const auto free_second = w.submit_job(w.owner);
    const auto nobody_a = w.submit_job(w.anonymous(), "nobody-a", "10.0.0.1");
    const auto nobody_b = w.submit_job(w.anonymous(), "nobody-b", "10.0.0.1");
    const auto nobody_c = w.submit_job(w.anonymous(), "nobody-c", "10.0.0.2");
    w.clock.advance(std::chrono::seconds(10));
    const auto paid_first = w.submit_job(rich, "mansion");
    const auto paid_second = w.submit_job(rich, "mansion");
    CHECK(st::queue_position(w.c, paid_first) == 1u);
    CHECK(st::queue_position(w.c, nobody_c) == 7u);
    CHECK(w.claim()->uuid == paid_first.uuid);
    CHECK(w.claim()->uuid == paid_second.uuid);
    CHECK(w.claim()->uuid == free_first.uuid);
    // free_second waits for free_first, nobody_b for nobody_a.
    CHECK(w.claim()->uuid == nobody_a.uuid);
    CHECK(w.claim()->uuid == nobody_c.uuid);
    CHECK_FALSE(w.claim().has_value());
    must(pipeline::advance(w.c, w.env(), w.reload(free_first), JobEvent::fail));
    CHECK(w.claim()->uuid == free_second.uuid);
    must(pipeline::advance(w.c, w.env(), w.reload(nobody_a), JobEvent::cancel));
    CHECK(w.claim()->uuid == nobody_b.uuid);
  }

  TEST_CASE("a runner claims only jobs of its specs") {
    JobWorld w;
    w.submit_job(w.owner);
    const auto other = w.runner("Other", {w.spec("Large")});
    CHECK_FALSE(must(pipeline::claim(w.c, w.env(), other)).has_value());
    CHECK_FALSE(must(pipeline::claim(w.c, w.env(), w.runner("Idle", {}))).has_value());
    CHECK(w.claim().has_value());
  }

  TEST_CASE("a claim tells the runner all it needs, and marks the runner as alive") {
    JobWorld w;
    auto run = StoreWorld::job("the-computer");
    run.job->env = std::map<std::string, std::string>{{"A", "b"}};
    run.job->iter = 2;
    const auto row = *st::job_by_id(w.c, *must(w.submit(run, w.owner)).job);
    const auto job = w.claim();
    REQUIRE(job.has_value());
    CHECK(job->uuid == row.uuid);
    CHECK(job->spec.name == "Small");
    CHECK(job->config.digest == Digest::of("image:v1").str());
    CHECK(job->config.project == w.home.project.uuid);
    CHECK(job->config.env->at("A") == "b");
    CHECK(job->config.iter == 2u);
    CHECK(job->state.claimed == w.now());
    CHECK(st::find_runner(w.c, *ResourceId::parse("machine"))->runner.last_heartbeat == w.now());
  }

  TEST_CASE("a job whose configuration cannot be read fails alone and blocks nobody") {
    JobWorld w;
    const auto broken = w.submit_job(w.owner);
    w.clock.advance(std::chrono::seconds(1));
    const auto good = w.submit_job(w.owner);
    w.c.raw().exec("UPDATE job SET config = '{' WHERE id = 1");
    CHECK(w.claim()->uuid == good.uuid);
    CHECK(w.reload(broken).state.status == JobStatus::failed);
  }

  TEST_CASE("a job that was taken meanwhile is not taken again") {
    JobWorld w;
    const auto job = w.submit_job(w.owner);
    const auto state = must(step(job.state, JobEvent::claim, w.now()));
    CHECK(st::claim_job(w.c, job.id, w.machine, state, w.clock.now()));
    CHECK_FALSE(st::claim_job(w.c, job.id, w.runner("Late", {}), state, w.clock.now()));
    CHECK(w.reload(job).runner_id == w.machine);
    CHECK_FALSE(pipeline::advance(w.c, w.env(), job, JobEvent::cancel).has_value());
  }

  TEST_CASE("a claim that could not be delivered is undone") {
    JobWorld w;
    const auto job = w.submit_job(w.owner);
    w.claim();
    must(pipeline::advance(w.c, w.env(), w.reload(job), JobEvent::release));
    CHECK(w.reload(job).state == JobState{});
    CHECK_FALSE(w.reload(job).runner_id.has_value());
    CHECK(w.claim()->uuid == job.uuid);
  }

  TEST_CASE("claiming an organization raises its pending jobs and no others") {
    JobWorld w;
    const auto mine = w.submit_job(w.anonymous(), "mine");
    const auto other = w.submit_job(w.anonymous(), "other", "10.0.0.9");
    must(w.submit(StoreWorld::run("mine", 1), w.owner));
    CHECK(w.reload(mine).priority == 100);
    CHECK(w.reload(mine).timeout == 60);
    CHECK(w.reload(other).priority == 0);
  }
}

TEST_SUITE("pipeline/completion") {
  TEST_CASE("a completed job's results become its report, with the times of the run") {
    JobWorld w;
    const auto job = w.submit_job(w.owner);
    w.claim();
    w.clock.advance(std::chrono::seconds(5));
    const auto started = w.now();
    must(pipeline::advance(w.c, w.env(), w.reload(job), JobEvent::start));
    w.clock.advance(std::chrono::seconds(7));
    const auto done = w.complete(w.reload(job), w.output(R"({"b":{"latency":{"value":5}}})"));
    CHECK(done.job.state.status == JobStatus::processed);
    CHECK_FALSE(done.error.has_value());
    const auto report = st::load_report(w.c, *st::report_by_id(w.c, job.report_id), true);
    CHECK(report.results[0][0].measures[0].metric.value == 5);
    CHECK(report.start_time == started);
    CHECK(report.end_time == w.now());
    CHECK(report.testbed.spec->name == "Small");
    CHECK(w.c.value<int>("SELECT job_duration FROM job_duration_by_report") == 7);
  }

  TEST_CASE("output that no adapter reads fails the job, says why, and stores nothing of it") {
    JobWorld w;
    const auto job = w.submit_job(w.owner);
    w.claim();
    must(pipeline::advance(w.c, w.env(), w.reload(job), JobEvent::start));
    const auto done = w.complete(w.reload(job), w.output("no results here"));
    CHECK(done.job.state.status == JobStatus::failed);
    REQUIRE(done.error.has_value());
    CHECK(done.error->find("result 0") != std::string::npos);
    CHECK(w.count("metric") == 0);
    SUBCASE("a late, better result is still taken") {
      const auto late = w.complete(w.reload(job), w.output(R"({"b":{"latency":{"value":5}}})"));
      CHECK(late.job.state.status == JobStatus::processed);
      CHECK(w.count("metric") == 1);
    }
  }

  TEST_CASE("a job that has failed is tried again as a new job of its report, once, and only the newer one counts") {
    JobWorld w;
    const auto first = w.submit_job(w.owner);
    const auto refused = pipeline::retry(w.c, w.env(), first);
    CHECK(refused.error().code() == Errc::conflict);
    w.claim();
    must(pipeline::advance(w.c, w.env(), w.reload(first), JobEvent::start));
    must(pipeline::advance(w.c, w.env(), w.reload(first), JobEvent::lose));
    w.clock.advance(std::chrono::milliseconds(1500));
    const auto second = must(pipeline::retry(w.c, w.env(), w.reload(first)));
    CHECK(second.uuid != first.uuid);
    CHECK(second.report_id == first.report_id);
    CHECK(second.config == first.config);
    CHECK(second.times[0] == w.clock.now());
    CHECK(pipeline::retry(w.c, w.env(), w.reload(first)).error().code() == Errc::conflict);
    CHECK(st::load_report(w.c, *st::report_by_id(w.c, first.report_id), true).job == second.uuid);
    // The lost runner's late word must not stand beside the result to come.
    const auto settings = pipeline::job_settings(w.c, first);
    const auto late = w.output(R"({"b":{"latency":{"value":1}}})");
    const auto parsed = read_outputs(settings, adapter_texts(late));
    CHECK(pipeline::complete(w.c, w.env(), w.reload(first), parsed).error().code() == Errc::conflict);
    REQUIRE(w.claim()->uuid == second.uuid);
    must(pipeline::advance(w.c, w.env(), w.reload(second), JobEvent::start));
    CHECK(w.complete(w.reload(second), late).job.state.status == JobStatus::processed);
    CHECK(w.count("report_benchmark") == 1);
  }

  TEST_CASE("a job remembers when it reached each stage, to the millisecond") {
    JobWorld w;
    const auto job = w.submit_job(w.owner);
    const auto at = [&](JobStage stage) { return w.reload(job).times[static_cast<std::size_t>(stage)]; };
    const auto later = [&] {
      w.clock.advance(std::chrono::milliseconds(250));
      return w.clock.now();
    };
    const auto queued = w.clock.now();
    const auto claimed = later();
    w.claim();
    must(pipeline::advance(w.c, w.env(), w.reload(job), JobEvent::release));
    CHECK_FALSE(at(JobStage::claimed).has_value());
    w.claim();
    must(pipeline::advance(w.c, w.env(), w.reload(job), JobEvent::start));
    const auto pulled = later();
    st::set_job_time(w.c, job.id, JobStage::pulled, pulled);
    st::set_job_time(w.c, job.id, JobStage::pulled, later());
    const auto ended = later();
    w.complete(w.reload(job), w.output(R"({"b":{"latency":{"value":1}}})"));
    CHECK(at(JobStage::queued) == queued);
    CHECK(at(JobStage::claimed) == claimed);
    CHECK(at(JobStage::pulled) == pulled);
    CHECK_FALSE(at(JobStage::booted).has_value());
    CHECK(at(JobStage::ran) == ended);
    CHECK(at(JobStage::processed) == ended);
    // Once it has ended nothing is added.
    st::set_job_time(w.c, job.id, JobStage::booted, later());
    CHECK_FALSE(at(JobStage::booted).has_value());
  }

  TEST_CASE("results before the job runs, and after it has ended, are refused") {
    JobWorld w;
    const auto job = w.submit_job(w.owner);
    const auto refused = [&] { return pipeline::complete(w.c, w.env(), w.reload(job), ReadResults()); };
    CHECK(refused().error().code() == Errc::conflict);
    w.claim();
    CHECK(refused().error().code() == Errc::conflict);
    must(pipeline::advance(w.c, w.env(), w.reload(job), JobEvent::cancel));
    CHECK(refused().error().code() == Errc::conflict);
  }

  TEST_CASE("jobs are compared with jobs of the same spec only") {
    JobWorld w;
    const auto large = w.spec("Large");
    must(st::add_runner_spec(w.c, w.machine, large));
    const auto run_job = [&](const char* spec, double value) {
      auto run = StoreWorld::job("the-computer");
      run.testbed = *ResourceNameId::parse("tb");
      run.job->spec = *ResourceId::parse(spec);
      run.models = {{*ResourceNameId::parse("latency"), Model{.test = ModelTest::percentage, .upper_boundary = 0.1}}};
      const auto id = *must(w.submit(run, w.owner)).job;
      w.claim();
      must(pipeline::advance(w.c, w.env(), *st::job_by_id(w.c, id), JobEvent::start));
      w.complete(*st::job_by_id(w.c, id), w.output(R"({"b":{"latency":{"value":)" + std::to_string(value) + "}}}"));
      return st::load_report(w.c, *st::report_by_id(w.c, st::job_by_id(w.c, id)->report_id), true);
    };
    run_job("small", 10);
    CHECK(run_job("large", 100).alerts.empty());
    CHECK(run_job("large", 200).alerts.size() == 1);
    CHECK(run_job("small", 10.5).results[0][0].measures[0].boundary->baseline == 10);
  }
}
