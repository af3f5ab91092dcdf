// Where the runner's settings come from: flags, over the environment, over a file.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::runner {

/// One setting of a file.
struct Setting {
  std::string key;  ///< as it is written
  std::string value;
  int line = 0;  ///< from 1
};

/// Reads settings: one JSON object of strings, numbers and booleans. Error: `invalid_argument`, with the line.
Result<std::vector<Setting>> parse_settings(std::string_view json);

/// Gives each option that has none yet the variable BENCHER_RUNNER_ and its name.
void name_variables(CLI::App& command);

/// Makes what the file says the defaults of a command's options, before its arguments are parsed: `cache_size` is
/// `--cache-size`. Errors: `invalid_argument`, naming file, line and key: unknown, twice, or not a value of that
/// option.
Result<void> apply_settings(CLI::App& command, const std::filesystem::path& file);

/// The value of `flag` among a program's arguments, as `flag VALUE` or `flag=VALUE`.
std::optional<std::string> argument(int argc, const char* const* argv, std::string_view flag);

/// Whether the key is given by itself or by a file: what counts more decides, flag over variable over settings' file.
enum class Given { no, by_settings, by_variable, by_flag };
/// The runner's key. Errors: `invalid_argument`: none, both in the same way, or a file without one.
Result<std::string> choose_key(const std::string& key, Given key_given, const std::string& file, Given file_given);

/// Overwrites a secret where everybody on the machine, or every program of this user, may read it: among the arguments,
/// and in the environment.
void hide_argument(int argc, char** argv, std::string_view flag);
void hide_variable(const char* name);

}  // namespace bencher::runner
