#include "lib/report/json.hpp"

namespace bencher {

std::string print(const Report& report) {
  return json::print(to_wire(report));
}

ReportWire to_wire(Report r) {
  ReportWire w;
  w.uuid = r.uuid;
  w.user = std::move(r.user);
  w.project = std::move(r.project);
  w.branch = std::move(r.branch);
  w.testbed = std::move(r.testbed);
  w.start_time = r.start_time;
  w.end_time = r.end_time;
  w.adapter = name(r.adapter);
  if (r.expanded) {
    w.results = std::move(r.results);
    w.alerts = std::move(r.alerts);
    if (!r.warnings.empty()) w.warnings = std::move(r.warnings);
    if (!r.host.empty()) w.host = json::Raw{std::move(r.host)};
  }
  w.counts = std::move(r.counts);
  if (r.job) w.job = *r.job;
  w.created = r.created;
  return w;
}

namespace {

/// Prints the points of series, which mostly are of the same reports, in the same order, with the same threshold.
class PointWriter {
 public:
  /// `at`: the place of the point in its series.
  void write(std::string& out, const PerfMetric& m, std::size_t at) {
    const auto& report = of_report(m, at);
    out += report.head;
    json::write(out, m.iteration);
    out += report.tail;
    json::write(out, m.metric.uuid);
    member(out, R"(,"value":)", m.metric.value);
    member(out, R"(,"lower_value":)", m.metric.lower_value);
    member(out, R"(,"upper_value":)", m.metric.upper_value);
    out += R"(},"threshold":)";
    out += of_threshold(m.threshold);
    if (m.boundary) {
      member(out, R"(,"boundary":{"baseline":)", m.boundary->baseline);
      member(out, R"(,"lower_limit":)", m.boundary->lower_limit);
      member(out, R"(,"upper_limit":)", m.boundary->upper_limit);
      out += '}';
    } else {
      out += R"(,"boundary":null)";
    }
    member(out, R"(,"alert":)", m.alert);
    out += '}';
  }

 private:
  struct OfReport {
    Uuid<Report> uuid;
    std::string head;
    std::string tail;
  };

  template <class T>
  static void member(std::string& out, std::string_view label, const T& value) {
    out += label;
    json::write(out, value);
  }

  const OfReport& of_report(const PerfMetric& m, std::size_t at) {
    if (at >= reports_.size()) reports_.resize(at + 1);
    auto& known = reports_[at];
    if (!known.head.empty() && known.uuid == m.report) return known;
    known.uuid = m.report;
    known.head.clear();
    member(known.head, R"({"report":)", m.report);
    known.head += R"(,"iteration":)";
    known.tail.clear();
    member(known.tail, R"(,"start_time":)", m.start_time);
    member(known.tail, R"(,"end_time":)", m.end_time);
    member(known.tail, R"(,"version":)", m.version);
    known.tail += R"(,"metric":{"uuid":)";
    return known;
  }

  const std::string& of_threshold(const std::shared_ptr<const ThresholdModel>& threshold) {
    if (threshold_text_.empty() || threshold != threshold_) {
      threshold_ = threshold;
      threshold_text_.clear();
      json::write(threshold_text_, threshold);
    }
    return threshold_text_;
  }

  std::vector<OfReport> reports_;
  std::shared_ptr<const ThresholdModel> threshold_;
  std::string threshold_text_;
};

}  // namespace

void write_json(std::string& out, const Perf& perf) {
  // Grown by doubling, megabytes would be copied several times.
  constexpr std::size_t series_size = 2048, point_size = 768;
  std::size_t size = series_size;
  for (const auto& series : perf.results)
    size += series_size + series.metrics.size() * point_size;
  out.reserve(out.size() + size);

  out += R"({"project":)";
  json::write(out, perf.project);
  out += R"(,"start_time":)";
  json::write(out, perf.start_time);
  out += R"(,"end_time":)";
  json::write(out, perf.end_time);
  out += R"(,"results":[)";
  PointWriter points;
  bool first_series = true;
  for (const auto& series : perf.results) {
    out += first_series ? R"({"branch":)" : R"(,{"branch":)";
    first_series = false;
    json::write(out, series.branch);
    out += R"(,"testbed":)";
    json::write(out, series.testbed);
    out += R"(,"benchmark":)";
    json::write(out, series.benchmark);
    out += R"(,"measure":)";
    json::write(out, series.measure);
    out += R"(,"metrics":[)";
    for (std::size_t at = 0; at < series.metrics.size(); ++at) {
      if (at != 0) out += ',';
      points.write(out, series.metrics[at], at);
    }
    out += "]}";
  }
  out += "]}";
}

}  // namespace bencher
