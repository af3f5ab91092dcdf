// Whose project it is, who may report to it, and how it comes to be on the fly.
#include <fmt/core.h>

#include "bencher/project/slug.hpp"

#include "lib/pipeline/steps.hpp"
#include "lib/storage/specs.hpp"

namespace bencher::pipeline {

namespace st = bencher::storage;

bool permitted(st::Connection& c, const Actor& actor, st::OrganizationId organization) {
  if (actor.is_admin()) return true;
  return actor.kind == Actor::Kind::user && st::organization_role(c, organization, actor.user->id).has_value();
}

bool permitted(st::Connection& c, const Actor& actor, const st::ProjectRow& project) {
  if (permitted(c, actor, project.organization_id)) return true;
  return actor.kind == Actor::Kind::user && st::has_project_role(c, project.id, actor.user->id);
}

std::string free_slug(const Env& env, const std::optional<std::string>& given, std::string_view name,
                      const std::function<bool(std::string_view)>& taken) {
  return choose_slug(
             given ? std::string_view(*given) : name, [&](const Slug& slug) { return taken(slug.str()); }, env.now,
             env.random)
      .str();
}

Result<st::OrganizationRow> create_organization(st::Connection& c, const Env& env, AnyUuid uuid, std::string_view name,
                                                const std::optional<std::string>& slug) {
  Organization o;
  o.uuid = Uuid<Organization>(uuid);
  o.name = name;
  o.slug = free_slug(env, slug, name, [&](std::string_view s) { return st::organization_slug_taken(c, s); });
  o.created = o.modified = env.time();
  BENCHER_TRY(const auto id, st::insert_organization(c, o));
  return *st::organization_by_id(c, id);
}

Result<void> claim_organization(st::Connection& c, const Env& env, st::OrganizationId organization, st::UserId user) {
  BENCHER_DO(st::insert_organization_role(c, organization, user, "leader", env.time()));
  st::raise_unclaimed_jobs(c, organization, env.time());
  return {};
}

Result<st::ProjectRow> create_project(st::Connection& c, const Env& env, st::OrganizationId organization,
                                      const Project& project, const std::optional<std::string>& slug,
                                      std::optional<st::UserId> maintainer) {
  Project p = project;
  if (p.uuid.is_nil()) p.uuid = Uuid<Project>(env.uuid());
  p.slug = free_slug(env, slug, p.name, [&](std::string_view s) { return st::project_slug_taken(c, s); });
  p.created = p.modified = env.time();
  BENCHER_TRY(const auto id, st::insert_project(c, organization, p));
  if (maintainer) BENCHER_DO(st::insert_project_role(c, id, *maintainer, "maintainer", env.time()));
  return *st::project_by_id(c, id);
}

Result<st::OrganizationRow> personal_organization(st::Connection& c, const Env& env, const st::UserRow& user) {
  if (auto found = st::find_organization(c, ResourceId(user.user.uuid))) return *std::move(found);
  BENCHER_TRY(auto made, create_organization(c, env, user.user.uuid, user.user.name, user.user.slug));
  BENCHER_DO(st::insert_organization_role(c, made.id, user.id, "leader", env.time()));
  return *st::organization_by_id(c, made.id);
}

namespace {

/// `name`, or the first of `name (1)`, `name (2)` … that the organization does not have.
std::string free_project_name(st::Connection& c, st::OrganizationId organization, std::string_view name) {
  if (!st::project_name_taken(c, organization, name)) return std::string(name);
  std::string stem(name);
  if (stem.size() > 41) {
    std::size_t end = 38;
    while (end > 0 && (static_cast<unsigned char>(stem[end]) & 0xc0) == 0x80)
      --end;
    stem = stem.substr(0, end) + "...";
  }
  for (std::uint64_t i = 1;; ++i)
    if (auto numbered = fmt::format("{} ({})", stem, i); !st::project_name_taken(c, organization, numbered))
      return numbered;
}

}  // namespace

Result<st::ProjectRow> create_project_on_the_fly(st::Connection& c, const Env& env, const Actor& actor,
                                                 const std::string& slug, std::string_view name) {
  Project project;
  if (actor.kind == Actor::Kind::user) {
    BENCHER_TRY(const auto organization, personal_organization(c, env, *actor.user));
    project.name = free_project_name(c, organization.id, name);
    return create_project(c, env, organization.id, project, slug, actor.user->id);
  }
  auto organization = st::find_organization(c, *ResourceId::parse(slug));
  if (organization && st::has_members(c, organization->id) && actor.kind != Actor::Kind::embedder)
    return Error(
        Errc::unauthenticated,
        fmt::format("the project '{}' belongs to an organization that has been claimed; authenticate with a key of "
                    "it (`--key`)",
                    slug));
  if (!organization) {
    BENCHER_TRY(organization, create_organization(c, env, env.uuid(), name, slug));
    project.uuid = Uuid<Project>(organization->organization.uuid);
  }
  project.name = free_project_name(c, organization->id, name);
  return create_project(c, env, organization->id, project, slug, std::nullopt);
}

void ensure_server(st::Connection& c, const Env& env) {
  std::string key(16, '\0');
  env.random.fill(std::as_writable_bytes(std::span(key)));
  st::ensure_server_row(c, env.uuid(), key, env.time());
}

}  // namespace bencher::pipeline
