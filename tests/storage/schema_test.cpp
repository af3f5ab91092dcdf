#include <cstdlib>
#include <fstream>
#include <functional>

#include <fmt/format.h>

#include "lib/storage/jobs.hpp"
#include "lib/storage/migration.hpp"
#include "tests/support/data.hpp"
#include "tests/support/query_plan.hpp"
#include "tests/support/store_world.hpp"

using namespace bencher;
using namespace bencher::test;

namespace {

/// Everything the schema says of itself, in a fixed order.
std::string schema(st::Connection& c) {
  std::string out;
  SQLite::Statement s(c.raw(), "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name");
  while (s.executeStep())
    out += fmt::format("-- {} {}\n{};\n\n", s.getColumn(0).getString(), s.getColumn(1).getString(),
                       s.getColumn(2).getString());
  return out;
}

/// A runner, and jobs of one organization that it can take.
struct QueueWorld : StoreWorld {
  pipeline::Actor owner = user("Muriel");
  st::ProjectRow home = project(owner, "The Computer");
  st::RunnerId machine = runner("Machine", {spec("Small", true)});

  st::JobRow submit_job() { return *st::job_by_id(c, *must(submit(StoreWorld::job("the-computer"), owner)).job); }
  std::optional<ClaimedJob> claim() { return must(pipeline::claim(c, env(), machine)); }
};

}  // namespace

