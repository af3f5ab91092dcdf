#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "lib/storage/jobs.hpp"
#include "lib/storage/migration.hpp"
#include "tests/support/data.hpp"
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

std::vector<std::string> plan(st::Connection& c, const std::string& sql) {
  std::vector<std::string> out;
  SQLite::Statement s(c.raw(), "EXPLAIN QUERY PLAN " + sql);
  while (s.executeStep())
    out.push_back(s.getColumn(3).getString());
  return out;
}

bool any(const std::vector<std::string>& lines, std::string_view text) {
  return std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.find(text) != std::string::npos; });
}

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
      CHECK(st::schema_version(w.c) == version);
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
    CHECK(tables == 37);
  }

  TEST_CASE("a database of a newer program is refused and named") {
    st::Connection c(":memory:");
    c.raw().exec("PRAGMA user_version = 9999");
    CHECK_THROWS_WITH(st::migrate(c, st::newest_version()),
                      doctest::Contains("schema version 9999, this program knows up to"));
  }

  TEST_CASE("the claim reads the queue and both limits by their indexes, and scans no job") {
    StoreWorld w;
    const auto lines = plan(w.c, st::eligible_job_sql);
    CAPTURE(fmt::format("{}", fmt::join(lines, "\n")));
    CHECK(any(lines, "SEARCH job USING INDEX index_job_pending (status=?)"));
    CHECK(any(lines, "index_job_organization_in_flight (organization_id=?)"));
    CHECK(any(lines, "index_job_source_ip_in_flight (source_ip=?)"));
    CHECK_FALSE(any(lines, "SCAN job"));
    CHECK_FALSE(any(lines, "SCAN other"));
    CHECK_FALSE(any(lines, "USE TEMP B-TREE"));
  }

  TEST_CASE("every other statement on the way of a claim uses an index of job") {
    StoreWorld w;
    struct Case {
      const char* sql;
      const char* index;
    };
    for (const auto& [sql, index] : {
             Case{"UPDATE job SET status = 1, runner_id = 1, claimed = 1 WHERE id = 1 AND status = 0",
                  "INTEGER PRIMARY KEY"},
             Case{"SELECT DISTINCT spec_id FROM job INDEXED BY index_job_pending WHERE status = 0",
                  "index_job_pending"},
             Case{"SELECT count(*) + 1 FROM job WHERE status = 0 AND (priority > 1 OR (priority = 1 AND created < 1))",
                  "index_job_pending"},
             Case{"SELECT id FROM job WHERE status = 1 OR status = 2", "index_job_in_flight"},
             Case{"SELECT id FROM job WHERE status = 3", "index_job_completed"},
             Case{"SELECT id FROM job WHERE runner_id = 1 AND (status = 1 OR status = 2)", "index_job_"},
             Case{"SELECT id FROM job WHERE uuid = 'x'", "sqlite_autoindex_job_1"},
             Case{"SELECT spec_id FROM runner_spec WHERE runner_id = 1", "sqlite_autoindex_runner_spec_1"},
         }) {
      const auto lines = plan(w.c, sql);
      CAPTURE(sql);
      CAPTURE(fmt::format("{}", fmt::join(lines, "\n")));
      CHECK(any(lines, index));
    }
  }

  TEST_CASE("the history of a metric is read newest first from the head's index") {
    StoreWorld w;
    const auto lines = plan(
        w.c,
        "SELECT metric.value FROM head_version CROSS JOIN report ON report.version_id = head_version.version_id AND "
        "report.testbed_id = 1 CROSS JOIN report_benchmark ON report_benchmark.report_id = report.id CROSS JOIN metric "
        "ON "
        "metric.report_benchmark_id = report_benchmark.id AND metric.measure_id = 1 WHERE head_version.head_id = 1 "
        "ORDER BY "
        "head_version.number DESC, report.start_time DESC, report_benchmark.iteration DESC, report.id DESC");
    CAPTURE(fmt::format("{}", fmt::join(lines, "\n")));
    CHECK(any(lines, "index_head_version_number (head_id=?)"));
    CHECK(any(lines, "index_report_version_testbed (version_id=? AND testbed_id=?)"));
    CHECK_FALSE(any(lines, "SCAN"));
  }

  TEST_CASE("a report's benchmarks are found by the report, and so is whether a benchmark is in use") {
    StoreWorld w;
    const auto lines =
        plan(w.c,
             "SELECT 1 FROM report CROSS JOIN report_benchmark ON report_benchmark.report_id = report.id "
             "AND report_benchmark.benchmark_id = 1 WHERE report.project_id = 1");
    CAPTURE(fmt::format("{}", fmt::join(lines, "\n")));
    CHECK(any(lines, "(project_id=?)"));
    CHECK(any(lines, "sqlite_autoindex_report_benchmark_1 (report_id=? AND benchmark_id=?)"));
    CHECK_FALSE(any(lines, "SCAN"));
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
