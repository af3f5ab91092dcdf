#include "lib/storage/series.hpp"

#include "lib/storage/metric_rows.hpp"

namespace bencher::storage {

std::optional<std::vector<SeriesPoint>> load_series(Connection& c, const SeriesQuery& q, std::size_t most) {
  const auto& ids = metric_ids(c);
  auto rows = c.query(
      "SELECT report.id, report.uuid, report.start_time, head_version.number, version.hash, "
      "report_benchmark.iteration, report_benchmark.benchmark_id, metric.id, metric.value, metric.lower_value, "
      "metric.upper_value FROM head_version CROSS JOIN version ON version.id = head_version.version_id CROSS JOIN "
      "report ON report.version_id = version.id AND report.testbed_id = ?2 CROSS JOIN report_benchmark ON "
      "report_benchmark.report_id = report.id AND (?4 IS NULL OR report_benchmark.benchmark_id = ?4) CROSS JOIN metric "
      "ON metric.report_benchmark_id = report_benchmark.id AND metric.measure_id = ?3 WHERE head_version.head_id = ?1 "
      "ORDER BY head_version.number, report.start_time, report_benchmark.iteration, report.id",
      q.head, q.testbed, q.measure, q.benchmark);
  std::vector<SeriesPoint> out;
  while (rows.next()) {
    if (out.size() == most) return std::nullopt;
    auto row = rows.row();
    SeriesPoint point;
    row.take(point.report_id), row.take(point.report), row.take(point.start_time);
    row.take(point.version.number), row.take(point.version.hash);
    row.take(point.iteration), row.take(point.benchmark);
    point.metric = take_metric(row, ids);
    out.push_back(std::move(point));
  }
  return out;
}

}  // namespace bencher::storage
