#include "bencher/base/uuid.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace bencher {

Result<AnyUuid> AnyUuid::parse(std::string_view text) {
  const auto wrong = [&] {
    return Error(Errc::invalid_argument, fmt::format("'{}' is not a UUID", text.substr(0, 64)));
  };
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return wrong();
  AnyUuid out;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (c != '-') return wrong();
      continue;
    }
    int value = 0;
    if (c >= '0' && c <= '9')
      value = c - '0';
    else if (c >= 'a' && c <= 'f')
      value = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      value = c - 'A' + 10;
    else
      return wrong();
    auto& byte = out.bytes_[nibble / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++nibble;
  }
  return out;
}

AnyUuid AnyUuid::make(Instant now, Random& random) {
  AnyUuid out;
  random.fill(std::as_writable_bytes(std::span(out.bytes_)));
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now.time_since_epoch().count()));
  for (std::size_t i = 0; i < 6; ++i)
    out.bytes_[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  out.bytes_[6] = static_cast<std::uint8_t>((out.bytes_[6] & 0x0f) | 0x70);
  out.bytes_[8] = static_cast<std::uint8_t>((out.bytes_[8] & 0x3f) | 0x80);
  return out;
}

AnyUuid AnyUuid::from_bytes(const std::array<std::uint8_t, 16>& bytes) {
  AnyUuid out;
  out.bytes_ = bytes;
  return out;
}

std::string AnyUuid::str() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += digits[bytes_[i] >> 4];
    out += digits[bytes_[i] & 15];
  }
  return out;
}

}  // namespace bencher
