#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bencher/host/noise.hpp"

namespace bencher::host {

/// A long look at a machine's noise: arithmetic, caches, small files, and what else goes on.
struct Survey {
  Spread compute = {}, cache = {}, io = {};  ///< µs a sample
  std::optional<double> steal = {};          ///< percent
  std::optional<double> switches_per_second = {};
  std::string virtualization = {};        ///< what makes the machine one that is not real; empty: nothing known
  std::uint64_t l1d = 0, l2 = 0, l3 = 0;  ///< bytes; 0: unknown
  std::chrono::seconds duration{0};
};

enum class Level { quiet, moderate, noisy, very_noisy };
std::string_view to_string(Level level);
/// Of a part's coefficient of variation, in percent; of stolen time, in percent; of the score.
Level level_of_cv(double cv);
Level level_of_steal(double steal);
Level level_of_score(double score);

/// Decibels, 0 to 100: 33 times the logarithm of the parts' weighted variations: 30 % arithmetic, 40 % caches, 15 %
/// files, 15 % stolen time, whose weight the others share when it is unknown.
double score(const Survey& survey);

/// Of /sys/devices/system/cpu/cpu0/cache: the size of the data cache of that level, in bytes; 0: unknown.
std::uint64_t cache_size(const Files& files, int level);
/// A container, a virtual machine by its name or by its processor's word; empty: none of them.
std::string virtualization(const Files& files);

/// Takes about `duration`: 30 % arithmetic, 30 % caches, 20 % files in a folder made in `scratch`, 20 % watching; of
/// each at least one sample. `progress` is told what begins. Error: `unavailable`, files cannot be written.
Result<Survey> survey(const Files& files, const std::filesystem::path& scratch, std::chrono::seconds duration,
                      const std::function<void(std::string_view)>& progress);

}  // namespace bencher::host
