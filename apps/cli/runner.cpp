// runner, runner spec, spec

#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
const Positional runner{"runner", &resource_id, "UUID or slug of the runner"};
const Positional spec{"spec", &resource_id, "UUID or slug of the spec"};
constexpr auto required = Credential::required;

std::vector<Flag> filters() {
  return std::vector{flag("name", resource_name, "Only the one of that name"),
                     flag("search", text, "Only those that match"), flag("archived", "Archived ones too")} +
         pages("name created");
}
}  // namespace

void add_runner(std::vector<Command>& table) {
  table.push_back({.path = "runner list",
                   .aliases = "ls",
                   .summary = "List runners",
                   .flags = filters(),
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/runners"});
  table.push_back({.path = "runner create",
                   .aliases = "add",
                   .summary = "Create a runner; its key is shown this once",
                   .flags = {flag("name", resource_name, "Its name").required(),
                             flag("slug", slug, "Its slug (else made from the name)")},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/runners"});
  table.push_back({.path = "runner view",
                   .aliases = "get",
                   .summary = "View a runner",
                   .positionals = {runner},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/runners/{runner}"});
  table.push_back(
      {.path = "runner update",
       .aliases = "edit",
       .summary = "Update a runner",
       .positionals = {runner},
       .flags = std::vector{flag("name", resource_name, "New name"), flag("slug", slug, "New slug")} + archive_toggle(),
       .credential = required,
       .method = "PATCH",
       .url = "/v0/runners/{runner}",
       .finish = finish_archive});
  table.push_back({.path = "runner key",
                   .summary = "Give a runner a new key, shown this once; the old one ends",
                   .positionals = {runner},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/runners/{runner}/key"});
  table.push_back({.path = "runner spec list",
                   .aliases = "ls",
                   .summary = "List the specs of a runner",
                   .positionals = {runner},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/runners/{runner}/specs"});
  table.push_back({.path = "runner spec add",
                   .aliases = "create",
                   .summary = "Give a runner a spec",
                   .positionals = {runner},
                   .flags = {flag("spec", resource_id, "The spec").required()},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/runners/{runner}/specs"});
  table.push_back({.path = "runner spec remove",
                   .aliases = "rm",
                   .summary = "Take a spec from a runner",
                   .positionals = {runner, spec},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/runners/{runner}/specs/{spec}"});

  table.push_back({.path = "spec list",
                   .aliases = "ls",
                   .summary = "List specs",
                   .flags = filters(),
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/specs"});
  table.push_back(
      {.path = "spec create",
       .aliases = "add",
       .summary = "Create a spec",
       .flags = {flag("name", resource_name, "Its name").required(),
                 flag("slug", slug, "Its slug (else made from the name)"),
                 flag("os", word, "Operating system").required().one_of("linux macos windows"),
                 flag("architecture", word, "Architecture").required().one_of("x86_64 aarch64"),
                 flag("sandbox", word, "Sandbox (else the runner's)").one_of("firecracker"),
                 flag("cpu", positive_i32, "CPUs").required(),
                 flag("memory", positive_i64, "Memory in bytes").required(),
                 flag("disk", positive_i64, "Disk in bytes").required(), flag("network", "Let jobs use the network"),
                 flag("fallback", "Use it where no other spec is named")},
       .credential = required,
       .method = "POST",
       .url = "/v0/specs"});
  table.push_back({.path = "spec view",
                   .aliases = "get",
                   .summary = "View a spec",
                   .positionals = {spec},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/specs/{spec}"});
  table.push_back({.path = "spec update",
                   .aliases = "edit",
                   .summary = "Update a spec",
                   .positionals = {spec},
                   .flags = std::vector{flag("name", resource_name, "New name"), flag("slug", slug, "New slug"),
                                        flag("fallback", boolean, "Whether it is used where no other spec is named")} +
                            archive_toggle(),
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/specs/{spec}",
                   .finish = finish_archive});
  table.push_back({.path = "spec delete",
                   .aliases = "rm",
                   .summary = "Delete a spec",
                   .positionals = {spec},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/specs/{spec}"});
}

}  // namespace bencher::cli
