// Users and their keys.
#include "apps/server/api.hpp"
#include "apps/server/keys.hpp"
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

/// The keys of a user, for `list_keys` and the others. Who comes with one sees only that one.
struct UserKeys {
  using Key = UserKey;
  using Wire = UserKeyWire;
  using CreatedWire = UserKeyCreated;
  using OwnerPath = UserPath;
  using KeyPath = UserKeyPath;
  static constexpr KeyKind kind = KeyKind::user;
  static constexpr std::string_view noun = "user key";

  static Wire wire(const Key& k) { return {k.uuid, k.user, k.name, k.creation, k.expiration, k.revoked}; }
  template <class P>
  static Result<st::UserRow> owner(Call& call, const P& path) {
    return same_user(call, path.user);
  }
  static Uuid<User> uuid(const st::UserRow& row) { return row.user.uuid; }
  static Result<void> may_create(const Call& call) {
    if (call.actor.user_key)
      return Error(Errc::forbidden, "a user key cannot create keys; use a token from `bencher auth confirm`");
    return {};
  }
  static Result<void> may_touch(const Call& call, const AnyUuid& key) {
    if (call.actor.user_key && *call.actor.user_key != key)
      return Error(Errc::forbidden, "a user key can only see and change itself");
    return {};
  }
  static st::Page<Key> list(Call& call, const st::UserRow& row, const st::Filter& filter, bool revoked,
                            const st::Paging& paging) {
    return st::list_user_keys(call.c, row.id, filter, revoked, call.actor.user_key, paging);
  }
  static Result<void> insert(Call& call, const st::UserRow& row, const Key& key, std::string_view hash) {
    return st::insert_user_key(call.c, row.id, key, hash);
  }
  static constexpr auto find = st::find_user_key;
  static constexpr auto rename = st::rename_user_key;
  static constexpr auto revoke = st::revoke_user_key;
};

constexpr std::array table{
    endpoint<list_users>({Verb::get, "/v0/users", Access::admin, "users_get", "List users"}),
    endpoint<view_user>({Verb::get, "/v0/users/{user}", Access::user, "user_get", "View a user"}),
    endpoint<update_user>({Verb::patch, "/v0/users/{user}", Access::user, "user_patch", "Update a user"}),
    endpoint<list_keys<UserKeys>>(
        {Verb::get, "/v0/users/{user}/keys", Access::user, "user_keys_get", "List the keys of a user"}),
    endpoint<create_key<UserKeys>>({Verb::post, "/v0/users/{user}/keys", Access::user, "user_key_post",
                                    "Create a user key; its text is shown once"}),
    endpoint<view_key<UserKeys>>(
        {Verb::get, "/v0/users/{user}/keys/{key}", Access::user, "user_key_get", "View a user key"}),
    endpoint<update_key<UserKeys>>(
        {Verb::patch, "/v0/users/{user}/keys/{key}", Access::user, "user_key_patch", "Rename a user key"}),
    endpoint<revoke_key<UserKeys>>(
        {Verb::delete_, "/v0/users/{user}/keys/{key}", Access::user, "user_key_delete", "Revoke a user key"}),
};

}  // namespace

std::span<const Endpoint> user_endpoints() {
  return table;
}

}  // namespace bencher::server
