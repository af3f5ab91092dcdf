#include "bencher/auth/credential.hpp"

#include <doctest/doctest.h>

using namespace bencher;

namespace {

const std::string secret = "DO_NOT_USE_THIS_IN_PRODUCTION";
const std::string issuer = "http://localhost:3000/";
// A token of the reference's acceptance suite.
const std::string suite_token =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjo1OTkzNjQzNjA5LCJpYXQiOjE2OTg2NzYzMTQsImlzcyI6Imh0dHA6Ly9sb2NhbGhvc3Q6MzAwMC8iLCJzdW"
    "IiOi"
    "JldXN0YWNlLmJhZ2dlQG5vd2hlcmUuY29tIiwib3JnIjpudWxsfQ.xumYID-R4waqhyjhcbSlwartbiRJ2AwngVkevLUBVCA";

}  // namespace

TEST_SUITE("auth/credential") {
  TEST_CASE("keys have a prefix and 30 letters or digits; runner keys also the older form of 64 hex digits") {
    SeededRandom random(7);
    for (const auto kind : {KeyKind::user, KeyKind::project, KeyKind::runner}) {
      const auto key = make_key(kind, random);
      CHECK(is_key(kind, key));
      CHECK_FALSE(is_key(kind, key + "x"));
      CHECK_FALSE(is_key(kind, key.substr(1)));
      auto odd = key;
      odd.back() = '-';
      CHECK_FALSE(is_key(kind, odd));
    }
    CHECK(is_key(KeyKind::runner, "bencher_runner_" + std::string(64, 'a')));
    CHECK_FALSE(is_key(KeyKind::runner, "bencher_runner_" + std::string(64, 'A')));
    CHECK_FALSE(is_key(KeyKind::user, "bencher_user_" + std::string(64, 'a')));
    CHECK_FALSE(is_key(KeyKind::user, make_key(KeyKind::runner, random)));
  }

  TEST_CASE("a token of the reference is read") {
    const auto claims = decode_token(suite_token, secret, issuer, Timestamp{1'700'000'000});
    REQUIRE(claims.has_value());
    CHECK(claims->audience == "api_key");
    CHECK(claims->subject == "eustace.bagge@nowhere.com");
    CHECK(claims->expires == 5993643609);
  }

  TEST_CASE("what is signed is read back, with its scope") {
    TokenClaims claims;
    claims.audience = "oci_runner";
    claims.issued_at = 10;
    claims.expires = 610;
    claims.issuer = issuer;
    claims.subject = "runner";
    claims.oci = OciScope{"project", {"pull"}};
    const auto token = encode_token(claims, secret);
    CHECK(is_jwt(token));
    const auto read = decode_token(token, secret, issuer, Timestamp{610});
    REQUIRE(read.has_value());
    CHECK(read->oci->repository == "project");
    CHECK(read->oci->actions == std::vector<std::string>{"pull"});
    CHECK_FALSE(decode_token(token, secret, issuer, Timestamp{611}).has_value());
    CHECK_FALSE(decode_token(token, "other", issuer, Timestamp{10}).has_value());
    CHECK_FALSE(decode_token(token, secret, "http://elsewhere/", Timestamp{10}).has_value());
  }

  TEST_CASE("forged and malformed tokens are refused") {
    auto forged = suite_token;
    forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
    CHECK_FALSE(decode_token(forged, secret, issuer, Timestamp{0}).has_value());
    // {"alg":"none"}: a signature that nobody made.
    CHECK_FALSE(decode_token("eyJhbGciOiJub25lIn0.e30.e30", secret, issuer, Timestamp{0}).has_value());
    for (const auto* bad : {"", ".", "a.b", "a.b.", "a..c", "a.b.c.d", "a.b.c=", "a b.c.d"})
      CHECK_MESSAGE(!is_jwt(bad), bad);
  }
}
