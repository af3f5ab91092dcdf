// server, auth

#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

void add_server(std::vector<Command>& table) {
  constexpr auto required = Credential::required, optional = Credential::optional;
  table.push_back({.path = "server version",
                   .summary = "View the server's version",
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/server/version"});
  table.push_back({.path = "server spec",
                   .summary = "View the OpenAPI document of the server",
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/server/spec"});
  table.push_back({.path = "server config view",
                   .summary = "View the configuration (server administrators)",
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/server/config"});
  table.push_back({.path = "server config console",
                   .summary = "View the address of the console",
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/server/config/console"});
  table.push_back({.path = "server backup",
                   .summary = "Back up the database (server administrators)",
                   .flags = {flag("compress", "Compress the copy").always(),
                             flag("data-store", word, "Where to put the copy").one_of("aws_s3"),
                             flag("remove", "Remove the local copy afterwards").alias("rm").always()},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/server/backup"});
  table.push_back({.path = "server stats",
                   .summary = "View statistics (server administrators)",
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/server/stats"});

  const Positional address{"email", &email, "E-mail address of the account", false, "email"};
  table.push_back({.path = "auth signup",
                   .summary = "Sign up",
                   .positionals = {address},
                   .flags = {flag("name", user_name, "Your name").required(),
                             flag("slug", slug, "Your slug (else made from the name)"),
                             flag("plan", word, "Plan").one_of(plan_levels), flag("invite", jwt, "Invitation").secret(),
                             flag("claim", uuid, "Organization to claim"),
                             flag("i-agree", "Agree to the terms of the server").required()},
                   .credential = optional,
                   .method = "POST",
                   .url = "/v0/auth/signup",
                   .is_hidden = true});
  table.push_back(
      {.path = "auth login",
       .summary = "Log in",
       .positionals = {address},
       .flags = {flag("plan", word, "Plan").one_of(plan_levels), flag("invite", jwt, "Invitation").secret()},
       .credential = optional,
       .method = "POST",
       .url = "/v0/auth/login",
       .is_hidden = true});
  table.push_back({.path = "auth confirm",
                   .summary = "Confirm with the token that was sent",
                   .positionals = {{"confirm", &jwt, "The token", false, "token"}},
                   .credential = optional,
                   .method = "POST",
                   .url = "/v0/auth/confirm",
                   .is_hidden = true});
  table.push_back({.path = "auth accept",
                   .summary = "Accept an invitation",
                   .positionals = {{"invite", &jwt, "The invitation", false, "invite"}},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/auth/accept",
                   .is_hidden = true});
}

}  // namespace bencher::cli
