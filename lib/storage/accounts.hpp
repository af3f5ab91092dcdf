// Users, their keys, organizations and roles.
#pragma once

#include "bencher/auth/user.hpp"
#include "bencher/base/name.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"

namespace bencher::storage {

struct UserRow {
  UserId id{};
  User user;
};

struct OrganizationRow {
  OrganizationId id{};
  Organization organization;
};

std::optional<UserRow> user_by_email(Connection& c, std::string_view email);
std::optional<UserRow> user_by_id(Connection& c, UserId id);
std::optional<UserRow> find_user(Connection& c, const ResourceId& id);
bool user_slug_taken(Connection& c, std::string_view slug);
std::int64_t count_users(Connection& c);
Result<UserId> insert_user(Connection& c, const User& user);
struct UserChange {
  std::optional<std::string> name, slug, email;
  std::optional<bool> admin, locked;
};
Result<void> update_user(Connection& c, UserId id, const UserChange& change, Timestamp now);
Page<User> list_users(Connection& c, const Filter& filter, const Paging& paging);

/// Whether an API token of that exact text was revoked.
bool token_revoked(Connection& c, std::string_view jwt);

struct UserKeyOwner {
  UserRow user;
  Uuid<UserKey> key;
};
/// The owner of a live key: known, not revoked, not expired.
std::optional<UserKeyOwner> user_by_key(Connection& c, std::string_view key_hash, Timestamp now);
Result<void> insert_user_key(Connection& c, UserId user, const UserKey& key, std::string_view key_hash);
std::optional<UserKey> find_user_key(Connection& c, UserId user, AnyUuid uuid);
Page<UserKey> list_user_keys(Connection& c, UserId user, const Filter& filter, bool revoked,
                             std::optional<AnyUuid> only, const Paging& paging);
void rename_user_key(Connection& c, AnyUuid uuid, std::string_view name);
/// Whether it was live until now.
bool revoke_user_key(Connection& c, AnyUuid uuid, Timestamp now);

std::optional<OrganizationRow> find_organization(Connection& c, const ResourceId& id);
std::optional<OrganizationRow> organization_by_id(Connection& c, OrganizationId id);
bool organization_slug_taken(Connection& c, std::string_view slug);
Result<OrganizationId> insert_organization(Connection& c, const Organization& organization);
struct OrganizationChange {
  std::optional<std::string> name, slug;
};
Result<void> update_organization(Connection& c, OrganizationId id, const OrganizationChange& change, Timestamp now);
/// Those of one member, or all.
Page<Organization> list_organizations(Connection& c, std::optional<UserId> member, const Filter& filter,
                                      const Paging& paging);
std::optional<std::string> organization_role(Connection& c, OrganizationId organization, UserId user);
bool has_members(Connection& c, OrganizationId organization);
Result<void> insert_organization_role(Connection& c, OrganizationId organization, UserId user, std::string_view role,
                                      Timestamp now);
Page<Member> list_members(Connection& c, OrganizationId organization, const Filter& filter, const Paging& paging);
/// `free`, or what the organization's plan pays for; nothing is known here of members.
std::string plan_level(Connection& c, OrganizationId organization);

}  // namespace bencher::storage
