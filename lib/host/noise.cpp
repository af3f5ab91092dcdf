#include "bencher/host/noise.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sched.h>

#include <boost/json.hpp>

#include "lib/host/text.hpp"

namespace bencher::host {

namespace {

using SteadyClock = std::chrono::steady_clock;

// About 100 µs on a machine of today.
constexpr int steps_per_sample = 30'000;

double median_of(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::optional<double> real(std::string_view text) {
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end == text.data() || !std::isfinite(out)) return std::nullopt;
  return out;
}

std::optional<std::uint64_t> count(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return out;
}

std::optional<Ticks> ticks(const Files& files) {
  const auto text = files.read("/proc/stat");
  if (!text) return std::nullopt;
  return parse_stat(*text);
}

std::optional<double> frequency(const Files& files, int cpu) {
  if (const auto khz = real(current(files, cpu_folder(cpu) + "/cpufreq/scaling_cur_freq"))) return *khz / 1000;
  const auto info = files.read("/proc/cpuinfo");
  const auto at = info ? info->find("cpu MHz") : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  const auto colon = info->find(':', at);
  return colon == std::string::npos ? std::nullopt : real(trim(std::string_view(*info).substr(colon + 1, 32)));
}

// This thread on one processor; as before at the end.
class Pinned {
 public:
  Pinned() { good_ = sched_getaffinity(0, sizeof before_, &before_) == 0; }
  ~Pinned() {
    if (good_) sched_setaffinity(0, sizeof before_, &before_);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  void to(int cpu) const {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    sched_setaffinity(0, sizeof set, &set);
  }

 private:
  cpu_set_t before_{};
  bool good_ = false;
};

void sample_for(std::chrono::microseconds time, std::vector<double>& out) {
  std::vector<double> here;
  const auto end = SteadyClock::now() + time;
  std::uint64_t value = 1;
  for (auto before = SteadyClock::now(); before < end;) {
    value = arithmetic(value, steps_per_sample);
    const auto after = SteadyClock::now();
    here.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
  }
  // Caches, branches and the processor's clock settle first. A result of zero never happens, but is looked at.
  const auto settled = value == 0 ? here.size() : here.size() / 10;
  out.insert(out.end(), here.begin() + static_cast<std::ptrdiff_t>(settled), here.end());
}

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

}  // namespace

Spread spread(std::span<const double> samples) {
  Spread out;
  out.samples = samples.size();
  if (samples.empty()) return out;
  std::vector<double> values(samples.begin(), samples.end());
  std::sort(values.begin(), values.end());
  out.minimum = values.front();
  out.maximum = values.back();
  out.p99 = values[std::min(values.size() - 1,
                            static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(values.size()))) - 1)];
  for (const double value : values)
    out.mean += value / static_cast<double>(values.size());
  if (values.size() > 1) {
    double squares = 0;
    for (const double value : values)
      squares += (value - out.mean) * (value - out.mean);
    out.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  out.median = median_of(values);
  for (double& value : values)
    value = std::abs(value - out.median);
  out.mad = median_of(values);
  return out;
}

std::optional<Ticks> parse_stat(std::string_view text) {
  Ticks out;
  if (!text.starts_with("cpu ")) return std::nullopt;
  auto line = text.substr(4, text.find('\n') - 4);
  // user nice system idle iowait irq softirq steal; guest time is part of user time already.
  for (int field = 0; field < 8; ++field) {
    const auto value = count(line);
    if (!value) return std::nullopt;
    out.all += *value;
    if (field == 7) out.stolen = *value;
  }
  const auto at = text.find("\nctxt ");
  if (at != std::string_view::npos) {
    auto rest = text.substr(at + 6);
    out.switches = count(rest).value_or(0);
  }
  return out;
}

double steal(const Ticks& before, const Ticks& after) {
  if (after.all <= before.all || after.stolen < before.stolen) return 0;
  return static_cast<double>(after.stolen - before.stolen) / static_cast<double>(after.all - before.all) * 100;
}

std::uint64_t arithmetic(std::uint64_t seed, int steps) {
  std::uint64_t value = seed | 1;
  for (int i = 0; i < steps; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
    value ^= value >> 29;
  }
  return value | 1;
}

Noise measure_noise(const Files& files, const std::vector<int>& cpus, std::chrono::milliseconds budget) {
  Noise out;
  const auto start = SteadyClock::now();
  const auto before = ticks(files);
  std::vector<double> samples;
  {
    const Pinned pinned;
    if (cpus.empty()) sample_for(budget, samples);
    for (const int cpu : cpus) {
      pinned.to(cpu);
      sample_for(std::chrono::microseconds(budget) / cpus.size(), samples);
    }
  }
  out.compute = spread(samples);
  out.took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
  if (const auto after = ticks(files); before && after) {
    out.steal = steal(*before, *after);
    if (after->switches >= before->switches && out.took.count() > 0)
      out.switches_per_second =
          static_cast<double>(after->switches - before->switches) / (static_cast<double>(out.took.count()) / 1e6);
  }
  out.load = real(current(files, "/proc/loadavg"));
  out.mhz = frequency(files, cpus.empty() ? 0 : cpus.front());
  return out;
}

bool noisy(const Noise& noise) {
  return noise.compute.cv() > noisy_cv || noise.steal.value_or(0) > noisy_steal;
}

std::string host_json(const Facts& facts, const std::vector<Setting>& settings, const Noise& noise,
                      const std::vector<int>& benchmark_cpus) {
  namespace json = boost::json;
  const auto text = [](const std::string& value) { return value.empty() ? json::value() : json::value(value); };
  const auto number = [](const std::optional<double>& value) {
    return value ? json::value(rounded(*value)) : json::value();
  };
  json::array tuning;
  for (const auto& setting : settings) {
    json::object one{{"knob", setting.knob}, {"value", setting.value}, {"applied", setting.applied}};
    if (!setting.reason.empty()) one["reason"] = setting.reason.substr(0, 200);
    tuning.push_back(std::move(one));
  }
  const auto& c = noise.compute;
  const json::object out{{"cpu_model", text(facts.cpu_model)},
                         {"cores", facts.online.size()},
                         {"benchmark_cores", text(cpu_list(benchmark_cpus))},
                         {"kernel", text(facts.kernel)},
                         {"governor", text(facts.governor)},
                         {"turbo", facts.turbo ? json::value(*facts.turbo) : json::value()},
                         {"smt", text(facts.smt)},
                         {"virtualized", facts.virtualized},
                         {"tuning", std::move(tuning)},
                         {"noise", json::object{{"samples", c.samples},
                                                {"median_us", rounded(c.median)},
                                                {"min_us", rounded(c.minimum)},
                                                {"max_us", rounded(c.maximum)},
                                                {"cv_percent", rounded(c.cv())},
                                                {"mad_percent", rounded(c.relative_mad())},
                                                {"noisy", noisy(noise)},
                                                {"steal_percent", number(noise.steal)},
                                                {"context_switches_per_second", number(noise.switches_per_second)},
                                                {"load_average", number(noise.load)},
                                                {"mhz", number(noise.mhz)}}}};
  return json::serialize(out);
}

}  // namespace bencher::host
