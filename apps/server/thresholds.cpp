// Thresholds.
#include "lib/storage/thresholds.hpp"

#include "apps/server/api.hpp"
#include "lib/report/json.hpp"
#include "lib/report/new_run_json.hpp"

namespace bencher::server {
namespace {

enum class TimeSort { created, modified };
BOOST_DESCRIBE_ENUM(TimeSort, created, modified)
struct ThresholdsQuery : PageQuery {
  std::optional<TimeSort> sort;
  std::optional<BranchNameId> branch;
  std::optional<ResourceNameId> testbed;
  std::optional<ResourceNameId> measure;
  std::optional<BenchmarkNameId> benchmark;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(ThresholdsQuery, (PageQuery), (sort, branch, testbed, measure, benchmark, archived))
struct ThresholdPath {
  ResourceId project;
  AnyUuid threshold;
};
BOOST_DESCRIBE_STRUCT(ThresholdPath, (), (project, threshold))
struct ModelQuery {
  std::optional<AnyUuid> model;
};
BOOST_DESCRIBE_STRUCT(ModelQuery, (), (model))
struct NewThreshold : wire::ModelBody {
  BranchNameId branch;
  ResourceNameId testbed;
  ResourceNameId measure;
  std::optional<BenchmarkNameId> benchmark;  ///< the only one it is of
};
BOOST_DESCRIBE_STRUCT(NewThreshold, (wire::ModelBody), (branch, testbed, measure, benchmark))
struct PutThreshold {
  using strict_members = void;
  json::Patch<std::string> test;
  json::Patch<std::uint32_t> min_sample_size;
  json::Patch<std::uint32_t> max_sample_size;
  json::Patch<std::uint32_t> window;
  json::Patch<double> lower_boundary;
  json::Patch<double> upper_boundary;
};
BOOST_DESCRIBE_STRUCT(PutThreshold, (),
                      (test, min_sample_size, max_sample_size, window, lower_boundary, upper_boundary))

Result<st::ThresholdRow> the_threshold(Call& call, st::ProjectId project, const AnyUuid& uuid) {
  auto row = st::find_threshold(call.c, project, uuid);
  if (!row) return not_found("threshold", uuid.str());
  return *std::move(row);
}

Result<Listed<Threshold>> list_thresholds(Call& call, const Path<ProjectPath>& path,
                                          const Query<ThresholdsQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  const auto& q = query.value;
  st::ThresholdFilter filter;
  filter.archived = q.archived.value_or(false);
  // A filter that names nothing known finds nothing.
  if (q.branch) {
    const auto row = st::find_branch(call.c, project.id, st::Key::of(*q.branch));
    if (!row) return Listed<Threshold>{};
    filter.branch = row->id;
  }
  if (q.testbed) {
    const auto row = st::find_testbed(call.c, project.id, st::Key::of(*q.testbed));
    if (!row) return Listed<Threshold>{};
    filter.testbed = row->id;
  }
  if (q.measure) {
    const auto row = st::find_measure(call.c, project.id, st::Key::of(*q.measure));
    if (!row) return Listed<Threshold>{};
    filter.measure = row->id;
  }
  if (q.benchmark) {
    const auto row = st::find_benchmark(call.c, project.id, st::Key::of(*q.benchmark));
    if (!row) return Listed<Threshold>{};
    filter.benchmark = row->id;
  }
  const auto sort = q.sort == TimeSort::modified ? st::ThresholdSort::modified : st::ThresholdSort::created;
  auto page = st::list_thresholds(call.c, project.id, filter, sort, q.paging(sort == st::ThresholdSort::modified));
  return Listed<Threshold>{std::move(page.items), page.total};
}

Result<Created<Threshold>> create_threshold(Call& call, const Path<ProjectPath>& path, const Body<NewThreshold>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_TRY(const auto model, wire::read_model(body.value));
  BENCHER_DO(validate(model));
  const auto branch = st::find_branch(call.c, project.id, st::Key::of(body.value.branch));
  if (!branch) return not_found("branch", body.value.branch.str());
  const auto testbed = st::find_testbed(call.c, project.id, st::Key::of(body.value.testbed));
  if (!testbed) return not_found("testbed", body.value.testbed.str());
  const auto measure = st::find_measure(call.c, project.id, st::Key::of(body.value.measure));
  if (!measure) return not_found("measure", body.value.measure.str());
  std::optional<st::BenchmarkId> benchmark;
  if (body.value.benchmark) {
    const auto row = st::find_benchmark(call.c, project.id, st::Key::of(*body.value.benchmark));
    if (!row) return not_found("benchmark", body.value.benchmark->str());
    benchmark = row->id;
  }
  BENCHER_TRY(const auto id, st::insert_threshold(call.c, project.id, branch->id, testbed->id, measure->id,
                                                  call.env.uuid(), call.now(), benchmark));
  pipeline::change_model(call.c, call.env, id, std::nullopt, model);
  const auto row = st::threshold_of(call.c, branch->id, testbed->id, measure->id, benchmark);
  return Created<Threshold>{st::load_threshold(call.c, *row)};
}

Result<Ok<Threshold>> view_threshold(Call& call, const Path<ThresholdPath>& path, const Query<ModelQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(auto row, the_threshold(call, project.id, path.value.threshold));
  if (query.value.model) {
    row.model = st::find_model(call.c, row.id, *query.value.model);
    if (!row.model) return not_found("model", query.value.model->str());
  }
  return Ok<Threshold>{st::load_threshold(call.c, row)};
}

Result<Ok<Threshold>> put_threshold(Call& call, const Path<ThresholdPath>& path, const Body<PutThreshold>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_threshold(call, project.id, path.value.threshold));
  const auto& in = body.value;
  if (!in.test.given)
    return Error(Errc::invalid_argument, "/test: expected to be present; `null` removes the current model");
  if (!in.test.value) {
    st::set_model(call.c, row.id, std::nullopt, call.now());
  } else {
    BENCHER_TRY(const auto model,
                wire::read_model({*in.test.value, in.min_sample_size.value, in.max_sample_size.value, in.window.value,
                                  in.lower_boundary.value, in.upper_boundary.value}));
    BENCHER_DO(validate(model));
    pipeline::change_model(call.c, call.env, row.id, row.model, model);
  }
  BENCHER_TRY(const auto changed, the_threshold(call, project.id, path.value.threshold));
  return Ok<Threshold>{st::load_threshold(call.c, changed)};
}

Result<NoContent> delete_threshold(Call& call, const Path<ThresholdPath>& path) {
  BENCHER_TRY(const auto project, managed_project(call, path.value.project));
  BENCHER_TRY(const auto row, the_threshold(call, project.id, path.value.threshold));
  BENCHER_DO(st::delete_threshold(call.c, row.id));
  return NoContent{};
}

constexpr std::array table{
    endpoint<list_thresholds>({Verb::get, "/v0/projects/{project}/thresholds", Access::public_, "proj_thresholds_get",
                               "List the thresholds of a project"}),
    endpoint<create_threshold>({Verb::post, "/v0/projects/{project}/thresholds", Access::public_, "proj_threshold_post",
                                "Create a threshold"}),
    endpoint<view_threshold>({Verb::get, "/v0/projects/{project}/thresholds/{threshold}", Access::public_,
                              "proj_threshold_get", "View a threshold"}),
    endpoint<put_threshold>({Verb::put, "/v0/projects/{project}/thresholds/{threshold}", Access::public_,
                             "proj_threshold_put", "Replace or remove the model of a threshold"}),
    endpoint<delete_threshold>({Verb::delete_, "/v0/projects/{project}/thresholds/{threshold}", Access::user,
                                "proj_threshold_delete", "Delete a threshold"}),
};

}  // namespace

std::span<const Endpoint> threshold_endpoints() {
  return table;
}

}  // namespace bencher::server
