// Jobs as their project sees them.
#include <fmt/core.h>

#include "apps/server/app.hpp"
#include "apps/server/hub.hpp"
#include "apps/server/job_output.hpp"
#include "lib/job/json.hpp"

namespace bencher::server {
namespace {

enum class JobSort { created };
BOOST_DESCRIBE_ENUM(JobSort, created)
struct JobsQuery : PageQuery {
  std::optional<JobSort> sort;
  std::optional<JobStatus> status;
};
BOOST_DESCRIBE_STRUCT(JobsQuery, (PageQuery), (sort, status))
struct JobPath {
  ResourceId project;
  AnyUuid job;
};
BOOST_DESCRIBE_STRUCT(JobPath, (), (project, job))

Result<Listed<JobWire>> list_jobs(Call& call, const Path<ProjectPath>& path, const Query<JobsQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  const auto page = st::list_jobs(call.c, project.id, query.value.status, query.value.paging(true));
  Listed<JobWire> out;
  out.total = page.total;
  for (const auto& job : page.items)
    out.value.push_back(to_wire(job));
  return out;
}

Result<st::JobRow> the_job(Call& call, st::ProjectId project, const AnyUuid& uuid) {
  auto row = st::find_project_job(call.c, project, uuid);
  if (!row) return not_found("job", uuid.str());
  return *std::move(row);
}

Result<Ok<JobWire>> view_job(Call& call, const Path<JobPath>& path) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_job(call, project.id, path.value.job));
  auto job = st::load_job(call.c, row);
  if (has_run(job.status) && call.actor.kind != Actor::Kind::anonymous)
    job.output = load_output(call.context.blobs, project.project.uuid, row.uuid);
  return Ok<JobWire>{to_wire(job)};
}

Result<Ok<JobWire>> cancel_job(Call& call, const Path<JobPath>& path) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_job(call, project.id, path.value.job));
  BENCHER_TRY(const auto canceled, pipeline::advance(call.c, call.env, row, JobEvent::cancel));
  call.after_commit.push_back([hub = call.context.hub, uuid = row.uuid] {
    hub->cancel(uuid);
    hub->status(uuid, JobStatus::canceled, std::nullopt, "canceled by the user");
    hub->positions_changed();
    hub->wake_all();
  });
  return Ok<JobWire>{to_wire(st::load_job(call.c, canceled))};
}

Result<Created<JobWire>> retry_job(Call& call, const Path<JobPath>& path) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_job(call, project.id, path.value.job));
  BENCHER_TRY(const auto again, pipeline::retry(call.c, call.env, row));
  auto job = st::load_job(call.c, again);
  call.after_commit.push_back([hub = call.context.hub, again, position = job.position] {
    hub->status(again.uuid, JobStatus::pending, position, std::nullopt);
    hub->wake(again.spec_id);
  });
  return Created<JobWire>{to_wire(job)};
}

constexpr std::array table{
    endpoint<list_jobs>(
        {Verb::get, "/v0/projects/{project}/jobs", Access::public_, "proj_jobs_get", "List the jobs of a project"}),
    endpoint<view_job>({Verb::get, "/v0/projects/{project}/jobs/{job}", Access::public_, "proj_job_get", "View a job"}),
    endpoint<cancel_job>({Verb::post, "/v0/projects/{project}/jobs/{job}/cancel", Access::public_, "proj_job_cancel",
                          "Cancel a job that has not ended"}),
    endpoint<retry_job>({Verb::post, "/v0/projects/{project}/jobs/{job}/retry", Access::public_, "proj_job_retry",
                         "Try a job that has failed or was canceled again, as a new job of its report"}),
};

// The live log.

extern const std::array<CustomEndpoint, 1> streams;

constexpr std::chrono::milliseconds ping_interval{15'000};
constexpr std::size_t chunk_size = 64 * 1024;

/// Only the lines that are no output, for who may not see that.
std::string without_output(const std::string& lines) {
  std::string out;
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = lines.find('\n', at) + 1;
    const auto line = std::string_view(lines).substr(at, end - at);
    if (line.find(R"("event":"log")") == std::string_view::npos) out += line;
    at = end;
  }
  return out;
}

struct Watched {
  st::JobRow job;
  Uuid<Project> project;
  std::optional<std::uint32_t> position;
  bool may_see_output = false;
};

