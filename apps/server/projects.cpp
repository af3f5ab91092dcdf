// Projects and their keys.
#include "bencher/auth/credential.hpp"

#include "apps/server/api.hpp"
#include "lib/auth/json.hpp"
#include "lib/project/json.hpp"
#include "lib/report/json.hpp"

namespace bencher::server {
namespace {

struct UpdateProject {
  using strict_members = void;
  std::optional<ResourceName> name;
  std::optional<Slug> slug;
  json::Patch<std::string> url;
  std::optional<Visibility> visibility;
};
BOOST_DESCRIBE_STRUCT(UpdateProject, (), (name, slug, url, visibility))
struct ProjectPermissionPath {
  ResourceId project;
  Permission permission = Permission::view;
};
BOOST_DESCRIBE_STRUCT(ProjectPermissionPath, (), (project, permission))
struct Allowed {
  bool allowed = false;
};
BOOST_DESCRIBE_STRUCT(Allowed, (), (allowed))
struct ProjectKeyPath {
  ResourceId project;
  AnyUuid key;
};
BOOST_DESCRIBE_STRUCT(ProjectKeyPath, (), (project, key))
struct NewKey {
  ResourceName name;
  std::optional<std::uint32_t> ttl;
};
BOOST_DESCRIBE_STRUCT(NewKey, (), (name, ttl))
struct UpdateKey {
  std::optional<ResourceName> name;
};
BOOST_DESCRIBE_STRUCT(UpdateKey, (), (name))
struct ProjectKeyWire {
  Uuid<ProjectKey> uuid;
  Uuid<Project> project;
  std::optional<Uuid<User>> creator;
  std::string name;
  Timestamp creation;
  Timestamp expiration;
  json::Sparse<Timestamp> revoked;
};
BOOST_DESCRIBE_STRUCT(ProjectKeyWire, (), (uuid, project, creator, name, creation, expiration, revoked))
struct ProjectKeyCreated {
  Uuid<ProjectKey> uuid;
  Uuid<Project> project;
  std::string name;
  std::string key;
  Timestamp creation;
  Timestamp expiration;
};
BOOST_DESCRIBE_STRUCT(ProjectKeyCreated, (), (uuid, project, name, key, creation, expiration))

ProjectKeyWire to_wire(const ProjectKey& k) {
  return {k.uuid, k.project, k.creator, k.name, k.creation, k.expiration, k.revoked};
}

Result<Listed<Project>> list_projects(Call& call, const Query<OrganizationQuery>& query) {
  st::ProjectScope scope;
  scope.all = call.actor.is_admin();
  if (call.actor.kind == Actor::Kind::user) scope.user = call.actor.user->id;
  if (call.actor.kind == Actor::Kind::project_key) scope.only = call.actor.project->id;
  auto page = st::list_projects(call.c, scope, query.value.filter(), query.value.paging());
  return Listed<Project>{std::move(page.items), page.total};
}

Result<Ok<Project>> view_project(Call& call, const Path<ProjectPath>& path) {
  BENCHER_TRY(auto row, viewable_project(call, path.value.project));
  return Ok<Project>{std::move(row.project)};
}

Result<Ok<Project>> update_project(Call& call, const Path<ProjectPath>& path, const Body<UpdateProject>& body) {
  BENCHER_TRY(const auto row, managed_project(call, path.value.project));
  if (body.value.visibility == Visibility::private_)
    return Error(Errc::payment_required, "private projects need a licence; leave the project public");
  st::ProjectChange change;
  change.name = text(body.value.name);
  change.slug = text(body.value.slug);
  change.url_given = body.value.url.given;
  change.url = body.value.url.value;
  change.visibility = body.value.visibility;
  BENCHER_DO(st::update_project(call.c, row.id, change, call.now()));
  return Ok<Project>{st::project_by_id(call.c, row.id)->project};
}

Result<Ok<Allowed>> project_allowed(Call& call, const Path<ProjectPermissionPath>& path) {
  const auto row = st::find_project(call.c, path.value.project);
  if (!row) return Ok<Allowed>{{false}};
  const bool reads = path.value.permission == Permission::view && row->project.visibility == Visibility::public_;
  return Ok<Allowed>{{reads || pipeline::permitted(call.c, call.actor, *row)}};
}

Result<Listed<ProjectKeyWire>> list_keys(Call& call, const Path<ProjectPath>& path, const Query<KeyQuery>& query) {
  BENCHER_TRY(const auto row, managed_project(call, path.value.project));
  const auto page = st::list_project_keys(call.c, row.id, {text(query.value.name), query.value.search, false},
                                          query.value.revoked.value_or(false), query.value.paging());
  Listed<ProjectKeyWire> out;
  out.total = page.total;
  for (const auto& k : page.items)
    out.value.push_back(to_wire(k));
  return out;
}

Result<Created<ProjectKeyCreated>> create_key(Call& call, const Path<ProjectPath>& path, const Body<NewKey>& body) {
  BENCHER_TRY(const auto row, managed_project(call, path.value.project));
  if (body.value.ttl == 0u) return Error(Errc::invalid_argument, "/ttl: a key must live for at least one second");
  ProjectKey key;
  key.uuid = Uuid<ProjectKey>(call.env.uuid());
  key.name = body.value.name.str();
  key.creation = call.now();
  key.expiration = Timestamp{call.now().seconds + body.value.ttl.value_or(UINT32_MAX)};
  auto plain = make_key(KeyKind::project, call.env.random);
  BENCHER_DO(st::insert_project_key(call.c, row.id, call.actor.user->id, key, hash_key(plain)));
  return Created<ProjectKeyCreated>{
      {key.uuid, row.project.uuid, key.name, std::move(plain), key.creation, key.expiration}};
}

Result<ProjectKey> the_key(Call& call, const ProjectKeyPath& path) {
  BENCHER_TRY(const auto row, managed_project(call, path.project));
  auto key = st::find_project_key(call.c, row.id, path.key);
  if (!key) return not_found("project key", path.key.str());
  return *std::move(key);
}

Result<Ok<ProjectKeyWire>> view_key(Call& call, const Path<ProjectKeyPath>& path) {
  BENCHER_TRY(const auto key, the_key(call, path.value));
  return Ok<ProjectKeyWire>{to_wire(key)};
}

Result<Ok<ProjectKeyWire>> update_key(Call& call, const Path<ProjectKeyPath>& path, const Body<UpdateKey>& body) {
  BENCHER_TRY(auto key, the_key(call, path.value));
  if (body.value.name) {
    st::rename_project_key(call.c, key.uuid, body.value.name->str());
    key.name = body.value.name->str();
  }
  return Ok<ProjectKeyWire>{to_wire(key)};
}

Result<NoContent> revoke_key(Call& call, const Path<ProjectKeyPath>& path) {
  BENCHER_TRY(const auto key, the_key(call, path.value));
  if (!st::revoke_project_key(call.c, key.uuid, call.now()))
    return Error(Errc::conflict, "the project key has been revoked already");
  return NoContent{};
}

constexpr std::array table{
    endpoint<list_projects>({Verb::get, "/v0/projects", Access::public_, "projects_get", "List projects"}),
    endpoint<view_project>({Verb::get, "/v0/projects/{project}", Access::public_, "project_get", "View a project"}),
    endpoint<update_project>(
        {Verb::patch, "/v0/projects/{project}", Access::user, "project_patch", "Update a project"}),
    endpoint<project_allowed>({Verb::get, "/v0/projects/{project}/allowed/{permission}", Access::user,
                               "proj_allowed_get", "Whether you have a permission in a project"}),
    endpoint<list_keys>(
        {Verb::get, "/v0/projects/{project}/keys", Access::user, "proj_keys_get", "List the keys of a project"}),
    endpoint<create_key>({Verb::post, "/v0/projects/{project}/keys", Access::user, "proj_key_post",
                          "Create a key of a project; its text is shown once"}),
    endpoint<view_key>(
        {Verb::get, "/v0/projects/{project}/keys/{key}", Access::user, "proj_key_get", "View a key of a project"}),
    endpoint<update_key>({Verb::patch, "/v0/projects/{project}/keys/{key}", Access::user, "proj_key_patch",
                          "Rename a key of a project"}),
    endpoint<revoke_key>({Verb::delete_, "/v0/projects/{project}/keys/{key}", Access::user, "proj_key_delete",
                          "Revoke a key of a project"}),
};

}  // namespace

std::span<const Endpoint> project_endpoints() {
  return table;
}

}  // namespace bencher::server
