#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bencher/base/name.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher {

enum class OperatingSystem { linux_, macos, windows };
enum class Architecture { x86_64, aarch64 };
/// What a job of the spec must run in. No value: the runner's own choice.
enum class SandboxKind { firecracker };

/// A description of hardware that jobs ask for and runners offer. It belongs to the server, not to a project.
struct Spec {
  Uuid<Spec> uuid;
  std::string name;
  std::string slug;
  OperatingSystem os = OperatingSystem::linux_;
  Architecture architecture = Architecture::x86_64;
  std::optional<SandboxKind> sandbox;
  std::int64_t cpu = 1;     ///< virtual CPUs, 1 … 2^31-1
  std::int64_t memory = 0;  ///< bytes
  std::int64_t disk = 0;    ///< bytes
  bool network = false;
  /// When it became the one spec that is used where none is named. `default_` is its name in our own API; both are
  /// always equal.
  std::optional<Timestamp> fallback;
  std::optional<Timestamp> default_;
  Timestamp created;
  Timestamp modified;
  std::optional<Timestamp> archived;

  bool operator==(const Spec&) const = default;
};

/// Which spec a job gets, and why.
struct SpecChoice {
  enum class Source { explicit_, testbed, default_ } source = Source::explicit_;
  std::int64_t id = 0;  ///< of whatever table the caller keeps specs in

  bool operator==(const SpecChoice&) const = default;
};

/// The chain: the spec that the run names, else the testbed's, else the server's default.
/// Error: `invalid_argument`, none of the three.
Result<SpecChoice> resolve_spec(std::optional<std::int64_t> named, std::optional<std::int64_t> testbed,
                                std::optional<std::int64_t> fallback);

}  // namespace bencher
