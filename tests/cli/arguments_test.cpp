#include "apps/cli/arguments.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "apps/cli/types.hpp"
#include "lib/json/value.hpp"
#include "tests/cli/fake_world.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using namespace bencher::cli;

namespace {

std::optional<std::string> no_env(std::string_view) {
  return {};
}
Parsed parse(const std::vector<std::string>& words) {
  return parse_command_line(words, no_env);
}

const std::string uuid = "11111111-2222-3333-4444-555555555555";
const std::string key = "bencher_user_" + std::string(30, 'a');

/// A value that the flag takes.
std::string sample(const Type* type, std::string_view values) {
  if (!values.empty()) return std::string(split(values).front());
  for (const std::string& candidate :
       {std::string("main"), std::string("7"), std::string("0.9"), uuid, std::string("a@b.example"),
        std::string(40, 'a'), std::string("2024-07-11T06:23:00Z"), std::string("https://example.com"),
        std::string("KEY=value"), key, std::string("a.b.c"), std::string("true")})
    if (!type->check || type->check(candidate)) return candidate;
  FAIL("no sample");
  return {};
}

const Command* command_at(const std::string& path) {
  for (const auto& command : commands())
    if (command.path == path) return &command;
  return nullptr;
}

std::string path_of(const json::Value& node) {
  std::string out;
  for (const auto& word : node["path"].items())
    out += (out.empty() ? "" : " ") + word.text();
  return out;
}

const Flag* flag_of(const Command& command, std::string_view name) {
  for (const auto& flag : command.flags)
    if (flag.name == name) return &flag;
  for (const auto& flag : connection_flags())
    if (flag.name == name) return &flag;
  return nullptr;
}

std::set<std::string_view> as_set(std::string_view list) {
  const auto words = split(list);
  return {words.begin(), words.end()};
}

/// The least command line of a command, without one flag.
std::vector<std::string> least(const Command& command, std::string_view but) {
  std::vector<std::string> words;
  for (const auto word : split(command.path))
    words.emplace_back(word);
  for (const auto& positional : command.positionals)
    words.push_back(sample(positional.type, ""));
  for (const auto& flag : command.flags) {
    if (!flag.is_required || flag.name == but) continue;
    words.push_back("--" + std::string(flag.name));
    if (flag.type) words.push_back(sample(flag.type, flag.values));
  }
  return words;
}

void give(std::vector<std::string>& words, const Flag& flag, std::string_view spelling) {
  words.push_back("--" + std::string(spelling));
  if (flag.type && !flag.is_optional) words.push_back(sample(flag.type, flag.values));
}

}  // namespace

