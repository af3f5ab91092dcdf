// The runner's care for its machine: quiet while it lives, and looked at before each job.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bencher/base/logger.hpp"
#include "bencher/host/noise.hpp"
#include "bencher/host/tuning.hpp"
#include "bencher/sandbox/sandbox.hpp"

namespace bencher::runner {

struct HostArguments {
  host::TuningOptions tuning;
  bool exclusive_cpus = true;
};

/// The tuning flags of a command.
void add_host_options(CLI::App& command, HostArguments& arguments);

/// The machine, tuned as long as this lives.
class HostCare {
 public:
  HostCare(const HostArguments& arguments, const std::filesystem::path& work_dir, Logger& logger);

  /// Tells a sandbox which processors its programs get.
  void place(sandbox::Options& options) const;
  const host::Layout& layout() const { return layout_; }
  /// Looks at the machine's noise, on the processors that a job of so many cores gets; a JSON object. Any thread, one
  /// at a time.
  std::string measure(std::uint32_t cores) const;

 private:
  std::unique_ptr<host::Files> files_ = host::system_files();
  host::Tuning tuning_;
  host::Layout layout_;
  bool exclusive_;
};

/// A line for each thing that may be tuned, without altering anything, for `check`.
std::vector<sandbox::Feature> host_features();

}  // namespace bencher::runner
