// The bodies of a new run, report and threshold model.
#pragma once

#include "bencher/report/new_run.hpp"

#include "lib/json/json.hpp"

namespace bencher {

BOOST_DESCRIBE_ENUM(Average, mean, median)
BOOST_DESCRIBE_ENUM(Fold, min, max, mean, median)

namespace wire {

struct ModelBody {
  std::string test;
  std::optional<std::uint32_t> min_sample_size;
  std::optional<std::uint32_t> max_sample_size;
  std::optional<std::uint32_t> window;
  std::optional<double> lower_boundary;
  std::optional<double> upper_boundary;
};
BOOST_DESCRIBE_STRUCT(ModelBody, (), (test, min_sample_size, max_sample_size, window, lower_boundary, upper_boundary))
Result<Model> read_model(const ModelBody& body);

struct StartPointBody {
  std::optional<BranchNameId> branch;
  std::optional<GitHash> hash;
  std::optional<std::uint32_t> max_versions;
  std::optional<bool> clone_thresholds;
  std::optional<bool> reset;
};
BOOST_DESCRIBE_STRUCT(StartPointBody, (), (branch, hash, max_versions, clone_thresholds, reset))

struct ThresholdsBody {
  std::optional<std::map<std::string, ModelBody>> models;
  std::optional<bool> reset;
};
BOOST_DESCRIBE_STRUCT(ThresholdsBody, (), (models, reset))

struct SettingsBody {
  std::optional<std::string> adapter;
  std::optional<Average> average;
  std::optional<Fold> fold;
  std::optional<bool> all_measures;
  std::optional<bool> distinct_names;
  std::optional<Fold> fold_repeats;
  std::optional<std::map<std::string, std::string>> file_adapters;
  std::optional<std::string> mapping;  ///< a mapping file
};
BOOST_DESCRIBE_STRUCT(SettingsBody, (),
                      (adapter, average, fold, all_measures, distinct_names, fold_repeats, file_adapters, mapping))

struct JobBody {
  std::string image;
  std::optional<ResourceId> spec;
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::optional<std::map<std::string, std::string>> env;
  std::optional<std::uint32_t> timeout;
  std::optional<std::vector<std::string>> file_paths;
  std::optional<bool> build_time;
  std::optional<bool> file_size;
  std::optional<std::uint32_t> iter;
  std::optional<bool> allow_failure;
  std::optional<Timestamp> backdate;
};
BOOST_DESCRIBE_STRUCT(JobBody, (),
                      (image, spec, entrypoint, cmd, env, timeout, file_paths, build_time, file_size, iter,
                       allow_failure, backdate))

struct RunBody {
  std::optional<ResourceId> project;
  std::optional<BranchNameId> branch;
  std::optional<GitHash> hash;
  std::optional<StartPointBody> start_point;
  std::optional<ResourceNameId> testbed;
  std::optional<bool> spec_reset;
  std::optional<ThresholdsBody> thresholds;
  Timestamp start_time;
  Timestamp end_time;
  std::vector<std::string> results;
  std::optional<SettingsBody> settings;
  std::optional<std::map<std::string, std::string>> context;
  std::optional<AnyUuid> idempotency_key;
  std::optional<JobBody> job;
};
BOOST_DESCRIBE_STRUCT(RunBody, (),
                      (project, branch, hash, start_point, testbed, spec_reset, thresholds, start_time, end_time,
                       results, settings, context, idempotency_key, job))

struct ReportBody {
  BranchNameId branch;
  std::optional<GitHash> hash;
  std::optional<StartPointBody> start_point;
  ResourceNameId testbed;
  std::optional<ThresholdsBody> thresholds;
  Timestamp start_time;
  Timestamp end_time;
  std::vector<std::string> results;
  std::optional<SettingsBody> settings;
};
BOOST_DESCRIBE_STRUCT(ReportBody, (),
                      (branch, hash, start_point, testbed, thresholds, start_time, end_time, results, settings))

}  // namespace wire
}  // namespace bencher
