#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bencher/base/clock.hpp"

namespace bencher {

/// Which jobs in flight have been silent for too long. In memory; time is an argument. Not thread-safe.
class Leases {
 public:
  explicit Leases(std::chrono::milliseconds timeout) : timeout_(timeout) {}

  /// The job was heard of now: it has `timeout` from here.
  void renew(std::int64_t job, Instant now);
  /// The job has `left` from now, at most `timeout`.
  void renew(std::int64_t job, Instant now, std::chrono::milliseconds left);
  void end(std::int64_t job);
  /// Takes out and gives the jobs whose time is over, in the order in which it ended.
  std::vector<std::int64_t> expired(Instant now);
  /// When the next one ends; nothing when there is none.
  std::optional<Instant> next() const;
  bool empty() const { return by_job_.empty(); }

 private:
  std::chrono::milliseconds timeout_;
  std::multimap<Instant, std::int64_t> by_deadline_;
  std::unordered_map<std::int64_t, std::multimap<Instant, std::int64_t>::iterator> by_job_;
};

}  // namespace bencher
