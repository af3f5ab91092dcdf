#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bencher/base/clock.hpp"
#include "bencher/base/random.hpp"
#include "bencher/base/result.hpp"
#include "bencher/image/blob_store.hpp"
#include "bencher/job/job.hpp"
#include "bencher/report/new_run.hpp"
#include "bencher/report/report.hpp"
#include "bencher/runner/runner.hpp"
#include "bencher/spec/spec.hpp"
#include "bencher/storage/store.hpp"

namespace bencher {

struct PipelineOptions {
  std::string registry_url = "http://localhost/";  ///< what jobs are told to pull from
  std::int64_t heartbeat_timeout = 90;             ///< seconds of silence after which a job is lost
  std::int64_t job_grace = 60;                     ///< seconds past its timeout after which a job is canceled
};

/// Hardware that jobs can ask for.
struct NewSpec {
  std::string name{};
  std::int64_t cpu = 1;
  std::int64_t memory = 512ll << 20;  ///< bytes
  std::int64_t disk = 1ll << 30;      ///< bytes
  bool network = false;
  bool is_default = false;  ///< used where no other is named; the former default ceases to be
};

/// The way of a run, from what was submitted to the report: without a socket, a thread or a global. Each step is one
/// transaction of the store; a step that fails leaves nothing behind. The caller owns store, blobs, clock and random,
/// which must outlive it. Not thread-safe.
class Pipeline {
 public:
  Pipeline(Store& store, BlobStore& blobs, const Clock& clock, Random& random, PipelineOptions options = {});
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  Result<Spec> add_spec(const NewSpec& spec);
  /// A runner that takes jobs of these specs. Errors: `not_found`, a spec; `conflict`, the name.
  Result<Runner> add_runner(const std::string& name, const std::vector<Uuid<Spec>>& specs);
  std::optional<Spec> spec(const std::string& slug) const;
  std::optional<Runner> runner(const std::string& slug) const;
  /// The project of that slug, made when it is missing.
  Result<Project> project(const std::string& slug, const std::string& name);

  /// A run with results becomes a report; one with a job gets a job, which waits. Errors: `invalid_argument`, the
  /// results, a model or the image; `not_found`; `conflict`.
  Result<Report> submit(const NewRun& run);
  /// The runner's next job. Error: `not_found`, the runner.
  Result<std::optional<ClaimedJob>> claim(Uuid<Runner> runner);
  /// The runner says that the job runs; again, that it still does. Error: `conflict`, the state does not allow it.
  Result<JobState> start(Uuid<Job> job);
  /// The job's output is kept, read by the adapter and compared with its history. When it cannot be read, the job has
  /// failed and says why, and its output is kept all the same. Error: `conflict`.
  Result<Job> complete(Uuid<Job> job, const JobOutput& output);
  /// The job failed on its runner; `output.error` says why.
  Result<Job> fail(Uuid<Job> job, const JobOutput& output);
  Result<Job> cancel(Uuid<Job> job);
  /// A job that has failed or was canceled is tried again, as a new job of the same report. Error: `conflict`.
  Result<Job> retry(Uuid<Job> job);
  /// Ends the jobs in flight that were not heard of for too long; those that ended.
  std::vector<Job> expire();

  Result<Job> job(Uuid<Job> job) const;
  Result<Report> report(Uuid<Report> report) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher
