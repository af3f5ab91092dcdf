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
  // -1: no hex digit.
  static constexpr auto values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (int i = 0; i < 10; ++i)
      table[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i);
    for (int i = 0; i < 6; ++i)
      table[static_cast<std::size_t>('a' + i)] = table[static_cast<std::size_t>('A' + i)] =
          static_cast<std::int8_t>(10 + i);
    return table;
  }();
  AnyUuid out;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (c != '-') return wrong();
      continue;
    }
    const int value = values[static_cast<unsigned char>(c)];
    if (value < 0) return wrong();
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

void AnyUuid::write(char* to) const noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = digits[bytes_[i] >> 4];
    *to++ = digits[bytes_[i] & 15];
  }
}

std::string AnyUuid::str() const {
  std::string out(36, '\0');
  write(out.data());
  return out;
}

}  // namespace bencher
