// Series of metrics.
#include "lib/storage/perf.hpp"

#include <fmt/core.h>

#include "apps/server/api.hpp"
#include "lib/report/json.hpp"

namespace bencher::server {
namespace {

struct PerfParams {
  std::string branches;
  std::optional<std::string> heads;
  std::string testbeds;
  std::optional<std::string> specs;
  std::string benchmarks;
  std::string measures;
  std::optional<std::int64_t> start_time;
  std::optional<std::int64_t> end_time;
};
BOOST_DESCRIBE_STRUCT(PerfParams, (), (branches, heads, testbeds, specs, benchmarks, measures, start_time, end_time))
struct MetricPath {
  ResourceId project;
  AnyUuid metric;
};
BOOST_DESCRIBE_STRUCT(MetricPath, (), (project, metric))

Result<std::vector<std::optional<AnyUuid>>> uuids(std::string_view name, std::string_view list, bool may_be_empty) {
  std::vector<std::optional<AnyUuid>> out;
  for (;;) {
    const auto comma = list.find(',');
    const auto item = list.substr(0, comma);
    if (item.empty()) {
      if (!may_be_empty)
        return Error(Errc::invalid_argument, fmt::format("parameter '{}': expected UUIDs, joined by commas", name));
      out.emplace_back();
    } else {
      auto uuid = AnyUuid::parse(item);
      if (!uuid) return std::move(uuid).error().within(fmt::format("parameter '{}'", name));
      out.emplace_back(*uuid);
    }
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

Result<std::vector<AnyUuid>> required(std::string_view name, std::string_view list) {
  BENCHER_TRY(const auto found, uuids(name, list, false));
  std::vector<AnyUuid> out;
  for (const auto& u : found)
    out.push_back(*u);
  return out;
}

/// Milliseconds since 1970, as queries have them, cut to seconds.
std::optional<Timestamp> from_ms(std::optional<std::int64_t> ms) {
  if (!ms) return std::nullopt;
  return Timestamp::of(Instant(std::chrono::milliseconds(*ms)));
}

Result<Ok<Perf>> view_perf(Call& call, const Path<ProjectPath>& path, const Query<PerfParams>& query) {
  const auto& q = query.value;
  st::PerfQuery perf;
  BENCHER_TRY(perf.branches, required("branches", q.branches));
  BENCHER_TRY(perf.testbeds, required("testbeds", q.testbeds));
  BENCHER_TRY(perf.benchmarks, required("benchmarks", q.benchmarks));
  BENCHER_TRY(perf.measures, required("measures", q.measures));
  if (q.heads && !q.heads->empty()) {
    BENCHER_TRY(perf.heads, uuids("heads", *q.heads, true));
  }
  if (q.specs && !q.specs->empty()) {
    BENCHER_TRY(perf.specs, uuids("specs", *q.specs, true));
  }
  perf.start_time = from_ms(q.start_time);
  perf.end_time = from_ms(q.end_time);
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  return Ok<Perf>{st::load_perf(call.c, project, perf)};
}

Result<Ok<OneMetric>> view_metric(Call& call, const Path<MetricPath>& path) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  auto metric = st::find_metric(call.c, project.id, path.value.metric);
  if (!metric) return not_found("metric", path.value.metric.str());
  return Ok<OneMetric>{*std::move(metric)};
}

constexpr std::array table{
    endpoint<view_perf>({Verb::get, "/v0/projects/{project}/perf", Access::public_, "proj_perf_get",
                         "Series of metrics, by branch, testbed, benchmark and measure"}),
    endpoint<view_metric>(
        {Verb::get, "/v0/projects/{project}/metrics/{metric}", Access::public_, "proj_metric_get", "View a metric"}),
};

}  // namespace

std::span<const Endpoint> perf_endpoints() {
  return table;
}

}  // namespace bencher::server
