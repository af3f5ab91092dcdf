// The JSON harnesses that the reference does not read, with texts that break off, are of other types, or far too large.

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tests/adapter/cases.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using enum AdapterKind;

namespace {

struct File {
  const char* name;
  AdapterKind kind;
};

/// One of each form.
constexpr File files[]{
    {"other/mitata_v1.json", js_mitata},
    {"other/nanobench.json", cpp_nanobench},
    {"other/pyperf_v2.json", python_pyperf},
    {"other/tinybench_v6_results.json", js_tinybench},
    {"further/js_deno/v2.9.json", js_deno},
    {"further/js_mitata/v0.1.14.json", js_mitata},
    {"further/js_tinybench/v2.9_tasks.json", js_tinybench},
    {"further/js_tinybench/v6.2_table.json", js_tinybench},
    {"further/julia_benchmark_tools/made_groups.json", julia_benchmark_tools},
    {"further/shell_k6/v1.8_handle_summary.json", shell_k6},
    {"further/shell_k6/v1.8_machine_readable.json", shell_k6},
    {"further/shell_k6/v1.8_summary_export.json", shell_k6},
};

constexpr File texts[]{
    {"other/nanobench.csv", cpp_nanobench},
    {"further/cpp_nanobench/made_tables.md", cpp_nanobench},
    {"further/js_tinybench/v6.2_console_table.txt", js_tinybench},
    {"further/rust_criterion_json/cargo-criterion1.1.json", rust_criterion_json},
};

std::string data(const char* file) {
  return test::read_data(std::string("adapters/") + file);
}

/// With each setting of the average in turn; deno has no median.
ParseOptions everything(std::size_t turn, AdapterKind kind = json) {
  ParseOptions options;
  options.all_measures = options.distinct_names = true;
  if (turn % 3 == 1) options.average = Average::mean;
  if (turn % 3 == 2 && kind != js_deno) options.average = Average::median;
  return options;
}

/// Where the values of a JSON text begin and end, those within others too.
struct Span {
  std::size_t from, size;
};
std::vector<Span> scalars(std::string_view text) {
  std::vector<Span> out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      const auto from = i++;
      while (i < text.size() && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
      ++i;
      if (i < text.size() && text.substr(i).find_first_not_of(' ') != std::string_view::npos &&
          text[text.find_first_not_of(' ', i)] != ':')
        out.push_back({from, i - from});
    } else if (c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n') {
      const auto end = std::min(text.find_first_of(",]} \r\n", i), text.size());
      out.push_back({i, end - i});
      i = end;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace

TEST_SUITE("adapter/beyond_hostile") {
  TEST_CASE("no beginning of a report is one") {
    for (const auto& [file, kind] : files) {
      CAPTURE(file);
      const auto text = data(file);
      const auto end = text.find_last_of("}]");
      for (std::size_t length = 0; length <= end; ++length) {
        const auto parsed = parse(kind, text.substr(0, length), everything(length, kind));
        if (parsed || parsed.error().message().empty()) FAIL_CHECK("read, or without a reason, at ", length);
        if (length % 97 == 0) CHECK_FALSE(parse(magic, text.substr(0, length)).has_value());
      }
    }
    // Of lines and tables those before are results. A copy of just that size shows what reads past its end.
    for (const auto& [file, kind] : texts) {
      CAPTURE(file);
      const auto text = data(file);
      const auto whole = test::results_of(kind, text).size();
      for (std::size_t length = 0; length <= text.size(); ++length) {
        const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
        const auto parsed = parse(kind, std::string_view(exact.data(), exact.size()), everything(0));
        if (parsed ? parsed->results.size() > whole : parsed.error().message().empty())
          FAIL_CHECK("more results, or no reason, at ", length);
      }
    }
  }

  TEST_CASE("a value of another type is refused with a pointer, or has no weight") {
    constexpr std::string_view others[]{"null",   "true", "\"NaN\"", "[]",          "{}",
                                        "[[{}]]", "-1",   "1e308",   "\"1,2 ± 3\"", "1e-400"};
    for (const auto& [file, kind] : files) {
      CAPTURE(file);
      const auto text = data(file);
      std::size_t turn = 0, refused = 0;
      for (const auto& [from, size] : scalars(text))
        for (const auto other : others) {
          const auto changed = std::string(text).replace(from, size, other);
          const auto parsed = parse(kind, changed, everything(turn++, kind));
          if (parsed) {
            for (const auto benchmark : parsed->results)
              for (const auto m : benchmark.measures)
                if (!std::isfinite(m.metric.value)) FAIL_CHECK("not finite: ", changed.substr(from - 20, 60));
            continue;
          }
          ++refused;
          const auto why = parsed.error().message();
          const bool clear = why.find(": at /") != std::string::npos ||
                             why.find(" lacks its field ") != std::string::npos ||
                             why.find("well-formed but has no ") != std::string::npos;
          // The form of nanobench's names is mended by lines, so that others than the changed one may be meant.
          if (!clear) FAIL_CHECK(why, " for ", other, " in ", changed.substr(from < 30 ? 0 : from - 30, 60));
        }
      CHECK(refused > 0);
      CHECK(parse(kind, text, everything(0)).has_value());
    }
  }

  TEST_CASE("numbers beyond all doubles are refused where they stand") {
    CHECK(test::refusal(js_deno, R"({"benches":[{"name":"a","results":[{"ok":{"avg":1e999}}]}]})")
              .find("at /benches/0/results/0/ok/avg: ") != std::string::npos);
    CHECK(test::refusal(python_pyperf,
                        R"({"version":"1.0","metadata":{"name":"a"},"benchmarks":[{"runs":[{"values":[1e999]}]}]})")
              .find("at /benchmarks/0/runs/0/values/0: ") != std::string::npos);
    // What only becomes too large is left out.
    const auto parsed = test::must_parse(
        python_pyperf,
        R"({"version":"1.0","metadata":{"name":"a"},"benchmarks":[{"runs":[{"values":[1e308,1e308]}]}]})");
    REQUIRE(parsed.results.size() == 1);
    CHECK(parsed.results[0].measures.size() == 0);
    CHECK(parsed.warnings == std::vector<std::string>{"1 value is no finite number and is left out"});
  }

  TEST_CASE("what is empty has no results") {
    for (const auto& [kind, text] :
         {std::pair{rust_criterion_json, R"({"reason":"benchmark-complete","id":""})"},
          std::pair{cpp_nanobench, R"({"results":[]})"},
          std::pair{cpp_nanobench, "| ns/op | op/s | err% | total | t\n"},
          std::pair{js_mitata, R"({"benchmarks":[{"runs":[]}]})"}, std::pair{js_tinybench, "[]"},
          std::pair{js_tinybench, "[{}]"}, std::pair{js_deno, R"({"benches":[{"name":"a","results":[]}]})"},
          std::pair{python_pyperf, R"({"version":"1.0","benchmarks":[{"runs":[]}]})"},
          std::pair{shell_k6, R"({"root_group":{},"metrics":{}})"},
          std::pair{shell_k6, R"({"results":{"metrics":[]}})"},
          std::pair{julia_benchmark_tools, R"([{"BenchmarkTools":"1"},[]])"}}) {
      CAPTURE(text);
      CHECK_FALSE(parse(kind, text).has_value());
    }
  }

  TEST_CASE("long names, many measures and lines without an end cost their bytes once") {
    const std::string long_name(1'000'000, 'g');
    std::string benches, metrics, table = "| ns/op | op/s | err% | total | " + long_name + "\n";
    for (int i = 0; i < 3'000; ++i) {
      const auto n = std::to_string(i);
      benches += (i ? "," : "") + std::string(R"({"name":"a","group":0,"runs":[{"name":"a","args":{"n":)") + n +
                 R"(},"stats":{"avg":1,"counters":{"c)" + n + R"(":{"avg":1}}}}]})";
      metrics += ",\"p" + n + "\":1";
      table += "| 1 | 1 | 1% | 1 | `n" + n + "`\n";
    }
    CHECK(test::results_of(js_mitata, R"({"layout":[{"name":")" + long_name + R"("}],"benchmarks":[)" + benches + "]}",
                           everything(0))
              .size() >= 1);
    const auto k6 = test::results_of(
        shell_k6, R"({"root_group":{},"metrics":{"http_req_duration":{"avg":1)" + metrics + "}}}", everything(0));
    CHECK(k6[0].measures.size() == 3'001);
    CHECK(test::results_of(cpp_nanobench, table, everything(0)).size() == 3'000);
    for (const std::string_view start :
         {"| ns/op | err% | ", "| `", "\"title\";\"name\";\"unit\";\"batch\";\"elapsed\"\n\"a\";\"",
          "\u2502 Task name \u2502 ", "{\"reason\":\"benchmark-complete\",", "[[\"Trial\",", "{\"benchmarks\":[",
          "{\"metrics\":{\"a\":"}) {
      std::string text;
      while (text.size() < 300'000)
        text.append(start);
      CAPTURE(start);
      for (const auto kind : {rust_criterion_json, cpp_nanobench, js_mitata, js_tinybench, js_deno, python_pyperf,
                              shell_k6, julia_benchmark_tools})
        CHECK_FALSE(parse(kind, text).has_value());
    }
  }
}
