#include "apps/cli/cli.hpp"

#include <exception>
#include <ostream>

#include <fmt/format.h>

#include "apps/cli/api.hpp"
#include "apps/cli/arguments.hpp"
#include "apps/cli/request.hpp"

namespace bencher::cli {
namespace {

/// One request, and its answer on standard output: sorted keys, no nulls.
Exit run_request(World& world, const Command& command, const Arguments& arguments) {
  const auto request = build_request(command, arguments);
  Api api(world, command, arguments);
  world.out << api.call(request).body.indented({.sort_keys = true, .leave_out_nulls = true}) << '\n';
  return Exit::ok;
}

}  // namespace

Exit run_cli(const std::vector<std::string>& words, World& world) {
  auto exit = Exit::internal;
  try {
    const auto parsed = parse_command_line(words, world.env);
    if (!parsed.command) {
      (parsed.exit == Exit::ok ? world.out : world.err) << parsed.text;
      exit = parsed.exit;
    } else {
      const auto run = parsed.command->run ? parsed.command->run : run_request;
      exit = run(world, *parsed.command, parsed.arguments);
    }
  } catch (const Failure& failure) {
    world.err << "error: " << failure.message << '\n';
    exit = failure.exit;
  } catch (const std::exception& failure) {
    world.err << "internal error: " << failure.what() << '\n';
  }
  world.out.flush();
  world.err.flush();
  return exit;
}

}  // namespace bencher::cli
