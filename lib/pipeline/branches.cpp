// Branches with their start points, measures, and the thresholds that a run names.
#include <algorithm>

#include <fmt/core.h>

#include "bencher/project/measure.hpp"

#include "lib/pipeline/steps.hpp"
#include "lib/storage/thresholds.hpp"

namespace bencher::pipeline {

namespace st = bencher::storage;

namespace {

struct ResolvedStart {
  st::BranchId branch{};
  st::HeadId head{};
  st::VersionRow version;
};

/// The version a start point means; nothing when its branch is not there or has none.
std::optional<ResolvedStart> resolve_start(st::Connection& c, st::ProjectId project, const NewStartPoint& start) {
  if (!start.branch) return std::nullopt;
  const auto branch = st::find_branch(c, project, st::Key::of(*start.branch));
  if (!branch) return std::nullopt;
  std::optional<st::VersionRow> version;
  if (start.hash) version = st::version_with_hash(c, branch->head_id, start.hash->str());
  if (!version) version = st::latest_version(c, branch->head_id);
  if (!version) return std::nullopt;
  return ResolvedStart{branch->id, branch->head_id, *version};
}

/// Makes the thresholds of `to` those of `from`.
Result<void> clone_thresholds(st::Connection& c, const Env& env, st::ProjectId project, st::BranchId from,
                              st::BranchId to) {
  const auto source = st::thresholds_of_branch(c, from);
  for (const auto& mine : st::thresholds_of_branch(c, to)) {
    const bool kept = std::any_of(source.begin(), source.end(), [&](const st::ThresholdRow& s) {
      return s.testbed_id == mine.testbed_id && s.measure_id == mine.measure_id &&
             s.benchmark_id == mine.benchmark_id && s.model;
    });
    if (!kept && mine.model) st::set_model(c, mine.id, std::nullopt, env.time());
  }
  for (const auto& s : source) {
    if (!s.model) continue;
    auto mine = st::threshold_of(c, to, s.testbed_id, s.measure_id, s.benchmark_id);
    if (!mine) {
      BENCHER_DO(
          st::insert_threshold(c, project, to, s.testbed_id, s.measure_id, env.uuid(), env.time(), s.benchmark_id));
      mine = st::threshold_of(c, to, s.testbed_id, s.measure_id, s.benchmark_id);
    }
    change_model(c, env, mine->id, mine->model, st::model_of(*s.model));
  }
  return {};
}

/// Starts a head for the branch, with the history and thresholds of its start point.
Result<void> start_head(st::Connection& c, const Env& env, st::ProjectId project, st::BranchId branch,
                        std::optional<st::HeadId> former, const std::optional<ResolvedStart>& start,
                        const NewStartPoint& wanted) {
  const auto head = st::insert_head(c, branch, env.uuid(),
                                    start ? std::optional(start->version.head_version_id) : std::nullopt, env.time());
  st::replace_head(c, branch, former, head, env.time());
  if (!start) return {};
  st::clone_versions(c, start->head, start->version.version.number, wanted.max_versions, head);
  if (wanted.clone_thresholds && start->branch != branch)
    BENCHER_DO(clone_thresholds(c, env, project, start->branch, branch));
  return {};
}

}  // namespace

Result<st::BranchRow> create_branch(st::Connection& c, const Env& env, st::ProjectId project, const BranchName& name,
                                    const std::optional<std::string>& slug,
                                    const std::optional<NewStartPoint>& start_point) {
  const auto start = start_point ? resolve_start(c, project, *start_point) : std::nullopt;
  Branch b;
  b.uuid = Uuid<Branch>(env.uuid());
  b.name = name.str();
  b.slug = free_slug(env, slug, b.name,
                     [&](std::string_view s) { return st::slug_taken(c, st::Dimension::branch, project, s); });
  b.created = b.modified = env.time();
  BENCHER_TRY(const auto id, st::insert_branch(c, project, b));
  BENCHER_DO(start_head(c, env, project, id, std::nullopt, start, start_point.value_or(NewStartPoint{})));
  return *st::find_branch(c, project, {st::Key::By::uuid, b.uuid.str()});
}

Result<st::BranchRow> update_start_point(st::Connection& c, const Env& env, st::ProjectId project,
                                         const st::BranchRow& branch, const NewStartPoint& wanted) {
  const auto start = resolve_start(c, project, wanted);
  const auto current = st::head_start(c, branch.head_id);
  StartPointChange change;
  change.reset = wanted.reset;
  if (current.branch) change.current_branch = static_cast<std::int64_t>(*current.branch);
  change.current_hash = current.hash;
  if (start) {
    change.wanted_branch = static_cast<std::int64_t>(start->branch);
    change.wanted_hash = start->version.version.hash;
  }
  if (!needs_new_head(change)) return branch;
  BENCHER_DO(start_head(c, env, project, branch.id, branch.head_id, start, wanted));
  return *st::find_branch(c, project, {st::Key::By::uuid, branch.branch.uuid.str()});
}

Result<st::MeasureRow> get_or_create_measure(st::Connection& c, const Env& env, st::ProjectId project,
                                             std::string_view text) {
  BENCHER_TRY(const auto id, ResourceNameId::parse(text));
  if (auto found = st::find_measure(c, project, st::Key::of(id))) {
    if (found->measure.archived)
      st::unarchive(c, st::Dimension::measure, static_cast<std::int64_t>(found->id), env.time());
    return *std::move(found);
  }
  if (id.uuid()) return Error(Errc::not_found, fmt::format("the project has no measure {}", id.str()));
  Measure m;
  m.uuid = Uuid<Measure>(env.uuid());
  m.name = id.str();
  m.units = default_units;
  std::optional<std::string> slug;
  if (const auto* known = built_in_measure(text)) {
    // A built-in measure that goes by another of its names here.
    if (auto found = st::find_measure(c, project, {st::Key::By::slug, std::string(known->slug)}))
      return *std::move(found);
    m.name = known->name;
    m.units = known->units;
    slug = std::string(known->slug);
  }
  m.slug = free_slug(env, slug, m.name,
                     [&](std::string_view s) { return st::slug_taken(c, st::Dimension::measure, project, s); });
  m.created = m.modified = env.time();
  BENCHER_TRY(const auto row, st::insert_measure(c, project, m));
  return *st::measure_by_id(c, row);
}

void change_model(st::Connection& c, const Env& env, const st::ThresholdId threshold,
                  const std::optional<StoredModel>& current, const Model& wanted) {
  if (current && st::model_of(*current) == wanted) return;
  StoredModel model;
  model.uuid = Uuid<StoredModel>(env.uuid());
  model.test = wanted.test;
  model.min_sample_size = wanted.min_sample_size;
  model.max_sample_size = wanted.max_sample_size;
  model.window = wanted.window;
  model.lower_boundary = wanted.lower_boundary;
  model.upper_boundary = wanted.upper_boundary;
  model.created = env.time();
  st::set_model(c, threshold, model, env.time());
}

}  // namespace bencher::pipeline
