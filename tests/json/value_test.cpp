#include "lib/json/value.hpp"

#include <string>

#include <doctest/doctest.h>

using bencher::json::Value;

TEST_SUITE("json/value") {
  TEST_CASE("what is read is printed again, digit by digit") {
    for (const std::string text : {R"({"b":1.10,"a":[1e5,-0,true,false,null,"x\n\"\\\u0001é"],"c":{}})", "[]", "0.1",
                                   R"("")", "123456789012345678901234567890"}) {
      CAPTURE(text);
      const auto value = Value::parse(text);
      REQUIRE(value.has_value());
      CHECK(value->compact() == text);
    }
  }

  TEST_CASE("indented text sorts keys and leaves out nulls when asked to") {
    const auto value = Value::parse(R"({"b":1,"a":{"y":null,"x":[{}, [], 2]},"n":null})").value();
    CHECK(value.indented() ==
          "{\n  \"b\": 1,\n  \"a\": {\n    \"y\": null,\n    \"x\": [\n      {},\n      [],\n      2\n    ]\n  },\n  "
          "\"n\": null\n}");
    CHECK(value.indented({.sort_keys = true, .leave_out_nulls = true}) ==
          "{\n  \"a\": {\n    \"x\": [\n      {},\n      [],\n      2\n    ]\n  },\n  \"b\": 1\n}");
    CHECK(Value().indented() == "null");
  }

  TEST_CASE("members that are not there read as null") {
    const auto value = Value::parse(R"({"a":{"b":2.5},"a2":7})").value();
    CHECK(value["a"]["b"].as_double() == 2.5);
    CHECK(value["a2"].as_integer() == 7);
    CHECK_FALSE(value["a"]["b"].as_integer().has_value());
    CHECK(value["x"]["y"].is_null());
    CHECK(value["a2"]["y"].is_null());
  }

  TEST_CASE("of a key that is there twice, the last is found") {
    CHECK(Value::parse(R"({"a":1,"a":2})").value()["a"].as_integer() == 2);
  }

  TEST_CASE("what is not JSON is refused with its place") {
    CHECK(Value::parse("{\"a\":}").error().message() == "JSON, byte 5: expected a number, found '}'");
    CHECK_FALSE(Value::parse("").has_value());
    CHECK_FALSE(Value::parse("{} x").has_value());
    CHECK_FALSE(Value::parse("nul").has_value());
    CHECK_FALSE(Value::parse("\"\xff\"").has_value());
    CHECK_FALSE(Value::parse(std::string(1'000'000, '[')).has_value());
  }

  TEST_CASE("values can be made and changed") {
    Value value;
    value.set("a", true);
    CHECK(value["a"].type() == Value::Type::boolean);
    value.set("a", Value::number(0.1));
    value.set("l", Value::array()).push("x");
    CHECK(value.compact() == R"({"a":0.1,"l":["x"]})");
  }
}
