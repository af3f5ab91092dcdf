// Every adapter over what no harness writes, or only a broken one. What holds for all of it is in properties.hpp; the
// same with a million benchmarks and lines of a gibibyte is in bench/adapters_stress.cpp.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"
#include "bencher/base/encoding.hpp"

#include "lib/adapter/builder.hpp"
#include "tests/adapter/cases.hpp"
#include "tests/adapter/many.hpp"
#include "tests/adapter/properties.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using enum AdapterKind;

namespace {

bool is_language(AdapterKind kind) {
  return kind != magic && normalize(kind) == magic;
}

/// Whether `own` is `kind`, or tried by it.
bool covers(AdapterKind kind, std::string_view own) {
  return kind == magic || own == name(kind) || (is_language(kind) && own.starts_with(std::string(name(kind)) + "_"));
}

/// The recorded outputs of a kind: those in folders called like it, or like it and more.
std::vector<std::string> recorded(AdapterKind kind) {
  std::vector<std::string> out;
  const std::string root = BENCHER_TEST_DATA;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/adapters")) {
    const auto path = entry.path().string().substr(root.size() + 1);
    const auto folder = entry.path().parent_path().filename().string();
    const bool is_input = entry.is_regular_file() && !path.ends_with(".golden") && !path.ends_with(".expected.json");
    if (is_input && kind != magic && (folder + "_").starts_with(std::string(name(kind)) + "_")) out.push_back(path);
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct Sample {
  std::string name, text;
};

/// Short texts that `kind` has results in.
std::vector<Sample> samples(AdapterKind kind) {
  std::vector<Sample> out;
  for (const auto& form : test::forms())
    if (covers(kind, name(form.kind))) out.push_back({std::string(form.name), test::text_with(form, 3)});
  for (const auto& path : recorded(kind))
    if (auto text = test::read_data(path); parse(kind, text)) out.push_back({path, std::move(text)});
  return out;
}

/// Calls `check(kind, text)` for all short texts of all kinds.
template <class Check>
void each_sample(Check&& check) {
  for (const auto kind : adapter_kinds()) {
    const auto all = samples(kind);
    CAPTURE(name(kind));
    REQUIRE_MESSAGE(!all.empty(), "no form in tests/adapter/many*.cpp and no folder under tests/data/adapters");
    for (const auto& sample : all) {
      CAPTURE(sample.name);
      check(kind, sample.text);
    }
  }
}

void holds(AdapterKind kind, std::string_view text, const ParseOptions& options = {}) {
  const auto broken = test::broken_property(kind, text, options);
  if (!broken.empty()) FAIL_CHECK(broken);
}

std::string utf16(std::string_view text, bool big) {
  std::string out;
  const auto unit = [&](std::uint32_t u) {
    const char high = static_cast<char>(u >> 8), low = static_cast<char>(u & 0xff);
    out += big ? high : low;
    out += big ? low : high;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    std::uint32_t point = size == 1 ? byte : byte & (0x7fu >> size);
    for (std::size_t k = 1; k < size; ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3f);
    i += size;
    if (point >= 0x10000) {
      unit(0xd800 + ((point - 0x10000) >> 10));
      point = 0xdc00 + ((point - 0x10000) & 0x3ff);
    }
    unit(point);
  }
  return out;
}

/// Where numbers stand in a text, at most `most` of them, from all over it.
std::vector<std::pair<std::size_t, std::size_t>> numbers_in(std::string_view text, std::size_t most) {
  std::vector<std::pair<std::size_t, std::size_t>> all, out;
  for (std::size_t at = 0; (at = text.find_first_of("0123456789", at)) != std::string_view::npos;) {
    const auto end = std::min(text.find_first_not_of("0123456789.,", at), text.size());
    all.emplace_back(at, end - at);
    at = end;
  }
  for (std::size_t i = 0; i < all.size(); i += 1 + all.size() / most)
    out.push_back(all[i]);
  return out;
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  out.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i)
    out += part;
  return out;
}

const ParseOptions everything{.average = {}, .all_measures = true, .distinct_names = true, .fold_repeats = Fold::mean};

/// 2 ^ `bits` names of one hash, as somebody makes them who knows that of the standard library (MurmurHash64A): each of
/// two pairs of words takes it from the same state to the same state.
std::vector<std::string> names_of_one_hash(unsigned bits) {
  constexpr std::uint64_t multiplier = 0xc6a4a7935bd1e995;
  const auto mix = [](std::uint64_t v) { return v ^ v >> 47; };
  std::uint64_t inverse = 1;
  for (int i = 0; i < 6; ++i)
    inverse *= 2 - multiplier * inverse;
  const auto word_of = [&](const std::string& text) {
    std::uint64_t out = 0;
    std::memcpy(&out, text.data(), 8);
    return mix(out * multiplier) * multiplier;
  };
  std::mt19937_64 random(7);
  const auto letters = [&] {
    std::string out(8, ' ');
    for (auto& c : out)
      c = static_cast<char>('A' + random() % 26);
    return out;
  };
  std::vector<std::string> names{""};
  std::uint64_t state = 0xc70f6907 ^ (16 * bits * multiplier);
  for (unsigned i = 0; i < bits; ++i) {
    const auto first = letters(), second = letters();
    const auto between = (state ^ word_of(first)) * multiplier;
    std::string other, other_second(8, ' ');
    const auto fits = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
    do {
      other = letters();
      const auto wanted = word_of(second) ^ between ^ ((state ^ word_of(other)) * multiplier);
      const auto word = inverse * mix(wanted * inverse);
      std::memcpy(other_second.data(), &word, 8);
    } while (!std::all_of(other_second.begin(), other_second.end(), fits));
    state = (between ^ word_of(second)) * multiplier;
    std::vector<std::string> longer;
    for (const auto& name : names) {
      longer.push_back(name + first + second);
      longer.push_back(name + other + other_second);
    }
    names = std::move(longer);
  }
  return names;
}

}  // namespace

