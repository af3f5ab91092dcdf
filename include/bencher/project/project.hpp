#pragma once

#include <optional>
#include <string>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/organization.hpp"

namespace bencher {

/// Values are those stored.
enum class Visibility { public_ = 0, private_ = 1 };

/// What is benchmarked: the scope of branches, testbeds, benchmarks, measures, thresholds and reports.
struct Project {
  Uuid<Project> uuid;
  Uuid<Organization> organization;
  std::string name;
  std::string slug;
  std::optional<std::string> url;
  Visibility visibility = Visibility::public_;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> claimed;  ///< its organization's

  bool operator==(const Project&) const = default;
};

}  // namespace bencher
