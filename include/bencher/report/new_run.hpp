#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/adapter/read.hpp"
#include "bencher/base/name.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/threshold/model.hpp"

namespace bencher {

using BranchNameId = NameId<BranchName>;
using ResourceNameId = NameId<ResourceName>;
using BenchmarkNameId = NameId<BenchmarkName>;

struct NewStartPoint {
  std::optional<BranchNameId> branch{};
  std::optional<GitHash> hash{};
  std::uint32_t max_versions = 255;
  bool clone_thresholds = false;
  bool reset = false;
};

struct NewThresholdModel {
  ResourceNameId measure;
  Model model;
};

/// A job that a run asks for: an image, and how to run it.
struct NewJob {
  std::string image{};
  std::optional<ResourceId> spec{};
  std::optional<std::vector<std::string>> entrypoint{};
  std::optional<std::vector<std::string>> cmd{};
  std::optional<std::map<std::string, std::string>> env{};
  std::optional<std::uint32_t> timeout{};  ///< seconds
  std::optional<std::vector<std::string>> file_paths{};
  bool build_time = false;
  bool file_size = false;
  std::uint32_t iter = 1;
  bool allow_failure = false;
  std::optional<Timestamp> backdate{};
};

/// What a run sends: results, or a job that makes them.
struct NewRun {
  std::optional<ResourceId> project{};
  std::optional<BranchNameId> branch{};
  std::optional<GitHash> hash{};
  std::optional<NewStartPoint> start_point{};
  std::optional<ResourceNameId> testbed{};
  bool spec_reset = false;
  std::vector<NewThresholdModel> models;
  bool thresholds_reset = false;
  Timestamp start_time;
  Timestamp end_time;
  std::vector<std::string> results;            ///< raw outputs of benchmark harnesses
  ReadSettings settings{};                     ///< how they, or the job's outputs, are read
  std::map<std::string, std::string> context;  ///< keys as sent, `bencher.dev/v0/…`
  bool has_context = false;
  std::optional<AnyUuid> idempotency_key{};
  std::optional<NewJob> job{};
};

/// Reads the JSON body of `POST /v0/run`. Error: `invalid_argument` with a JSON pointer.
Result<NewRun> parse_new_run(std::string_view json);
/// The same for `POST /v0/projects/{project}/reports`, where branch and testbed are required.
Result<NewRun> parse_new_report(std::string_view json);

/// A known member of the run's context by the end of its key (`repo/name`), or null.
const std::string* context_value(const NewRun& run, std::string_view key);
/// The branch a run means: the one given, else its context's, else `main`.
BranchNameId run_branch(const NewRun& run);
/// The commit a run means: the one given, else its context's.
std::optional<std::string> run_hash(const NewRun& run);
/// The testbed a run means: the one given, else its context's operating system, else `localhost`.
ResourceNameId run_testbed(const NewRun& run);
/// The name of a project made on the fly: the repository's, at most 64 bytes, else `Project`.
std::string context_project_name(const NewRun& run);
/// The slug of a project made on the fly; empty when the context has no part for it.
std::string context_project_slug(const NewRun& run);

}  // namespace bencher
