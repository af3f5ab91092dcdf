#include "apps/server/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "apps/server/app.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using namespace bencher::server;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / fmt::format("bencher-config-test-{}", ::getpid());
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_SUITE("server/config") {
  TEST_CASE("the reference's whole configuration is read") {
    const auto c = parse_config(R"({
      "console": {"url": "https://bench.example"},
      "security": {"issuer": null, "secret_key": "s"},
      "server": {"bind_address": "0.0.0.0:6610", "request_body_max_bytes": 100, "tls": null},
      "logging": {"name": "Bencher API", "log": {"stderr_terminal": {"level": "warn"}}},
      "database": {"file": "x/bencher.db", "data_store": null, "busy_timeout": 1, "cache_size": 65536},
      "smtp": {"hostname": "h"},
      "plus": {"rate_limiting": {"window": 1}, "registry": {"url": "http://localhost:6610", "data_store": {"service": "local"},
               "upload_timeout": 2, "max_body_size": 3}, "runners": {"heartbeat_timeout": 4, "job_timeout_grace_period": 5, "max_result_bytes": 6}}})");
    REQUIRE(c.has_value());
    CHECK(c->console_url == "https://bench.example/");
    CHECK(c->issuer == c->console_url);
    CHECK(c->address == "0.0.0.0");
    CHECK(c->port == 6610);
    CHECK(c->body_limit == 100);
    CHECK(c->registry_url == "http://localhost:6610/");
    CHECK(c->heartbeat_timeout == 4);
    CHECK(c->result_limit == 6);
    CHECK(c->job_grace == 5);
    CHECK(c->database_file == "x/bencher.db");
  }

  TEST_CASE("an unknown key, a wrong type and a wrong range are named") {
    const auto error = [](const char* text) {
      const auto c = parse_config(text);
      REQUIRE_FALSE(c.has_value());
      CHECK(c.error().code() == Errc::invalid_argument);
      return c.error().message();
    };
    CHECK(error(R"({"sever":{}})").find("unknown key 'sever'") != std::string::npos);
    CHECK(error(R"({"server":{"bind_adress":"x"}})").find("unknown key 'server.bind_adress'") != std::string::npos);
    CHECK(error(R"({"server":{"request_body_max_bytes":"1"}})").find("server.request_body_max_bytes") !=
          std::string::npos);
    CHECK(error(R"({"plus":{"runners":{"heartbeat_timeout":901}}})").find("plus.runners.heartbeat_timeout") !=
          std::string::npos);
    CHECK(error(R"({"server":{"bind_address":"nowhere"}})").find("nowhere") != std::string::npos);
    CHECK(error(R"({"logging":{"log":{"stderr_terminal":{"level":"loud"}}}})").find("level") != std::string::npos);
    CHECK(error("{").find("not JSON") != std::string::npos);
    CHECK(error("[]").find("must be a JSON object") != std::string::npos);
  }

  TEST_CASE("with nothing given it listens on loopback and makes a secret once, for its owner only") {
    Folder folder;
    ::unsetenv("BENCHER_CONFIG");
    ::unsetenv("BENCHER_CONFIG_PATH");
    SystemRandom random;
    Arguments arguments;
    arguments.data_dir = (folder.path / "data").string();
    const auto first = load_config(arguments, random);
    REQUIRE(first.has_value());
    CHECK(first->address == "127.0.0.1");
    CHECK(first->port == 61016);
    CHECK(first->secret_key.size() == 64);
    struct stat about {};
    REQUIRE(::stat((folder.path / "data/secret").c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    CHECK(load_config(arguments, random)->secret_key == first->secret_key);
    CHECK(print_masked(*first).find(first->secret_key) == std::string::npos);
  }

  TEST_CASE("arguments win over the file") {
    Folder folder;
    const auto file = (folder.path / "c.json").string();
    std::ofstream(file) << R"({"server":{"bind_address":"127.0.0.1:1"},"security":{"secret_key":"x"}})";
    SystemRandom random;
    Arguments arguments;
    arguments.config_file = file;
    arguments.data_dir = folder.path.string();
    CHECK(load_config(arguments, random)->port == 1);
    arguments.listen = "[::1]:2";
    CHECK(load_config(arguments, random)->address == "::1");
    CHECK(load_config(arguments, random)->port == 2);
    arguments.config_file = "/nowhere/c.json";
    CHECK(load_config(arguments, random).error().message().find("/nowhere/c.json") != std::string::npos);
  }
}

TEST_SUITE("server/openapi") {
  TEST_CASE("the document made of the endpoint tables is the one on record") {
    const auto document = openapi() + "\n";
    const std::string file = std::string(BENCHER_TEST_DATA) + "/golden/openapi.json";
    if (std::getenv("BENCHER_UPDATE_GOLDEN")) std::ofstream(file) << document;
    CHECK((document == bencher::test::read_data("golden/openapi.json")));
    CHECK(document.find("\"operationId\":\"run_post\"") != std::string::npos);
  }
}
