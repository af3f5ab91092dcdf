// Branches with their heads and versions, testbeds, benchmarks and measures.
#pragma once

#include "bencher/base/name.hpp"
#include "bencher/project/branch.hpp"
#include "bencher/project/dimension.hpp"
#include "bencher/project/testbed.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/page.hpp"

namespace bencher::storage {

enum class Dimension { branch, testbed, benchmark, measure };

struct BranchRow {
  BranchId id{};
  HeadId head_id{};
  Branch branch;
};
struct TestbedRow {
  TestbedId id{};
  std::optional<SpecId> spec_id;
  Testbed testbed;
};
struct BenchmarkRow {
  BenchmarkId id{};
  Benchmark benchmark;
};
struct MeasureRow {
  MeasureId id{};
  Measure measure;
};

/// A name, slug or UUID as plain text: what a ResourceId or NameId holds.
struct Key {
  enum class By { uuid, slug, name } by = By::uuid;
  std::string text;

  static Key of(const ResourceId& id) {
    return id.uuid() ? Key{By::uuid, id.uuid()->str()} : Key{By::slug, id.slug()->str()};
  }
  template <class N>
  static Key of(const NameId<N>& id) {
    if (id.uuid()) return {By::uuid, id.uuid()->str()};
    if (id.slug()) return {By::slug, id.slug()->str()};
    return {By::name, id.name()->str()};
  }
};

std::optional<BranchRow> find_branch(Connection& c, ProjectId project, const Key& key);
std::optional<TestbedRow> find_testbed(Connection& c, ProjectId project, const Key& key);
std::optional<BenchmarkRow> find_benchmark(Connection& c, ProjectId project, const Key& key);
std::optional<MeasureRow> find_measure(Connection& c, ProjectId project, const Key& key);

/// The branch with one of its heads, which need not be the current one, and with a version when one is given.
std::optional<BranchRow> branch_with_head(Connection& c, HeadId head, std::optional<VersionId> version);
/// The testbed with its current spec.
std::optional<TestbedRow> testbed_by_id(Connection& c, TestbedId id);
/// The testbed as a report shows it: with the spec of the report's job, else (that spec is gone) its current one. A
/// report without a job shows none.
std::optional<TestbedRow> testbed_for_report(Connection& c, TestbedId id, bool has_job, std::optional<SpecId> spec);
std::optional<BenchmarkRow> benchmark_by_id(Connection& c, BenchmarkId id);
std::optional<MeasureRow> measure_by_id(Connection& c, MeasureId id);

bool slug_taken(Connection& c, Dimension dimension, ProjectId project, std::string_view slug);
Result<BranchId> insert_branch(Connection& c, ProjectId project, const Branch& branch);
Result<TestbedId> insert_testbed(Connection& c, ProjectId project, const Testbed& testbed, std::optional<SpecId> spec);
Result<BenchmarkId> insert_benchmark(Connection& c, ProjectId project, const Benchmark& benchmark);
Result<MeasureId> insert_measure(Connection& c, ProjectId project, const Measure& measure);

struct DimensionChange {
  std::optional<std::string> name, slug, units;
  std::optional<bool> archived;
  bool spec_given = false;
  std::optional<SpecId> spec;
};
/// `id` is the row's of that dimension.
Result<void> update_dimension(Connection& c, Dimension dimension, std::int64_t id, const DimensionChange& change,
                              Timestamp now);
/// What is used in a run is not archived any more.
void unarchive(Connection& c, Dimension dimension, std::int64_t id, Timestamp now);
void set_testbed_spec(Connection& c, TestbedId id, std::optional<SpecId> spec, Timestamp now);

Page<Branch> list_branches(Connection& c, ProjectId project, const Filter& filter, const Paging& paging);
Page<Testbed> list_testbeds(Connection& c, ProjectId project, const Filter& filter, const Paging& paging);
Page<Benchmark> list_benchmarks(Connection& c, ProjectId project, const Filter& filter, const Paging& paging);
Page<Measure> list_measures(Connection& c, ProjectId project, const Filter& filter, const Paging& paging);
/// The testbeds that a spec is assigned to.
std::vector<TestbedId> testbeds_of_spec(Connection& c, SpecId spec);

// Heads and versions.
struct VersionRow {
  HeadVersionId head_version_id{};
  VersionId version_id{};
  Version version;
};
struct HeadStart {
  std::optional<BranchId> branch;  ///< that the head was cloned from
  std::optional<std::string> hash;
};
std::optional<HeadId> find_head(Connection& c, BranchId branch, AnyUuid uuid);
HeadId insert_head(Connection& c, BranchId branch, AnyUuid uuid, std::optional<HeadVersionId> start_point,
                   Timestamp now);
/// Makes `head` the branch's; the former one is replaced, and all its alerts are silenced.
void replace_head(Connection& c, BranchId branch, std::optional<HeadId> former, HeadId head, Timestamp now);
BranchId branch_of_head(Connection& c, HeadId head);
HeadStart head_start(Connection& c, HeadId head);
std::optional<VersionRow> latest_version(Connection& c, HeadId head);
std::optional<VersionRow> version_with_hash(Connection& c, HeadId head, std::string_view hash);
/// Gives `to` the newest versions of `from` up to `number`, at most `max`.
void clone_versions(Connection& c, HeadId from, std::uint32_t number, std::uint32_t max, HeadId to);
/// The version of a new report: the newest of that hash with a report on the head, else a new one.
VersionRow version_for_report(Connection& c, ProjectId project, HeadId head, const std::optional<std::string>& hash,
                              AnyUuid fresh);

}  // namespace bencher::storage
