#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/project.hpp"

namespace bencher {

struct Branch;

/// One point in a head's history: counted from 0, with the Git commit it stands for when that is known.
struct Version {
  std::uint32_t number = 0;
  std::optional<std::string> hash;

  bool operator==(const Version&) const = default;
};

/// The version of another head that a head was cloned from.
struct StartPoint {
  Uuid<Branch> branch;
  Uuid<struct Head> head;
  Version version;

  bool operator==(const StartPoint&) const = default;
};

/// One life of a branch. A reset starts a new one.
struct Head {
  Uuid<Head> uuid;
  std::optional<StartPoint> start_point;
  std::optional<Version> version;  ///< of the report at hand; empty outside reports, metrics and alerts
  Timestamp created;
  std::optional<Timestamp> replaced;

  bool operator==(const Head&) const = default;
};

struct Branch {
  Uuid<Branch> uuid;
  Uuid<Project> project;
  std::string name;
  std::string slug;
  Head head;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> archived;

  bool operator==(const Branch&) const = default;
};

/// What a run says of its branch's start point, and what the branch has: everything that decides whether the branch
/// goes on with its head. Hashes are those of the start point's version.
struct StartPointChange {
  bool reset = false;
  std::optional<std::int64_t> current_branch;  ///< where the head was cloned from; empty: from nowhere
  std::optional<std::string> current_hash;
  std::optional<std::int64_t> wanted_branch;  ///< the resolved start point; empty: none
  std::optional<std::string> wanted_hash;
};

/// Whether the branch gets a new head. Source: the reference's rules for a run on a branch that exists.
bool needs_new_head(const StartPointChange& change);

}  // namespace bencher