Task<void> stream_output(App& app, http::Exchange& exchange, http::Params path) {
  const auto& row = streams[0].row;
  auto& context = app.context();
  auto id = ResourceId::parse(path[0].second);
  auto uuid = AnyUuid::parse(path[1].second);
  auto query = http::parse_query(exchange.head().query);
  if (!id || !uuid || !query) {
    auto error = !id ? id.error() : !uuid ? uuid.error() : query.error();
    co_await app.refuse(exchange, std::move(error));
    co_return;
  }
  std::optional<std::uint64_t> after;
  bool follow = true;
  for (const auto& [key, value] : *query) {
    if (key == "follow") follow = value != "false";
    if (key != "after") continue;
    auto number = http::detail::from_text<std::uint64_t>(value, key);
    if (!number) {
      co_await app.refuse(exchange, std::move(number).error());
      co_return;
    }
    after = *number;
  }
  const auto env = context.env();
  const auto work = [&](st::Connection& c) -> Result<Watched> {
    BENCHER_TRY(auto actor, authenticate(c, context, exchange.head(), Access::public_, env.time()));
    const bool known = actor.kind != Actor::Kind::anonymous;
    Call call{c, context, env, exchange.head(), std::move(actor), {}};
    BENCHER_TRY(const auto project, viewable_project(call, *id));
    BENCHER_TRY(auto job, the_job(call, project.id, *uuid));
    const auto position = st::queue_position(c, job);
    return Watched{std::move(job), project.project.uuid, position, known || !project.project.claimed};
  };
  auto watched = co_await context.read(work);
  if (!watched) {
    co_await app.answer(exchange, row, std::move(watched).error());
    co_return;
  }
  auto log = context.hub->find_log(*uuid);
  if (!log) {
    // Nobody has watched it since the server started: the log begins with where the job is now.
    if (is_final(watched->job.state.status)) {
      const auto load = [&] { return load_output(context.blobs, watched->project, watched->job.uuid); };
      auto output = co_await context.compute(load);
      log = context.hub->log(*uuid);
      if (output) {
        for (std::size_t i = 0; i < output->results.size(); ++i) {
          const auto& result = output->results[i];
          if (result.stdout_) log->append_log(static_cast<std::uint32_t>(i), false, *result.stdout_);
          if (result.stderr_) log->append_log(static_cast<std::uint32_t>(i), true, *result.stderr_);
        }
      }
      context.hub->status(*uuid, watched->job.state.status, std::nullopt, output ? output->error : std::nullopt);
    } else {
      context.hub->status(*uuid, watched->job.state.status, watched->position, std::nullopt);
      log = context.hub->log(*uuid);
    }
  }
  http::Response response;
  response.content_type = "application/x-ndjson";
  response.headers.push_back({"access-control-allow-origin", "*"});
  response.headers.push_back({"cache-control", "no-store"});
  auto begun = co_await exchange.begin_stream(std::move(response));
  if (!begun) co_return;
  std::uint64_t at = after.value_or(0);
  bool skip_line = after.has_value();
  struct Watching {
    explicit Watching(JobLog& l) : log(l) { ++log.watchers; }
    ~Watching() { --log.watchers; }
    JobLog& log;
  } watching(*log);
  for (;;) {
    const auto seen = log->changed.count();
    auto text = log->read(at, chunk_size);
    if (!text.empty()) {
      at += text.size();
      if (skip_line) {
        text.erase(0, text.find('\n') + 1);
        skip_line = false;
      }
      if (!watched->may_see_output) text = without_output(text);
      if (!text.empty()) {
        auto sent = co_await exchange.write_chunk(std::move(text));
        if (!sent) co_return;
      }
      continue;
    }
    if (log->ended || !follow || context.hub->stopping()) break;
    if (log->changed.count() != seen) continue;
    const bool changed = co_await log->changed.wait(ping_interval);
    if (!changed && !context.hub->stopping()) {
      std::string ping = "{\"event\":\"ping\"}\n";
      auto sent = co_await exchange.write_chunk(std::move(ping));
      if (!sent) co_return;
    }
  }
  co_await exchange.end_stream();
}

void describe_stream(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<JobPath>>::describe(op, components);
  op["responses"] =
      boost::json::object{{"200", boost::json::object{{"description", "one JSON object a line: status, log, end, ping"},
                                                      {"content", {{"application/x-ndjson", boost::json::object{}}}}}}};
}

const std::array<CustomEndpoint, 1> streams{
    CustomEndpoint{{Verb::get, "/v0/projects/{project}/jobs/{job}/output/stream", Access::public_,
                    "proj_job_output_stream", "Follow a job's states and output as they happen"},
                   stream_output,
                   describe_stream},
};

}  // namespace

std::span<const Endpoint> job_endpoints() {
  return table;
}
std::span<const CustomEndpoint> stream_endpoints() {
  return streams;
}

}  // namespace bencher::server
