#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bencher {

/// Where random bytes come from.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  std::uint64_t next();
  /// A number in [0, bound), every one equally likely. `bound` must be over 0.
  std::uint64_t below(std::uint64_t bound);
  /// `length` characters, each drawn evenly from `alphabet`.
  std::string text(std::size_t length, std::string_view alphabet);
};

/// The operating system's generator: fit for keys. Thread-safe. Throws std::system_error when the system has none.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

/// Repeatable bytes from a seed (SplitMix64), for tests and `mock`. Not fit for keys, not thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> bytes) override;

 private:
  std::uint64_t state_;
};

}  // namespace bencher
