#include "apps/cli/run.hpp"

#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "apps/cli/child.hpp"
#include "apps/cli/mock.hpp"
#include "lib/json/value.hpp"
#include "tests/cli/fake_world.hpp"
#include "tests/cli/folder.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using cli::result_file;
using json::Value;
using test::FakeWorld;

namespace {

const std::string report_text =
    Value::parse(test::read_data("examples/run_post_alert.json")).value()["response"]["body"].compact();
const std::string job_uuid = "99999999-2222-3333-4444-555555555555";

/// A world whose server takes runs, and keeps their bodies.
struct RunWorld : FakeWorld {
  test::Folder folder;
  std::vector<Value> bodies;
  std::string answer_text = report_text;

  RunWorld() {
    world.directory = folder.path("");
    server = [this](const client::HttpRequest& request) {
      if (request.method == "POST" && request.url.ends_with("/v0/run")) {
        bodies.push_back(Value::parse(request.body).value());
        return answer(201, answer_text);
      }
      if (request.method == "GET" && request.url.find("/reports/") != std::string::npos)
        return answer(200, report_text);
      return answer(404, R"({"message":"nothing here"})");
    };
  }

  int run_bencher(std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "--project", "the-computer"});
    return run(words);
  }
};

}  // namespace

TEST_SUITE("cli/run") {
  TEST_CASE("a command's output is sent, with times, settings, context and a random key") {
    RunWorld w;
    CHECK(w.run_bencher({"--branch", "main", "--testbed", "ci", "--adapter", "json", "printf '{}'; echo warm >&2"}) ==
          0);
    REQUIRE(w.bodies.size() == 1);
    const auto& body = w.bodies.front();
    CHECK(body["project"].text() == "the-computer");
    CHECK(body["branch"].text() == "main");
    CHECK(body["testbed"].text() == "ci");
    CHECK(body["results"].compact() == R"(["{}"])");
    CHECK(body["settings"].compact() == R"({"adapter":"json"})");
    CHECK(body["context"]["bencher.dev/v0/testbed/os"].text() == "Linux");
    CHECK(body["start_time"].text() == "2023-11-14T22:13:20.000Z");
    CHECK(body["idempotency_key"].text().size() == 36);
    CHECK(body["idempotency_key"].text()[14] == '4');
    CHECK_FALSE(body.contains("start_point"));
    CHECK_FALSE(body.contains("thresholds"));
    CHECK_FALSE(body.contains("job"));
    CHECK(w.err.str() == "warm\n");
    CHECK(w.out.str().find("View report: http://console.test/perf/the-computer/reports/") != std::string::npos);
    CHECK(w.sent() == std::vector<std::string>{"POST /v0/run"});
  }

  TEST_CASE("one word goes to a shell, more are run as they are") {
    RunWorld w;
    CHECK(w.run_bencher({"--quiet", "echo $((1 + 1))"}) == 0);
    CHECK(w.run_bencher({"--quiet", "echo", "$((1 + 1))"}) == 0);
    CHECK(w.run_bencher({"--quiet", "--exec", "echo"}) == 0);
    CHECK(w.run_bencher({"--quiet", "--shell", "/bin/echo", "--flag", "f", "word"}) == 0);
    w.variables["BENCHER_CMD"] = "echo from $BENCHER_NOTHING env";
    CHECK(w.run_bencher({"--quiet"}) == 0);
    std::vector<std::string> results;
    for (const auto& body : w.bodies)
      results.push_back(body["results"].items().front().text());
    CHECK(results == std::vector<std::string>{"2\n", "$((1 + 1))\n", "\n", "f word\n", "from env\n"});
    CHECK(w.run_bencher({"--shell", "/bin/sh", "two", "words"}) == 2);
  }

  TEST_CASE("iterations, thresholds and a start point are sent") {
    RunWorld w;
    CHECK(w.run_bencher({"--quiet",
                         "--iter",
                         "3",
                         "--fold",
                         "median",
                         "--average",
                         "mean",
                         "--start-point",
                         "main",
                         "--start-point-clone-thresholds",
                         "--threshold-measure",
                         "latency",
                         "--threshold-test",
                         "percentage",
                         "--threshold-upper-boundary",
                         "0.1",
                         "--threshold-measure",
                         "x",
                         "--threshold-test",
                         "z",
                         "--threshold-upper-boundary",
                         "_",
                         "--threshold-lower-boundary",
                         "_",
                         "--threshold-lower-boundary",
                         "0.9",
                         "--thresholds-reset",
                         "--hash",
                         std::string(40, 'b'),
                         "echo hi"}) == 0);
    const auto& body = w.bodies.at(0);
    CHECK(body["results"].compact() == R"(["hi\n","hi\n","hi\n"])");
    CHECK(body["settings"].compact() == R"({"adapter":"magic","average":"mean","fold":"median"})");
    CHECK(body["start_point"].compact() ==
          R"({"branch":"main","max_versions":255,"clone_thresholds":true,"reset":false})");
    CHECK(
        body["thresholds"].compact() ==
        R"({"models":{"latency":{"test":"percentage","upper_boundary":0.1},"x":{"test":"z_score","lower_boundary":0.9}},"reset":true})");
    CHECK(body["hash"].text() == std::string(40, 'b'));
    // An empty start point, as from an empty variable, counts as not given.
    CHECK(w.run_bencher({"--quiet", "--start-point=", "--start-point-reset", "echo hi"}) == 0);
    CHECK(w.bodies.at(1)["start_point"].compact() == R"({"max_versions":255,"clone_thresholds":false,"reset":true})");
  }

  TEST_CASE("files of several adapters, and options of reading, are read here and sent as what they hold") {
    RunWorld w;
    w.folder.write("a.json", R"({"a":{"latency":{"value":1}}})");
    w.folder.write("b.txt", "BenchmarkB-8  100  5 ns/op  16 B/op\n");
    CHECK(w.run_bencher({"--file", "a.json:json", "--file", "b.txt:go_bench", "--average", "mean"}) == 0);
    const auto& body = w.bodies.at(0);
    REQUIRE(body["results"].items().size() == 2);
    CHECK(body["results"].items()[0].text() == "{\n  \"a\": {\n    \"latency\": {\"value\": 1.0}\n  }\n}\n");
    CHECK(body["results"].items()[1].text() == "{\n  \"BenchmarkB-8\": {\n    \"latency\": {\"value\": 5.0}\n  }\n}\n");
    CHECK(body["settings"].compact() == R"({"adapter":"json"})");
    CHECK(w.err.str().find("warning: b.txt: ") != std::string::npos);

    RunWorld all;
    CHECK(all.run_bencher({"--adapter", "go_bench", "--all-measures", "--fold-repeats", "max", "--iter", "1", "--fold",
                           "min", "echo 'BenchmarkB-8  100  5 ns/op  16 B/op'; echo 'BenchmarkB-8  100  9 ns/op'"}) ==
          0);
    CHECK(all.bodies.at(0)["results"].items().at(0).text() ==
          "{\n  \"BenchmarkB-8\": {\n    \"latency\": {\"value\": 9.0},\n    \"B/op\": {\"value\": 16.0}\n  }\n}\n");
    CHECK(all.bodies.at(0)["settings"].compact() == R"({"adapter":"json","fold":"min"})");
    CHECK(all.err.str().find("warning") == std::string::npos);

    RunWorld none;
    CHECK(none.run_bencher({"--all-measures", "echo nothing"}) == 3);
    CHECK(none.err.str().find("no results: result 0") != std::string::npos);
    CHECK(none.requests.empty());
  }

  TEST_CASE("a mapping file reads any JSON or CSV, here for files and on the server for an image") {
    const std::string mapping =
        R"({"format":"csv","name":"benchmark","metrics":[{"measure":"latency","value":"time","unit":"us"}]})";
    RunWorld w;
    w.folder.write("map.json", mapping);
    w.folder.write("a.csv", "benchmark,time\nfirst,1.5\n");
    CHECK(w.run_bencher({"--adapter", "mapping:map.json", "--file", "a.csv"}) == 0);
    CHECK(w.bodies.at(0)["results"].items()[0].text() ==
          "{\n  \"first\": {\n    \"latency\": {\"value\": 1500.0}\n  }\n}\n");
    CHECK(w.bodies.at(0)["settings"].compact() == R"({"adapter":"json"})");
    CHECK(w.run_bencher({"--adapter", "mapping:map.json", "--image", "x:v1", "--detach"}) == 0);
    CHECK(w.bodies.at(1)["settings"]["mapping"].text() == mapping);
    CHECK(w.bodies.at(1)["settings"]["adapter"].text() == "json");

    RunWorld bad;
    bad.folder.write("map.json", R"({"format":"xml"})");
    CHECK(bad.run_bencher({"--adapter", "mapping:map.json", "touch ran"}) == 2);
    CHECK(bad.err.str().find("map.json: ") != std::string::npos);
    CHECK(bad.run_bencher({"--adapter", "mapping:nowhere.json", "touch ran"}) == 2);
    CHECK_FALSE(std::filesystem::exists(bad.folder.path("ran")));
  }

  TEST_CASE("a file's adapter follows the last colon, if there is one of that name") {
    CHECK(result_file("a:b.txt").path == "a:b.txt");
    CHECK_FALSE(result_file("a:b.txt").adapter.has_value());
    CHECK(result_file("a:b:go_bench").path == "a:b");
    CHECK(result_file("a:b:go_bench").adapter == AdapterKind::go_bench);
    CHECK(result_file("a:rust").adapter == AdapterKind::magic);
    CHECK_FALSE(result_file(":json").adapter.has_value());
    CHECK_FALSE(result_file("json").adapter.has_value());
  }

  TEST_CASE("for an image the server is told how to read") {
    RunWorld w;
    CHECK(w.run_bencher({"--image", "x:v1", "--detach", "--distinct-names", "--fold-repeats", "median", "--file",
                         "a.json", "--file", "b.txt:go_bench", "--adapter", "json"}) == 0);
    CHECK(w.bodies.at(0)["settings"].compact() ==
          R"({"adapter":"json","distinct_names":true,"fold_repeats":"median","file_adapters":{"b.txt":"go_bench"}})");
    CHECK(w.bodies.at(0)["job"]["file_paths"].compact() == R"(["a.json","b.txt"])");
  }

  TEST_CASE("warnings of the server are shown") {
    RunWorld w;
    auto report = Value::parse(report_text).value();
    report.set("warnings", Value::parse(R"(["result 0: 3 values of B/op are left out"])").value());
    w.answer_text = report.compact();
    CHECK(w.run_bencher({"echo hi"}) == 0);
    CHECK(w.err.str().find("warning: result 0: 3 values of B/op are left out\n") != std::string::npos);
  }

  TEST_CASE("lists of thresholds that do not fit together are refused before the benchmark runs") {
    const std::pair<std::vector<std::string>, const char*> rows[]{
        {{"--threshold-measure", "a"}, "--threshold-measure 'a' has no --threshold-test"},
        {{"--threshold-measure", "a", "--threshold-test", "t", "--threshold-test", "t", "--threshold-upper-boundary",
          "0.9"},
         "--threshold-test is there 2 times"},
        {{"--threshold-measure", "a", "--threshold-test", "t", "--threshold-window", "1", "--threshold-window", "2",
          "--threshold-upper-boundary", "0.9"},
         "--threshold-window is there 2 times"},
        {{"--threshold-measure", "a", "--threshold-test", "t", "--threshold-upper-boundary", "7"},
         "measure 'a': threshold model: upper_boundary is 7"}};
    for (auto [words, message] : rows) {
      RunWorld w;
      words.push_back("touch " + w.folder.path("ran"));
      CHECK(w.run_bencher(words) == 2);
      CAPTURE(w.err.str());
      CHECK(w.err.str().find(message) != std::string::npos);
      CHECK_FALSE(std::filesystem::exists(w.folder.path("ran")));
      CHECK(w.requests.empty());
    }
  }

  TEST_CASE("a benchmark that fails ends with 3, also when a signal killed it") {
    RunWorld w;
    CHECK(w.run_bencher({"echo lost; echo why >&2; exit 7"}) == 3);
    CHECK(w.err.str().find("'/bin/sh -c echo lost; echo why >&2; exit 7' failed: exit code 7") != std::string::npos);
    CHECK(w.run_bencher({"--quiet", "echo lost; echo why >&2; exit 7"}) == 3);
    CHECK(w.err.str().find("stdout:\nlost") != std::string::npos);
    CHECK(w.run_bencher({"kill -9 $$"}) == 3);
    CHECK(w.err.str().find("killed by signal 9") != std::string::npos);
    CHECK(w.run_bencher({"no-such-program", "x"}) == 3);
    CHECK(w.err.str().find("cannot run 'no-such-program': No such file or directory") != std::string::npos);
    CHECK(w.run_bencher({"kill -INT $$"}) == 130);
    CHECK(w.requests.empty());
  }

  TEST_CASE("with allow-failure the failed iterations are left out, and it says so") {
    RunWorld w;
    CHECK(w.run_bencher({"--quiet", "--allow-failure", "--iter", "2",
                         "test -e flag && echo second; r=$?; touch flag; exit $r"}) == 0);
    CHECK(w.bodies.at(0)["results"].compact() == R"(["second\n"])");
    CHECK(w.err.str().find("its results are left out") != std::string::npos);
  }

  TEST_CASE("files, their sizes and build time are results") {
    RunWorld w;
    w.folder.write("a.json", "{\"x\":{}}");
    w.folder.write("sub/b.bin", "12345");
    CHECK(w.run_bencher({"--quiet", "--file", "a.json", "--file", w.folder.path("sub/b.bin")}) == 0);
    CHECK(w.bodies.at(0)["results"].compact() == R"(["{\"x\":{}}","12345"])");
    CHECK(w.run_bencher({"--quiet", "--file", "made.txt", "echo ignored; printf made > made.txt"}) == 0);
    CHECK(w.bodies.at(1)["results"].compact() == R"(["made"])");
    CHECK(w.run_bencher({"--quiet", "--file-size", "sub/b.bin"}) == 0);
    CHECK(w.bodies.at(2)["results"].items().at(0).text() ==
          R"({"b.bin":{"file-size":{"value":5,"lower_value":null,"upper_value":null}}})");
    CHECK(w.run_bencher({"--quiet", "--build-time", "--file-size", "sub/b.bin", "--exec", "true"}) == 0);
    const auto bmf = parse(AdapterKind::json, w.bodies.at(3)["results"].items().at(0).text(), {});
    REQUIRE(bmf.has_value());
    REQUIRE(bmf->results.size() == 2);
    CHECK(bmf->results[1].name == "true");
    CHECK(bmf->results[1].measures[0].measure == "build-time");
    CHECK(w.run_bencher({"--file", "missing"}) == 3);
    CHECK(w.run_bencher({"--build-time"}) == 2);
    CHECK(w.run_bencher({"--build-time", "--adapter", "go_bench", "true"}) == 2);
  }

  TEST_CASE("without a command, results come from standard input") {
    RunWorld w;
    w.input = "piped";
    CHECK(w.run_bencher({"--quiet", "--iter", "2"}) == 0);
    CHECK(w.bodies.at(0)["results"].compact() == R"(["piped","piped"])");
    w.input = "";
    CHECK(w.run_bencher({}) == 2);
    w.input.reset();
    CHECK(w.run_bencher({}) == 2);
    CHECK(w.err.str().find("nothing to run") != std::string::npos);
    CHECK(w.run_bencher({"--iter", "0", "true"}) == 2);
  }

  TEST_CASE("output that is not UTF-8 is sent with replacement characters") {
    RunWorld w;
    CHECK(w.run_bencher({"--quiet", "printf 'a\\377b'"}) == 0);
    CHECK(w.bodies.at(0)["results"].items().at(0).text() == "a\uFFFDb");
  }

  TEST_CASE("backdating keeps the duration") {
    RunWorld w;
    CHECK(w.run_bencher({"--quiet", "--backdate", "1000000000", "true"}) == 0);
    CHECK(w.bodies.at(0)["start_time"].text() == "2001-09-09T01:46:40.000Z");
  }

  TEST_CASE("a dry run sends nothing, not even a look at the version") {
    RunWorld w;
    CHECK(w.run_bencher({"--dry-run", "echo hi"}) == 0);
    CHECK(w.requests.empty());
    CHECK(w.out.str().find("New report:\n{\n  \"project\": \"the-computer\"") != std::string::npos);
    CHECK(w.run_bencher({"--dry-run", "exit 1"}) == 3);
  }

  TEST_CASE("alerts end with 7 when asked to, after the report was shown") {
    RunWorld w;
    CHECK(w.run_bencher({"true"}) == 0);
    CHECK(w.run_bencher({"--err", "true"}) == 7);
    CHECK(w.err.str().find("the report has 1 alert\n") != std::string::npos);
    CHECK(w.out.str().find("View alerts:") != std::string::npos);
  }

  TEST_CASE("with data as the format, standard output is data alone") {
    RunWorld w;
    CHECK(w.run_bencher({"--format", "json", "echo noise"}) == 0);
    const auto printed = Value::parse(w.out.str());
    REQUIRE(printed.has_value());
    CHECK(printed->compact() == report_text);
    CHECK(w.err.str().find("noise") != std::string::npos);
    RunWorld html;
    CHECK(html.run_bencher({"--format", "html", "--build-time", "true"}) == 0);
    CHECK(html.out.str().starts_with("<h2>"));
    CHECK(html.out.str().ends_with("id/main/base-camp/json-build_time\"></div>\n"));
  }

  TEST_CASE("quiet shows the report only") {
    RunWorld w;
    CHECK(w.run_bencher({"--quiet", "echo out; echo err >&2"}) == 0);
    CHECK(w.out.str().starts_with("1 alert\n"));
    CHECK(w.err.str().empty());
  }

  TEST_CASE("a project has to be named where nobody could tell which is meant") {
    RunWorld w;
    w.variables["CI"] = "true";
    CHECK(w.run({"run", "true"}) == 2);
    CHECK(w.err.str().find("no project in CI") != std::string::npos);
    CHECK(w.run({"run", "--ci-on-the-fly", "true"}) == 0);
    CHECK_FALSE(w.bodies.at(0).contains("project"));
    w.variables.erase("CI");
    CHECK(w.run({"run", "--key", "bencher_run_" + std::string(30, 'x'), "true"}) == 2);
    CHECK(w.run({"run", "--key", "bencher_run_" + std::string(30, 'x'), "--image", "proj:v1", "--detach"}) == 0);
    CHECK(w.run({"run", "--key", "bencher_run_" + std::string(30, 'x'), "--image", "registry.example/a/b:v1"}) == 2);
  }

  TEST_CASE("what is not built yet says so and runs nothing") {
    RunWorld w;
    const auto touch = "touch " + w.folder.path("ran");
    CHECK(w.run_bencher({"--github-actions", "token", touch}) == 2);
    CHECK(w.err.str().find("--github-actions: posting to GitHub Actions is not built yet") != std::string::npos);
    CHECK(w.run_bencher({"--github-actions", "token", "--ci-only-on-alert", touch}) == 2);
    CHECK(w.run({"up", "api", "--detach"}) == 2);
    CHECK(w.run({"logs"}) == 2);
    CHECK(w.run({"down"}) == 2);
    CHECK(w.err.str().find("'bencher down' is not built yet") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(w.folder.path("ran")));
    CHECK(w.requests.empty());
  }

  TEST_CASE("a job is described in full, and its environment is never shown") {
    RunWorld w;
    CHECK(w.run_bencher({"--image",       "bench:v1",    "--spec",          "small",      "--entrypoint",
                         "/run",          "--env",       "TOKEN=hush=hush", "--env",      "E=",
                         "--job-timeout", "60",          "--iter",          "2",          "--allow-failure",
                         "--build-time",  "--file-size", "/out/a",          "--backdate", "1000000000",
                         "--detach",      "make bench"}) == 0);
    const auto& body = w.bodies.at(0);
    CHECK(body["results"].compact() == "[]");
    CHECK(body["start_time"].text() == body["end_time"].text());
    CHECK(
        body["job"].compact() ==
        R"({"image":"bench:v1","spec":"small","entrypoint":["/run"],"cmd":["/bin/sh","-c","make bench"],"env":{"TOKEN":"hush=hush","E":""},)"
        R"("timeout":60,"file_paths":["/out/a"],"file_size":true,"build_time":true,"iter":2,"allow_failure":true,"backdate":"2001-09-09T01:46:40Z"})");
    CHECK(w.out.str().find("hush") == std::string::npos);
    CHECK(w.out.str().find("\"TOKEN\": \"***\"") != std::string::npos);
    CHECK(w.run_bencher({"--quiet", "--detach", "--image", "bench", "--cmd", "a", "--cmd", "b c"}) == 0);
    CHECK(w.bodies.at(1)["job"].compact() == R"({"image":"bench","cmd":["a","b c"],"iter":1})");
    CHECK(w.run_bencher({"--quiet", "--detach", "--image", "bench"}) == 0);
    CHECK(w.bodies.at(2)["job"].compact() == R"({"image":"bench","iter":1})");
    CHECK(w.run_bencher({"--image", "bench", "--cmd", "a", "other"}) == 2);
    CHECK(w.run_bencher({"--image", "bench", "--env", "=x"}) == 2);
  }
}

