#include "lib/storage/accounts.hpp"

namespace bencher::storage {

std::string like(const std::string& text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + "%";
}

namespace {

#define USER_COLUMNS "user.id, user.uuid, user.name, user.slug, user.email, user.admin, user.locked, user.created"

UserRow user_row(Row& row) {
  UserRow out;
  row.take(out.id);
  auto& u = out.user;
  row.take(u.uuid), row.take(u.name), row.take(u.slug), row.take(u.email);
  row.take(u.admin), row.take(u.locked), row.take(u.created);
  return out;
}

// `claimed` is when the first member joined.
#define ORGANIZATION_COLUMNS                                                                         \
  "organization.id, organization.uuid, organization.name, organization.slug, organization.license, " \
  "organization.created, organization.modified, "                                                    \
  "(SELECT min(created) FROM organization_role WHERE organization_role.organization_id = organization.id)"

OrganizationRow organization_row(Row& row) {
  OrganizationRow out;
  row.take(out.id);
  auto& o = out.organization;
  row.take(o.uuid), row.take(o.name), row.take(o.slug), row.take(o.license);
  row.take(o.created), row.take(o.modified), row.take(o.claimed);
  return out;
}

UserKey user_key_row(Row& row) {
  UserKey k;
  row.take(k.uuid), row.take(k.user), row.take(k.name), row.take(k.creation), row.take(k.expiration),
      row.take(k.revoked);
  return k;
}

#define USER_KEY_COLUMNS \
  "user_key.uuid, user.uuid, user_key.name, user_key.creation, user_key.expiration, user_key.revoked"

}  // namespace

std::optional<UserRow> user_by_email(Connection& c, std::string_view email) {
  return c.one(user_row, "SELECT " USER_COLUMNS " FROM user WHERE email = ?1", email);
}

std::optional<UserRow> user_by_id(Connection& c, UserId id) {
  return c.one(user_row, "SELECT " USER_COLUMNS " FROM user WHERE id = ?1", id);
}

std::optional<UserRow> find_user(Connection& c, const ResourceId& id) {
  if (id.uuid()) return c.one(user_row, "SELECT " USER_COLUMNS " FROM user WHERE uuid = ?1", *id.uuid());
  return c.one(user_row, "SELECT " USER_COLUMNS " FROM user WHERE slug = ?1", id.slug()->str());
}

bool user_slug_taken(Connection& c, std::string_view slug) {
  return c.value<int>("SELECT 1 FROM user WHERE slug = ?1", slug).has_value();
}

std::int64_t count_users(Connection& c) {
  return *c.value<std::int64_t>("SELECT count(*) FROM user");
}

Result<UserId> insert_user(Connection& c, const User& u) {
  BENCHER_TRY([[maybe_unused]] auto changed,
              c.change("the user",
                       "INSERT INTO user (uuid, name, slug, email, admin, locked, created, modified) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                       u.uuid, u.name, u.slug, u.email, u.admin, u.locked, u.created));
  return UserId{c.last_id()};
}

Result<void> update_user(Connection& c, UserId id, const UserChange& change, Timestamp now) {
  BENCHER_TRY(
      [[maybe_unused]] auto changed,
      c.change("the user",
               "UPDATE user SET name = coalesce(?2, name), slug = coalesce(?3, slug), email = coalesce(?4, email), "
               "admin = coalesce(?5, admin), locked = coalesce(?6, locked), modified = ?7 WHERE id = ?1",
               id, change.name, change.slug, change.email, change.admin, change.locked, now));
  // A token speaks for an address; who changes the address takes the old tokens back.
  if (change.email) c.exec("UPDATE token SET revoked = ?2 WHERE user_id = ?1 AND revoked IS NULL", id, now);
  return {};
}

Page<User> list_users(Connection& c, const Filter& filter, const Paging& paging) {
  Page<User> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define USER_WHERE                                                                                                 \
  " FROM user WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR name LIKE ?2 ESCAPE '\\' OR slug LIKE ?2 ESCAPE " \
  "'\\' "                                                                                                          \
  "OR uuid LIKE ?2 ESCAPE '\\')"
  page.total = *c.value<std::int64_t>("SELECT count(*)" USER_WHERE, filter.name, search);
  auto rows = paging.descending
                  ? c.query("SELECT " USER_COLUMNS USER_WHERE " ORDER BY name DESC, slug DESC LIMIT ?3 OFFSET ?4",
                            filter.name, search, paging.per_page, paging.offset())
                  : c.query("SELECT " USER_COLUMNS USER_WHERE " ORDER BY name, slug LIMIT ?3 OFFSET ?4", filter.name,
                            search, paging.per_page, paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(user_row(row).user);
  }
  return page;
}

bool token_revoked(Connection& c, std::string_view jwt) {
  return c.value<int>("SELECT 1 FROM token WHERE jwt = ?1 AND revoked IS NOT NULL", jwt).has_value();
}

std::optional<UserKeyOwner> user_by_key(Connection& c, std::string_view key_hash, Timestamp now) {
  return c.one(
      [](Row& row) {
        UserKeyOwner out;
        out.user = user_row(row);
        row.take(out.key);
        return out;
      },
      "SELECT " USER_COLUMNS
      ", user_key.uuid FROM user_key JOIN user ON user.id = user_key.user_id "
      "WHERE user_key.key_hash = ?1 AND user_key.revoked IS NULL AND user_key.expiration > ?2",
      key_hash, now);
}

Result<void> insert_user_key(Connection& c, UserId user, const UserKey& key, std::string_view key_hash) {
  BENCHER_DO(c.change("the key",
                      "INSERT INTO user_key (uuid, user_id, name, key_hash, creation, expiration) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      key.uuid, user, key.name, key_hash, key.creation, key.expiration));
  return {};
}

std::optional<UserKey> find_user_key(Connection& c, UserId user, AnyUuid uuid) {
  return c.one(user_key_row,
               "SELECT " USER_KEY_COLUMNS
               " FROM user_key JOIN user ON user.id = user_key.user_id WHERE user_id = ?1 AND user_key.uuid = ?2",
               user, uuid);
}

Page<UserKey> list_user_keys(Connection& c, UserId user, const Filter& filter, bool revoked,
                             std::optional<AnyUuid> only, const Paging& paging) {
  Page<UserKey> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define KEY_WHERE(table)                                                                                          \
  " WHERE (" table ".revoked IS NOT NULL) = ?2 AND (?3 IS NULL OR " table ".name = ?3) AND (?4 IS NULL OR " table \
  ".name LIKE ?4 ESCAPE '\\' OR " table ".uuid LIKE ?4 ESCAPE '\\') AND (?5 IS NULL OR " table ".uuid = ?5) "
#define USER_KEY_FROM " FROM user_key JOIN user ON user.id = user_key.user_id AND user.id = ?1 " KEY_WHERE("user_key")
  page.total = *c.value<std::int64_t>("SELECT count(*)" USER_KEY_FROM, user, revoked, filter.name, search, only);
  auto rows = paging.descending ? c.query("SELECT " USER_KEY_COLUMNS USER_KEY_FROM
                                          " ORDER BY user_key.name DESC, user_key.creation DESC LIMIT ?6 OFFSET ?7",
                                          user, revoked, filter.name, search, only, paging.per_page, paging.offset())
                                : c.query("SELECT " USER_KEY_COLUMNS USER_KEY_FROM
                                          " ORDER BY user_key.name, user_key.creation LIMIT ?6 OFFSET ?7",
                                          user, revoked, filter.name, search, only, paging.per_page, paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(user_key_row(row));
  }
  return page;
}

void rename_user_key(Connection& c, AnyUuid uuid, std::string_view name) {
  c.exec("UPDATE user_key SET name = ?2 WHERE uuid = ?1", uuid, name);
}

bool revoke_user_key(Connection& c, AnyUuid uuid, Timestamp now) {
  return c.exec("UPDATE user_key SET revoked = ?2 WHERE uuid = ?1 AND revoked IS NULL", uuid, now) > 0;
}

std::optional<OrganizationRow> find_organization(Connection& c, const ResourceId& id) {
  if (id.uuid())
    return c.one(organization_row,
                 "SELECT " ORGANIZATION_COLUMNS " FROM organization WHERE uuid = ?1 AND deleted IS NULL", *id.uuid());
  return c.one(organization_row,
               "SELECT " ORGANIZATION_COLUMNS " FROM organization WHERE slug = ?1 AND deleted IS NULL",
               id.slug()->str());
}

std::optional<OrganizationRow> organization_by_id(Connection& c, OrganizationId id) {
  return c.one(organization_row, "SELECT " ORGANIZATION_COLUMNS " FROM organization WHERE id = ?1", id);
}

bool organization_slug_taken(Connection& c, std::string_view slug) {
  return c.value<int>("SELECT 1 FROM organization WHERE slug = ?1", slug).has_value();
}

Result<OrganizationId> insert_organization(Connection& c, const Organization& o) {
  BENCHER_TRY([[maybe_unused]] auto changed,
              c.change("the organization",
                       "INSERT INTO organization (uuid, name, slug, created, modified) VALUES (?1, ?2, ?3, ?4, ?5)",
                       o.uuid, o.name, o.slug, o.created, o.modified));
  return OrganizationId{c.last_id()};
}

Result<void> update_organization(Connection& c, OrganizationId id, const OrganizationChange& change, Timestamp now) {
  BENCHER_DO(c.change("the organization",
                      "UPDATE organization SET name = coalesce(?2, name), slug = coalesce(?3, slug), modified = ?4 "
                      "WHERE id = ?1",
                      id, change.name, change.slug, now));
  return {};
}

Page<Organization> list_organizations(Connection& c, std::optional<UserId> member, const Filter& filter,
                                      const Paging& paging) {
  Page<Organization> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define ORGANIZATION_WHERE                                                                                            \
  " FROM organization WHERE deleted IS NULL AND (?1 IS NULL OR id IN (SELECT organization_id FROM organization_role " \
  "WHERE user_id = ?1)) AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR name LIKE ?3 ESCAPE '\\' OR slug LIKE ?3 "   \
  "ESCAPE '\\' OR uuid LIKE ?3 ESCAPE '\\')"
  page.total = *c.value<std::int64_t>("SELECT count(*)" ORGANIZATION_WHERE, member, filter.name, search);
  auto rows = paging.descending
                  ? c.query("SELECT " ORGANIZATION_COLUMNS ORGANIZATION_WHERE
                            " ORDER BY name DESC, slug DESC LIMIT ?4 OFFSET ?5",
                            member, filter.name, search, paging.per_page, paging.offset())
                  : c.query("SELECT " ORGANIZATION_COLUMNS ORGANIZATION_WHERE " ORDER BY name, slug LIMIT ?4 OFFSET ?5",
                            member, filter.name, search, paging.per_page, paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(organization_row(row).organization);
  }
  return page;
}

std::optional<std::string> organization_role(Connection& c, OrganizationId organization, UserId user) {
  return c.value<std::string>("SELECT role FROM organization_role WHERE user_id = ?2 AND organization_id = ?1",
                              organization, user);
}

bool has_members(Connection& c, OrganizationId organization) {
  return c.value<int>("SELECT 1 FROM organization_role WHERE organization_id = ?1 LIMIT 1", organization).has_value();
}

Result<void> insert_organization_role(Connection& c, OrganizationId organization, UserId user, std::string_view role,
                                      Timestamp now) {
  BENCHER_DO(c.change("the member",
                      "INSERT INTO organization_role (user_id, organization_id, role, created, modified) "
                      "VALUES (?2, ?1, ?3, ?4, ?4)",
                      organization, user, role, now));
  return {};
}

Page<Member> list_members(Connection& c, OrganizationId organization, const Filter& filter, const Paging& paging) {
  Page<Member> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define MEMBER_WHERE                                                                                                \
  " FROM organization_role JOIN user ON user.id = organization_role.user_id WHERE organization_id = ?1 AND (?2 IS " \
  "NULL "                                                                                                           \
  "OR name = ?2) AND (?3 IS NULL OR name LIKE ?3 ESCAPE '\\' OR slug LIKE ?3 ESCAPE '\\' OR uuid LIKE ?3 ESCAPE '\\')"
#define MEMBER_COLUMNS "uuid, name, slug, email, role, organization_role.created, organization_role.modified"
  page.total = *c.value<std::int64_t>("SELECT count(*)" MEMBER_WHERE, organization, filter.name, search);
  auto rows = paging.descending
                  ? c.query("SELECT " MEMBER_COLUMNS MEMBER_WHERE " ORDER BY name DESC, slug DESC LIMIT ?4 OFFSET ?5",
                            organization, filter.name, search, paging.per_page, paging.offset())
                  : c.query("SELECT " MEMBER_COLUMNS MEMBER_WHERE " ORDER BY name, slug LIMIT ?4 OFFSET ?5",
                            organization, filter.name, search, paging.per_page, paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    Member m;
    row.take(m.uuid), row.take(m.name), row.take(m.slug), row.take(m.email), row.take(m.role);
    row.take(m.created), row.take(m.modified);
    page.items.push_back(std::move(m));
  }
  return page;
}

std::string plan_level(Connection& c, OrganizationId organization) {
  return c
      .value<std::string>(
          "SELECT CASE WHEN license IS NOT NULL THEN 'enterprise' ELSE 'team' END FROM plan "
          "WHERE organization_id = ?1",
          organization)
      .value_or("free");
}

}  // namespace bencher::storage
