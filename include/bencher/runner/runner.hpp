#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/spec/spec.hpp"

namespace bencher {

/// A machine that executes jobs of the specs assigned to it, for every project of the server.
struct Runner {
  Uuid<Runner> uuid;
  std::string name;
  std::string slug;
  std::vector<Uuid<Spec>> specs;
  std::optional<Timestamp> archived;
  std::optional<Timestamp> last_heartbeat;
  Timestamp created;
  Timestamp modified;

  bool operator==(const Runner&) const = default;
};

}  // namespace bencher
