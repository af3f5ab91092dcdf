#include "lib/job/message.hpp"

namespace bencher {
namespace {

/// Its members stand beside the event.
struct GivenJob {
  std::string event = "job";
  Uuid<Job> uuid;
  Spec spec;
  JobConfigWire config;
  std::string oci_token;
  std::uint32_t timeout = 0;
  Timestamp created;
};
BOOST_DESCRIBE_STRUCT(GivenJob, (), (event, uuid, spec, config, oci_token, timeout, created))

/// What both forms of a claimed job have.
template <class W>
W claimed_wire(const ClaimedJob& job, const std::string& oci_token) {
  W w;
  w.uuid = job.uuid;
  w.spec = job.spec;
  w.config = config_for_runner(job.config);
  w.oci_token = oci_token;
  w.timeout = job.timeout;
  w.created = job.created;
  return w;
}

}  // namespace

JobOutput output_of(RunnerMessage message) {
  JobOutput out;
  if (message.results) {
    for (auto& r : *message.results)
      out.results.push_back(from_wire(std::move(r)));
  } else if (message.exit_code || message.stdout_ || message.stderr_ || message.output) {
    IterationOutput one;
    one.exit_code = message.exit_code.value_or(0);
    one.stdout_ = std::move(message.stdout_);
    one.stderr_ = std::move(message.stderr_);
    one.output = std::move(message.output);
    out.results.push_back(std::move(one));
  }
  out.error = std::move(message.error);
  return out;
}

JobConfigWire config_for_runner(const JobConfig& config) {
  auto w = to_wire(config);
  // The protocol's own two settings stay.
  w.all_measures.reset();
  w.distinct_names.reset();
  w.fold_repeats.reset();
  w.file_adapters.reset();
  w.mapping.reset();
  return w;
}

std::string print_claim(const ClaimedJob& job, const std::string& oci_token) {
  auto w = claimed_wire<ClaimedWire>(job, oci_token);
  w.status = job.status;
  w.runner = job.runner;
  w.claimed = job.state.claimed;
  w.started = job.state.started;
  w.completed = job.state.completed;
  w.modified = job.modified;
  return json::print(w);
}

std::string print_given(const ClaimedJob& job, const std::string& oci_token) {
  return json::print(claimed_wire<GivenJob>(job, oci_token));
}

}  // namespace bencher
