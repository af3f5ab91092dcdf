// Lines, numbers and units of text, and each adapter over forms, options and hostile input.

#include "lib/adapter/text.hpp"

#include <charconv>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "lib/adapter/marks.hpp"
#include "lib/adapter/text_any.hpp"
#include "lib/adapter/xml.hpp"
#include "tests/adapter/cases.hpp"

using namespace bencher;
using namespace bencher::adapter;
using test::metric;

TEST_SUITE("adapter/text") {
  TEST_CASE("find finds what std::string_view does") {
    std::mt19937 random(5);
    for (int i = 0; i < 4'000; ++i) {
      std::string text(random() % 120, 'a'), needle(1 + random() % 5, 'a');
      for (auto& c : text)
        c = static_cast<char>('a' + random() % 2);
      for (auto& c : needle)
        c = static_cast<char>('a' + random() % 2);
      CAPTURE(text);
      CAPTURE(needle);
      CHECK(place_of(text, needle) == text.find(needle));
    }
  }

  TEST_CASE("lines drop one CR, and the last one may lack its line feed and keeps its CR") {
    const auto all = [](std::string_view text) {
      std::string out;
      Lines lines(text);
      for (std::string_view line; lines.next(line);)
        out += "<" + std::string(line) + ">";
      return out;
    };
    CHECK(all("") == "");
    CHECK(all("a") == "<a>");
    CHECK(all("a\n\nb\r\nc\r\r\nd\r") == "<a><><b><c\r><d\r>");
    Lines lines("one\ntwo x\r\n\nthree x");
    std::string_view line, before;
    REQUIRE(lines.next_with("x", line));
    CHECK(line == "two x");
    CHECK(lines.passed() == "one\n");
    REQUIRE(lines.before(line, before));
    CHECK(before == "one");
    CHECK_FALSE(lines.before(before, before));
    REQUIRE(lines.next_with("x", line));
    CHECK(line == "three x");
    REQUIRE(lines.before(line, before));
    CHECK(before == "");
    CHECK_FALSE(lines.next_with("x", line));
  }

  TEST_CASE("numbers are rounded correctly, whatever their length") {
    const auto number = [](std::string_view token) {
      double out = -1;
      return number_in(token, out) ? out : -1;
    };
    CHECK(number("0") == 0);
    CHECK(number("1,234,5.6") == 12345.6);
    CHECK(number(".5") == 0.5);
    CHECK(number("5.") == 5);
    CHECK(number("9007199254740993") == 9007199254740992.0);
    CHECK(number("123456789012345678") == 123456789012345678.0);
    CHECK(number("0.1000000000000000055511151231257827") == 0.1);
    CHECK(number("0." + std::string(400, '3')) == 1.0 / 3);
    CHECK(number("1" + std::string(300, '0')) == 1e300);
    CHECK(number("0." + std::string(400, '0') + "1") == 0);
    for (const auto& bad : {std::string(""), std::string("."), std::string(","), std::string("1.2.3"),
                            std::string("1e5"), std::string("-1"), std::string("nan"), "1" + std::string(400, '0')}) {
      CAPTURE(bad);
      CHECK(number(bad) == -1);
    }
    std::mt19937_64 random(11);
    for (int i = 0; i < 20'000; ++i) {
      // Up to 17 digits with the point anywhere.
      auto digits = std::to_string(random() % 100'000'000'000'000'000u);
      digits.resize(1 + random() % digits.size());
      digits.insert(random() % (digits.size() + 1), ".");
      double want = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), want);
      CAPTURE(digits);
      CHECK(number(digits) == want);
    }
    std::uint64_t integer = 0;
    CHECK(integer_in("18,446,744,073,709,551,615", integer));
    CHECK(integer == UINT64_MAX);
    CHECK_FALSE(integer_in("18446744073709551616", integer));
    CHECK_FALSE(integer_in(",", integer));
  }

  TEST_CASE("durations, sizes and scaled numbers") {
    double value = 0;
    std::string_view rest;
    for (const auto& [text, ns] :
         {std::pair{"12.5 ms", 12.5e6}, {"1,000ns", 1e3}, {"3 min", 180e9}, {"2h", 7200e9}, {"1e3 \u00b5s", 1e6}}) {
      CAPTURE(text);
      REQUIRE(duration_in(text, value));
      CHECK(value == doctest::Approx(ns));
    }
    for (const auto* bad : {"12.5", "ms", "12.5 parsecs", "1 m 2 s", ""})
      CHECK_FALSE(duration_in(bad, value));
    CHECK((bytes_in("1.5 KB", 1024, value) && value == 1536));
    CHECK((bytes_in("1.5 KB", 1000, value) && value == 1500));
    CHECK((bytes_in("2 MiB", 1000, value) && value == 2097152));
    CHECK((scaled("231.5M/s", value, rest) && value == 231.5e6 && rest == "/s"));
    CHECK((scaled("2Ki", value, rest) && value == 2048 && rest.empty()));
  }

  TEST_CASE("CSV has quotes, and separators and line ends within them") {
    std::string_view text = "a,\"b,\"\"c\"\"\",\r\n\"x\ny\",2\n";
    CsvRecord record;
    const auto cells = [&] { return std::vector<std::string>(record.begin(), record.end()); };
    REQUIRE(record.take(text, ','));
    CHECK(cells() == std::vector<std::string>{"a", "b,\"c\"", ""});
    REQUIRE(record.take(text, ','));
    CHECK(cells() == std::vector<std::string>{"x\ny", "2"});
    CHECK_FALSE(record.take(text, ','));
    text = "\"never closed";
    CHECK_FALSE(record.take(text, ','));
    CHECK(record.size() == 0);
    text = "\"never \"\"closed";
    CHECK_FALSE(record.take(text, ','));
    text = "\"\"\"\",\"a\" b,\"c\"\r\n\"\",\"last\"";
    REQUIRE(record.take(text, ','));
    CHECK(cells() == std::vector<std::string>{"\"", "a b", "c"});
    REQUIRE(record.take(text, ','));
    CHECK(cells() == std::vector<std::string>{"", "last"});
    CHECK_FALSE(record.take(text, ','));
  }

  TEST_CASE("of marks the first one that is there counts, also across chunks") {
    std::string text(16 * 1024 - 2, ' ');
    text += "mark";
    text += std::string(40'000, ' ') + "last";
    Marks marks(text, {"nowhere", "last", "mark", "", "gone"});
    CHECK(marks.next(0) == 1);
    CHECK(marks.next(2) == 2);
    CHECK(marks.next(3) == 3);
    CHECK(marks.next(4) == 5);
    Marks same("b", {"a", "b", "a", "b"});
    CHECK(same.next(0) == 1);
    CHECK(same.next(2) == 3);
    CHECK(Marks("", {"a"}).next(0) == 1);
    CHECK(Marks("", {}).next(0) == 0);
    // Marks behind one that is found at once are searched for when it was of no use.
    const std::string late = "x" + std::string(40'000, ' ') + "ab";
    Marks later(late, {"none", "x", "ab", "b", "ab", "other", "more"});
    CHECK(later.next(0) == 1);
    CHECK(later.next(2) == 2);
    CHECK(later.next(3) == 3);
    CHECK(later.next(4) == 4);
    CHECK(later.next(5) == 7);
  }

  TEST_CASE("why nothing was read: a line that comes near, or how many there are") {
    const std::string text = "a\nb c\nd\n";
    CHECK(no_match(text, nullptr, "X 1").message() == "none of 4 lines reads as 'X 1'");
    CHECK(no_match("a", nullptr, "X 1").message() == "the one line does not read as 'X 1'");
    CHECK(no_match(text, text.data() + 2, "X 1").message() == "no line reads as 'X 1'; line 2 comes near: 'b c'");
    const std::string many(2'000'000, '\n');
    CHECK(no_match(many, nullptr, "X 1").message() == "no line reads as 'X 1'");
    CHECK(no_match(many, many.data() + 1'500'000, "X 1").message() ==
          "no line reads as 'X 1'; line 1500001 comes near: ''");
  }

  TEST_CASE("of several literals one is found, and none that begins before") {
    std::mt19937 random(5);
    const auto word = [&](std::size_t most) {
      std::string out(1 + random() % most, ' ');
      for (auto& c : out)
        c = "ab\xc2 -"[random() % 5];
      return out;
    };
    int found = 0;
    for (int i = 0; i < 4000; ++i) {
      std::vector<std::string> words;
      for (auto count = 1 + random() % 20; count > 0; --count)
        words.push_back(word(i % 3 == 0 ? 3 : 12));
      const std::vector<std::string_view> needles(words.begin(), words.end());
      // Of the exact size, so that a sanitizer sees a byte too far.
      auto longer = word(i % 2 ? 20 : 300);
      if (i % 5 > 0)
        longer.insert(random() % longer.size(), i % 5 == 1   ? word(8000)
                                                : i % 5 == 2 ? std::string(16'360 + random() % 40, 'x')
                                                             : std::string(5000, 'x'));
      const std::vector<char> exact(longer.begin(), longer.end());
      const std::string_view text(exact.data(), exact.size());
      auto first = text.size();
      for (const auto needle : needles)
        first = std::min(first, text.find(needle));
      for (const auto lookup : {Lookup::none, Lookup::vpshufb, Lookup::vpermi2b}) {
        if (!has(lookup)) continue;
        CAPTURE(static_cast<int>(lookup));
        const auto hit = find_any(text, needles, lookup);
        CHECK(hit.before <= first);
        CHECK((hit.which == needles.size()) == (first == text.size()));
        if (hit.which < needles.size()) CHECK(text.find(needles[hit.which], hit.before) != text.npos);
      }
      found += first < text.size();
    }
    CHECK(found > 500);
    CHECK(found < 3500);
  }

  TEST_CASE("XML: references, comments, CDATA, and what breaks") {
    Xml xml(
        "log <\n<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><!-- <no> --><a k=\"1 &lt; &#x263a;&#33; &no;\" "
        "l='>'><![CDATA[<b>]]><b/></a>");
    std::string value;
    REQUIRE(xml.next() == Xml::Token::open);
    CHECK(xml.name() == "a");
    CHECK(xml.depth() == 1);
    REQUIRE(xml.attribute("k", value));
    CHECK(value == "1 < \u263a! &no;");
    REQUIRE(xml.attribute("l", value));
    CHECK(value == ">");
    CHECK_FALSE(xml.attribute("m", value));
    REQUIRE(xml.next() == Xml::Token::open);
    CHECK(xml.name() == "b");
    CHECK(xml.next() == Xml::Token::close);
    CHECK(xml.next() == Xml::Token::close);
    CHECK(xml.depth() == 0);
    CHECK(xml.next() == Xml::Token::end);
    CHECK_FALSE(xml.failed());
    for (const auto& bad : {std::string("<a>"), std::string("<a></b>"), std::string("<a b='1"), std::string("<a><!-- "),
                            std::string("<a><![CDATA[x</a>"), std::string("<!DOCTYPE a"), std::string("<?xml")}) {
      CAPTURE(bad);
      Xml broken(bad);
      while (broken.next() != Xml::Token::end) {
      }
      CHECK(broken.failed());
    }
    std::string deep;
    for (int i = 0; i < 300; ++i)
      deep += "<a>";
    Xml nested(deep);
    while (nested.next() != Xml::Token::end) {
    }
    CHECK(nested.error().message().find("deeper than 256") != std::string::npos);
  }
}
