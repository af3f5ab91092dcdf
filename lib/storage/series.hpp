// The past of a branch: every metric of one measure on a testbed.
#pragma once

#include <optional>
#include <vector>

#include "bencher/report/report.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"

namespace bencher::storage {

struct SeriesPoint {
  ReportId report_id{};
  Uuid<Report> report;
  Timestamp start_time;
  Version version;
  std::uint32_t iteration = 0;
  BenchmarkId benchmark{};
  ReportMetric metric;
};

struct SeriesQuery {
  HeadId head{};
  TestbedId testbed{};
  MeasureId measure{};
  std::optional<BenchmarkId> benchmark;
};

/// Oldest first (version, start time, iteration). Nothing when there are more than `most`.
std::optional<std::vector<SeriesPoint>> load_series(Connection& c, const SeriesQuery& query, std::size_t most);

}  // namespace bencher::storage
