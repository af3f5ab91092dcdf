#include "lib/storage/thresholds.hpp"

#include <stdexcept>

namespace bencher::storage {
namespace {

#define MODEL_COLUMNS                                                                              \
  "model.id, model.uuid, model.test, model.min_sample_size, model.max_sample_size, model.window, " \
  "model.lower_boundary, "                                                                         \
  "model.upper_boundary, model.created, model.replaced "
#define THRESHOLD_COLUMNS                                                                                   \
  "threshold.id, threshold.branch_id, threshold.testbed_id, threshold.measure_id, threshold.benchmark_id, " \
  "threshold.uuid, threshold.created, threshold.modified, " MODEL_COLUMNS
#define THRESHOLD_FROM "FROM threshold LEFT JOIN model ON model.id = threshold.model_id "

ThresholdRow threshold_row(Row& row) {
  ThresholdRow out;
  row.take(out.id), row.take(out.branch_id), row.take(out.testbed_id), row.take(out.measure_id);
  row.take(out.benchmark_id);
  row.take(out.uuid), row.take(out.created), row.take(out.modified);
  row.take(out.model_id);
  if (out.model_id) {
    StoredModel m;
    row.take(m.uuid), row.take(m.test), row.take(m.min_sample_size), row.take(m.max_sample_size), row.take(m.window);
    row.take(m.lower_boundary), row.take(m.upper_boundary), row.take(m.created), row.take(m.replaced);
    out.model = m;
  }
  return out;
}

std::vector<ThresholdRow> collect(Rows rows) {
  std::vector<ThresholdRow> out;
  while (rows.next()) {
    auto row = rows.row();
    out.push_back(threshold_row(row));
  }
  return out;
}

}  // namespace

std::optional<ThresholdRow> find_threshold(Connection& c, ProjectId project, AnyUuid uuid) {
  return c.one(threshold_row,
               "SELECT " THRESHOLD_COLUMNS THRESHOLD_FROM "WHERE threshold.uuid = ?2 AND threshold.project_id = ?1",
               project, uuid);
}

std::optional<ThresholdRow> threshold_of(Connection& c, BranchId branch, TestbedId testbed, MeasureId measure,
                                         std::optional<BenchmarkId> benchmark) {
  return c.one(
      threshold_row,
      "SELECT " THRESHOLD_COLUMNS THRESHOLD_FROM
      "WHERE branch_id = ?1 AND testbed_id = ?2 AND measure_id = ?3 AND ifnull(benchmark_id, 0) = ifnull(?4, 0)",
      branch, testbed, measure, benchmark);
}

std::vector<ThresholdRow> thresholds_of(Connection& c, BranchId branch, TestbedId testbed) {
  return collect(c.query("SELECT " THRESHOLD_COLUMNS THRESHOLD_FROM
                         "WHERE branch_id = ?1 AND testbed_id = ?2 ORDER BY threshold.id",
                         branch, testbed));
}

std::vector<ThresholdRow> thresholds_of_branch(Connection& c, BranchId branch) {
  return collect(
      c.query("SELECT " THRESHOLD_COLUMNS THRESHOLD_FROM "WHERE branch_id = ?1 ORDER BY threshold.id", branch));
}

ThresholdRow threshold_with_model(Connection& c, ThresholdId id, ModelId model) {
  auto found = c.one(threshold_row,
                     "SELECT " THRESHOLD_COLUMNS "FROM threshold JOIN model ON model.id = ?2 WHERE threshold.id = ?1",
                     id, model);
  if (!found) throw std::runtime_error("a boundary refers to a threshold that is not there");
  return *found;
}

std::optional<StoredModel> find_model(Connection& c, ThresholdId threshold, AnyUuid uuid) {
  const auto id = c.value<ModelId>("SELECT id FROM model WHERE uuid = ?2 AND threshold_id = ?1", threshold, uuid);
  if (!id) return std::nullopt;
  return threshold_with_model(c, threshold, *id).model;
}

Result<ThresholdId> insert_threshold(Connection& c, ProjectId project, BranchId branch, TestbedId testbed,
                                     MeasureId measure, AnyUuid uuid, Timestamp now,
                                     std::optional<BenchmarkId> benchmark) {
  BENCHER_DO(c.change("the threshold",
                      "INSERT INTO threshold (uuid, project_id, branch_id, testbed_id, measure_id, benchmark_id, "
                      "created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                      uuid, project, branch, testbed, measure, benchmark, now));
  return ThresholdId{c.last_id()};
}

std::optional<ModelId> set_model(Connection& c, ThresholdId threshold, const std::optional<StoredModel>& model,
                                 Timestamp now) {
  c.exec("UPDATE model SET replaced = ?2 WHERE id = (SELECT model_id FROM threshold WHERE id = ?1)", threshold, now);
  std::optional<ModelId> id;
  if (model) {
    const auto& m = *model;
    c.exec(
        "INSERT INTO model (uuid, threshold_id, test, min_sample_size, max_sample_size, window, lower_boundary, "
        "upper_boundary, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        m.uuid, threshold, m.test, m.min_sample_size, m.max_sample_size, m.window, m.lower_boundary, m.upper_boundary,
        m.created);
    id = ModelId{c.last_id()};
  }
  c.exec("UPDATE threshold SET model_id = ?2, modified = ?3 WHERE id = ?1", threshold, id, now);
  return id;
}

Result<void> delete_threshold(Connection& c, ThresholdId id) {
  c.exec("UPDATE threshold SET model_id = NULL WHERE id = ?1", id);
  BENCHER_DO(c.change("the threshold", "DELETE FROM threshold WHERE id = ?1", id));
  return {};
}

Threshold load_threshold(Connection& c, const ThresholdRow& row) {
  Threshold out;
  out.uuid = row.uuid;
  const auto head = c.value<HeadId>("SELECT head_id FROM branch WHERE id = ?1", row.branch_id);
  auto branch = branch_with_head(c, *head, std::nullopt);
  out.project = branch->branch.project;
  out.branch = std::move(branch->branch);
  out.testbed = testbed_by_id(c, row.testbed_id)->testbed;
  out.measure = measure_by_id(c, row.measure_id)->measure;
  if (row.benchmark_id) out.benchmark = benchmark_by_id(c, *row.benchmark_id)->benchmark;
  out.model = row.model;
  out.created = row.created;
  out.modified = row.modified;
  return out;
}

Page<Threshold> list_thresholds(Connection& c, ProjectId project, const ThresholdFilter& filter, ThresholdSort sort,
                                const Paging& paging) {
  Page<Threshold> page;
#define THRESHOLD_WHERE                                                                                               \
  "FROM threshold JOIN branch ON branch.id = threshold.branch_id JOIN testbed ON testbed.id = threshold.testbed_id "  \
  "JOIN measure ON measure.id = threshold.measure_id LEFT JOIN model ON model.id = threshold.model_id WHERE "         \
  "threshold.project_id = ?1 AND (?2 IS NULL OR threshold.branch_id = ?2) AND (?3 IS NULL OR threshold.testbed_id = " \
  "?3) AND (?4 IS NULL OR threshold.measure_id = ?4) AND (?6 IS NULL OR threshold.benchmark_id = ?6) AND "            \
  "(branch.archived IS NOT NULL OR testbed.archived IS NOT "                                                          \
  "NULL OR measure.archived IS NOT NULL) = ?5 "
  page.total = *c.value<std::int64_t>("SELECT count(*) " THRESHOLD_WHERE, project, filter.branch, filter.testbed,
                                      filter.measure, filter.archived, filter.benchmark);
  const bool down = paging.descending;
  const auto* sql = sort == ThresholdSort::created
                        ? (down ? "SELECT " THRESHOLD_COLUMNS THRESHOLD_WHERE
                                  "ORDER BY threshold.created DESC, threshold.id DESC LIMIT ?7 OFFSET ?8"
                                : "SELECT " THRESHOLD_COLUMNS THRESHOLD_WHERE
                                  "ORDER BY threshold.created, threshold.id LIMIT ?7 OFFSET ?8")
                        : (down ? "SELECT " THRESHOLD_COLUMNS THRESHOLD_WHERE
                                  "ORDER BY threshold.modified DESC, threshold.id DESC LIMIT ?7 OFFSET ?8"
                                : "SELECT " THRESHOLD_COLUMNS THRESHOLD_WHERE
                                  "ORDER BY threshold.modified, threshold.id LIMIT ?7 OFFSET ?8");
  const auto found = collect(c.query(sql, project, filter.branch, filter.testbed, filter.measure, filter.archived,
                                     filter.benchmark, paging.per_page, paging.offset()));
  for (const auto& row : found)
    page.items.push_back(load_threshold(c, row));
  return page;
}

Model model_of(const StoredModel& s) {
  Model m;
  m.test = s.test;
  m.min_sample_size = s.min_sample_size;
  m.max_sample_size = s.max_sample_size;
  m.window = s.window;
  m.lower_boundary = s.lower_boundary;
  m.upper_boundary = s.upper_boundary;
  return m;
}

}  // namespace bencher::storage
