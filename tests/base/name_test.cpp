#include "bencher/base/name.hpp"

#include <doctest/doctest.h>

using namespace bencher;

TEST_SUITE("base/name") {
  TEST_CASE("slugify transliterates, lowers, and joins what is left with single hyphens") {
    CHECK(slugify("The Computer") == "the-computer");
    CHECK(slugify("tests::one") == "tests-one");
    CHECK(slugify("  Größe & Ærø  ") == "grosse-aero");
    CHECK(slugify("Привет") == "privet");
    CHECK(slugify("---") == "");
    CHECK(slugify("日本") == "");
    CHECK(slugify(std::string(63, 'a') + " b") == std::string(63, 'a'));
  }

  TEST_CASE("a slug is equal to its own slugification") {
    for (const auto* good : {"a", "a-b", "0", "a1-b2"})
      CHECK_MESSAGE(Slug::parse(good).has_value(), good);
    for (const auto* bad : {"", "A", "-a", "a-", "a--b", "a b", "ä"})
      CHECK_MESSAGE(!Slug::parse(bad).has_value(), bad);
    CHECK_FALSE(Slug::parse(std::string(65, 'a')).has_value());
  }

  TEST_CASE("branch names follow the reference's reading of Git's rules") {
    for (const auto* good : {"a.", "a/.b", "x.lock/y", "@", "-", "feature/a"})
      CHECK_MESSAGE(BranchName::parse(good).has_value(), good);
    for (const auto* bad : {"", ".a", "a.lock", "a..b", "a b", "/a", "a/", "a//b", "a@{b", "a~", "a\\b"})
      CHECK_MESSAGE(!BranchName::parse(bad).has_value(), bad);
    CHECK_FALSE(BranchName::parse(std::string(257, 'a')).has_value());
  }

  TEST_CASE("names are trimmed, bounded and UTF-8") {
    CHECK(ResourceName::parse("Decibels (dB)").has_value());
    CHECK_FALSE(ResourceName::parse(" a").has_value());
    CHECK_FALSE(ResourceName::parse("a\n").has_value());
    CHECK_FALSE(ResourceName::parse("\xff").has_value());
    CHECK_FALSE(ResourceName::parse(std::string(65, 'x')).has_value());
    CHECK(UserName::parse("O'Neil, J.").has_value());
    CHECK_FALSE(UserName::parse("a_b").has_value());
  }

  TEST_CASE("an e-mail address is kept in lower case") {
    CHECK(Email::parse("Muriel.Bagge@Nowhere.COM")->str() == "muriel.bagge@nowhere.com");
    CHECK(Email::parse("root@localhost").has_value());
    for (const auto* bad : {"", "a", "@b", "a@", "a b@c", "a@b..c", "a..b@c"})
      CHECK_MESSAGE(!Email::parse(bad).has_value(), bad);
  }

  TEST_CASE("a name id is a UUID, else a slug, else a name") {
    using Id = NameId<ResourceName>;
    CHECK(Id::parse("01a1fbcf-824d-7981-a49c-79fa0b6ca2db")->uuid());
    CHECK(Id::parse("latency")->slug());
    CHECK(Id::parse("Latency")->name());
    CHECK_FALSE(Id::parse(" x").has_value());
  }
}
