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
  }
  w.counts = std::move(r.counts);
  if (r.job) w.job = *r.job;
  w.created = r.created;
  return w;
}

}  // namespace bencher
