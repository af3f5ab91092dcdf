#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/name.hpp"
#include "bencher/base/random.hpp"
#include "bencher/base/result.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher {

enum class KeyKind { user, project, runner };

/// A fresh key, such as `bencher_user_` and 30 characters. Shown once; only its hash is stored.
std::string make_key(KeyKind kind, Random& random);
/// Whether `text` has the prefix of that kind's keys.
bool has_key_prefix(KeyKind kind, std::string_view text);
/// Whether `text` has that kind's prefix, length and alphabet; checked before anything is hashed. Runner keys have two
/// forms: 30 letters and digits, or 64 lower-case hex digits.
bool is_key(KeyKind kind, std::string_view text);
/// What is stored of a key: the SHA-256 of its whole text, in lower-case hex.
std::string hash_key(std::string_view key);

/// What a token may do to a repository of the registry.
struct OciScope {
  std::optional<std::string> repository;
  std::vector<std::string> actions;  ///< `pull`, `push`
};

/// The claims of our JSON Web Tokens (RFC 7519).
struct TokenClaims {
  std::string audience;
  std::int64_t issued_at = 0;
  std::int64_t expires = 0;
  std::string issuer;
  std::string subject;                           ///< e-mail, runner UUID or project UUID; empty for `oci_public`
  std::optional<std::string> organization;       ///< of an invite: its UUID
  std::optional<std::string> organization_role;  ///< of an invite
  std::optional<OciScope> oci;
};

/// Whether `text` has the form of a JWT: three base64url parts, joined by dots.
bool is_jwt(std::string_view text);
/// Signs with HS256 (RFC 7518, section 3.2).
std::string encode_token(const TokenClaims& claims, std::string_view secret);
/// Checks form, signature, issuer and expiry, in that order. Error: `unauthenticated`.
Result<TokenClaims> decode_token(std::string_view token, std::string_view secret, std::string_view issuer,
                                 Timestamp now);

}  // namespace bencher
