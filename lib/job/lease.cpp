#include "bencher/job/lease.hpp"

#include <algorithm>

namespace bencher {

void Leases::renew(std::int64_t job, Instant now) {
  renew(job, now, timeout_);
}

void Leases::renew(std::int64_t job, Instant now, std::chrono::milliseconds left) {
  end(job);
  by_job_[job] = by_deadline_.emplace(now + std::min(left, timeout_), job);
}

void Leases::end(std::int64_t job) {
  const auto found = by_job_.find(job);
  if (found == by_job_.end()) return;
  by_deadline_.erase(found->second);
  by_job_.erase(found);
}

std::vector<std::int64_t> Leases::expired(Instant now) {
  std::vector<std::int64_t> out;
  while (!by_deadline_.empty() && by_deadline_.begin()->first < now) {
    out.push_back(by_deadline_.begin()->second);
    by_job_.erase(out.back());
    by_deadline_.erase(by_deadline_.begin());
  }
  return out;
}

std::optional<Instant> Leases::next() const {
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first;
}

}  // namespace bencher
