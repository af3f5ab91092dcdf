#pragma once

#include <optional>
#include <string>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher {

/// Owns projects; people belong to it by roles. Without any role it is unclaimed: anyone may report to its projects.
struct Organization {
  Uuid<Organization> uuid;
  std::string name;
  std::string slug;
  std::optional<std::string> license;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> claimed;  ///< when its first member joined

  bool operator==(const Organization&) const = default;
};

}  // namespace bencher
