// organization, member, plan, sso

#include "apps/cli/arguments.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

namespace {
const Positional organization{"organization", &resource_id, "UUID or slug of the organization"};
const Positional user{"user", &resource_id, "UUID or slug of the user"};
const Positional sso{"sso", &uuid, "UUID of the SSO domain"};
constexpr auto required = Credential::required, optional = Credential::optional;
}  // namespace

void add_organization(std::vector<Command>& table) {
  table.push_back({.path = "organization list",
                   .aliases = "ls",
                   .summary = "List organizations",
                   .flags = std::vector{flag("name", resource_name, "Only the one of that name"),
                                        flag("search", text, "Only those that match")} +
                            pages("name"),
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations"});
  table.push_back({.path = "organization create",
                   .aliases = "add",
                   .summary = "Create an organization",
                   .flags = {flag("name", resource_name, "Its name").required(),
                             flag("slug", slug, "Its slug (else made from the name)")},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/organizations"});
  table.push_back({.path = "organization view",
                   .aliases = "get",
                   .summary = "View an organization",
                   .positionals = {organization},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}"});
  table.push_back({.path = "organization update",
                   .aliases = "edit",
                   .summary = "Update an organization",
                   .positionals = {organization},
                   .flags = {flag("name", resource_name, "New name"), flag("slug", slug, "New slug"),
                             flag("license", jwt, "License key").none()},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/organizations/{organization}"});
  table.push_back({.path = "organization delete",
                   .aliases = "rm",
                   .summary = "Delete an organization",
                   .positionals = {organization},
                   .flags = {flag("hard", "Remove it for good (server administrators)")},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/organizations/{organization}"});
  table.push_back({.path = "organization claim",
                   .summary = "Claim an organization that nobody has",
                   .positionals = {organization},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/organizations/{organization}/claim",
                   .finish = [](const Arguments&, json::Value& body) { body.set("empty", nullptr); }});
  table.push_back({.path = "organization allowed",
                   .summary = "Ask for one permission",
                   .positionals = {organization},
                   .flags = {flag("perm", word, "The permission").required().one_of(permissions).in(Place::path)},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/allowed/{perm}"});
  table.push_back({.path = "organization usage",
                   .summary = "View the metered use of an organization",
                   .positionals = {organization},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/usage"});

  table.push_back({.path = "member list",
                   .aliases = "ls",
                   .summary = "List members",
                   .positionals = {organization},
                   .flags = std::vector{flag("name", user_name, "Only the one of that name"),
                                        flag("search", text, "Only those that match")} +
                            pages("name"),
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/members"});
  table.push_back(
      {.path = "member invite",
       .summary = "Invite somebody",
       .positionals = {organization},
       .flags = {flag("name", user_name, "Their name"), flag("email", email, "Their e-mail address").required(),
                 flag("role", word, "Their role").required().one_of("leader")},
       .credential = required,
       .method = "POST",
       .url = "/v0/organizations/{organization}/members"});
  table.push_back({.path = "member view",
                   .aliases = "get",
                   .summary = "View a member",
                   .positionals = {organization, user},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/members/{user}"});
  table.push_back({.path = "member update",
                   .aliases = "edit",
                   .summary = "Update a member",
                   .positionals = {organization, user},
                   .flags = {flag("role", word, "New role").one_of("leader")},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/organizations/{organization}/members/{user}"});
  table.push_back({.path = "member remove",
                   .aliases = "rm",
                   .summary = "Remove a member",
                   .positionals = {organization, user},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/organizations/{organization}/members/{user}"});

  table.push_back({.path = "plan create",
                   .aliases = "add",
                   .summary = "Create a plan",
                   .positionals = {organization},
                   .flags = {flag("checkout", non_empty, "Checkout session").required(),
                             flag("level", word, "Level").required().one_of(plan_levels),
                             flag("entitlements", positive_u32, "Metrics that a license covers"),
                             flag("self-hosted", uuid, "Organization of the self-hosted server").needs("entitlements"),
                             flag("skip-remote", "Leave the payment provider alone").as("remote").sending("false")},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/organizations/{organization}/plan"});
  table.push_back({.path = "plan view",
                   .aliases = "get",
                   .summary = "View a plan",
                   .positionals = {organization},
                   .credential = required,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/plan"});
  table.push_back({.path = "plan update",
                   .aliases = "edit",
                   .summary = "Cancel or resume a plan",
                   .positionals = {organization},
                   .flags = {flag("cancel", "End it with its period").excludes("resume").in(Place::none),
                             flag("resume", "Let it go on").excludes("cancel").in(Place::none)},
                   .credential = required,
                   .method = "PATCH",
                   .url = "/v0/organizations/{organization}/plan",
                   .finish = [](const Arguments& arguments,
                                json::Value& body) { body.set("cancel_at_period_end", arguments.has("cancel")); },
                   .one_of = "cancel resume"});
  table.push_back({.path = "plan delete",
                   .aliases = "rm",
                   .summary = "Delete a plan",
                   .positionals = {organization},
                   .flags = {flag("skip-remote", "Leave the payment provider alone").as("remote").sending("false")},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/organizations/{organization}/plan"});

  table.push_back({.path = "sso list",
                   .aliases = "ls",
                   .summary = "List SSO domains",
                   .positionals = {organization},
                   .flags = pages("domain"),
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/sso"});
  table.push_back({.path = "sso create",
                   .aliases = "add",
                   .summary = "Add an SSO domain",
                   .positionals = {organization},
                   .flags = {flag("domain", non_empty, "The domain").required()},
                   .credential = required,
                   .method = "POST",
                   .url = "/v0/organizations/{organization}/sso"});
  table.push_back({.path = "sso view",
                   .aliases = "get",
                   .summary = "View an SSO domain",
                   .positionals = {organization, sso},
                   .credential = optional,
                   .method = "GET",
                   .url = "/v0/organizations/{organization}/sso/{sso}"});
  table.push_back({.path = "sso delete",
                   .aliases = "rm",
                   .summary = "Delete an SSO domain",
                   .positionals = {organization, sso},
                   .credential = required,
                   .method = "DELETE",
                   .url = "/v0/organizations/{organization}/sso/{sso}"});
}

}  // namespace bencher::cli
