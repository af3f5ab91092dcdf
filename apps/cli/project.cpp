// project, project key

#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
const Positional project{"project", &resource_id, "UUID or slug of the project"};
const Positional key{"uuid", &uuid, "UUID of the key"};
constexpr auto required = Credential::required, optional = Credential::optional;
}  // namespace

void add_project(std::vector<Command>& table) {
  table.push_back({.path = "project list",
                   .aliases = "ls",
                   .summary = "List the projects of an organization, or public ones",
                   .positionals = {{"organization", &resource_id,
                                    "UUID or slug of the organization (else: all public projects)", true}},
                   .flags = std::vector{flag("name", resource_name, "Only the one of that name"),
                                        flag("search", text, "Only those that match")} +
                            pages("name"),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/projects",
                   .url_without_positionals = "/v0/projects"});
  table.push_back({.path = "project create",
                   .aliases = "add",
                   .summary = "Create a project",
                   .positionals = {{"organization", &resource_id, "UUID or slug of the organization"}},
                   .flags = {flag("name", resource_name, "Its name").required(),
                             flag("slug", slug, "Its slug (else made from the name)"), flag("url", url, "Its web site"),
                             flag("visibility", word, "Who sees it").one_of("public private").by_default("public")},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/organizations/{organization}/projects"});
  table.push_back({.path = "project view",
                   .aliases = "get",
                   .summary = "View a project",
                   .positionals = {project},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/projects/{project}"});
  table.push_back({.path = "project update",
                   .aliases = "edit",
                   .summary = "Update a project",
                   .positionals = {project},
                   .flags = {flag("name", resource_name, "New name"), flag("slug", slug, "New slug"),
                             flag("url", url, "New web site").none(),
                             flag("visibility", word, "Who sees it").one_of("public private")},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/projects/{project}"});
  table.push_back({.path = "project delete",
                   .aliases = "rm",
                   .summary = "Delete a project",
                   .positionals = {project},
                   .flags = {flag("hard", "Remove it for good (server administrators)")},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}"});
  table.push_back({.path = "project allowed",
                   .summary = "Ask for one permission",
                   .positionals = {project},
                   .flags = {flag("perm", word, "The permission").required().one_of(permissions).in(Place::path)},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/projects/{project}/allowed/{perm}"});

  table.push_back(
      {.path = "project key list",
       .aliases = "ls",
       .summary = "List the keys of a project",
       .positionals = {project},
       .flags = std::vector{flag("name", resource_name, "Only the one of that name"),
                            flag("search", text, "Only those that match"), flag("revoked", "Only revoked ones")} +
                pages("name"),
       .credential = required,
       .method = "GET",
       .url = "/v0/projects/{project}/keys"});
  table.push_back(
      {.path = "project key create",
       .aliases = "add",
       .summary = "Create a key; it is shown this once",
       .positionals = {project},
       .flags = {flag("name", resource_name, "Its name").required(), flag("ttl", u32, "Seconds until it expires")},
       .credential = required,
       .method = "POST",
       .url = "/v0/projects/{project}/keys"});
  table.push_back({.path = "project key view",
                   .aliases = "get",
                   .summary = "View a key",
                   .positionals = {project, key},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/projects/{project}/keys/{uuid}"});
  table.push_back({.path = "project key update",
                   .aliases = "edit",
                   .summary = "Rename a key",
                   .positionals = {project, key},
                   .flags = {flag("name", resource_name, "New name")},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/projects/{project}/keys/{uuid}"});
  table.push_back({.path = "project key revoke",
                   .aliases = "rm",
                   .summary = "Revoke a key",
                   .positionals = {project, key},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/projects/{project}/keys/{uuid}"});
}

}  // namespace bencher::cli
