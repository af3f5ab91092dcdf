// The server itself.
#include "apps/server/app.hpp"

#ifndef BENCHER_VERSION
#define BENCHER_VERSION "0.1.0"
#endif

namespace bencher::server {
namespace {

/// The API that is spoken, and the program that speaks it.
struct Version {
  std::string version;
  std::string build;
};
BOOST_DESCRIBE_STRUCT(Version, (), (version, build))
struct Console {
  std::string url;
};
BOOST_DESCRIBE_STRUCT(Console, (), (url))

Result<Ok<json::Raw>> root(Call&) {
  return Ok<json::Raw>{{"null"}};
}

Result<Ok<Version>> version(Call&) {
  return Ok<Version>{{"0.6.12", BENCHER_VERSION}};
}

Result<Ok<json::Raw>> spec(Call&) {
  return Ok<json::Raw>{{openapi()}};
}

Result<Ok<json::Raw>> config(Call& call) {
  return Ok<json::Raw>{{print_masked(call.context.config)}};
}

Result<Ok<Console>> console(Call& call) {
  return Ok<Console>{{call.context.config.console_url}};
}

constexpr std::array table{
    endpoint<root>({Verb::get, "/", Access::nobody_asked, "server_root_get", "Whether the server is up"}),
    endpoint<version>({Verb::get, "/v0/server/version", Access::nobody_asked, "server_version_get",
                       "The version of the API, and of the server"}),
    endpoint<spec>({Verb::get, "/v0/server/spec", Access::nobody_asked, "server_spec_get", "This document"}),
    endpoint<config>(
        {Verb::get, "/v0/server/config", Access::admin, "server_config_get", "The configuration, with secrets masked"}),
    endpoint<console>({Verb::get, "/v0/server/config/console", Access::console, "server_config_console_get",
                       "The URL of the console"}),
};

}  // namespace

std::span<const Endpoint> system_endpoints() {
  return table;
}

}  // namespace bencher::server
