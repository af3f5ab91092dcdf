#pragma once

#include <optional>
#include <vector>

#include "bencher/report/report.hpp"

#include "lib/storage/connection.hpp"
#include "lib/storage/ids.hpp"
#include "lib/storage/projects.hpp"

namespace bencher::storage {

struct PerfQuery {
  std::vector<AnyUuid> branches;
  std::vector<std::optional<AnyUuid>> heads;  ///< by the position of `branches`
  std::vector<AnyUuid> testbeds;
  std::vector<std::optional<AnyUuid>> specs;  ///< by the position of `testbeds`
  std::vector<AnyUuid> benchmarks;
  std::vector<AnyUuid> measures;
  std::optional<Timestamp> start_time;
  std::optional<Timestamp> end_time;
};
/// Every combination of what is asked for that has points, at most 255 combinations; each series oldest first.
Perf load_perf(Connection& c, const ProjectRow& project, const PerfQuery& query);
/// One metric of the project with all that belongs to it.
std::optional<OneMetric> find_metric(Connection& c, ProjectId project, AnyUuid uuid);

}  // namespace bencher::storage