TEST_SUITE("storage/schema") {
  TEST_CASE("all migrations up, all down and all up again give the same schema") {
    st::Connection c(":memory:");
    st::migrate(c, st::newest_version());
    const auto first = schema(c);
    st::migrate(c, 0);
    CHECK(schema(c).empty());
    st::migrate(c, st::newest_version());
    CHECK(schema(c) == first);
  }

  TEST_CASE("each step goes up and down by itself, with rows in the tables") {
    StoreWorld w;
    const auto owner = w.user("Muriel");
    w.spec("Small", true);
    w.project(owner, "The Computer");
    auto run = StoreWorld::run("the-computer", 1);
    run.models = {{*ResourceNameId::parse("latency"), Model{.test = ModelTest::static_, .upper_boundary = 0.5}}};
    must(w.submit(run, owner));
    must(w.submit(run, owner));
    for (int version = st::newest_version() - 1; version >= 0; --version) {
      st::migrate(w.c, version);
      // Numbers may be left out.
      int expected = 0;
      for (const auto& m : st::migrations())
        if (m.version <= version) expected = m.version;
      CHECK(st::schema_version(w.c) == expected);
      CHECK(w.c.raw().execAndGet("SELECT count(*) FROM pragma_foreign_key_check").getInt() == 0);
    }
  }

  TEST_CASE("the schema is the one on record") {
    st::Connection c(":memory:");
    st::migrate(c, st::newest_version());
    const std::string file = std::string(BENCHER_TEST_DATA) + "/golden/schema.sql";
    if (std::getenv("BENCHER_UPDATE_GOLDEN")) std::ofstream(file) << schema(c);
    CHECK(schema(c) == read_data("golden/schema.sql"));
  }

  TEST_CASE("every table is strict") {
    st::Connection c(":memory:");
    st::migrate(c, st::newest_version());
    SQLite::Statement s(c.raw(),
                        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND "
                        "name NOT LIKE 'sqlite_%'");
    int tables = 0;
    while (s.executeStep()) {
      CHECK_MESSAGE(s.getColumn(1).getInt() == 1, s.getColumn(0).getString());
      ++tables;
    }
    CHECK(tables == 40);
  }

  TEST_CASE("a database of a newer program is refused and named") {
    st::Connection c(":memory:");
    c.raw().exec("PRAGMA user_version = 9999");
    CHECK_THROWS_WITH(st::migrate(c, st::newest_version()),
                      doctest::Contains("schema version 9999, this program knows up to"));
  }

  TEST_CASE("no statement of a claim scans a table, and the queue and both limits are read by their indexes") {
    QueueWorld w;
    const auto broken = w.submit_job();
    w.c.exec("UPDATE job SET config = 'none' WHERE id = ?1", broken.id);
    const auto good = w.submit_job();
    const auto run = statements_of(w.c, [&] {
      // Past the one that cannot be read, to the good one; then nothing is left.
      CHECK(w.claim()->uuid == good.uuid);
      CHECK_FALSE(w.claim().has_value());
    });
    CHECK(st::job_by_id(w.c, broken.id)->state.status == JobStatus::failed);
    const auto plans = plans_of(w.c, run);
    CAPTURE(describe(plans));
    CHECK(faults(plans) == "");
    CHECK(any_has(plans, "SEARCH job USING INDEX index_job_pending (status=?)"));
    CHECK(any_has(plans, "SEARCH other USING INDEX index_job_organization_in_flight (organization_id=?)"));
    CHECK(any_has(plans, "SEARCH other USING INDEX index_job_source_ip_in_flight (source_ip=?)"));
    CHECK(any_has(plans, "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"));
  }

  TEST_CASE("what else is asked of the queue and of jobs in flight goes by an index of job") {
    QueueWorld w;
    const auto job = w.submit_job();
    struct Case {
      std::function<void()> work;
      const char* index;
    };
    for (const auto& [work, index] : {
             Case{[&] { st::pending_specs(w.c); }, "index_job_pending (status=?)"},
             Case{[&] { st::queue_position(w.c, job); }, "index_job_pending (status=? AND priority>?)"},
             Case{[&] { st::jobs_in_flight(w.c); }, "index_job_in_flight (status=?)"},
             Case{[&] { st::completed_jobs(w.c); }, "index_job_completed (status=?)"},
             Case{[&] { st::jobs_of_runner_in_flight(w.c, w.machine); }, "index_job_runner (runner_id=?)"},
             Case{[&] { st::find_job(w.c, job.uuid); }, "sqlite_autoindex_job_1 (uuid=?)"},
             Case{[&] { st::find_project_job(w.c, w.home.id, job.uuid); }, "sqlite_autoindex_job_1 (uuid=?)"},
             Case{[&] { st::touch_job(w.c, job.id, w.now()); }, "INTEGER PRIMARY KEY (rowid=?)"},
             Case{[&] { st::release_job(w.c, job.id, w.now()); }, "INTEGER PRIMARY KEY (rowid=?)"},
             Case{[&] { st::raise_unclaimed_jobs(w.c, job.organization_id, w.now()); }, "index_job_"},
         }) {
      const auto plans = plans_of(w.c, statements_of(w.c, work));
      CAPTURE(describe(plans));
      CHECK(plans.size() == 1);
      CHECK(any_has(plans, index));
      // In flight is little: what is sorted there is the jobs that run now.
      CHECK_FALSE(any_has(plans, "SCAN"));
    }
  }

  TEST_CASE("the history of a metric is read newest first from the head's index") {
    StoreWorld w;
    const auto history = [&](const std::vector<st::BenchmarkId>& wanted, bool with_reports) {
      st::Population population;
      population.head = st::HeadId{1};
      population.testbed = st::TestbedId{1};
      population.measure = st::MeasureId{1};
      population.benchmarks = wanted;
      return plans_of(w.c, statements_of(w.c, [&] {
                        if (with_reports)
                          st::read_series(w.c, population, [](st::BenchmarkId, double, st::ReportId) { return true; });
                        else
                          st::read_population(w.c, population, [](st::BenchmarkId, double) { return true; });
                      }));
    };
    const std::vector<st::BenchmarkId> none, one{st::BenchmarkId{1}}, two{st::BenchmarkId{1}, st::BenchmarkId{2}};
    for (const auto* benchmarks : {&none, &one, &two})
      for (const bool with_reports : {false, true}) {
        const auto plans = history(*benchmarks, with_reports);
        CAPTURE(describe(plans));
        // One query, however many benchmarks there are.
        REQUIRE(plans.size() == 1);
        CHECK(plans[0].has("index_head_version_number (head_id=?)"));
        CHECK(plans[0].has("index_report_version_testbed (version_id=? AND testbed_id=?)"));
        CHECK_FALSE(plans[0].has("SCAN head_version"));
        CHECK_FALSE(plans[0].has("SCAN report"));
        CHECK_FALSE(plans[0].has("SCAN metric"));
        if (!benchmarks->empty()) CHECK(plans[0].has("report_id=? AND benchmark_id=?"));
      }
  }

  TEST_CASE("a report's benchmarks are found by the report, and so is whether a benchmark is in use") {
    StoreWorld w;
    const auto plan =
        plan_of(w.c,
                "SELECT 1 FROM report CROSS JOIN report_benchmark ON report_benchmark.report_id = report.id "
                "AND report_benchmark.benchmark_id = 1 WHERE report.project_id = 1");
    CAPTURE(describe({plan}));
    CHECK(plan.has("(project_id=?)"));
    CHECK(plan.has("sqlite_autoindex_report_benchmark_1 (report_id=? AND benchmark_id=?)"));
    CHECK_FALSE(plan.has("SCAN"));
  }

  TEST_CASE("a benchmark that a report has is not deleted, one that none has is, and all go with their project") {
    StoreWorld w;
    const auto owner = w.user("Muriel");
    w.project(owner, "The Computer");
    const auto first = must(w.submit(StoreWorld::run("the-computer", 1), owner)).report.uuid;
    const auto count = [&](const char* sql) { return *w.c.value<int>(sql); };
    REQUIRE(count("SELECT count(*) FROM benchmark") > 0);
    const auto refused = w.c.change("the benchmark", "DELETE FROM benchmark");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::conflict);
    CHECK(refused.error().message().find("the benchmark is still referred to") != std::string::npos);

    st::delete_report(w.c, *st::report_by_uuid(w.c, first));
    CHECK(w.c.change("the benchmark", "DELETE FROM benchmark"));
    CHECK(count("SELECT count(*) FROM benchmark") == 0);
    CHECK(count("SELECT count(*) FROM series_last_seen") == 0);

    must(w.submit(StoreWorld::run("the-computer", 1), owner));
    CHECK(count("SELECT count(*) FROM series_last_seen") > 0);
    CHECK(count("SELECT count(*) FROM report_benchmark WHERE benchmark_id NOT IN (SELECT id FROM benchmark)") == 0);
    CHECK(w.c.change("the project", "DELETE FROM project"));
    CHECK(count("SELECT count(*) FROM benchmark") == 0);
    CHECK(count("SELECT count(*) FROM report_benchmark") == 0);
  }

  TEST_CASE("a metric's UUID leads back to its row, and a foreign one to none") {
    StoreWorld w;
    const auto& ids = st::metric_ids(w.c);
    for (const std::int64_t id : {std::int64_t{1}, std::int64_t{2}, std::int64_t{1'000'000}, INT64_MAX}) {
      const auto uuid = ids.uuid(st::MetricId{id});
      CHECK(ids.id(uuid) == st::MetricId{id});
      CHECK(uuid.str()[14] == '8');
    }
    CHECK(ids.uuid(st::MetricId{1}) != ids.uuid(st::MetricId{2}));
    CHECK_FALSE(ids.id(w.env().uuid()).has_value());
    CHECK_FALSE(ids.id(*AnyUuid::parse("00000000-0000-8000-8000-000000000000")).has_value());
  }
}
