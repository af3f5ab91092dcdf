// Mapping files for CSV.

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tests/adapter/mapping.hpp"

using namespace bencher;
using test::metric;
using test::results;

namespace {

std::string csv(const std::string& more = {}) {
  return R"({"format":"csv","name":"name","metrics":[{"measure":"latency","value":"time","unit":"us"}])" + more + "}";
}

const std::string by_number =
    R"({"format":"csv","header":false,"name":[2,1],"metrics":[{"measure":"m","value":3,"lower":{"at":4}}]})";

}  // namespace

TEST_SUITE("adapter/mapping_csv") {
  TEST_CASE("an empty cell is no unit, perf's words are no value, and one column asks for the delimiter") {
    const auto parsed = test::mapped(
        R"({"format":"csv","header":false,"name":{"text":"run"},"metrics":[{"measure":{"at":3},"value":1,"unit":{"at":2}}]})",
        "0.5,ms,clock\n7,,switches\n<not supported>,,cycles\n");
    CHECK(parsed.results == results({{"run", {{"clock", metric(5e5)}, {"switches", metric(7)}}}}));
    CHECK(test::not_mapped(R"({"format":"csv","name":"a","metrics":[{"measure":"x","value":"b"}]})", "a;b\n1;2\n") ==
          "mapped results: line 1: there is no column 'a'; the only column is 'a;b': is ',' the delimiter?");
  }

  TEST_CASE("columns by name, in any order, others passed over") {
    const auto parsed = test::mapped(
        R"({"format":"csv","delimiter":",","header":true,"name":["suite","benchmark"],"metrics":[
            {"measure":"latency","value":"time_us","lower":"min","upper":"max","unit":"us"},
            {"measure":{"at":"metric"},"value":"v","unit":{"at":"unit"},"scale":2}]})",
        "time_us, benchmark ,suite,max,min,x,metric,v,unit\n"
        "1.5,a,s,2,1,,size,3,kB\n"
        "-2.5e1, b ,s,NaN,,\"q\",size,4,B\n");
    CHECK(parsed.results == results({{"s/a", {{"latency", metric(1500, 1000, 2000)}, {"size", metric(6000)}}},
                                     {"s/b", {{"latency", metric(-25000)}, {"size", metric(8)}}}}));
    CHECK(parsed.warnings.empty());
  }

  TEST_CASE("RFC 4180: quotes, doubled quotes, delimiters and line ends within them, CRLF, a mark") {
    const auto parsed = test::mapped(csv(),
                                     "\xef\xbb\xbfname,time\r\n"
                                     "\"a,b\",1\r\n"
                                     "\"say \"\"hi\"\"\",\"2\"\r\n"
                                     "\"two\r\nlines\",3\r\n"
                                     "un\"quoted,4\r\n"
                                     "\" blanks \",\"5\"");
    CHECK(parsed.results == results({{"a,b", {{"latency", metric(1000)}}},
                                     {"say \"hi\"", {{"latency", metric(2000)}}},
                                     {"two\r\nlines", {{"latency", metric(3000)}}},
                                     {"un\"quoted", {{"latency", metric(4000)}}},
                                     {" blanks ", {{"latency", metric(5000)}}}}));
    CHECK(test::mapped(csv(), "\"time\",\"na\"\"me\",\"name\"\n1,x,\"y\"\"\"\n").results[0].name == "y\"");
  }

  TEST_CASE("columns by number, with a header or without") {
    CHECK(test::mapped(by_number, "a,b,1,0.5\nc,d,2\n").results ==
          results({{"b/a", {{"m", metric(1, 0.5)}}}, {"d/c", {{"m", metric(2)}}}}));
    const auto* with_header =
        R"({"format":"csv","name":1,"metrics":[{"measure":"m","value":3},{"measure":"n","value":2}]})";
    CHECK(test::mapped(with_header, "x,x,x\na,1,2\n").results ==
          results({{"a", {{"m", metric(2)}, {"n", metric(1)}}}}));
  }

  TEST_CASE("delimiter, decimal sign, comments and empty lines") {
    const auto one = results({{"a", {{"latency", metric(1500)}}}});
    CHECK(test::mapped(csv(R"(,"delimiter":"\t")"), "name\ttime\na\t1.5").results == one);
    CHECK(test::mapped(csv(R"(,"delimiter":"|")"), "name|time\n\n  \na|1.5\n\n").results == one);
    CHECK(test::mapped(csv(R"(,"delimiter":"\u0001")"),
                       "name\x01time\na\x01"
                       "1.5\n")
              .results == one);
    CHECK(test::mapped(csv(R"(,"delimiter":" ")"), "name time\na 1.5\n").results == one);
    CHECK(test::mapped(csv(R"(,"delimiter":";","decimal":",")"), "name;time\na;1,5\n").results == one);
    CHECK(test::mapped(csv(R"(,"comment":"#")"), "# made by hand\nname,time\n#x,2\na,1.5\n#").results == one);
    CHECK(test::mapped(csv(R"(,"comment":"//")"), "name,time\n//\"\na,1.5\n").results == one);
    CHECK(test::not_mapped(csv(R"(,"delimiter":";","decimal":",")"), "name;time\na;1.500,5\n") ==
          "mapped results: line 2, column 'time': the text '1.500,5' is no number");
  }

  TEST_CASE("what is empty or short is missing") {
    const auto parsed = test::mapped(csv(), "name,time\na,1\nb,\nc\n,4\n\"\",5\nd,NA\n");
    CHECK(parsed.results == results({{"a", {{"latency", metric(1000)}}}}));
    CHECK(parsed.warnings ==
          std::vector<std::string>{"2 rows have no name and are left out; the first lacks 'name' in line 5",
                                   "3 rows have no latency and are left out of it; the first lacks 'time' in line 3"});
    CHECK(test::not_mapped(csv(R"(,"required":true)"), "name,time\na,1\nb\n") ==
          "mapped results: line 3: nothing is at 'time', which the mapping requires");
    CHECK(test::not_mapped(csv(), "name,time\na,\n") ==
          "mapped results: the one row does not give a result; 1 row has no latency and is left out of it; the first "
          "lacks 'time' in line 2");
  }

  TEST_CASE("where, by name and by number") {
    CHECK(test::mapped(csv(R"(,"where":{"kind":["run",""]})"), "name,kind,time\na,run,1\nb,mean,x\nc,,3\n")
              .results.size() == 2);
    const auto* numbered =
        R"({"format":"csv","header":false,"name":1,"where":{"2":"1"},"metrics":[{"measure":"m","value":3}]})";
    CHECK(test::mapped(numbered, "a,1,5\nb,2,6\n").results == results({{"a", {{"m", metric(5)}}}}));
  }

  TEST_CASE("one row a metric: those of one name are one benchmark") {
    const auto* mapping =
        R"({"format":"csv","name":"n","metrics":[{"measure":{"at":"m"},"value":"v","unit":{"at":"u"}}]})";
    const auto* text = "n,m,v,u\na,latency,1,ms\nb,latency,2,ms\na,size,3,\na,size,4,B\na,size,6,B\n";
    const auto parsed = test::mapped(mapping, text);
    CHECK(parsed.results ==
          results({{"a", {{"latency", metric(1e6)}, {"size", metric(6)}}}, {"b", {{"latency", metric(2e6)}}}}));
    CHECK(parsed.warnings.size() == 1);
    CHECK(test::mapped(mapping, text, {.fold_repeats = Fold::min}).results[0].measures[1].metric == metric(3));
    CHECK(test::mapped(mapping, "n,m,v,u\na,latency,1,\na,size,3,\n").warnings ==
          std::vector<std::string>{
              "1 row has no measure of /metrics/0 and is left out of it; the first lacks 'u' in line 2"});
  }

  TEST_CASE("errors name the line and the column") {
    const std::pair<const char*, const char*> rows[]{
        {"", "the text has no records"},
        {"\n \n", "the text has no records"},
        {"name,time\n", "the text has a header but no records"},
        {"name,duration,x\na,1\n", "line 1: there is no column 'time'; the 3 columns are 'name', 'duration', 'x'"},
        {"\nname,time,time\na,1\n", "line 2: there are 2 columns 'time': name one by its number"},
        {"name,time\na,1\n\nb,fast\n", "line 4, column 'time': the text 'fast' is no number"},
        {"name,time\na,1 ms\n", "line 2, column 'time': the text '1 ms' is no number"},
        {"name,time\na,1e999\n", "line 2, column 'time': the text '1e999' is no number"},
        {"name,time\na,\"1\n", "line 2, column 2: the quote is not closed"},
        {"\"name", "line 1, column 1: the quote is not closed"},
        {"name,time\n\"a\nb\" ,1\n",
         "line 3, column 1: expected ',' or the end of the line after the quote, found ' '"},
        {"name,time\n\"a\nb\",x\n", "line 2, column 'time': the text 'x' is no number"},
    };
    for (const auto& [text, message] : rows) {
      CAPTURE(text);
      CHECK(test::not_mapped(csv(), text) == "mapped results: " + std::string(message));
    }
    CHECK(test::not_mapped(by_number, "a,b,x\n") == "mapped results: line 1, column 3: the text 'x' is no number");
    CHECK(test::not_mapped(R"({"format":"csv","name":1,"metrics":[{"measure":"m","value":9}]})", "a,b\n1,2\n") ==
          "mapped results: line 1: there is no column 9; the 2 columns are 'a', 'b'");
    CHECK(test::not_mapped(
              R"({"format":"csv","name":"n","metrics":[{"measure":{"at":"m"},"value":"v","unit":{"at":"u"}}]})",
              "n,m,v,u\na,latency,1,kg\n") ==
          "mapped results: line 2, column 'u': the unit 'kg' of a latency is no time: ns, us, ms, s, min, h");
  }

  TEST_CASE("malformed UTF-8 costs a warning") {
    const auto parsed = test::mapped(csv(), "name,time\na\xff,1\n");
    CHECK(parsed.results[0].name == "a\ufffd");
    CHECK(parsed.warnings ==
          std::vector<std::string>{"line 2 is not valid UTF-8; what is malformed is read as U+FFFD"});
  }

  TEST_CASE("many rows, many columns, many quotes") {
    std::string many = "name,time\n";
    for (int i = 0; i < 100'000; ++i)
      many += "b" + std::to_string(i) + "," + std::to_string(i) + "\n";
    const auto all = test::mapped(csv(), many).results;
    REQUIRE(all.size() == 100'000);
    CHECK(all[99'999].name == "b99999");
    CHECK(all[99'999].measures[0].metric.value == 99'999e3);
    CHECK(test::mapped(csv(), "name,time" + std::string(100'000, ',') + "\na,1\n").results.size() == 1);
    CHECK(test::mapped(csv(), "name,time\na,1," + std::string(100'000, '"') + "\n").results.size() == 1);
    CHECK(test::not_mapped(csv(), "name,time\na,1," + std::string(99'999, '"')).ends_with("the quote is not closed"));
    CHECK(test::not_mapped(csv(), "name,time\n" + std::string(100'000, '\n')).ends_with("no records"));
  }

  TEST_CASE("no changed, missing or doubled byte brings it down") {
    std::mt19937 random(29);
    const std::string text = "name,time\r\n\"a \"\"b\"\"\",1\r\n#c\nd,2.5e3\n\"e\nf\",\n";
    const auto mapping = Mapping::parse(csv(R"(,"comment":"#")")).value();
    REQUIRE(mapping.read(text).value().results.size() == 2);
    int read = 0;
    for (int i = 0; i < 4000; ++i) {
      auto changed = text;
      for (int j = 0; j < 2; ++j) {
        const auto at = random() % changed.size();
        switch (random() % 3) {
          case 0:
            changed[at] =
                "\",\r\n#\0\xff"
                "1e"[random() % 9];
            break;
          case 1: changed.erase(at, 1 + random() % 3); break;
          default: changed.insert(at, 1, changed[random() % changed.size()]); break;
        }
      }
      // A copy of the exact size, so that a sanitizer sees a byte too far.
      const std::vector<char> exact(changed.begin(), changed.end());
      const auto parsed = mapping.read(std::string_view(exact.data(), exact.size()));
      if (!parsed) CHECK(parsed.error().message().starts_with("mapped results: "));
      read += parsed.has_value();
    }
    CHECK(read > 300);
  }
}
