#include "bencher/host/tuning.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/host/text.hpp"

namespace bencher::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* latency_path = "/dev/cpu_dma_latency";
constexpr std::string_view cstates = "cstates", irq_steering = "irq-steering";

void add(std::vector<Step>& out, bool wanted, const char* knob, std::string path, std::string value) {
  if (wanted) out.push_back({knob, std::move(path), std::move(value)});
}

// What a path held before it was altered, so that it can be put back, by this process or a later one.
struct Saved {
  std::string path, value;
};

// Saved values, one a line, under the id of the machine's start: after another one they mean nothing.
class Journal {
 public:
  Journal(fs::path path, std::string boot) : path_(std::move(path)), boot_(std::move(boot)) {}

  std::vector<Saved> left() const {
    std::ifstream in(path_);
    std::string line;
    std::vector<Saved> out;
    if (!std::getline(in, line) || line != boot_) return out;
    while (std::getline(in, line)) {
      const auto tab = line.find('\t');
      // A line that was being written when its writer went was not acted on yet.
      if (tab == std::string::npos || in.eof()) continue;
      out.push_back({line.substr(0, tab), line.substr(tab + 1)});
    }
    return out;
  }
  // Before the setting itself is altered.
  bool note(const Saved& saved) {
    const bool first = !started_;
    std::ofstream out(path_, first ? std::ios::trunc : std::ios::app);
    if (first) out << boot_ << "\n";
    out << saved.path << "\t" << saved.value << "\n";
    out.close();
    started_ = true;
    return static_cast<bool>(out);
  }
  void remove() const { ::unlink(path_.c_str()); }

 private:
  fs::path path_;
  std::string boot_;
  bool started_ = false;
};

