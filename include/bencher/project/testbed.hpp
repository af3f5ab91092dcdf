#pragma once

#include <optional>
#include <string>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/project.hpp"
#include "bencher/spec/spec.hpp"

namespace bencher {

/// Where benchmarks run. For the project it shows its current spec; in a report, the spec of that report's job.
struct Testbed {
  Uuid<Testbed> uuid;
  Uuid<Project> project;
  std::string name;
  std::string slug;
  std::optional<Spec> spec;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> archived;

  bool operator==(const Testbed&) const = default;
};

}  // namespace bencher
