#include "lib/storage/memo.hpp"
#include "lib/storage/perf.hpp"
#include "tests/support/store_world.hpp"
#include "tests/threshold/series.hpp"

using namespace bencher;
using namespace bencher::test;

namespace {

Errc kind(const Result<pipeline::Submitted>& r) {
  return r ? Errc::internal : r.error().code();
}

NewThresholdModel percentage(double upper) {
  return {*ResourceNameId::parse("latency"), Model{.test = ModelTest::percentage, .upper_boundary = upper}};
}

}  // namespace

TEST_SUITE("pipeline/submit") {
  TEST_CASE("a run on nothing makes organization, project, branch, testbed, measure, benchmark and report") {
    StoreWorld w;
    const auto done = must(w.submit(StoreWorld::run("on-the-fly", 10), w.anonymous()));
    const auto& r = done.report;
    CHECK(r.project.slug == "on-the-fly");
    CHECK(AnyUuid(r.project.uuid) == AnyUuid(r.project.organization));
    CHECK_FALSE(r.project.claimed.has_value());
    CHECK(r.branch.name == "main");
    CHECK(r.testbed.name == "localhost");
    CHECK(r.branch.head.version->number == 0);
    REQUIRE(r.results.size() == 1);
    CHECK(r.results[0][0].benchmark.name == "b");
    CHECK(r.results[0][0].measures[0].measure.units == "nanoseconds (ns)");
    CHECK(r.results[0][0].measures[0].metric.value == 10);
    CHECK(st::load_report(w.c, *st::find_report(w.c, st::ProjectId{1}, r.uuid), true).results == r.results);
  }

  TEST_CASE("a run whose results cannot be read leaves nothing behind") {
    StoreWorld w;
    auto run = StoreWorld::run("on-the-fly", 10);
    run.results.push_back("garbage");
    const auto refused = w.submit(run, w.anonymous());
    CHECK(kind(refused) == Errc::invalid_argument);
    CHECK(refused.error().message().find("result 1") != std::string::npos);
    for (const auto* table : {"organization", "project", "branch", "head", "version", "testbed", "report", "benchmark"})
      CHECK_MESSAGE(w.count(table) == 0, table);
  }

  TEST_CASE("nobody reports to a claimed project, a stranger neither, and a user takes over an unclaimed one") {
    StoreWorld w;
    const auto owner = w.user("Muriel");
    const auto stranger = w.user("Courage");
    w.project(owner, "The Computer");
    const auto run = StoreWorld::run("the-computer", 1);
    CHECK(kind(w.submit(run, w.anonymous())) == Errc::unauthenticated);
    CHECK(kind(w.submit(run, stranger)) == Errc::forbidden);
    CHECK(w.submit(run, owner).has_value());

    must(w.submit(StoreWorld::run("unclaimed", 1), w.anonymous()));
    const auto taken = must(w.submit(StoreWorld::run("unclaimed", 1), stranger));
    CHECK(taken.report.project.claimed.has_value());
    CHECK(kind(w.submit(StoreWorld::run("unclaimed", 1), w.anonymous())) == Errc::unauthenticated);
    CHECK(kind(w.submit(StoreWorld::run("unclaimed", 1), owner)) == Errc::forbidden);
  }

  TEST_CASE("a project made on the fly by a user is in the personal organization, and its name is made free") {
    StoreWorld w;
    const auto owner = w.user("Muriel");
    const auto first = must(w.submit(StoreWorld::run("one", 1), owner)).report.project;
    const auto second = must(w.submit(StoreWorld::run("two", 1), owner)).report.project;
    CHECK(AnyUuid(first.organization) == AnyUuid(owner.user->user.uuid));
    CHECK(first.name == "repo");
    CHECK(second.name == "repo (1)");
  }

  TEST_CASE("which project is meant: named, of the image, of the context, or none") {
    StoreWorld w;
    auto run = StoreWorld::run("x", 1);
    run.project.reset();
    run.context = {{"bencher.dev/v0/repo/name", "bencher"},
                   {"bencher.dev/v0/repo/hash", "0123456789abcdef0123456789abcdef01234567"},
                   {"bencher.dev/v0/testbed/fingerprint", "3v6z9q2k1m0ab"}};
    const auto made = must(w.submit(run, w.anonymous()));
    CHECK(made.report.project.slug == "bencher-0123456-3v6z9q2k1m0ab");
    CHECK(made.report.project.slug.size() == 29);
    run.context.clear();
    CHECK(kind(w.submit(run, w.anonymous())) == Errc::invalid_argument);
    auto unknown = StoreWorld::run("no-context", 1);
    unknown.has_context = false;
    CHECK(kind(w.submit(unknown, w.anonymous())) == Errc::invalid_argument);
    unknown.project = ResourceId(w.env().uuid());
    CHECK(kind(w.submit(unknown, w.anonymous())) == Errc::not_found);
  }

  TEST_CASE("the same idempotency key gives the same report, and changes nothing") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.idempotency_key = w.env().uuid();
    const auto first = must(w.submit(run, w.anonymous()));
    run.branch = *BranchNameId::parse("other");
    const auto second = must(w.submit(run, w.anonymous()));
    CHECK(first.report.uuid == second.report.uuid);
    CHECK(first.report.results == second.report.results);
    CHECK(w.count("report") == 1);
    CHECK(w.count("branch") == 1);
  }

  TEST_CASE("versions count up; a hash that was reported on the head is used again") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    const auto number = [&] { return must(w.submit(run, w.anonymous())).report.branch.head.version->number; };
    CHECK(number() == 0);
    CHECK(number() == 1);
    run.hash = *GitHash::parse(std::string(40, 'a'));
    CHECK(number() == 2);
    CHECK(number() == 2);
    run.hash = *GitHash::parse(std::string(40, 'b'));
    CHECK(number() == 3);
  }

  TEST_CASE("what a run uses is not archived any more") {
    StoreWorld w;
    must(w.submit(StoreWorld::run("p", 1), w.anonymous()));
    for (const auto dimension :
         {st::Dimension::branch, st::Dimension::testbed, st::Dimension::benchmark, st::Dimension::measure}) {
      st::DimensionChange change;
      change.archived = true;
      must(st::update_dimension(w.c, dimension, 1, change, w.now()));
    }
    must(w.submit(StoreWorld::run("p", 1), w.anonymous()));
    for (const auto* table : {"branch", "testbed", "benchmark", "measure"})
      CHECK_MESSAGE(w.count((std::string(table) + " WHERE archived IS NOT NULL").c_str()) == 0, table);
  }

  TEST_CASE("folding makes one iteration of all results, and without it each is its own") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.results = {R"({"b":{"latency":{"value":1}}})", R"({"b":{"latency":{"value":3}}})",
                   R"({"b":{"latency":{"value":8}}})"};
    CHECK(must(w.submit(run, w.anonymous())).report.results.size() == 3);
    run.settings.fold = Fold::median;
    const auto folded = must(w.submit(run, w.anonymous())).report;
    REQUIRE(folded.results.size() == 1);
    CHECK(folded.results[0][0].measures[0].metric.value == 3);
  }
}

