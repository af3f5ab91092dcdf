// Organizations, their members and their projects.
#include "apps/server/api.hpp"
#include "lib/auth/json.hpp"
#include "lib/project/json.hpp"

namespace bencher::server {
namespace {

struct NewOrganization {
  ResourceName name;
  std::optional<Slug> slug;
};
BOOST_DESCRIBE_STRUCT(NewOrganization, (), (name, slug))
struct UpdateOrganization {
  using strict_members = void;
  std::optional<ResourceName> name;
  std::optional<Slug> slug;
  json::Patch<std::string> license;
};
BOOST_DESCRIBE_STRUCT(UpdateOrganization, (), (name, slug, license))
struct NewProject {
  ResourceName name;
  std::optional<Slug> slug;
  std::optional<std::string> url;
  std::optional<Visibility> visibility;
};
BOOST_DESCRIBE_STRUCT(NewProject, (), (name, slug, url, visibility))
struct OrganizationPermissionPath {
  ResourceId organization;
  Permission permission = Permission::view;
};
BOOST_DESCRIBE_STRUCT(OrganizationPermissionPath, (), (organization, permission))
struct Allowed {
  bool allowed = false;
};
BOOST_DESCRIBE_STRUCT(Allowed, (), (allowed))
struct Claim {
  std::optional<std::string> empty;
};
BOOST_DESCRIBE_STRUCT(Claim, (), (empty))

Result<Listed<Organization>> list_organizations(Call& call, const Query<OrganizationQuery>& query) {
  const auto member = call.actor.is_admin() ? std::nullopt : std::optional(call.actor.user->id);
  auto page = st::list_organizations(call.c, member, query.value.filter(), query.value.paging());
  return Listed<Organization>{std::move(page.items), page.total};
}

Result<Created<Organization>> create_organization(Call& call, const Body<NewOrganization>& body) {
  BENCHER_TRY(const auto made, pipeline::create_organization(call.c, call.env, call.env.uuid(), body.value.name.str(),
                                                             text(body.value.slug)));
  BENCHER_DO(st::insert_organization_role(call.c, made.id, call.actor.user->id, "leader", call.now()));
  return Created<Organization>{st::organization_by_id(call.c, made.id)->organization};
}

Result<Ok<Organization>> view_organization(Call& call, const Path<OrganizationPath>& path) {
  BENCHER_TRY(auto row, own_organization(call, path.value.organization));
  return Ok<Organization>{std::move(row.organization)};
}

Result<Ok<Organization>> update_organization(Call& call, const Path<OrganizationPath>& path,
                                             const Body<UpdateOrganization>& body) {
  BENCHER_TRY(const auto row, own_organization(call, path.value.organization));
  if (body.value.license.given && body.value.license.value)
    return Error(Errc::invalid_argument, "licences are not supported by this server; leave `license` out");
  st::OrganizationChange change{text(body.value.name), text(body.value.slug)};
  BENCHER_DO(st::update_organization(call.c, row.id, change, call.now()));
  return Ok<Organization>{st::organization_by_id(call.c, row.id)->organization};
}

Result<Created<Organization>> claim_organization(Call& call, const Path<OrganizationPath>& path, const Body<Claim>&) {
  auto row = st::find_organization(call.c, path.value.organization);
  if (!row) return not_found("organization", path.value.organization.str());
  if (st::has_members(call.c, row->id))
    return Error(Errc::unauthenticated, "the organization has been claimed already");
  BENCHER_DO(pipeline::claim_organization(call.c, call.env, row->id, call.actor.user->id));
  return Created<Organization>{st::organization_by_id(call.c, row->id)->organization};
}

Result<Ok<Allowed>> organization_allowed(Call& call, const Path<OrganizationPermissionPath>& path) {
  const auto row = st::find_organization(call.c, path.value.organization);
  return Ok<Allowed>{{row && pipeline::permitted(call.c, call.actor, row->id)}};
}

Result<Listed<Member>> list_members(Call& call, const Path<OrganizationPath>& path, const Query<UserQuery>& query) {
  BENCHER_TRY(const auto row, own_organization(call, path.value.organization));
  auto page = st::list_members(call.c, row.id, query.value.filter(), query.value.paging());
  return Listed<Member>{std::move(page.items), page.total};
}

Result<Listed<Project>> list_organization_projects(Call& call, const Path<OrganizationPath>& path,
                                                   const Query<OrganizationQuery>& query) {
  BENCHER_TRY(const auto row, own_organization(call, path.value.organization));
  st::ProjectScope scope;
  scope.organization = row.id;
  auto page = st::list_projects(call.c, scope, query.value.filter(), query.value.paging());
  return Listed<Project>{std::move(page.items), page.total};
}

Result<Created<Project>> create_organization_project(Call& call, const Path<OrganizationPath>& path,
                                                     const Body<NewProject>& body) {
  const auto row = st::find_organization(call.c, path.value.organization);
  if (!row) return not_found("organization", path.value.organization.str());
  if (!pipeline::permitted(call.c, call.actor, row->id))
    return Error(Errc::forbidden, "you have no role in this organization that allows this");
  if (body.value.visibility == Visibility::private_)
    return Error(Errc::payment_required, "private projects need a licence; make the project public");
  Project project;
  project.name = body.value.name.str();
  project.url = body.value.url;
  BENCHER_TRY(auto made,
              pipeline::create_project(call.c, call.env, row->id, project, text(body.value.slug), call.actor.user->id));
  return Created<Project>{std::move(made.project)};
}

constexpr std::array table{
    endpoint<list_organizations>({Verb::get, "/v0/organizations", Access::user, "organizations_get",
                                  "List the organizations that you belong to"}),
    endpoint<create_organization>(
        {Verb::post, "/v0/organizations", Access::user, "organization_post", "Create an organization and lead it"}),
    endpoint<view_organization>(
        {Verb::get, "/v0/organizations/{organization}", Access::user, "organization_get", "View an organization"}),
    endpoint<update_organization>({Verb::patch, "/v0/organizations/{organization}", Access::user, "organization_patch",
                                   "Update an organization"}),
    endpoint<claim_organization>({Verb::post, "/v0/organizations/{organization}/claim", Access::user, "org_claim_post",
                                  "Become the leader of an unclaimed organization"}),
    endpoint<organization_allowed>({Verb::get, "/v0/organizations/{organization}/allowed/{permission}", Access::user,
                                    "org_allowed_get", "Whether you have a permission in an organization"}),
    endpoint<list_members>({Verb::get, "/v0/organizations/{organization}/members", Access::user, "org_members_get",
                            "List the members of an organization"}),
    endpoint<list_organization_projects>({Verb::get, "/v0/organizations/{organization}/projects", Access::user,
                                          "org_projects_get", "List the projects of an organization"}),
    endpoint<create_organization_project>({Verb::post, "/v0/organizations/{organization}/projects", Access::user,
                                           "org_project_post", "Create a project in an organization"}),
};

}  // namespace

std::span<const Endpoint> organization_endpoints() {
  return table;
}

}  // namespace bencher::server
