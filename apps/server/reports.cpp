// Runs and reports.
#include <fmt/core.h>

#include "apps/server/app.hpp"
#include "apps/server/hub.hpp"
#include "lib/report/json.hpp"
#include "lib/report/new_run_json.hpp"

namespace bencher::server {
namespace {

enum class ReportSort { date_time };
BOOST_DESCRIBE_ENUM(ReportSort, date_time)
struct ReportsQuery : PageQuery {
  std::optional<ReportSort> sort;
  std::optional<BranchNameId> branch;
  std::optional<ResourceNameId> testbed;
  std::optional<std::int64_t> start_time;
  std::optional<std::int64_t> end_time;
  std::optional<bool> archived;
  std::optional<bool> expand;
};
BOOST_DESCRIBE_STRUCT(ReportsQuery, (PageQuery), (sort, branch, testbed, start_time, end_time, archived, expand))
struct ReportPath {
  ResourceId project;
  AnyUuid report;
};
BOOST_DESCRIBE_STRUCT(ReportPath, (), (project, report))

std::optional<Timestamp> from_ms(std::optional<std::int64_t> ms) {
  if (!ms) return std::nullopt;
  return Timestamp::of(Instant(std::chrono::milliseconds(*ms)));
}

Result<Listed<ReportWire>> list_reports(Call& call, const Path<ProjectPath>& path, const Query<ReportsQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  const auto& q = query.value;
  st::ReportFilter filter;
  if (q.branch) {
    const auto row = st::find_branch(call.c, project.id, st::Key::of(*q.branch));
    if (!row) return Listed<ReportWire>{};
    filter.branch = row->id;
  }
  if (q.testbed) {
    const auto row = st::find_testbed(call.c, project.id, st::Key::of(*q.testbed));
    if (!row) return Listed<ReportWire>{};
    filter.testbed = row->id;
  }
  filter.start_time = from_ms(q.start_time);
  filter.end_time = from_ms(q.end_time);
  filter.archived = q.archived.value_or(false);
  filter.expand = q.expand.value_or(false);
  auto page = st::list_reports(call.c, project.id, filter, q.paging(true));
  Listed<ReportWire> out;
  out.total = page.total;
  for (auto& report : page.items)
    out.value.push_back(to_wire(std::move(report)));
  return out;
}

Result<st::ReportRow> the_report(Call& call, st::ProjectId project, const AnyUuid& uuid) {
  auto row = st::find_report(call.c, project, uuid);
  if (!row) return not_found("report", uuid.str());
  return *std::move(row);
}

Result<Ok<ReportWire>> view_report(Call& call, const Path<ReportPath>& path) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_report(call, project.id, path.value.report));
  return Ok<ReportWire>{to_wire(st::load_report(call.c, row, true))};
}

Result<NoContent> delete_report(Call& call, const Path<ReportPath>& path) {
  BENCHER_TRY(const auto project, managed_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_report(call, project.id, path.value.report));
  st::delete_report(call.c, row);
  return NoContent{};
}

constexpr std::array table{
    endpoint<list_reports>({Verb::get, "/v0/projects/{project}/reports", Access::public_, "proj_reports_get",
                            "List the reports of a project"}),
    endpoint<view_report>(
        {Verb::get, "/v0/projects/{project}/reports/{report}", Access::public_, "proj_report_get", "View a report"}),
    endpoint<delete_report>({Verb::delete_, "/v0/projects/{project}/reports/{report}", Access::user,
                             "proj_report_delete", "Delete a report with its metrics and alerts"}),
};

// A run is read and its results are parsed beside the writer; then one transaction stores it all.

struct Prepared {
  NewRun run;
  Result<ReadResults> parsed = ReadResults();
};

Result<Prepared> prepare(std::string_view body, Result<NewRun> (*read)(std::string_view)) {
  auto run = read(body);
  if (!run) return std::move(run).error().within("unable to parse the JSON body");
  Prepared out{*std::move(run), ReadResults()};
  if (!out.run.job) out.parsed = pipeline::read_results(out.run);
  out.run.results.clear();
  return out;
}

/// Bodies and reports up to this size are not worth a change of threads.
constexpr std::size_t small = 16 * 1024;

Result<http::Reply> print_report(Report report) {
  http::Reply reply;
  reply.status = 201;
  json::write(reply.body, to_wire(std::move(report)));
  return reply;
}

