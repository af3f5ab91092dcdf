#include "bencher/base/encoding.hpp"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace bencher {
namespace {

constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Result<std::string> decode(std::string_view text, char c62, char c63) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<std::uint32_t>(c - 'a') + 26;
    else if (c >= '0' && c <= '9')
      value = static_cast<std::uint32_t>(c - '0') + 52;
    else if (c == c62)
      value = 62;
    else if (c == c63)
      value = 63;
    else
      return Error(Errc::invalid_argument, "not base64");
    bits = bits << 6 | value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xff);
    }
  }
  if (have == 6) return Error(Errc::invalid_argument, "not base64");
  return out;
}

/// The length of the well-formed sequence at the start of `s`, or 0.
std::size_t sequence(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto more = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < s.size() && at(i) >= low && at(i) <= high;
  };
  const auto b = at(0);
  if (b < 0x80) return 1;
  if (b >= 0xc2 && b <= 0xdf) return more(1) ? 2 : 0;
  if (b == 0xe0) return more(1, 0xa0) && more(2) ? 3 : 0;
  if (b == 0xed) return more(1, 0x80, 0x9f) && more(2) ? 3 : 0;
  if (b >= 0xe1 && b <= 0xef) return more(1) && more(2) ? 3 : 0;
  if (b == 0xf0) return more(1, 0x90) && more(2) && more(3) ? 4 : 0;
  if (b >= 0xf1 && b <= 0xf3) return more(1) && more(2) && more(3) ? 4 : 0;
  if (b == 0xf4) return more(1, 0x80, 0x8f) && more(2) && more(3) ? 4 : 0;
  return 0;
}

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto b : bytes) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

std::string base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    have += 8;
    while (have >= 6) {
      have -= 6;
      out += url_alphabet[bits >> have & 63];
    }
  }
  if (have > 0) out += url_alphabet[bits << (6 - have) & 63];
  return out;
}

Result<std::string> base64url_decode(std::string_view text) {
  return decode(text, '-', '_');
}

Result<std::string> base64_decode(std::string_view text) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  return decode(text, '+', '/');
}

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> out{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, EVP_sha256(), nullptr);
  return out;
}

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<std::uint8_t, 32> out{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
       bytes.size(), out.data(), &length);
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

std::string to_valid_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  const auto each = [&](auto&& add) {
    for (std::size_t at = 0; at < bytes.size();) {
      const auto length = sequence(bytes.substr(at));
      add(length > 0 ? bytes.substr(at, length) : replacement);
      at += std::max<std::size_t>(length, 1);
    }
  };
  // First how long it will be: a large text that is all wrong would grow far beyond that otherwise.
  std::size_t size = 0;
  each([&](std::string_view part) { size += part.size(); });
  std::string out;
  out.reserve(size);
  each([&](std::string_view part) { out += part; });
  return out;
}

std::string excerpt(std::string_view text, std::size_t most) {
  if (text.size() <= most) return to_valid_utf8(text);
  constexpr std::size_t longest = 4;
  auto cut = most;
  while (cut > 0 && most - cut < longest && (text[cut] & 0xc0) == 0x80)
    --cut;
  return to_valid_utf8(text.substr(0, cut)) + "…";
}

}  // namespace bencher
