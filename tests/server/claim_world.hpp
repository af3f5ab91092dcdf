// The server in this process, with a project, a runner and its key, over a clock that stands.
#pragma once

#include <memory>
#include <sqlite3.h>
#include <string>

#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>

#include "bencher/auth/credential.hpp"

#include "apps/server/access.hpp"
#include "apps/server/app.hpp"
#include "apps/server/hub.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/image.hpp"
#include "tests/support/query_plan.hpp"
#include "tests/support/store_world.hpp"

namespace bencher::test {

/// Watches each connection that this process opens while this lives, whoever opens it.
class ConnectionsWatch {
 public:
  ConnectionsWatch() {
    current_ = &log;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&opened));
  }
  ~ConnectionsWatch() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&opened)); }
  ConnectionsWatch(const ConnectionsWatch&) = delete;
  ConnectionsWatch& operator=(const ConnectionsWatch&) = delete;

  StatementLog log;

 private:
  static int opened(sqlite3* db, char**, const sqlite3_api_routines*) {
    current_->watch(db);
    return SQLITE_OK;
  }
  static inline StatementLog* current_ = nullptr;
};

/// The server in this process, over a file that is filled through a connection of its own.
struct ClaimWorld {
  TempDir dir;
  StoreWorld store{(dir / "store.db").string()};
  // From here on: the server's connections, not the one above.
  ConnectionsWatch watch;
  HttpServer network{[this](http::Exchange& exchange) { return app->handle(exchange); }};
  server::Config config = [this] {
    server::Config c;
    c.secret_key = "what nobody guesses";
    c.registry_url = "http://localhost/";
    c.database_file = dir / "store.db";
    return c;
  }();
  st::Database db{{.file = config.database_file.string()}};
  SystemRandom random;
  BlobStore blobs{dir / "blobs", random};
  server::Context context{network.io(), config, db, blobs, store.images, store.clock, random, network.logger};
  server::JobHub hub{context, dir / "live"};
  boost::asio::thread_pool pool{1};
  server::ProjectRegistryAccess access{context};
  server::Registry registry{blobs, access, {.registry_url = config.registry_url}, pool, store.clock};
  std::unique_ptr<server::App> app;

  pipeline::Actor owner = store.user("Muriel");
  st::ProjectRow project = store.project(owner, "The Computer");
  st::RunnerId machine = store.runner("Machine", {store.spec("Small", true)});
  std::string key = make_key(KeyKind::runner, random);

  ClaimWorld() {
    context.hub = &hub;
    app = std::make_unique<server::App>(context, registry);
    st::set_runner_key(store.c, machine, hash_key(key), store.now());
  }
  ~ClaimWorld() {
    stop_waiting();
    network.stop();
    db.stop();
    pool.join();
  }
  /// Ends what waits for a job: it is answered with none.
  void stop_waiting() {
    network.on_network([this] {
      hub.stop();
      return true;
    });
  }

  Uuid<Job> submit_job() { return *must(store.submit(StoreWorld::job("the-computer"), owner)).job_uuid; }
  void send_claim(HttpClient& client) {
    client.send("POST /v0/runners/machine/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer " + key +
                "\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n");
  }
};

}  // namespace bencher::test
