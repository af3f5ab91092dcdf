#include "lib/json/json.hpp"

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
