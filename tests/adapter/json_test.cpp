// Bencher Metric Format, over the recorded cases and over hostile input.

#include <charconv>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using test::metric;

namespace {

std::string reason(std::string_view text) {
  return test::refusal(AdapterKind::json, text);
}

double value_of(const std::string& number) {
  const auto results = parse(AdapterKind::json, R"({"b":{"m":{"value":)" + number + "}}}", {});
  if (!results) FAIL(results.error().message());
  return results->results[0].measures[0].metric.value;
}

}  // namespace

TEST_SUITE("adapter/json") {
  TEST_CASE("every recorded case gives the reference's results, or no results") {
    CHECK(test::check_cases("json", AdapterKind::json) > 20);
    CHECK(test::check_cases("errors", AdapterKind::json) > 3);
  }

  TEST_CASE("order of first appearance is kept, and of duplicates the last counts") {
    const auto results = parse(AdapterKind::json,
                               R"({"b":{"m":{"value":1}},"a":{"x":{"value":2},"y":{"value":3},"x":{"value":4}},
                                   "c":{}, "b":{"n":{"value":5}}, "d":{"1":{"value":1},"2":{"value":2},"3":{"value":3},"1":{"value":9}}})",
                               {});
    REQUIRE(results.has_value());
    CHECK(results->results == test::results({{"b", {{"n", metric(5)}}},
                                             {"a", {{"x", metric(4)}, {"y", metric(3)}}},
                                             {"c", {}},
                                             {"d", {{"1", metric(9)}, {"2", metric(2)}, {"3", metric(3)}}}}));
  }

  TEST_CASE("two spellings of one UUID are one benchmark") {
    const auto results = parse(AdapterKind::json,
                               R"({"31ABA8A9-977A-47D1-9FB6-E6B94B428471":{"m":{"value":1}},
                                   "urn:uuid:31aba8a9-977a-47d1-9fb6-e6b94b428471":{"m":{"value":2}}})",
                               {});
    REQUIRE(results.has_value());
    REQUIRE(results->results.size() == 1);
    CHECK(results->results[0].name == "31aba8a9-977a-47d1-9fb6-e6b94b428471");
    CHECK(results->results[0].measures[0].metric.value == 2);
  }

  TEST_CASE("a metric may be an array of value, lower and upper") {
    const auto results = parse(AdapterKind::json, R"({"b":{"m":[1.5,null,2]}})", {});
    REQUIRE(results.has_value());
    CHECK(results->results[0].measures[0].metric == Metric{.value = 1.5, .lower = {}, .upper = 2.0});
    CHECK(reason(R"({"b":{"m":[1.5,1]}})") == "json results: at /b/m/2: expected ',', found ']' (line 1, column 17)");
  }

  TEST_CASE("errors carry the pointer, the reason and the place") {
    const std::pair<const char*, const char*> rows[]{
        {"", "json results: expected an object of benchmarks, found the end of the text (line 1, column 1)"},
        {"[]", "json results: expected an object of benchmarks, found an array (line 1, column 1)"},
        {"{\"a\":\n {\"m\": {\"value\": \"1\"}}}",
         "json results: at /a/m/value: expected a number, found a string (line 2, column 18)"},
        {R"({"a/b~c":{"m":{"value":null}}})",
         "json results: at /a~1b~0c/m/value: expected a number, found null (line 1, column 24)"},
        {R"({"a":{"m":{"value":NaN}}})",
         "json results: at /a/m/value: expected a number, found a number that JSON does not have (NaN or Infinity) "
         "(line 1, "
         "column 20)"},
        {R"({"a":{"m":{"value":01}}})",
         "json results: at /a/m/value: a number may not begin with 0 (line 1, column 22)"},
        {R"({"a":{"m":{"value":1.}}})", "json results: at /a/m/value: a number lacks a digit (line 1, column 22)"},
        {R"({"a":{"m":{"value":1e400}}})",
         "json results: at /a/m/value: the number is too large for a 64-bit float (line 1, column 20)"},
        {R"({"a":{"m":{"value":1,"value":2}}})",
         "json results: at /a/m/value: the field is there twice (line 1, column 30)"},
        {R"({"a":{"m":{"lower_value":1}}})",
         "json results: at /a/m: a metric lacks its field 'value' (line 1, column 28)"},
        {R"({"a":{"m":7}})", "json results: at /a/m: expected a metric, found a number (line 1, column 11)"},
        {R"({"a":{"m":{"value":1}}} x)", "json results: expected the end of the text, found 'x' (line 1, column 25)"},
        {R"({"a":{"m":{"value":1}},})", "json results: expected a string, found '}' (line 1, column 24)"},
        {"{\"a\":{\"m\":{\"value\":1",
         "json results: at /a/m: expected ',' or '}', found the end of the text (line 1, column 21)"},
        {"{\"a\xff\":{}}", "json results: the text is not valid UTF-8 (line 1)"},
        {R"({"\ud800":{}})", "json results: a high surrogate without its low one (line 1, column 3)"},
        {"{\"a\nb\":{}}", "json results: a control character within a string must be escaped (line 1, column 4)"},
        {R"({"":{}})", "json results: at /: a benchmark name has 1 to 1024 bytes, not 0 (line 1, column 5)"},
    };
    for (const auto& [text, message] : rows) {
      CAPTURE(text);
      CHECK(reason(text) == message);
    }
  }

  TEST_CASE("escapes in names are undone") {
    const auto results = parse(AdapterKind::json, "{\"\\u00e9\\ud83d\\ude00\\n\\\"\\/x\":{\"m\":{\"value\":1}}}", {});
    REQUIRE(results.has_value());
    CHECK(results->results[0].name == "\u00e9\U0001F600\n\"/x");
  }

  TEST_CASE("numbers are rounded correctly, whatever their length") {
    CHECK(value_of("0") == 0);
    CHECK(std::signbit(value_of("-0")));
    CHECK(value_of("9007199254740993") == 9007199254740992.0);
    CHECK(value_of("18446744073709551616") == 18446744073709551616.0);
    CHECK(value_of("0.1") == 0.1);
    CHECK(value_of("-123456.789012345") == -123456.789012345);
    CHECK(value_of("1.7976931348623157e308") == 1.7976931348623157e308);
    CHECK(value_of("4.9e-324") == 4.9e-324);
    CHECK(value_of("1e-400") == 0);
    CHECK(value_of("0e999999999999") == 0);
    CHECK(value_of("0." + std::string(400, '0') + "1") == 0);
    CHECK(value_of("0." + std::string(400, '3')) == 1.0 / 3);
    CHECK(value_of("1" + std::string(300, '0')) == 1e300);
    CHECK(reason(R"({"a":{"m":{"value":1)" + std::string(400, '0') + "}}}").find("too large") != std::string::npos);
    CHECK(reason(R"({"a":{"m":{"value":-9e99999999999999999999}}})").find("too large") != std::string::npos);
  }

  TEST_CASE("random doubles read back as themselves") {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
      const auto bits = random();
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      if (!std::isfinite(value)) continue;
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, value).ptr;
      CAPTURE(std::string(text, end));
      CHECK(value_of(std::string(text, end)) == value);
    }
  }

  TEST_CASE("ignored fields may nest to 127 levels, and no deeper") {
    const auto nested = [](std::size_t levels) {
      return R"({"a":{"m":{"value":1,"x":)" + std::string(levels, '[') + std::string(levels, ']') + "}}}";
    };
    CHECK(parse(AdapterKind::json, nested(100), {}).has_value());
    CHECK(parse(AdapterKind::json, nested(124), {}).has_value());
    CHECK(reason(nested(125)).find("nested too deep") != std::string::npos);
    CHECK(reason(R"({"a":{"m":{"value":1,"x":)" + std::string(1'000'000, '[')).find("nested too deep") !=
          std::string::npos);
  }

  TEST_CASE("ignored fields are checked too") {
    CHECK(parse(AdapterKind::json, R"({"a":{"m":{"x":[{"y":"\u0041"},true,false,null,-1.5e3],"value":1}}})", {})
              .has_value());
    for (const auto* bad :
         {"tru", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "+1", ".5", "'a'", "{1:2}", "[1 2]", "\"\\x\""}) {
      CAPTURE(bad);
      CHECK_FALSE(parse(AdapterKind::json, std::string(R"({"a":{"m":{"value":1,"x":)") + bad + "}}}", {}).has_value());
    }
  }

  TEST_CASE("no prefix of a document is a document, and no changed byte brings it down") {
    const auto text = test::read_data("adapters/json/report_bmf_mixed.input.json");
    const auto end = text.find_last_of('}');
    for (std::size_t length = 0; length <= end; ++length)
      CHECK_FALSE(parse(AdapterKind::json, text.substr(0, length), {}).has_value());
    std::mt19937 random(3);
    for (int i = 0; i < 20'000; ++i) {
      auto changed = text;
      for (int j = 0; j < 3; ++j)
        changed[random() % changed.size()] = static_cast<char>(random());
      const auto results = parse(AdapterKind::json, changed, {});
      if (!results) CHECK_FALSE(results.error().message().empty());
    }
  }

  TEST_CASE("a large document with one name throughout keeps one benchmark") {
    std::string text = "{";
    for (int i = 0; i < 50'000; ++i)
      text += (i ? "," : "") + std::string(R"("same":{"m":{"value":)") + std::to_string(i) + "}}";
    const auto results = parse(AdapterKind::json, text + "}", {});
    REQUIRE(results.has_value());
    REQUIRE(results->results.size() == 1);
    CHECK(results->results[0].measures[0].metric.value == 49'999);
  }
}

TEST_SUITE("adapter/adapter") {
  TEST_CASE("wire names and stored integers go there and back") {
    CHECK(adapter_kinds().size() == 43);
    for (const auto kind : adapter_kinds()) {
      CHECK(parse_adapter(name(kind)).value() == kind);
      CHECK(adapter_of(static_cast<int>(kind)).value() == kind);
    }
    CHECK(parse_adapter("rust_iai_callgrind").value() == AdapterKind::rust_gungraun);
    CHECK_FALSE(parse_adapter("Json").has_value());
    CHECK_FALSE(adapter_of(11).has_value());
  }

  TEST_CASE("a language is stored as magic") {
    int languages = 0;
    for (const auto kind : adapter_kinds())
      if (normalize(kind) != kind) {
        CHECK(normalize(kind) == AdapterKind::magic);
        ++languages;
      }
    CHECK(languages == 10);
  }
}
