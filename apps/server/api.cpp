#include "apps/server/api.hpp"

#include <fmt/core.h>

#include "bencher/auth/credential.hpp"

namespace bencher::server {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

Error malformed() {
  return Error(Errc::unauthenticated, "the credential is malformed; send a user key, a project key or a token");
}

Result<Actor> by_user_key(st::Connection& c, std::string_view key, Timestamp now) {
  const auto owner = is_key(KeyKind::user, key) ? st::user_by_key(c, hash_key(key), now) : std::nullopt;
  if (!owner || owner->user.user.locked)
    return Error(Errc::unauthenticated, "the user key is not valid: unknown, revoked, expired, or its owner is locked");
  Actor actor;
  actor.kind = Actor::Kind::user;
  actor.user = owner->user;
  actor.user_key = owner->key;
  return actor;
}

Result<Actor> by_token(st::Connection& c, const Context& context, std::string_view token, Timestamp now) {
  auto claims = decode_token(token, context.config.secret_key, context.config.issuer, now);
  if (!claims) return Error(Errc::invalid_argument, claims.error().message());
  if (claims->audience != "client" && claims->audience != "api_key")
    return Error(Errc::invalid_argument, "the token is not valid: it was issued for another use");
  if (claims->audience == "api_key" && st::token_revoked(c, token))
    return Error(Errc::unauthenticated, "the token has been revoked");
  auto user = st::user_by_email(c, claims->subject);
  if (!user) return Error(Errc::not_found, fmt::format("there is no user '{}'", claims->subject));
  if (user->user.locked) return Error(Errc::forbidden, "the account is locked; ask an admin of the server");
  Actor actor;
  actor.kind = Actor::Kind::user;
  actor.user = *std::move(user);
  return actor;
}

Result<Actor> by_project_key(st::Connection& c, std::string_view key, Timestamp now) {
  auto owner = is_key(KeyKind::project, key) ? st::project_by_key(c, hash_key(key), now) : std::nullopt;
  if (!owner) return Error(Errc::unauthenticated, "the project key is not valid: unknown, revoked or expired");
  Actor actor;
  actor.kind = Actor::Kind::project_key;
  actor.project = std::move(owner->project);
  return actor;
}

}  // namespace

Error not_found(std::string_view what, std::string_view id) {
  return Error(Errc::not_found, fmt::format("{} '{}' not found; it may be private, or not exist", what, id));
}

std::optional<std::string_view> bearer(const http::RequestHead& head) {
  const auto* value = head.header("authorization");
  if (!value) return std::nullopt;
  const std::string_view text = *value;
  const auto space = text.find(' ');
  if (space == std::string_view::npos || !same(text.substr(0, space), "bearer")) return std::nullopt;
  auto token = text.substr(space + 1);
  while (!token.empty() && token.front() == ' ')
    token.remove_prefix(1);
  return token;
}

Result<Actor> authenticate(st::Connection& c, const Context& context, const http::RequestHead& head, Access access,
                           Timestamp now) {
  if (access == Access::nobody_asked) return Actor{};
  const auto token = bearer(head);
  const bool required = access == Access::user || access == Access::admin;
  if (!token) {
    if (!required) return Actor{};
    return Error(
        Errc::invalid_argument,
        "the request has no `Authorization: Bearer <key>` header; send a user key (`bencher_user_…`) or a token");
  }
  if (has_key_prefix(KeyKind::user, *token)) {
    if (access == Access::console && !is_key(KeyKind::user, *token)) return Actor{};
    if (required && !is_key(KeyKind::user, *token)) return Error(Errc::invalid_argument, malformed().message());
    BENCHER_TRY(auto actor, by_user_key(c, *token, now));
    if (access == Access::admin && !actor.user->user.admin)
      return Error(Errc::forbidden, "only an admin of the server may do this");
    return actor;
  }
  if (has_key_prefix(KeyKind::project, *token)) {
    if (access == Access::public_) return by_project_key(c, *token, now);
    if (access == Access::console) return Actor{};
    return Error(Errc::invalid_argument, "a project key is not enough here; send a user key or a token");
  }
  if (!is_jwt(*token)) {
    if (access == Access::console) return Actor{};
    if (required) return Error(Errc::invalid_argument, malformed().message());
    return malformed();
  }
  BENCHER_TRY(auto actor, by_token(c, context, *token, now));
  if (access == Access::admin && !actor.user->user.admin)
    return Error(Errc::forbidden, "only an admin of the server may do this");
  return actor;
}

Result<st::ProjectRow> viewable_project(Call& call, const ResourceId& id) {
  auto project = st::find_project(call.c, id);
  if (!project) return not_found("project", id.str());
  const bool open = project->project.visibility == Visibility::public_;
  if (call.actor.kind == Actor::Kind::project_key) {
    if (call.actor.project->id == project->id) return *std::move(project);
    if (open) return Error(Errc::forbidden, "the project key belongs to another project");
    return not_found("project", id.str());
  }
  if (open || pipeline::permitted(call.c, call.actor, *project)) return *std::move(project);
  return not_found("project", id.str());
}

Result<st::ProjectRow> editable_project(Call& call, const ResourceId& id) {
  BENCHER_TRY(auto project, viewable_project(call, id));
  if (call.actor.kind == Actor::Kind::project_key || pipeline::permitted(call.c, call.actor, project)) return project;
  if (call.actor.kind == Actor::Kind::anonymous)
    return Error(
        Errc::unauthenticated,
        fmt::format("changing project '{}' needs a credential; send a user key or a key of the project", id.str()));
  return Error(Errc::forbidden, fmt::format("you have no role in project '{}' that allows this", id.str()));
}

Result<st::ProjectRow> managed_project(Call& call, const ResourceId& id) {
  BENCHER_TRY(auto project, viewable_project(call, id));
  if (!pipeline::permitted(call.c, call.actor, project))
    return Error(Errc::forbidden, fmt::format("you have no role in project '{}' that allows this", id.str()));
  return project;
}

Result<st::OrganizationRow> own_organization(Call& call, const ResourceId& id) {
  auto organization = st::find_organization(call.c, id);
  if (!organization || !pipeline::permitted(call.c, call.actor, organization->id))
    return not_found("organization", id.str());
  return *std::move(organization);
}

}  // namespace bencher::server
