// Texts that are longer than the part of them that is indexed at a time.

#include "lib/json/reader.hpp"

#include <random>
#include <string>

#include <doctest/doctest.h>

#include "lib/json/value.hpp"

using bencher::json::Reader;
using bencher::json::Shape;
using bencher::json::Value;

namespace {

/// A document of many shapes: long and short strings with commas, quotes and brackets in them, numbers, nesting.
Value random_value(std::mt19937& random, int depth) {
  switch (random() % (depth > 6 ? 4 : 6)) {
    case 0: return Value::number(static_cast<std::int64_t>(random()) - 2'000'000'000);
    case 1: return Value::number(static_cast<double>(random()) / 1e9);
    case 2: return random() % 2 ? Value(nullptr) : Value(random() % 2 == 0);
    case 3: {
      std::string text(random() % 40 == 0 ? random() % 30'000 : random() % 20, ' ');
      for (auto& c : text)
        c = ",\"\\[]{}: abc\n\t0"[random() % 16];
      return Value(text);
    }
    case 4: {
      auto out = Value::array();
      for (auto i = random() % 20; i > 0; --i)
        out.push(random_value(random, depth + 1));
      return out;
    }
    default: {
      auto out = Value::object();
      for (auto i = random() % 20; i > 0; --i)
        out.append("key " + std::to_string(random()), random_value(random, depth + 1));
      return out;
    }
  }
}

std::string reason(std::string_view text) {
  Reader reader(text);
  CHECK_FALSE((reader.skip() && reader.finish()));
  return reader.where_and_why();
}

}  // namespace

TEST_SUITE("json/reader") {
  TEST_CASE("documents of any length come back as they were") {
    std::mt19937 random(23);
    std::size_t longest = 0;
    for (const int values : {0, 1, 2, 5, 12, 30, 80}) {
      auto document = Value::array();
      for (int k = 0; k < values; ++k)
        document.push(random_value(random, 1));
      for (const auto& text : {document.compact(), document.indented()}) {
        longest = std::max(longest, text.size());
        const auto read = Value::parse(text);
        REQUIRE(read.has_value());
        CHECK(read->compact() == document.compact());
        Reader reader(text);
        CHECK((reader.skip() && reader.finish()));
      }
    }
    CHECK(longest > 1'000'000);
  }

  TEST_CASE("a string, a number or white space may be longer than a part") {
    constexpr std::size_t size = 1'000'000;
    for (const char c : {'x', ',', ' ', '['}) {
      const std::string inside(size, c);
      const std::string text = "[\"" + inside + "\", 1" + std::string(size, '0') + ".5e-999999, " +
                               std::string(size, ' ') + "\"" + inside + "\"]";
      Reader reader(text);
      std::string_view found;
      std::string scratch;
      double number = -1;
      REQUIRE(reader.take('['));
      REQUIRE(reader.string(found, scratch));
      CHECK(found == inside);
      REQUIRE(reader.take(','));
      REQUIRE(reader.number(number));
      REQUIRE(reader.take(','));
      REQUIRE(reader.string(found, scratch));
      CHECK(found == inside);
      CHECK((reader.take(']') && reader.finish()));
    }
  }

  TEST_CASE("it goes back to a mark in any part, and on from there") {
    std::string text = "[";
    for (int i = 0; i < 100'000; ++i)
      text += std::to_string(i) + (i % 1000 == 0 ? ",\n" : ", ");
    text += "\"end\"]";
    Reader reader(text);
    std::vector<Reader::Mark> marks;
    CHECK_FALSE(Reader::Mark());
    reader.take('[');
    const auto read = [&](int expected) {
      double number = -1;
      CHECK((reader.number(number) && number == expected && reader.take(',')));
    };
    for (int i = 0; i < 100'000; ++i) {
      if (i % 10'000 == 0) marks.push_back(reader.mark());
      double number = 0;
      REQUIRE((reader.number(number) && reader.take(',')));
    }
    const auto end = reader.mark();
    std::mt19937 random(3);
    for (int i = 0; i < 50; ++i) {
      const auto at = random() % marks.size();
      reader.go(marks[at]);
      CHECK(reader.mark() == marks[at]);
      for (int k = 0; k < 5; ++k)
        read(static_cast<int>(10'000 * at) + k);
    }
    reader.go(end);
    std::string_view found;
    std::string scratch;
    CHECK((reader.string(found, scratch) && found == "end" && reader.take(']') && reader.finish()));
    const auto last = reader.mark();
    reader.go(marks[3]);
    reader.go(last);
    CHECK(reader.finish());
  }

  TEST_CASE("what breaks in a later part is told with its place, and what stands in earlier ones is read") {
    std::string text = "[\n";
    for (int i = 0; i < 50'000; ++i)
      text += "12345,\n";
    CHECK(reason(text + "\"a\tb\"]") == "a control character within a string must be escaped (line 50002, column 3)");
    CHECK(reason(text + "\"ab]") == "the text ends within a string (line 50002, column 1)");
    CHECK(reason(text + "1 2]") == "expected ',' or ']', found a number (line 50002, column 3)");
    CHECK(reason(text + "\"\xff\"]").starts_with("the text is not valid UTF-8 (line "));
    CHECK(reason(text).starts_with("expected a value, found the end of the text"));
    const auto broken = text + "\"a\tb\"]";
    Reader reader(broken);
    reader.take('[');
    double number = 0;
    int count = 0;
    while (reader.number(number) && reader.take(','))
      ++count;
    CHECK(count > 20'000);
    CHECK(reader.failed());
    CHECK(reader.reason() == "a control character within a string must be escaped");
    CHECK(Reader("\"a\tb\"").failed());
  }

  TEST_CASE("objects find their fields by place, and also where they stand otherwise") {
    static constexpr bencher::json::Field fields[]{{"a"}, {"b", false}, {"c", false, true}};
    const std::string text = R"([{"x":1,"a":2,"b":3},{"x":1,"a":4,"b":5},{"a":6,"x":1},{"\u0061":7,"y":[]},)"
                             R"({"b":8,"c":1,"c":2,"a":9},[10,11],{"x":1,"a":12,"b":13}])";
    Reader reader(text);
    Shape shape;
    std::string found;
    const bool done = bencher::json::array(reader, "an array", [&](std::size_t) {
      return bencher::json::record(reader, "one", fields, shape, [&](std::size_t field) {
        double number = 0;
        if (!reader.number(number)) return false;
        found += fields[field].name;
        found += std::to_string(static_cast<int>(number)) + " ";
        return true;
      });
    });
    CHECK(done);
    CHECK(found == "a2 b3 a4 b5 a6 a7 b8 c1 c2 a9 a10 b11 a12 b13 ");
    Reader twice(R"([{"a":1,"b":1},{"a":1,"a":1}])");
    Shape known;
    CHECK_FALSE(bencher::json::array(twice, "an array", [&](std::size_t) {
      return bencher::json::record(twice, "one", fields, known, [&](std::size_t) { return twice.skip(); });
    }));
    CHECK(twice.where_and_why() == "at /1/a: the field is there twice (line 1, column 27)");
  }

  TEST_CASE("the pointer goes as deep as the reader does") {
    std::string text, pointer;
    for (int i = 0; i < 40; ++i) {
      text += i % 2 ? "{\"k/\":" : "[0,";
      pointer += i % 2 ? "/k~1" : "/1";
    }
    const auto column = text.size() + 1;
    text += '!';
    Reader reader(text);
    const auto read = [&](auto&& self) -> bool {
      if (reader.peek() == '0') return reader.skip();
      if (reader.peek() == '[')
        return bencher::json::array(reader, "an array", [&](std::size_t) { return self(self); });
      return bencher::json::object(reader, "an object", [&](std::string_view) { return self(self); });
    };
    CHECK_FALSE(read(read));
    CHECK(reader.where_and_why() ==
          "at " + pointer + ": expected an object, found '!' (line 1, column " + std::to_string(column) + ")");
  }
}