int lock(const fs::path& folder) {
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  const int fd = open((folder / "tuning.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  errno = EWOULDBLOCK;
  return -1;
}

}  // namespace

std::vector<Step> plan_machine(const Facts& facts, const TuningOptions& options) {
  std::vector<Step> out;
  if (!options.enabled) return out;
  const std::string kernel = "/proc/sys/kernel/";
  add(out, !options.aslr, "aslr", kernel + "randomize_va_space", "0");
  add(out, !options.nmi_watchdog, "nmi-watchdog", kernel + "nmi_watchdog", "0");
  add(out, true, "swappiness", "/proc/sys/vm/swappiness", std::to_string(options.swappiness));
  add(out, true, "perf-event-paranoid", kernel + "perf_event_paranoid", std::to_string(options.perf_event_paranoid));
  add(out, !options.smt, "smt", "/sys/devices/system/cpu/smt/control", "off");
  if (!options.turbo) {
    if (facts.intel_pstate)
      out.push_back({"turbo", no_turbo_path, "1"});
    else
      out.push_back({"turbo", boost_path, "0"});
  }
  add(out, !options.numa_balancing, "numa-balancing", kernel + "numa_balancing", "0");
  add(out, !options.timer_migration, "timer-migration", kernel + "timer_migration", "0");
  add(out, !options.soft_watchdog, "soft-watchdog", kernel + "soft_watchdog", "0");
  add(out, !options.ksm, "ksm", "/sys/kernel/mm/ksm/run", "0");
  add(out, !options.cstates, "cstates", latency_path, "0");
  for (const char* file : {"enabled", "defrag"})
    add(out, options.thp != "leave", "thp", std::string("/sys/kernel/mm/transparent_hugepage/") + file, options.thp);
  return out;
}

std::vector<Step> plan_cpus(const Facts& facts, const TuningOptions& options) {
  std::vector<Step> out;
  if (!options.enabled) return out;
  for (const int cpu : facts.online)
    add(out, true, "governor", cpu_folder(cpu) + "/cpufreq/scaling_governor", options.governor);
  const auto parts = layout(facts.online);
  if (!options.irq_steering || parts.benchmark.empty()) return out;
  const auto list = cpu_list(parts.housekeeping), mask = cpu_mask(parts.housekeeping);
  out.push_back({std::string(irq_steering), "/proc/irq/default_smp_affinity", mask});
  for (const auto& irq : facts.irqs)
    out.push_back({std::string(irq_steering), "/proc/irq/" + irq + "/smp_affinity_list", list});
  out.push_back({std::string(irq_steering), "/sys/devices/virtual/workqueue/cpumask", mask});
  return out;
}

struct Tuning::State {
  Files& files;
  Journal journal;
  int lock_fd = -1;
  Facts facts = {};
  std::vector<Saved> altered = {};
  std::vector<std::unique_ptr<Files::Held>> held = {};
  std::vector<Setting> settings = {};
  std::vector<std::string> notes = {};

  ~State() {
    undo(altered);
    held.clear();
    if (lock_fd >= 0) {
      journal.remove();
      close(lock_fd);
    }
  }

  // In reverse order. What can no longer be written is told to nobody: there is nobody left to tell at the end.
  std::size_t undo(const std::vector<Saved>& saved) {
    std::size_t count = 0;
    for (auto it = saved.rbegin(); it != saved.rend(); ++it)
      if (files.write(it->path, it->value)) ++count;
    return count;
  }

  struct Tried {
    bool good = false;
    std::string reason;
  };
  Tried set(const Step& step) {
    if (step.knob == cstates) {
      // The longest wait that is allowed for a processor to wake up, in µs, as a number of four bytes.
      auto made = files.hold(step.path, std::string_view("\0\0\0\0", 4));
      if (!made) return {false, made.error().message()};
      held.push_back(*std::move(made));
      return {true, {}};
    }
    const auto text = files.read(step.path);
    if (!text) return {false, text.error().message()};
    const auto before = chosen(*text);
    if (same(step.path, before, step.value)) return {true, "so already"};
    if (before.find('\n') != std::string::npos) return {false, step.path + ": not one value"};
    const Saved saved{step.path, before};
    if (!journal.note(saved)) return {false, "the value from before cannot be kept"};
    altered.push_back(saved);
    const auto wrote = files.write(step.path, step.value);
    if (!wrote) {
      altered.pop_back();
      return {false, wrote.error().message()};
    }
    const auto after = current(files, step.path);
    if (!same(step.path, after, step.value)) return {false, step.path + ": it says '" + after + "' afterwards"};
    return {true, {}};
  }
  static bool same(const std::string& path, std::string_view a, std::string_view b) {
    // Masks are shown with leading zeros, or without.
    const bool mask = path.ends_with("default_smp_affinity") || path.ends_with("cpumask");
    const auto bare = [&](std::string_view text) {
      return mask ? text.substr(std::min(text.find_first_not_of("0,"), text.size())) : text;
    };
    return bare(a) == bare(b);
  }

  // One line for each knob, though it may be many files.
  void perform(const std::vector<Step>& steps) {
    for (std::size_t i = 0; i < steps.size();) {
      const auto& knob = steps[i].knob;
      std::size_t count = 0, good = 0, already = 0;
      std::string reason;
      const auto& value = steps[i].value;
      for (; i < steps.size() && steps[i].knob == knob; ++i) {
        const auto tried = set(steps[i]);
        ++count;
        if (tried.good) ++good;
        if (tried.good && !tried.reason.empty()) ++already;
        if (!tried.good && reason.empty()) reason = tried.reason;
      }
      if (good > 0 && good < count)
        reason = std::to_string(count - good) + " of " + std::to_string(count) + " not: " + reason;
      if (already == count) reason = "so already";
      settings.push_back({.knob = knob, .value = value, .applied = good > 0, .reason = std::move(reason)});
    }
  }

  void note_surroundings() {
    if (facts.irqbalance) notes.push_back("irqbalance runs and moves interrupts back; stop it");
    if (facts.virtualized) notes.push_back("this is a virtual machine: what runs beside it cannot be held off");
    if (!facts.unified_cgroups) notes.push_back("control groups, version 2, do not divide processors here");
    if (!facts.isolated_at_boot)
      notes.push_back("the kernel was started without isolcpus or nohz_full: its own work comes to all processors");
  }
};

Tuning::Tuning(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tuning::~Tuning() = default;
Tuning::Tuning(Tuning&&) noexcept = default;
const std::vector<Setting>& Tuning::settings() const {
  return state_->settings;
}
const std::vector<std::string>& Tuning::notes() const {
  return state_->notes;
}
const Facts& Tuning::facts() const {
  return state_->facts;
}

Tuning Tuning::apply(Files& files, const fs::path& state_dir, const TuningOptions& options) {
  const auto boot = current(files, "/proc/sys/kernel/random/boot_id");
  std::unique_ptr<State> state(new State{.files = files, .journal = Journal(state_dir / "tuning.saved", boot)});
  const auto give_up = [&](const std::string& why) {
    state->facts = read_facts(files);
    if (options.enabled) state->notes.push_back(why);
    return Tuning(std::move(state));
  };
  // Also without any tuning of its own: another one's is to be undone.
  state->lock_fd = lock(state_dir);
  if (state->lock_fd < 0) {
    return give_up(errno == EWOULDBLOCK ? "another runner of this machine has tuned it; it is left as it is"
                                        : "the machine is not tuned: '" + state_dir.string() +
                                              "' cannot be used: " + std::strerror(errno));
  }
  if (const auto left = state->journal.left(); !left.empty()) {
    const auto count = state->undo(left);
    state->notes.push_back("a runner that did not end in order left the machine altered; " + std::to_string(count) +
                           " of " + std::to_string(left.size()) + " settings are as before again");
  }
  state->journal.remove();
  state->facts = read_facts(files);
  if (!options.enabled) return Tuning(std::move(state));
  state->perform(plan_machine(state->facts, options));
  // Some of it changes which processors there are.
  state->facts = read_facts(files);
  state->perform(plan_cpus(state->facts, options));
  state->note_surroundings();
  return Tuning(std::move(state));
}

fs::path tuning_folder(const fs::path& otherwise) {
  return geteuid() == 0 ? fs::path("/run/bencher") : otherwise;
}

}  // namespace bencher::host
