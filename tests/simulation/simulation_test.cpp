#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "tests/simulation/simulator.hpp"

using namespace bencher::simulation;

namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines)
    out += line + "\n";
  return out;
}

}  // namespace

TEST_SUITE("simulation") {
  // BENCHER_SIMULATION_SEED=N replays one seed and prints what happens in it; BENCHER_SIMULATION_SEEDS=N tries that
  // many.
  TEST_CASE("under any seed a job ends once, on one runner, within its limits, and what was acknowledged is kept") {
    if (const auto seed = number("BENCHER_SIMULATION_SEED", 0)) {
      const auto outcome = Simulator().run(seed, true);
      fmt::print("{}", joined(outcome.trace));
      CHECK_MESSAGE(outcome.broken.empty(), joined(outcome.broken));
      return;
    }
    const auto seeds = number("BENCHER_SIMULATION_SEEDS", 10'000);
    std::atomic<std::uint64_t> next{1};
    std::mutex mutex;
    std::vector<std::string> failures;
    Outcome sum;
    const auto work = [&] {
      Simulator simulator;
      for (auto seed = next++; seed <= seeds; seed = next++) {
        const auto one = simulator.run(seed);
        std::lock_guard lock(mutex);
        for (const auto& line : one.broken)
          failures.push_back(fmt::format("seed {}: {}", seed, line));
        sum.jobs += one.jobs;
        sum.processed += one.processed;
        sum.failed += one.failed;
        sum.canceled += one.canceled;
        sum.losses += one.losses;
        sum.server_crashes += one.server_crashes;
        sum.runner_crashes += one.runner_crashes;
        sum.cancels += one.cancels;
        sum.retries += one.retries;
        sum.resumes += one.resumes;
        sum.late_results += one.late_results;
        if (failures.size() > 20) return;
      }
    };
    std::thread other(work);
    work();
    other.join();
    CHECK_MESSAGE(failures.empty(), joined(failures) << "replay one with BENCHER_SIMULATION_SEED");
    MESSAGE(
        fmt::format("{} seeds: {} jobs ({} processed, {} failed, {} canceled), {} links lost, {} crashes of the server "
                    "and {} of runners, {} cancels, {} retries, {} resumed, {} late results",
                    seeds, sum.jobs, sum.processed, sum.failed, sum.canceled, sum.losses, sum.server_crashes,
                    sum.runner_crashes, sum.cancels, sum.retries, sum.resumes, sum.late_results));
    if (seeds < 1000) return;
    // Each kind of trouble has come up.
    for (const int count : {sum.processed, sum.failed, sum.canceled, sum.losses, sum.server_crashes, sum.runner_crashes,
                            sum.cancels, sum.retries, sum.resumes, sum.late_results})
      CHECK(count > 0);
  }

  TEST_CASE("the same seed gives the same course") {
    Simulator one, other;
    other.run(3);
    for (const std::uint64_t seed : {7, 8, 9})
      CHECK(joined(one.run(seed, true).trace) == joined(other.run(seed, true).trace));
  }
}
