#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "bencher/base/clock.hpp"
#include "bencher/base/result.hpp"

namespace bencher {

/// A moment in whole seconds since 1970 UTC: what is stored and sent.
struct Timestamp {
  std::int64_t seconds = 0;

  /// Reads RFC 3339 (`2024-07-11T06:23:00.5+02:00`); a fraction is cut. Error: `invalid_argument`.
  static Result<Timestamp> parse(std::string_view text);
  static Timestamp of(Instant instant);
  /// RFC 3339 in UTC, `2024-07-11T06:23:00Z`.
  std::string str() const;

  auto operator<=>(const Timestamp&) const = default;
};

/// RFC 3339 in UTC with milliseconds, `2024-07-11T06:23:00.250Z`.
std::string time_text(Instant at);

}  // namespace bencher
