#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bencher/host/machine.hpp"

namespace bencher::host {

/// What of the machine may be altered while benchmarks run, and to what.
struct TuningOptions {
  bool enabled = true;
  bool aslr = false;  ///< true: address space randomization stays as it is. The same of the next ones
  bool nmi_watchdog = false;
  bool soft_watchdog = false;
  bool smt = false;
  bool turbo = false;
  bool numa_balancing = false;
  bool timer_migration = false;
  bool ksm = false;
  bool cstates = false;
  bool irq_steering = true;
  int swappiness = 10;           ///< 0 to 200
  int perf_event_paranoid = -1;  ///< -1 to 4
  std::string governor = "performance";
  std::string thp = "never";  ///< `never`, `madvise`, `always`; `leave` leaves it
};

/// One file to write.
struct Step {
  std::string knob, path, value;
  bool operator==(const Step&) const = default;
};
/// For the machine as a whole, before its processors are looked at: some of it changes which there are.
std::vector<Step> plan_machine(const Facts& facts, const TuningOptions& options);
/// For its processors and interrupts.
std::vector<Step> plan_cpus(const Facts& facts, const TuningOptions& options);

/// What became of a knob.
struct Setting {
  std::string knob, value;
  bool applied = false;
  std::string reason;  ///< why not, or that it was so before; empty when all was done
  bool operator==(const Setting&) const = default;
};

/// The machine, altered for as long as this lives. One at a time on a machine.
class Tuning {
 public:
  /// Undoes what a runner that is no more left altered, then alters what `options` say. What was there before is
  /// kept in `state_dir`, which is best one that a restart of the machine empties, as it does the settings. Never
  /// fails: what cannot be done is told in `settings`.
  static Tuning apply(Files& files, const std::filesystem::path& state_dir, const TuningOptions& options);
  /// Undoes it all, in reverse order.
  ~Tuning();
  Tuning(Tuning&&) noexcept;
  Tuning& operator=(Tuning&&) = delete;

  const std::vector<Setting>& settings() const;
  /// What an operator should know: what was undone for another, what stands in the way of quiet.
  const std::vector<std::string>& notes() const;
  /// The machine as it is now.
  const Facts& facts() const;

 private:
  struct State;
  explicit Tuning(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Where runners keep what they altered: /run/bencher for root, else the given folder.
std::filesystem::path tuning_folder(const std::filesystem::path& otherwise);

}  // namespace bencher::host