TEST_SUITE("pipeline/changes of level") {
  NewThresholdModel looking(ModelTest test) {
    return {*ResourceNameId::parse("latency"), Model{.test = test}};
  }

  TEST_CASE("a level that changes raises one alert, which says between which versions") {
    for (const auto test : {ModelTest::change_point, ModelTest::auto_}) {
      CAPTURE(name(test));
      StoreWorld w;
      test::Noise noise;
      std::vector<Report> alerted;
      Report first;
      for (int i = 0; i < 60; ++i) {
        auto run = StoreWorld::run("p", 100 + noise.normal() + (i >= 40 ? 8 : 0));
        run.models = {looking(test)};
        run.hash = *GitHash::parse(std::string(38, 'a') + std::to_string(10 + i));
        auto report = must(w.submit(run, w.anonymous())).report;
        CHECK(report.results[0][0].measures[0].boundary.has_value());
        if (!report.alerts.empty()) alerted.push_back(std::move(report));
      }
      REQUIRE(alerted.size() == 1);
      REQUIRE(alerted[0].alerts.size() == 1);
      const auto& alert = alerted[0].alerts[0];
      CHECK(alert.limit == Limit::upper);
      CHECK(alert.boundary.upper_limit.has_value());
      CHECK(*alert.boundary.upper_limit > *alert.boundary.baseline);
      CHECK_FALSE(alert.boundary.lower_limit.has_value());
      REQUIRE(alert.change.has_value());
      CHECK(alert.change->first_bad->version.number == 40);
      CHECK(alert.change->last_good->version.number == 39);
      CHECK(alert.change->first_bad->version.hash == std::string(38, 'a') + "50");
      CHECK(std::abs(alert.change->before - 100) < 1);
      CHECK(std::abs(alert.change->after - 108) < 1.5);
      const auto text = print(alerted[0]);
      CHECK(text.find(R"("change":{"last_good":{"report":")") != std::string::npos);
    }
  }

  TEST_CASE("false alarms are controlled over the benchmarks of a report") {
    StoreWorld w;
    test::Noise noise;
    std::size_t alerts = 0;
    for (int i = 0; i < 40; ++i) {
      auto run = StoreWorld::run("p", 1);
      run.results = {"{"};
      for (int b = 0; b < 50; ++b)
        run.results[0] += (b ? "," : "") + ("\"b" + std::to_string(b)) + R"(":{"latency":{"value":)" +
                          std::to_string(100 + noise.normal()) + "}}";
      run.results[0] += "}";
      run.models = {looking(ModelTest::auto_)};
      alerts += must(w.submit(run, w.anonymous())).report.alerts.size();
    }
    CHECK(alerts <= 1);  // of 2,000 metrics
  }

  TEST_CASE("what is remembered between reports changes no verdict") {
    for (const auto test : {ModelTest::change_point, ModelTest::auto_, ModelTest::t_test}) {
      CAPTURE(name(test));
      StoreWorld remembering, forgetting;
      test::Noise noise;
      std::size_t alerts = 0;
      for (int i = 0; i < 70; ++i) {
        auto run = StoreWorld::run("p", 1);
        // Two iterations, and benchmarks that come and go.
        run.results = {"{", "{"};
        for (auto& text : run.results) {
          for (int b = 0; b < 20; ++b)
            if ((i + b) % 7 != 0)
              text += (text.size() > 1 ? ",\"b" : "\"b") + std::to_string(b) + R"(":{"latency":{"value":)" +
                      std::to_string(100 + noise.normal() + (i >= 30 + b && b % 3 == 0 ? 9 : 0)) + "}}";
          text += "}";
        }
        run.models = {looking(test)};
        if (test == ModelTest::t_test) run.models[0].model.lower_boundary = run.models[0].model.upper_boundary = 0.9999;
        const auto a = must(remembering.submit(run, remembering.anonymous())).report;
        forgetting.c.memo().forget_histories();
        const auto b = must(forgetting.submit(run, forgetting.anonymous())).report;
        REQUIRE(a.results.size() == b.results.size());
        for (std::size_t k = 0; k < a.results.size(); ++k)
          for (std::size_t j = 0; j < a.results[k].size(); ++j)
            CHECK(a.results[k][j].measures[0].boundary == b.results[k][j].measures[0].boundary);
        REQUIRE(a.alerts.size() == b.alerts.size());
        for (std::size_t k = 0; k < a.alerts.size(); ++k) {
          const auto &x = a.alerts[k], &y = b.alerts[k];
          CHECK(x.benchmark.name == y.benchmark.name);
          REQUIRE(x.change.has_value() == y.change.has_value());
          if (!x.change) continue;
          CHECK(x.change->last_good->version.number == y.change->last_good->version.number);
          CHECK(x.change->first_bad->version.number == y.change->first_bad->version.number);
          CHECK(x.change->pvalue == y.change->pvalue);
        }
        alerts += a.alerts.size();
      }
      CHECK(alerts >= 7);
    }
  }

  TEST_CASE("a series with too few values has no verdict") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.models = {looking(ModelTest::change_point)};
    for (int i = 0; i < 8; ++i) {
      const auto report = must(w.submit(run, w.anonymous())).report;
      CHECK(report.results[0][0].measures[0].boundary == Boundary());
      CHECK(report.alerts.empty());
    }
    CHECK(must(w.submit(run, w.anonymous())).report.results[0][0].measures[0].boundary->baseline == 1);
  }
}

TEST_SUITE("pipeline/thresholds of one benchmark") {
  TEST_CASE("the most specific threshold applies, also on a branch that clones them") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 10);
    run.results = {R"({"a":{"latency":{"value":10}},"b":{"latency":{"value":10}}})"};
    run.models = {percentage(0.2)};
    must(w.submit(run, w.anonymous()));
    const auto branch = st::BranchId{1};
    const auto testbed = st::TestbedId{1};
    const auto project = st::find_project(w.c, *ResourceId::parse("p"))->id;
    const auto general = st::thresholds_of(w.c, branch, testbed).at(0);
    const auto benchmark = st::find_benchmark(w.c, project, st::Key::of(*NameId<BenchmarkName>::parse("a")))->id;
    const auto own = must(
        st::insert_threshold(w.c, project, branch, testbed, general.measure_id, w.env().uuid(), w.now(), benchmark));
    CHECK_FALSE(
        st::insert_threshold(w.c, project, branch, testbed, general.measure_id, w.env().uuid(), w.now(), benchmark)
            .has_value());
    pipeline::change_model(w.c, w.env(), own, std::nullopt, percentage(1.0).model);
    run.models.clear();
    run.results = {R"({"a":{"latency":{"value":15}},"b":{"latency":{"value":15}}})"};
    const auto report = must(w.submit(run, w.anonymous())).report;
    REQUIRE(report.alerts.size() == 1);
    CHECK(report.alerts[0].benchmark.name == "b");
    CHECK_FALSE(report.alerts[0].threshold.benchmark.has_value());
    for (const auto& result : report.results[0])
      CHECK(result.measures[0].boundary->upper_limit == (result.benchmark.name == "a" ? 20 : 12));

    run.branch = *BranchNameId::parse("topic");
    run.start_point = NewStartPoint{.branch = *BranchNameId::parse("main"), .clone_thresholds = true};
    const auto cloned = must(w.submit(run, w.anonymous())).report;
    for (const auto& result : cloned.results[0])
      CHECK(result.measures[0].threshold->model.upper_boundary == (result.benchmark.name == "a" ? 1.0 : 0.2));
  }
}

