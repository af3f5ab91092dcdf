#include "bencher/host/tuning.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/support/image.hpp"

using namespace bencher;
using namespace bencher::host;
using bencher::test::read_file;
using bencher::test::TempDir;
using bencher::test::write_file;
namespace fs = std::filesystem;

namespace {

/// A folder that looks like a machine's root: eight processors, all knobs, three interrupts.
class Root {
 public:
  Root() {
    for (const auto& [path, text] : files_)
      set(path, text);
    files = system_files(dir_.path().string());
  }
  void set(const std::string& path, const std::string& text) {
    fs::create_directories((dir_.path() / path.substr(1)).parent_path());
    write_file(dir_.path() / path.substr(1), text);
  }
  void remove(const std::string& path) { fs::remove_all(dir_.path() / path.substr(1)); }
  std::string get(const std::string& path) const { return read_file(dir_.path() / path.substr(1)); }
  std::map<std::string, std::string> all() const {
    std::map<std::string, std::string> out;
    for (const auto& [path, text] : files_)
      if (fs::exists(dir_.path() / path.substr(1))) out[path] = get(path);
    return out;
  }
  fs::path state() const { return dir_ / "state"; }

  std::unique_ptr<Files> files;

 private:
  static std::map<std::string, std::string> make() {
    std::map<std::string, std::string> out{
        {"/proc/sys/kernel/random/boot_id", "boot-one\n"},
        {"/proc/sys/kernel/osrelease", "6.1.0\n"},
        {"/proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast One\nflags\t\t: fpu hypervisor sse\n"},
        {"/proc/cmdline", "quiet isolcpus=2-7\n"},
        {"/proc/sys/kernel/randomize_va_space", "2\n"},
        {"/proc/sys/kernel/nmi_watchdog", "1\n"},
        {"/proc/sys/kernel/soft_watchdog", "1\n"},
        {"/proc/sys/kernel/perf_event_paranoid", "2\n"},
        {"/proc/sys/kernel/numa_balancing", "1\n"},
        {"/proc/sys/kernel/timer_migration", "1\n"},
        {"/proc/sys/vm/swappiness", "60\n"},
        {"/sys/devices/system/cpu/online", "0-7\n"},
        {"/sys/devices/system/cpu/smt/control", "on\n"},
        {"/sys/devices/system/cpu/cpufreq/boost", "1\n"},
        {"/sys/kernel/mm/ksm/run", "1\n"},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"},
        {"/sys/kernel/mm/transparent_hugepage/defrag", "always defer defer+madvise [madvise] never\n"},
        {"/sys/devices/virtual/workqueue/cpumask", "ff\n"},
        {"/proc/irq/default_smp_affinity", "ff\n"},
        {"/dev/cpu_dma_latency", "...."}};
    for (const char* irq : {"1", "24", "25"})
      out["/proc/irq/" + std::string(irq) + "/smp_affinity_list"] = "0-7\n";
    for (int cpu = 0; cpu < 8; ++cpu)
      out["/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/scaling_governor"] = "powersave\n";
    return out;
  }
  TempDir dir_;
  std::map<std::string, std::string> files_ = make();
};

/// The same, but some paths cannot be written, or take what they are given without any effect.
class Failing final : public Files {
 public:
  explicit Failing(Files& inner) : inner_(inner) {}
  Result<std::string> read(const std::string& path) const override { return inner_.read(path); }
  Result<void> write(const std::string& path, std::string_view text) override {
    order.push_back(path);
    if (refused.contains(path)) return Error(Errc::unavailable, path + ": Operation not permitted");
    if (deaf.contains(path)) return {};
    return inner_.write(path, text);
  }
  std::vector<std::string> list(const std::string& folder) const override { return inner_.list(folder); }
  Result<std::unique_ptr<Held>> hold(const std::string& path, std::string_view bytes) override {
    return inner_.hold(path, bytes);
  }
  std::set<std::string> refused, deaf;
  std::vector<std::string> order;

 private:
  Files& inner_;
};

const Setting& of(const Tuning& tuning, const std::string& knob) {
  for (const auto& setting : tuning.settings())
    if (setting.knob == knob) return setting;
  FAIL("no such knob: " << knob);
  throw std::logic_error(knob);
}

std::vector<std::string> knobs(const std::vector<Step>& steps) {
  std::vector<std::string> out;
  for (const auto& step : steps)
    if (out.empty() || out.back() != step.knob) out.push_back(step.knob);
  return out;
}

}  // namespace

