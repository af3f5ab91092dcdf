#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/host/files.hpp"

namespace bencher::host {

/// Processors as the kernel lists them: `0-3,8`. What is no such list, or names more than 4096, is empty.
std::vector<int> parse_cpus(std::string_view text);
std::string cpu_list(const std::vector<int>& cpus);
/// As a mask in hexadecimal, in groups of 32: `ff,00000000`.
std::string cpu_mask(const std::vector<int>& cpus);

/// Who gets which processors: the runner itself and the machine's interrupts, and the benchmarks.
struct Layout {
  std::vector<int> housekeeping;
  std::vector<int> benchmark;  ///< empty where there is nothing to divide
  bool operator==(const Layout&) const = default;
};
/// Of one processor nothing is divided; of up to seven the first is for housekeeping, of more the first two.
Layout layout(std::vector<int> online);

/// The calling thread, and those that it starts from now on.
void keep_thread_on(const std::vector<int>& cpus);

/// What a machine is, as far as it can be read.
struct Facts {
  std::string cpu_model = {}, kernel = {};
  std::vector<int> online = {};
  std::string governor = {};       ///< of the first processor; empty where the machine has none
  std::optional<bool> turbo = {};  ///< absent where it cannot be told
  std::string smt = {};            ///< `on`, `off`, `notsupported`, …; empty if unknown
  bool virtualized = false;        ///< a virtual machine
  bool unified_cgroups = false;    ///< control groups, version 2, with processors
  bool irqbalance = false;         ///< a program that moves interrupts by itself is running
  bool isolated_at_boot = false;   ///< isolcpus or nohz_full
  bool intel_pstate = false, boost = false;
  std::vector<std::string> irqs = {};  ///< those whose processors can be chosen
};
Facts read_facts(const Files& files);

}  // namespace bencher::host
