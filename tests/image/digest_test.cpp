#include "bencher/image/digest.hpp"

#include <string>

#include <doctest/doctest.h>

using bencher::Digest;
using bencher::DigestAlgorithm;
using bencher::Hasher;

TEST_SUITE("image/digest") {
  // FIPS 180-4: SHA-256 of the empty message.
  const std::string empty_sha256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  TEST_CASE("of agrees with the published example, and parse takes it") {
    CHECK(Digest::of({}).str() == empty_sha256);
    const auto digest = Digest::parse(empty_sha256);
    REQUIRE(digest.has_value());
    CHECK(digest->hex() == empty_sha256.substr(7));
    CHECK(digest->algorithm() == DigestAlgorithm::sha256);
  }

  TEST_CASE("sha512 agrees with the published example of 'abc'") {
    const auto digest = Digest::of("abc", DigestAlgorithm::sha512);
    CHECK(digest.str() ==
          "sha512:"
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d442364"
          "3ce80e2a9ac94fa54ca49f");
    CHECK(digest.algorithm() == DigestAlgorithm::sha512);
    CHECK(digest.hex().size() == 128);
    CHECK(*Digest::parse(digest.str()) == digest);
  }

  TEST_CASE("pieces hash like the whole") {
    Hasher hasher;
    hasher.update("hello ");
    hasher.update(std::string_view());
    hasher.update(std::as_bytes(std::span("world", 5)));
    CHECK(hasher.finish() == Digest::of("hello world"));
  }

  TEST_CASE("parse says which part is wrong") {
    const auto reason = [](const std::string& text) {
      const auto digest = Digest::parse(text);
      REQUIRE_FALSE(digest.has_value());
      return digest.error().message();
    };
    CHECK(reason("latest") == "image digest: no ':' between algorithm and hex");
    CHECK(reason("md5:d41d8cd9") == "image digest: algorithm 'md5' is not sha256 or sha512");
    CHECK(reason("sha256:e3b0") == "image digest: 4 hex digits, sha256 takes 64");
    CHECK(reason(empty_sha256 + "\n") == "image digest: 65 hex digits, sha256 takes 64");
    CHECK(reason("sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") ==
          "image digest: a character after ':' is not a lower-case hex digit");
    CHECK(reason("sha256:../../../etc/passwd000000000000000000000000000000000000000000000") ==
          "image digest: a character after ':' is not a lower-case hex digit");
  }
}
