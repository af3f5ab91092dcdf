#include "lib/storage/dimensions.hpp"

#include <array>

#include "lib/storage/specs.hpp"

namespace bencher::storage {
namespace {

#define HEAD_JOINS                                                                                               \
  "LEFT JOIN head_version start ON start.id = head.start_point_id LEFT JOIN head start_head ON start_head.id = " \
  "start.head_id LEFT JOIN branch start_branch ON start_branch.id = start_head.branch_id LEFT JOIN version "     \
  "start_version ON start_version.id = start.version_id "
#define BRANCH_FROM \
  "FROM branch JOIN project ON project.id = branch.project_id JOIN head ON head.id = branch.head_id " HEAD_JOINS
#define BRANCH_COLUMNS                                                                                                 \
  "branch.id, branch.uuid, project.uuid, branch.name, branch.slug, branch.created, branch.modified, branch.archived, " \
  "head.id, head.uuid, head.created, head.replaced, start_branch.uuid, start_head.uuid, start_version.number, "        \
  "start_version.hash "
#define TESTBED_FROM \
  "FROM testbed JOIN project ON project.id = testbed.project_id LEFT JOIN spec ON spec.id = testbed.spec_id "
#define TESTBED_COLUMNS                                                                                     \
  "testbed.id, testbed.uuid, project.uuid, testbed.name, testbed.slug, testbed.created, testbed.modified, " \
  "testbed.archived, testbed.spec_id, " BENCHER_SPEC_COLUMNS " "
#define BENCHMARK_FROM "FROM benchmark JOIN project ON project.id = benchmark.project_id "
#define BENCHMARK_COLUMNS                                                                           \
  "benchmark.id, benchmark.uuid, project.uuid, benchmark.name, benchmark.slug, benchmark.created, " \
  "benchmark.modified, "                                                                            \
  "benchmark.archived "
#define MEASURE_FROM "FROM measure JOIN project ON project.id = measure.project_id "
#define MEASURE_COLUMNS                                                                                     \
  "measure.id, measure.uuid, project.uuid, measure.name, measure.slug, measure.created, measure.modified, " \
  "measure.archived, measure.units "

template <class T>
void take_common(Row& row, T& out) {
  row.take(out.uuid), row.take(out.project), row.take(out.name), row.take(out.slug);
  row.take(out.created), row.take(out.modified), row.take(out.archived);
}

BranchRow branch_row(Row& row) {
  BranchRow out;
  row.take(out.id);
  take_common(row, out.branch);
  auto& head = out.branch.head;
  row.take(out.head_id), row.take(head.uuid), row.take(head.created), row.take(head.replaced);
  if (!row.next_is_null()) {
    StartPoint start;
    row.take(start.branch), row.take(start.head), row.take(start.version.number), row.take(start.version.hash);
    head.start_point = std::move(start);
  }
  return out;
}

TestbedRow testbed_row(Row& row) {
  TestbedRow out;
  row.take(out.id);
  take_common(row, out.testbed);
  row.take(out.spec_id);
  if (auto spec = take_optional_spec(row)) out.testbed.spec = std::move(spec->spec);
  return out;
}

BenchmarkRow benchmark_row(Row& row) {
  BenchmarkRow out;
  row.take(out.id);
  take_common(row, out.benchmark);
  return out;
}

MeasureRow measure_row(Row& row) {
  MeasureRow out;
  row.take(out.id);
  take_common(row, out.measure);
  row.take(out.measure.units);
  return out;
}

// The statements that the four dimensions share, made of their table's name, columns and joins.
struct Sql {
  std::array<const char*, 3> find;  // by Key::By
  const char* by_id;
  const char* slug_taken;
  const char* update;
  const char* archive;
  const char* unarchive;
  const char* count;
  std::array<const char*, 2> list;  // ascending, descending
};

#define DIMENSION_WHERE(table)                                                                                        \
  "WHERE " table ".project_id = ?1 AND (" table ".archived IS NOT NULL) = ?2 AND (?3 IS NULL OR " table               \
  ".name = ?3) AND (?4 IS NULL OR " table ".name LIKE ?4 ESCAPE '\\' OR " table ".slug LIKE ?4 ESCAPE '\\' OR " table \
  ".uuid LIKE ?4 ESCAPE '\\') "
#define DIMENSION_SQL(table, columns, from)                                                                       \
  Sql {                                                                                                           \
    {"SELECT " columns from "WHERE " table ".uuid = ?2 AND " table ".project_id = ?1",                            \
     "SELECT " columns from "WHERE " table ".project_id = ?1 AND " table ".slug = ?2",                            \
     "SELECT " columns from "WHERE " table ".project_id = ?1 AND " table ".name = ?2"},                           \
        "SELECT " columns from "WHERE " table ".id = ?1",                                                         \
        "SELECT 1 FROM " table " WHERE project_id = ?1 AND slug = ?2",                                            \
        "UPDATE " table " SET name = coalesce(?2, name), slug = coalesce(?3, slug), modified = ?4 WHERE id = ?1", \
        "UPDATE " table " SET archived = ?2 WHERE id = ?1",                                                       \
        "UPDATE " table " SET archived = NULL, modified = ?2 WHERE id = ?1",                                      \
        "SELECT count(*) FROM " table " " DIMENSION_WHERE(table), {                                               \
      "SELECT " columns from DIMENSION_WHERE(table) "ORDER BY " table ".name, " table ".id LIMIT ?5 OFFSET ?6",   \
          "SELECT " columns from DIMENSION_WHERE(table) "ORDER BY " table ".name DESC, " table                    \
                                                        ".id DESC LIMIT ?5 OFFSET ?6"                             \
    }                                                                                                             \
  }

constexpr Sql branch_sql = DIMENSION_SQL("branch", BRANCH_COLUMNS, BRANCH_FROM);
constexpr Sql testbed_sql = DIMENSION_SQL("testbed", TESTBED_COLUMNS, TESTBED_FROM);
constexpr Sql benchmark_sql = DIMENSION_SQL("benchmark", BENCHMARK_COLUMNS, BENCHMARK_FROM);
constexpr Sql measure_sql = DIMENSION_SQL("measure", MEASURE_COLUMNS, MEASURE_FROM);

const Sql& sql_of(Dimension dimension) {
  switch (dimension) {
    case Dimension::branch: return branch_sql;
    case Dimension::testbed: return testbed_sql;
    case Dimension::benchmark: return benchmark_sql;
    case Dimension::measure: return measure_sql;
  }
  return branch_sql;
}

template <class M>
auto find(Connection& c, const Sql& sql, M map, ProjectId project, const Key& key) {
  return c.one(map, sql.find[static_cast<std::size_t>(key.by)], project, key.text);
}

template <class T, class M>
Page<T> list(Connection& c, const Sql& sql, M map, ProjectId project, const Filter& filter, const Paging& paging) {
  Page<T> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
  page.total = *c.value<std::int64_t>(sql.count, project, filter.archived, filter.name, search);
  auto rows = c.query(sql.list[paging.descending ? 1 : 0], project, filter.archived, filter.name, search,
                      paging.per_page, paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(map(row));
  }
  return page;
}

VersionRow version_row(Row& row) {
  VersionRow out;
  row.take(out.head_version_id), row.take(out.version_id), row.take(out.version.number), row.take(out.version.hash);
  return out;
}

}  // namespace

std::optional<BranchRow> find_branch(Connection& c, ProjectId project, const Key& key) {
  return find(c, branch_sql, branch_row, project, key);
}
std::optional<TestbedRow> find_testbed(Connection& c, ProjectId project, const Key& key) {
  return find(c, testbed_sql, testbed_row, project, key);
}
std::optional<BenchmarkRow> find_benchmark(Connection& c, ProjectId project, const Key& key) {
  return find(c, benchmark_sql, benchmark_row, project, key);
}
std::optional<MeasureRow> find_measure(Connection& c, ProjectId project, const Key& key) {
  return find(c, measure_sql, measure_row, project, key);
}

std::optional<BranchRow> branch_with_head(Connection& c, HeadId head, std::optional<VersionId> version) {
  auto found = c.one(branch_row,
                     "SELECT " BRANCH_COLUMNS
                     "FROM head JOIN branch ON branch.id = head.branch_id JOIN project ON project.id = "
                     "branch.project_id " HEAD_JOINS "WHERE head.id = ?1",
                     head);
  if (found && version)
    found->branch.head.version = c.one(
        [](Row& row) {
          Version v;
          row.take(v.number), row.take(v.hash);
          return v;
        },
        "SELECT number, hash FROM version WHERE id = ?1", *version);
  return found;
}

std::optional<TestbedRow> testbed_by_id(Connection& c, TestbedId id) {
  return c.one(testbed_row, testbed_sql.by_id, id);
}

std::optional<TestbedRow> testbed_for_report(Connection& c, TestbedId id, bool has_job, std::optional<SpecId> spec) {
  auto found = testbed_by_id(c, id);
  if (!found) return found;
  if (spec) {
    if (auto row = spec_by_id(c, *spec)) found->testbed.spec = std::move(row->spec);
  } else if (!has_job) {
    found->testbed.spec.reset();
  }
  return found;
}

std::optional<BenchmarkRow> benchmark_by_id(Connection& c, BenchmarkId id) {
  return c.one(benchmark_row, benchmark_sql.by_id, id);
}
std::optional<MeasureRow> measure_by_id(Connection& c, MeasureId id) {
  return c.one(measure_row, measure_sql.by_id, id);
}

bool slug_taken(Connection& c, Dimension dimension, ProjectId project, std::string_view slug) {
  return c.value<int>(sql_of(dimension).slug_taken, project, slug).has_value();
}

Result<BranchId> insert_branch(Connection& c, ProjectId project, const Branch& b) {
  BENCHER_DO(
      c.change("the branch",
               "INSERT INTO branch (uuid, project_id, name, slug, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
               b.uuid, project, b.name, b.slug, b.created, b.modified));
  return BranchId{c.last_id()};
}

Result<TestbedId> insert_testbed(Connection& c, ProjectId project, const Testbed& t, std::optional<SpecId> spec) {
  BENCHER_DO(c.change("the testbed",
                      "INSERT INTO testbed (uuid, project_id, name, slug, spec_id, created, modified) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      t.uuid, project, t.name, t.slug, spec, t.created, t.modified));
  return TestbedId{c.last_id()};
}

Result<BenchmarkId> insert_benchmark(Connection& c, ProjectId project, const Benchmark& b) {
  BENCHER_DO(c.change("the benchmark",
                      "INSERT INTO benchmark (uuid, project_id, name, slug, created, modified) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      b.uuid, project, b.name, b.slug, b.created, b.modified));
  return BenchmarkId{c.last_id()};
}

Result<MeasureId> insert_measure(Connection& c, ProjectId project, const Measure& m) {
  BENCHER_DO(c.change("the measure",
                      "INSERT INTO measure (uuid, project_id, name, slug, units, created, modified) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      m.uuid, project, m.name, m.slug, m.units, m.created, m.modified));
  return MeasureId{c.last_id()};
}

Result<void> update_dimension(Connection& c, Dimension dimension, std::int64_t id, const DimensionChange& change,
                              Timestamp now) {
  const auto& sql = sql_of(dimension);
  static constexpr std::array names{"the branch", "the testbed", "the benchmark", "the measure"};
  BENCHER_DO(c.change(names[static_cast<std::size_t>(dimension)], sql.update, id, change.name, change.slug, now));
  if (change.archived) c.exec(sql.archive, id, *change.archived ? std::optional(now) : std::nullopt);
  if (dimension == Dimension::measure && change.units)
    c.exec("UPDATE measure SET units = ?2 WHERE id = ?1", id, *change.units);
  if (dimension == Dimension::testbed && change.spec_given)
    c.exec("UPDATE testbed SET spec_id = ?2 WHERE id = ?1", id, change.spec);
  return {};
}

void unarchive(Connection& c, Dimension dimension, std::int64_t id, Timestamp now) {
  c.exec(sql_of(dimension).unarchive, id, now);
}

void set_testbed_spec(Connection& c, TestbedId id, std::optional<SpecId> spec, Timestamp now) {
  c.exec("UPDATE testbed SET spec_id = ?2, modified = ?3 WHERE id = ?1", id, spec, now);
}

Page<Branch> list_branches(Connection& c, ProjectId project, const Filter& filter, const Paging& paging) {
  return list<Branch>(
      c, branch_sql, [](Row& r) { return branch_row(r).branch; }, project, filter, paging);
}
Page<Testbed> list_testbeds(Connection& c, ProjectId project, const Filter& filter, const Paging& paging) {
  return list<Testbed>(
      c, testbed_sql, [](Row& r) { return testbed_row(r).testbed; }, project, filter, paging);
}
Page<Benchmark> list_benchmarks(Connection& c, ProjectId project, const Filter& filter, const Paging& paging) {
  return list<Benchmark>(
      c, benchmark_sql, [](Row& r) { return benchmark_row(r).benchmark; }, project, filter, paging);
}
Page<Measure> list_measures(Connection& c, ProjectId project, const Filter& filter, const Paging& paging) {
  return list<Measure>(
      c, measure_sql, [](Row& r) { return measure_row(r).measure; }, project, filter, paging);
}

std::vector<TestbedId> testbeds_of_spec(Connection& c, SpecId spec) {
  std::vector<TestbedId> out;
  auto rows = c.query("SELECT id FROM testbed WHERE spec_id = ?1 ORDER BY id", spec);
  while (rows.next())
    out.push_back(rows.row().take<TestbedId>());
  return out;
}

std::optional<HeadId> find_head(Connection& c, BranchId branch, AnyUuid uuid) {
  return c.value<HeadId>("SELECT id FROM head WHERE uuid = ?2 AND branch_id = ?1", branch, uuid);
}

HeadId insert_head(Connection& c, BranchId branch, AnyUuid uuid, std::optional<HeadVersionId> start_point,
                   Timestamp now) {
  c.exec("INSERT INTO head (uuid, branch_id, start_point_id, created) VALUES (?1, ?2, ?3, ?4)", uuid, branch,
         start_point, now);
  return HeadId{c.last_id()};
}

void replace_head(Connection& c, BranchId branch, std::optional<HeadId> former, HeadId head, Timestamp now) {
  c.exec("UPDATE branch SET head_id = ?2 WHERE id = ?1", branch, head);
  if (!former) return;
  c.exec("UPDATE head SET replaced = ?2 WHERE id = ?1", *former, now);
  // 10 is AlertStatus::silenced.
  c.exec(
      "UPDATE alert SET status = 10, modified = ?2 WHERE status <> 10 AND report_id IN (SELECT id FROM report WHERE "
      "head_id = ?1)",
      *former, now);
}

BranchId branch_of_head(Connection& c, HeadId head) {
  return *c.value<BranchId>("SELECT branch_id FROM head WHERE id = ?1", head);
}

HeadStart head_start(Connection& c, HeadId head) {
  return c
      .one(
          [](Row& row) {
            HeadStart out;
            row.take(out.branch), row.take(out.hash);
            return out;
          },
          "SELECT start_head.branch_id, version.hash FROM head JOIN head_version start ON start.id = "
          "head.start_point_id "
          "JOIN head start_head ON start_head.id = start.head_id JOIN version ON version.id = start.version_id "
          "WHERE head.id = ?1",
          head)
      .value_or(HeadStart{});
}

std::optional<VersionRow> latest_version(Connection& c, HeadId head) {
  return c.one(version_row,
               "SELECT head_version.id, version.id, version.number, version.hash FROM head_version JOIN version ON "
               "version.id = head_version.version_id WHERE head_version.head_id = ?1 ORDER BY head_version.number DESC "
               "LIMIT 1",
               head);
}

std::optional<VersionRow> version_with_hash(Connection& c, HeadId head, std::string_view hash) {
  return c.one(version_row,
               "SELECT head_version.id, version.id, version.number, version.hash FROM head_version JOIN version ON "
               "version.id = head_version.version_id WHERE head_version.head_id = ?1 AND version.hash = ?2 ORDER BY "
               "head_version.number DESC LIMIT 1",
               head, hash);
}

void clone_versions(Connection& c, HeadId from, std::uint32_t number, std::uint32_t max, HeadId to) {
  c.exec(
      "INSERT INTO head_version (head_id, version_id, number) SELECT ?4, version_id, number FROM head_version WHERE "
      "head_id = ?1 AND number <= ?2 ORDER BY number DESC LIMIT ?3",
      from, number, max, to);
}

VersionRow version_for_report(Connection& c, ProjectId project, HeadId head, const std::optional<std::string>& hash,
                              AnyUuid fresh) {
  if (hash) {
    auto known =
        c.one(version_row,
              "SELECT head_version.id, version.id, version.number, version.hash FROM head_version JOIN version ON "
              "version.id = head_version.version_id WHERE head_version.head_id = ?1 AND version.hash = ?2 AND "
              "EXISTS (SELECT 1 FROM report WHERE report.version_id = version.id AND report.head_id = ?1) ORDER "
              "BY head_version.number DESC LIMIT 1",
              head, *hash);
    if (known) return *known;
  }
  const auto newest =
      c.value<std::int64_t>("SELECT number FROM head_version WHERE head_id = ?1 ORDER BY number DESC LIMIT 1", head);
  VersionRow out;
  out.version.number = newest ? static_cast<std::uint32_t>(*newest + 1) : 0;
  out.version.hash = hash;
  c.exec("INSERT INTO version (uuid, project_id, number, hash) VALUES (?1, ?2, ?3, ?4)", fresh, project,
         out.version.number, hash);
  out.version_id = VersionId{c.last_id()};
  c.exec("INSERT INTO head_version (head_id, version_id, number) VALUES (?1, ?2, ?3)", head, out.version_id,
         out.version.number);
  out.head_version_id = HeadVersionId{c.last_id()};
  return out;
}

}  // namespace bencher::storage
