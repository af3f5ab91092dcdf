#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bencher/base/clock.hpp"
#include "bencher/base/random.hpp"
#include "bencher/base/result.hpp"

namespace bencher {

/// A UUID of any version (RFC 9562), not bound to one kind of thing.
class AnyUuid {
 public:
  AnyUuid() = default;

  /// Reads 32 hex digits with or without the four hyphens, either case. Error: `invalid_argument`.
  static Result<AnyUuid> parse(std::string_view text);
  /// A time-ordered UUID (version 7) for `now`.
  static AnyUuid make(Instant now, Random& random);
  static AnyUuid from_bytes(const std::array<std::uint8_t, 16>& bytes);

  /// Lower case with hyphens, 36 characters.
  std::string str() const;
  /// Puts the same 36 characters at `to`.
  void write(char* to) const noexcept;
  const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
  bool is_nil() const noexcept { return *this == AnyUuid(); }

  auto operator<=>(const AnyUuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// The public identity of a `T`: a UUID that does not mix with those of other kinds.
template <class T>
class Uuid : public AnyUuid {
 public:
  Uuid() = default;
  explicit Uuid(const AnyUuid& any) : AnyUuid(any) {}

  static Result<Uuid> parse(std::string_view text) {
    auto any = AnyUuid::parse(text);
    if (!any) return std::move(any).error();
    return Uuid(*any);
  }
  static Uuid make(Instant now, Random& random) { return Uuid(AnyUuid::make(now, random)); }

  auto operator<=>(const Uuid&) const = default;
};

}  // namespace bencher

template <>
struct std::hash<bencher::AnyUuid> {
  std::size_t operator()(const bencher::AnyUuid& uuid) const noexcept {
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const auto b : uuid.bytes())
      h = (h ^ b) * 0x100000001b3u;
    return static_cast<std::size_t>(h);
  }
};
template <class T>
struct std::hash<bencher::Uuid<T>> : std::hash<bencher::AnyUuid> {};
