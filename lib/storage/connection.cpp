#include "lib/storage/connection.hpp"

#include <sqlite3.h>
#include <stdexcept>

#include <fmt/core.h>

#include "lib/storage/migration.hpp"

namespace bencher::storage {

AnyUuid Row::parse_uuid(const std::string& text) {
  auto uuid = AnyUuid::parse(text);
  if (!uuid) throw std::runtime_error("the database holds a malformed UUID: " + text);
  return *uuid;
}

Connection::Connection(const std::string& file, ConnectionOptions options)
    : db_(file, options.read_only ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
          options.busy_timeout_ms) {
  if (options.read_only) {
    db_.exec("PRAGMA query_only = ON");
  } else {
    // Checkpoints run off the writer's path; see Database.
    db_.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;");
  }
  db_.exec(
      fmt::format("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{};", options.cache_kib));
}

SQLite::Statement& Connection::prepared(const char* sql) {
  auto& slot = statements_[sql];
  if (!slot) slot = std::make_unique<SQLite::Statement>(db_, sql);
  slot->tryReset();
  return *slot;
}

Error Connection::refused(std::string_view what, const SQLite::Exception& e) {
  const int code = e.getErrorCode();
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return Error(Errc::unavailable, "the database is busy; try again", e.what());
  if (code != SQLITE_CONSTRAINT) throw e;
  if (e.getExtendedErrorCode() == SQLITE_CONSTRAINT_UNIQUE || e.getExtendedErrorCode() == SQLITE_CONSTRAINT_PRIMARYKEY)
    return Error(Errc::conflict, fmt::format("{} conflicts with one that exists already ({})", what, e.what()));
  if (e.getExtendedErrorCode() == SQLITE_CONSTRAINT_FOREIGNKEY)
    return Error(Errc::conflict,
                 fmt::format("{} is still referred to; delete what refers to it first, or archive it", what), e.what());
  return Error(Errc::conflict, fmt::format("{} is not possible ({})", what, e.what()));
}

Savepoint::Savepoint(Connection& connection) : connection_(connection) {
  connection_.exec("SAVEPOINT step");
}

Savepoint::~Savepoint() {
  if (done_) return;
  try {
    connection_.exec("ROLLBACK TO step");
    connection_.exec("RELEASE step");
  } catch (const SQLite::Exception&) {
    // SQLite has rolled the whole transaction back by itself (disk full, I/O error); the commit will tell.
  }
}

void Savepoint::commit() {
  connection_.exec("RELEASE step");
  done_ = true;
}

int schema_version(Connection& connection) {
  return connection.raw().execAndGet("PRAGMA user_version").getInt();
}

int newest_version() noexcept {
  return migrations().back().version;
}

void migrate(Connection& connection, int to) {
  auto& db = connection.raw();
  if (schema_version(connection) > newest_version())
    throw std::runtime_error(
        fmt::format("the database has schema version {}, this program knows up to {}; use a newer program",
                    schema_version(connection), newest_version()));
  for (const auto& m : migrations()) {
    if (m.version <= schema_version(connection) || m.version > to) continue;
    SQLite::Transaction tx(db);
    db.exec(std::string(m.up));
    db.exec(fmt::format("PRAGMA user_version = {}", m.version));
    tx.commit();
  }
  for (auto m = migrations().rbegin(); m != migrations().rend(); ++m) {
    if (m->version > schema_version(connection) || m->version <= to) continue;
    SQLite::Transaction tx(db);
    db.exec(std::string(m->down));
    db.exec(fmt::format("PRAGMA user_version = {}", m->version - 1));
    tx.commit();
  }
}

}  // namespace bencher::storage
