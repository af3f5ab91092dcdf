// Mapping files: the document, and what it reads from JSON and JSON Lines.

#include "bencher/adapter/mapping.hpp"

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "tests/adapter/cases.hpp"
#include "tests/adapter/mapping.hpp"
#include "tests/adapter/properties.hpp"

using namespace bencher;
using test::metric;
using test::results;

namespace {

/// A mapping of JSON with one metric of a latency, and `more` fields.
std::string simple(const std::string& more = {}) {
  return R"({"format":"json","rows":"/*","name":"/name","metrics":[{"measure":"latency","value":"/time"}])" + more +
         "}";
}

/// The same with the fields of the metric as given.
std::string with_metric(const std::string& fields) {
  return R"({"format":"json","rows":"/*","name":"/name","metrics":[{)" + fields + "}]}";
}

}  // namespace

TEST_SUITE("adapter/mapping") {
  TEST_CASE("conditions on keys and on what is not there, as an array") {
    const std::string mapping = R"({"format":"json","rows":"/jobs/*/*","name":[{"root":"/jobs/*/name"},{"key":true}],
        "where":[{"key":true,"is":["read","write"]},{"at":"/n","not":0},{"root":"/jobs/*/name","not":["warm up"]}],
        "metrics":[{"measure":"latency","value":"/ns","unit":"ns"}]})";
    const auto parsed = test::mapped(mapping, R"({"jobs":[
        {"name":"a","read":{"ns":5,"n":3},"write":{"ns":0,"n":0},"trim":{"ns":7,"n":1}},
        {"name":"warm up","read":{"ns":6,"n":3}},{"name":"b","write":{"ns":8}}]})");
    CHECK(parsed.results == results({{"a/read", {{"latency", metric(5)}}}, {"b/write", {{"latency", metric(8)}}}}));
    CHECK(parsed.warnings.empty());
    const auto with = [](const std::string& where) {
      return test::no_mapping(R"({"format":"json","rows":"/*","name":"/n","metrics":[{"measure":"x","value":"/a"}],)"
                              R"("where":)" +
                              where + "}");
    };
    CHECK(with(R"([{"is":"x"}])").find("/where/0: a condition has a place: at, root or key") != std::string::npos);
    CHECK(with(R"([{"at":"/a"}])").find("/where/0: a condition has one of is and not") != std::string::npos);
    CHECK(with(R"([{"at":"/a","is":1,"not":2}])").find("/where/0/not: a condition has one of is and not") !=
          std::string::npos);
    CHECK(with(R"([{"at":"/a","key":true,"is":1}])").find("a place is one of at, root and key") != std::string::npos);
  }

  TEST_CASE("what programs write for no value is no value: perf's, and numbers that JSON does not have") {
    const std::string metrics = R"("metrics":[{"measure":{"at":"/event"},"value":"/v"}]})";
    const auto perf = test::mapped(R"({"format":"lines","name":{"text":"run"},)" + metrics,
                                   R"({"v":"0.5","event":"clock"}
{"v":"<not supported>","event":"cycles"}
{"v":"<not counted>","event":"misses"}
{"v":NaN,"event":"ratio"}
)");
    CHECK(perf.results == results({{"run", {{"clock", metric(0.5)}}}}));
    CHECK(perf.warnings.size() == 1);
    const auto python = test::mapped(R"({"format":"json","rows":"/*","name":{"text":"run"},)" + metrics,
                                     R"([{"v":1,"event":"a \" NaN","x":[-Infinity,NaN]},{"v":-Infinity,"event":"b"}])");
    CHECK(python.results == results({{"run", {{"a \" NaN", metric(1)}}}}));
  }

  TEST_CASE("lines before the JSON are passed over, and places are counted from the first") {
    const auto parsed = test::mapped(simple(), "note: slow disk\n[1] job\n[{\"name\":\"a\",\"time\":3}]\n");
    CHECK(parsed.results == results({{"a", {{"latency", metric(3)}}}}));
    CHECK(parsed.warnings == std::vector<std::string>{"2 lines before the JSON are left out"});
    CHECK(test::not_mapped(simple(), "note\n[{\"name\":\"a\",\"time\":\"x\"}]\n") ==
          "mapped results: at /0/time: the text 'x' is no number (line 2, column 21)");
    CHECK(test::not_mapped(simple(), "nothing\nof it\n") ==
          "mapped results: expected a value, found 'n' (line 1, column 1)");
  }

  TEST_CASE("what a user may have meant is said") {
    CHECK(test::not_mapped(simple(), "{\"name\":\"a\"}\n{\"name\":\"b\"}\n")
              .ends_with("(line 2, column 1): where each line has its own value, the format is lines"));
    CHECK(test::not_mapped(R"({"format":"json","rows":"/jobs","name":"/n","metrics":[{"measure":"x","value":"/v"}]})",
                           R"({"jobs":[{"n":"a","v":1}]})")
              .ends_with("; the row is an array: its elements are '/jobs/*'"));
  }

  TEST_CASE("rows, joined names, bounds, units and measures from the data") {
    const auto parsed = test::mapped(R"({"format": "json", "rows": "/results/*", "name": ["/suite", "/name"],
        "metrics": [
          {"measure": "latency", "value": "/time/mean", "lower": "/time/min", "upper": "/time/max", "unit": "ms"},
          {"measure": {"at": "/metric"}, "value": "/v", "unit": {"at": "/unit"}}]})",
                                     R"({"results": [
        {"suite": "io", "name": "read", "time": {"mean": 2, "min": 1.5, "max": "3"}, "metric": "size", "v": 3, "unit": "kB"},
        {"suite": "io", "name": "write", "time": {"mean": 4, "min": null}, "metric": "rate", "v": 5, "unit": "ops/ms"}],
        "version": [1, {"x": []}]})");
    CHECK(parsed.results == results({{"io/read", {{"latency", metric(2e6, 1.5e6, 3e6)}, {"size", metric(3000)}}},
                                     {"io/write", {{"latency", metric(4e6)}, {"rate", metric(5000)}}}}));
    CHECK(parsed.warnings.empty());
    CHECK(parsed.adapter == AdapterKind::json);
  }

  TEST_CASE("keys and places from the top name rows; what is beside the rows may come after them") {
    const auto* mapping = R"({"format":"json","rows":"/suites/*/cases/*","separator":"::",
        "name":[{"root":"/machine"},{"root":"/suites/*/title"},{"key":1},{"key":true},{"root":"/suites/*/cases/*/tag"}],
        "metrics":[{"measure":"latency","value":"","unit":{"root":"/unit"}}]})";
    const auto* data = R"({"suites":{"a":{"cases":[1,2],"title":"A"},"b":{"title":"B","cases":{"x":3}}},
        "unit":"us","machine":7})";
    // The tag lies within the row, which is a number here.
    CHECK(test::not_mapped(mapping, data) ==
          "mapped results: none of 3 rows gives a result; 3 rows have no name and are left out; the first lacks "
          "'/suites/*/cases/*/tag' in /suites/a/cases/0");
    std::string without_tag = mapping;
    without_tag.replace(without_tag.find(R"(,{"root":"/suites/*/cases/*/tag"})"), 33, "");
    CHECK(test::mapped(without_tag, data).results == results({{"7::A::a::0", {{"latency", metric(1000)}}},
                                                              {"7::A::a::1", {{"latency", metric(2000)}}},
                                                              {"7::B::b::x", {{"latency", metric(3000)}}}}));
  }

  TEST_CASE("members of an object are rows, and the value itself may be one") {
    const auto* keyed = R"({"format":"json","rows":"/*","name":{"key":true},"metrics":[{"measure":"m","value":""}]})";
    CHECK(test::mapped(keyed, R"({"a":1,"b\n":2.5})").results ==
          results({{"a", {{"m", metric(1)}}}, {"b\n", {{"m", metric(2.5)}}}}));
    const auto* one = R"({"format":"json","name":[{"text":"all"},"/n"],"metrics":[{"measure":"m","value":"/v/1"}]})";
    CHECK(test::mapped(one, R"({"n":true,"v":[1,-2e1,3]})").results == results({{"all/true", {{"m", metric(-20)}}}}));
  }

  TEST_CASE("pointers: escapes, indices in any order, keys that are asterisks or empty") {
    const auto* mapping = R"({"format":"json","rows":"/a~1b/~0c/~*/*","name":"/","metrics":[
        {"measure":"x","value":"/v/10/k"},{"measure":"y","value":"/v/2/k"},{"measure":"z","value":"/v/2/~*"}]})";
    const auto* data = R"({"a/b":{"~c":{"*":[{"":"n","v":[0,1,{"k":2,"*":3},3,4,5,6,7,8,9,{"k":10}]}]}}})";
    CHECK(test::mapped(mapping, data).results ==
          results({{"n", {{"x", metric(10)}, {"y", metric(2)}, {"z", metric(3)}}}}));
  }

  TEST_CASE("a row that lacks a value is left out with a warning, or is an error where it is required") {
    const auto* data =
        R"([{"name":"a","time":1},{"name":"b"},{"name":"c","time":null},{"time":4},{"name":"e","time":"NaN"}])";
    const auto parsed = test::mapped(simple(), data);
    CHECK(parsed.results == results({{"a", {{"latency", metric(1)}}}}));
    CHECK(parsed.warnings ==
          std::vector<std::string>{"1 row has no name and is left out; the first lacks '/name' in /3",
                                   "3 rows have no latency and are left out of it; the first lacks '/time' in /1"});
    CHECK(test::not_mapped(simple(R"(,"required":true)"), data) ==
          "mapped results: at /1: nothing is at '/time', which the mapping requires (line 1, column 24)");
    CHECK(test::not_mapped(with_metric(R"("measure":"m","value":"/time","required":true)"), data) ==
          "mapped results: at /1: nothing is at '/time', which the mapping requires (line 1, column 24)");
    CHECK(test::not_mapped(simple(R"(,"required":true)"), R"([{"time":4}])") ==
          "mapped results: at /0: nothing is at '/name', which the mapping requires (line 1, column 2)");
    // A metric may say that it is not.
    CHECK(test::mapped(R"({"format":"json","rows":"/*","name":"/name","required":true,"metrics":[
                          {"measure":"m","value":"/time","required":false}]})",
                       R"([{"name":"a","time":1},{"name":"b"}])")
              .results.size() == 1);
    // So may a part of a name.
    CHECK(test::mapped(R"({"format":"json","rows":"/*","name":["/name",{"at":"/size","optional":true}],
                           "metrics":[{"measure":"m","value":"/time"}]})",
                       R"([{"name":"a","time":1},{"name":"a","size":8,"time":2}])")
              .results == results({{"a", {{"m", metric(1)}}}, {"a/8", {{"m", metric(2)}}}}));
  }

  TEST_CASE("where chooses rows, and what others hold does not matter") {
    const auto* data = R"([{"type":"Metric","name":"x","time":{}},{"type":"Point","ok":true,"n":1,"name":"a","time":1},
        {"type":"Point","ok":true,"n":3,"name":"b","time":2},{"type":"Point","ok":false,"n":2,"name":"c","time":3},
        {"type":{},"name":"d","time":4}])";
    const auto names = [&](const std::string& where) {
      std::string out;
      for (const auto b : test::mapped(simple(R"(,"where":)" + where), data).results)
        out += b.name;
      return out;
    };
    CHECK(names(R"({"/type":"Point"})") == "abc");
    CHECK(names(R"({"/type":"Point","/ok":true})") == "ab");
    CHECK(names(R"({"/type":["Other","Point"],"/n":[1,2]})") == "ac");
    CHECK(test::not_mapped(simple(R"(,"where":{"/type":"None"})"), data) ==
          "mapped results: none of 5 rows gives a result; 5 are not what 'where' asks for");
  }

  TEST_CASE("units: times become nanoseconds, rates per second, bytes bytes; a scale besides") {
    const auto value = [](const std::string& measure, const std::string& unit, const std::string& more = "") {
      const auto mapping = with_metric(R"("measure":")" + measure + R"(","value":"/t","unit":")" + unit + "\"" + more);
      return test::mapped(mapping, R"([{"name":"a","t":2}])").results[0].measures[0].metric.value;
    };
    CHECK(value("latency", "ns") == 2);
    CHECK(value("latency", "\u00b5s") == 2e3);
    CHECK(value("latency", "ms") == 2e6);
    CHECK(value("latency", "seconds") == 2e9);
    CHECK(value("latency", "min") == 120e9);
    CHECK(value("latency", "us/op") == 2e3);
    CHECK(value("build time", "s") == 2e9);
    CHECK(value("throughput", "ops/ms") == 2e3);
    CHECK(value("throughput", "MB/s") == 2e6);
    CHECK(value("memory", "KiB") == 2048);
    CHECK(value("memory", "B/op") == 2);
    CHECK(value("share", "%") == 2);
    CHECK(value("share", "%", R"(,"scale":0.01)") == 0.02);
    CHECK(value("latency", "ms", R"(,"scale":0.5)") == 1e6);
    const auto from_data = with_metric(R"("measure":{"at":"/m"},"value":"/t","unit":{"at":"/u"})");
    CHECK(test::not_mapped(from_data, R"([{"name":"a","t":2,"m":"latency","u":"apples"}])") ==
          "mapped results: at /0/u: the unit 'apples' of a latency is no time: ns, us, ms, s, min, h "
          "(line 1, column 38)");
    CHECK(test::not_mapped(from_data, R"([{"name":"a","t":2,"m":" x","u":"s"}])")
              .starts_with("mapped results: at /0/m: "));
    const auto parsed = test::mapped(from_data, R"([{"name":"a","t":2,"m":"x"},{"name":"b","t":2,"m":"x","u":"s"}])");
    CHECK(parsed.warnings ==
          std::vector<std::string>{
              "1 row has no measure of /metrics/0 and is left out of it; the first lacks '/u' in /0"});
  }

  TEST_CASE("averages: the one that is asked for, or the mean if there is one") {
    const auto* mapping = R"({"format":"json","rows":"/*","name":"/name","metrics":[
        {"measure":"latency","value":"/median","average":"median"},{"measure":"latency","value":"/mean","average":"mean"},
        {"measure":"runs","value":"/runs"}]})";
    const auto* data = R"([{"name":"a","mean":1,"median":2,"runs":3}])";
    const auto value = [&](ParseOptions options) {
      return test::mapped(mapping, data, options).results[0].measures[0].metric.value;
    };
    CHECK(value({}) == 1);
    CHECK(value({.average = Average::mean}) == 1);
    CHECK(value({.average = Average::median}) == 2);
    const auto only = with_metric(R"("measure":"m","value":"/median","average":"median")");
    CHECK(test::mapped(only, data).results[0].measures[0].metric.value == 2);
    CHECK(test::not_mapped(only, data, {.average = Average::mean}) ==
          "the mapping has no mean: leave the average out or choose median");
  }

  TEST_CASE("extras are kept with all_measures, and named in a warning without") {
    const auto* mapping = R"({"format":"json","rows":"/*","name":"/name","metrics":[
        {"measure":"latency","value":"/time"},{"measure":"memory","value":"/rss","unit":"MiB","extra":true}]})";
    const auto* data = R"([{"name":"a","time":1,"rss":2},{"name":"b","time":1,"rss":2}])";
    CHECK(test::mapped(mapping, data).warnings ==
          std::vector<std::string>{"not kept as measures: memory × 2; all_measures keeps them"});
    CHECK(test::mapped(mapping, data, {.all_measures = true}).results[1].measures[1].metric == metric(2 << 20));
    CHECK(test::not_mapped(with_metric(R"("measure":"m","value":"/rss","extra":true)"), data) ==
          "mapped results: none of 2 rows gives a result; there are extras only, which all_measures keeps");
  }

  TEST_CASE("rows of one name are one benchmark; what is there twice is replaced, folded or told apart") {
    const auto* mapping = R"({"format":"json","rows":"/*","name":"/n","distinct_name":["/n","/k"],
        "metrics":[{"measure":{"at":"/m"},"value":"/v"}]})";
    const auto* data = R"([{"n":"a","k":1,"m":"x","v":1},{"n":"b","k":1,"m":"x","v":2},{"n":"a","k":1,"m":"y","v":3}])";
    const auto merged = test::mapped(mapping, data);
    CHECK(merged.results == results({{"a", {{"x", metric(1)}, {"y", metric(3)}}}, {"b", {{"x", metric(2)}}}}));
    CHECK(merged.warnings.empty());
    const auto* twice = R"([{"n":"a","k":1,"m":"x","v":1},{"n":"a","k":2,"m":"x","v":5}])";
    const auto replaced = test::mapped(mapping, twice);
    CHECK(replaced.results == results({{"a", {{"x", metric(5)}}}}));
    CHECK(
        replaced.warnings ==
        std::vector<std::string>{"1 result repeats a name and replaces what came before ('a' is the first): fold them "
                                 "with fold_repeats, or tell them apart with distinct_names"});
    CHECK(test::mapped(mapping, twice, {.fold_repeats = Fold::mean}).results == results({{"a", {{"x", metric(3)}}}}));
    CHECK(test::mapped(mapping, twice, {.distinct_names = true}).results ==
          results({{"a/1", {{"x", metric(1)}}}, {"a/2", {{"x", metric(5)}}}}));
  }

  TEST_CASE("JSON Lines: what others write between the lines is left out, what is a row is read") {
    const auto* mapping = R"({"format":"lines","name":"/name","metrics":[{"measure":"latency","value":"/time"}]})";
    const auto parsed = test::mapped(
        mapping, "starting\r\n{\"name\":\"a\",\"time\":1}\r\n\n{\"name\":\"b\",\"time\":2}\n{\"name\":\"c\",");
    CHECK(parsed.results == results({{"a", {{"latency", metric(1)}}}, {"b", {{"latency", metric(2)}}}}));
    CHECK(parsed.warnings ==
          std::vector<std::string>{
              "2 lines are no JSON values and are left out: expected a value, found 's' (line 1, column 1)"});
    CHECK(test::not_mapped(mapping, "\n{\"name\":\"a\",\"time\":[]}") ==
          "mapped results: at /time: expected a number, found an array (line 2, column 20)");
    CHECK(test::not_mapped(mapping, "ready\n") ==
          "mapped results: no line is a JSON value with rows: expected a value, found 'r' (line 1, column 1)");
    CHECK(test::not_mapped(mapping, "") == "mapped results: the text is empty");
    CHECK(test::not_mapped(mapping, "{\"name\":\"a\"}\n{\"name\":\"b\"}") ==
          "mapped results: none of 2 rows gives a result; 2 rows have no latency and are left out of it; the first "
          "lacks '/time' in line 1");
    const auto* deep =
        R"({"format":"lines","rows":"/r/*","name":[{"root":"/s"},{"key":true}],"metrics":[{"measure":"m","value":""}]})";
    CHECK(test::mapped(deep, "{\"r\":[1],\"s\":\"x\"}\n{\"s\":\"y\",\"r\":{\"k\":2}}\n{\"r\":[9]}").results ==
          results({{"x/0", {{"m", metric(1)}}}, {"y/k", {{"m", metric(2)}}}}));
  }

  TEST_CASE("errors in the data carry pointer, line and column") {
    const std::pair<std::string, const char*> rows[]{
        {"", "expected a value, found the end of the text (line 1, column 1)"},
        {"[\n{\"name\":\"a\",\"time\":\"fast\"}]", "at /0/time: the text 'fast' is no number (line 2, column 20)"},
        {R"([{"name":"a","time":{"x":1}}])", "at /0/time: expected a number, found an object (line 1, column 21)"},
        {R"([{"name":"a","time":1e999}])",
         "at /0/time: the number is too large for a 64-bit float (line 1, column 21)"},
        {R"([{"name":["a"],"time":1}])", "at /0/name: expected a text, found an array (line 1, column 10)"},
        {R"([{"name":"a","time":1,"time":2}])", "at /0/time: the field is there twice (line 1, column 30)"},
        {R"([{"name":"a","time":1})", "expected ',' or ']', found the end of the text (line 1, column 23)"},
        {R"([{"name":"a","time":1}] x)", "expected the end of the text, found 'x' (line 1, column 25)"},
        {R"([{"name":")" + std::string(1025, 'n') + R"(","time":1}])",
         "at /0: the name has 1025 bytes, 1024 is most (line 1, column 2)"},
        {"[{\"name\":\"\xff\"}]", "the text is not valid UTF-8 (line 1)"},
        {R"([{"name":"\ud800","time":1}])", "at /0: a high surrogate without its low one (line 1, column 11)"},
        {"7", "no rows are at '/*': the text is a number"},
        {"[]", "no rows are at '/*'"},
        {"{}", "no rows are at '/*'"},
    };
    for (const auto& [text, message] : rows) {
      CAPTURE(text);
      CHECK(test::not_mapped(simple(), text) == "mapped results: " + std::string(message));
    }
    const auto* nested =
        R"({"format":"json","rows":"/results/*","name":"/n","metrics":[{"measure":"m","value":"/v"}]})";
    CHECK(test::not_mapped(nested, R"({"a":1,"b":{}})") ==
          "mapped results: no rows are at '/results/*': the text has no 'results' but 'a', 'b'");
    CHECK(test::not_mapped(nested, R"({"results":3})") ==
          "mapped results: no rows are at '/results/*': /results is a number");
    CHECK(test::not_mapped(nested, R"({"results":[],"results":[]})") ==
          "mapped results: at /results: the field is there twice (line 1, column 25)");
    const auto* beside =
        R"({"format":"json","rows":"/r/*","name":{"root":"/n"},"metrics":[{"measure":"m","value":{"root":"/v"}}]})";
    CHECK(test::not_mapped(beside, R"({"r":[0],"n":[],"v":1})") ==
          "mapped results: at /n: expected a text, found an array (line 1, column 14)");
    CHECK(test::not_mapped(beside, R"({"r":[0],"n":"a","v":"x"})") ==
          "mapped results: at /r/0: /v, 'x', is no number (line 1, column 7)");
    CHECK(test::not_mapped(beside, R"({"r":[0],"n":"a","n":"b","v":1})") ==
          "mapped results: at /n: the field is there twice (line 1, column 22)");
  }

  TEST_CASE("a byte order mark and UTF-16 are taken off") {
    CHECK(test::mapped("\xef\xbb\xbf" + simple(), "\xef\xbb\xbf[{\"name\":\"a\",\"time\":1}]").results.size() == 1);
    std::string wide = "\xff\xfe";
    for (const char c : std::string_view(R"([{"name":"a","time":1}])"))
      wide += {c, '\0'};
    CHECK(test::mapped(simple(), wide).results == results({{"a", {{"latency", metric(1)}}}}));
  }

  TEST_CASE("depth and size: 100,000 levels, 100,000 rows") {
    const std::string open(100'000, '['), close(100'000, ']');
    CHECK(test::mapped(simple(), R"([{"name":"a","x":)" + open + close + R"(,"time":1}])").results.size() == 1);
    CHECK(test::not_mapped(simple(), R"([{"name":"a","time":)" + open + close + "}]")
              .starts_with("mapped results: at /0/time: expected a number, found an array"));
    CHECK(test::not_mapped(simple(), open).find("found the end of the text") != std::string::npos);
    CHECK(test::not_mapped(simple(), open + close).find("the one row does not") != std::string::npos);
    std::string many = "[", lines;
    for (int i = 0; i < 100'000; ++i) {
      const auto row = R"({"name":"b)" + std::to_string(i) + R"(","time":)" + std::to_string(i) + "}";
      many += (i ? "," : "") + row;
      lines += row + "\n";
    }
    const auto all = test::mapped(simple(), many + "]").results;
    REQUIRE(all.size() == 100'000);
    CHECK(all[99'999].name == "b99999");
    CHECK(all[99'999].measures[0].metric.value == 99'999);
    CHECK(test::mapped(R"({"format":"lines","name":"/name","metrics":[{"measure":"latency","value":"/time"}]})", lines)
              .results == all);
  }

  TEST_CASE("a long text beside many rows is not read for each of them") {
    const std::string digits(200'000, '1');
    std::string rows;
    for (int i = 0; i < 100'000; ++i)
      rows += i ? ",1" : "1";
    const auto mapping = [](const std::string& metric) {
      return R"({"format":"json","rows":"/r/*","name":{"key":true},"metrics":[{"measure":"m",)" + metric + "}]}";
    };
    const auto data = R"({"r":[)" + rows + R"(],"long":")" + digits + "\"}";
    CHECK(test::mapped(mapping(R"("value":"","unit":{"root":"/long"})"), data).results.size() == 100'000);
    CHECK(test::not_mapped(mapping(R"("value":{"root":"/long"})"), data).find("is no number") != std::string::npos);
    CHECK(test::not_mapped(
              R"({"format":"json","rows":"/r/*","name":{"root":"/long"},"metrics":[{"measure":"m","value":""}]})",
              data) == "mapped results: at /r/0: the name has 200000 bytes, 1024 is most (line 1, column 7)");
  }

  TEST_CASE("a mapping does not make a multiple of the text out of it") {
    std::string text = "[1", metrics;
    for (int i = 0; i < 20'000; ++i)
      text += ",1";
    text += "]";
    for (int i = 0; i < 200; ++i)
      metrics += fmt::format(R"({}{{"measure":"m{}","value":""}})", i > 0 ? "," : "", i);
    const auto of_each = R"({"format":"json","rows":"/*","name":{"key":true},"metrics":[)" + metrics + "]}";
    const auto long_names = R"({"format":"json","rows":"/*","name":[{"text":")" + std::string(900, 'n') +
                            R"("},{"key":true}],"metrics":[{"measure":"m","value":""}]})";
    CHECK(test::not_mapped(of_each, text) ==
          "mapped results: at /220: up to here there are more metrics than the text has bytes: map each value once "
          "(line 1, column 442)");
    CHECK(test::not_mapped(long_names, text) ==
          "mapped results: at /780: up to here the names take more than sixteen times the text: give them shorter "
          "constants (line 1, column 1562)");
    // A short text may have them.
    CHECK(test::mapped(of_each, "[1,2,3]").results.size() == 3);
    CHECK(test::mapped(long_names, "[1,2,3]").results.size() == 3);
    for (const auto& mapping : {of_each, long_names})
      for (const auto& rows : {text, std::string("[1,2,3]")})
        CHECK(test::broken_mapping(mapping, rows) == "");
  }

  TEST_CASE("no changed, missing or doubled byte of text or mapping brings it down") {
    std::mt19937 random(23);
    const std::string document = R"({"format":"json","rows":"/s/*/c/*","name":[{"root":"/s/*/t"},{"key":true},"/n"],
        "where":{"/k":["a",1]},"metrics":[{"measure":{"at":"/m"},"value":"/v/1","lower":"/v/0","unit":{"at":"/u"}}]})";
    const std::string text = R"({"s":[{"c":{"x":{"n":"N","k":"a","m":"latency","v":[1,2.5],"u":"ms"}},"t":"T"}]})";
    REQUIRE(test::mapped(document, text).results == results({{"T/x/N", {{"latency", metric(2.5e6, 1e6)}}}}));
    int read = 0;
    for (int i = 0; i < 4000; ++i) {
      auto changed = i % 2 ? document : text;
      for (int j = 0; j < 2; ++j) {
        const auto at = random() % changed.size();
        switch (random() % 3) {
          case 0: changed[at] = "{}[]\",:/*~01\\ n"[random() % 15]; break;
          case 1: changed.erase(at, 1 + random() % 3); break;
          default: changed.insert(at, 1, changed[random() % changed.size()]); break;
        }
      }
      const std::vector<char> exact(changed.begin(), changed.end());
      const std::string_view view(exact.data(), exact.size());
      const auto mapping = Mapping::parse(i % 2 ? view : document);
      if (!mapping) {
        CHECK_FALSE(mapping.error().message().empty());
        continue;
      }
      const auto parsed = mapping->read(i % 2 ? text : view, {.all_measures = true, .distinct_names = true});
      if (!parsed) CHECK_FALSE(parsed.error().message().empty());
      read += parsed.has_value();
    }
    CHECK(read > 30);
  }
}
