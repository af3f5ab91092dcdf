#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/adapter/adapter.hpp"

namespace bencher {

/// How the outputs of one run are read.
struct ReadSettings {
  AdapterKind adapter = AdapterKind::magic;
  ParseOptions options{};
  std::optional<Fold> fold{};  ///< how several outputs become one result; without it each is a result of its own
  /// Other adapters for the content of some files, by path.
  std::map<std::string, AdapterKind> file_adapters{};
  /// A mapping file (see mapping.hpp) that reads what no file adapter is named for, instead of `adapter`.
  std::optional<std::string> mapping{};

  bool operator==(const ReadSettings&) const = default;
};

/// What one harness has printed.
struct Output {
  std::string_view path;  ///< of the file; empty for a program's standard output
  std::string_view text;

  bool operator==(const Output&) const = default;
};

struct ReadResults {
  std::vector<Results> results;
  /// What was left out or replaced. Each is there once, and there are at most `max_read_warnings`.
  std::vector<std::string> warnings;
};
inline constexpr std::size_t max_read_warnings = 64;

/// Reads each output with its adapter, and folds. Error: `invalid_argument`, naming the output by its path, or by its
/// number from 0, or a mapping that is wrong.
Result<ReadResults> read_outputs(const ReadSettings& settings, std::span<const Output> outputs);

}  // namespace bencher
