#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bencher/base/result.hpp"

namespace bencher {

/// Lower-case hex.
std::string to_hex(std::span<const std::uint8_t> bytes);
/// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);
/// Error: `invalid_argument` for any character outside the alphabet, padding included.
Result<std::string> base64url_decode(std::string_view text);
/// RFC 4648 section 4; padding may be missing.
Result<std::string> base64_decode(std::string_view text);

/// FIPS 180-4.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);
/// RFC 2104 with SHA-256.
std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes);
/// Whether both are equal, in time that depends on the lengths only.
bool constant_time_equal(std::string_view a, std::string_view b);

/// Whether `text` is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);
/// Adds a code point, at most U+10FFFF, as UTF-8.
void append_utf8(std::string& out, std::uint32_t point);
/// `bytes` with each malformed sequence replaced by U+FFFD.
std::string to_valid_utf8(std::string_view bytes);
/// The beginning of a text that may be long, for messages: valid UTF-8 of at most about `most` bytes, no code point cut
/// in two, and `…` where something is missing.
std::string excerpt(std::string_view text, std::size_t most);

}  // namespace bencher
