#pragma once

#include <optional>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/branch.hpp"
#include "bencher/project/dimension.hpp"
#include "bencher/project/testbed.hpp"
#include "bencher/threshold/boundary.hpp"
#include "bencher/threshold/model.hpp"

namespace bencher {

struct Threshold;

/// A model as it is stored: immutable, and replaced by the next one of its threshold.
struct StoredModel {
  Uuid<StoredModel> uuid;
  ModelTest test = ModelTest::t_test;
  std::optional<std::uint32_t> min_sample_size;
  std::optional<std::uint32_t> max_sample_size;
  std::optional<std::uint32_t> window;  ///< seconds
  std::optional<double> lower_boundary;
  std::optional<double> upper_boundary;
  Timestamp created;
  std::optional<Timestamp> replaced;

  bool operator==(const StoredModel&) const = default;
};

/// A threshold with the model that was used for one metric.
struct ThresholdModel {
  Uuid<Threshold> uuid;
  Uuid<Project> project;
  StoredModel model;
  Timestamp created;

  bool operator==(const ThresholdModel&) const = default;
};

/// What the metrics of one branch, testbed and measure are checked with.
struct Threshold {
  Uuid<Threshold> uuid;
  Uuid<Project> project;
  Branch branch;
  Testbed testbed;
  Measure measure;
  std::optional<Benchmark> benchmark;  ///< the only one it is of; it comes before a threshold of all
  std::optional<StoredModel> model;
  Timestamp created;
  Timestamp modified;

  bool operator==(const Threshold&) const = default;
};

/// Values are those stored.
enum class AlertStatus { active = 0, dismissed = 1, silenced = 10 };

}  // namespace bencher
