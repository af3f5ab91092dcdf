// What the files of this room share.
#pragma once

#include <string>
#include <string_view>

#include "bencher/host/files.hpp"

namespace bencher::host {

inline constexpr const char* no_turbo_path = "/sys/devices/system/cpu/intel_pstate/no_turbo";
inline constexpr const char* boost_path = "/sys/devices/system/cpu/cpufreq/boost";

inline std::string cpu_folder(int cpu) {
  return "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
}

inline std::string_view trim(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n\0";
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

/// What a setting is: of a choice such as `always [madvise] never` the word in brackets, else all of it.
inline std::string chosen(std::string_view text) {
  text = trim(text);
  const auto open = text.find('['), close = text.find(']', open);
  if (open != std::string_view::npos && close != std::string_view::npos)
    return std::string(text.substr(open + 1, close - open - 1));
  return std::string(text);
}

inline std::string current(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  return text ? chosen(*text) : std::string();
}

}  // namespace bencher::host
