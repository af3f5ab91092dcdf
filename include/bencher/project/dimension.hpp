#pragma once

#include <optional>
#include <string>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/project.hpp"

namespace bencher {

/// One named thing that is measured.
struct Benchmark {
  Uuid<Benchmark> uuid;
  Uuid<Project> project;
  std::string name;
  std::string slug;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> archived;

  bool operator==(const Benchmark&) const = default;
};

/// What is measured of a benchmark, and in which units.
struct Measure {
  Uuid<Measure> uuid;
  Uuid<Project> project;
  std::string name;
  std::string slug;
  std::string units;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> archived;

  bool operator==(const Measure&) const = default;
};

}  // namespace bencher
