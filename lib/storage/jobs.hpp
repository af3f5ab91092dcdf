// Jobs: the queue, claims, states.
#pragma once

#include "bencher/job/job.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"

namespace bencher::storage {

struct JobRow {
  JobId id{};
  Uuid<Job> uuid;
  ReportId report_id{};
  OrganizationId organization_id{};
  std::string source_ip;
  SpecId spec_id{};
  std::string config;           ///< JSON of a JobConfig
  std::int64_t timeout = 3600;  ///< seconds
  int priority = 0;
  std::optional<RunnerId> runner_id;
  JobState state;
  JobTimes times;
  Timestamp created;
  Timestamp modified;
};

Result<JobId> insert_job(Connection& c, const JobRow& job);
std::optional<JobRow> find_job(Connection& c, AnyUuid uuid);
std::optional<JobRow> find_project_job(Connection& c, ProjectId project, AnyUuid uuid);
std::optional<JobRow> job_by_id(Connection& c, JobId id);
/// Whether the job was tried again: its report has a later one.
bool was_retried(Connection& c, const JobRow& job);
/// The project of a job, by its report.
ProjectId project_of_job(Connection& c, const JobRow& job);

/// The job that the runner would get now: pending, of one of its specs, not held back by its tier's limit, first in
/// order of priority (high), creation (early), id.
std::optional<JobId> eligible_job(Connection& c, RunnerId runner);
/// The specs that pending jobs wait for.
std::vector<SpecId> pending_specs(Connection& c);
std::vector<SpecId> runner_spec_ids(Connection& c, RunnerId runner);
/// Takes the job for the runner if it is still pending; whether it was.
bool claim_job(Connection& c, JobId id, RunnerId runner, const JobState& state, Instant now);
/// When the job reached the stage, unless it is known already or the job is not in flight.
void set_job_time(Connection& c, JobId id, JobStage stage, Instant at);
/// Writes the state if the job is still in `from`; whether it was.
bool set_job_state(Connection& c, JobId id, JobStatus from, const JobState& state, Instant now);
/// Undoes a claim: pending again, without a runner.
bool release_job(Connection& c, JobId id, Timestamp now);
void touch_job(Connection& c, JobId id, Timestamp now);
/// Pending jobs of an organization that was unclaimed become those of a free one.
void raise_unclaimed_jobs(Connection& c, OrganizationId organization, Timestamp now);
/// Place in the queue, from 1; nothing when it is not pending.
std::optional<std::uint32_t> queue_position(Connection& c, const JobRow& job);
std::vector<JobRow> jobs_in_flight(Connection& c);
std::vector<JobRow> completed_jobs(Connection& c);
std::vector<JobRow> jobs_of_runner_in_flight(Connection& c, RunnerId runner);
void set_job_duration(Connection& c, ReportId report, std::int64_t seconds);

/// As the API shows it, without its output.
Job load_job(Connection& c, const JobRow& row);
Page<Job> list_jobs(Connection& c, ProjectId project, std::optional<JobStatus> status, const Paging& paging);

}  // namespace bencher::storage
