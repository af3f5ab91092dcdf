#include <algorithm>

#include <fmt/core.h>

#include "bencher/spec/spec.hpp"

#include "lib/pipeline/results.hpp"
#include "lib/storage/specs.hpp"
#include "lib/storage/thresholds.hpp"

namespace bencher::pipeline {

namespace st = bencher::storage;

namespace {

Error no_project(const ResourceId& id) {
  return Error(Errc::not_found, fmt::format("project '{}' not found; it may be private, or not exist", id.str()));
}

struct Target {
  st::ProjectRow project;
  bool was_unclaimed = false;
};

/// Lets the actor report to the project; a user takes over an unclaimed one.
Result<Target> let_in(st::Connection& c, const Env& env, const Actor& actor, st::ProjectRow project) {
  const bool unclaimed = !st::has_members(c, project.organization_id);
  switch (actor.kind) {
    case Actor::Kind::embedder: break;
    case Actor::Kind::project_key:
      if (actor.project->id != project.id)
        return Error(Errc::unauthenticated,
                     fmt::format("the project key does not belong to project '{}'", project.project.slug));
      break;
    case Actor::Kind::anonymous:
      if (!unclaimed)
        return Error(Errc::unauthenticated,
                     fmt::format("the project '{}' has been claimed; authenticate with a key of it (`--key`)",
                                 project.project.slug));
      break;
    case Actor::Kind::user:
      if (unclaimed) {
        BENCHER_DO(claim_organization(c, env, project.organization_id, actor.user->id));
        project = *st::project_by_id(c, project.id);
      } else if (!permitted(c, actor, project)) {
        if (project.project.visibility == Visibility::private_) return no_project(ResourceId(project.project.uuid));
        return Error(Errc::forbidden,
                     fmt::format("you may not report to project '{}'; ask one of its maintainers for a role",
                                 project.project.slug));
      }
      break;
  }
  return Target{std::move(project), unclaimed};
}

Result<Target> find_target(st::Connection& c, const Env& env, const NewRun& run, const Actor& actor) {
  const bool by_key = actor.kind == Actor::Kind::project_key;
  std::optional<ResourceId> id = run.project;
  bool from_image = false;
  if (!id && run.job) {
    BENCHER_TRY(const auto image, ImageReference::parse(run.job->image));
    if (const auto candidate = image.project())
      if (auto parsed = ResourceId::parse(*candidate)) {
        id = *std::move(parsed);
        from_image = true;
      }
  }
  if (by_key && (!id || from_image)) {
    if (id)
      if (const auto named = st::find_project(c, *id); named && named->id != actor.project->id)
        return let_in(c, env, actor, *named);
    return let_in(c, env, actor, *actor.project);
  }
  if (!id) {
    const auto slug = context_project_slug(run);
    if (slug.empty())
      return Error(
          Errc::invalid_argument,
          "the run names no project, and its context has nothing to make a slug of; name one with `--project`");
    BENCHER_TRY(id, ResourceId::parse(slug));
  }
  if (auto found = st::find_project(c, *id)) return let_in(c, env, actor, *std::move(found));
  if (id->uuid() || by_key) return no_project(*id);
  if (!run.has_context)
    return Error(
        Errc::invalid_argument,
        fmt::format("project '{}' does not exist, and the run has no context to name a new one by", id->str()));
  BENCHER_TRY(auto made, create_project_on_the_fly(c, env, actor, id->slug()->str(), context_project_name(run)));
  const bool unclaimed = !st::has_members(c, made.organization_id);
  return Target{std::move(made), unclaimed};
}

Result<st::BranchRow> find_or_create_branch(st::Connection& c, const Env& env, st::ProjectId project,
                                            const NewRun& run) {
  const auto id = run_branch(run);
  if (auto found = st::find_branch(c, project, st::Key::of(id))) {
    if (found->branch.archived)
      st::unarchive(c, st::Dimension::branch, static_cast<std::int64_t>(found->id), env.time());
    if (run.start_point) return update_start_point(c, env, project, *found, *run.start_point);
    return *std::move(found);
  }
  if (id.uuid()) return Error(Errc::not_found, fmt::format("the project has no branch {}", id.str()));
  BENCHER_TRY(const auto name, BranchName::parse(id.str()));
  return create_branch(c, env, project, name, id.slug() ? std::optional(id.str()) : std::nullopt, run.start_point);
}

Result<st::TestbedRow> find_or_create_testbed(st::Connection& c, const Env& env, st::ProjectId project,
                                              const ResourceNameId& id) {
  if (auto found = st::find_testbed(c, project, st::Key::of(id))) {
    if (found->testbed.archived)
      st::unarchive(c, st::Dimension::testbed, static_cast<std::int64_t>(found->id), env.time());
    return *std::move(found);
  }
  if (id.uuid()) return Error(Errc::not_found, fmt::format("the project has no testbed {}", id.str()));
  Testbed t;
  t.uuid = Uuid<Testbed>(env.uuid());
  t.name = id.str();
  t.slug = free_slug(env, id.slug() ? std::optional(id.str()) : std::nullopt, t.name,
                     [&](std::string_view s) { return st::slug_taken(c, st::Dimension::testbed, project, s); });
  t.created = t.modified = env.time();
  BENCHER_TRY(const auto row, st::insert_testbed(c, project, t, std::nullopt));
  return *st::testbed_by_id(c, row);
}

/// The spec of a job, and the testbed it runs on.
struct Placement {
  st::SpecRow spec;
  st::TestbedRow testbed;
};

Result<Placement> place_job(st::Connection& c, const Env& env, st::ProjectId project, const NewRun& run) {
  std::optional<std::int64_t> named, of_testbed, fallback;
  if (run.job->spec) {
    const auto spec = st::find_spec(c, *run.job->spec);
    if (!spec || spec->spec.archived)
      return Error(Errc::not_found,
                   fmt::format("spec '{}' not found; list them with `bencher spec list`", run.job->spec->str()));
    named = static_cast<std::int64_t>(spec->id);
  }
  if (run.testbed)
    if (const auto testbed = st::find_testbed(c, project, st::Key::of(*run.testbed)); testbed && testbed->spec_id)
      of_testbed = static_cast<std::int64_t>(*testbed->spec_id);
  if (const auto id = st::default_spec(c)) fallback = static_cast<std::int64_t>(*id);
  BENCHER_TRY(const auto choice, resolve_spec(named, of_testbed, fallback));
  Placement out;
  out.spec = *st::spec_by_id(c, st::SpecId{choice.id});
  BENCHER_TRY(const auto id,
              run.testbed ? Result<ResourceNameId>(*run.testbed) : ResourceNameId::parse(out.spec.spec.name));
  BENCHER_TRY(out.testbed, find_or_create_testbed(c, env, project, id));
  if (out.testbed.spec_id != out.spec.id) {
    st::set_testbed_spec(c, out.testbed.id, out.spec.id, env.time());
    out.testbed = *st::testbed_by_id(c, out.testbed.id);
  }
  return out;
}

Result<void> apply_thresholds(st::Connection& c, const Env& env, st::ProjectId project, st::BranchId branch,
                              st::TestbedId testbed, const NewRun& run) {
  std::vector<st::ThresholdId> named;
  for (const auto& wanted : run.models) {
    // The protocol takes models in a run as they are: one that cannot be computed refuses the run later. Tests that it
    // does not have are checked.
    if (auto valid = looks_for_changes(wanted.model.test) ? validate(wanted.model) : Result<void>(); !valid)
      return std::move(valid).error().within(fmt::format("threshold of measure '{}'", wanted.measure.str()));
    BENCHER_TRY(const auto measure, get_or_create_measure(c, env, project, wanted.measure.str()));
    auto threshold = st::threshold_of(c, branch, testbed, measure.id);
    if (!threshold) {
      BENCHER_DO(st::insert_threshold(c, project, branch, testbed, measure.id, env.uuid(), env.time()));
      threshold = st::threshold_of(c, branch, testbed, measure.id);
    }
    change_model(c, env, threshold->id, threshold->model, wanted.model);
    named.push_back(threshold->id);
  }
  if (run.thresholds_reset)
    for (const auto& other : st::thresholds_of(c, branch, testbed))
      if (other.model && std::find(named.begin(), named.end(), other.id) == named.end())
        st::set_model(c, other.id, std::nullopt, env.time());
  return {};
}

Plan plan_of(st::Connection& c, const Actor& actor, const Target& target) {
  if (actor.kind == Actor::Kind::embedder) return Plan::enterprise;
  if (target.was_unclaimed) return Plan::unclaimed;
  const auto level = st::plan_level(c, target.project.organization_id);
  return level == "enterprise" ? Plan::enterprise : level == "team" ? Plan::team : Plan::free;
}

Result<st::JobRow> make_job(const Env& env, st::Connection& c, const Actor& actor, const Target& target,
                            const NewRun& run, const st::SpecRow& spec) {
  const auto& wanted = *run.job;
  BENCHER_TRY(const auto image, ImageReference::parse(wanted.image));
  BENCHER_TRY(const auto digest, env.images.resolve(image, target.project.project.uuid.str()));
  const auto plan = plan_of(c, actor, target);
  JobConfig config;
  config.registry = env.registry_url;
  config.project = target.project.project.uuid;
  config.digest = digest.str();
  config.image = wanted.image;
  config.entrypoint = wanted.entrypoint;
  config.cmd = wanted.cmd;
  config.env = wanted.env;
  config.timeout = job_timeout(plan, wanted.timeout);
  config.file_paths = wanted.file_paths;
  config.build_time = wanted.build_time;
  config.file_size = wanted.file_size;
  config.settings = run.settings;
  config.iter = wanted.iter;
  config.allow_failure = wanted.allow_failure;
  config.backdate = wanted.backdate;
  st::JobRow job;
  job.uuid = Uuid<Job>(env.uuid());
  job.organization_id = target.project.organization_id;
  job.source_ip = env.source_ip;
  job.spec_id = spec.id;
  job.config = print(config);
  job.timeout = config.timeout;
  job.priority = job_priority(plan);
  job.created = job.modified = env.time();
  job.times[static_cast<std::size_t>(JobStage::queued)] = env.now;
  return job;
}

/// From the branch on, everything that a run and a report have in common.
Result<Submitted> record(st::Connection& c, const Env& env, const NewRun& run, const Result<ReadResults>& parsed,
                         const Actor& actor, const Target& target) {
  const auto project = target.project.id;
  BENCHER_TRY(const auto branch, find_or_create_branch(c, env, project, run));
  std::optional<st::SpecRow> spec;
  st::TestbedRow testbed;
  if (run.job) {
    BENCHER_TRY(auto placement, place_job(c, env, project, run));
    spec = std::move(placement.spec);
    testbed = std::move(placement.testbed);
  } else {
    BENCHER_TRY(testbed, find_or_create_testbed(c, env, project, run_testbed(run)));
    if (run.spec_reset && testbed.spec_id) st::set_testbed_spec(c, testbed.id, std::nullopt, env.time());
  }
  BENCHER_DO(apply_thresholds(c, env, project, branch.id, testbed.id, run));

  ReportScope scope;
  scope.project = target.project;
  scope.branch = branch.id;
  auto& report = scope.report;
  report.uuid = Uuid<Report>(env.uuid());
  report.idempotency_key = run.idempotency_key;
  if (actor.kind == Actor::Kind::user) report.user_id = actor.user->id;
  report.project_id = project;
  report.head_id = branch.head_id;
  report.testbed_id = testbed.id;
  if (spec) report.spec_id = spec->id;
  report.adapter = run.settings.adapter;
  report.start_time = run.start_time;
  report.end_time = run.end_time;
  report.created = env.time();
  report.version_id = st::version_for_report(c, project, branch.head_id, run_hash(run), env.uuid()).version_id;
  BENCHER_TRY(report.id, st::insert_report(c, report));

  Submitted out;
  if (run.job) {
    BENCHER_TRY(auto job, make_job(env, c, actor, target, run, *spec));
    job.report_id = report.id;
    BENCHER_TRY(out.job, st::insert_job(c, job));
    job.id = *out.job;
    out.job_uuid = job.uuid;
    out.spec = spec->id;
    out.position = st::queue_position(c, job);
    out.report = st::load_report(c, report, true);
    return out;
  }
  if (!parsed) return Error(parsed.error());
  st::set_report_warnings(c, report.id, parsed->warnings);
  BENCHER_TRY(auto stored, store_results(c, env, scope, parsed->results));
  out.report = complete_report(c, report, std::move(stored));
  out.report.warnings = parsed->warnings;
  return out;
}

}  // namespace

Result<ReadResults> read_results(const NewRun& run) {
  std::vector<Output> outputs;
  outputs.reserve(run.results.size());
  for (const auto& text : run.results)
    outputs.push_back({{}, text});
  return read_outputs(run.settings, outputs);
}

Result<Submitted> submit(st::Connection& c, const Env& env, const NewRun& run, const Result<ReadResults>& parsed,
                         const Actor& actor) {
  BENCHER_TRY(const auto target, find_target(c, env, run, actor));
  if (run.idempotency_key)
    if (const auto known = st::report_by_idempotency_key(c, target.project.id, *run.idempotency_key)) {
      Submitted out;
      out.report = st::load_report(c, *known, true);
      out.job_uuid = out.report.job;
      return out;
    }
  return record(c, env, run, parsed, actor, target);
}

Result<Report> submit_report(st::Connection& c, const Env& env, const st::ProjectRow& project, const NewRun& run,
                             const Result<ReadResults>& parsed, const Actor& actor) {
  Target target{project, false};
  BENCHER_TRY(auto submitted, record(c, env, run, parsed, actor, target));
  return std::move(submitted.report);
}

}  // namespace bencher::pipeline
