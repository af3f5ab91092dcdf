// Specs, runners and which runner offers which spec.
#pragma once

#include "bencher/base/name.hpp"
#include "bencher/runner/runner.hpp"
#include "bencher/spec/spec.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"

namespace bencher::storage {

struct SpecRow {
  SpecId id{};
  Spec spec;
};

/// The columns of a spec, for joins; read with `take_spec` or `take_optional_spec`.
#define BENCHER_SPEC_COLUMNS                                                                                    \
  "spec.id, spec.uuid, spec.name, spec.slug, spec.os, spec.architecture, spec.sandbox, spec.cpu, spec.memory, " \
  "spec.disk, spec.network, spec.fallback, spec.created, spec.modified, spec.archived"
SpecRow take_spec(Row& row);
/// Of an outer join.
std::optional<SpecRow> take_optional_spec(Row& row);

std::optional<SpecRow> find_spec(Connection& c, const ResourceId& id);
std::optional<SpecRow> spec_by_id(Connection& c, SpecId id);
std::optional<SpecId> default_spec(Connection& c);
bool spec_slug_taken(Connection& c, std::string_view slug);
/// With `fallback` set it becomes the default, and the former one ceases to be.
Result<SpecId> insert_spec(Connection& c, const Spec& spec);
struct SpecChange {
  std::optional<std::string> name, slug;
  std::optional<bool> fallback;  ///< true: becomes the default; false: is not
  std::optional<bool> archived;  ///< true also clears `fallback`, and the spec of each testbed that has it
};
Result<void> update_spec(Connection& c, SpecId id, const SpecChange& change, Timestamp now);
Result<void> delete_spec(Connection& c, SpecId id);
enum class NamedSort { name, created };
Page<Spec> list_specs(Connection& c, const Filter& filter, NamedSort sort, const Paging& paging);

struct RunnerRow {
  RunnerId id{};
  Runner runner;
  std::string key_hash;
};
std::optional<RunnerRow> find_runner(Connection& c, const ResourceId& id);
Result<RunnerId> insert_runner(Connection& c, const Runner& runner, std::string_view key_hash);
struct RunnerChange {
  std::optional<std::string> name, slug;
  std::optional<bool> archived;
};
Result<void> update_runner(Connection& c, RunnerId id, const RunnerChange& change, Timestamp now);
void set_runner_key(Connection& c, RunnerId id, std::string_view key_hash, Timestamp now);
void touch_runner(Connection& c, RunnerId id, Timestamp now);
Page<Runner> list_runners(Connection& c, const Filter& filter, NamedSort sort, const Paging& paging);
std::vector<Spec> runner_specs(Connection& c, RunnerId id);
Result<void> add_runner_spec(Connection& c, RunnerId runner, SpecId spec);
Uuid<Runner> runner_uuid(Connection& c, RunnerId id);
/// Whether it was assigned.
bool remove_runner_spec(Connection& c, RunnerId runner, SpecId spec);

}  // namespace bencher::storage
