// Control groups, version 1, version 2, or both on one machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "lib/image/files.hpp"

namespace bencher::sandbox {

/// Processors to run on.
struct Placement {
  std::vector<int> cpus = {};  ///< none: all
  bool exclusive = true;       ///< nobody else on them, where the kernel lets us
};

/// One run's group, with limits; removed with the object, its processes killed.
class Cgroup {
 public:
  /// On those processors, if any are given and the machine's groups divide them. They may not: see `Launch::cpus`.
  /// Error: `unavailable`, naming the controllers that are missing.
  static Result<Cgroup> create(const Machine& machine, const Placement& placement = {});
  /// Removes groups that a runner which is no more left behind.
  static void sweep() noexcept;

  ~Cgroup();
  Cgroup(Cgroup&&) noexcept = default;
  Cgroup& operator=(Cgroup&&) = delete;

  /// `cgroup.procs` of each hierarchy: a process that writes `0` to all of them is in the group.
  std::vector<int> entrances() const;
  std::vector<int> processes() const;
  void signal_all(int signal, int except_pid) const;
  /// Kills until nobody is left, or for five seconds; false then.
  bool kill_all() const;
  std::uint64_t oom_kills() const;
  /// How its processors are kept for it: empty (not at all), `member` (it stays on them), `root` or `isolated`
  /// (nothing else comes to them).
  const std::string& partition() const { return partition_; }

 private:
  Cgroup() = default;
  const std::string* with(const char* file) const;

  std::vector<std::string> folders_;
  std::string partition_;
  std::vector<files::Fd> entrances_;
};

}  // namespace bencher::sandbox
