#include "apps/server/config.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bencher::server {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

Error bad(std::string_view key, std::string_view want) {
  return Error(Errc::invalid_argument, fmt::format("configuration: '{}' must be {}", key, want));
}

/// A JSON object whose members are taken one by one; what is left at the end is unknown.
class Section {
 public:
  Section(const bj::object& object, std::string path) : left_(object), path_(std::move(path)) {}

  Result<void> text(std::string_view key, std::string& out) {
    const auto v = take(key);
    if (!v || v->is_null()) return {};
    if (!v->is_string()) return bad(full(key), "a string");
    out = std::string_view(v->get_string());
    return {};
  }
  template <class T>
  Result<void> integer(std::string_view key, T& out, std::int64_t min, std::int64_t max) {
    const auto v = take(key);
    if (!v || v->is_null()) return {};
    boost::system::error_code ec;
    const auto n = v->to_number<std::int64_t>(ec);
    if (ec || n < min || n > max) return bad(full(key), fmt::format("an integer of {} to {}", min, max));
    out = static_cast<T>(n);
    return {};
  }
  /// The section of that name, or nothing.
  Result<std::optional<Section>> section(std::string_view key) {
    const auto v = take(key);
    if (!v || v->is_null()) return std::optional<Section>();
    if (!v->is_object()) return bad(full(key), "an object");
    return std::optional(Section(v->get_object(), full(key)));
  }
  /// A member that is understood but has no effect here.
  void ignore(std::string_view key) { left_.erase(key); }
  Result<void> done() const {
    if (left_.empty()) return {};
    return Error(Errc::invalid_argument,
                 fmt::format("configuration: unknown key '{}'; remove it or correct its spelling",
                             full(std::string_view(left_.begin()->key()))));
  }
  std::string full(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

 private:
  std::optional<bj::value> take(std::string_view key) {
    const auto it = left_.find(key);
    if (it == left_.end()) return std::nullopt;
    bj::value v = it->value();
    left_.erase(it);
    return v;
  }
  bj::object left_;
  std::string path_;
};

Result<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return Error(Errc::invalid_argument, fmt::format("cannot read '{}': {}", file.string(), std::strerror(errno)));
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

/// A secret of this installation: read when it is there, else made, with mode 0600.
Result<std::string> secret_in(const fs::path& file, Random& random) {
  if (fs::exists(file)) {
    BENCHER_TRY(auto text, read_file(file));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
      text.pop_back();
    if (text.empty())
      return Error(Errc::invalid_argument,
                   fmt::format("'{}' is empty; delete it to have a new secret made", file.string()));
    return text;
  }
  const auto secret = random.text(64, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return Error(Errc::invalid_argument, fmt::format("cannot write '{}': {}", file.string(), std::strerror(errno)));
  const auto line = secret + "\n";
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!written) return Error(Errc::invalid_argument, fmt::format("cannot write '{}'", file.string()));
  return secret;
}

std::string with_slash(std::string url) {
  if (!url.empty() && url.back() != '/') url += '/';
  return url;
}

}  // namespace

Result<void> set_listen(Config& config, std::string_view listen) {
  const auto wrong = [&] {
    return Error(Errc::invalid_argument,
                 fmt::format("'{}' is not an address to listen on, such as 127.0.0.1:61016", listen));
  };
  const auto colon = listen.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  auto host = listen.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto port = listen.substr(colon + 1);
  unsigned number = 0;
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (ec != std::errc{} || end != port.data() + port.size() || number > 65535 || host.empty()) return wrong();
  config.address = host;
  config.port = static_cast<std::uint16_t>(number);
  return {};
}

