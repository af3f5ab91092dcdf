// Branches, testbeds, benchmarks and measures.
#include <fmt/core.h>

#include "apps/server/api.hpp"
#include "lib/project/json.hpp"
#include "lib/report/new_run_json.hpp"
#include "lib/storage/specs.hpp"

namespace bencher::server {
namespace {

/// The filters of a dimension's list, whatever its names are.
template <class Q>
st::Filter filter_of(const Q& query) {
  return {text(query.name), query.search, query.archived.value_or(false)};
}
struct BranchQuery : PageQuery {
  std::optional<NameSort> sort;
  std::optional<BranchName> name;
  std::optional<std::string> search;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(BranchQuery, (PageQuery), (sort, name, search, archived))
struct BenchmarkQuery : PageQuery {
  std::optional<NameSort> sort;
  std::optional<BenchmarkName> name;
  std::optional<std::string> search;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(BenchmarkQuery, (PageQuery), (sort, name, search, archived))
struct ResourceQuery : PageQuery {
  std::optional<NameSort> sort;
  std::optional<ResourceName> name;
  std::optional<std::string> search;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(ResourceQuery, (PageQuery), (sort, name, search, archived))

struct BranchPath {
  ResourceId project;
  ResourceId branch;
};
struct TestbedPath {
  ResourceId project;
  ResourceId testbed;
};
struct BenchmarkPath {
  ResourceId project;
  ResourceId benchmark;
};
struct MeasurePath {
  ResourceId project;
  ResourceId measure;
};
BOOST_DESCRIBE_STRUCT(BranchPath, (), (project, branch))
BOOST_DESCRIBE_STRUCT(TestbedPath, (), (project, testbed))
BOOST_DESCRIBE_STRUCT(BenchmarkPath, (), (project, benchmark))
BOOST_DESCRIBE_STRUCT(MeasurePath, (), (project, measure))

struct NewBranchStartPoint {
  BranchNameId branch;
  std::optional<GitHash> hash;
  std::optional<std::uint32_t> max_versions;
  std::optional<bool> clone_thresholds;
};
BOOST_DESCRIBE_STRUCT(NewBranchStartPoint, (), (branch, hash, max_versions, clone_thresholds))
struct NewBranch {
  BranchName name;
  std::optional<Slug> slug;
  std::optional<NewBranchStartPoint> start_point;
};
BOOST_DESCRIBE_STRUCT(NewBranch, (), (name, slug, start_point))
struct UpdateBranch {
  std::optional<BranchName> name;
  std::optional<Slug> slug;
  std::optional<wire::StartPointBody> start_point;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateBranch, (), (name, slug, start_point, archived))
struct HeadQuery {
  std::optional<AnyUuid> head;
};
BOOST_DESCRIBE_STRUCT(HeadQuery, (), (head))

struct NewTestbed {
  ResourceName name;
  std::optional<Slug> slug;
  std::optional<ResourceId> spec;
};
BOOST_DESCRIBE_STRUCT(NewTestbed, (), (name, slug, spec))
struct UpdateTestbed {
  using strict_members = void;
  std::optional<ResourceName> name;
  std::optional<Slug> slug;
  json::Patch<ResourceId> spec;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateTestbed, (), (name, slug, spec, archived))
struct SpecQuery {
  std::optional<AnyUuid> spec;
};
BOOST_DESCRIBE_STRUCT(SpecQuery, (), (spec))

struct NewBenchmark {
  BenchmarkName name;
  std::optional<Slug> slug;
};
BOOST_DESCRIBE_STRUCT(NewBenchmark, (), (name, slug))
struct UpdateBenchmark {
  std::optional<BenchmarkName> name;
  std::optional<Slug> slug;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateBenchmark, (), (name, slug, archived))
struct NewMeasure {
  ResourceName name;
  std::optional<Slug> slug;
  ResourceName units;
};
BOOST_DESCRIBE_STRUCT(NewMeasure, (), (name, slug, units))
struct UpdateMeasure {
  std::optional<ResourceName> name;
  std::optional<Slug> slug;
  std::optional<ResourceName> units;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateMeasure, (), (name, slug, units, archived))

/// A project key may change anything of a dimension but what it is called.
template <class U>
Result<void> check_rename(const Call& call, const U& body) {
  if (call.actor.kind == Actor::Kind::project_key && (body.name || body.slug))
    return Error(Errc::forbidden, "a project key cannot change a name or slug; use a user key");
  return {};
}

template <class U>
st::DimensionChange change_of(const U& body) {
  st::DimensionChange change;
  change.name = text(body.name);
  change.slug = text(body.slug);
  change.archived = body.archived;
  return change;
}

std::string free_slug(Call& call, st::Dimension dimension, st::ProjectId project, const std::optional<Slug>& given,
                      std::string_view name) {
  return pipeline::free_slug(call.env, text(given), name,
                             [&](std::string_view s) { return st::slug_taken(call.c, dimension, project, s); });
}

/// A new row's common members.
template <class T>
T make(Call& call, std::string name, std::string slug) {
  T out;
  out.uuid = Uuid<T>(call.env.uuid());
  out.name = std::move(name);
  out.slug = std::move(slug);
  out.created = out.modified = call.now();
  return out;
}

// Branches.

Result<Listed<Branch>> list_branches(Call& call, const Path<ProjectPath>& path, const Query<BranchQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  auto page = st::list_branches(call.c, project.id, filter_of(query.value), query.value.paging());
  return Listed<Branch>{std::move(page.items), page.total};
}

Result<st::BranchRow> the_branch(Call& call, st::ProjectId project, const ResourceId& id) {
  auto row = st::find_branch(call.c, project, st::Key::of(id));
  if (!row) return not_found("branch", id.str());
  return *std::move(row);
}

Result<Created<Branch>> create_branch(Call& call, const Path<ProjectPath>& path, const Body<NewBranch>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  std::optional<NewStartPoint> start;
  if (body.value.start_point) {
    start.emplace();
    start->branch = body.value.start_point->branch;
    start->hash = body.value.start_point->hash;
    start->max_versions = body.value.start_point->max_versions.value_or(255);
    start->clone_thresholds = body.value.start_point->clone_thresholds.value_or(false);
  }
  BENCHER_TRY(auto row,
              pipeline::create_branch(call.c, call.env, project.id, body.value.name, text(body.value.slug), start));
  return Created<Branch>{std::move(row.branch)};
}

Result<Ok<Branch>> view_branch(Call& call, const Path<BranchPath>& path, const Query<HeadQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(auto row, the_branch(call, project.id, path.value.branch));
  if (query.value.head) {
    const auto head = st::find_head(call.c, row.id, *query.value.head);
    if (!head) return not_found("head", query.value.head->str());
    row = *st::branch_with_head(call.c, *head, std::nullopt);
  }
  return Ok<Branch>{std::move(row.branch)};
}

Result<Ok<Branch>> update_branch(Call& call, const Path<BranchPath>& path, const Body<UpdateBranch>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_DO(check_rename(call, body.value));
  BENCHER_TRY(const auto row, the_branch(call, project.id, path.value.branch));
  if (body.value.start_point) {
    NewStartPoint start;
    start.branch = body.value.start_point->branch;
    start.hash = body.value.start_point->hash;
    start.max_versions = body.value.start_point->max_versions.value_or(255);
    start.clone_thresholds = body.value.start_point->clone_thresholds.value_or(false);
    start.reset = body.value.start_point->reset.value_or(false);
    BENCHER_DO(pipeline::update_start_point(call.c, call.env, project.id, row, start));
  }
  BENCHER_DO(st::update_dimension(call.c, st::Dimension::branch, static_cast<std::int64_t>(row.id),
                                  change_of(body.value), call.now()));
  return Ok<Branch>{st::find_branch(call.c, project.id, st::Key::of(ResourceId(row.branch.uuid)))->branch};
}

// Testbeds.

Result<std::optional<st::SpecId>> spec_id(Call& call, const std::optional<ResourceId>& id) {
  if (!id) return std::optional<st::SpecId>();
  const auto spec = st::find_spec(call.c, *id);
  if (!spec) return not_found("spec", id->str());
  return std::optional(spec->id);
}

Result<st::TestbedRow> the_testbed(Call& call, st::ProjectId project, const ResourceId& id) {
  auto row = st::find_testbed(call.c, project, st::Key::of(id));
  if (!row) return not_found("testbed", id.str());
  return *std::move(row);
}

Result<Listed<Testbed>> list_testbeds(Call& call, const Path<ProjectPath>& path, const Query<ResourceQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  auto page = st::list_testbeds(call.c, project.id, filter_of(query.value), query.value.paging());
  return Listed<Testbed>{std::move(page.items), page.total};
}

Result<Created<Testbed>> create_testbed(Call& call, const Path<ProjectPath>& path, const Body<NewTestbed>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_TRY(const auto spec, spec_id(call, body.value.spec));
  const auto name = body.value.name.str();
  const auto testbed =
      make<Testbed>(call, name, free_slug(call, st::Dimension::testbed, project.id, body.value.slug, name));
  BENCHER_TRY(const auto id, st::insert_testbed(call.c, project.id, testbed, spec));
  return Created<Testbed>{st::testbed_by_id(call.c, id)->testbed};
}

Result<Ok<Testbed>> view_testbed(Call& call, const Path<TestbedPath>& path, const Query<SpecQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(auto row, the_testbed(call, project.id, path.value.testbed));
  if (query.value.spec) {
    auto spec = st::find_spec(call.c, ResourceId(*query.value.spec));
    if (!spec) return not_found("spec", query.value.spec->str());
    row.testbed.spec = std::move(spec->spec);
  }
  return Ok<Testbed>{std::move(row.testbed)};
}

Result<Ok<Testbed>> update_testbed(Call& call, const Path<TestbedPath>& path, const Body<UpdateTestbed>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_DO(check_rename(call, body.value));
  BENCHER_TRY(const auto row, the_testbed(call, project.id, path.value.testbed));
  auto change = change_of(body.value);
  change.spec_given = body.value.spec.given;
  BENCHER_TRY(change.spec, spec_id(call, body.value.spec.value));
  BENCHER_DO(
      st::update_dimension(call.c, st::Dimension::testbed, static_cast<std::int64_t>(row.id), change, call.now()));
  return Ok<Testbed>{st::testbed_by_id(call.c, row.id)->testbed};
}

// Benchmarks.

Result<st::BenchmarkRow> the_benchmark(Call& call, st::ProjectId project, const ResourceId& id) {
  auto row = st::find_benchmark(call.c, project, st::Key::of(id));
  if (!row) return not_found("benchmark", id.str());
  return *std::move(row);
}

Result<Listed<Benchmark>> list_benchmarks(Call& call, const Path<ProjectPath>& path,
                                          const Query<BenchmarkQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  auto page = st::list_benchmarks(call.c, project.id, filter_of(query.value), query.value.paging());
  return Listed<Benchmark>{std::move(page.items), page.total};
}

Result<Created<Benchmark>> create_benchmark(Call& call, const Path<ProjectPath>& path, const Body<NewBenchmark>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  const auto name = body.value.name.str();
  const auto benchmark =
      make<Benchmark>(call, name, free_slug(call, st::Dimension::benchmark, project.id, body.value.slug, name));
  BENCHER_TRY(const auto id, st::insert_benchmark(call.c, project.id, benchmark));
  return Created<Benchmark>{st::benchmark_by_id(call.c, id)->benchmark};
}

Result<Ok<Benchmark>> view_benchmark(Call& call, const Path<BenchmarkPath>& path) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(auto row, the_benchmark(call, project.id, path.value.benchmark));
  return Ok<Benchmark>{std::move(row.benchmark)};
}

Result<Ok<Benchmark>> update_benchmark(Call& call, const Path<BenchmarkPath>& path, const Body<UpdateBenchmark>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_DO(check_rename(call, body.value));
  BENCHER_TRY(const auto row, the_benchmark(call, project.id, path.value.benchmark));
  BENCHER_DO(st::update_dimension(call.c, st::Dimension::benchmark, static_cast<std::int64_t>(row.id),
                                  change_of(body.value), call.now()));
  return Ok<Benchmark>{st::benchmark_by_id(call.c, row.id)->benchmark};
}

// Measures.

Result<st::MeasureRow> the_measure(Call& call, st::ProjectId project, const ResourceId& id) {
  auto row = st::find_measure(call.c, project, st::Key::of(id));
  if (!row) return not_found("measure", id.str());
  return *std::move(row);
}

Result<Listed<Measure>> list_measures(Call& call, const Path<ProjectPath>& path, const Query<ResourceQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  auto page = st::list_measures(call.c, project.id, filter_of(query.value), query.value.paging());
  return Listed<Measure>{std::move(page.items), page.total};
}

Result<Created<Measure>> create_measure(Call& call, const Path<ProjectPath>& path, const Body<NewMeasure>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  const auto name = body.value.name.str();
  auto measure = make<Measure>(call, name, free_slug(call, st::Dimension::measure, project.id, body.value.slug, name));
  measure.units = body.value.units.str();
  BENCHER_TRY(const auto id, st::insert_measure(call.c, project.id, measure));
  return Created<Measure>{st::measure_by_id(call.c, id)->measure};
}

Result<Ok<Measure>> view_measure(Call& call, const Path<MeasurePath>& path) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  BENCHER_TRY(auto row, the_measure(call, project.id, path.value.measure));
  return Ok<Measure>{std::move(row.measure)};
}

Result<Ok<Measure>> update_measure(Call& call, const Path<MeasurePath>& path, const Body<UpdateMeasure>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  BENCHER_DO(check_rename(call, body.value));
  BENCHER_TRY(const auto row, the_measure(call, project.id, path.value.measure));
  auto change = change_of(body.value);
  change.units = text(body.value.units);
  BENCHER_DO(
      st::update_dimension(call.c, st::Dimension::measure, static_cast<std::int64_t>(row.id), change, call.now()));
  return Ok<Measure>{st::measure_by_id(call.c, row.id)->measure};
}

constexpr std::array table{
    endpoint<list_branches>({Verb::get, "/v0/projects/{project}/branches", Access::public_, "proj_branches_get",
                             "List the branches of a project"}),
    endpoint<create_branch>(
        {Verb::post, "/v0/projects/{project}/branches", Access::public_, "proj_branch_post", "Create a branch"}),
    endpoint<view_branch>(
        {Verb::get, "/v0/projects/{project}/branches/{branch}", Access::public_, "proj_branch_get", "View a branch"}),
    endpoint<update_branch>({Verb::patch, "/v0/projects/{project}/branches/{branch}", Access::public_,
                             "proj_branch_patch", "Update a branch"}),
    endpoint<list_testbeds>({Verb::get, "/v0/projects/{project}/testbeds", Access::public_, "proj_testbeds_get",
                             "List the testbeds of a project"}),
    endpoint<create_testbed>(
        {Verb::post, "/v0/projects/{project}/testbeds", Access::public_, "proj_testbed_post", "Create a testbed"}),
    endpoint<view_testbed>({Verb::get, "/v0/projects/{project}/testbeds/{testbed}", Access::public_, "proj_testbed_get",
                            "View a testbed"}),
    endpoint<update_testbed>({Verb::patch, "/v0/projects/{project}/testbeds/{testbed}", Access::public_,
                              "proj_testbed_patch", "Update a testbed"}),
    endpoint<list_benchmarks>({Verb::get, "/v0/projects/{project}/benchmarks", Access::public_, "proj_benchmarks_get",
                               "List the benchmarks of a project"}),
    endpoint<create_benchmark>({Verb::post, "/v0/projects/{project}/benchmarks", Access::public_, "proj_benchmark_post",
                                "Create a benchmark"}),
    endpoint<view_benchmark>({Verb::get, "/v0/projects/{project}/benchmarks/{benchmark}", Access::public_,
                              "proj_benchmark_get", "View a benchmark"}),
    endpoint<update_benchmark>({Verb::patch, "/v0/projects/{project}/benchmarks/{benchmark}", Access::public_,
                                "proj_benchmark_patch", "Update a benchmark"}),
    endpoint<list_measures>({Verb::get, "/v0/projects/{project}/measures", Access::public_, "proj_measures_get",
                             "List the measures of a project"}),
    endpoint<create_measure>(
        {Verb::post, "/v0/projects/{project}/measures", Access::public_, "proj_measure_post", "Create a measure"}),
    endpoint<view_measure>({Verb::get, "/v0/projects/{project}/measures/{measure}", Access::public_, "proj_measure_get",
                            "View a measure"}),
    endpoint<update_measure>({Verb::patch, "/v0/projects/{project}/measures/{measure}", Access::public_,
                              "proj_measure_patch", "Update a measure"}),
};

}  // namespace

std::span<const Endpoint> dimension_endpoints() {
  return table;
}

}  // namespace bencher::server