TEST_SUITE("cli/arguments") {
  TEST_CASE("every command and flag of the reference's tree is there and parses") {
    const auto tree = json::Value::parse(test::read_data("cli-tree.json")).value();
    int checked = 0;
    for (const auto& node : tree["commands"].items()) {
      const auto path = path_of(node);
      CAPTURE(path);
      if (node["group"].boolean()) {
        CHECK(std::any_of(groups().begin(), groups().end(), [&](const Group& group) { return group.path == path; }));
        continue;
      }
      const auto* command = command_at(path);
      REQUIRE(command);
      CHECK(command->is_hidden == node["hidden"].boolean());
      CHECK((command->credential != Credential::none) == node["backend"].boolean());
      for (const auto& alias : node["aliases"].items())
        CHECK(as_set(command->aliases).contains(alias.text()));
      if (path != "run") {
        REQUIRE(command->positionals.size() == node["positionals"].items().size());
        for (std::size_t i = 0; i < command->positionals.size(); ++i)
          CHECK(command->positionals[i].is_optional != node["positionals"].items()[i]["required"].boolean());
      }
      auto flags = node["flags"].items();
      for (const auto& hidden : node["hidden_flags"].items())
        flags.push_back(hidden);
      if (node["backend"].boolean())
        for (const auto& shared : tree["backend_flags"].items())
          flags.push_back(shared);
      for (const auto& want : flags) {
        const auto& name = want["long"].text();
        CAPTURE(name);
        const auto* flag = flag_of(*command, name);
        REQUIRE(flag);
        ++checked;
        CHECK((flag->type != nullptr) == want["takes_value"].boolean());
        CHECK(flag->is_list == want["multiple"].boolean());
        CHECK(flag->is_required == want["required"].boolean());
        CHECK(flag->is_optional == want["value_optional"].boolean());
        CHECK(flag->is_hidden == want["hidden"].boolean());
        if (want["short"].is_string()) CHECK(std::string(1, flag->short_name) == want["short"].text());
        CHECK(flag->env == want["env"].text());
        // Where the tree has none, ours may still tell what is meant. The tag of images is a program's version.
        if (want["default"].is_string() && (path != "up" || name != "tag"))
          CHECK(flag->default_value == want["default"].text());
        std::set<std::string_view> values = as_set(flag->values);
        for (const auto& value : want["values"].items())
          CHECK(
              (values.contains(value.text()) || (flag->type == &types::boolean && types::boolean.check(value.text()))));
        for (const auto& value : want["hidden_values"].items())
          CHECK(as_set(flag->hidden_values).contains(value.text()));
        for (const auto& other : want["conflicts"].items())
          CHECK(as_set(flag->conflicts).contains(other.text()));

        // It parses under its name and every alias, beside what it needs.
        std::vector<std::string> spellings{name};
        for (const auto& alias : want["aliases"].items())
          spellings.push_back(alias.text());
        for (const auto& spelling : spellings) {
          CAPTURE(spelling);
          auto words = least(*command, name);
          give(words, *flag, spelling);
          std::set<std::string_view> given{name};
          for (const auto other : split(flag->requirements))
            if (other != "command" && given.insert(other).second && !flag_of(*command, other)->is_required)
              give(words, *flag_of(*command, other), other);
          if (!command->one_of.empty() && !as_set(command->one_of).contains(name)) {
            const auto first = split(command->one_of).front();
            give(words, *flag_of(*command, first), first);
          }
          if (path == "run") words.insert(words.end(), {"--", "true"});
          const auto parsed = parse(words);
          if (!parsed.command) FAIL_CHECK(parsed.text);
          CHECK(parsed.arguments.has(name));
        }
      }
    }
    CHECK(checked > 1500);
  }

  TEST_CASE("every page of help names every flag that is not hidden") {
    for (const auto& command : commands()) {
      CAPTURE(command.path);
      const auto page = help_page(command, true);
      CHECK(page.find(usage_line(command)) != std::string::npos);
      for (const auto& flag : command.flags)
        CHECK((page.find("--" + std::string(flag.name) + " ") != std::string::npos ||
               page.find("--" + std::string(flag.name) + "\n") != std::string::npos ||
               page.find("--" + std::string(flag.name) + "…") != std::string::npos) != flag.is_hidden);
      if (command.credential != Credential::none) CHECK(help_page(command, false).size() < page.size());
    }
  }

  TEST_CASE("help is printed where it is asked for") {
    const std::pair<std::vector<std::string>, const char*> rows[]{
        {{"-h"}, "Usage: bencher <COMMAND>"},
        {{"help"}, "Usage: bencher <COMMAND>"},
        {{"project", "--help"}, "Usage: bencher project <COMMAND>"},
        {{"help", "project", "key"}, "Usage: bencher project key <COMMAND>"},
        {{"project", "help", "create"}, "Usage: bencher project create"},
        {{"org", "ls", "-h"}, "Usage: bencher organization list"},
        {{"run", "--branch", "x", "--help"}, "Usage: bencher run"}};
    for (const auto& [words, usage] : rows) {
      const auto parsed = parse(words);
      CHECK(parsed.exit == Exit::ok);
      CHECK(parsed.command == nullptr);
      CHECK(parsed.text.find(usage) != std::string::npos);
    }
    CHECK(parse({"--version"}).text == "bencher 0.1.0 (API 0.6.12)\n");
    CHECK(parse({}).exit == Exit::usage);
    CHECK(parse({"project"}).exit == Exit::usage);
    CHECK(parse({"--help"}).text.find("auth") == std::string::npos);
  }

  TEST_CASE("mistakes are named, with what was probably meant") {
    const std::pair<std::vector<std::string>, const char*> rows[]{
        {{"projct"}, "'projct' is not a command of 'bencher'; did you mean 'project'?"},
        {{"project", "veiw", "x"}, "'veiw' is not a command of 'bencher project'; did you mean 'view'?"},
        {{"xyzzy"}, "'xyzzy' is not a command of 'bencher'\n"},
        {{"project", "create", "--nmae", "x", "org"},
         "'--nmae' is not a flag of 'bencher project create'; did you mean '--name'?"},
        {{"project", "create", "org"}, "--name is missing"},
        {{"project", "create", "--name", "x"}, "<ORGANIZATION> is missing"},
        {{"project", "create", "--name"}, "--name needs a value"},
        {{"project", "create", "--name", "x", "--name", "y", "o"}, "--name is there twice"},
        {{"project", "create", "--name", "x", "o", "p"}, "'p' is one word too many"},
        {{"project", "view", "Not A Slug"}, "<PROJECT>: "},
        {{"project", "delete", "x", "--hard=yes"}, "--hard takes no value"},
        {{"project", "update", "x", "--visibility", "publik"},
         "--visibility: 'publik' is not one of public, private; did you mean 'public'?"},
        {{"alert", "list", "x", "--per-page", "256"}, "--per-page: '256' is not a whole number from 0 to 255"},
        {{"alert", "list", "x", "--page", "01"}, "--page: '01' is not a whole number"},
        {{"threshold", "update", "x", uuid}, ""},
        {{"threshold", "update", "x", uuid, "--test", "z", "--remove-model"},
         "--test and --remove-model exclude each other"},
        {{"plan", "update", "x"}, "exactly one of --cancel, --resume is needed"},
        {{"run", "--projct", "x", "true"}, "'--projct' is not a flag of 'bencher run'; did you mean '--project'?"},
        {{"run", "--wholly-unknown", "true"}, "write the command before it"},
        {{"run", "--fold", "min", "true"}, "--fold needs --iter"},
        {{"run", "--exec"}, "--exec needs a command"},
        {{"run", "--detach", "true"}, "--detach needs --image"},
        {{"run", "--image", "x", "--spec-reset", "--testbed", "t"}, "exclude each other"},
        {{"run", "--lower", "1"}, "'--lower' is not a flag"},
        {{"branch", "update", "p", "b", "--archive", "--unarchive"}, "--archive and --unarchive exclude each other"},
        {{"run", "--threshold-upper-boundary", "nan"}, "'nan' is not a finite number"},
    };
    for (const auto& [words, message] : rows) {
      const auto parsed = parse(words);
      CAPTURE(parsed.text);
      CAPTURE(message);
      CHECK(parsed.command == nullptr);
      CHECK(parsed.exit == Exit::usage);
      CHECK(parsed.text.find(message) != std::string::npos);
    }
  }

  TEST_CASE("a rejected credential is never shown") {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"project", "list", "--key", "bencher_user_secret"},
          {"project", "list", "--token", key},
          {"project", "list", "--key", "aaa.bbb.ccc"}}) {
      const auto parsed = parse(words);
      CHECK(parsed.exit == Exit::usage);
      CHECK(parsed.text.find(words.back()) == std::string::npos);
    }
    CHECK(parse({"project", "list", "--token", key}).text.find("give it to --key") != std::string::npos);
  }

  TEST_CASE("the first word that is no flag begins the command of run, flags and all") {
    auto parsed = parse({"run", "--branch", "main", "cargo", "bench", "--branch", "other", "--", "-q"});
    REQUIRE(parsed.command);
    CHECK(parsed.arguments.words() == std::vector<std::string>{"cargo", "bench", "--branch", "other", "--", "-q"});
    CHECK(parsed.arguments.get("branch") == "main");
    parsed = parse({"run", "--", "--odd-program"});
    REQUIRE(parsed.command);
    CHECK(parsed.arguments.words() == std::vector<std::string>{"--odd-program"});
    // A folder for --local is only taken with '='.
    parsed = parse({"run", "--local", "make"});
    REQUIRE(parsed.command);
    CHECK(parsed.arguments.words() == std::vector<std::string>{"make"});
    CHECK(parse({"run", "--local=dir", "make"}).arguments.get("local") == "dir");
  }

  TEST_CASE("flags may stand before and after positionals, with = for values that begin with a dash") {
    const auto parsed = parse({"testbed", "create", "--name=-x", "p", "--slug", "s"});
    REQUIRE(parsed.command);
    CHECK(parsed.arguments.get("name") == "-x");
    CHECK(parsed.arguments.positional("project") == "p");
    CHECK(parse({"testbed", "create", "p", "--name", "-x"}).text.find("one that begins with '-' is written --name=") !=
          std::string::npos);
  }

  TEST_CASE("a style is only taken as the value of --table if it is one") {
    const std::vector<std::string> least_perf{"perf",         "--branches", uuid,         "--testbeds", uuid,
                                              "--benchmarks", uuid,         "--measures", uuid};
    auto words = least_perf;
    words.insert(words.end(), {"--table", "my-project"});
    auto parsed = parse(words);
    REQUIRE(parsed.command);
    CHECK(parsed.arguments.positional("project") == "my-project");
    words = least_perf;
    words.insert(words.end(), {"--table", "psql", "my-project"});
    CHECK(parse(words).arguments.get("table") == "psql");
  }

  TEST_CASE("a variable stands for a flag, and a flag wins over it and its rival") {
    std::map<std::string, std::string, std::less<>> variables;
    const auto env = [&](std::string_view name) -> std::optional<std::string> {
      const auto at = variables.find(name);
      return at == variables.end() ? std::nullopt : std::optional(at->second);
    };
    variables["BENCHER_PROJECT"] = "from-env";
    CHECK(parse_command_line({"run", "x"}, env).arguments.get("project") == "from-env");
    CHECK(parse_command_line({"run", "--project", "mine", "x"}, env).arguments.get("project") == "mine");
    CHECK(parse_command_line({"archive", "--branch", "b"}, env).command);
    variables["BENCHER_API_TOKEN"] = "a.b.c";
    auto parsed = parse_command_line({"run", "--key", key, "x"}, env);
    REQUIRE(parsed.command);
    CHECK_FALSE(parsed.arguments.has("token"));
    variables["BENCHER_API_KEY"] = key;
    CHECK(parse_command_line({"run", "x"}, env).text.find("exclude each other") != std::string::npos);
    variables["BENCHER_API_KEY"] = "secret-nonsense";
    parsed = parse_command_line({"run", "x"}, env);
    CHECK(parsed.exit == Exit::usage);
    CHECK(parsed.text.find("BENCHER_API_KEY") != std::string::npos);
    CHECK(parsed.text.find("secret-nonsense") == std::string::npos);
  }

  TEST_CASE("a suggestion is near, or there is none") {
    const std::vector<std::string_view> known{"list", "create", "view", "update", "delete"};
    CHECK(nearest("lsit", known) == "list");
    CHECK(nearest("creat", known) == "create");
    CHECK(nearest("zzzzzz", known).empty());
    CHECK(nearest("", known).empty());
  }
}
