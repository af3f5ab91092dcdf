#include "lib/storage/jobs.hpp"

#include "lib/storage/specs.hpp"

namespace bencher::storage {
namespace {

#define JOB_COLUMNS                                                                                             \
  "job.id, job.uuid, job.report_id, job.organization_id, job.source_ip, job.spec_id, job.config, job.timeout, " \
  "job.priority, job.runner_id, job.status, job.claimed, job.started, job.completed, job.last_heartbeat, "      \
  "job.created, job.modified, job.time_queued, job.time_claimed, job.time_pulled, job.time_booted, "            \
  "job.time_ran, job.time_processed "

JobRow job_row(Row& row) {
  JobRow j;
  row.take(j.id), row.take(j.uuid), row.take(j.report_id), row.take(j.organization_id), row.take(j.source_ip);
  row.take(j.spec_id), row.take(j.config), row.take(j.timeout), row.take(j.priority), row.take(j.runner_id);
  row.take(j.state.status), row.take(j.state.claimed), row.take(j.state.started), row.take(j.state.completed);
  row.take(j.state.last_heartbeat), row.take(j.created), row.take(j.modified);
  for (auto& time : j.times)
    if (const auto at = row.take<std::optional<std::int64_t>>()) time = Instant(std::chrono::milliseconds(*at));
  return j;
}

std::int64_t milliseconds(Instant at) {
  return at.time_since_epoch().count();
}
std::optional<std::int64_t> milliseconds(const std::optional<Instant>& at) {
  return at ? std::optional(milliseconds(*at)) : std::nullopt;
}

std::vector<JobRow> collect(Rows rows) {
  std::vector<JobRow> out;
  while (rows.next()) {
    auto row = rows.row();
    out.push_back(job_row(row));
  }
  return out;
}

}  // namespace

Result<JobId> insert_job(Connection& c, const JobRow& j) {
  BENCHER_DO(
      c.change("the job",
               "INSERT INTO job (uuid, report_id, organization_id, source_ip, spec_id, config, timeout, priority, "
               "status, created, modified, time_queued) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?9, ?10)",
               j.uuid, j.report_id, j.organization_id, j.source_ip, j.spec_id, j.config, j.timeout, j.priority,
               j.created, milliseconds(j.times[static_cast<std::size_t>(JobStage::queued)])));
  return JobId{c.last_id()};
}

std::optional<JobRow> find_job(Connection& c, AnyUuid uuid) {
  return c.one(job_row, "SELECT " JOB_COLUMNS "FROM job WHERE uuid = ?1", uuid);
}

std::optional<JobRow> find_project_job(Connection& c, ProjectId project, AnyUuid uuid) {
  return c.one(job_row,
               "SELECT " JOB_COLUMNS
               "FROM job JOIN report ON report.id = job.report_id WHERE job.uuid = ?2 AND report.project_id = ?1",
               project, uuid);
}

std::optional<JobRow> job_by_id(Connection& c, JobId id) {
  return c.one(job_row, "SELECT " JOB_COLUMNS "FROM job WHERE id = ?1", id);
}

bool was_retried(Connection& c, const JobRow& job) {
  return *c.value<bool>("SELECT EXISTS (SELECT 1 FROM job WHERE report_id = ?1 AND id > ?2)", job.report_id, job.id);
}

ProjectId project_of_job(Connection& c, const JobRow& job) {
  return *c.value<ProjectId>("SELECT project_id FROM report WHERE id = ?1", job.report_id);
}

std::optional<JobId> eligible_job(Connection& c, RunnerId runner) {
  // Statuses and priorities are literals, so that the planner can prove the partial indexes.
  return c.value<JobId>(
      "SELECT job.id FROM job WHERE job.status = 0 AND job.spec_id IN (SELECT spec_id FROM runner_spec WHERE runner_id "
      "= "
      "?1) "
      "AND (job.priority >= 200 "
      "OR (job.priority >= 100 AND job.priority < 200 AND NOT EXISTS (SELECT 1 FROM job AS other WHERE "
      "other.organization_id = job.organization_id AND (other.status = 1 OR other.status = 2))) "
      "OR (job.priority < 100 AND NOT EXISTS (SELECT 1 FROM job AS other WHERE other.source_ip = job.source_ip AND "
      "(other.status = 1 OR other.status = 2)))) "
      "ORDER BY job.priority DESC, job.created ASC, job.id ASC LIMIT 1",
      runner);
}

namespace {

std::vector<SpecId> spec_ids(Rows rows) {
  std::vector<SpecId> out;
  while (rows.next())
    out.push_back(rows.row().take<SpecId>());
  return out;
}

}  // namespace

std::vector<SpecId> pending_specs(Connection& c) {
  return spec_ids(c.query("SELECT DISTINCT spec_id FROM job INDEXED BY index_job_pending WHERE status = 0"));
}

std::vector<SpecId> runner_spec_ids(Connection& c, RunnerId runner) {
  return spec_ids(c.query("SELECT spec_id FROM runner_spec WHERE runner_id = ?1", runner));
}

bool claim_job(Connection& c, JobId id, RunnerId runner, const JobState& s, Instant now) {
  return c.exec(
             "UPDATE job SET status = ?2, runner_id = ?3, claimed = ?4, last_heartbeat = ?5, modified = ?6, "
             "time_claimed = ?7 WHERE id = ?1 AND status = 0",
             id, s.status, runner, s.claimed, s.last_heartbeat, Timestamp::of(now), milliseconds(now)) > 0;
}

void set_job_time(Connection& c, JobId id, JobStage stage, Instant at) {
  const auto set = [&](const char* sql) { c.exec(sql, id, milliseconds(at)); };
#define SET_TIME(column) \
  set("UPDATE job SET " column " = coalesce(" column ", ?2) WHERE id = ?1 AND (status = 1 OR status = 2)")
  switch (stage) {
    case JobStage::pulled: return SET_TIME("time_pulled");
    case JobStage::booted: return SET_TIME("time_booted");
    case JobStage::ran: return SET_TIME("time_ran");
    case JobStage::queued:
    case JobStage::claimed:
    case JobStage::processed: return;  // set with the job's state
  }
#undef SET_TIME
}

bool set_job_state(Connection& c, JobId id, JobStatus from, const JobState& s, Instant now) {
  // A runner that does not tell when its program ended has ended it by the time it reports.
  return c.exec(
             "UPDATE job SET status = ?3, claimed = ?4, started = ?5, completed = ?6, last_heartbeat = ?7, modified = "
             "?8, time_ran = CASE WHEN ?3 = 3 THEN coalesce(time_ran, ?9) ELSE time_ran END, "
             "time_processed = CASE WHEN ?3 = 4 THEN ?9 ELSE time_processed END WHERE id = ?1 AND status = ?2",
             id, from, s.status, s.claimed, s.started, s.completed, s.last_heartbeat, Timestamp::of(now),
             milliseconds(now)) > 0;
}

bool release_job(Connection& c, JobId id, Timestamp now) {
  return c.exec(
             "UPDATE job SET status = 0, runner_id = NULL, claimed = NULL, last_heartbeat = NULL, time_claimed = NULL, "
             "modified = ?2 WHERE id = ?1 AND status = 1",
             id, now) > 0;
}

void touch_job(Connection& c, JobId id, Timestamp now) {
  c.exec("UPDATE job SET last_heartbeat = ?2 WHERE id = ?1 AND (status = 1 OR status = 2)", id, now);
}

void raise_unclaimed_jobs(Connection& c, OrganizationId organization, Timestamp now) {
  c.exec("UPDATE job SET priority = 100, modified = ?2 WHERE organization_id = ?1 AND status = 0 AND priority < 100",
         organization, now);
}

std::optional<std::uint32_t> queue_position(Connection& c, const JobRow& job) {
  if (job.state.status != JobStatus::pending) return std::nullopt;
  return *c.value<std::uint32_t>(
      "SELECT count(*) + 1 FROM job WHERE status = 0 AND (priority > ?1 OR (priority = ?1 AND (created < ?2 OR "
      "(created = "
      "?2 AND id < ?3))))",
      job.priority, job.created, job.id);
}

std::vector<JobRow> jobs_in_flight(Connection& c) {
  return collect(c.query("SELECT " JOB_COLUMNS "FROM job WHERE status = 1 OR status = 2 ORDER BY id"));
}

std::vector<JobRow> completed_jobs(Connection& c) {
  return collect(c.query("SELECT " JOB_COLUMNS "FROM job WHERE status = 3 ORDER BY id"));
}

std::vector<JobRow> jobs_of_runner_in_flight(Connection& c, RunnerId runner) {
  return collect(c.query(
      "SELECT " JOB_COLUMNS "FROM job WHERE runner_id = ?1 AND (status = 1 OR status = 2) ORDER BY id", runner));
}

void set_job_duration(Connection& c, ReportId report, std::int64_t seconds) {
  c.exec("INSERT INTO job_duration_by_report (report_id, job_duration) VALUES (?1, ?2) ON CONFLICT DO NOTHING", report,
         seconds);
}

Job load_job(Connection& c, const JobRow& row) {
  Job out;
  out.uuid = row.uuid;
  out.status = row.state.status;
  out.spec = spec_by_id(c, row.spec_id)->spec;
  if (row.runner_id) out.runner = c.value<Uuid<Runner>>("SELECT uuid FROM runner WHERE id = ?1", *row.runner_id);
  out.claimed = row.state.claimed;
  out.started = row.state.started;
  out.completed = row.state.completed;
  out.created = row.created;
  out.modified = row.modified;
  out.position = queue_position(c, row);
  out.times = row.times;
  return out;
}

Page<Job> list_jobs(Connection& c, ProjectId project, std::optional<JobStatus> status, const Paging& paging) {
  Page<Job> page;
#define JOB_WHERE                                                                                                   \
  "FROM job JOIN report ON report.id = job.report_id WHERE report.project_id = ?1 AND (?2 IS NULL OR job.status = " \
  "?2) "
  page.total = *c.value<std::int64_t>("SELECT count(*) " JOB_WHERE, project, status);
  const auto* sql = paging.descending
                        ? "SELECT " JOB_COLUMNS JOB_WHERE "ORDER BY job.created DESC, job.id DESC LIMIT ?3 OFFSET ?4"
                        : "SELECT " JOB_COLUMNS JOB_WHERE "ORDER BY job.created, job.id LIMIT ?3 OFFSET ?4";
  for (const auto& row : collect(c.query(sql, project, status, paging.per_page, paging.offset())))
    page.items.push_back(load_job(c, row));
  return page;
}

}  // namespace bencher::storage