TEST_SUITE("pipeline/how results are read") {
  TEST_CASE("the options of a run reach the adapter, and its warnings are stored with the report") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.settings.adapter = AdapterKind::go_bench;
    run.results = {"BenchmarkA-8  100  5 ns/op  16 B/op\nBenchmarkA-8  100  7 ns/op\n"};
    const auto plain = must(w.submit(run, w.anonymous())).report;
    CHECK(plain.warnings.size() == 2);
    const auto row = *st::report_by_uuid(w.c, plain.uuid);
    CHECK(st::load_report(w.c, row, true).warnings == plain.warnings);
    CHECK(st::load_report(w.c, row, false).warnings.empty());
    CHECK(print(plain).find(R"("warnings":[")") != std::string::npos);

    run.settings.options = {.average = {}, .all_measures = true, .distinct_names = false, .fold_repeats = Fold::min};
    const auto all = must(w.submit(run, w.anonymous())).report;
    CHECK(all.warnings.empty());
    CHECK(print(all).find("warnings") == std::string::npos);
    REQUIRE(all.results.at(0).at(0).measures.size() == 2);
    CHECK(w.count("report_warnings") == 1);
    st::delete_report(w.c, row);
    CHECK(w.count("report_warnings") == 0);
  }
}

TEST_SUITE("pipeline/host") {
  TEST_CASE("what a runner says of its machine is kept with the report, shown with the whole of it, and goes with it") {
    StoreWorld w;
    const auto owner = w.user("Muriel");
    w.spec("Small", true);
    w.project(owner, "The Computer");
    const auto job = must(w.submit(StoreWorld::job("the-computer"), owner)).report;
    const auto row = *st::report_by_uuid(w.c, job.uuid);
    CHECK(print(st::load_report(w.c, row, true)).find("host") == std::string::npos);
    st::set_report_host(w.c, row.id, R"({"cores":2})");
    st::set_report_host(w.c, row.id, R"({"cores":4})");
    CHECK(print(st::load_report(w.c, row, true)).find(R"("host":{"cores":4},"created")") != std::string::npos);
    CHECK(print(st::load_report(w.c, row, false)).find("host") == std::string::npos);
    CHECK_THROWS(st::set_report_host(w.c, row.id, std::string(16385, 'x')));
    st::delete_report(w.c, row);
    CHECK(w.count("report_host") == 0);
  }
}