TEST_SUITE("adapter/bad input") {
  TEST_CASE("what breaks off anywhere is read up to there, or refused with a reason") {
    each_sample([](AdapterKind kind, const std::string& text) {
      constexpr std::size_t cuts = 24;
      for (std::size_t i = 0; i <= cuts; ++i) {
        const auto cut = text.substr(0, text.size() * i / cuts);
        holds(kind, cut);
        if (!is_language(kind)) holds(kind, cut, everything);
      }
    });
  }

  TEST_CASE("no text at all is refused") {
    for (const auto kind : adapter_kinds()) {
      CAPTURE(name(kind));
      for (const auto text : {std::string_view(), std::string_view(""), std::string_view("\xef\xbb\xbf"),
                              std::string_view("\0", 1), std::string_view("\n"), std::string_view("\xff\xfe")})
        CHECK_FALSE(parse(kind, text).has_value());
    }
  }

  TEST_CASE("byte order marks, UTF-16 and Windows' line ends change nothing") {
    each_sample([](AdapterKind kind, const std::string& text) {
      const auto plain = test::results_of(kind, text);
      CHECK(test::results_of(kind, "\xef\xbb\xbf" + text) == plain);
      if (is_utf8(text))
        for (const bool big : {false, true}) {
          CAPTURE(big);
          CHECK(test::results_of(kind, (big ? "\xfe\xff" : "\xff\xfe") + utf16(text, big)) == plain);
          CHECK(test::results_of(kind, utf16(text, big)) == plain);
        }
      if (text.find('\r') != std::string::npos) return;
      std::string crlf;
      for (const char c : text)
        crlf.append(c == '\n' ? "\r" : "").push_back(c);
      CHECK(test::results_of(kind, crlf) == plain);
    });
  }

  TEST_CASE("half of a UTF-16 text is refused with its place") {
    CHECK(test::refusal(magic, "\xff\xfe{") == "the text is UTF-16 but has an odd number of bytes: it may be cut off");
    CHECK(test::refusal(magic, std::string("\xff\xfe\x00\xd8", 4)) ==
          "the text is UTF-16 with half a surrogate pair at byte 2");
  }

  TEST_CASE("malformed UTF-8 is named with its line, and never comes through") {
    each_sample([](AdapterKind kind, const std::string& text) {
      for (const std::string_view bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xf0\x9f\x98", "\x80\x80\x80\x80"})
        for (const std::size_t part : {0, 1, 2, 3}) {
          auto broken = text;
          broken.insert(text.size() * part / 4, bad);
          holds(kind, broken, everything);
          const auto parsed = parse(kind, broken);
          const auto told = [](const std::string& words) { return words.find("UTF-8") != std::string::npos; };
          if (parsed) CHECK(std::any_of(parsed->warnings.begin(), parsed->warnings.end(), told));
        }
    });
    CHECK(test::refusal(json, "{\n\"a\xff\": {}}") == "json results: the text is not valid UTF-8 (line 2)");
  }

  TEST_CASE("numbers that are none, negative, endless or too large leave results finite") {
    const auto digits = std::string(400, '9');
    each_sample([&](AdapterKind kind, const std::string& text) {
      for (const auto& [at, size] : numbers_in(text, is_language(kind) ? 4 : 12))
        for (const auto& number : {std::string("NaN"), std::string("Infinity"), std::string("-inf"),
                                   std::string("-1.5"), digits, "0." + digits, std::string("1e999"), std::string("-0"),
                                   std::string("1.2.3"), std::string("\"NaN\""), std::string("null"), std::string()}) {
          auto changed = text;
          holds(kind, changed.replace(at, size, number));
        }
    });
  }

  TEST_CASE("a hundred thousand levels are refused or passed over") {
    constexpr std::size_t levels = 100'000;
    const auto arrays = repeated("[", levels), objects = repeated("{\"a\":", levels),
               elements = repeated("<a>", levels);
    const auto closed = arrays + repeated("]", levels);
    for (const auto kind : adapter_kinds()) {
      CAPTURE(name(kind));
      for (const auto& text : {arrays, objects, elements, closed, "<testsuite>" + elements,
                               "{\"benchmarks\":" + closed + "}", "{\"a\":{\"b\":{\"value\":1,\"x\":" + closed + "}}}"})
        holds(kind, text);
    }
    // What is passed over may lie as deep as it likes.
    const auto google =
        R"({"context":{"caches":[],"x":)" + closed + R"(},"benchmarks":[{"name":"a","real_time":1,"time_unit":"ns"}]})";
    CHECK(test::results_of(cpp_google, google) == test::results({{"a", {{"latency", test::metric(1)}}}}));
    CHECK(test::refusal(json, "{\"a\":{\"b\":{\"value\":1,\"x\":" + closed + "}}}").find("nested too deep") !=
          std::string::npos);
    CHECK(test::refusal(shell_junit, "<testsuite>" + elements).find("nest deeper than 256 levels") !=
          std::string::npos);
  }

  TEST_CASE("a benchmark that is there twice stays once, and is said to be there twice") {
    for (const auto& form : test::forms()) {
      CAPTURE(form.name);
      const auto entry = form.entry(0);
      const auto twice = std::string(form.head).append(entry).append(form.separator).append(entry).append(form.tail);
      const auto parsed = test::must_parse(form.kind, twice);
      CHECK(parsed.results == test::results_of(form.kind, test::text_with(form, 1)));
      const auto repeats = std::count_if(parsed.warnings.begin(), parsed.warnings.end(), [](const std::string& w) {
        return w.find("repeats a name") != std::string::npos;
      });
      CHECK(repeats == 1);
      ParseOptions mean;
      mean.fold_repeats = Fold::mean;
      CHECK(test::results_of(form.kind, twice, mean) == parsed.results);
    }
  }

  TEST_CASE("many benchmarks are all there, in a few times the memory of their text") {
    for (const auto& form : test::forms()) {
      CAPTURE(form.name);
      constexpr std::size_t most = 2'000'000;
      const std::size_t count = std::min<std::size_t>(100'000, most / (form.entry(99).size() + 1));
      const auto text = test::text_with(form, count);
      const auto parsed = test::must_parse(form.kind, text);
      CHECK(parsed.results.size() == count);
      CHECK(parsed.results.bytes() <= 4 * text.size());
      const auto detected = test::must_parse(magic, text);
      CHECK(detected.results == parsed.results);
    }
  }

  TEST_CASE("one long line, of anything, is gone over and left out") {
    constexpr std::size_t size = 1 << 20;
    std::vector<std::string> lines;
    for (const std::string_view part :
         {"x", " ", "9", "a b ", "[", "\"", "(", "\xc2\xb7", "\r", "::", ": 1 ns ", "|", "<a ", "\x1b["})
      lines.push_back(repeated(part, size / part.size()));
    for (const auto kind : adapter_kinds()) {
      CAPTURE(name(kind));
      const auto text = samples(kind).front().text;
      for (const auto& line : lines) {
        CAPTURE(line.substr(0, 8));
        if (const auto parsed = parse(kind, line + "\n" + text)) CHECK(parsed->results.bytes() <= size);
      }
    }
    const auto inside = R"({"a":{"b":{"value":1,"x":")" + repeated("y", size) + "\"}}}";
    CHECK(test::results_of(json, inside) == test::results({{"a", {{"b", test::metric(1)}}}}));
    CHECK(test::refusal(magic, std::string(64 << 20, 'x')).find("67108864 bytes, 1 line)") != std::string::npos);
  }

  TEST_CASE("a line of nothing but separators takes no more memory than others") {
    constexpr std::size_t columns = 100'000;
    const auto bars = repeated("|", columns), commas = repeated(",", columns), words = repeated("a ", columns),
               pairs = repeated(" 1 a", columns);
    const std::string google = "name,iterations,real_time,cpu_time,time_unit\n";
    CHECK(test::refusal(c_sharp_dot_net, "Method|Mean|" + bars + "\n") != "");
    CHECK(test::refusal(cpp_google, google + "a" + commas + "\n") != "");
    CHECK(test::refusal(shell_hyperfine, "command,mean\n\"a\"" + commas + "\n") != "");
    CHECK(test::refusal(java_jmh, "Benchmark Mode Score Units\n" + words + "thrpt 1 ops/s\n") != "");
    CHECK(test::results_of(cpp_google, google + "a,1,2,3,ns\nb" + commas + "\n") ==
          test::results({{"a", {{"latency", test::metric(2)}}}}));
    CHECK(test::results_of(go_bench, "BenchmarkA 1 5 ns/op" + pairs + "\n", everything).size() == 1);
  }

  TEST_CASE("names that were made to have one hash are told apart, and repeats among them found") {
    const auto names = names_of_one_hash(11);
    REQUIRE(std::hash<std::string>()(names.front()) == std::hash<std::string>()(names.back()));
    std::string text = "{";
    for (const auto& name : names)
      text += "\"" + name + "\":{\"latency\":{\"value\":1}},";
    text += "\"other\":{}";
    const auto parsed = test::must_parse(json, text + "}");
    CHECK(parsed.results.size() == names.size() + 1);
    CHECK(parsed.warnings.empty());
    text += ",\"" + names[1000] + "\":{\"latency\":{\"value\":2}},\"other\":{}}";
    const auto again = test::must_parse(json, text);
    REQUIRE(again.results.size() == names.size() + 1);
    CHECK(again.results[1000].name == names[1000]);
    CHECK(again.results[1000].measures[0].metric.value == 2);
    CHECK(again.results[1001].measures[0].metric.value == 1);
    REQUIRE(again.warnings.size() == 1);
    CHECK(again.warnings[0].starts_with("2 results repeat a name"));
  }

  TEST_CASE("a group's long name before each of many short ones is refused, not multiplied") {
    const std::string group(1000, 'g');
    std::string vitest = R"({"files":[{"groups":[{"fullName":")" + group + R"(","benchmarks":[)";
    for (int i = 0; i < 20'000; ++i)
      vitest += (i > 0 ? "," : "") + std::string(R"(["b)") + std::to_string(i) + R"(",1,1,1,1,1])";
    vitest += "]}]}]}";
    CHECK(
        test::refusal(js_vitest, vitest) ==
        "js_vitest results: the names of the benchmarks take more than four times the text: give their groups shorter "
        "names");
  }

  // From here on what fuzzing found; each failed before.

  TEST_CASE("reasons and warnings that show a part of the text cut no code point in two") {
    std::string micro;
    for (int i = 0; i < 200; ++i)
      micro += "\u00b5";
    const auto wrk = "Running 1s test @ http://a\nRequests/sec: 1\nNon-2xx or 3xx responses:" + micro + "\n";
    CHECK(test::broken_property(shell_wrk, wrk) == "");
    CHECK(test::broken_property(shell_wrk, "Running 1s test @ http://a\nRequests/sec: 1\nNon-2xx" + micro + "\n") ==
          "");
    for (const auto& unit : {micro, "a" + micro}) {
      CHECK(test::broken_property(
                cpp_google, R"({"context":{"caches":[]},"benchmarks":[{"name":"a","real_time":1,"time_unit":")" + unit +
                                "\"}]}") == "");
      CHECK(test::broken_property(cpp_google, R"({"context":{"caches":[]},"benchmarks":[{"name":"a","real_time":")" +
                                                  unit + "\"}]}") == "");
      CHECK(test::broken_property(rust_gungraun_json, R"({"kind":")" + unit + "\"}") == "");
      CHECK(test::broken_property(shell_junit, "<testsuite><testcase><" + unit) == "");
      CHECK(test::broken_property(go_bench, unit + " s/op\n") == "");
      const std::string head = "benchmark  avg (min \u2026 max) p75 / p99  (min \u2026 top 1%)\n",
                        row = "b  1 ns/iter\n";
      CHECK(test::broken_property(js_mitata, head + row + unit + unit + unit + "  error: no\n") == "");
      CHECK(test::broken_property(js_mitata, "| x | avg | min |\n| " + unit + unit + unit + " | error: no |\n" +
                                                 "| b | 1 ns | 1 ns |\n") == "");
      CHECK(test::broken_property(js_benchmark, "a x 1 ops/sec \u00b11.00% (2 runs sampled)\n" + unit +
                                                    " x 1 ops/sec \u00b11.00% (1 run sampled)\n") == "");
    }
  }

  TEST_CASE("a cell without a column is no column that is missing") {
    const std::string head = "| Method | Mean |\n|------- |-----:|\n";
    const auto plain = test::results({{"A", {{"latency", test::metric(1)}}}});
    for (const auto* cell : {"2 ns", "x", ""})
      CHECK(test::results_of(c_sharp_dot_net, head + "| A | 1 ns | " + cell + " | |\n") == plain);
  }

  TEST_CASE("a name that begins with a colon is no figure of the benchmark before the first one") {
    for (const auto* text : {"\"Benchmark\",\"Score\",\"Unit\"\n\":p0.99\",1.5,\"us/op\"\n",
                             "Benchmark  Mode  Cnt  Score  Error  Units\n:p0.99  sample  1.5  us/op\n"})
      CHECK(test::results_of(java_jmh, text) == test::results({{":p0.99", {{"latency", test::metric(1500)}}}}));
  }

  TEST_CASE("what an adapter adds before any benchmark is nothing") {
    ParseOptions options;
    options.all_measures = options.distinct_names = true;
    adapter::Builder out(options, adapter::Repeats::last);
    out.latency({1, {}, {}});
    out.extra("count", 2);
    out.distinct_name("a");
    out.benchmark("b");
    out.latency({3, {}, {}});
    CHECK(std::move(out).finish(json).results == test::results({{"b", {{"latency", test::metric(3)}}}}));
  }
}
