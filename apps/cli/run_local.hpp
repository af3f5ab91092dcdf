// `bencher run --local`: the pipeline in this process instead of a server.
#pragma once

#include <memory>
#include <string>

#include "apps/cli/world.hpp"
#include "lib/json/value.hpp"

namespace bencher::cli {

/// The history that `run --local` keeps in a folder. The body of `POST /v0/run` goes in, the report comes out;
/// everything before and after is the same as with a server. A job's `image` is the path of an OCI layout (a folder or
/// an archive of one), with `:tag` when it holds several.
class LocalHistory {
 public:
  /// Opens `directory`, or makes it. Throws `Failure`. Called before any benchmark runs.
  LocalHistory(World& world, const std::string& directory, bool quiet);
  ~LocalHistory();

  /// Carries the run out, with its job if it has one. Returns the finished report as the API would show it. Throws
  /// `Failure`: `job_failed` when the job did, after its output has been kept.
  json::Value submit(const json::Value& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher::cli
