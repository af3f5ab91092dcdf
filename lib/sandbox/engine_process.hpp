// Starts the program that is a virtual machine, fenced in.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "bencher/base/result.hpp"

#include "lib/sandbox/engine.hpp"

namespace bencher::sandbox {

struct EngineProcess {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<int> inherited;  ///< descriptors that it gets under the same numbers
  int out = -1, err = -1;      ///< its streams; -1: nowhere
  std::string folder = "/";    ///< it starts in
  const Cgroup* cgroup = nullptr;
  std::vector<int> cpus = {};  ///< it runs on; none: all
  bool host_network = false;
  bool drop_user = false;  ///< to nobody, if we are root
  gid_t group = 0;         ///< that it keeps then; 0: none
};

/// Its process id. It is in a session of its own and ends with the calling thread.
Result<int> start(const EngineProcess& process);

}  // namespace bencher::sandbox