TEST_SUITE("cli/child") {
  TEST_CASE("what a child leaves running is not waited for") {
    // The orphan holds the pipes open until this test lets it go.
    test::Folder folder;
    const auto child = cli::run_child(
        {.argv = {"/bin/sh", "-c", "mkfifo hold; (read x < hold) & echo done"}, .directory = folder.path("")});
    REQUIRE(child.has_value());
    CHECK(child->succeeded());
    CHECK(child->out == "done\n");
    std::ofstream(folder.path("hold")) << "go\n";
  }

  TEST_CASE("much output on both streams is collected whole") {
    const auto child =
        cli::run_child({.argv = {"/bin/sh", "-c", "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"}});
    REQUIRE(child.has_value());
    CHECK(child->out.size() == 3'000'000);
    CHECK(child->err.size() == 2'000'000);
  }

  TEST_CASE("too much output is refused") {
    const auto child = cli::run_child({.argv = {"/bin/sh", "-c", "head -c 70000000 /dev/zero"}});
    REQUIRE_FALSE(child.has_value());
    CHECK(child.error().code() == Errc::too_large);
  }
}

TEST_SUITE("cli/mock") {
  TEST_CASE("mock results are in their range, repeat with a seed, and are Bencher Metric Format") {
    FakeWorld w;
    CHECK(w.run({"mock", "--seed", "7", "--count", "3", "--measure", "latency", "--measure", "x", "--pow", "2"}) == 0);
    const auto text = w.out.str();
    const auto results = parse(AdapterKind::json, text, {});
    REQUIRE(results.has_value());
    REQUIRE(results->results.size() == 3);
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(results->results[c].name == "bencher::mock_" + std::to_string(c));
      REQUIRE(results->results[c].measures.size() == 2);
      for (const auto [measure, metric] : results->results[c].measures) {
        CHECK(metric.value >= 100.0 * static_cast<double>(c));
        CHECK(metric.value < 100.0 * static_cast<double>(c + 1));
        CHECK(metric.lower.value() == doctest::Approx(metric.value * 0.9));
        CHECK(metric.upper.value() == doctest::Approx(metric.value * 1.1));
      }
    }
    FakeWorld again;
    again.run({"mock", "--seed", "7", "--count", "3", "--measure", "latency", "--measure", "x", "--pow", "2"});
    CHECK(again.out.str() == text);
    CHECK(FakeWorld().run({"mock", "--fail"}) == 1);
    CHECK(FakeWorld().run({"mock", "--pow", "400"}) == 2);
    CHECK(FakeWorld().run({"mock", "--count", "99999999999"}) == 2);
  }
}
