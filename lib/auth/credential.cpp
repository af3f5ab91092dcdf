#include "bencher/auth/credential.hpp"

#include <algorithm>

#include "bencher/base/encoding.hpp"

#include "lib/json/json.hpp"

namespace bencher {

namespace wire {

struct Header {
  json::Sparse<std::string> typ;
  std::string alg;
};
BOOST_DESCRIBE_STRUCT(Header, (), (typ, alg))
struct OrgClaim {
  std::string uuid;
  std::string role;
};
BOOST_DESCRIBE_STRUCT(OrgClaim, (), (uuid, role))
struct OciClaim {
  std::optional<std::string> repository;
  std::vector<std::string> actions;
};
BOOST_DESCRIBE_STRUCT(OciClaim, (), (repository, actions))
struct Claims {
  std::string aud;
  std::int64_t exp = 0;
  std::int64_t iat = 0;
  std::string iss;
  json::Sparse<std::string> sub;
  std::optional<OrgClaim> org;
  std::optional<OciClaim> oci;
};
BOOST_DESCRIBE_STRUCT(Claims, (), (aud, exp, iat, iss, sub, org, oci))

}  // namespace wire

namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t key_length = 30;

std::string_view prefix(KeyKind kind) {
  switch (kind) {
    case KeyKind::user: return "bencher_user_";
    case KeyKind::project: return "bencher_run_";
    case KeyKind::runner: return "bencher_runner_";
  }
  return "";
}

std::string_view as_text(const std::array<std::uint8_t, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string make_key(KeyKind kind, Random& random) {
  return std::string(prefix(kind)) + random.text(key_length, alphabet);
}

bool has_key_prefix(KeyKind kind, std::string_view text) {
  return text.starts_with(prefix(kind));
}

bool is_key(KeyKind kind, std::string_view text) {
  if (!has_key_prefix(kind, text)) return false;
  const auto rest = text.substr(prefix(kind).size());
  const auto all_of = [&](std::string_view allowed) {
    return rest.find_first_not_of(allowed) == std::string_view::npos;
  };
  if (rest.size() == key_length) return all_of(alphabet);
  return kind == KeyKind::runner && rest.size() == 64 && all_of("0123456789abcdef");
}

std::string hash_key(std::string_view key) {
  return to_hex(sha256(key));
}

bool is_jwt(std::string_view text) {
  int parts = 1;
  std::size_t length = 0;
  for (const char c : text) {
    if (c == '.') {
      if (length == 0) return false;
      ++parts;
      length = 0;
    } else if (alphabet.find(c) != std::string_view::npos || c == '-' || c == '_') {
      ++length;
    } else {
      return false;
    }
  }
  return parts == 3 && length > 0;
}

std::string encode_token(const TokenClaims& claims, std::string_view secret) {
  wire::Claims body{claims.audience, claims.expires, claims.issued_at, claims.issuer, {}, {}, {}};
  if (!claims.subject.empty()) body.sub = claims.subject;
  if (claims.organization) body.org = wire::OrgClaim{*claims.organization, claims.organization_role.value_or("leader")};
  if (claims.oci) body.oci = wire::OciClaim{claims.oci->repository, claims.oci->actions};
  auto token = base64url(json::print(wire::Header{std::string("JWT"), "HS256"})) + "." + base64url(json::print(body));
  return token + "." + base64url(as_text(hmac_sha256(secret, token)));
}

Result<TokenClaims> decode_token(std::string_view token, std::string_view secret, std::string_view issuer,
                                 Timestamp now) {
  const auto wrong = [](std::string why) { return Error(Errc::unauthenticated, "the token is not valid: " + why); };
  if (!is_jwt(token)) return wrong("it is not a JSON Web Token");
  const auto last = token.rfind('.');
  const auto first = token.find('.');
  auto header_text = base64url_decode(token.substr(0, first));
  auto body_text = base64url_decode(token.substr(first + 1, last - first - 1));
  auto signature = base64url_decode(token.substr(last + 1));
  if (!header_text || !body_text || !signature) return wrong("it is not base64url");
  auto header = json::parse<wire::Header>(*header_text);
  if (!header || header->alg != "HS256") return wrong("its algorithm is not HS256");
  if (!constant_time_equal(*signature, as_text(hmac_sha256(secret, token.substr(0, last)))))
    return wrong("its signature does not match");
  auto body = json::parse<wire::Claims>(*body_text);
  if (!body) return wrong("its claims are malformed");
  if (body->iss != issuer) return wrong("it was issued by someone else");
  if (body->exp < now.seconds) return wrong("it has expired");
  TokenClaims claims{body->aud, body->iat, body->exp, body->iss, body->sub.value_or(""), {}, {}, {}};
  if (body->org) {
    claims.organization = body->org->uuid;
    claims.organization_role = body->org->role;
  }
  if (body->oci) claims.oci = OciScope{body->oci->repository, body->oci->actions};
  return claims;
}

}  // namespace bencher
