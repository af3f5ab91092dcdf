// The steps of the pipeline, each inside a transaction that the caller owns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bencher/base/clock.hpp"
#include "bencher/base/random.hpp"
#include "bencher/image/resolve.hpp"
#include "bencher/job/job.hpp"
#include "bencher/report/new_run.hpp"
#include "bencher/report/report.hpp"

#include "lib/storage/accounts.hpp"
#include "lib/storage/connection.hpp"
#include "lib/storage/dimensions.hpp"
#include "lib/storage/jobs.hpp"
#include "lib/storage/projects.hpp"
#include "lib/storage/reports.hpp"

namespace bencher::pipeline {

/// Who asks.
struct Actor {
  enum class Kind { anonymous, user, project_key, embedder } kind = Kind::anonymous;
  std::optional<storage::UserRow> user;
  std::optional<AnyUuid> user_key;             ///< the key the user came with, if it was one
  std::optional<storage::ProjectRow> project;  ///< of a project key

  bool is_admin() const { return kind == Kind::embedder || (kind == Kind::user && user->user.admin); }
};

/// What a step needs of its surroundings.
struct Env {
  Instant now;
  Random& random;
  ImageResolver& images;
  std::string registry_url;  ///< of this server's registry, with a trailing slash
  std::string source_ip = "127.0.0.1";

  Timestamp time() const { return Timestamp::of(now); }
  AnyUuid uuid() const { return AnyUuid::make(now, random); }
};

/// Whether the actor may do that to the project: the server's admin, a leader of its organization, its maintainer.
bool permitted(storage::Connection& c, const Actor& actor, const storage::ProjectRow& project);
bool permitted(storage::Connection& c, const Actor& actor, storage::OrganizationId organization);

/// A slug that is free, by the rules of `choose_slug`.
std::string free_slug(const Env& env, const std::optional<std::string>& given, std::string_view name,
                      const std::function<bool(std::string_view)>& taken);

Result<storage::OrganizationRow> create_organization(storage::Connection& c, const Env& env, AnyUuid uuid,
                                                     std::string_view name, const std::optional<std::string>& slug);
/// Makes the user the leader of an unclaimed organization.
Result<void> claim_organization(storage::Connection& c, const Env& env, storage::OrganizationId organization,
                                storage::UserId user);
Result<storage::ProjectRow> create_project(storage::Connection& c, const Env& env, storage::OrganizationId organization,
                                           const Project& project, const std::optional<std::string>& slug,
                                           std::optional<storage::UserId> maintainer);
/// The project of that slug on the fly: in an organization of its own for nobody, in the personal one of a user.
Result<storage::ProjectRow> create_project_on_the_fly(storage::Connection& c, const Env& env, const Actor& actor,
                                                      const std::string& slug, std::string_view name);
/// The user's personal organization, made when it is missing.
Result<storage::OrganizationRow> personal_organization(storage::Connection& c, const Env& env,
                                                       const storage::UserRow& user);

Result<storage::BranchRow> create_branch(storage::Connection& c, const Env& env, storage::ProjectId project,
                                         const BranchName& name, const std::optional<std::string>& slug,
                                         const std::optional<NewStartPoint>& start_point);
/// Applies a start point to a branch that exists; the branch as it is then.
Result<storage::BranchRow> update_start_point(storage::Connection& c, const Env& env, storage::ProjectId project,
                                              const storage::BranchRow& branch, const NewStartPoint& start_point);
Result<storage::MeasureRow> get_or_create_measure(storage::Connection& c, const Env& env, storage::ProjectId project,
                                                  std::string_view text);
/// The model `wanted` becomes the current one of the threshold, unless it says the same.
void change_model(storage::Connection& c, const Env& env, const storage::ThresholdId threshold,
                  const std::optional<StoredModel>& current, const Model& wanted);

/// Reads the results of a run that has no job.
Result<ReadResults> read_results(const NewRun& run);

struct Submitted {
  Report report;
  std::optional<storage::JobId> job;  ///< made by this run
  std::optional<Uuid<Job>> job_uuid;
  std::optional<storage::SpecId> spec;    ///< that the new job waits for
  std::optional<std::uint32_t> position;  ///< of the new job in the queue
};
/// A run, whole or not at all. `parsed` are its results, read before (an error in them counts only once the run has
/// been let in). Errors: those of `NewRun`, `unauthenticated`, `forbidden`, `not_found`, `conflict`.
Result<Submitted> submit(storage::Connection& c, const Env& env, const NewRun& run, const Result<ReadResults>& parsed,
                         const Actor& actor);
/// A report on a project that exists and lets the actor in.
Result<Report> submit_report(storage::Connection& c, const Env& env, const storage::ProjectRow& project,
                             const NewRun& run, const Result<ReadResults>& parsed, const Actor& actor);

/// The runner's next job, claimed; nothing when none is eligible. A job whose configuration cannot be read fails alone.
Result<std::optional<ClaimedJob>> claim(storage::Connection& c, const Env& env, storage::RunnerId runner);

/// One event of a job that is not `complete`. Error: `conflict`.
Result<storage::JobRow> advance(storage::Connection& c, const Env& env, const storage::JobRow& job, JobEvent event);
/// The job's results, read before, are stored and the job is processed; when they cannot be, it has failed and `error`
/// says why. The job must be running or failed. Error: `conflict`.
struct Completed {
  storage::JobRow job;
  std::optional<std::string> error;
};
Result<Completed> complete(storage::Connection& c, const Env& env, const storage::JobRow& job,
                           const Result<ReadResults>& parsed);
/// A job that has failed or was canceled is tried again, as a new job of the same report: same image, same settings,
/// same place among the priorities. Error: `conflict`, it has not ended so, or was tried again already.
Result<storage::JobRow> retry(storage::Connection& c, const Env& env, const storage::JobRow& job);
/// How the job's outputs are read.
ReadSettings job_settings(storage::Connection& c, const storage::JobRow& job);

/// Makes the one `server` row when it is not there.
void ensure_server(storage::Connection& c, const Env& env);

}  // namespace bencher::pipeline