std::size_t metrics_in(const Report& report) {
  std::size_t count = 0;
  for (const auto& iteration : report.results)
    count += iteration.size();
  return count;
}

Task<void> answer_report(App& app, http::Exchange& exchange, const http::Row& row, Report report) {
  Result<http::Reply> reply = http::Reply{};
  if (metrics_in(report) > 8) {
    const auto print = [&] { return print_report(std::move(report)); };
    reply = co_await app.context().compute(print);
  } else {
    reply = print_report(std::move(report));
  }
  co_await app.answer(exchange, row, std::move(reply));
}

Task<Result<Prepared>> read_run(App& app, http::Exchange& exchange, Result<NewRun> (*read)(std::string_view)) {
  auto body = co_await app.read_json(exchange);
  if (!body) co_return std::move(body).error();
  if (body->size() <= small) co_return prepare(*body, read);
  const auto work = [&] { return prepare(*body, read); };
  auto prepared = co_await app.context().compute(work);
  co_return prepared;
}

extern const std::array<CustomEndpoint, 2> runs;

Task<void> post_run(App& app, http::Exchange& exchange, http::Params) {
  auto prepared = co_await read_run(app, exchange, parse_new_run);
  if (!prepared) {
    co_await app.refuse(exchange, std::move(prepared).error());
    co_return;
  }
  auto& context = app.context();
  const auto env = context.env(App::source_ip(exchange.head()));
  const auto work = [&](st::Connection& c) -> Result<pipeline::Submitted> {
    BENCHER_TRY(const auto actor, authenticate(c, context, exchange.head(), Access::public_, env.time()));
    return pipeline::submit(c, env, prepared->run, prepared->parsed, actor);
  };
  auto submitted = co_await context.write(work);
  if (!submitted) {
    co_await app.answer(exchange, runs[0].row, std::move(submitted).error());
    co_return;
  }
  if (submitted->job) {
    context.hub->status(*submitted->job_uuid, JobStatus::pending, submitted->position, std::nullopt);
    context.hub->wake(*submitted->spec);
  }
  co_await answer_report(app, exchange, runs[0].row, std::move(submitted->report));
}

Task<void> post_report(App& app, http::Exchange& exchange, http::Params path) {
  auto id = ResourceId::parse(path[0].second);
  if (!id) {
    co_await app.refuse(exchange, std::move(id).error());
    co_return;
  }
  auto prepared = co_await read_run(app, exchange, parse_new_report);
  if (!prepared) {
    co_await app.refuse(exchange, std::move(prepared).error());
    co_return;
  }
  auto& context = app.context();
  const auto env = context.env(App::source_ip(exchange.head()));
  const auto work = [&](st::Connection& c) -> Result<Report> {
    BENCHER_TRY(auto actor, authenticate(c, context, exchange.head(), Access::public_, env.time()));
    Call call{c, context, env, exchange.head(), actor, {}};
    BENCHER_TRY(const auto project, editable_project(call, *id));
    return pipeline::submit_report(c, env, project, prepared->run, prepared->parsed, actor);
  };
  auto report = co_await context.write(work);
  if (!report) {
    co_await app.answer(exchange, runs[1].row, std::move(report).error());
    co_return;
  }
  co_await answer_report(app, exchange, runs[1].row, *std::move(report));
}

template <class B>
void describe_run(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Body<B>>::describe(op, components);
  op["responses"] = boost::json::object{
      {"201",
       boost::json::object{{"description", "success"},
                           {"content", {{"application/json", {{"schema", json::schema<ReportWire>(components)}}}}}}}};
}

void describe_report(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<ProjectPath>>::describe(op, components);
  describe_run<wire::ReportBody>(op, components);
}

const std::array<CustomEndpoint, 2> runs{
    CustomEndpoint{{Verb::post, "/v0/run", Access::public_, "run_post", "Report results, or run a job that makes them"},
                   post_run,
                   describe_run<wire::RunBody>},
    CustomEndpoint{{Verb::post, "/v0/projects/{project}/reports", Access::public_, "proj_report_post",
                    "Report results to a project that exists"},
                   post_report,
                   describe_report},
};

}  // namespace

std::span<const Endpoint> report_endpoints() {
  return table;
}
std::span<const CustomEndpoint> run_endpoints() {
  return runs;
}

}  // namespace bencher::server
