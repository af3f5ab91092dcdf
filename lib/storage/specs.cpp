#include "lib/storage/specs.hpp"

#include <stdexcept>

#include "lib/spec/json.hpp"

namespace bencher::storage {
namespace {

template <class E>
E take_enum(Row& row) {
  const auto text = row.take<std::string>();
  if (const auto e = json::enum_from<E>(text)) return *e;
  throw std::runtime_error("the database holds an unknown name: " + text);
}

#define RUNNER_COLUMNS                                                                                         \
  "runner.id, runner.uuid, runner.name, runner.slug, runner.archived, runner.last_heartbeat, runner.created, " \
  "runner.modified, runner.key_hash"

RunnerRow take_runner(Row& row) {
  RunnerRow out;
  row.take(out.id);
  auto& r = out.runner;
  row.take(r.uuid), row.take(r.name), row.take(r.slug), row.take(r.archived), row.take(r.last_heartbeat);
  row.take(r.created), row.take(r.modified), row.take(out.key_hash);
  return out;
}

void load_specs(Connection& c, RunnerRow& runner) {
  auto rows = c.query(
      "SELECT spec.uuid FROM runner_spec JOIN spec ON spec.id = runner_spec.spec_id WHERE runner_id = ?1 ORDER BY "
      "runner_spec.id",
      runner.id);
  while (rows.next())
    runner.runner.specs.push_back(rows.row().take<Uuid<Spec>>());
}

}  // namespace

SpecRow take_spec(Row& row) {
  SpecRow out;
  row.take(out.id);
  auto& s = out.spec;
  row.take(s.uuid), row.take(s.name), row.take(s.slug);
  s.os = take_enum<OperatingSystem>(row);
  s.architecture = take_enum<Architecture>(row);
  if (row.next_is_null())
    row.skip(1);
  else
    s.sandbox = take_enum<SandboxKind>(row);
  row.take(s.cpu), row.take(s.memory), row.take(s.disk), row.take(s.network), row.take(s.fallback);
  s.default_ = s.fallback;
  row.take(s.created), row.take(s.modified), row.take(s.archived);
  return out;
}

std::optional<SpecRow> take_optional_spec(Row& row) {
  if (!row.next_is_null()) return take_spec(row);
  row.skip(15);
  return std::nullopt;
}

std::optional<SpecRow> find_spec(Connection& c, const ResourceId& id) {
  if (id.uuid()) return c.one(take_spec, "SELECT " BENCHER_SPEC_COLUMNS " FROM spec WHERE uuid = ?1", *id.uuid());
  return c.one(take_spec, "SELECT " BENCHER_SPEC_COLUMNS " FROM spec WHERE slug = ?1", id.slug()->str());
}

std::optional<SpecRow> spec_by_id(Connection& c, SpecId id) {
  return c.one(take_spec, "SELECT " BENCHER_SPEC_COLUMNS " FROM spec WHERE id = ?1", id);
}

std::optional<SpecId> default_spec(Connection& c) {
  return c.value<SpecId>("SELECT id FROM spec WHERE fallback IS NOT NULL AND archived IS NULL");
}

bool spec_slug_taken(Connection& c, std::string_view slug) {
  return c.value<int>("SELECT 1 FROM spec WHERE slug = ?1", slug).has_value();
}

Result<SpecId> insert_spec(Connection& c, const Spec& s) {
  if (s.fallback) c.exec("UPDATE spec SET fallback = NULL WHERE fallback IS NOT NULL");
  const auto sandbox = s.sandbox ? std::optional(std::string(json::enum_name(*s.sandbox))) : std::nullopt;
  BENCHER_DO(
      c.change("the spec",
               "INSERT INTO spec (uuid, name, slug, os, architecture, sandbox, cpu, memory, disk, network, fallback, "
               "created, modified, archived) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
               s.uuid, s.name, s.slug, json::enum_name(s.os), json::enum_name(s.architecture), sandbox, s.cpu, s.memory,
               s.disk, s.network, s.fallback, s.created, s.modified, s.archived));
  return SpecId{c.last_id()};
}

Result<void> update_spec(Connection& c, SpecId id, const SpecChange& change, Timestamp now) {
  BENCHER_DO(c.change(
      "the spec", "UPDATE spec SET name = coalesce(?2, name), slug = coalesce(?3, slug), modified = ?4 WHERE id = ?1",
      id, change.name, change.slug, now));
  if (change.archived) {
    const auto at = *change.archived ? std::optional(now) : std::nullopt;
    c.exec("UPDATE spec SET archived = ?2 WHERE id = ?1", id, at);
  }
  if (change.fallback == true) {
    c.exec("UPDATE spec SET fallback = NULL WHERE fallback IS NOT NULL AND id <> ?1", id);
    c.exec("UPDATE spec SET fallback = ?2 WHERE id = ?1", id, now);
  }
  if (change.fallback == false || change.archived == true) c.exec("UPDATE spec SET fallback = NULL WHERE id = ?1", id);
  if (change.archived == true) c.exec("UPDATE testbed SET spec_id = NULL WHERE spec_id = ?1", id);
  return {};
}

Result<void> delete_spec(Connection& c, SpecId id) {
  BENCHER_DO(c.change("the spec", "DELETE FROM spec WHERE id = ?1", id));
  return {};
}

Page<Spec> list_specs(Connection& c, const Filter& filter, NamedSort sort, const Paging& paging) {
  Page<Spec> page;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
#define SHARED_WHERE(table)                                                                        \
  " FROM " table                                                                                   \
  " WHERE (?1 OR archived IS NULL) AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR name LIKE ?3 " \
  "ESCAPE '\\' OR slug LIKE ?3 ESCAPE '\\' OR uuid LIKE ?3 ESCAPE '\\')"
#define SHARED_LIST(columns, table)                                                                        \
  (sort == NamedSort::created                                                                              \
       ? (paging.descending                                                                                \
              ? "SELECT " columns SHARED_WHERE(table) " ORDER BY created DESC, id DESC LIMIT ?4 OFFSET ?5" \
              : "SELECT " columns SHARED_WHERE(table) " ORDER BY created, id LIMIT ?4 OFFSET ?5")          \
       : (paging.descending                                                                                \
              ? "SELECT " columns SHARED_WHERE(table) " ORDER BY name DESC, slug DESC LIMIT ?4 OFFSET ?5"  \
              : "SELECT " columns SHARED_WHERE(table) " ORDER BY name, slug LIMIT ?4 OFFSET ?5"))
  page.total = *c.value<std::int64_t>("SELECT count(*)" SHARED_WHERE("spec"), filter.archived, filter.name, search);
  auto rows = c.query(SHARED_LIST(BENCHER_SPEC_COLUMNS, "spec"), filter.archived, filter.name, search, paging.per_page,
                      paging.offset());
  while (rows.next()) {
    auto row = rows.row();
    page.items.push_back(take_spec(row).spec);
  }
  return page;
}

std::optional<RunnerRow> find_runner(Connection& c, const ResourceId& id) {
  auto found = id.uuid()
                   ? c.one(take_runner, "SELECT " RUNNER_COLUMNS " FROM runner WHERE uuid = ?1", *id.uuid())
                   : c.one(take_runner, "SELECT " RUNNER_COLUMNS " FROM runner WHERE slug = ?1", id.slug()->str());
  if (found) load_specs(c, *found);
  return found;
}

Result<RunnerId> insert_runner(Connection& c, const Runner& r, std::string_view key_hash) {
  BENCHER_DO(
      c.change("the runner",
               "INSERT INTO runner (uuid, name, slug, key_hash, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
               r.uuid, r.name, r.slug, key_hash, r.created, r.modified));
  return RunnerId{c.last_id()};
}

Result<void> update_runner(Connection& c, RunnerId id, const RunnerChange& change, Timestamp now) {
  BENCHER_DO(
      c.change("the runner",
               "UPDATE runner SET name = coalesce(?2, name), slug = coalesce(?3, slug), modified = ?4 WHERE id = ?1",
               id, change.name, change.slug, now));
  if (change.archived)
    c.exec("UPDATE runner SET archived = ?2 WHERE id = ?1", id, *change.archived ? std::optional(now) : std::nullopt);
  return {};
}

void set_runner_key(Connection& c, RunnerId id, std::string_view key_hash, Timestamp now) {
  c.exec("UPDATE runner SET key_hash = ?2, modified = ?3 WHERE id = ?1", id, key_hash, now);
}

void touch_runner(Connection& c, RunnerId id, Timestamp now) {
  c.exec("UPDATE runner SET last_heartbeat = ?2 WHERE id = ?1", id, now);
}

Page<Runner> list_runners(Connection& c, const Filter& filter, NamedSort sort, const Paging& paging) {
  Page<Runner> page;
  std::vector<RunnerRow> found;
  const auto search = filter.search ? std::optional(like(*filter.search)) : std::nullopt;
  page.total = *c.value<std::int64_t>("SELECT count(*)" SHARED_WHERE("runner"), filter.archived, filter.name, search);
  {
    auto rows = c.query(SHARED_LIST(RUNNER_COLUMNS, "runner"), filter.archived, filter.name, search, paging.per_page,
                        paging.offset());
    while (rows.next()) {
      auto row = rows.row();
      found.push_back(take_runner(row));
    }
  }
  for (auto& r : found) {
    load_specs(c, r);
    page.items.push_back(std::move(r.runner));
  }
  return page;
}

std::vector<Spec> runner_specs(Connection& c, RunnerId id) {
  std::vector<Spec> specs;
  auto rows = c.query("SELECT " BENCHER_SPEC_COLUMNS
                      " FROM runner_spec JOIN spec ON spec.id = runner_spec.spec_id WHERE runner_id = ?1 ORDER BY "
                      "runner_spec.id",
                      id);
  while (rows.next()) {
    auto row = rows.row();
    specs.push_back(take_spec(row).spec);
  }
  return specs;
}

Result<void> add_runner_spec(Connection& c, RunnerId runner, SpecId spec) {
  BENCHER_DO(
      c.change("the runner's spec", "INSERT INTO runner_spec (runner_id, spec_id) VALUES (?1, ?2)", runner, spec));
  return {};
}

Uuid<Runner> runner_uuid(Connection& c, RunnerId id) {
  return *c.value<Uuid<Runner>>("SELECT uuid FROM runner WHERE id = ?1", id);
}

bool remove_runner_spec(Connection& c, RunnerId runner, SpecId spec) {
  return c.exec("DELETE FROM runner_spec WHERE runner_id = ?1 AND spec_id = ?2", runner, spec) > 0;
}

}  // namespace bencher::storage
