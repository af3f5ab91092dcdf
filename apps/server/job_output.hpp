// Where a job's whole output is kept: in the blob store, under the project.
#pragma once

#include <optional>
#include <string>

#include "bencher/image/blob_store.hpp"
#include "bencher/job/job.hpp"

namespace bencher::server {

inline std::string output_key(const AnyUuid& project, const AnyUuid& job) {
  return project.str() + "/output/v0/jobs/" + job.str();
}

/// Nothing when none was kept, or it cannot be read.
inline std::optional<JobOutput> load_output(const BlobStore& blobs, const AnyUuid& project, const AnyUuid& job) {
  auto text = blobs.get_object(output_key(project, job));
  if (!text) return std::nullopt;
  auto output = parse_job_output(*text);
  if (!output) return std::nullopt;
  return *std::move(output);
}

inline Result<void> store_output(BlobStore& blobs, const AnyUuid& project, const AnyUuid& job,
                                 const JobOutput& output) {
  return blobs.put_object(output_key(project, job), print(output));
}

}  // namespace bencher::server
