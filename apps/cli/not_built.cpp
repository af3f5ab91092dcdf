// up, logs, down: known, and not built yet. They say so.

#include <fmt/format.h>

#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
[[noreturn]] Exit not_built(World&, const Command& command, const Arguments&) {
  throw Failure{Exit::usage, fmt::format("'bencher {}' is not built yet in this version", command.path)};
}
}  // namespace

void add_not_built(std::vector<Command>& table) {
  const Positional service{"service", &word, "all, api or console", true};
  table.push_back(
      {.path = "up",
       .summary = "Start a server in containers (not built yet)",
       .run = not_built,
       .positionals = {service},
       .flags = {flag("detach", "Do not follow the logs").short_form('d'),
                 flag("pull", word, "When to pull images").one_of("always missing never").by_default("always"),
                 flag("tag", word, "Tag of the images"),
                 flag("console-port", u16, "Port of the console").by_default("3000"),
                 flag("api-port", u16, "Port of the API").by_default("6610"),
                 flag("console-env", key_value, "Variable").list(), flag("api-env", key_value, "Variable").list(),
                 flag("console-volume", text, "Volume").list(), flag("api-volume", text, "Volume").list()}});
  table.push_back({.path = "logs",
                   .summary = "Follow the logs of those containers (not built yet)",
                   .run = not_built,
                   .positionals = {service}});
  table.push_back(
      {.path = "down", .summary = "Stop those containers (not built yet)", .run = not_built, .positionals = {service}});
}

}  // namespace bencher::cli
