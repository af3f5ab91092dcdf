#pragma once

#include <chrono>

namespace bencher {

/// A point in wall-clock time, in milliseconds since 1970 UTC.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where time comes from. Rules take `now` as an argument; only the shell holds a clock. Implementations are safe to
/// call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

/// A clock that moves only when told to, for tests and simulations. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start = Instant(std::chrono::milliseconds(1'700'000'000'000))) : now_(start) {}
  Instant now() const override { return now_; }
  void advance(std::chrono::milliseconds by) { now_ += by; }
  void set(Instant to) { now_ = to; }

 private:
  Instant now_;
};

}  // namespace bencher
