// Runners, their keys and their specs.
#include "bencher/auth/credential.hpp"

#include "apps/server/api.hpp"
#include "apps/server/hub.hpp"
#include "lib/spec/json.hpp"
#include "lib/storage/specs.hpp"

namespace bencher {
BOOST_DESCRIBE_STRUCT(Runner, (), (uuid, name, slug, specs, archived, last_heartbeat, created, modified))
}  // namespace bencher

namespace bencher::server {
namespace {

enum class SharedSort { name, created };
BOOST_DESCRIBE_ENUM(SharedSort, name, created)
struct RunnersQuery : PageQuery {
  std::optional<SharedSort> sort;
  std::optional<ResourceName> name;
  std::optional<std::string> search;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(RunnersQuery, (PageQuery), (sort, name, search, archived))
struct RunnerPath {
  ResourceId runner;
};
BOOST_DESCRIBE_STRUCT(RunnerPath, (), (runner))
struct RunnerSpecPath {
  ResourceId runner;
  ResourceId spec;
};
BOOST_DESCRIBE_STRUCT(RunnerSpecPath, (), (runner, spec))
struct NewRunner {
  ResourceName name;
  std::optional<Slug> slug;
};
BOOST_DESCRIBE_STRUCT(NewRunner, (), (name, slug))
struct UpdateRunner {
  std::optional<ResourceName> name;
  std::optional<Slug> slug;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateRunner, (), (name, slug, archived))
struct NewRunnerSpec {
  ResourceId spec;
};
BOOST_DESCRIBE_STRUCT(NewRunnerSpec, (), (spec))
/// `token` is the older protocol's name of the same key.
struct RunnerKey {
  Uuid<Runner> uuid;
  std::string key;
  std::string token;
};
BOOST_DESCRIBE_STRUCT(RunnerKey, (), (uuid, key, token))

Result<st::RunnerRow> the_runner(Call& call, const ResourceId& id) {
  auto row = st::find_runner(call.c, id);
  if (!row) return not_found("runner", id.str());
  return *std::move(row);
}

Result<Listed<Runner>> list_runners(Call& call, const Query<RunnersQuery>& query) {
  const auto& q = query.value;
  const auto sort = q.sort == SharedSort::created ? st::NamedSort::created : st::NamedSort::name;
  auto page = st::list_runners(call.c, {text(q.name), q.search, q.archived.value_or(false)}, sort,
                               q.paging(sort == st::NamedSort::created));
  return Listed<Runner>{std::move(page.items), page.total};
}

Result<Created<RunnerKey>> create_runner(Call& call, const Body<NewRunner>& body) {
  Runner runner;
  runner.uuid = Uuid<Runner>(call.env.uuid());
  runner.name = body.value.name.str();
  // A runner's slug is never made free by a suffix: who names a machine should know that the name is taken.
  runner.slug = body.value.slug ? body.value.slug->str() : slugify(runner.name);
  if (runner.slug.empty()) runner.slug = runner.uuid.str();
  runner.created = runner.modified = call.now();
  auto key = make_key(KeyKind::runner, call.env.random);
  BENCHER_DO(st::insert_runner(call.c, runner, hash_key(key)));
  return Created<RunnerKey>{{runner.uuid, key, key}};
}

Result<Ok<Runner>> view_runner(Call& call, const Path<RunnerPath>& path) {
  BENCHER_TRY(auto row, the_runner(call, path.value.runner));
  return Ok<Runner>{std::move(row.runner)};
}

Result<Ok<Runner>> update_runner(Call& call, const Path<RunnerPath>& path, const Body<UpdateRunner>& body) {
  BENCHER_TRY(const auto row, the_runner(call, path.value.runner));
  st::RunnerChange change{text(body.value.name), text(body.value.slug), body.value.archived};
  BENCHER_DO(st::update_runner(call.c, row.id, change, call.now()));
  if (change.archived == true)
    call.after_commit.push_back([hub = call.context.hub, id = row.id] { hub->close_runner(id, "runner_archived"); });
  return Ok<Runner>{st::find_runner(call.c, ResourceId(row.runner.uuid))->runner};
}

Result<Created<RunnerKey>> rotate_key(Call& call, const Path<RunnerPath>& path) {
  BENCHER_TRY(const auto row, the_runner(call, path.value.runner));
  if (row.runner.archived) return Error(Errc::conflict, "the runner is archived; unarchive it first");
  auto key = make_key(KeyKind::runner, call.env.random);
  st::set_runner_key(call.c, row.id, hash_key(key), call.now());
  call.after_commit.push_back([hub = call.context.hub, id = row.id] { hub->close_runner(id, "key_rotated"); });
  return Created<RunnerKey>{{row.runner.uuid, key, key}};
}

Result<Ok<std::vector<Spec>>> list_runner_specs(Call& call, const Path<RunnerPath>& path) {
  BENCHER_TRY(const auto row, the_runner(call, path.value.runner));
  return Ok<std::vector<Spec>>{st::runner_specs(call.c, row.id)};
}

Result<Created<Spec>> add_runner_spec(Call& call, const Path<RunnerPath>& path, const Body<NewRunnerSpec>& body) {
  BENCHER_TRY(const auto row, the_runner(call, path.value.runner));
  auto spec = st::find_spec(call.c, body.value.spec);
  if (!spec) return not_found("spec", body.value.spec.str());
  BENCHER_DO(st::add_runner_spec(call.c, row.id, spec->id));
  call.after_commit.push_back([hub = call.context.hub] { hub->wake_all(); });
  return Created<Spec>{std::move(spec->spec)};
}

Result<NoContent> remove_runner_spec(Call& call, const Path<RunnerSpecPath>& path) {
  BENCHER_TRY(const auto row, the_runner(call, path.value.runner));
  const auto spec = st::find_spec(call.c, path.value.spec);
  if (!spec || !st::remove_runner_spec(call.c, row.id, spec->id))
    return not_found("the runner's spec", path.value.spec.str());
  return NoContent{};
}

constexpr std::array table{
    endpoint<list_runners>({Verb::get, "/v0/runners", Access::admin, "runners_get", "List the runners"}),
    endpoint<create_runner>(
        {Verb::post, "/v0/runners", Access::admin, "runners_post", "Create a runner; its key is shown once"}),
    endpoint<view_runner>({Verb::get, "/v0/runners/{runner}", Access::admin, "runner_get", "View a runner"}),
    endpoint<update_runner>({Verb::patch, "/v0/runners/{runner}", Access::admin, "runner_patch", "Update a runner"}),
    endpoint<rotate_key>({Verb::post, "/v0/runners/{runner}/key", Access::admin, "runner_key_post",
                          "Replace a runner's key; the old one dies at once"}),
    endpoint<rotate_key>(
        {Verb::post, "/v0/runners/{runner}/token", Access::admin, "runner_token_post", "The older name of `/key`"}),
    endpoint<list_runner_specs>(
        {Verb::get, "/v0/runners/{runner}/specs", Access::admin, "runner_specs_get", "List the specs of a runner"}),
    endpoint<add_runner_spec>(
        {Verb::post, "/v0/runners/{runner}/specs", Access::admin, "runner_specs_post", "Assign a spec to a runner"}),
    endpoint<remove_runner_spec>({Verb::delete_, "/v0/runners/{runner}/specs/{spec}", Access::admin,
                                  "runner_spec_delete", "Take a spec from a runner"}),
};

}  // namespace

std::span<const Endpoint> runner_endpoints() {
  return table;
}

}  // namespace bencher::server