TEST_SUITE("pipeline/detection") {
  TEST_CASE("a percentage threshold has no verdict on the first value, then limits, then an alert") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 10);
    run.models = {percentage(0.2)};
    const auto boundary = [&](double value) {
      auto r = run;
      r.results = StoreWorld::run("p", value).results;
      return must(w.submit(r, w.anonymous())).report;
    };
    const auto first = boundary(10);
    CHECK(first.results[0][0].measures[0].boundary == Boundary{});
    CHECK(first.results[0][0].measures[0].threshold.has_value());
    const auto second = boundary(10);
    CHECK(second.results[0][0].measures[0].boundary->baseline == 10);
    CHECK(second.results[0][0].measures[0].boundary->upper_limit == 12);
    CHECK(second.alerts.empty());
    const auto third = boundary(12.5);
    REQUIRE(third.alerts.size() == 1);
    CHECK(third.alerts[0].limit == Limit::upper);
    CHECK(third.alerts[0].status == AlertStatus::active);
    CHECK(third.counts.alerts.total == 1);
    CHECK(w.count("model") == 1);
  }

  TEST_CASE("earlier iterations of the same report count, the iteration itself does not") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.models = {percentage(0.5)};
    run.results = {R"({"b":{"latency":{"value":10}}})", R"({"b":{"latency":{"value":20}}})"};
    const auto report = must(w.submit(run, w.anonymous())).report;
    CHECK(report.results[0][0].measures[0].boundary == Boundary{});
    CHECK(report.results[1][0].measures[0].boundary->baseline == 10);
    CHECK(report.alerts.size() == 1);
  }

  TEST_CASE(
      "the newest values count: at most the maximum, at least the minimum, within the window, of the same testbed") {
    StoreWorld w;
    const auto submit = [&](double value, std::int64_t start, Model model, const char* testbed = "tb") {
      auto run = StoreWorld::run("p", value);
      run.testbed = *ResourceNameId::parse(testbed);
      run.start_time = run.end_time = Timestamp{start};
      run.models = {{*ResourceNameId::parse("latency"), model}};
      return must(w.submit(run, w.anonymous())).report.results[0][0].measures[0].boundary->baseline;
    };
    Model model{.test = ModelTest::percentage, .upper_boundary = 9};
    submit(1, 100, model);
    submit(2, 200, model);
    submit(6, 300, model);
    submit(1000, 300, model, "elsewhere");
    CHECK(submit(3, 400, model) == 3.0);
    model.max_sample_size = 2;
    CHECK(submit(3, 500, model) == 4.5);
    model.max_sample_size = {};
    model.window = 150;
    CHECK(submit(3, 600, model) == 3.0);
    model.window = {};
    model.min_sample_size = 7;
    CHECK_FALSE(submit(3, 700, model).has_value());
    CHECK(submit(3, 800, model).has_value());
  }

  TEST_CASE("a report of many benchmarks finds each one's history as a report of few does") {
    StoreWorld w;
    const auto report = [&](int benchmarks, double factor) {
      auto run = StoreWorld::run("p", 1);
      std::string text = "{";
      for (int i = 0; i < benchmarks; ++i) {
        if (i > 0) text += ',';
        text +=
            "\"bench " + std::to_string(i) + "\":{\"latency\":{\"value\":" + std::to_string(factor * (i + 1)) + "}}";
      }
      run.results = {text + "}"};
      run.models = {percentage(0.5)};
      return must(w.submit(run, w.anonymous())).report;
    };
    report(40, 1);
    const auto many = report(40, 3);
    CHECK(many.counts.alerts.total == 40);
    for (const auto& result : many.results[0])
      CHECK(result.measures[0].boundary->baseline == result.measures[0].metric.value / 3);
    const auto few = report(3, 2);
    CHECK(few.results[0][2].measures[0].boundary->baseline == 6.0);
  }

  TEST_CASE("a benchmark that asks to be ignored gets boundaries and no alerts") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.models = {percentage(0.1)};
    run.results = {R"({"b_bencher_ignore":{"latency":{"value":1}}})",
                   R"({"b_bencher_ignore":{"latency":{"value":9}}})"};
    const auto report = must(w.submit(run, w.anonymous())).report;
    CHECK(report.results[1][0].benchmark.name == "b");
    CHECK(report.results[1][0].measures[0].boundary->upper_limit.has_value());
    CHECK(report.alerts.empty());
  }

  TEST_CASE("a model that cannot be computed refuses the run that would use it, whole") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.models = {percentage(-0.5)};
    must(w.submit(run, w.anonymous()));
    const auto before = w.count("report");
    const auto refused = w.submit(run, w.anonymous());
    CHECK(kind(refused) == Errc::invalid_argument);
    CHECK(refused.error().message().find("Invalid Boundary") != std::string::npos);
    CHECK(w.count("report") == before);
  }

  TEST_CASE("boundaries for a test that has none refuse the run whole") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.models = {percentage(0.5)};
    run.models[0].model.test = ModelTest::auto_;
    const auto refused = w.submit(run, w.anonymous());
    CHECK(kind(refused) == Errc::invalid_argument);
    CHECK(refused.error().message().find("auto takes no boundaries") != std::string::npos);
    CHECK(w.count("project") == 0);
  }

  TEST_CASE("the same model again changes nothing, another one replaces it, and reset removes those not named") {
    StoreWorld w;
    auto run = StoreWorld::run("p", 1);
    run.models = {percentage(0.1),
                  {*ResourceNameId::parse("throughput"), Model{.test = ModelTest::static_, .lower_boundary = 1}}};
    must(w.submit(run, w.anonymous()));
    must(w.submit(run, w.anonymous()));
    CHECK(w.count("model") == 2);
    run.models = {percentage(0.2)};
    must(w.submit(run, w.anonymous()));
    CHECK(w.count("model") == 3);
    CHECK(w.count("model WHERE replaced IS NOT NULL") == 1);
    CHECK(w.count("threshold WHERE model_id IS NOT NULL") == 2);
    run.thresholds_reset = true;
    must(w.submit(run, w.anonymous()));
    CHECK(w.count("threshold") == 2);
    CHECK(w.count("threshold WHERE model_id IS NOT NULL") == 1);
  }
}

