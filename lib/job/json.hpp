// The wire form of jobs.
#pragma once

#include "bencher/job/job.hpp"

#include "lib/json/json.hpp"
#include "lib/spec/json.hpp"

namespace bencher {

BOOST_DESCRIBE_ENUM(JobStatus, pending, claimed, running, completed, processed, failed, canceled)

struct IterationOutputWire {
  int exit_code = 0;
  json::Sparse<std::string> stdout_;
  json::Sparse<std::string> stderr_;
  json::Sparse<std::map<std::string, std::string>> output;
};
BOOST_DESCRIBE_STRUCT(IterationOutputWire, (), (exit_code, stdout_, stderr_, output))
struct JobOutputWire {
  std::vector<IterationOutputWire> results;
  json::Sparse<std::string> error;
};
BOOST_DESCRIBE_STRUCT(JobOutputWire, (), (results, error))
JobOutputWire to_wire(const JobOutput& output);
JobOutput from_wire(JobOutputWire wire);
IterationOutput from_wire(IterationOutputWire wire);

struct JobConfigWire {
  std::string registry;
  Uuid<Project> project;
  std::string digest;
  json::Sparse<std::string> image;
  json::Sparse<std::vector<std::string>> entrypoint;
  json::Sparse<std::vector<std::string>> cmd;
  json::Sparse<std::map<std::string, std::string>> env;
  std::uint32_t timeout = 0;
  json::Sparse<std::vector<std::string>> file_paths;
  json::Sparse<bool> build_time;
  json::Sparse<bool> file_size;
  json::Sparse<std::string> average;
  json::Sparse<std::string> fold;
  json::Sparse<bool> all_measures;
  json::Sparse<bool> distinct_names;
  json::Sparse<std::string> fold_repeats;
  json::Sparse<std::map<std::string, std::string>> file_adapters;
  json::Sparse<std::string> mapping;
  json::Sparse<std::uint32_t> iter;
  json::Sparse<bool> allow_failure;
  json::Sparse<Timestamp> backdate;
};
BOOST_DESCRIBE_STRUCT(JobConfigWire, (),
                      (registry, project, digest, image, entrypoint, cmd, env, timeout, file_paths, build_time,
                       file_size, average, fold, all_measures, distinct_names, fold_repeats, file_adapters, mapping,
                       iter, allow_failure, backdate))
JobConfigWire to_wire(const JobConfig& config);

/// RFC 3339 with milliseconds.
struct JobTimesWire {
  json::Sparse<std::string> queued;
  json::Sparse<std::string> claimed;
  json::Sparse<std::string> pulled;
  json::Sparse<std::string> booted;
  json::Sparse<std::string> ran;
  json::Sparse<std::string> processed;
};
BOOST_DESCRIBE_STRUCT(JobTimesWire, (), (queued, claimed, pulled, booted, ran, processed))

struct JobWire {
  Uuid<Job> uuid;
  JobStatus status = JobStatus::pending;
  Spec spec;
  std::optional<Uuid<Runner>> runner;
  std::optional<Timestamp> claimed;
  std::optional<Timestamp> started;
  std::optional<Timestamp> completed;
  Timestamp created;
  Timestamp modified;
  json::Sparse<std::uint32_t> position;
  json::Sparse<JobTimesWire> times;
  json::Sparse<JobOutputWire> output;
};
BOOST_DESCRIBE_STRUCT(JobWire, (),
                      (uuid, status, spec, runner, claimed, started, completed, created, modified, position, times,
                       output))
JobWire to_wire(const Job& job);

}  // namespace bencher