TEST_SUITE("host/tuning") {
  TEST_CASE("each option leaves its own knob alone, and no tuning leaves all") {
    Root root;
    const auto facts = read_facts(*root.files);
    const auto everything = knobs(plan_machine(facts, {}));
    CHECK(everything == std::vector<std::string>{"aslr", "nmi-watchdog", "swappiness", "perf-event-paranoid", "smt",
                                                 "turbo", "numa-balancing", "timer-migration", "soft-watchdog", "ksm",
                                                 "cstates", "thp"});
    CHECK(knobs(plan_cpus(facts, {})) == std::vector<std::string>{"governor", "irq-steering"});
    const auto without = [&](TuningOptions options) {
      auto all = everything;
      for (const auto& knob : knobs(plan_machine(facts, options)))
        std::erase(all, knob);
      REQUIRE(all.size() == 1);
      return all[0];
    };
    CHECK(without({.aslr = true}) == "aslr");
    CHECK(without({.nmi_watchdog = true}) == "nmi-watchdog");
    CHECK(without({.soft_watchdog = true}) == "soft-watchdog");
    CHECK(without({.smt = true}) == "smt");
    CHECK(without({.turbo = true}) == "turbo");
    CHECK(without({.numa_balancing = true}) == "numa-balancing");
    CHECK(without({.timer_migration = true}) == "timer-migration");
    CHECK(without({.ksm = true}) == "ksm");
    CHECK(without({.cstates = true}) == "cstates");
    CHECK(without({.thp = "leave"}) == "thp");
    CHECK(knobs(plan_cpus(facts, {.irq_steering = false})) == std::vector<std::string>{"governor"});
    CHECK(plan_machine(facts, {.enabled = false}).empty());
    CHECK(plan_cpus(facts, {.enabled = false}).empty());
  }

  TEST_CASE("Intel's own switch is taken where there is one, and one processor's interrupts go nowhere") {
    Facts facts{.online = {0}, .intel_pstate = true, .irqs = {"1"}};
    const auto steps = plan_machine(facts, {});
    CHECK(std::find(steps.begin(), steps.end(), Step{"turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo", "1"}) !=
          steps.end());
    CHECK(knobs(plan_cpus(facts, {})) == std::vector<std::string>{"governor"});
  }

  TEST_CASE("a machine is altered for as long as it is tuned, and is as before afterwards") {
    Root root;
    const auto before = root.all();
    {
      const auto tuning = Tuning::apply(*root.files, root.state(), {.swappiness = 20, .thp = "always"});
      for (const auto& setting : tuning.settings()) {
        CAPTURE(setting.knob);
        CHECK(setting.applied);
        CHECK(setting.reason.empty());
      }
      CHECK(root.get("/proc/sys/kernel/randomize_va_space") == "0");
      CHECK(root.get("/proc/sys/vm/swappiness") == "20");
      CHECK(root.get("/proc/sys/kernel/perf_event_paranoid") == "-1");
      CHECK(root.get("/sys/devices/system/cpu/smt/control") == "off");
      CHECK(root.get("/sys/devices/system/cpu/cpufreq/boost") == "0");
      CHECK(root.get("/sys/kernel/mm/transparent_hugepage/enabled") == "always");
      CHECK(root.get("/sys/devices/system/cpu/cpu7/cpufreq/scaling_governor") == "performance");
      CHECK(root.get("/proc/irq/24/smp_affinity_list") == "0-1");
      CHECK(root.get("/proc/irq/default_smp_affinity") == "3");
      CHECK(root.get("/sys/devices/virtual/workqueue/cpumask") == "3");
      CHECK(root.get("/dev/cpu_dma_latency") == std::string("\0\0\0\0", 4));
      CHECK(tuning.facts().cpu_model == "Fast One");
    }
    for (const auto& [path, text] : before) {
      CAPTURE(path);
      if (path == "/dev/cpu_dma_latency") continue;
      // The word that was chosen, without the others.
      const auto now = root.get(path);
      CHECK((now == text || now + "\n" == text || text.find("[" + now + "]") != std::string::npos));
    }
    CHECK_FALSE(fs::exists(root.state() / "tuning.saved"));
  }

  TEST_CASE("settings are undone in reverse order") {
    Root root;
    Failing files(*root.files);
    { const auto tuning = Tuning::apply(files, root.state(), {}); }
    REQUIRE(files.order.size() % 2 == 0);
    const std::vector<std::string> done(files.order.begin(), files.order.begin() + files.order.size() / 2);
    CHECK(std::equal(done.rbegin(), done.rend(), files.order.begin() + files.order.size() / 2));
    CHECK(done.front() == "/proc/sys/kernel/randomize_va_space");
  }

  TEST_CASE("what is not there, refuses or does not take effect is told with the reason, and hinders nothing else") {
    Root root;
    root.remove("/sys/devices/system/cpu/smt/control");
    root.remove("/dev/cpu_dma_latency");
    root.set("/sys/kernel/mm/ksm/run", "0\n");
    Failing files(*root.files);
    files.refused = {"/proc/sys/vm/swappiness", "/proc/irq/24/smp_affinity_list"};
    files.deaf = {"/sys/devices/system/cpu/cpufreq/boost"};
    const auto tuning = Tuning::apply(files, root.state(), {});
    CHECK_FALSE(of(tuning, "smt").applied);
    CHECK(of(tuning, "smt").reason == "/sys/devices/system/cpu/smt/control: No such file or directory");
    CHECK_FALSE(of(tuning, "cstates").applied);
    CHECK_FALSE(of(tuning, "swappiness").applied);
    CHECK(of(tuning, "swappiness").reason == "/proc/sys/vm/swappiness: Operation not permitted");
    CHECK_FALSE(of(tuning, "turbo").applied);
    CHECK(of(tuning, "turbo").reason.find("it says '1' afterwards") != std::string::npos);
    CHECK(of(tuning, "ksm") == Setting{"ksm", "0", true, "so already"});
    CHECK(of(tuning, "irq-steering").applied);
    CHECK(of(tuning, "irq-steering").reason == "1 of 5 not: /proc/irq/24/smp_affinity_list: Operation not permitted");
    CHECK(of(tuning, "aslr") == Setting{"aslr", "0", true, ""});
    CHECK(of(tuning, "governor").applied);
  }

  TEST_CASE("what a killed runner left altered is undone by the next one, whether that tunes or not") {
    for (const bool enabled : {true, false}) {
      CAPTURE(enabled);
      Root root;
      const pid_t pid = fork();
      if (pid == 0) {
        const auto tuning = Tuning::apply(*root.files, root.state(), {});
        _exit(tuning.settings().empty() ? 1 : 0);  // without any destructor
      }
      int status = 0;
      waitpid(pid, &status, 0);
      REQUIRE(status == 0);
      CHECK(root.get("/proc/sys/vm/swappiness") == "10");
      // A line that was cut off, as by a full disk, is no value.
      const int fd = open((root.state() / "tuning.saved").c_str(), O_WRONLY | O_APPEND);
      CHECK(write(fd, "/proc/sys/kernel/osrelease\tx", 28) == 28);
      close(fd);
      {
        const auto tuning = Tuning::apply(*root.files, root.state(), {.enabled = enabled});
        REQUIRE_FALSE(tuning.notes().empty());
        CHECK(tuning.notes()[0].find("did not end in order") != std::string::npos);
        CHECK(root.get("/proc/sys/vm/swappiness") == (enabled ? "10" : "60"));
      }
      CHECK(root.get("/proc/sys/vm/swappiness") == "60");
      CHECK(root.get("/proc/irq/25/smp_affinity_list") == "0-7");
      CHECK(root.get("/proc/sys/kernel/osrelease") == "6.1.0\n");
    }
  }

  TEST_CASE("values saved before the machine started anew are not put back") {
    Root root;
    fs::create_directories(root.state());
    write_file(root.state() / "tuning.saved", "boot-zero\n/proc/sys/vm/swappiness\t99\n");
    { const auto tuning = Tuning::apply(*root.files, root.state(), {.enabled = false}); }
    CHECK(root.get("/proc/sys/vm/swappiness") == "60\n");
  }

  TEST_CASE("a second runner leaves the machine to the first") {
    Root root;
    {
      const auto first = Tuning::apply(*root.files, root.state(), {});
      {
        const auto second = Tuning::apply(*root.files, root.state(), {.swappiness = 50});
        CHECK(second.settings().empty());
        REQUIRE(second.notes().size() == 1);
        CHECK(second.notes()[0].find("another runner") != std::string::npos);
        CHECK(second.facts().online.size() == 8);
      }
      CHECK(root.get("/proc/sys/vm/swappiness") == "10");
    }
    CHECK(root.get("/proc/sys/vm/swappiness") == "60");
  }

  TEST_CASE("surroundings that spoil the quiet are named") {
    Root root;
    root.set("/proc/123/comm", "irqbalance\n");
    const auto tuning = Tuning::apply(*root.files, root.state(), {});
    std::string all;
    for (const auto& note : tuning.notes())
      all += note + "\n";
    CHECK(all.find("irqbalance") != std::string::npos);
    CHECK(all.find("virtual machine") != std::string::npos);
    CHECK(all.find("control groups") != std::string::npos);
    CHECK(all.find("isolcpus") == std::string::npos);
  }

  TEST_CASE("this machine is altered where it lets itself be, and is as before afterwards") {
    TempDir dir;
    const auto files = system_files();
    const auto plan = plan_machine(read_facts(*files), {});
    const auto now = [&] {
      std::map<std::string, std::string> out;
      for (const auto& step : plan)
        if (const auto text = step.knob == "cstates" ? Result<std::string>("") : files->read(step.path))
          out[step.path] = *text;
      return out;
    };
    const auto before = now();
    {
      // Only what no other program of this machine notices.
      const auto tuning = Tuning::apply(
          *files, dir / "state", {.aslr = true, .smt = true, .turbo = true, .irq_steering = false, .swappiness = 59});
      for (const auto& setting : tuning.settings()) {
        CAPTURE(setting.knob);
        CHECK((setting.applied || !setting.reason.empty()));
      }
      if (geteuid() == 0 && of(tuning, "swappiness").applied) CHECK(*files->read("/proc/sys/vm/swappiness") == "59\n");
    }
    CHECK(now() == before);
  }
}
