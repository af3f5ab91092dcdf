// `bencher run --local`: the pipeline in this process instead of a server.
#pragma once

#include <string>

#include "apps/cli/world.hpp"
#include "lib/json/value.hpp"

namespace bencher::cli {

/// The history that `run --local` keeps in a folder. The body of `POST /v0/run` goes in, the report comes out;
/// everything before and after is the same as with a server.
class LocalHistory {
 public:
  /// Opens `directory`, or makes it. Throws `Failure`. Called before any benchmark runs.
  LocalHistory(World& world, const std::string& directory);

  /// Carries the run out, with its job if it has one. Returns the finished report as the API would show it. Throws
  /// `Failure`.
  json::Value submit(const json::Value& body);
};

}  // namespace bencher::cli
