#include "bencher/host/machine.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sched.h>

#include "lib/host/text.hpp"

namespace bencher::host {

namespace {

constexpr int most_cpus = 4096;

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out < 0 || out >= most_cpus) return std::nullopt;
  return out;
}

// The value of `key : value` in /proc/cpuinfo.
std::string cpuinfo(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && trim(line.substr(0, colon)) == key)
      return std::string(trim(line.substr(colon + 1)));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return {};
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; ++at) {
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t';
    const auto after = at + word.size();
    if (begins && (after == text.size() || text[after] == ' ' || text[after] == '\n' || text[after] == '='))
      return true;
  }
  return false;
}

bool irqbalance_runs(const Files& files) {
  for (const auto& name : files.list("/proc"))
    if (number(name.substr(0, 3)) && current(files, "/proc/" + name + "/comm") == "irqbalance") return true;
  return false;
}

}  // namespace

std::vector<int> parse_cpus(std::string_view text) {
  std::vector<int> out;
  text = trim(text);
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    const auto dash = part.find('-');
    const auto first = number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(part.substr(dash + 1));
    if (!first || !last || *last < *first) return {};
    for (int cpu = *first; cpu <= *last; ++cpu)
      out.push_back(cpu);
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string cpu_list(const std::vector<int>& cpus) {
  std::string out;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1)
      ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(cpus[i]);
    if (last > i) out += '-' + std::to_string(cpus[last]);
    i = last + 1;
  }
  return out;
}

std::string cpu_mask(const std::vector<int>& cpus) {
  std::vector<std::uint32_t> words(1);
  for (const int cpu : cpus) {
    const auto word = static_cast<std::size_t>(cpu) / 32;
    if (word >= words.size()) words.resize(word + 1);
    words[word] |= 1u << (cpu % 32);
  }
  std::string out;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    char text[16];
    std::snprintf(text, sizeof text, out.empty() ? "%x" : ",%08x", *word);
    out += text;
  }
  return out;
}

Layout layout(std::vector<int> online) {
  std::sort(online.begin(), online.end());
  if (online.size() < 2) return {.housekeeping = online, .benchmark = {}};
  const auto split = online.begin() + (online.size() < 8 ? 1 : 2);
  return {.housekeeping = {online.begin(), split}, .benchmark = {split, online.end()}};
}

void keep_thread_on(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (CPU_COUNT(&set) > 0) sched_setaffinity(0, sizeof set, &set);
}

Facts read_facts(const Files& files) {
  Facts out;
  const auto read = files.read("/proc/cpuinfo");
  const std::string info = read ? *read : std::string();
  out.cpu_model = cpuinfo(info, "model name");
  out.kernel = current(files, "/proc/sys/kernel/osrelease");
  out.online = parse_cpus(current(files, "/sys/devices/system/cpu/online"));
  if (!out.online.empty()) out.governor = current(files, cpu_folder(out.online.front()) + "/cpufreq/scaling_governor");
  out.smt = current(files, "/sys/devices/system/cpu/smt/control");
  const auto no_turbo = current(files, no_turbo_path), boost = current(files, boost_path);
  out.intel_pstate = !no_turbo.empty();
  out.boost = !boost.empty();
  if (out.intel_pstate)
    out.turbo = no_turbo == "0";
  else if (out.boost)
    out.turbo = boost == "1";
  out.virtualized = has_word(cpuinfo(info, "flags"), "hypervisor");
  out.unified_cgroups = has_word(current(files, "/sys/fs/cgroup/cgroup.controllers"), "cpuset");
  out.irqbalance = irqbalance_runs(files);
  const auto line = current(files, "/proc/cmdline");
  out.isolated_at_boot = has_word(line, "isolcpus") || has_word(line, "nohz_full");
  for (const auto& name : files.list("/proc/irq"))
    if (number(name)) out.irqs.push_back(name);
  return out;
}

}  // namespace bencher::host
