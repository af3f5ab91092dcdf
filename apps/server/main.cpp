// bencher-server: reads its settings, opens what it keeps, listens, and stops in order.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <malloc.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/core.h>

#include "apps/server/access.hpp"
#include "apps/server/app.hpp"
#include "apps/server/hub.hpp"

namespace bencher::server {
namespace {

/// One line of JSON an event, through spdlog.
class JsonLogger final : public Logger {
 public:
  explicit JsonLogger(const Config& config) {
    log_ = config.log_file.empty() ? spdlog::stderr_logger_mt("server")
                                   : spdlog::basic_logger_mt("server", config.log_file);
    log_->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc);
    log_->set_level(spdlog::level::from_str(config.log_level == "warn" ? "warning" : config.log_level));
    log_->flush_on(spdlog::level::info);
  }
  void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) override {
    static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                           spdlog::level::warn, spdlog::level::err};
    const auto at = levels[static_cast<std::size_t>(level)];
    if (!log_->should_log(at)) return;
    std::string line = R"("event":)";
    json::write_text(line, event);
    for (const auto& [key, value] : fields) {
      line += ',';
      json::write_text(line, key);
      line += ':';
      json::write_text(line, value);
    }
    log_->log(at, line);
  }

 private:
  std::shared_ptr<spdlog::logger> log_;
};

int serve(const Config& start) {
  // Its own count of its memory is a lock on every allocation, and nobody asks for it. No connection is open yet.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  // Answers of some MiB come and go: their memory is kept for the next one, not given back and zeroed each time.
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  Config config = start;
  SystemClock clock;
  SystemRandom random;
  JsonLogger logger(config);
  boost::asio::io_context io(1);

  storage::Database::Options database_options;
  database_options.file = config.database_file.string();
  database_options.busy_timeout_ms = config.busy_timeout_ms;
  database_options.cache_kib = config.cache_kib;
  storage::Database database(database_options);
  BlobStore blobs(config.blob_dir, random);

  const auto host = config.address == "0.0.0.0" || config.address == "::" || config.address == "127.0.0.1"
                        ? "localhost"
                        : config.address;
  const bool tls = !config.certificate_file.empty();
  const bool registry_given = !config.registry_url.empty();
  // Which registry is ours is known once the port is.
  LocalImageResolver images(config.registry_url, [&](std::string_view repository, std::string_view tag) {
    auto digest = blobs.resolve_tag(repository, tag);
    return digest ? std::optional(*std::move(digest)) : std::nullopt;
  });
  Context context{io, config, database, blobs, images, clock, random, logger};
  JobHub hub(context, config.database_file.parent_path() / "live");
  context.hub = &hub;
  boost::asio::thread_pool pool(2);

  ProjectRegistryAccess access(context);
  http::ServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.certificate_file = config.certificate_file;
  options.key_file = config.key_file;

  // The registry's URL needs the port that is really listened on, so the handler is made after the socket.
  struct Late final : http::Handler {
    std::unique_ptr<App> app;
    Task<void> handle(http::Exchange& exchange) override { return app->handle(exchange); }
  } late;
  http::Server server(io, options, late, random, logger);
  if (!registry_given) config.registry_url = fmt::format("{}://{}:{}/", tls ? "https" : "http", host, server.port());
  images.set_registry(config.registry_url);
  RegistryOptions registry_options;
  registry_options.registry_url = config.registry_url;
  registry_options.upload_timeout = std::chrono::seconds(config.upload_timeout);
  registry_options.max_body_size = config.registry_body_limit;
  Registry registry(blobs, access, registry_options, pool, clock);
  late.app = std::make_unique<App>(context, registry);

  std::exception_ptr failed;
  const auto fail = [&](std::exception_ptr e) {
    if (!e) return;
    failed = e;
    io.stop();
  };
  boost::asio::cancellation_signal stop_watching;
  boost::asio::co_spawn(io, hub.recover(), fail);
  boost::asio::co_spawn(io, hub.watch_leases(),
                        boost::asio::bind_cancellation_slot(stop_watching.slot(), [&](std::exception_ptr) {}));

  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  auto stop = [&]() -> Task<void> {
    co_await server.stop();
    io.stop();
  };
  signals.async_wait([&](boost::system::error_code ec, int number) {
    if (ec) return;
    logger.log(LogLevel::info, "stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
    hub.stop();
    stop_watching.emit(boost::asio::cancellation_type::all);
    boost::asio::co_spawn(io, stop, fail);
  });

  const auto port = std::to_string(server.port());
  logger.log(LogLevel::info, "listening",
             {{"address", config.address}, {"port", port}, {"registry", config.registry_url}});
  const auto url = fmt::format("{}://{}:{}", tls ? "https" : "http", host, server.port());
  std::cout << fmt::format(
                   "bencher-server listens on {}\n"
                   "The first to sign up becomes its admin; the confirmation token is written to this log:\n"
                   "  bencher auth signup --host {} --name NAME --i-agree EMAIL\n"
                   "  bencher auth confirm --host {} TOKEN\n",
                   url, url, url)
            << std::flush;
  io.run();
  // What still runs on other threads may refer to coroutines: it ends before they go.
  database.stop();
  pool.join();
  if (failed) std::rethrow_exception(failed);
  logger.log(LogLevel::info, "stopped", {});
  return 0;
}

}  // namespace
}  // namespace bencher::server

int main(int argc, char** argv) {
  using namespace bencher;
  CLI::App cli{"The bencher server: API, registry and job queue in one program", "bencher-server"};
  server::Arguments arguments;
  cli.add_option("--config", arguments.config_file,
                 "Configuration file (JSON); also BENCHER_CONFIG_PATH, or BENCHER_CONFIG with the text itself");
  cli.add_option("--data", arguments.data_dir,
                 "Folder for the database, the registry and the secret (default: ./data)");
  cli.add_option("--listen", arguments.listen,
                 "Address to listen on, host:port (default: 127.0.0.1:61016; port 0: any free one)");
  cli.set_version_flag("--version", "bencher-server 0.1.0 (API 0.6.12)");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = cli.exit(e);
    return code == 0 ? 0 : 2;
  }
  try {
    SystemRandom random;
    auto config = server::load_config(arguments, random);
    if (!config) {
      std::cerr << "bencher-server: " << config.error().message() << "\n";
      return 2;
    }
    return server::serve(*config);
  } catch (const std::exception& e) {
    std::cerr << "bencher-server: " << e.what() << "\n";
    return 1;
  }
}
