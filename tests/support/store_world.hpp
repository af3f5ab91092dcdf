// A store in memory, or in a file, with a clock that is moved by hand, and the pipeline's steps over it.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "lib/pipeline/steps.hpp"
#include "lib/storage/connection.hpp"
#include "lib/storage/specs.hpp"
#include "lib/storage/thresholds.hpp"

namespace bencher::test {

namespace st = bencher::storage;

/// The value, or a failed test that says why there is none.
template <class T>
requires(!std::is_void_v<T>) T must(Result<T> result) {
  if (!result) FAIL(result.error().message());
  return *std::move(result);
}

inline void must(Result<void> result) {
  if (!result) FAIL(result.error().message());
}

class AnyImage final : public ImageResolver {
 public:
  Result<Digest> resolve(const ImageReference& reference, std::string_view) override {
    if (reference.tag() == "missing") return Error(Errc::invalid_argument, "no tag 'missing'");
    return Digest::of(reference.str());
  }
};

struct StoreWorld {
  st::Connection c;
  ManualClock clock;
  SeededRandom random{1};
  AnyImage images;

  explicit StoreWorld(const std::string& file = ":memory:") : c(file) {
    st::migrate(c, st::newest_version());
    pipeline::ensure_server(c, env());
  }

  pipeline::Env env(std::string ip = "127.0.0.1") {
    return pipeline::Env{clock.now(), random, images, "http://localhost/", std::move(ip)};
  }
  Timestamp now() { return Timestamp::of(clock.now()); }

  pipeline::Actor anonymous() { return {}; }
  pipeline::Actor user(std::string name) {
    User u;
    u.uuid = Uuid<User>(env().uuid());
    u.name = name;
    u.slug = slugify(name);
    u.email = u.slug + "@nowhere.com";
    u.created = now();
    const auto id = must(st::insert_user(c, u));
    must(pipeline::personal_organization(c, env(), {id, u}));
    pipeline::Actor actor;
    actor.kind = pipeline::Actor::Kind::user;
    actor.user = st::user_by_id(c, id);
    return actor;
  }
  st::ProjectRow project(const pipeline::Actor& owner, std::string name) {
    Project p;
    p.name = name;
    const auto organization = must(pipeline::personal_organization(c, env(), *owner.user));
    return must(pipeline::create_project(c, env(), organization.id, p, std::nullopt, owner.user->id));
  }
  st::SpecId spec(std::string name, bool fallback = false) {
    Spec s;
    s.uuid = Uuid<Spec>(env().uuid());
    s.name = name;
    s.slug = slugify(name);
    s.memory = s.disk = 1 << 30;
    s.created = s.modified = now();
    if (fallback) s.fallback = now();
    return must(st::insert_spec(c, s));
  }
  st::TestbedId testbed(st::ProjectId project, std::string name, std::optional<st::SpecId> spec = std::nullopt) {
    Testbed t;
    t.uuid = Uuid<Testbed>(env().uuid());
    t.name = name;
    t.slug = slugify(name);
    t.created = t.modified = now();
    return must(st::insert_testbed(c, project, t, spec));
  }
  st::RunnerId runner(std::string name, std::vector<st::SpecId> specs) {
    Runner r;
    r.uuid = Uuid<Runner>(env().uuid());
    r.name = name;
    r.slug = slugify(name);
    r.created = r.modified = now();
    const auto id = must(st::insert_runner(c, r, r.uuid.str()));
    for (const auto spec : specs)
      must(st::add_runner_spec(c, id, spec));
    return id;
  }

  /// A run of one benchmark `b` with one value of latency.
  static NewRun run(std::string_view project, double value) {
    NewRun r;
    r.project = *ResourceId::parse(project);
    r.settings.adapter = AdapterKind::json;
    r.results = {R"({"b":{"latency":{"value":)" + std::to_string(value) + "}}}"};
    r.has_context = true;
    r.context["bencher.dev/v0/repo/name"] = "repo";
    return r;
  }
  static NewRun job(std::string_view project) {
    auto r = run(project, 1);
    r.results.clear();
    r.job.emplace();
    r.job->image = "image:v1";
    return r;
  }
  /// All or nothing, as the server does it.
  Result<pipeline::Submitted> submit(const NewRun& r, const pipeline::Actor& actor, std::string ip = "127.0.0.1") {
    const auto parsed = pipeline::read_results(r);
    st::Savepoint savepoint(c);
    auto result = pipeline::submit(c, env(std::move(ip)), r, parsed, actor);
    if (result) savepoint.commit();
    return result;
  }
  std::int64_t count(const char* table) {
    return c.raw().execAndGet(std::string("SELECT count(*) FROM ") + table).getInt64();
  }
};

}  // namespace bencher::test
