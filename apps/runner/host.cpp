#include "apps/runner/host.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace bencher::runner {

namespace {

std::vector<int> first(const std::vector<int>& cpus, std::uint32_t count) {
  if (cpus.size() < count) return {};
  return {cpus.begin(), cpus.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

void add_host_options(CLI::App& command, HostArguments& arguments) {
  auto& tuning = arguments.tuning;
  const auto keep = [&](const char* name, bool& value, const char* what) {
    command.add_flag(name, value, std::string("Leave ") + what + " as it is")->group("Tuning");
  };
  command.add_flag("!--no-tuning", tuning.enabled, "Alter nothing of the machine; programs keep their processors")
      ->group("Tuning");
  keep("--aslr", tuning.aslr, "address space randomization");
  keep("--nmi-watchdog", tuning.nmi_watchdog, "the NMI watchdog");
  keep("--soft-watchdog", tuning.soft_watchdog, "the soft lockup watchdog");
  keep("--smt", tuning.smt, "simultaneous multithreading");
  keep("--turbo", tuning.turbo, "turbo frequencies");
  keep("--numa-balancing", tuning.numa_balancing, "NUMA balancing");
  keep("--timer-migration", tuning.timer_migration, "the migration of timers");
  keep("--ksm", tuning.ksm, "the merging of equal pages");
  keep("--cstates", tuning.cstates, "the sleep of processors");
  command.add_option("--swappiness", tuning.swappiness, "vm.swappiness")
      ->check(CLI::Range(0, 200))
      ->capture_default_str()
      ->group("Tuning");
  command.add_option("--perf-event-paranoid", tuning.perf_event_paranoid, "kernel.perf_event_paranoid")
      ->check(CLI::Range(-1, 4))
      ->capture_default_str()
      ->group("Tuning");
  command.add_option("--governor", tuning.governor, "Frequency governor of all processors")
      ->capture_default_str()
      ->group("Tuning");
  command.add_option("--thp", tuning.thp, "Transparent huge pages; `leave` leaves them as they are")
      ->check(CLI::IsMember({"never", "madvise", "always", "leave"}))
      ->capture_default_str()
      ->group("Tuning");
  command
      .add_flag("!--no-irq-steering", tuning.irq_steering, "Leave interrupts on the processors that programs run on")
      ->group("Tuning");
  command
      .add_flag("!--no-cpuset-partition", arguments.exclusive_cpus,
                "Do not keep other processes off the processors that programs run on")
      ->group("Tuning");
}

HostCare::HostCare(const HostArguments& arguments, const std::filesystem::path& work_dir, Logger& logger)
    : tuning_(host::Tuning::apply(*files_, host::tuning_folder(work_dir), arguments.tuning)),
      layout_(host::layout(tuning_.facts().online)),
      exclusive_(arguments.exclusive_cpus) {
  for (const auto& note : tuning_.notes())
    logger.log(LogLevel::info, note, {});
  for (const auto& setting : tuning_.settings())
    logger.log(LogLevel::info, setting.applied ? "tuned" : "not tuned",
               {{"knob", setting.knob}, {"value", setting.value}, {"reason", setting.reason}});
  if (layout_.benchmark.empty())
    logger.log(LogLevel::info, "one processor: programs share it with all else", {});
  else
    logger.log(LogLevel::info, "programs run on processors of their own",
               {{"cpus", host::cpu_list(layout_.benchmark)}});
}

void HostCare::place(sandbox::Options& options) const {
  options.cpus = layout_.benchmark;
  options.exclusive_cpus = exclusive_;
}

std::string HostCare::measure(std::uint32_t cores) const {
  const auto cpus = first(layout_.benchmark, cores);
  const auto noise = host::measure_noise(*files_, cpus.empty() ? tuning_.facts().online : cpus);
  return host::host_json(tuning_.facts(), tuning_.settings(), noise, cpus);
}

std::vector<sandbox::Feature> host_features() {
  std::vector<sandbox::Feature> out;
  const auto add = [&](std::string name, bool usable, std::string text, std::string remedy) {
    out.push_back({std::move(name), usable, std::move(text), usable ? std::string() : std::move(remedy)});
  };
  const auto files = host::system_files();
  const auto facts = host::read_facts(*files);
  const auto layout = host::layout(facts.online);
  add("cores", !layout.benchmark.empty(),
      layout.benchmark.empty()
          ? "one processor, for programs and all else"
          : "programs on " + host::cpu_list(layout.benchmark) + ", all else on " + host::cpu_list(layout.housekeeping),
      "a machine with two or more");
  std::string can, cannot;
  auto plan = host::plan_machine(facts, {});
  for (auto& step : host::plan_cpus(facts, {}))
    plan.push_back(std::move(step));
  std::string last;
  for (const auto& step : plan) {
    if (step.knob == last) continue;
    last = step.knob;
    auto& list = access(step.path.c_str(), W_OK) == 0 ? can : cannot;
    list += (list.empty() ? "" : ", ") + step.knob;
  }
  const std::string more =
      geteuid() == 0 ? "a machine, not a virtual one, has more of it" : "run as root for more of it";
  const std::string rest = cannot.empty() ? "" : "; not " + cannot + ": " + more;
  add("tuning", !can.empty(), can.empty() ? "nothing can be tuned" : can + rest, more);
  add("  quiet", !facts.virtualized && !facts.irqbalance,
      facts.irqbalance    ? "irqbalance moves interrupts back"
      : facts.virtualized ? "a virtual machine: what runs beside it disturbs it"
                          : "nothing that is known to disturb",
      facts.irqbalance ? "stop irqbalance" : "a machine of its own");
  const auto noise = host::measure_noise(*files, layout.benchmark);
  char text[160];
  std::snprintf(text, sizeof text, "the same work varies by %.1f %% (MAD %.1f %%), steal %.1f %%, load %.1f",
                noise.compute.cv(), noise.compute.relative_mad(), noise.steal.value_or(0), noise.load.value_or(0));
  add("  noise", !host::noisy(noise), text, "see which other programs run");
  return out;
}

}  // namespace bencher::runner
