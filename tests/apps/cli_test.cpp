// The command line against the real server and runner.
#include <fstream>

#include <doctest/doctest.h>

#include "tests/support/world.hpp"

using namespace bencher::test;

namespace {

const std::string results = R"({"bench":{"latency":{"value":100}}})";

struct CliWorld : World {
  std::unique_ptr<ChildProcess> start(std::vector<std::string> arguments, ChildProcess::Env env = {}) {
    arguments.insert(arguments.begin(), std::string(BENCHER_BIN_DIR) + "/bencher");
    env.try_emplace("BENCHER_HOST", server.url());
    env.try_emplace("BENCHER_API_KEY", user_key);
    return std::make_unique<ChildProcess>(std::move(arguments), env);
  }
  struct Ended {
    int code;
    std::string text;
  };
  Ended cli(std::vector<std::string> arguments, ChildProcess::Env env = {}) {
    auto process = start(std::move(arguments), std::move(env));
    const int code = process->wait();
    return {code, process->text()};
  }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(dir / name) << text;
    return (dir / name).string();
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("apps/cli") {
  TEST_CASE("a local command's results are reported; the slower one raises an alert and ends with 7") {
    CliWorld w;
    const std::vector<std::string> common{"run",        "--project",
                                          "bench",      "--branch",
                                          "main",       "--testbed",
                                          "lab",        "--adapter",
                                          "json",       "--threshold-measure",
                                          "latency",    "--threshold-test",
                                          "percentage", "--threshold-upper-boundary",
                                          "0.1",        "--error-on-alert"};
    auto first = common;
    first.push_back("echo '" + results + "'");
    const auto good = w.cli(first);
    CAPTURE(good.text);
    CHECK(good.code == 0);
    CHECK(has(good.text, "View report: "));
    auto second = common;
    second.push_back(R"(echo '{"bench":{"latency":{"value":150}}}')");
    const auto slow = w.cli(second);
    CAPTURE(slow.text);
    CHECK(slow.code == 7);
    CHECK(has(slow.text, "1 alert"));
    CHECK(has(slow.text, "+50.00%"));
  }

  TEST_CASE("json on standard output is the report, and nothing else when quiet") {
    CliWorld w;
    const auto path = w.file("r.json", results);
    const auto ended =
        w.cli({"run", "--project", "bench", "--file", path, "--adapter", "json", "--format", "json", "--quiet"});
    REQUIRE(ended.code == 0);
    const auto report = json::parse(ended.text);
    CHECK(report.at("project").at("slug") == "bench");
    CHECK(report.at("results").at(0).at(0).at("benchmark").at("name") == "bench");
    const auto html =
        w.cli({"run", "--project", "bench", "--file", path, "--adapter", "json", "--format", "html", "--quiet"});
    CHECK(html.code == 0);
    CHECK(has(html.text, "<div id=\"bencher.dev/projects/bench/id/"));
  }

  TEST_CASE("resource commands print what the server says") {
    CliWorld w;
    CHECK(has(w.cli({"project", "view", "bench"}).text, "\"slug\": \"bench\""));
    CHECK(has(w.cli({"branch", "create", "--name", "feature/a", "bench"}).text, "\"slug\": \"feature-a\""));
    CHECK(has(w.cli({"branch", "ls", "bench"}).text, "feature/a"));
    CHECK(has(w.cli({"testbed", "create", "--name", "Lab", "bench"}).text, "\"slug\": \"lab\""));
    CHECK(has(w.cli({"measure", "create", "--name", "Screams", "--units", "Decibels (dB)", "bench"}).text, "screams"));
    CHECK(has(w.cli({"threshold", "create", "--branch", "feature-a", "--testbed", "lab", "--measure", "screams",
                     "--test", "t_test", "--upper-boundary", "0.99", "bench"})
                  .text,
              "\"test\": \"t_test\""));
    CHECK(w.cli({"archive", "--project", "bench", "--branch", "feature-a"}).text ==
          "Successfully archived the branch (feature-a).\n");
    CHECK(w.cli({"branch", "list", "bench"}).text == "[]\n");
    CHECK(has(w.cli({"spec", "create", "--name", "Small", "--os", "linux", "--architecture", "x86_64", "--cpu", "1",
                     "--memory", "1000", "--disk", "1000", "--fallback"})
                  .text,
              "\"slug\": \"small\""));
    CHECK(has(w.cli({"server", "version"}).text, "\"version\": \"0.6.12\""));
    CHECK(has(w.cli({"alert", "list", "bench"}).text, "[]"));
    CHECK(has(w.cli({"user", "view", "ada-admin"}).text, "ada@example.com"));
  }

  TEST_CASE("exit codes tell what was wrong") {
    CliWorld w;
    CHECK(w.cli({"run", "--nonsense"}).code == 2);
    CHECK(w.cli({"run", "--project", "bench", "exit 5"}).code == 3);
    CHECK(w.cli({"run", "--project", "bench", "kill -9 $$"}).code == 3);
    CHECK(w.cli({"org", "ls"}, {{"BENCHER_API_KEY", ""}}).code == 4);
    CHECK(w.cli({"user", "list"}, {{"BENCHER_API_KEY", "bencher_user_" + std::string(30, 'x')}}).code == 4);
    CHECK(w.cli({"project", "view", "no-such-project"}).code == 5);
    CHECK(w.cli({"run", "--project", "bench", "--adapter", "json", "echo garbage"}).code == 5);
    CHECK(w.cli({"project", "view", "--attempts", "1", "bench"}, {{"BENCHER_HOST", "http://127.0.0.1:1"}}).code == 6);
  }

  TEST_CASE("an image is run on a runner, its log comes live, and what goes wrong has a code of its own") {
    CliWorld w;
    w.add_runner();
    auto runner = w.start_runner();
    runner->line("Polling for jobs");
    w.push_script("good", "echo measuring >&2; echo '" + results + "'");
    w.push_script("bad", "echo broken >&2; exit 3");
    const auto good = w.cli({"run", "--project", "bench", "--image", "bench:good", "--adapter", "json"});
    CAPTURE(good.text);
    CHECK(good.code == 0);
    CHECK(has(good.text, "measuring"));
    CHECK(has(good.text, "View report: "));
    const auto bad = w.cli({"run", "--project", "bench", "--image", "bench:bad", "--adapter", "json"});
    CAPTURE(bad.text);
    CHECK(bad.code == 9);
    CHECK(has(bad.text, "broken"));
    CHECK(has(bad.text, "exit code 3"));
    const auto missing = w.cli({"run", "--project", "bench", "--image", "bench:nope", "--adapter", "json"});
    CHECK(missing.code == 5);
    CHECK(has(missing.text, "no tag 'nope'"));
  }

  TEST_CASE("files of several adapters, and options of reading, work for an image and for files alike") {
    CliWorld w;
    w.add_runner();
    auto runner = w.start_runner();
    runner->line("Polling for jobs");
    const std::string go = "BenchmarkB-8  100  5 ns/op  16 B/op\nBenchmarkB-8  100  7 ns/op\n";
    w.push_script("files", "printf '" + results + "' > a.json; printf '" + go + "' > b.txt");
    const std::vector<std::string> options{"--average", "mean", "--fold-repeats", "mean", "--format", "json"};
    const auto with = [&](std::vector<std::string> words) {
      words.insert(words.begin(), {"run", "--project", "bench"});
      words.insert(words.end(), options.begin(), options.end());
      return w.cli(words);
    };
    const auto check = [&](const CliWorld::Ended& ended, std::string_view warned) {
      CAPTURE(ended.text);
      CHECK(ended.code == 0);
      CHECK(has(ended.text, warned));
      CHECK(has(ended.text, R"("name": "bench")"));
      CHECK(has(ended.text, R"("name": "BenchmarkB-8")"));
      CHECK(has(ended.text, R"("value": 6.0)"));
    };
    check(with({"--image", "bench:files", "--file", "a.json:json", "--file", "b.txt:go_bench"}), "warning: b.txt: ");
    const auto a = w.file("a.json", results), b = w.file("b.txt", go);
    check(with({"--file", a + ":json", "--file", b + ":go_bench"}), "warning: " + b + ": ");
  }

  TEST_CASE("Ctrl-C once detaches and the job goes on; twice cancels it") {
    CliWorld w;
    w.add_runner();
    auto runner = w.start_runner();
    runner->line("Polling for jobs");
    const Gate gate(w.dir / "gate");
    w.push_script("waits", "echo started >&2; head -n 1 " + gate.path() + " >&2; echo '" + results + "'");
    const std::vector<std::string> command{"run", "--project", "bench", "--image", "bench:waits", "--adapter", "json"};

    auto detached = w.start(command);
    detached->line("started");
    detached->signal(SIGINT);
    CHECK(detached->wait() == 130);
    CHECK(has(detached->text(), "bencher job"));
    auto jobs = w.admin.get("/v0/projects/bench/jobs");
    const auto first = jobs.str("/0/uuid");
    CHECK(jobs.str("/0/status") == "running");
    gate.let_through();
    CHECK(w.ended(first).str("/status") == "processed");

    auto canceled = w.start(command);
    canceled->line("started");
    canceled->signal(SIGINT);
    canceled->signal(SIGINT);
    const int code = canceled->wait();
    CAPTURE(canceled->text());
    // The second one comes while the first is being answered, or after the program has gone.
    CHECK((code == 10 || code == 130));
    jobs = w.admin.get("/v0/projects/bench/jobs");
    const auto second = jobs.str("/0/uuid");
    CHECK(second != first);
    w.cli({"job", "cancel", "bench", second});
    CHECK(w.ended(second).str("/status") == "canceled");
    const auto watched = w.cli({"job", "watch", "bench", second});
    CHECK(watched.code == 10);
  }

  TEST_CASE("--detach does not wait, and job watch follows later") {
    CliWorld w;
    w.add_runner();
    auto runner = w.start_runner();
    runner->line("Polling for jobs");
    w.push_script("good", "echo '" + results + "'");
    const auto detached =
        w.cli({"run", "--project", "bench", "--image", "bench:good", "--adapter", "json", "--detach"});
    CHECK(detached.code == 0);
    const auto job = w.admin.get("/v0/projects/bench/jobs").str("/0/uuid");
    CHECK(has(detached.text, job));
    const auto watched = w.cli({"job", "watch", "bench", job});
    CAPTURE(watched.text);
    CHECK(watched.code == 0);
    CHECK(has(w.cli({"job", "view", "bench", job}).text, "\"status\": \"processed\""));
  }

  TEST_CASE("job logs prints what a job has printed, wait tells how it ended, retry tries it again") {
    CliWorld w;
    w.add_runner();
    auto runner = w.start_runner();
    runner->line("Polling for jobs");
    w.push_script("good", "echo working >&2; echo '" + results + "'");
    w.push_script("bad", "echo half; exit 3");
    const auto run = [&](const char* image) {
      w.cli({"run", "--project", "bench", "--image", image, "--adapter", "json", "--detach"});
      return w.admin.get("/v0/projects/bench/jobs").str("/0/uuid");
    };
    const auto good = run("bench:good");
    const auto waited = w.cli({"job", "wait", "bench", good});
    CHECK(waited.code == 0);
    CHECK(has(waited.text, "processed\n"));
    for (const auto* follow : {"--follow", ""}) {
      std::vector<std::string> words{"job", "logs", "bench", good};
      if (*follow) words.emplace_back(follow);
      const auto logs = w.cli(words);
      CAPTURE(logs.text);
      CHECK(logs.code == 0);
      CHECK(has(logs.text, "working\n"));
      CHECK(has(logs.text, results + "\n"));
      CHECK_FALSE(has(logs.text, "Job processed"));
    }
    const auto bad = run("bench:bad");
    const auto failed = w.cli({"job", "logs", "-f", "bench", bad});
    CHECK(failed.code == 9);
    CHECK(has(failed.text, "half\n"));
    CHECK(w.cli({"job", "wait", "bench", bad}).code == 9);
    CHECK(w.cli({"job", "logs", "bench", bad}).code == 0);
    const auto again = w.cli({"job", "retry", "bench", bad});
    CAPTURE(again.text);
    CHECK(again.code == 0);
    CHECK(has(again.text, "\"status\": \"pending\""));
    CHECK(w.cli({"job", "retry", "bench", good}).code != 0);
  }

  TEST_CASE("run --local needs no server: results, history, alerts, and images in a sandbox") {
    CliWorld w;
    const auto history = (w.dir / "history").string();
    // In CI too, where a server would ask for a project.
    const ChildProcess::Env alone{
        {"BENCHER_HOST", "http://127.0.0.1:1"}, {"BENCHER_SANDBOX", "process"}, {"CI", "true"}};
    const auto run = [&](const std::string& value) {
      const auto path = w.file("local.json", R"({"b":{"latency":{"value":)" + value + "}}}");
      return w.cli({"run", "--local=" + history, "--file", path, "--adapter", "json", "--threshold-measure", "latency",
                    "--threshold-test", "percentage", "--threshold-upper-boundary", "0.1", "--error-on-alert"},
                   alone);
    };
    CHECK(run("10").code == 0);
    CHECK(run("10").code == 0);
    const auto slow = run("20");
    CAPTURE(slow.text);
    CHECK(slow.code == 7);
    CHECK_FALSE(has(slow.text, "View report: /"));

    Tar tar;
    tar.folder("bin").file("bin/busybox", read_file(World::busybox()), 0755).link("bin/sh", "busybox");
    Layout layout(w.dir / "layout");
    layout.image({tar.str()}, R"("Entrypoint":["/bin/sh","-c"],"Cmd":["echo '{\"i\":{\"latency\":{\"value\":5}}}'"])");
    const auto image =
        w.cli({"run", "--local=" + history, "--image", (w.dir / "layout").string(), "--adapter", "json"}, alone);
    CAPTURE(image.text);
    CHECK(image.code == 0);
    CHECK(has(image.text, "5.00 ns"));
    const auto failing = w.cli({"run", "--local=" + history, "--image", (w.dir / "layout").string(), "--adapter",
                                "json", "--shell", "/bin/sh", "exit 4"},
                               alone);
    CAPTURE(failing.text);
    CHECK(failing.code == 9);
    const auto nowhere = w.cli({"run", "--local=" + history, "--image", "/no/layout", "--adapter", "json"}, alone);
    CHECK(nowhere.code == 2);
  }
}
