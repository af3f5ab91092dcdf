#include "apps/runner/settings.hpp"

#include <cstdlib>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/support/image.hpp"

using namespace bencher;
using namespace bencher::runner;
using namespace bencher::test;

namespace {

/// A command with the kinds of options that there are.
struct Command {
  Command() {
    app.add_option("--host", host)->envname("BENCHER_HOST")->required();
    app.add_option("--poll-timeout", poll_timeout)->check(CLI::Range(1, 900));
    app.add_option("--cache-size", cache_size)->transform(CLI::AsSizeValue(false));
    app.add_flag("--network", network);
    app.add_option("--config", config);
    name_variables(app);
  }
  Result<void> apply(const std::string& text) {
    write_file(dir / "runner.json", text);
    return apply_settings(app, dir / "runner.json");
  }
  std::string refusal(const std::string& text) {
    const auto applied = apply(text);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code() == Errc::invalid_argument);
    return applied.error().message();
  }
  void parse(std::vector<std::string> words = {}) {
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  }

  TempDir dir;
  CLI::App app;
  std::string host, config;
  unsigned poll_timeout = 30;
  std::uint64_t cache_size = 0;
  bool network = false;
};

struct Variable {
  Variable(const char* variable, const char* value) : name(variable) { setenv(variable, value, 1); }
  ~Variable() { unsetenv(name); }
  const char* name;
};

}  // namespace

TEST_CASE("a file's settings are the defaults, under variables, under flags") {
  Command command;
  REQUIRE(command.apply(R"({"host": "http://file", "poll_timeout": 7, "cache_size": "2KiB", "network": true})"));
  SUBCASE("alone") {
    command.parse();
    CHECK(command.host == "http://file");
    CHECK(command.poll_timeout == 7);
    CHECK(command.cache_size == 2048);
    CHECK(command.network);
  }
  SUBCASE("under variables, which every option has") {
    const Variable host("BENCHER_HOST", "http://variable");
    const Variable size("BENCHER_RUNNER_CACHE_SIZE", "3KiB");
    command.parse();
    CHECK(command.host == "http://variable");
    CHECK(command.cache_size == 3072);
    CHECK(command.poll_timeout == 7);
  }
  SUBCASE("under flags") {
    const Variable host("BENCHER_HOST", "http://variable");
    command.parse({"--host", "http://flag", "--poll-timeout=9"});
    CHECK(command.host == "http://flag");
    CHECK(command.poll_timeout == 9);
    CHECK(command.cache_size == 2048);
  }
}

TEST_CASE("what is wrong in a file is named with file, line and key") {
  Command command;
  const auto has = [&](const std::string& text, const std::string& part) {
    const auto said = command.refusal(text);
    CAPTURE(said);
    CHECK(said.find(part) != std::string::npos);
    CHECK(said.find("runner.json") != std::string::npos);
  };
  has("{\n  \"host\": \"h\",\n  \"hots\": \"h\"\n}", "line 3: unknown key 'hots'");
  has("{\"config\": \"again\"}", "unknown key 'config'");
  has("{\"help\": true}", "unknown key 'help'");
  has("{\n\n\"poll_timeout\": 0}", "line 3: 'poll_timeout'");
  has("{\"poll_timeout\": \"soon\"}", "line 1: 'poll_timeout'");
  has("{\"host\":\n [1, {\"x\": 2}],\n \"network\": true}", "line 1: 'host' is neither");
  has("{\"poll_timeout\": 1.5}", "'poll_timeout' is neither");
  has("{\"host\": \"a\",\n \"host\": \"b\"}", "line 2: the key is there twice");
  has("{\n\"host\": \"h\",\n}", "line 3: not JSON");
  has("{\"host\": \"h\"}\n}", "line 2: not JSON");
  has("", "not JSON");
  has("[]", "one JSON object");
  const auto absent = apply_settings(command.app, command.dir / "absent");
  CHECK(absent.error().message().find("absent") != std::string::npos);
  // A key that looks like one inside another value is none.
  CHECK(parse_settings(R"({"a": "\"b\": {", "c": "x"})")->size() == 2);
}

TEST_CASE("a file does not stand in for what is required and missing") {
  Command command;
  REQUIRE(command.apply(R"({"poll_timeout": 7})"));
  CHECK_THROWS_AS(command.parse(), CLI::RequiredError);
}

TEST_CASE("the key comes from where it counts most") {
  TempDir dir;
  const auto file = (dir / "key").string();
  write_file(file, "\n from-file \n");
  const auto chosen = [&](Given key, Given key_file) { return choose_key("itself", key, file, key_file); };
  CHECK(*chosen(Given::by_flag, Given::no) == "itself");
  CHECK(*chosen(Given::no, Given::by_settings) == "from-file");
  CHECK(*chosen(Given::by_variable, Given::by_settings) == "itself");
  CHECK(*chosen(Given::by_variable, Given::by_flag) == "from-file");
  CHECK(chosen(Given::no, Given::no).error().message().find("--key-file") != std::string::npos);
  CHECK(chosen(Given::by_settings, Given::by_settings).error().message().find("both") != std::string::npos);
  for (const char* bad : {"", " \n", "two words"}) {
    write_file(file, bad);
    const auto refused = chosen(Given::no, Given::by_flag);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().find(file) != std::string::npos);
    CHECK(refused.error().message().find("words") == std::string::npos);
  }
  CHECK(choose_key("", Given::no, (dir / "absent").string(), Given::by_flag).error().message().find("absent") !=
        std::string::npos);
}

TEST_CASE("secrets are overwritten where others may read them") {
  std::vector<std::string> words{"runner", "up", "--key", "secret", "--key=secret", "--key-file", "file", "--key"};
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  hide_argument(static_cast<int>(arguments.size()), arguments.data(), "--key");
  CHECK(words ==
        std::vector<std::string>{"runner", "up", "--key", "******", "--key=******", "--key-file", "file", "--key"});
  const Variable variable("BENCHER_TEST_SECRET", "secret");
  const char* there = std::getenv("BENCHER_TEST_SECRET");
  hide_variable("BENCHER_TEST_SECRET");
  CHECK(std::string(there) == "******");
  CHECK(std::getenv("BENCHER_TEST_SECRET") == nullptr);
  hide_variable("BENCHER_TEST_SECRET");
}
