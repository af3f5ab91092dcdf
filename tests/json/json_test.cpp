#include "lib/json/json.hpp"

#include <charconv>
#include <cmath>

#include <doctest/doctest.h>

#include "bencher/base/name.hpp"

using namespace bencher;

namespace {

enum class Colour { red, delete_ };
BOOST_DESCRIBE_ENUM(Colour, red, delete_)
struct Inner {
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (number))
struct Outer {
  std::string text;
  std::optional<double> maybe;
  json::Sparse<int> sparse;
  std::vector<Inner> list;
  Colour colour = Colour::red;
  std::map<std::string, int> map;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (text, maybe, sparse, list, colour, map))
struct Update {
  using strict_members = void;
  std::optional<ResourceName> name;
  json::Patch<std::string> url;
};
BOOST_DESCRIBE_STRUCT(Update, (), (name, url))

template <class T>
std::string error_of(std::string_view text) {
  const auto r = json::parse<T>(text);
  REQUIRE_FALSE(r.has_value());
  return r.error().message();
}

}  // namespace

TEST_SUITE("json/json") {
  TEST_CASE("an empty optional is null, an empty sparse member is left out, a keyword loses its mark") {
    Outer o;
    o.text =
        "a\"\\\n\x01"
        "ä";
    o.colour = Colour::delete_;
    o.list = {{1}, {2}};
    o.map = {{"k", 3}};
    CHECK(
        json::print(o) ==
        R"({"text":"a\"\\\n\u0001ä","maybe":null,"list":[{"number":1},{"number":2}],"colour":"delete","map":{"k":3}})");
  }

  TEST_CASE("numbers print short and exact, and a double looks like one") {
    CHECK(json::print(10.0) == "10.0");
    CHECK(json::print(-0.0) == "-0.0");
    CHECK(json::print(0.001) == "0.001");
    CHECK(json::print(-99999.999) == "-99999.999");
    CHECK(json::print(1e5) == "1e+05");
  }

  TEST_CASE("a number is printed as std::to_chars does, whichever way is taken") {
    const auto check = [](double number) {
      char buffer[40];
      std::string want(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
      if (want.find_first_not_of("-0123456789") == std::string::npos) want += ".0";
      if (json::print(number) != want) CHECK(json::print(number) == want);
    };
    std::uint64_t state = 1;
    for (int i = 0; i < 200'000; ++i) {
      check(i / 1000.0);
      check(-i / 100.0);
      check(i);
      state = state * 6364136223846793005u + 1442695040888963407u;
      const auto thousandths = static_cast<double>(state >> 37);  // up to 134,217.728
      check(thousandths / 1000);
      check(std::nextafter(thousandths / 1000, 0));
      check(std::nextafter(thousandths / 1000, 1e9));
      check(thousandths / 10000);
      check(static_cast<double>(state >> 11) / 1e7);
    }
    CHECK(json::print(0.1) == "0.1");
    CHECK(json::print(1e300) == "1e+300");
    CHECK(json::print(-0.5) == "-0.5");
    CHECK(json::print(std::numeric_limits<double>::infinity()) == "null");
    CHECK(json::print(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  }

  TEST_CASE("absent and null optionals are empty, and unknown members are ignored") {
    const auto o =
        json::parse<Outer>(R"({"text":"x","list":[],"colour":"red","map":{},"maybe":null,"unknown":[1,{}]})");
    REQUIRE(o.has_value());
    CHECK_FALSE(o->maybe.has_value());
  }

  TEST_CASE("errors point at the member") {
    CHECK(error_of<Outer>(R"({"text":"x","list":[{"number":1},{"number":"2"}],"colour":"red","map":{}})") ==
          "/list/1/number: expected an integer in range");
    CHECK(error_of<Outer>(R"({"list":[],"colour":"red","map":{}})") == "/text: expected to be present");
    CHECK(error_of<Outer>(R"({"text":"x","list":[],"colour":"blue","map":{}})") ==
          "/colour: expected one of red, delete");
    CHECK(error_of<Outer>(R"({"text":"x","text":"y","list":[],"colour":"red","map":{}})") ==
          "/text: expected to be given once");
    CHECK(error_of<Outer>(R"({"text":"x","list":[],"colour":"red","map":{"a/b":"c"}})") ==
          "/map/a~1b: expected an integer in range");
    CHECK(error_of<Inner>(R"({"number":2147483648})") == "/number: expected an integer in range");
    CHECK(error_of<Inner>("{\"number\":1").find("not a JSON document") != std::string::npos);
    CHECK(error_of<Inner>("[1]") == "/: expected an object");
  }

  TEST_CASE("a strict body refuses unknown members and null, and a patch tells absent, null and value apart") {
    CHECK(error_of<Update>(R"({"nmae":"x"})").starts_with("/nmae:"));
    CHECK(error_of<Update>(R"({"name":null})").starts_with("/name:"));
    CHECK_FALSE(json::parse<Update>("{}")->url.given);
    CHECK(json::parse<Update>(R"({"url":null})")->url.given);
    CHECK_FALSE(json::parse<Update>(R"({"url":null})")->url.value.has_value());
    CHECK(json::parse<Update>(R"({"url":"x"})")->url.value == "x");
  }

  TEST_CASE("nesting without end is refused, not followed") {
    CHECK_FALSE(json::parse<Outer>(std::string(100'000, '[')).has_value());
  }
}
