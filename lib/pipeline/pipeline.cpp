#include "bencher/pipeline/pipeline.hpp"

#include <fmt/core.h>

#include "bencher/base/name.hpp"

#include "lib/pipeline/steps.hpp"
#include "lib/storage/specs.hpp"

namespace bencher {

namespace st = storage;
using pipeline::Actor;
using pipeline::Env;

struct Pipeline::Impl {
  st::Connection& c;
  BlobStore& blobs;
  const Clock& clock;
  Random& random;
  PipelineOptions options;
  LocalImageResolver images;

  Env env() { return Env{clock.now(), random, images, options.registry_url, "127.0.0.1"}; }

  /// `work` in a transaction of its own, which only a success keeps.
  template <class F>
  auto write(F work) -> std::invoke_result_t<F&> {
    st::Savepoint savepoint(c);
    auto result = work();
    if (result) savepoint.commit();
    return result;
  }

  Result<st::JobRow> row(Uuid<Job> uuid) {
    auto row = st::find_job(c, uuid);
    if (!row) return Error(Errc::not_found, fmt::format("there is no job {}", uuid.str()));
    return *std::move(row);
  }

  std::string output_key(const st::JobRow& job) {
    const auto project = st::project_by_id(c, st::project_of_job(c, job))->project.uuid;
    return project.str() + "/output/v0/jobs/" + job.uuid.str();
  }

