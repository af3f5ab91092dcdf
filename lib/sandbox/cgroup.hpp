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

/// One run's group, with limits; removed with the object, its processes killed.
class Cgroup {
 public:
  /// Error: `unavailable`, naming the controllers that are missing.
  static Result<Cgroup> create(const Machine& machine);
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

 private:
  Cgroup() = default;
  const std::string* with(const char* file) const;

  std::vector<std::string> folders_;
  std::vector<files::Fd> entrances_;
};

}  // namespace bencher::sandbox
