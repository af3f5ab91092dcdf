// Following a job until it ends.
#pragma once

#include <chrono>
#include <string>

#include "apps/cli/api.hpp"

namespace bencher::cli {

struct Watch {
  std::string project;  ///< UUID or slug
  std::string job;
  std::chrono::seconds poll_interval{5};  ///< for servers that cannot stream
  std::chrono::seconds limit{7200};
  /// all: states and log, to standard error; log: the job's output to where it belongs; nothing.
  enum class Show { all, log, nothing } show = Show::all;
  bool to_the_end = true;  ///< else only what there is now
};

struct JobEnd {
  std::string status;  ///< `processed`, `failed` or `canceled`; of a look that is not to the end, any
  std::string error;   ///< what the job says about a failure; may be empty
};

/// Follows the job's live stream, and reconnects where it left off; polls where the server has no stream. Status and
/// log go to standard error. Ctrl-C once detaches, twice asks the server to cancel the job. Throws `Failure`:
/// `interrupted`, `job_canceled` (by us), `waited_too_long`, or what the server refuses.
JobEnd watch_job(World& world, Api& api, const Watch& watch);

/// The exit code of an end: 0, `job_failed` or `job_canceled`.
Exit exit_of(const JobEnd& end);

}  // namespace bencher::cli
