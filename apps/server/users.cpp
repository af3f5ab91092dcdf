// Users and their keys.
#include "bencher/auth/credential.hpp"

#include "apps/server/api.hpp"
#include "lib/auth/json.hpp"

namespace bencher::server {
namespace {

struct UserPath {
  ResourceId user;
};
BOOST_DESCRIBE_STRUCT(UserPath, (), (user))
struct UserKeyPath {
  ResourceId user;
  AnyUuid key;
};
BOOST_DESCRIBE_STRUCT(UserKeyPath, (), (user, key))
struct UpdateUser {
  std::optional<UserName> name;
  std::optional<Slug> slug;
  std::optional<Email> email;
  std::optional<bool> admin;
  std::optional<bool> locked;
};
BOOST_DESCRIBE_STRUCT(UpdateUser, (), (name, slug, email, admin, locked))
struct NewKey {
  ResourceName name;
  std::optional<std::uint32_t> ttl;
};
BOOST_DESCRIBE_STRUCT(NewKey, (), (name, ttl))
struct UpdateKey {
  std::optional<ResourceName> name;
};
BOOST_DESCRIBE_STRUCT(UpdateKey, (), (name))
struct UserKeyWire {
  Uuid<UserKey> uuid;
  Uuid<User> user;
  std::string name;
  Timestamp creation;
  Timestamp expiration;
  json::Sparse<Timestamp> revoked;
};
BOOST_DESCRIBE_STRUCT(UserKeyWire, (), (uuid, user, name, creation, expiration, revoked))
struct UserKeyCreated {
  Uuid<UserKey> uuid;
  Uuid<User> user;
  std::string name;
  std::string key;
  Timestamp creation;
  Timestamp expiration;
};
BOOST_DESCRIBE_STRUCT(UserKeyCreated, (), (uuid, user, name, key, creation, expiration))

UserKeyWire to_wire(const UserKey& k) {
  return {k.uuid, k.user, k.name, k.creation, k.expiration, k.revoked};
}

/// The user, if it is the caller or the caller is an admin.
Result<st::UserRow> same_user(Call& call, const ResourceId& id) {
  auto row = st::find_user(call.c, id);
  if (row && row->id == call.actor.user->id) return *std::move(row);
  if (!call.actor.is_admin()) return Error(Errc::forbidden, "only the user and the admins of the server may do this");
  if (!row) return not_found("user", id.str());
  return *std::move(row);
}

Result<Listed<User>> list_users(Call& call, const Query<UserQuery>& query) {
  auto page = st::list_users(call.c, query.value.filter(), query.value.paging());
  return Listed<User>{std::move(page.items), page.total};
}

Result<Ok<User>> view_user(Call& call, const Path<UserPath>& path) {
  BENCHER_TRY(auto row, same_user(call, path.value.user));
  return Ok<User>{std::move(row.user)};
}

Result<Ok<User>> update_user(Call& call, const Path<UserPath>& path, const Body<UpdateUser>& body) {
  BENCHER_TRY(const auto row, same_user(call, path.value.user));
  if ((body.value.admin || body.value.locked) && !call.actor.is_admin())
    return Error(Errc::forbidden, "only an admin of the server may set `admin` and `locked`");
  st::UserChange change{text(body.value.name), text(body.value.slug), text(body.value.email), body.value.admin,
                        body.value.locked};
  BENCHER_DO(st::update_user(call.c, row.id, change, call.now()));
  return Ok<User>{st::user_by_id(call.c, row.id)->user};
}

Result<Listed<UserKeyWire>> list_keys(Call& call, const Path<UserPath>& path, const Query<KeyQuery>& query) {
  BENCHER_TRY(const auto row, same_user(call, path.value.user));
  const auto page = st::list_user_keys(call.c, row.id, {text(query.value.name), query.value.search, false},
                                       query.value.revoked.value_or(false), call.actor.user_key, query.value.paging());
  Listed<UserKeyWire> out;
  out.total = page.total;
  for (const auto& k : page.items)
    out.value.push_back(to_wire(k));
  return out;
}

Result<Created<UserKeyCreated>> create_key(Call& call, const Path<UserPath>& path, const Body<NewKey>& body) {
  BENCHER_TRY(const auto row, same_user(call, path.value.user));
  if (call.actor.user_key)
    return Error(Errc::forbidden, "a user key cannot create keys; use a token from `bencher auth confirm`");
  if (body.value.ttl == 0u) return Error(Errc::invalid_argument, "/ttl: a key must live for at least one second");
  UserKey key;
  key.uuid = Uuid<UserKey>(call.env.uuid());
  key.name = body.value.name.str();
  key.creation = call.now();
  key.expiration = Timestamp{call.now().seconds + body.value.ttl.value_or(UINT32_MAX)};
  auto plain = make_key(KeyKind::user, call.env.random);
  BENCHER_DO(st::insert_user_key(call.c, row.id, key, hash_key(plain)));
  return Created<UserKeyCreated>{{key.uuid, row.user.uuid, key.name, std::move(plain), key.creation, key.expiration}};
}

Result<UserKey> the_key(Call& call, const UserKeyPath& path) {
  BENCHER_TRY(const auto row, same_user(call, path.user));
  if (call.actor.user_key && *call.actor.user_key != path.key)
    return Error(Errc::forbidden, "a user key can only see and change itself");
  auto key = st::find_user_key(call.c, row.id, path.key);
  if (!key) return not_found("user key", path.key.str());
  return *std::move(key);
}

Result<Ok<UserKeyWire>> view_key(Call& call, const Path<UserKeyPath>& path) {
  BENCHER_TRY(const auto key, the_key(call, path.value));
  return Ok<UserKeyWire>{to_wire(key)};
}

Result<Ok<UserKeyWire>> update_key(Call& call, const Path<UserKeyPath>& path, const Body<UpdateKey>& body) {
  BENCHER_TRY(auto key, the_key(call, path.value));
  if (body.value.name) {
    st::rename_user_key(call.c, key.uuid, body.value.name->str());
    key.name = body.value.name->str();
  }
  return Ok<UserKeyWire>{to_wire(key)};
}

Result<NoContent> revoke_key(Call& call, const Path<UserKeyPath>& path) {
  BENCHER_TRY(const auto key, the_key(call, path.value));
  if (!st::revoke_user_key(call.c, key.uuid, call.now()))
    return Error(Errc::conflict, "the user key has been revoked already");
  return NoContent{};
}

constexpr std::array table{
    endpoint<list_users>({Verb::get, "/v0/users", Access::admin, "users_get", "List users"}),
    endpoint<view_user>({Verb::get, "/v0/users/{user}", Access::user, "user_get", "View a user"}),
    endpoint<update_user>({Verb::patch, "/v0/users/{user}", Access::user, "user_patch", "Update a user"}),
    endpoint<list_keys>({Verb::get, "/v0/users/{user}/keys", Access::user, "user_keys_get", "List the keys of a user"}),
    endpoint<create_key>({Verb::post, "/v0/users/{user}/keys", Access::user, "user_key_post",
                          "Create a user key; its text is shown once"}),
    endpoint<view_key>({Verb::get, "/v0/users/{user}/keys/{key}", Access::user, "user_key_get", "View a user key"}),
    endpoint<update_key>(
        {Verb::patch, "/v0/users/{user}/keys/{key}", Access::user, "user_key_patch", "Rename a user key"}),
    endpoint<revoke_key>(
        {Verb::delete_, "/v0/users/{user}/keys/{key}", Access::user, "user_key_delete", "Revoke a user key"}),
};

}  // namespace

std::span<const Endpoint> user_endpoints() {
  return table;
}

}  // namespace bencher::server
