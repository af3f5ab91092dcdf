// Row ids, each table's of its own type.
#pragma once

#include <cstdint>

namespace bencher::storage {

enum class UserId : std::int64_t {};
enum class OrganizationId : std::int64_t {};
enum class ProjectId : std::int64_t {};
enum class BranchId : std::int64_t {};
enum class HeadId : std::int64_t {};
enum class VersionId : std::int64_t {};
enum class HeadVersionId : std::int64_t {};
enum class TestbedId : std::int64_t {};
enum class BenchmarkId : std::int64_t {};
enum class MeasureId : std::int64_t {};
enum class ThresholdId : std::int64_t {};
enum class ModelId : std::int64_t {};
enum class ReportId : std::int64_t {};
enum class ReportBenchmarkId : std::int64_t {};
enum class MetricId : std::int64_t {};
enum class AlertId : std::int64_t {};
enum class SpecId : std::int64_t {};
enum class RunnerId : std::int64_t {};
enum class JobId : std::int64_t {};

}  // namespace bencher::storage
