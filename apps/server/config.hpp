// Where the server's settings come from, and what they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "bencher/base/random.hpp"
#include "bencher/base/result.hpp"

namespace bencher::server {

struct Config {
  std::string console_url = "http://localhost:3000/";
  std::string issuer = "http://localhost:3000/";
  std::string secret_key;
  std::string address = "127.0.0.1";
  std::uint16_t port = 61016;
  std::uint64_t body_limit = 4194304;  ///< bytes
  std::string certificate_file;
  std::string key_file;
  std::string log_level = "info";
  std::string log_file;  ///< empty: standard error
  std::filesystem::path database_file;
  int busy_timeout_ms = 5000;
  int cache_kib = 16384;
  std::filesystem::path blob_dir;
  std::string registry_url;                        ///< with a trailing slash; empty: made of the address
  std::int64_t upload_timeout = 3600;              ///< seconds
  std::uint64_t registry_body_limit = 1073741824;  ///< bytes
  std::int64_t heartbeat_timeout = 90;             ///< seconds
  std::int64_t job_grace = 60;                     ///< seconds
  std::uint64_t result_limit = 268435456;          ///< bytes of a job's uploaded results
};

struct Arguments {
  std::optional<std::string> config_file;
  std::optional<std::string> data_dir;
  std::optional<std::string> listen;
};

/// Reads a configuration as JSON. Error: `invalid_argument`, naming the key that is unknown or has a wrong value.
Result<Config> parse_config(std::string_view json);
/// The server's configuration: the arguments, over `BENCHER_CONFIG`, `BENCHER_CONFIG_PATH` or `--config`, over defaults
/// that keep everything in the data folder. A secret is made there once, readable by its owner only.
Result<Config> load_config(const Arguments& arguments, Random& random);
/// `host:port` or `[v6]:port`. Error: `invalid_argument`.
Result<void> set_listen(Config& config, std::string_view listen);
/// As JSON, with every secret masked.
std::string print_masked(const Config& config);

}  // namespace bencher::server
