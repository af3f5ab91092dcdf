// One call of the API: who asks, on which connection; and the tables of all endpoints.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "apps/server/context.hpp"
#include "lib/http/endpoint.hpp"
#include "lib/pipeline/steps.hpp"

namespace bencher::server {

using http::Accepted;
using http::Access;
using http::Body;
using http::Created;
using http::endpoint;
using http::Listed;
using http::NoContent;
using http::Ok;
using http::Path;
using http::Query;
using http::Verb;
using pipeline::Actor;

namespace st = bencher::storage;

/// What a handler works with. It runs on a database thread, in a transaction when the verb may change something.
struct Call {
  st::Connection& c;
  Context& context;
  const pipeline::Env& env;
  const http::RequestHead& head;
  Actor actor;
  /// Done on the network thread once the transaction is durable.
  std::vector<std::function<void()>> after_commit;

  Timestamp now() const { return env.time(); }
};

using Endpoint = http::Endpoint<Call>;

/// Who the request's credential belongs to. Errors as the reference gives them for that class of endpoint.
Result<Actor> authenticate(st::Connection& c, const Context& context, const http::RequestHead& head, Access access,
                           Timestamp now);
/// The token of an `Authorization: Bearer` header; nothing without one.
std::optional<std::string_view> bearer(const http::RequestHead& head);

/// The project, if the actor may see it. What it may not see is not found.
Result<st::ProjectRow> viewable_project(Call& call, const ResourceId& id);
/// The project, if the actor may change it.
Result<st::ProjectRow> editable_project(Call& call, const ResourceId& id);
/// A project that a user (no key) manages.
Result<st::ProjectRow> managed_project(Call& call, const ResourceId& id);
/// The organization, if the user belongs to it.
Result<st::OrganizationRow> own_organization(Call& call, const ResourceId& id);

enum class Direction { asc, desc };
BOOST_DESCRIBE_ENUM(Direction, asc, desc)

struct PageQuery {
  std::optional<Direction> direction;
  std::optional<std::uint32_t> page;
  std::optional<std::uint8_t> per_page;

  st::Paging paging(bool descending_by_default = false) const {
    st::Paging p;
    p.page = page.value_or(1);
    p.per_page = per_page.value_or(8);
    p.descending = direction ? *direction == Direction::desc : descending_by_default;
    return p;
  }
};
BOOST_DESCRIBE_STRUCT(PageQuery, (), (direction, page, per_page))

enum class NameSort { name };
BOOST_DESCRIBE_ENUM(NameSort, name)

/// Lists by name, of things called `N`.
template <class N>
struct NamedQuery : PageQuery {
  std::optional<NameSort> sort;
  std::optional<N> name;
  std::optional<std::string> search;

  st::Filter filter() const { return {name ? std::optional(name->str()) : std::nullopt, search, false}; }
};
using OrganizationQuery = NamedQuery<ResourceName>;
using UserQuery = NamedQuery<UserName>;
BOOST_DESCRIBE_STRUCT(OrganizationQuery, (PageQuery), (sort, name, search))
BOOST_DESCRIBE_STRUCT(UserQuery, (PageQuery), (sort, name, search))

struct KeyQuery : PageQuery {
  std::optional<NameSort> sort;
  std::optional<ResourceName> name;
  std::optional<std::string> search;
  std::optional<bool> revoked;
};
BOOST_DESCRIBE_STRUCT(KeyQuery, (PageQuery), (sort, name, search, revoked))

struct ProjectPath {
  ResourceId project;
};
BOOST_DESCRIBE_STRUCT(ProjectPath, (), (project))
struct OrganizationPath {
  ResourceId organization;
};
BOOST_DESCRIBE_STRUCT(OrganizationPath, (), (organization))

Error not_found(std::string_view what, std::string_view id);
/// The text of an optional validated value.
template <class T>
std::optional<std::string> text(const std::optional<T>& value) {
  return value ? std::optional(value->str()) : std::nullopt;
}

// The tables, one a resource.
std::span<const Endpoint> alert_endpoints();
std::span<const Endpoint> auth_endpoints();
std::span<const Endpoint> dimension_endpoints();
std::span<const Endpoint> job_endpoints();
std::span<const Endpoint> organization_endpoints();
std::span<const Endpoint> perf_endpoints();
std::span<const Endpoint> project_endpoints();
std::span<const Endpoint> report_endpoints();
std::span<const Endpoint> runner_endpoints();
std::span<const Endpoint> spec_endpoints();
std::span<const Endpoint> system_endpoints();
std::span<const Endpoint> threshold_endpoints();
std::span<const Endpoint> detection_endpoints();
std::span<const Endpoint> user_endpoints();

}  // namespace bencher::server
