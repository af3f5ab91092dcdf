// user, user key, token

#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
const Positional user{"user", &resource_id, "UUID or slug of the user"};
const Positional key{"uuid", &uuid, "UUID of the key"};
constexpr auto required = Credential::required;
}  // namespace

void add_user(std::vector<Command>& table) {
  table.push_back({.path = "user list",
                   .aliases = "ls",
                   .summary = "List users (server administrators)",
                   .flags = std::vector{flag("name", user_name, "Only the one of that name"),
                                        flag("search", text, "Only those that match")} +
                            pages("name"),
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/users"});
  table.push_back({.path = "user view",
                   .aliases = "get",
                   .summary = "View a user",
                   .positionals = {user},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/users/{user}"});
  table.push_back({.path = "user update",
                   .aliases = "edit",
                   .summary = "Update a user",
                   .positionals = {user},
                   .flags = {flag("name", user_name, "New name"), flag("slug", slug, "New slug"),
                             flag("email", email, "New e-mail address"),
                             flag("admin", boolean, "Whether they administer the server"),
                             flag("locked", boolean, "Whether they are locked out")},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/users/{user}"});
  struct Kind {
    std::string_view list, create, view, update, revoke, many, one;
  };
  for (const auto& kind : {Kind{"user key list", "user key create", "user key view", "user key update",
                                "user key revoke", "/v0/users/{user}/keys", "/v0/users/{user}/keys/{uuid}"},
                           Kind{"token list", "token create", "token view", "token update", "token revoke",
                                "/v0/users/{user}/tokens", "/v0/users/{user}/tokens/{uuid}"}}) {
    table.push_back(
        {.path = kind.list,
         .aliases = "ls",
         .summary = "List them",
         .positionals = {user},
         .flags = std::vector{flag("name", resource_name, "Only the one of that name"),
                              flag("search", text, "Only those that match"), flag("revoked", "Only revoked ones")} +
                  pages("name"),
         .credential = required,
         .method = "GET",
         .url = kind.many});
    table.push_back(
        {.path = kind.create,
         .aliases = "add",
         .summary = "Create one; it is shown this once",
         .positionals = {user},
         .flags = {flag("name", resource_name, "Its name").required(), flag("ttl", u32, "Seconds until it expires")},
         .credential = required,
         .method = "POST",
         .url = kind.many});
    table.push_back({.path = kind.view,
                     .aliases = "get",
                     .summary = "View one",
                     .positionals = {user, key},
                     .credential = required,
                     .method = "GET",
                     .url = kind.one});
    table.push_back({.path = kind.update,
                     .aliases = "edit",
                     .summary = "Rename one",
                     .positionals = {user, key},
                     .flags = {flag("name", resource_name, "New name")},
                     .credential = required,
                     .method = "PATCH",
                     .url = kind.one});
    table.push_back({.path = kind.revoke,
                     .aliases = "rm",
                     .summary = "Revoke one",
                     .positionals = {user, key},
                     .credential = required,
                     .method = "DELETE",
                     .url = kind.one});
  }
}

}  // namespace bencher::cli
