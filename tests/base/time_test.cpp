#include <doctest/doctest.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

using namespace bencher;

TEST_SUITE("base/timestamp") {
  TEST_CASE("RFC 3339 goes in with any offset and fraction, and comes out in UTC") {
    CHECK(Timestamp::parse("2024-07-11T06:23:00Z")->str() == "2024-07-11T06:23:00Z");
    CHECK(Timestamp::parse("2024-07-11T08:23:00.987654321+02:00")->str() == "2024-07-11T06:23:00Z");
    CHECK(Timestamp::parse("1969-12-31T23:59:59Z")->seconds == -1);
  }
  TEST_CASE("what is not RFC 3339 is refused") {
    for (const auto* bad : {"", "2024", "2024-07-11", "2024-02-30T00:00:00Z", "2024-07-11T24:00:00Z",
                            "2024-07-11T06:23:00", "2024-07-11T06:23:00.Z", "2024-07-11T06:23:00Zx", "1720678980"})
      CHECK_MESSAGE(!Timestamp::parse(bad).has_value(), bad);
  }
}

TEST_SUITE("base/uuid") {
  TEST_CASE("a new UUID is of version 7 and sorts by its time") {
    SeededRandom random(1);
    ManualClock clock;
    const auto first = AnyUuid::make(clock.now(), random);
    clock.advance(std::chrono::milliseconds(1));
    const auto second = AnyUuid::make(clock.now(), random);
    CHECK(first < second);
    CHECK(first.str()[14] == '7');
    CHECK(*AnyUuid::parse(first.str()) == first);
  }
}

TEST_SUITE("base/encoding") {
  TEST_CASE("base64url agrees with RFC 4648 section 10") {
    CHECK(base64url("foobar") == "Zm9vYmFy");
    CHECK(base64url("fo") == "Zm8");
    CHECK(*base64url_decode("Zm8") == "fo");
    CHECK(*base64_decode("Zm8=") == "fo");
    CHECK_FALSE(base64url_decode("Zm8=").has_value());
    CHECK_FALSE(base64url_decode("A").has_value());
  }
  TEST_CASE("SHA-256 of the empty message is the published one (FIPS 180-4)") {
    CHECK(to_hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
  TEST_CASE("malformed UTF-8 is found and replaced") {
    CHECK(is_utf8("aä€😀"));
    CHECK_FALSE(is_utf8("\xc0\x80"));
    CHECK_FALSE(is_utf8("\xed\xa0\x80"));
    std::string points;
    for (const auto point : {0x41u, 0xe9u, 0x20acu, 0x1f600u})
      append_utf8(points, point);
    CHECK(points == "A\u00e9\u20ac\U0001F600");
    CHECK(to_valid_utf8("a\xff"
                        "b") ==
          "a\xef\xbf\xbd"
          "b");
  }
  TEST_CASE("an excerpt cuts no code point in two") {
    CHECK(excerpt("aä€😀", 10) == "aä€😀");
    CHECK(excerpt("aä€😀", 9) == "aä€…");
    CHECK(excerpt("aä€😀", 6) == "aä€…");
    CHECK(excerpt("aä€😀", 4) == "aä…");
    CHECK(excerpt("aä€😀", 2) == "a…");
    CHECK(is_utf8(excerpt(std::string(100, '\x80'), 10)));
  }
}
