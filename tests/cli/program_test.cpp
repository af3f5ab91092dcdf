// The program as it is run: exit codes, streams, signals.

#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "apps/cli/child.hpp"
#include "lib/json/value.hpp"

using namespace bencher;

namespace {

cli::Child bencher_program(const std::string& command_line) {
  // No variable of whoever runs the tests takes part.
  const auto line =
      "env -u CI -u BENCHER_HOST -u BENCHER_API_KEY -u BENCHER_API_TOKEN -u BENCHER_PROJECT -u "
      "BENCHER_CMD " BENCHER_BIN_DIR "/bencher " +
      command_line;
  auto child = cli::run_child({.argv = {"/bin/sh", "-c", line}, .without_input = true});
  REQUIRE(child.has_value());
  return *std::move(child);
}

}  // namespace

TEST_SUITE("cli/program") {
  TEST_CASE("usage errors end with 2 and leave standard output empty") {
    for (const auto* line : {"", "project", "projct", "project view", "run --no-such-flag x", "run --iter x true",
                             "run", "up", "run --github-actions t true"}) {
      CAPTURE(line);
      const auto child = bencher_program(line);
      CHECK(child.exit_code == 2);
      CHECK(child.out.empty());
      CHECK_FALSE(child.err.empty());
    }
  }

  TEST_CASE("help and version end with 0 on standard output") {
    for (const auto* line : {"--help", "--version", "help run", "project key list -h"}) {
      CAPTURE(line);
      const auto child = bencher_program(line);
      CHECK(child.exit_code == 0);
      CHECK(child.err.empty());
      CHECK_FALSE(child.out.empty());
    }
  }

  TEST_CASE("a dry run needs no server, and its data can be read") {
    const auto child = bencher_program("run --dry-run --project p --file-size /bin/sh");
    CHECK(child.exit_code == 0);
    const auto json = json::Value::parse(child.out.substr(child.out.find("New report:\n") + 12));
    REQUIRE(json.has_value());
    CHECK((*json)["results"].items().size() == 1);
  }

  TEST_CASE("results can be piped in") {
    const auto child = bencher_program("run --dry-run --project p < /dev/null");
    CHECK(child.exit_code == 2);
    const auto piped = cli::run_child(
        {.argv = {"/bin/sh", "-c", "echo '{}' | " BENCHER_BIN_DIR "/bencher run --dry-run --project p"}});
    REQUIRE(piped.has_value());
    CHECK(piped->exit_code == 0);
    CHECK(piped->out.find("\"{}\\n\"") != std::string::npos);
  }

  TEST_CASE("a server that is not there ends with 6, after the tries that were asked for") {
    const auto child = bencher_program("server version --host http://127.0.0.1:1 --attempts 1");
    CHECK(child.exit_code == 6);
    CHECK(child.err.find("cannot connect") != std::string::npos);
    CHECK(bencher_program("server version --host ftp://127.0.0.1").exit_code == 2);
  }

  TEST_CASE("a reader that goes away is no failure, a full disk is") {
    CHECK(bencher_program("mock --count 5000 | head -c 1 >/dev/null").exit_code == 0);
    const auto child = cli::run_child(
        {.argv = {"/bin/sh", "-c", "{ " BENCHER_BIN_DIR "/bencher mock --count 5000; echo $? >&2; } | head -c 1"}});
    REQUIRE(child.has_value());
    CHECK(child->err == "0\n");
    CHECK(bencher_program("mock > /dev/full").exit_code == 1);
  }

  TEST_CASE("Ctrl-C ends a benchmark and the program with it") {
    const auto child = bencher_program("run --dry-run --project p 'kill -INT $$'");
    CHECK(child.exit_code == 130);
  }
}
