// The example as it is run: what it prints where, and how it ends.

#include <cstdlib>
#include <string>
#include <sys/wait.h>

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/cli/folder.hpp"
#include "tests/support/data.hpp"

using namespace bencher;

namespace {

struct Ran {
  int code = -1;
  std::string out, err;
};

/// A folder with files, in which the program runs.
struct Place : test::Folder {
  /// `arguments` as a shell takes them; `input` is standard input.
  Ran run(const std::string& arguments, const std::string& input = {}) const {
    write("stdin", input);
    const auto line = "cd '" + path("") + "' && { " BENCHER_BIN_DIR "/examples/parse_results " + arguments +
                      "; } < stdin > stdout 2> stderr";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("stdout"), read("stderr")};
  }
  std::string read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

const std::string go_output =
    "BenchmarkA-2\t1\t3 ns/op\nBenchmarkB-2\t1\t0.1 ns/op\t7 B/op\nBenchmarkA-2\t1\t1 ns/op\n";

}  // namespace

TEST_SUITE("examples/parse_results") {
  TEST_CASE("prints the results of a file, of standard input, and of - in the order of the text") {
    const Place place;
    place.write("out.txt", go_output);
    const std::string expected =
        "{\n"
        "  \"BenchmarkA-2\": {\n    \"latency\": {\"value\": 1.0}\n  },\n"
        "  \"BenchmarkB-2\": {\n    \"latency\": {\"value\": 0.1}\n  }\n"
        "}\n";
    for (const auto* arguments : {"--adapter go_bench out.txt", "--adapter=go_bench -- out.txt", "--adapter go_bench -",
                                  "--adapter go_bench", "- --adapter magic", "--adapter go < out.txt"}) {
      CAPTURE(arguments);
      const auto ran = place.run(arguments, go_output);
      CHECK(ran.code == 0);
      CHECK(ran.out == expected);
      CHECK(ran.err ==
            "warning: 1 result repeats a name and replaces what came before ('BenchmarkA-2' is the first): fold them "
            "with fold_repeats, or tell them apart with distinct_names\n"
            "warning: not kept as measures: B/op × 1; all_measures keeps them\n");
    }
  }

  TEST_CASE("the options are those of the library") {
    const Place place;
    const auto value = [&](const std::string& fold) {
      const auto ran = place.run("--adapter go_bench --all-measures --fold-repeats " + fold, go_output);
      CHECK(ran.code == 0);
      CHECK(ran.err.empty());
      CHECK(ran.out.find("\"B/op\": {\"value\": 7.0}") != std::string::npos);
      const auto at = ran.out.find("\"value\": ") + 9;
      return ran.out.substr(at, ran.out.find('}', at) - at);
    };
    CHECK(value("min") == "1.0");
    CHECK(value("max") == "3.0");
    CHECK(value("mean") == "2.0");
    CHECK(value("median") == "2.0");
    const auto averages = test::read_data("adapters/python_pytest/made_averages.input.json");
    const auto mean = place.run("--adapter python_pytest --average mean", averages);
    const auto median = place.run("--adapter python_pytest --average=median", averages);
    CHECK(mean.code == 0);
    CHECK(median.code == 0);
    CHECK(mean.out != median.out);
    const auto distinct = place.run("--adapter java_jmh --distinct-names",
                                    test::read_data("adapters/java_jmh/made_params_collide.input.json"));
    CHECK(distinct.out.find("\"a.x [avgt, n=2]\"") != std::string::npos);
  }

  TEST_CASE("what it prints reads back as the same results, also when it is large") {
    const Place place;
    std::string many = "{";
    for (int i = 0; i < 20'000; ++i)
      many += (i ? "," : "") + ("\"a\\\"\\u00e9\\n" + std::to_string(i)) + R"(":{"latency":{"value":)" +
              std::to_string(i) + ".1e-7,\"lower_value\":-1e300,\"upper_value\":" + std::to_string(i) + "}}";
    many += R"(,"empty":{}})";
    const auto ran = place.run("--adapter json", many);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    CHECK(ran.out.size() > 1'000'000);
    const auto before = parse(AdapterKind::json, many), after = parse(AdapterKind::json, ran.out);
    REQUIRE(before.has_value());
    REQUIRE(after.has_value());
    CHECK(before->results == after->results);
    CHECK(place.run("--adapter json", "{}").out == "{}\n");
  }

  TEST_CASE("a mapping file is an adapter, too") {
    const Place place;
    place.write("map.json", R"({"format":"csv","name":"n","metrics":[{"measure":"latency","value":"t","unit":"us"}]})");
    const auto ran = place.run("--adapter mapping:map.json", "n,t\na,2\nb,\n");
    CHECK(ran.code == 0);
    CHECK(ran.out == "{\n  \"a\": {\n    \"latency\": {\"value\": 2000.0}\n  }\n}\n");
    CHECK(ran.err == "warning: 1 row has no latency and is left out of it; the first lacks 't' in line 3\n");
    place.write("bad.json", R"({"format":"csv"})");
    CHECK(place.run("--adapter mapping:bad.json", "n,t\n").err ==
          "error: bad.json: mapping: a mapping lacks its field 'name' (line 1, column 1)\n");
    CHECK(place.run("--adapter mapping:none.json", "n,t\n").err ==
          "error: cannot read 'none.json': No such file or directory\n");
    CHECK(place.run("--adapter mapping:map.json", "n,t\na,x\n").err ==
          "error: mapped results: line 2, column 't': the text 'x' is no number\n");
  }

  TEST_CASE("what is wrong ends with 2, says why, and leaves standard output empty") {
    const Place place;
    const auto refusal = [&](const std::string& arguments, const std::string& input = {}) {
      const auto ran = place.run(arguments, input);
      CHECK(ran.code == 2);
      CHECK(ran.out.empty());
      return ran.err;
    };
    CHECK(refusal("--adapter json", R"({"a":{"latency":{"value":"1"}}})") ==
          "error: json results: at /a/latency/value: expected a number, found a string (line 1, column 26)\n");
    CHECK(refusal("--adapter go_bench", "PASS\nok\n").starts_with("error: go_bench results: none of 3 lines reads as"));
    CHECK(refusal("--adapter magic", "").starts_with("error: no adapter found results in the output (it is empty)"));
    CHECK(refusal("--adapter json missing.json") == "error: cannot read 'missing.json': No such file or directory\n");
    CHECK(refusal("--adapter json .") == "error: cannot read '.': Is a directory\n");
    CHECK(refusal("--adapter golang").starts_with("error: adapter 'golang' is not one of magic, json, "));
    CHECK(refusal("--adapter json --fold-repeats sum").starts_with("error: fold 'sum' is not one of min"));
    CHECK(refusal("--adapter json --average mode").starts_with("error: average 'mode' is neither"));
    CHECK(refusal("--adapter go_bench --average median", go_output) ==
          "error: go_bench results have no median: leave the average out or choose mean\n");
    for (const auto* arguments : {"", "--adapter", "--adapter json --all", "--adapter json a b", "--adapter json -x",
                                  "--adapter json --all-measures=1"}) {
      CAPTURE(arguments);
      CHECK(refusal(arguments).ends_with("(--help shows how it is used)\n"));
    }
  }

  TEST_CASE("results that cannot be written are an error") {
    const Place place;
    const auto ran = place.run("--adapter go_bench - > /dev/full", go_output);
    CHECK(ran.code == 2);
    CHECK(ran.err.find("error: cannot write the results: No space left on device\n") != std::string::npos);
  }

  TEST_CASE("help names every adapter") {
    const auto ran = Place().run("--help");
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    for (const auto kind : adapter_kinds())
      CHECK(ran.out.find(name(kind)) != std::string::npos);
  }
}
