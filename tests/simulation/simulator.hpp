// The whole way of jobs on one thread, under a clock that is moved by hand and a seed: the server's core, runners,
// users who cancel and retry, links that lose, and crashes. The rules are the library's own; only sockets, timers,
// sandboxes and the network are made up here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bencher::simulation {

struct Outcome {
  std::vector<std::string> broken;  ///< invariants, with the time at which they broke
  std::vector<std::string> trace;   ///< what happened, when asked for
  // What the seed brought, so that a test can see that the seeds are worth something.
  int jobs = 0, processed = 0, failed = 0, canceled = 0;
  int losses = 0, server_crashes = 0, runner_crashes = 0, cancels = 0, retries = 0, resumes = 0, late_results = 0;
};

/// One world to simulate in, set up once and used for seed after seed. Not thread-safe.
class Simulator {
 public:
  Simulator();
  ~Simulator();
  /// The same seed gives the same outcome.
  Outcome run(std::uint64_t seed, bool trace = false);

 private:
  struct World;
  std::unique_ptr<World> world_;
};

}  // namespace bencher::simulation