TEST_SUITE("pipeline/start point") {
  TEST_CASE("a branch from a start point has its history and, when asked, its thresholds") {
    StoreWorld w;
    auto main = StoreWorld::run("p", 10);
    main.models = {percentage(0.1)};
    for (int i = 0; i < 3; ++i)
      must(w.submit(main, w.anonymous()));
    auto feature = StoreWorld::run("p", 20);
    feature.branch = *BranchNameId::parse("feature");
    feature.start_point.emplace();
    feature.start_point->branch = *BranchNameId::parse("main");
    feature.start_point->clone_thresholds = true;
    const auto report = must(w.submit(feature, w.anonymous())).report;
    CHECK(report.branch.head.version->number == 3);
    REQUIRE(report.branch.head.start_point.has_value());
    CHECK(report.branch.head.start_point->version.number == 2);
    CHECK(report.results[0][0].measures[0].boundary->baseline == 10);
    CHECK(report.alerts.size() == 1);
    SUBCASE("the same start point keeps the head") {
      CHECK(must(w.submit(feature, w.anonymous())).report.branch.head.uuid == report.branch.head.uuid);
    }
    SUBCASE("a reset starts a new head, and silences the alerts of the old one") {
      feature.start_point->reset = true;
      const auto again = must(w.submit(feature, w.anonymous())).report;
      CHECK(again.branch.head.uuid != report.branch.head.uuid);
      CHECK(w.count("alert WHERE status = 10") == 1);
      CHECK(w.count("alert WHERE status = 0") == 1);
      CHECK(w.count("head WHERE replaced IS NOT NULL") == 1);
    }
    SUBCASE("a start point that is not there keeps the head of a branch that is") {
      feature.start_point->branch = *BranchNameId::parse("nowhere");
      CHECK(must(w.submit(feature, w.anonymous())).report.branch.head.uuid == report.branch.head.uuid);
    }
  }

  TEST_CASE("only as many versions are cloned as are asked for, the newest first") {
    StoreWorld w;
    for (int i = 0; i < 5; ++i)
      must(w.submit(StoreWorld::run("p", 10), w.anonymous()));
    auto feature = StoreWorld::run("p", 20);
    feature.branch = *BranchNameId::parse("feature");
    feature.start_point.emplace();
    feature.start_point->branch = *BranchNameId::parse("main");
    feature.start_point->max_versions = 2;
    must(w.submit(feature, w.anonymous()));
    CHECK(w.count("head_version WHERE head_id = 2") == 3);
    CHECK(w.count("head_version WHERE head_id = 2 AND number < 3") == 0);
  }

  TEST_CASE("whether a run starts a new head follows the table") {
    struct Row {
      StartPointChange change;
      bool expected;
    };
    const std::string a = "a", b = "b";
    for (const auto& [change, expected] : {
             Row{{false, {}, {}, {}, {}}, false},
             Row{{true, {}, {}, {}, {}}, true},
             Row{{false, {}, {}, 1, {}}, true},
             Row{{false, 2, a, 1, a}, true},
             Row{{false, 1, a, {}, {}}, false},
             Row{{false, 1, a, 1, a}, false},
             Row{{false, 1, a, 1, b}, true},
             Row{{false, 1, {}, 1, b}, true},
             Row{{false, 1, a, 1, {}}, false},
             Row{{true, 1, a, 1, a}, true},
         })
      CHECK(needs_new_head(change) == expected);
  }
}

