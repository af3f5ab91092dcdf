#include "apps/cli/request.hpp"

#include <doctest/doctest.h>

#include "lib/json/value.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using namespace bencher::cli;

namespace {

const std::string uuid = "11111111-2222-3333-4444-555555555555";
const std::string hash(40, 'a');

std::optional<std::string> no_env(std::string_view) {
  return {};
}

struct Row {
  std::vector<std::string> words;
  const char* request;  ///< method and path
  const char* body;     ///< compact JSON with keys in order of flags; null: none
};

}  // namespace

TEST_SUITE("cli/request") {
  TEST_CASE("a command line becomes its request") {
    const Row rows[]{
        {{"organization", "ls", "--name", "A B", "--per-page", "0", "--direction", "desc"},
         "GET /v0/organizations?name=A%20B&direction=desc&per_page=0",
         nullptr},
        {{"org", "add", "--name", "Acme", "--slug", "acme"},
         "POST /v0/organizations",
         R"({"name":"Acme","slug":"acme"})"},
        {{"org", "edit", "acme", "--license", "_"}, "PATCH /v0/organizations/acme", R"({"license":null})"},
        {{"org", "rm", "acme", "--hard"}, "DELETE /v0/organizations/acme?hard=true", nullptr},
        {{"organization", "claim", "acme"}, "POST /v0/organizations/acme/claim", R"({"empty":null})"},
        {{"organization", "allowed", "acme", "--perm", "view_role"},
         "GET /v0/organizations/acme/allowed/view_role",
         nullptr},
        {{"organization", "usage", "acme"}, "GET /v0/organizations/acme/usage", nullptr},
        {{"member", "invite", "acme", "--email", "A@b.example", "--role", "leader"},
         "POST /v0/organizations/acme/members",
         R"({"email":"A@b.example","role":"leader"})"},
        {{"member", "rm", "acme", "ann"}, "DELETE /v0/organizations/acme/members/ann", nullptr},
        {{"plan", "create", "acme", "--checkout", "c", "--level", "team", "--entitlements", "5", "--skip-remote"},
         "POST /v0/organizations/acme/plan",
         R"({"checkout":"c","level":"team","entitlements":5,"remote":false})"},
        {{"plan", "update", "acme", "--cancel"},
         "PATCH /v0/organizations/acme/plan",
         R"({"cancel_at_period_end":true})"},
        {{"plan", "update", "acme", "--resume"},
         "PATCH /v0/organizations/acme/plan",
         R"({"cancel_at_period_end":false})"},
        {{"plan", "delete", "acme", "--skip-remote"}, "DELETE /v0/organizations/acme/plan?remote=false", nullptr},
        {{"sso", "view", "acme", uuid}, "GET /v0/organizations/acme/sso/11111111-2222-3333-4444-555555555555", nullptr},
        {{"project", "list"}, "GET /v0/projects", nullptr},
        {{"project", "list", "acme", "--search", "a&b"}, "GET /v0/organizations/acme/projects?search=a%26b", nullptr},
        {{"project", "create", "acme", "--name", "P", "--url", "https://p.example"},
         "POST /v0/organizations/acme/projects",
         R"({"name":"P","url":"https://p.example","visibility":"public"})"},
        {{"project", "get", "p"}, "GET /v0/projects/p", nullptr},
        {{"project", "update", "p", "--url", "_"}, "PATCH /v0/projects/p", R"({"url":null})"},
        {{"project", "key", "create", "p", "--name", "ci", "--ttl", "60"},
         "POST /v0/projects/p/keys",
         R"({"name":"ci","ttl":60})"},
        {{"project", "key", "rm", "p", uuid},
         "DELETE /v0/projects/p/keys/11111111-2222-3333-4444-555555555555",
         nullptr},
        {{"project", "key", "list", "p", "--revoked"}, "GET /v0/projects/p/keys?revoked=true", nullptr},
        {{"report", "list", "p", "--branch", "feature/x#y", "--start-time", "5", "--end-time", "0", "--expand"},
         "GET /v0/projects/p/reports?branch=feature%2Fx%23y&start_time=5000&end_time=0&expand=true",
         nullptr},
        {{"report",
          "create",
          "p",
          "--branch",
          "main",
          "--testbed",
          "ci",
          "--start-time",
          "2024-07-11T06:23:00Z",
          "--end-time",
          "2024-07-11T06:24:00Z",
          "--results",
          "{}",
          "--results",
          "[]",
          "--adapter",
          "json",
          "--fold",
          "min",
          "--threshold-measure",
          "latency",
          "--threshold-test",
          "t",
          "--threshold-upper-boundary",
          "0.98",
          "--start-point-branch",
          "base",
          "--start-point-reset"},
         "POST /v0/projects/p/reports",
         R"({"branch":"main","testbed":"ci","start_time":"2024-07-11T06:23:00Z","end_time":"2024-07-11T06:24:00Z","results":["{}","[]"],"start_point":{"branch":"base","max_versions":255,"reset":true},"thresholds":{"models":{"latency":{"test":"t_test","upper_boundary":0.98}}},"settings":{"adapter":"json","fold":"min"}})"},
        {{"report", "rm", "p", uuid}, "DELETE /v0/projects/p/reports/11111111-2222-3333-4444-555555555555", nullptr},
        {{"job", "list", "p", "--status", "processed"}, "GET /v0/projects/p/jobs?status=processed", nullptr},
        {{"job", "cancel", "p", uuid}, "POST /v0/projects/p/jobs/11111111-2222-3333-4444-555555555555/cancel", "{}"},
        {{"perf", "p", "--branches", uuid, "--branches", uuid, "--heads", "_", "--heads", uuid, "--testbeds", uuid,
          "--benchmarks", uuid, "--measures", uuid, "--start-time", "1"},
         "GET "
         "/v0/projects/p/"
         "perf?branches=11111111-2222-3333-4444-555555555555%2C11111111-2222-3333-4444-555555555555&heads=%2C11111111-"
         "2222-3333-4444-555555555555"
         "&testbeds=11111111-2222-3333-4444-555555555555&benchmarks=11111111-2222-3333-4444-555555555555&measures="
         "11111111-2222-3333-4444-555555555555&start_time=1000",
         nullptr},
        {{"plot", "create", "p", "--x-axis", "version", "--window", "60", "--upper-value", "--branches", uuid,
          "--testbeds", uuid, "--benchmarks", uuid, "--measures", uuid},
         "POST /v0/projects/p/plots",
         R"({"lower_value":false,"upper_value":true,"lower_boundary":false,"upper_boundary":false,"x_axis":"version","y_axis":"auto","window":60,"branches":["11111111-2222-3333-4444-555555555555"],"testbeds":["11111111-2222-3333-4444-555555555555"],"benchmarks":["11111111-2222-3333-4444-555555555555"],"measures":["11111111-2222-3333-4444-555555555555"]})"},
        {{"plot", "update", "p", uuid, "--title", "_", "--lower-value", "false", "--index", "3"},
         "PATCH /v0/projects/p/plots/11111111-2222-3333-4444-555555555555",
         R"({"index":3,"title":null,"lower_value":false})"},
        {{"branch", "create", "p", "--name", "b", "--start-point-branch", "main", "--start-point-hash", hash,
          "--start-point-clone-thresholds"},
         "POST /v0/projects/p/branches",
         R"({"name":"b","start_point":{"branch":"main","hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","max_versions":255,"clone_thresholds":true}})"},
        {{"branch", "view", "p", "b", "--head", uuid},
         "GET /v0/projects/p/branches/b?head=11111111-2222-3333-4444-555555555555",
         nullptr},
        {{"branch", "update", "p", "b", "--archive"}, "PATCH /v0/projects/p/branches/b", R"({"archived":true})"},
        {{"branch", "update", "p", "b", "--start-point-reset"},
         "PATCH /v0/projects/p/branches/b",
         R"({"start_point":{"max_versions":255,"reset":true}})"},
        {{"testbed", "create", "p", "--name", "t", "--spec", "small"},
         "POST /v0/projects/p/testbeds",
         R"({"name":"t","spec":"small"})"},
        {{"testbed", "update", "p", "t", "--spec", "_", "--unarchive"},
         "PATCH /v0/projects/p/testbeds/t",
         R"({"spec":null,"archived":false})"},
        {{"benchmark", "list", "p", "--archived", "--name", " padded"},
         "GET /v0/projects/p/benchmarks?name=%20padded&archived=true",
         nullptr},
        {{"measure", "create", "p", "--name", "m", "--units", "things"},
         "POST /v0/projects/p/measures",
         R"({"name":"m","units":"things"})"},
        {{"measure", "rm", "p", "m"}, "DELETE /v0/projects/p/measures/m", nullptr},
        {{"metric", "get", "p", uuid}, "GET /v0/projects/p/metrics/11111111-2222-3333-4444-555555555555", nullptr},
        {{"threshold", "create", "p", "--branch", "main", "--testbed", "ci", "--measure", "latency", "--benchmark",
          "a b", "--test", "auto"},
         "POST /v0/projects/p/thresholds",
         R"({"branch":"main","testbed":"ci","measure":"latency","benchmark":"a b","test":"auto"})"},
        {{"threshold", "preview", "p", "--branch", "main", "--testbed", "ci", "--measure", "latency", "--start-time",
          "2024-07-11T06:23:00Z", "--test", "iqr", "--upper-boundary", "3.0", "--max-sample-size", "64"},
         "POST /v0/projects/p/thresholds/preview",
         R"({"branch":"main","testbed":"ci","measure":"latency","start_time":"2024-07-11T06:23:00Z","test":"iqr","max_sample_size":64,"upper_boundary":3.0})"},
        {{"threshold", "changes", "p", "--branch", "main", "--testbed", "ci", "--measure", "latency", "--benchmark",
          "a"},
         "GET /v0/projects/p/changes?branch=main&testbed=ci&measure=latency&benchmark=a",
         nullptr},
        {{"threshold", "list", "p", "--benchmark", "a"}, "GET /v0/projects/p/thresholds?benchmark=a", nullptr},
        {{"threshold", "create", "p", "--branch", "main", "--testbed", "ci", "--measure", "latency", "--test",
          "percentage", "--upper-boundary", "0.10", "--max-sample-size", "64"},
         "POST /v0/projects/p/thresholds",
         R"({"branch":"main","testbed":"ci","measure":"latency","test":"percentage","max_sample_size":64,"upper_boundary":0.10})"},
        {{"threshold", "update", "p", uuid, "--test", "static", "--lower-boundary=-5.5"},
         "PUT /v0/projects/p/thresholds/11111111-2222-3333-4444-555555555555",
         R"({"test":"static","lower_boundary":-5.5})"},
        {{"threshold", "update", "p", uuid, "--remove-model"},
         "PUT /v0/projects/p/thresholds/11111111-2222-3333-4444-555555555555",
         R"({"test":null})"},
        {{"threshold", "view", "p", uuid, "--model", uuid},
         "GET "
         "/v0/projects/p/thresholds/11111111-2222-3333-4444-555555555555?model=11111111-2222-3333-4444-555555555555",
         nullptr},
        {{"alert", "update", "p", uuid, "--status", "dismissed"},
         "PATCH /v0/projects/p/alerts/11111111-2222-3333-4444-555555555555",
         R"({"status":"dismissed"})"},
        {{"user", "update", "ann", "--admin", "true", "--locked", "false"},
         "PATCH /v0/users/ann",
         R"({"admin":true,"locked":false})"},
        {{"user", "key", "add", "ann", "--name", "k"}, "POST /v0/users/ann/keys", R"({"name":"k"})"},
        {{"token", "rm", "ann", uuid}, "DELETE /v0/users/ann/tokens/11111111-2222-3333-4444-555555555555", nullptr},
        {{"runner", "create", "--name", "r"}, "POST /v0/runners", R"({"name":"r"})"},
        {{"runner", "key", "r"}, "POST /v0/runners/r/key", "{}"},
        {{"runner", "spec", "create", "r", "--spec", "small"}, "POST /v0/runners/r/specs", R"({"spec":"small"})"},
        {{"runner", "spec", "rm", "r", "small"}, "DELETE /v0/runners/r/specs/small", nullptr},
        {{"spec", "create", "--name", "s", "--os", "linux", "--architecture", "x86_64", "--cpu", "2", "--memory",
          "536870912", "--disk", "1", "--network", "--fallback"},
         "POST /v0/specs",
         R"({"name":"s","os":"linux","architecture":"x86_64","cpu":2,"memory":536870912,"disk":1,"network":true,"fallback":true})"},
        {{"spec", "update", "s", "--fallback", "false"}, "PATCH /v0/specs/s", R"({"fallback":false})"},
        {{"server", "backup", "--rm"}, "POST /v0/server/backup", R"({"compress":false,"remove":true})"},
        {{"server", "config", "view"}, "GET /v0/server/config", nullptr},
        {{"auth", "signup", "a@b.example", "--name", "Ann", "--i-agree"},
         "POST /v0/auth/signup",
         R"({"email":"a@b.example","name":"Ann","i_agree":true})"},
        {{"auth", "login", "a@b.example"}, "POST /v0/auth/login", R"({"email":"a@b.example"})"},
        {{"auth", "confirm", "a.b.c"}, "POST /v0/auth/confirm", R"({"token":"a.b.c"})"},
        {{"auth", "accept", "a.b.c"}, "POST /v0/auth/accept", R"({"invite":"a.b.c"})"},
    };
    for (const auto& row : rows) {
      CAPTURE(row.request);
      const auto parsed = parse_command_line(row.words, no_env);
      if (!parsed.command) FAIL(parsed.text);
      const auto request = build_request(*parsed.command, parsed.arguments);
      CHECK(request.method + " " + request.path == row.request);
      CHECK(request.body.has_value() == (row.body != nullptr));
      if (row.body) CHECK(request.body->compact() == row.body);
    }
  }

  TEST_CASE("every resource command of the reference sends its method and path") {
    for (const auto& command : commands()) {
      if (command.url.empty()) continue;
      CAPTURE(command.path);
      CHECK(command.url.starts_with("/v0/"));
      // Each place of the path is filled by a positional or a flag.
      for (auto at = command.url.find('{'); at != std::string_view::npos; at = command.url.find('{', at + 1)) {
        const auto name = command.url.substr(at + 1, command.url.find('}', at) - at - 1);
        bool filled = false;
        for (const auto& positional : command.positionals)
          filled |= positional.name == name && positional.field.empty();
        for (const auto& flag : command.flags)
          filled |= flag.name == name && flag.place == Place::path;
        CHECK(filled);
      }
    }
  }

  TEST_CASE("models are checked before anything is sent") {
    const auto message = [](std::vector<std::string> words) -> std::string {
      const auto parsed = parse_command_line(words, no_env);
      if (!parsed.command) return parsed.text;
      try {
        build_request(*parsed.command, parsed.arguments);
      } catch (const Failure& failure) {
        CHECK(failure.exit == Exit::usage);
        return failure.message;
      }
      return "";
    };
    const std::vector<std::string> create{"threshold", "create", "p",         "--branch", "b",
                                          "--testbed", "t",      "--measure", "m",        "--test"};
    auto words = create;
    words.insert(words.end(), {"z_score", "--upper-boundary", "7"});
    CHECK(message(words).find("upper_boundary is 7, z_score takes a boundary from 0.5 to under 1") !=
          std::string::npos);
    words = create;
    words.emplace_back("static");
    CHECK(message(words).find("neither lower_boundary nor upper_boundary") != std::string::npos);
    CHECK(message({"threshold", "update", "p", uuid, "--remove-model", "--window", "5"}).find("exclude each other") !=
          std::string::npos);
  }
}