  Result<Job> show(const st::JobRow& row) {
    auto job = st::load_job(c, row);
    if (!has_run(job.status)) return job;
    auto text = blobs.get_object(output_key(row));
    if (!text) return job;
    auto output = parse_job_output(*text);
    if (output) job.output = *std::move(output);
    return job;
  }
};

Pipeline::Pipeline(Store& store, BlobStore& blobs, const Clock& clock, Random& random, PipelineOptions options)
    : impl_(new Impl{
          store.connection(), blobs, clock, random, options,
          LocalImageResolver(options.registry_url, [&blobs](std::string_view repository, std::string_view tag) {
            auto digest = blobs.resolve_tag(repository, tag);
            return digest ? std::optional(*std::move(digest)) : std::nullopt;
          })}) {
  pipeline::ensure_server(impl_->c, impl_->env());
}
Pipeline::~Pipeline() = default;

Result<Spec> Pipeline::add_spec(const NewSpec& in) {
  return impl_->write([&]() -> Result<Spec> {
    const auto env = impl_->env();
    BENCHER_TRY(const auto name, ResourceName::parse(in.name));
    if (in.cpu < 1 || in.memory < 1 || in.disk < 1)
      return Error(Errc::invalid_argument, "a spec's cpu, memory and disk must be at least 1");
    Spec spec;
    spec.uuid = Uuid<Spec>(env.uuid());
    spec.name = name.str();
    spec.slug = pipeline::free_slug(env, std::nullopt, spec.name,
                                    [&](std::string_view s) { return st::spec_slug_taken(impl_->c, s); });
    spec.cpu = in.cpu;
    spec.memory = in.memory;
    spec.disk = in.disk;
    spec.network = in.network;
    if (in.is_default) spec.fallback = spec.default_ = env.time();
    spec.created = spec.modified = env.time();
    BENCHER_DO(st::insert_spec(impl_->c, spec));
    return spec;
  });
}

Result<Runner> Pipeline::add_runner(const std::string& text, const std::vector<Uuid<Spec>>& specs) {
  return impl_->write([&]() -> Result<Runner> {
    const auto env = impl_->env();
    BENCHER_TRY(const auto name, ResourceName::parse(text));
    Runner runner;
    runner.uuid = Uuid<Runner>(env.uuid());
    runner.name = name.str();
    runner.slug = slugify(name.str());
    if (runner.slug.empty()) runner.slug = runner.uuid.str();
    runner.created = runner.modified = env.time();
    // It needs no key: who can call this has the store.
    BENCHER_TRY(const auto id, st::insert_runner(impl_->c, runner, runner.uuid.str()));
    for (const auto& uuid : specs) {
      const auto spec = st::find_spec(impl_->c, ResourceId(uuid));
      if (!spec) return Error(Errc::not_found, fmt::format("there is no spec {}", uuid.str()));
      BENCHER_DO(st::add_runner_spec(impl_->c, id, spec->id));
    }
    return st::find_runner(impl_->c, ResourceId(runner.uuid))->runner;
  });
}

std::optional<Spec> Pipeline::spec(const std::string& slug) const {
  const auto id = Slug::parse(slug);
  auto row = id ? st::find_spec(impl_->c, ResourceId(*id)) : std::nullopt;
  return row ? std::optional(std::move(row->spec)) : std::nullopt;
}

std::optional<Runner> Pipeline::runner(const std::string& slug) const {
  const auto id = Slug::parse(slug);
  auto row = id ? st::find_runner(impl_->c, ResourceId(*id)) : std::nullopt;
  return row ? std::optional(std::move(row->runner)) : std::nullopt;
}

Result<Project> Pipeline::project(const std::string& slug, const std::string& name) {
  return impl_->write([&]() -> Result<Project> {
    BENCHER_TRY(const auto id, Slug::parse(slug));
    if (auto found = st::find_project(impl_->c, ResourceId(id))) return std::move(found->project);
    BENCHER_TRY(const auto checked, ResourceName::parse(name));
    Actor actor;
    actor.kind = Actor::Kind::embedder;
    BENCHER_TRY(auto row, pipeline::create_project_on_the_fly(impl_->c, impl_->env(), actor, slug, checked.str()));
    return std::move(row.project);
  });
}

Result<Report> Pipeline::submit(const NewRun& run) {
  Result<ReadResults> parsed = ReadResults();
  if (!run.job) parsed = pipeline::read_results(run);
  return impl_->write([&]() -> Result<Report> {
    Actor actor;
    actor.kind = Actor::Kind::embedder;
    BENCHER_TRY(auto submitted, pipeline::submit(impl_->c, impl_->env(), run, parsed, actor));
    return std::move(submitted.report);
  });
}

Result<std::optional<ClaimedJob>> Pipeline::claim(Uuid<Runner> runner) {
  return impl_->write([&]() -> Result<std::optional<ClaimedJob>> {
    const auto row = st::find_runner(impl_->c, ResourceId(runner));
    if (!row) return Error(Errc::not_found, fmt::format("there is no runner {}", runner.str()));
    return pipeline::claim(impl_->c, impl_->env(), row->id);
  });
}

Result<JobState> Pipeline::start(Uuid<Job> uuid) {
  return impl_->write([&]() -> Result<JobState> {
    BENCHER_TRY(const auto row, impl_->row(uuid));
    BENCHER_TRY(auto started, pipeline::advance(impl_->c, impl_->env(), row, JobEvent::start));
    return started.state;
  });
}

Result<Job> Pipeline::complete(Uuid<Job> uuid, const JobOutput& output) {
  BENCHER_TRY(const auto row, impl_->row(uuid));
  const auto settings = pipeline::job_settings(impl_->c, row);
  const auto parsed = read_outputs(settings, adapter_texts(output));
  BENCHER_TRY(auto completed, impl_->write([&] { return pipeline::complete(impl_->c, impl_->env(), row, parsed); }));
  auto kept = output;
  if (completed.error && !kept.error) kept.error = completed.error;
  BENCHER_DO(impl_->blobs.put_object(impl_->output_key(row), print(kept)));
  return impl_->show(completed.job);
}

Result<Job> Pipeline::fail(Uuid<Job> uuid, const JobOutput& output) {
  BENCHER_TRY(const auto row, impl_->row(uuid));
  BENCHER_TRY(const auto failed,
              impl_->write([&] { return pipeline::advance(impl_->c, impl_->env(), row, JobEvent::fail); }));
  BENCHER_DO(impl_->blobs.put_object(impl_->output_key(row), print(output)));
  return impl_->show(failed);
}

Result<Job> Pipeline::cancel(Uuid<Job> uuid) {
  BENCHER_TRY(const auto row, impl_->row(uuid));
  BENCHER_TRY(const auto canceled,
              impl_->write([&] { return pipeline::advance(impl_->c, impl_->env(), row, JobEvent::cancel); }));
  return impl_->show(canceled);
}

Result<Job> Pipeline::retry(Uuid<Job> uuid) {
  BENCHER_TRY(const auto row, impl_->row(uuid));
  BENCHER_TRY(const auto again, impl_->write([&] { return pipeline::retry(impl_->c, impl_->env(), row); }));
  return impl_->show(again);
}

std::vector<Job> Pipeline::expire() {
  std::vector<Job> out;
  const auto env = impl_->env();
  for (const auto& row : st::jobs_in_flight(impl_->c)) {
    const auto heard = row.state.last_heartbeat.value_or(row.created);
    if (env.time().seconds - heard.seconds <= impl_->options.heartbeat_timeout) continue;
    const auto event = silence_event(row.state, row.timeout, impl_->options.job_grace, env.time());
    const auto ended = impl_->write([&] { return pipeline::advance(impl_->c, env, row, event); });
    if (ended) out.push_back(st::load_job(impl_->c, *ended));
  }
  return out;
}

Result<Job> Pipeline::job(Uuid<Job> uuid) const {
  BENCHER_TRY(const auto row, impl_->row(uuid));
  return impl_->show(row);
}

Result<Report> Pipeline::report(Uuid<Report> uuid) const {
  const auto row = st::report_by_uuid(impl_->c, uuid);
  if (!row) return Error(Errc::not_found, fmt::format("there is no report {}", uuid.str()));
  return st::load_report(impl_->c, *row, true);
}

}  // namespace bencher
