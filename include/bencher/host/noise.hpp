#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bencher/host/machine.hpp"
#include "bencher/host/tuning.hpp"

namespace bencher::host {

/// How samples of one thing lie. Empty samples are all zeros.
struct Spread {
  std::size_t samples = 0;
  double median = 0, mean = 0, deviation = 0;  ///< deviation: standard, with n − 1
  double minimum = 0, maximum = 0, p99 = 0;
  double mad = 0;  ///< median of the distances from the median
  /// Coefficient of variation, deviation by mean, in percent.
  double cv() const { return mean > 0 ? deviation / mean * 100 : 0; }
  /// MAD by median, in percent: what it is without the outliers.
  double relative_mad() const { return median > 0 ? mad / median * 100 : 0; }
};
Spread spread(std::span<const double> samples);

/// Counters of /proc/stat: processor time in ticks, all and stolen by the machine beneath, and switches of context.
struct Ticks {
  std::uint64_t all = 0, stolen = 0, switches = 0;
};
std::optional<Ticks> parse_stat(std::string_view text);
/// Stolen time between two moments, in percent.
double steal(const Ticks& before, const Ticks& after);

/// How quiet a machine is.
struct Noise {
  Spread compute;               ///< µs, of a fixed piece of arithmetic
  std::optional<double> steal;  ///< percent
  std::optional<double> switches_per_second;
  std::optional<double> load;  ///< average of the last minute
  std::optional<double> mhz;   ///< of the first processor that was measured
  std::chrono::microseconds took{0};
};

/// A machine is noisy above this coefficient of variation of a fixed piece of arithmetic, or this part of its time that
/// was stolen, both in percent: of what it measures much is chance.
constexpr double noisy_cv = 25, noisy_steal = 5;
bool noisy(const Noise& noise);

/// Repeats a piece of arithmetic of about 100 µs on each of `cpus` in turn (all of them: where the system puts it),
/// for at most `budget` altogether. The calling thread's processors are as before afterwards.
Noise measure_noise(const Files& files, const std::vector<int>& cpus,
                    std::chrono::milliseconds budget = std::chrono::milliseconds(100));

/// What a report says of the machine: facts, what was altered or not and why, and its noise. One JSON object.
std::string host_json(const Facts& facts, const std::vector<Setting>& settings, const Noise& noise,
                      const std::vector<int>& benchmark_cpus);

/// One piece of the arithmetic that is timed; what it gives is of no meaning, but must be used.
std::uint64_t arithmetic(std::uint64_t seed, int steps);

}  // namespace bencher::host
