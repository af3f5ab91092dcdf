// `bencher run`: from flags to results to a report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bencher/adapter/read.hpp"

#include "apps/cli/arguments.hpp"
#include "apps/cli/world.hpp"

namespace bencher::cli {

enum class Format { human, json, html };

/// A file with results: `PATH`, or `PATH:ADAPTER`.
struct ResultFile {
  std::string path;
  std::optional<AdapterKind> adapter;  ///< else the run's
};
/// What follows the last colon is an adapter only if there is one of that name.
ResultFile result_file(const std::string& text);

/// What `bencher run` is asked to do, checked as far as that goes without running anything.
struct RunPlan {
  std::vector<std::string> argv;  ///< of the command; empty: none
  std::string display;            ///< the command in one line
  std::vector<ResultFile> files;
  std::vector<std::string> file_sizes;
  ReadSettings settings;  ///< how results are read
  bool build_time = false;
  std::optional<std::string> input;  ///< of standard input, when it is the source
  std::uint32_t iterations = 1;
  bool allow_failure = false;
  std::optional<std::int64_t> backdate;
  bool quiet = false, dry_run = false, detach = false, error_on_alert = false;
  Format format = Format::human;
  std::optional<std::string> image;

  /// Whether results are read here, and sent in Bencher Metric Format: what is asked for is more than every server
  /// knows how to do.
  bool reads_here() const;
};

/// A whole file, of at most 64 MiB; relative to the world's folder. Error: `not_found` or `too_large`.
Result<std::string> read_file(const World& world, const std::string& file);

/// Throws `Failure` with `usage`. Reads standard input where it is the source.
RunPlan plan_run(World& world, const Arguments& arguments);

/// The results of all iterations, in order, from the plan's local source. Throws `Failure` with `benchmark_failed`.
std::vector<std::string> run_iterations(World& world, const RunPlan& plan);

/// The body of `POST /v0/run`. `start` and `end` are when the iterations ran; backdating is done here.
json::Value run_body(World& world, const RunPlan& plan, const Arguments& arguments, std::vector<std::string> results,
                     Instant start, Instant end);

/// For printing: with the values of the job's environment hidden.
json::Value masked(json::Value body);

/// A random UUID, version 4.
std::string random_uuid(Random& random);

}  // namespace bencher::cli
