// Specs.
#include "lib/storage/specs.hpp"

#include <fmt/core.h>

#include "apps/server/api.hpp"
#include "lib/spec/json.hpp"

namespace bencher::server {
namespace {

enum class SharedSort { name, created };
BOOST_DESCRIBE_ENUM(SharedSort, name, created)
struct SpecsQuery : PageQuery {
  std::optional<SharedSort> sort;
  std::optional<ResourceName> name;
  std::optional<std::string> search;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(SpecsQuery, (PageQuery), (sort, name, search, archived))
struct SpecPath {
  ResourceId spec;
};
BOOST_DESCRIBE_STRUCT(SpecPath, (), (spec))
struct NewSpec {
  ResourceName name;
  std::optional<Slug> slug;
  OperatingSystem os = OperatingSystem::linux_;
  Architecture architecture = Architecture::x86_64;
  std::optional<SandboxKind> sandbox;
  std::int64_t cpu = 0;
  std::int64_t memory = 0;
  std::int64_t disk = 0;
  std::optional<bool> network;
  std::optional<bool> fallback;
  std::optional<bool> default_;
};
BOOST_DESCRIBE_STRUCT(NewSpec, (),
                      (name, slug, os, architecture, sandbox, cpu, memory, disk, network, fallback, default_))
struct UpdateSpec {
  std::optional<ResourceName> name;
  std::optional<Slug> slug;
  std::optional<bool> fallback;
  std::optional<bool> default_;
  std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateSpec, (), (name, slug, fallback, default_, archived))

Result<std::optional<bool>> one_default(std::optional<bool> fallback, std::optional<bool> default_) {
  if (fallback && default_ && *fallback != *default_)
    return Error(Errc::invalid_argument, "`fallback` and `default` mean the same; give one, or both with one value");
  return fallback ? fallback : default_;
}

Result<st::SpecRow> the_spec(Call& call, const ResourceId& id) {
  auto row = st::find_spec(call.c, id);
  if (!row) return not_found("spec", id.str());
  return *std::move(row);
}

Result<Listed<Spec>> list_specs(Call& call, const Query<SpecsQuery>& query) {
  const auto& q = query.value;
  const auto sort = q.sort == SharedSort::created ? st::NamedSort::created : st::NamedSort::name;
  auto page = st::list_specs(call.c, {text(q.name), q.search, q.archived.value_or(false)}, sort,
                             q.paging(sort == st::NamedSort::created));
  return Listed<Spec>{std::move(page.items), page.total};
}

Result<Created<Spec>> create_spec(Call& call, const Body<NewSpec>& body) {
  const auto& in = body.value;
  const auto positive = [](std::string_view what, std::int64_t value, std::int64_t max) -> Result<void> {
    if (value < 1 || value > max) return Error(Errc::invalid_argument, fmt::format("/{}: must be 1 to {}", what, max));
    return {};
  };
  BENCHER_DO(positive("cpu", in.cpu, INT32_MAX));
  BENCHER_DO(positive("memory", in.memory, INT64_MAX));
  BENCHER_DO(positive("disk", in.disk, INT64_MAX));
  BENCHER_TRY(const auto is_default, one_default(in.fallback, in.default_));
  Spec spec;
  spec.uuid = Uuid<Spec>(call.env.uuid());
  spec.name = in.name.str();
  spec.slug = pipeline::free_slug(call.env, text(in.slug), spec.name,
                                  [&](std::string_view s) { return st::spec_slug_taken(call.c, s); });
  spec.os = in.os;
  spec.architecture = in.architecture;
  spec.sandbox = in.sandbox;
  spec.cpu = in.cpu;
  spec.memory = in.memory;
  spec.disk = in.disk;
  spec.network = in.network.value_or(false);
  if (is_default.value_or(false)) spec.fallback = call.now();
  spec.created = spec.modified = call.now();
  BENCHER_TRY(const auto id, st::insert_spec(call.c, spec));
  return Created<Spec>{st::spec_by_id(call.c, id)->spec};
}

Result<Ok<Spec>> view_spec(Call& call, const Path<SpecPath>& path) {
  BENCHER_TRY(auto row, the_spec(call, path.value.spec));
  return Ok<Spec>{std::move(row.spec)};
}

Result<Ok<Spec>> update_spec(Call& call, const Path<SpecPath>& path, const Body<UpdateSpec>& body) {
  BENCHER_TRY(const auto row, the_spec(call, path.value.spec));
  st::SpecChange change;
  change.name = text(body.value.name);
  change.slug = text(body.value.slug);
  BENCHER_TRY(change.fallback, one_default(body.value.fallback, body.value.default_));
  change.archived = body.value.archived;
  BENCHER_DO(st::update_spec(call.c, row.id, change, call.now()));
  return Ok<Spec>{st::spec_by_id(call.c, row.id)->spec};
}

Result<NoContent> delete_spec(Call& call, const Path<SpecPath>& path) {
  BENCHER_TRY(const auto row, the_spec(call, path.value.spec));
  BENCHER_DO(st::delete_spec(call.c, row.id));
  return NoContent{};
}

constexpr std::array table{
    endpoint<list_specs>({Verb::get, "/v0/specs", Access::admin, "specs_get", "List the specs"}),
    endpoint<create_spec>({Verb::post, "/v0/specs", Access::admin, "specs_post", "Create a spec"}),
    endpoint<view_spec>({Verb::get, "/v0/specs/{spec}", Access::admin, "spec_get", "View a spec"}),
    endpoint<update_spec>({Verb::patch, "/v0/specs/{spec}", Access::admin, "spec_patch", "Update a spec"}),
    endpoint<delete_spec>({Verb::delete_, "/v0/specs/{spec}", Access::admin, "spec_delete", "Delete a spec"}),
};

}  // namespace

std::span<const Endpoint> spec_endpoints() {
  return table;
}

}  // namespace bencher::server
