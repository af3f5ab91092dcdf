// What runners say, in the forms of both of the protocol's revisions, and what they are told.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/job/json.hpp"

namespace bencher {

struct RunnerMessage {
  std::optional<std::string> event;
  std::optional<std::string> status;
  std::optional<AnyUuid> job;
  std::optional<std::vector<IterationOutputWire>> results;
  std::optional<std::string> error;
  std::optional<int> exit_code;
  std::optional<std::string> stdout_;
  std::optional<std::string> stderr_;
  std::optional<std::map<std::string, std::string>> output;
  std::optional<std::uint32_t> iteration;
  std::optional<std::string> stream;
  std::optional<std::uint64_t> offset;
  std::optional<std::string> data;
  std::optional<std::string> stage;
  std::optional<bool> uploaded;  ///< the results came before, in place of `results`
  std::optional<json::Raw> host;
};
BOOST_DESCRIBE_STRUCT(RunnerMessage, (),
                      (event, status, job, results, error, exit_code, stdout_, stderr_, output, iteration, stream,
                       offset, data, stage, uploaded, host))

/// The results of a terminal message.
JobOutput output_of(RunnerMessage message);

/// The configuration as runners get it: how outputs are read is no matter of theirs.
JobConfigWire config_for_runner(const JobConfig& config);
/// A claimed job as the answer of a claim has it.
std::string print_claim(const ClaimedJob& job, const std::string& oci_token);
/// The same as a message on a runner's channel.
std::string print_given(const ClaimedJob& job, const std::string& oci_token);

/// The answer of a claim, for its description.
struct ClaimedWire {
  Uuid<Job> uuid;
  JobStatus status = JobStatus::claimed;
  Spec spec;
  JobConfigWire config;
  std::string oci_token;
  std::uint32_t timeout = 0;
  Uuid<Runner> runner;
  std::optional<Timestamp> claimed;
  std::optional<Timestamp> started;
  std::optional<Timestamp> completed;
  Timestamp created;
  Timestamp modified;
};
BOOST_DESCRIBE_STRUCT(ClaimedWire, (),
                      (uuid, status, spec, config, oci_token, timeout, runner, claimed, started, completed, created,
                       modified))

}  // namespace bencher
