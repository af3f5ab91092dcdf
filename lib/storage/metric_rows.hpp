// What reading reports, alerts and series has in common: rows of metrics, and what many of them share.
#pragma once

#include <map>
#include <utility>

#include "lib/storage/dimensions.hpp"
#include "lib/storage/reports.hpp"
#include "lib/storage/thresholds.hpp"

namespace bencher::storage {

/// Rows that many metrics of one answer share, each read once.
class Shared {
 public:
  explicit Shared(Connection& c) : c_(c) {}

  const Measure& measure(MeasureId id) {
    auto [it, fresh] = measures_.try_emplace(id);
    if (fresh) it->second = measure_by_id(c_, id)->measure;
    return it->second;
  }
  const Benchmark& benchmark(BenchmarkId id) {
    auto [it, fresh] = benchmarks_.try_emplace(id);
    if (fresh) it->second = benchmark_by_id(c_, id)->benchmark;
    return it->second;
  }
  const ThresholdRow& threshold(ThresholdId id, ModelId model) {
    auto [it, fresh] = thresholds_.try_emplace({id, model});
    if (fresh) it->second = threshold_with_model(c_, id, model);
    return it->second;
  }
  ThresholdModel threshold_model(ThresholdId id, ModelId model, Uuid<Project> project) {
    const auto& row = threshold(id, model);
    return ThresholdModel{row.uuid, project, *row.model, row.created};
  }

 private:
  Connection& c_;
  std::map<MeasureId, Measure> measures_;
  std::map<BenchmarkId, Benchmark> benchmarks_;
  std::map<std::pair<ThresholdId, ModelId>, ThresholdRow> thresholds_;
};

inline Boundary take_boundary(Row& row) {
  Boundary b;
  row.take(b.baseline), row.take(b.lower_limit), row.take(b.upper_limit);
  return b;
}

inline ReportMetric take_metric(Row& row, const MetricIds& ids) {
  ReportMetric m;
  m.uuid = ids.uuid(row.take<MetricId>());
  row.take(m.value), row.take(m.lower_value), row.take(m.upper_value);
  return m;
}

}  // namespace bencher::storage
