#include "apps/cli/types.hpp"

namespace bencher::cli {

using namespace types;

const std::vector<Group>& groups() {
  static const std::vector<Group> all{
      {"", "", "Continuous benchmarking: run benchmarks, keep their history, catch regressions"},
      {"organization", "org", "Organizations"},
      {"member", "", "Members of an organization"},
      {"plan", "", "Plan of an organization"},
      {"sso", "", "Single sign-on of an organization"},
      {"project", "", "Projects"},
      {"project key", "", "API keys of a project"},
      {"report", "", "Reports of a project"},
      {"job", "", "Jobs of a project: runs on its runners"},
      {"plot", "", "Pinned plots of a project"},
      {"branch", "", "Branches of a project"},
      {"testbed", "", "Testbeds of a project"},
      {"benchmark", "", "Benchmarks of a project"},
      {"measure", "", "Measures of a project"},
      {"metric", "", "Metrics of a project"},
      {"threshold", "", "Thresholds of a project"},
      {"alert", "", "Alerts of a project"},
      {"user", "", "Users"},
      {"user key", "", "API keys of a user"},
      {"token", "", "Tokens of a user (deprecated: use keys)"},
      {"runner", "", "Runners of the server"},
      {"runner spec", "", "Specs that a runner has"},
      {"spec", "", "Specs: kinds of machine that jobs run on"},
      {"server", "", "The server itself"},
      {"server config", "", "Configuration of the server"},
      {"auth", "", "Accounts of a self-hosted server: sign up, log in", true},
  };
  return all;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> table;
    add_run(table);
    add_archive(table);
    add_perf(table);
    add_mock(table);
    add_noise(table);
    add_not_built(table);
    add_organization(table);
    add_project(table);
    add_report(table);
    add_job(table);
    add_dimension(table);
    add_threshold(table);
    add_user(table);
    add_runner(table);
    add_server(table);
    return table;
  }();
  return all;
}

const std::vector<Flag>& connection_flags() {
  static const std::vector<Flag> all{
      flag("host", url, "Address of the server").by_default("https://api.bencher.dev").from_env("BENCHER_HOST"),
      flag("key", api_key, "API key of a user or project").from_env("BENCHER_API_KEY").excludes("token").secret(),
      flag("token", jwt, "Token of a user (deprecated)").from_env("BENCHER_API_TOKEN").excludes("key").secret(),
      flag("insecure-host", "Accept any certificate"),
      flag("native-tls", "Use the system's certificates, as is always done"),
      flag("timeout", to_900_seconds, "Longest time to connect").by_default("15"),
      flag("attempts", u16, "How often a request is tried").by_default("35"),
      flag("retry-after", to_900_seconds, "First pause between tries; it doubles each time").by_default("1"),
      flag("max-retry-after", to_900_seconds, "Longest pause between tries").by_default("30"),
      flag("strict", "Take no answer that the API does not document"),
  };
  return all;
}

}  // namespace bencher::cli
