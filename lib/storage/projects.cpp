#include "lib/storage/projects.hpp"

namespace bencher::storage {
namespace {

#define PROJECT_COLUMNS                                                                                             \
  "project.id, project.organization_id, project.uuid, organization.uuid, project.name, project.slug, project.url, " \
  "project.visibility, project.created, project.modified, "                                                         \
  "(SELECT min(created) FROM organization_role WHERE organization_role.organization_id = project.organization_id)"
#define PROJECT_FROM " FROM project JOIN organization ON organization.id = project.organization_id "

ProjectRow project_row(Row& row) {
  ProjectRow out;
  row.take(out.id), row.take(out.organization_id);
  auto& p = out.project;
  row.take(p.uuid), row.take(p.organization), row.take(p.name), row.take(p.slug), row.take(p.url);
  row.take(p.visibility), row.take(p.created), row.take(p.modified), row.take(p.claimed);
  return out;
}

#define PROJECT_KEY_COLUMNS                                                                                     \
  "project_key.uuid, project.uuid, user.uuid, project_key.name, project_key.creation, project_key.expiration, " \
  "project_key.revoked"
#define PROJECT_KEY_FROM                                                   \
  " FROM project_key JOIN project ON project.id = project_key.project_id " \
  "LEFT JOIN user ON user.id = project_key.creator_id "

ProjectKey project_key_row(Row& row) {
  ProjectKey k;
  row.take(k.uuid), row.take(k.project), row.take(k.creator), row.take(k.name), row.take(k.creation);
  row.take(k.expiration), row.take(k.revoked);
  return k;
}

}  // namespace

std::optional<ProjectRow> find_project(Connection& c, const ResourceId& id) {
  if (id.uuid())
    return c.one(project_row,
                 "SELECT " PROJECT_COLUMNS PROJECT_FROM "WHERE project.uuid = ?1 AND project.deleted IS NULL",
                 *id.uuid());
  return c.one(project_row,
               "SELECT " PROJECT_COLUMNS PROJECT_FROM "WHERE project.slug = ?1 AND project.deleted IS NULL",
               id.slug()->str());
}

std::optional<ProjectRow> project_by_id(Connection& c, ProjectId id) {
  return c.one(project_row, "SELECT " PROJECT_COLUMNS PROJECT_FROM "WHERE project.id = ?1", id);
}

bool project_slug_taken(Connection& c, std::string_view slug) {
  return c.value<int>("SELECT 1 FROM project WHERE slug = ?1", slug).has_value();
}

bool project_name_taken(Connection& c, OrganizationId organization, std::string_view name) {
  return c.value<int>("SELECT 1 FROM project WHERE organization_id = ?1 AND name = ?2", organization, name).has_value();
}

Result<ProjectId> insert_project(Connection& c, OrganizationId organization, const Project& p) {
  BENCHER_DO(c.change("the project",
                      "INSERT INTO project (uuid, organization_id, name, slug, url, visibility, created, modified) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      p.uuid, organization, p.name, p.slug, p.url, p.visibility, p.created, p.modified));
  return ProjectId{c.last_id()};
}

Result<void> update_project(Connection& c, ProjectId id, const ProjectChange& change, Timestamp now) {
  BENCHER_DO(c.change("the project",
                      "UPDATE project SET name = coalesce(?2, name), slug = coalesce(?3, slug), "
                      "url = CASE WHEN ?4 THEN ?5 ELSE url END, visibility = coalesce(?6, visibility), modified = ?7 "
                      "WHERE id = ?1",
                      id, change.name, change.slug, change.url_given, change.url, change.visibility, now));
  return {};
}

Page<Project> list_projects(Connection& c, const ProjectScope& scope, const Filter& filter, const Paging& paging) {
  Page<Project> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define PROJECT_WHERE                                                                                                 \
  PROJECT_FROM                                                                                                        \
  "WHERE project.deleted IS NULL AND (?1 OR project.visibility = 0 OR ?2 IS NOT NULL OR project.id IN (SELECT "       \
  "project_id FROM project_role WHERE user_id = ?3)) AND (?2 IS NULL OR project.organization_id = ?2) AND (?4 IS "    \
  "NULL "                                                                                                             \
  "OR project.id = ?4) AND (?5 IS NULL OR project.name = ?5) AND (?6 IS NULL OR project.name LIKE ?6 ESCAPE '\\' OR " \
  "project.slug LIKE ?6 ESCAPE '\\' OR project.uuid LIKE ?6 ESCAPE '\\') "
  const bool all = scope.all || scope.only.has_value();
  page.total = *c.value<std::int64_t>("SELECT count(*)" PROJECT_WHERE, all, scope.organization, scope.user, scope.only,
                                      filter.name, search);
  const auto* sql = paging.descending ? "SELECT " PROJECT_COLUMNS PROJECT_WHERE
                                        "ORDER BY project.name DESC, project.id DESC LIMIT ?7 OFFSET ?8"
                                      : "SELECT " PROJECT_COLUMNS PROJECT_WHERE
                                        "ORDER BY project.name, project.id LIMIT ?7 OFFSET ?8";
  auto rows = c.query(sql, all, scope.organization, scope.user, scope.only, filter.name, search, paging.per_page,
                      paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(project_row(row).project);
  }
  return page;
}

bool has_project_role(Connection& c, ProjectId project, UserId user) {
  return c.value<int>("SELECT 1 FROM project_role WHERE user_id = ?2 AND project_id = ?1", project, user).has_value();
}

Result<void> insert_project_role(Connection& c, ProjectId project, UserId user, std::string_view role, Timestamp now) {
  BENCHER_DO(c.change(
      "the role", "INSERT INTO project_role (user_id, project_id, role, created, modified) VALUES (?2, ?1, ?3, ?4, ?4)",
      project, user, role, now));
  return {};
}

std::optional<ProjectKeyOwner> project_by_key(Connection& c, std::string_view key_hash, Timestamp now) {
  return c.one(
      [](Row& row) {
        ProjectKeyOwner out;
        out.project = project_row(row);
        row.take(out.key);
        return out;
      },
      "SELECT " PROJECT_COLUMNS ", project_key.uuid" PROJECT_FROM
      "JOIN project_key ON project_key.project_id = project.id WHERE project_key.key_hash = ?1 AND "
      "project_key.revoked IS NULL AND project_key.expiration > ?2 AND project.deleted IS NULL",
      key_hash, now);
}

Result<void> insert_project_key(Connection& c, ProjectId project, std::optional<UserId> creator, const ProjectKey& key,
                                std::string_view key_hash) {
  BENCHER_DO(c.change("the key",
                      "INSERT INTO project_key (uuid, project_id, creator_id, name, key_hash, creation, expiration) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      key.uuid, project, creator, key.name, key_hash, key.creation, key.expiration));
  return {};
}

std::optional<ProjectKey> find_project_key(Connection& c, ProjectId project, AnyUuid uuid) {
  return c.one(project_key_row,
               "SELECT " PROJECT_KEY_COLUMNS PROJECT_KEY_FROM "WHERE project_id = ?1 AND project_key.uuid = ?2",
               project, uuid);
}

Page<ProjectKey> list_project_keys(Connection& c, ProjectId project, const Filter& filter, bool revoked,
                                   const Paging& paging) {
  Page<ProjectKey> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define PROJECT_KEY_WHERE                                                                                       \
  PROJECT_KEY_FROM                                                                                              \
  "WHERE project_id = ?1 AND (project_key.revoked IS NOT NULL) = ?2 AND (?3 IS NULL OR project_key.name = ?3) " \
  "AND (?4 IS NULL OR project_key.name LIKE ?4 ESCAPE '\\' OR project_key.uuid LIKE ?4 ESCAPE '\\') "
  page.total = *c.value<std::int64_t>("SELECT count(*)" PROJECT_KEY_WHERE, project, revoked, filter.name, search);
  const auto* sql = paging.descending ? "SELECT " PROJECT_KEY_COLUMNS PROJECT_KEY_WHERE
                                        "ORDER BY project_key.name DESC, project_key.creation DESC LIMIT ?5 OFFSET ?6"
                                      : "SELECT " PROJECT_KEY_COLUMNS PROJECT_KEY_WHERE
                                        "ORDER BY project_key.name, project_key.creation LIMIT ?5 OFFSET ?6";
  auto rows = c.query(sql, project, revoked, filter.name, search, paging.per_page, paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(project_key_row(row));
  }
  return page;
}

void rename_project_key(Connection& c, AnyUuid uuid, std::string_view name) {
  c.exec("UPDATE project_key SET name = ?2 WHERE uuid = ?1", uuid, name);
}

bool revoke_project_key(Connection& c, AnyUuid uuid, Timestamp now) {
  return c.exec("UPDATE project_key SET revoked = ?2 WHERE uuid = ?1 AND revoked IS NULL", uuid, now) > 0;
}

}  // namespace bencher::storage
