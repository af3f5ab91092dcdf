// Thresholds and their models.
#pragma once

#include "bencher/threshold/threshold.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/dimensions.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"

namespace bencher::storage {

struct ThresholdRow {
  ThresholdId id{};
  BranchId branch_id{};
  TestbedId testbed_id{};
  MeasureId measure_id{};
  std::optional<BenchmarkId> benchmark_id;  ///< the only one it is of
  std::optional<ModelId> model_id;
  Uuid<Threshold> uuid;
  Timestamp created;
  Timestamp modified;
  std::optional<StoredModel> model;  ///< the current one
};

std::optional<ThresholdRow> find_threshold(Connection& c, ProjectId project, AnyUuid uuid);
std::optional<ThresholdRow> threshold_of(Connection& c, BranchId branch, TestbedId testbed, MeasureId measure,
                                         std::optional<BenchmarkId> benchmark = {});
/// All of a branch and testbed.
std::vector<ThresholdRow> thresholds_of(Connection& c, BranchId branch, TestbedId testbed);
std::vector<ThresholdRow> thresholds_of_branch(Connection& c, BranchId branch);
/// The threshold of a boundary or alert, with the model used there.
ThresholdRow threshold_with_model(Connection& c, ThresholdId id, ModelId model);
std::optional<StoredModel> find_model(Connection& c, ThresholdId threshold, AnyUuid uuid);

Result<ThresholdId> insert_threshold(Connection& c, ProjectId project, BranchId branch, TestbedId testbed,
                                     MeasureId measure, AnyUuid uuid, Timestamp now,
                                     std::optional<BenchmarkId> benchmark = {});
/// `model`, or none, becomes the threshold's current one; the former one is replaced. `model.created` is now.
std::optional<ModelId> set_model(Connection& c, ThresholdId threshold, const std::optional<StoredModel>& model,
                                 Timestamp now);
Result<void> delete_threshold(Connection& c, ThresholdId id);

/// With its branch (current head), testbed and measure.
Threshold load_threshold(Connection& c, const ThresholdRow& row);

struct ThresholdFilter {
  std::optional<BranchId> branch;
  std::optional<TestbedId> testbed;
  std::optional<MeasureId> measure;
  std::optional<BenchmarkId> benchmark;
  bool archived = false;
};
enum class ThresholdSort { created, modified };
Page<Threshold> list_thresholds(Connection& c, ProjectId project, const ThresholdFilter& filter, ThresholdSort sort,
                                const Paging& paging);

/// What the model says, without its identity.
Model model_of(const StoredModel& stored);

}  // namespace bencher::storage
