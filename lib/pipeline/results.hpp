// Stores a report's results and compares them with their history.
#pragma once

#include "lib/pipeline/steps.hpp"

namespace bencher::pipeline {

/// Everything that a report's results belong to.
struct ReportScope {
  storage::ReportRow report;
  storage::ProjectRow project;
  storage::BranchId branch{};
};

struct StoredResults {
  std::vector<std::vector<ReportResult>> results;
  bool any_alert = false;
};

/// Error: `invalid_argument`, a name or a model's boundary is impossible; `not_found`, a UUID as a name.
Result<StoredResults> store_results(storage::Connection& c, const Env& env, const ReportScope& scope,
                                    const std::vector<Results>& results);

/// The report as `load_report` gives it, with results that are at hand.
Report complete_report(storage::Connection& c, const storage::ReportRow& row, StoredResults stored);

}  // namespace bencher::pipeline
