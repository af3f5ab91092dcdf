// archive, unarchive

#include <array>
#include <ostream>

#include <fmt/format.h>

#include "bencher/base/name.hpp"

#include "apps/cli/api.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {

struct Kind {
  const char* name;
  const char* path;
};
constexpr std::array kinds{Kind{"branch", "branches"}, Kind{"testbed", "testbeds"}, Kind{"benchmark", "benchmarks"},
                           Kind{"measure", "measures"}};

Exit change(World& world, const Command& command, const Arguments& arguments, bool archive) {
  Api api(world, command, arguments);
  for (const auto& kind : kinds) {
    const auto named = arguments.get(kind.name);
    if (!named) continue;
    const auto path = fmt::format("/v0/projects/{}/{}", percent_encoded(*arguments.get("project")), kind.path);
    auto id = *named;
    if (!ResourceId::parse(id)) {
      // A name: among those that are in the other state, then among those that are there already.
      const auto found = [&](bool archived) {
        return api
            .call({.method = "GET",
                   .path = fmt::format("{}?name={}&archived={}", path, percent_encoded(*named), archived),
                   .body = {}})
            .body.items();
      };
      const auto hits = found(!archive);
      if (hits.empty()) {
        if (found(archive).empty())
          throw Failure{Exit::refused, fmt::format("no {} of this project is named '{}'", kind.name, *named)};
        world.out << fmt::format("The {} '{}' is already {}.\n", kind.name, *named,
                                 archive ? "archived" : "not archived");
        return Exit::ok;
      }
      if (hits.size() > 1)
        throw Failure{Exit::refused, fmt::format("{} {} are named '{}'; give the UUID or slug of one", hits.size(),
                                                 kind.path, *named)};
      id = hits.front()["uuid"].text();
    }
    json::Value body;
    body.set("archived", archive);
    api.call({.method = "PATCH", .path = fmt::format("{}/{}", path, percent_encoded(id)), .body = std::move(body)});
    // Scripts compare this line.
    world.out << fmt::format("Successfully {} the {} ({}).\n", archive ? "archived" : "unarchived", kind.name, *named);
  }
  return Exit::ok;
}

}  // namespace

void add_archive(std::vector<Command>& table) {
  const std::vector<Flag> flags{
      flag("project", resource_id, "UUID or slug of the project").required().from_env("BENCHER_PROJECT"),
      flag("branch", branch_id, "The branch").excludes("testbed benchmark measure"),
      flag("testbed", name_id, "The testbed").excludes("branch benchmark measure"),
      flag("benchmark", benchmark_name, "The benchmark").excludes("branch testbed measure"),
      flag("measure", name_id, "The measure").excludes("branch testbed benchmark")};
  table.push_back({.path = "archive",
                   .summary = "Archive a branch, testbed, benchmark or measure",
                   .run = [](World& world, const Command& command,
                             const Arguments& arguments) { return change(world, command, arguments, true); },
                   .flags = flags,
                   .credential = Credential::required,
                   .one_of = "branch testbed benchmark measure"});
  table.push_back({.path = "unarchive",
                   .summary = "Take a branch, testbed, benchmark or measure out of the archive",
                   .run = [](World& world, const Command& command,
                             const Arguments& arguments) { return change(world, command, arguments, false); },
                   .flags = flags,
                   .credential = Credential::required,
                   .one_of = "branch testbed benchmark measure"});
}

}  // namespace bencher::cli
