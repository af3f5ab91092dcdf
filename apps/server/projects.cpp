// Projects and their keys.
#include "apps/server/api.hpp"
#include "apps/server/keys.hpp"
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

/// The keys of a project, for `list_keys` and the others.
struct ProjectKeys {
  using Key = ProjectKey;
  using Wire = ProjectKeyWire;
  using CreatedWire = ProjectKeyCreated;
  using OwnerPath = ProjectPath;
  using KeyPath = ProjectKeyPath;
  static constexpr KeyKind kind = KeyKind::project;
  static constexpr std::string_view noun = "project key";

  static Wire wire(const Key& k) { return {k.uuid, k.project, k.creator, k.name, k.creation, k.expiration, k.revoked}; }
  template <class P>
  static Result<st::ProjectRow> owner(Call& call, const P& path) {
    return managed_project(call, path.project);
  }
  static Uuid<Project> uuid(const st::ProjectRow& row) { return row.project.uuid; }
  static Result<void> may_create(const Call&) { return {}; }
  static Result<void> may_touch(const Call&, const AnyUuid&) { return {}; }
  static st::Page<Key> list(Call& call, const st::ProjectRow& row, const st::Filter& filter, bool revoked,
                            const st::Paging& paging) {
    return st::list_project_keys(call.c, row.id, filter, revoked, paging);
  }
  static Result<void> insert(Call& call, const st::ProjectRow& row, const Key& key, std::string_view hash) {
    return st::insert_project_key(call.c, row.id, call.actor.user->id, key, hash);
  }
  static constexpr auto find = st::find_project_key;
  static constexpr auto rename = st::rename_project_key;
  static constexpr auto revoke = st::revoke_project_key;
};

constexpr std::array table{
    endpoint<list_projects>({Verb::get, "/v0/projects", Access::public_, "projects_get", "List projects"}),
    endpoint<view_project>({Verb::get, "/v0/projects/{project}", Access::public_, "project_get", "View a project"}),
    endpoint<update_project>(
        {Verb::patch, "/v0/projects/{project}", Access::user, "project_patch", "Update a project"}),
    endpoint<project_allowed>({Verb::get, "/v0/projects/{project}/allowed/{permission}", Access::user,
                               "proj_allowed_get", "Whether you have a permission in a project"}),
    endpoint<list_keys<ProjectKeys>>(
        {Verb::get, "/v0/projects/{project}/keys", Access::user, "proj_keys_get", "List the keys of a project"}),
    endpoint<create_key<ProjectKeys>>({Verb::post, "/v0/projects/{project}/keys", Access::user, "proj_key_post",
                                       "Create a key of a project; its text is shown once"}),
    endpoint<view_key<ProjectKeys>>(
        {Verb::get, "/v0/projects/{project}/keys/{key}", Access::user, "proj_key_get", "View a key of a project"}),
    endpoint<update_key<ProjectKeys>>({Verb::patch, "/v0/projects/{project}/keys/{key}", Access::user, "proj_key_patch",
                                       "Rename a key of a project"}),
    endpoint<revoke_key<ProjectKeys>>({Verb::delete_, "/v0/projects/{project}/keys/{key}", Access::user,
                                       "proj_key_delete", "Revoke a key of a project"}),
};

}  // namespace

std::span<const Endpoint> project_endpoints() {
  return table;
}

}  // namespace bencher::server
