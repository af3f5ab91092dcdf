// Projects, roles in them, and their keys.
#pragma once

#include "bencher/auth/user.hpp"
#include "bencher/base/name.hpp"
#include "bencher/project/project.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"

namespace bencher::storage {

struct ProjectRow {
  ProjectId id{};
  OrganizationId organization_id{};
  Project project;
};

std::optional<ProjectRow> find_project(Connection& c, const ResourceId& id);
std::optional<ProjectRow> project_by_id(Connection& c, ProjectId id);
bool project_slug_taken(Connection& c, std::string_view slug);
bool project_name_taken(Connection& c, OrganizationId organization, std::string_view name);
Result<ProjectId> insert_project(Connection& c, OrganizationId organization, const Project& project);
struct ProjectChange {
  std::optional<std::string> name, slug;
  bool url_given = false;
  std::optional<std::string> url;
  std::optional<Visibility> visibility;
};
Result<void> update_project(Connection& c, ProjectId id, const ProjectChange& change, Timestamp now);

/// Whose eyes see which projects: everyone's, one user's, one project key's.
struct ProjectScope {
  bool all = false;
  std::optional<OrganizationId> organization;  ///< every project of it
  std::optional<UserId> user;                  ///< public ones, and those with a role of this user
  std::optional<ProjectId> only;
};
Page<Project> list_projects(Connection& c, const ProjectScope& scope, const Filter& filter, const Paging& paging);

bool has_project_role(Connection& c, ProjectId project, UserId user);
Result<void> insert_project_role(Connection& c, ProjectId project, UserId user, std::string_view role, Timestamp now);

struct ProjectKeyOwner {
  ProjectRow project;
  Uuid<ProjectKey> key;
};
/// The project of a live key: known, not revoked, not expired, project not deleted.
std::optional<ProjectKeyOwner> project_by_key(Connection& c, std::string_view key_hash, Timestamp now);
Result<void> insert_project_key(Connection& c, ProjectId project, std::optional<UserId> creator, const ProjectKey& key,
                                std::string_view key_hash);
std::optional<ProjectKey> find_project_key(Connection& c, ProjectId project, AnyUuid uuid);
Page<ProjectKey> list_project_keys(Connection& c, ProjectId project, const Filter& filter, bool revoked,
                                   const Paging& paging);
void rename_project_key(Connection& c, AnyUuid uuid, std::string_view name);
/// Whether it was live until now.
bool revoke_project_key(Connection& c, AnyUuid uuid, Timestamp now);

}  // namespace bencher::storage
