// Keys of users and of projects: what is done to them is the same, and written once here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "bencher/auth/credential.hpp"

#include "apps/server/api.hpp"

namespace bencher::server {

struct NewKey {
  ResourceName name;
  std::optional<std::uint32_t> ttl;
};
BOOST_DESCRIBE_STRUCT(NewKey, (), (name, ttl))
struct UpdateKey {
  std::optional<ResourceName> name;
};
BOOST_DESCRIBE_STRUCT(UpdateKey, (), (name))

// `Keys` says what keys these are. Its types: `Key`; `Wire`, made by `wire(key)`, and `CreatedWire`, which begins with
// the key's and the owner's UUID; `OwnerPath` and `KeyPath`. Its values: `kind`, and `noun` for messages. Its
// functions:
// - `owner(call, path)`: the row of the owner that either path names, if the caller may work on its keys;
// - `uuid(owner)`; `may_create(call)`; `may_touch(call, key)`;
// - `list`, `insert`, `find`, `rename` and `revoke` of the store.

template <class Keys>
Result<Listed<typename Keys::Wire>> list_keys(Call& call, const Path<typename Keys::OwnerPath>& path,
                                              const Query<KeyQuery>& query) {
  BENCHER_TRY(const auto owner, Keys::owner(call, path.value));
  const st::Filter filter{text(query.value.name), query.value.search, false};
  const auto page = Keys::list(call, owner, filter, query.value.revoked.value_or(false), query.value.paging());
  Listed<typename Keys::Wire> out;
  out.total = page.total;
  for (const auto& key : page.items)
    out.value.push_back(Keys::wire(key));
  return out;
}

template <class Keys>
Result<Created<typename Keys::CreatedWire>> create_key(Call& call, const Path<typename Keys::OwnerPath>& path,
                                                       const Body<NewKey>& body) {
  BENCHER_TRY(const auto owner, Keys::owner(call, path.value));
  BENCHER_DO(Keys::may_create(call));
  if (body.value.ttl == 0u) return Error(Errc::invalid_argument, "/ttl: a key must live for at least one second");
  typename Keys::Key key;
  key.uuid = Uuid<typename Keys::Key>(call.env.uuid());
  key.name = body.value.name.str();
  key.creation = call.now();
  key.expiration = Timestamp{call.now().seconds + body.value.ttl.value_or(UINT32_MAX)};
  auto plain = make_key(Keys::kind, call.env.random);
  BENCHER_DO(Keys::insert(call, owner, key, hash_key(plain)));
  return Created<typename Keys::CreatedWire>{
      {key.uuid, Keys::uuid(owner), key.name, std::move(plain), key.creation, key.expiration}};
}

template <class Keys>
Result<typename Keys::Key> the_key(Call& call, const typename Keys::KeyPath& path) {
  BENCHER_TRY(const auto owner, Keys::owner(call, path));
  BENCHER_DO(Keys::may_touch(call, path.key));
  auto key = Keys::find(call.c, owner.id, path.key);
  if (!key) return not_found(Keys::noun, path.key.str());
  return *std::move(key);
}

template <class Keys>
Result<Ok<typename Keys::Wire>> view_key(Call& call, const Path<typename Keys::KeyPath>& path) {
  BENCHER_TRY(const auto key, the_key<Keys>(call, path.value));
  return Ok<typename Keys::Wire>{Keys::wire(key)};
}

template <class Keys>
Result<Ok<typename Keys::Wire>> update_key(Call& call, const Path<typename Keys::KeyPath>& path,
                                           const Body<UpdateKey>& body) {
  BENCHER_TRY(auto key, the_key<Keys>(call, path.value));
  if (body.value.name) {
    Keys::rename(call.c, key.uuid, body.value.name->str());
    key.name = body.value.name->str();
  }
  return Ok<typename Keys::Wire>{Keys::wire(key)};
}

template <class Keys>
Result<NoContent> revoke_key(Call& call, const Path<typename Keys::KeyPath>& path) {
  BENCHER_TRY(const auto key, the_key<Keys>(call, path.value));
  if (!Keys::revoke(call.c, key.uuid, call.now()))
    return Error(Errc::conflict, "the " + std::string(Keys::noun) + " has been revoked already");
  return NoContent{};
}

}  // namespace bencher::server
