// Mapping files that are refused, and where.

#include <string>

#include <doctest/doctest.h>

#include "tests/adapter/mapping.hpp"

using namespace bencher;

namespace {

std::string json(const std::string& fields) {
  return R"({"format":"json",)" + fields + "}";
}
std::string metric_of(const std::string& fields, const std::string& more = {}) {
  return json(R"("name":"/n","metrics":[{)" + fields + "}]" + more);
}

}  // namespace

TEST_SUITE("adapter/mapping_document") {
  TEST_CASE("errors name the field, the place and what there could be") {
    const std::string good = R"("measure":"m","value":"/v")";
    const std::pair<std::string, const char*> rows[]{
        {"", "expected a mapping, found the end of the text (line 1, column 1)"},
        {"[]", "expected a mapping, found an array (line 1, column 1)"},
        {"{}", "a mapping lacks its field 'format' (line 1, column 1)"},
        {R"({"format":"json"})", "a mapping lacks its field 'name' (line 1, column 1)"},
        {json(R"("name":"/n")"), "a mapping lacks its field 'metrics' (line 1, column 1)"},
        {R"({"format":"xml","name":"/n","metrics":[]})",
         "at /format: format 'xml' is not one of json, lines, csv (line 1, column 11)"},
        {R"({"format":7})", "at /format: expected a string, found a number (line 1, column 11)"},
        {"{\"format\":\"json\",\n \"nam\":\"/n\"}",
         "at /nam: 'nam' is no field of a mapping, which has format, rows, header, delimiter, decimal, comment, "
         "required, name, separator, distinct_name, where, metrics (line 2, column 8)"},
        {R"({"format":"json","format":"json"})", "at /format: the field is there twice (line 1, column 27)"},
        {json(R"("name":"/n","metrics":[])"),
         "at /metrics: expected an array of metrics, found an empty one (line 1, column 40)"},
        {json(R"("name":"/n","metrics":{})"),
         "at /metrics: expected an array of metrics, found an object (line 1, column 40)"},
        {json(R"("name":[],"metrics":[])"),
         "at /name: expected an array of places, found an empty one (line 1, column 25)"},
        {json(R"("name":"n","metrics":[])"),
         "at /name: 'n' is no pointer: it is empty or begins with / (line 1, column 25)"},
        {json(R"("name":"/n~2","metrics":[])"),
         "at /name: in a pointer, ~ is written ~0 and / is written ~1 (line 1, column 25)"},
        {json(R"("name":"/*","metrics":[])"),
         "at /name: '*' belongs into rows; a key that is an asterisk is written ~* (line 1, column 25)"},
        {json(R"("name":3,"metrics":[])"), "at /name: expected a place, found a number (line 1, column 25)"},
        {json(R"("name":{},"metrics":[])"), "at /name: a place is one of at, root, key and text (line 1, column 25)"},
        {json(R"("name":{"at":"/n","key":true},"metrics":[])"),
         "at /name/key: a place is one of at, root, key and text (line 1, column 42)"},
        {json(R"("name":{"at":{"at":"/n"}},"metrics":[])"),
         "at /name/at: expected a place, found an object (line 1, column 31)"},
        {json(R"("name":{"pointer":"/n"},"metrics":[])"),
         "at /name/pointer: 'pointer' is no field of a place, which has at, root, key, text, optional (line 1, column "
         "36)"},
        {json(R"("name":{"text":""},"metrics":[])"), "at /name/text: an empty text adds nothing (line 1, column 33)"},
        {json(R"("name":{"key":true},"metrics":[])"),
         "at /name/key: rows has no *, so that no row has a key (line 1, column 32)"},
        {json(R"("name":{"key":false},"rows":"/*","metrics":[])"),
         "at /name/key: this is true, or the number of a * in rows (line 1, column 32)"},
        {json(R"("name":{"key":2},"rows":"/*","metrics":[])"),
         "at /name/key: a key of rows is a number from 1 to 1 (line 1, column 32)"},
        {json(R"("name":{"root":"/b/*/n"},"rows":"/a/*","metrics":[])"),
         "at /name/root: up to its last * this is not the beginning of rows ('/a/*') (line 1, column 33)"},
        {json(R"("name":"/n","rows":"a","metrics":[])"),
         "at /rows: 'a' is no pointer: it is empty or begins with / (line 1, column 37)"},
        {json(R"("name":"/n","delimiter":",","metrics":[])"),
         "at /delimiter: this is for the format csv only (line 1, column 42)"},
        {R"({"format":"csv","rows":"/a","name":"n","metrics":[]})",
         "at /rows: the rows of CSV are its records: leave this out (line 1, column 24)"},
        {R"({"format":"csv","delimiter":";;","name":"n","metrics":[]})",
         "at /delimiter: this is one byte, and no quote, line feed or carriage return (line 1, column 29)"},
        {R"({"format":"csv","delimiter":"\"","name":"n","metrics":[]})",
         "at /delimiter: this is one byte, and no quote, line feed or carriage return (line 1, column 29)"},
        {R"({"format":"csv","decimal":",","name":"n","metrics":[]})",
         "at /decimal: the decimal sign is also the delimiter (line 1, column 27)"},
        {R"({"format":"csv","comment":"","name":"n","metrics":[]})",
         "at /comment: what comments begin with is not empty: leave it out (line 1, column 27)"},
        {R"({"format":"csv","header":false,"name":"n","metrics":[]})",
         "at /name: without a header a column is named by its number, from 1 (line 1, column 39)"},
        {R"({"format":"csv","header":false,"name":1,"where":{"n":"x"},"metrics":[]})",
         "at /where/n: without a header a column is named by its number, from 1 (line 1, column 54)"},
        {R"({"format":"csv","name":0,"metrics":[]})",
         "at /name: a column is a number from 1 to 1000000 (line 1, column 24)"},
        {R"({"format":"csv","name":{"root":"/n"},"metrics":[]})",
         "at /name/root: this is for JSON only (line 1, column 32)"},
        {json(R"("name":"/n","where":{"k":"x"},"metrics":[])"),
         "at /where/k: 'k' is no pointer: it is empty or begins with / (line 1, column 43)"},
        {json(R"("name":"/n","where":{"/k":null},"metrics":[])"),
         "at /where/~1k: expected a number, found null (line 1, column 44)"},
        {metric_of(R"("value":"/v")"), "at /metrics/0: a metric lacks its field 'measure' (line 1, column 41)"},
        {metric_of(R"("measure":"m")"), "at /metrics/0: a metric lacks its field 'value' (line 1, column 41)"},
        {metric_of(good + R"(,"valu":"/v")"),
         "at /metrics/0/valu: 'valu' is no field of a metric, which has measure, value, lower, upper, unit, scale, "
         "average, extra, required (line 1, column 76)"},
        {metric_of(R"("measure":"m","value":{"at":"/v","optional":true})"),
         "at /metrics/0/value/optional: this is for the parts of a name (line 1, column 86)"},
        {metric_of(R"("measure":"m","value":{"text":"1"})"),
         "at /metrics/0/value/text: this is for the parts of a name (line 1, column 72)"},
        {metric_of(R"("measure":"latency","value":"/v","unit":"kg")"),
         "at /metrics/0/unit: the unit 'kg' of a latency is no time: ns, us, ms, s, min, h (line 1, column 82)"},
        {metric_of(good + R"(,"scale":0)"), "at /metrics/0/scale: a scale is over 0 (line 1, column 77)"},
        {metric_of(good + R"(,"average":"mode")"),
         "at /metrics/0/average: average 'mode' is neither mean nor median (line 1, column 79)"},
        {metric_of(good + R"(,"required":1)"),
         "at /metrics/0/required: expected true or false, found a number (line 1, column 80)"},
        {metric_of(good) + "x", "expected the end of the text, found 'x' (line 1, column 71)"},
        {"{\"format\":\"\xff\"}", "the text is not valid UTF-8 (line 1)"},
    };
    for (const auto& [document, message] : rows) {
      CAPTURE(document);
      CHECK(test::no_mapping(document) == "mapping: " + std::string(message));
    }
    CHECK(
        test::no_mapping(metric_of(R"("measure":" m","value":"/v")")).starts_with("mapping: at /metrics/0/measure: "));
  }

  TEST_CASE("a mapping is bounded") {
    std::string metrics, parts, pointer;
    for (int i = 0; i < 257; ++i)
      metrics += std::string(i ? "," : "") + R"({"measure":"m","value":"/v"})";
    for (int i = 0; i < 65; ++i) {
      parts += std::string(i ? "," : "") + "\"/n\"";
      pointer += "/n";
    }
    CHECK(test::no_mapping(json(R"("name":"/n","metrics":[)" + metrics + "]"))
              .starts_with("mapping: at /metrics/256: there are at most 256"));
    CHECK(test::no_mapping(json(R"("name":[)" + parts + R"(],"metrics":[])"))
              .starts_with("mapping: at /name/64: there are at most 64"));
    CHECK(test::no_mapping(json(R"("name":")" + pointer + R"(","metrics":[])"))
              .starts_with("mapping: at /name: a pointer has at most 64 parts"));
    const std::string open(100'000, '[');
    CHECK(test::no_mapping(R"({"format":"json","name":)" + open).find("the end of the text") != std::string::npos);
    CHECK(test::no_mapping(json(R"("name":)" + open + std::string(100'000, ']') + R"(,"metrics":[])"))
              .starts_with("mapping: at /name/0: expected a place, found an array"));
  }

  TEST_CASE("a mapping is a value: copies read alike, also when the first is gone") {
    Mapping copy = [] {
      auto first = Mapping::parse(metric_of(R"("measure":"m","value":"/v")")).value();
      return first;
    }();
    const Mapping other = copy;
    const Mapping moved = std::move(copy);
    CHECK(other.read(R"({"n":"a","v":1})").value().results == moved.read(R"({"n":"a","v":1})").value().results);
  }
}