Result<Config> parse_config(std::string_view json) {
  boost::system::error_code ec;
  const auto root = bj::parse(json, ec);
  if (ec) return Error(Errc::invalid_argument, "configuration: not JSON: " + ec.message());
  if (!root.is_object()) return Error(Errc::invalid_argument, "configuration: must be a JSON object");
  Config c;
  c.database_file.clear();
  Section all(root.get_object(), "");
  std::string issuer, bind, database, registry;
  BENCHER_TRY(auto console, all.section("console"));
  if (console) {
    BENCHER_DO(console->text("url", c.console_url));
    BENCHER_DO(console->done());
    c.console_url = with_slash(c.console_url);
  }
  BENCHER_TRY(auto security, all.section("security"));
  if (security) {
    BENCHER_DO(security->text("issuer", issuer));
    BENCHER_DO(security->text("secret_key", c.secret_key));
    BENCHER_DO(security->done());
  }
  c.issuer = issuer.empty() ? c.console_url : issuer;
  BENCHER_TRY(auto server, all.section("server"));
  if (server) {
    BENCHER_DO(server->text("bind_address", bind));
    if (!bind.empty()) BENCHER_DO(set_listen(c, bind));
    BENCHER_DO(server->integer("request_body_max_bytes", c.body_limit, 1, 1ll << 32));
    BENCHER_TRY(auto tls, server->section("tls"));
    if (tls) {
      std::string type;
      BENCHER_DO(tls->text("type", type));
      if (type != "as_file") return bad("server.tls.type", "\"as_file\"");
      BENCHER_DO(tls->text("cert_file", c.certificate_file));
      BENCHER_DO(tls->text("key_file", c.key_file));
      BENCHER_DO(tls->done());
      if (c.certificate_file.empty() || c.key_file.empty())
        return bad("server.tls", "given both cert_file and key_file");
    }
    BENCHER_DO(server->done());
  }
  BENCHER_TRY(auto logging, all.section("logging"));
  if (logging) {
    logging->ignore("name");
    BENCHER_TRY(auto log, logging->section("log"));
    if (log) {
      BENCHER_TRY(auto terminal, log->section("stderr_terminal"));
      if (terminal) {
        BENCHER_DO(terminal->text("level", c.log_level));
        BENCHER_DO(terminal->done());
      }
      BENCHER_TRY(auto file, log->section("file"));
      if (file) {
        BENCHER_DO(file->text("level", c.log_level));
        BENCHER_DO(file->text("path", c.log_file));
        file->ignore("if_exists");
        BENCHER_DO(file->done());
      }
      BENCHER_DO(log->done());
    }
    BENCHER_DO(logging->done());
  }
  BENCHER_TRY(auto db, all.section("database"));
  if (db) {
    BENCHER_DO(db->text("file", database));
    db->ignore("data_store");
    BENCHER_DO(db->integer("busy_timeout", c.busy_timeout_ms, 0, 3'600'000));
    BENCHER_DO(db->integer("cache_size", c.cache_kib, 64, 1 << 30));
    BENCHER_DO(db->done());
    c.database_file = database;
  }
  all.ignore("smtp");
  BENCHER_TRY(auto plus, all.section("plus"));
  if (plus) {
    for (const auto* key : {"rate_limiting", "github", "google", "litestream", "disaster_recovery", "stats", "cloud"})
      plus->ignore(key);
    BENCHER_TRY(auto reg, plus->section("registry"));
    if (reg) {
      BENCHER_DO(reg->text("url", c.registry_url));
      reg->ignore("data_store");
      BENCHER_DO(reg->integer("upload_timeout", c.upload_timeout, 1, 1 << 30));
      BENCHER_DO(reg->integer("max_body_size", c.registry_body_limit, 1, 1ll << 60));
      BENCHER_DO(reg->done());
      c.registry_url = with_slash(c.registry_url);
    }
    BENCHER_TRY(auto runners, plus->section("runners"));
    if (runners) {
      BENCHER_DO(runners->integer("heartbeat_timeout", c.heartbeat_timeout, 1, 900));
      BENCHER_DO(runners->integer("job_timeout_grace_period", c.job_grace, 1, 900));
      BENCHER_DO(runners->integer("max_result_bytes", c.result_limit, 1, 1ll << 32));
      runners->ignore("update_base_url");
      BENCHER_DO(runners->done());
    }
    BENCHER_DO(plus->done());
  }
  BENCHER_DO(all.done());
  static constexpr std::string_view levels[] = {"trace",   "debug", "info",     "warn",
                                                "warning", "error", "critical", "off"};
  if (std::find(std::begin(levels), std::end(levels), c.log_level) == std::end(levels))
    return bad("logging.log.…level", "one of trace, debug, info, warn, error, critical");
  return c;
}

Result<Config> load_config(const Arguments& arguments, Random& random) {
  Config c;
  const char* inline_config = std::getenv("BENCHER_CONFIG");
  const char* path = std::getenv("BENCHER_CONFIG_PATH");
  if (arguments.config_file) {
    BENCHER_TRY(const auto text, read_file(*arguments.config_file));
    BENCHER_TRY(c, parse_config(text));
  } else if (inline_config && *inline_config) {
    BENCHER_TRY(c, parse_config(inline_config));
  } else if (path && *path) {
    BENCHER_TRY(const auto text, read_file(path));
    BENCHER_TRY(c, parse_config(text));
  }
  if (arguments.listen) BENCHER_DO(set_listen(c, *arguments.listen));
  const bool own_database = !c.database_file.empty() && !arguments.data_dir;
  const fs::path data = own_database ? c.database_file.parent_path() : fs::path(arguments.data_dir.value_or("data"));
  std::error_code ec;
  fs::create_directories(data.empty() ? fs::path(".") : data, ec);
  if (ec)
    return Error(Errc::invalid_argument,
                 fmt::format("cannot make the data folder '{}': {}", data.string(), ec.message()));
  if (!own_database) c.database_file = data / "bencher.db";
  c.blob_dir = data / "registry";
  if (c.secret_key.empty()) {
    BENCHER_TRY(c.secret_key, secret_in(data / "secret", random));
  }
  return c;
}

std::string print_masked(const Config& c) {
  const auto listen = c.address.find(':') == std::string::npos ? fmt::format("{}:{}", c.address, c.port)
                                                               : fmt::format("[{}]:{}", c.address, c.port);
  bj::value tls = nullptr;
  if (!c.certificate_file.empty())
    tls = bj::object{{"type", "as_file"}, {"cert_file", c.certificate_file}, {"key_file", c.key_file}};
  bj::object log =
      c.log_file.empty()
          ? bj::object{{"stderr_terminal", bj::object{{"level", c.log_level}}}}
          : bj::object{{"file", bj::object{{"level", c.log_level}, {"path", c.log_file}, {"if_exists", "append"}}}};
  return bj::serialize(bj::object{
      {"console", {{"url", c.console_url}}},
      {"security", {{"issuer", c.issuer}, {"secret_key", "************"}}},
      {"server", {{"bind_address", listen}, {"request_body_max_bytes", c.body_limit}, {"tls", tls}}},
      {"logging", {{"name", "Bencher API"}, {"log", log}}},
      {"database",
       {{"file", c.database_file.string()},
        {"data_store", nullptr},
        {"busy_timeout", c.busy_timeout_ms},
        {"cache_size", c.cache_kib}}},
      {"smtp", nullptr},
      {"plus",
       {{"registry",
         {{"url", c.registry_url},
          {"data_store", {{"service", "local"}}},
          {"upload_timeout", c.upload_timeout},
          {"max_body_size", c.registry_body_limit}}},
        {"runners",
         {{"heartbeat_timeout", c.heartbeat_timeout},
          {"job_timeout_grace_period", c.job_grace},
          {"max_result_bytes", c.result_limit}}}}},
  });
}

}  // namespace bencher::server