TEST_SUITE("pipeline/report") {
  TEST_CASE("deleting the only report of a version takes the version, and later ones move down") {
    StoreWorld w;
    std::vector<Uuid<Report>> reports;
    for (int i = 0; i < 3; ++i)
      reports.push_back(must(w.submit(StoreWorld::run("p", 10), w.anonymous())).report.uuid);
    st::delete_report(w.c, *st::find_report(w.c, st::ProjectId{1}, reports[0]));
    CHECK(w.count("version") == 2);
    CHECK(w.count("metric") == 2);
    const auto last = st::load_report(w.c, *st::find_report(w.c, st::ProjectId{1}, reports[2]), false);
    CHECK(last.branch.head.version->number == 1);
    CHECK(must(w.submit(StoreWorld::run("p", 10), w.anonymous())).report.branch.head.version->number == 2);
  }

  TEST_CASE("lists show counts, and results only when asked") {
    StoreWorld w;
    must(w.submit(StoreWorld::run("p", 10), w.anonymous()));
    st::Paging paging;
    paging.descending = true;
    const auto brief = st::list_reports(w.c, st::ProjectId{1}, {}, paging);
    REQUIRE(brief.items.size() == 1);
    CHECK_FALSE(brief.items[0].expanded);
    CHECK(brief.items[0].counts.results == std::vector{IterationCounts{1, 1}});
    CHECK(print(brief.items[0]).find("\"alerts\":[") == std::string::npos);
    st::ReportFilter filter;
    filter.expand = true;
    CHECK(st::list_reports(w.c, st::ProjectId{1}, filter, paging).items[0].results.size() == 1);
  }

  TEST_CASE("perf gives a series in the order of versions, with the history of the start point") {
    StoreWorld w;
    for (const double value : {1.0, 2.0, 3.0})
      must(w.submit(StoreWorld::run("p", value), w.anonymous()));
    auto feature = StoreWorld::run("p", 4);
    feature.branch = *BranchNameId::parse("feature");
    feature.start_point.emplace();
    feature.start_point->branch = *BranchNameId::parse("main");
    const auto report = must(w.submit(feature, w.anonymous())).report;
    st::PerfQuery query;
    query.branches = {report.branch.uuid};
    query.testbeds = {report.testbed.uuid};
    query.benchmarks = {report.results[0][0].benchmark.uuid, w.env().uuid()};
    query.measures = {report.results[0][0].measures[0].measure.uuid};
    const auto perf = st::load_perf(w.c, *st::project_by_id(w.c, st::ProjectId{1}), query);
    REQUIRE(perf.results.size() == 1);
    std::vector<double> values;
    for (const auto& m : perf.results[0].metrics)
      values.push_back(m.metric.value);
    CHECK(values == std::vector{1.0, 2.0, 3.0, 4.0});
    const auto one = st::find_metric(w.c, st::ProjectId{1}, perf.results[0].metrics[3].metric.uuid);
    REQUIRE(one.has_value());
    CHECK(one->metric.value == 4);
    CHECK(one->branch.head.version->number == 3);
  }
}
