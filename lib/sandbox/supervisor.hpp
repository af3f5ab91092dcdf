// A run under a small process of its own that adopts and reaps everything the program leaves behind.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "lib/image/files.hpp"
#include "lib/sandbox/cgroup.hpp"
#include "lib/sandbox/lookup.hpp"

namespace bencher::sandbox {

/// A flag that a poll can wait for.
class CancelFlag {
 public:
  CancelFlag();
  void set() noexcept;
  bool is_set() const noexcept { return flag_.load(); }
  int fd() const noexcept { return fd_.get(); }

 private:
  std::atomic<bool> flag_{false};
  files::Fd fd_;
};

/// What to start, all of it prepared: after the fork only system calls follow.
struct Launch {
  std::string program;
  std::vector<std::string> arguments;  ///< with the program's name first
  std::vector<std::string> env;        ///< `KEY=value`
  int working_dir = -1;                ///< a descriptor; -1: /
  bool drop_user = false;
  User user;
  struct Limit {
    int resource;
    std::uint64_t value;
  };
  std::vector<Limit> limits;
  std::vector<int> inherited;  ///< descriptors that the program gets
  std::vector<int> cpus;       ///< processors to run on; none: all

  /// In a mount namespace of the supervisor's own. Paths are absolute; empty ones are left out.
  struct Mounts {
    bool wanted = false;
    std::string folder;  ///< holds the folders `lower`, `disk` and `merged`
    std::string lower;   ///< the image; empty: `merged` is a copy already
    std::string disk;    ///< block device with ext4; empty: a tmpfs
    std::uint64_t disk_size = 0;
    std::uint64_t memory = 0;
    std::string target;  ///< where the merged view is shown
  };
  Mounts mounts;
};

struct Supervision {
  const Request& request;
  EventSink& events;
  CancelFlag& cancel;
  Cgroup* cgroup = nullptr;
  /// Asks the program to end.
  bool terminate_by_cgroup = false;
  /// Opens the root to collect files from, given the supervisor's pid.
  std::function<files::Fd(int)> open_root;
};

/// How far it came, for those who can do without a step.
struct StartFailure {
  std::string step;  ///< `overlay`, `disk`, …
  int code = 0;      ///< errno
};

/// Runs it to the end. `failure` is filled when it could not be started.
Result<Outcome> supervise(const Launch& launch, const Supervision& supervision, StartFailure& failure);

}  // namespace bencher::sandbox
