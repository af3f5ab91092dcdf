#include "lib/storage/connection.hpp"

#include <algorithm>
#include <iterator>
#include <sqlite3.h>
#include <stdexcept>
#include <string_view>

#include <fmt/core.h>

#include "lib/storage/memo.hpp"
#include "lib/storage/migration.hpp"

namespace bencher::storage {

Statement::Statement(sqlite3* db, const char* sql) {
  const int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(db, code);
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::fail(int code) const {
  throw SQLite::Exception(sqlite3_db_handle(handle_), code);
}

AnyUuid Row::parse_uuid(std::string_view text) {
  auto uuid = AnyUuid::parse(text);
  if (!uuid) throw std::runtime_error("the database holds a malformed UUID: " + std::string(text));
  return *uuid;
}

Connection::Connection(const std::string& file, ConnectionOptions options)
    // One thread at a time: SQLite need not lock.
    : db_(file,
          (options.read_only ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) |
              SQLite::OPEN_NOMUTEX,
          options.busy_timeout_ms),
      memo_(std::make_unique<Memo>()) {
  if (options.read_only) {
    db_.exec("PRAGMA query_only = ON");
  } else {
    // Checkpoints run off the writer's path; see Database.
    db_.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;");
    watch();
  }
  db_.exec(
      fmt::format("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{};", options.cache_kib));
}

Connection::~Connection() = default;

void Connection::watch() {
  sqlite3_update_hook(
      db_.getHandle(),
      [](void* self, int what, const char*, const char* table_name, sqlite3_int64) {
        if (what == SQLITE_INSERT) return;
        static constexpr std::string_view of_history[] = {"metric",  "report",       "report_benchmark",
                                                          "version", "head_version", "head"};
        const std::string_view table = table_name;
        auto& memo = *static_cast<Connection*>(self)->memo_;
        if (table == "benchmark") memo.forget_benchmarks();
        // With a dimension its rows of series_last_seen go.
        if (table == "benchmark" || table == "testbed" || table == "measure" || table == "project" ||
            table == "organization")
          memo.forget_seen();
        if (std::find(std::begin(of_history), std::end(of_history), table) != std::end(of_history))
          memo.forget_histories();
      },
      this);
  sqlite3_rollback_hook(
      db_.getHandle(), [](void* self) { static_cast<Connection*>(self)->forget(); }, this);
}

Memo& Connection::memo() {
  const auto version = value<std::int64_t>("PRAGMA data_version").value_or(0);
  if (version != data_version_) forget();
  data_version_ = version;
  return *memo_;
}

void Connection::forget() noexcept {
  memo_->forget_benchmarks();
  memo_->forget_histories();
  memo_->forget_seen();
}

Statement& Connection::prepared(const char* sql) {
  auto& slot = statements_[sql];
  if (!slot) slot = std::make_unique<Statement>(db_.getHandle(), sql);
  slot->reset();
  return *slot;
}

Error Connection::refused(std::string_view what, const SQLite::Exception& e) {
  const int code = e.getErrorCode();
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return Error(Errc::unavailable, "the database is busy; try again", e.what());
  if (code != SQLITE_CONSTRAINT) throw e;
  if (e.getExtendedErrorCode() == SQLITE_CONSTRAINT_UNIQUE || e.getExtendedErrorCode() == SQLITE_CONSTRAINT_PRIMARYKEY)
    return Error(Errc::conflict, fmt::format("{} conflicts with one that exists already ({})", what, e.what()));
  // A trigger refuses where a foreign key would cost too much.
  if (e.getExtendedErrorCode() == SQLITE_CONSTRAINT_FOREIGNKEY || e.getExtendedErrorCode() == SQLITE_CONSTRAINT_TRIGGER)
    return Error(Errc::conflict,
                 fmt::format("{} is still referred to; delete what refers to it first, or archive it", what), e.what());
  return Error(Errc::conflict, fmt::format("{} is not possible ({})", what, e.what()));
}

Snapshot::Snapshot(Connection& connection) : connection_(connection) {
  connection_.exec("BEGIN");
}

Snapshot::~Snapshot() {
  // Without effect when SQLite has ended it by itself (I/O error).
  if (sqlite3_get_autocommit(connection_.raw().getHandle()) == 0)
    sqlite3_exec(connection_.raw().getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Savepoint::Savepoint(Connection& connection) : connection_(connection) {
  connection_.exec("SAVEPOINT step");
}

Savepoint::~Savepoint() {
  if (done_) return;
  connection_.forget();
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

namespace {

/// One migration, whole or not at all. One that makes a table anew says in its first line that foreign keys are off
/// meanwhile; all of them must hold again at its end.
void apply(SQLite::Database& db, std::string_view sql, int version) {
  const bool rebuilds = sql.starts_with("-- foreign keys: off\n");
  // Within a transaction the setting does not change.
  if (rebuilds) db.exec("PRAGMA foreign_keys = OFF");
  struct On {
    SQLite::Database* db;
    ~On() {
      if (db) db->tryExec("PRAGMA foreign_keys = ON");
    }
  } const on{rebuilds ? &db : nullptr};
  SQLite::Transaction tx(db);
  db.exec(std::string(sql));
  if (rebuilds && db.execAndGet("SELECT count(*) FROM pragma_foreign_key_check").getInt() != 0)
    throw std::runtime_error(fmt::format("the step to schema version {} would break foreign keys", version));
  db.exec(fmt::format("PRAGMA user_version = {}", version));
  tx.commit();
}

}  // namespace

void migrate(Connection& connection, int to) {
  auto& db = connection.raw();
  if (schema_version(connection) > newest_version())
    throw std::runtime_error(
        fmt::format("the database has schema version {}, this program knows up to {}; use a newer program",
                    schema_version(connection), newest_version()));
  for (const auto& m : migrations()) {
    if (m.version <= schema_version(connection) || m.version > to) continue;
    apply(db, m.up, m.version);
  }
  for (auto m = migrations().rbegin(); m != migrations().rend(); ++m) {
    if (m->version > schema_version(connection) || m->version <= to) continue;
    const auto before = std::next(m);
    apply(db, m->down, before == migrations().rend() ? 0 : before->version);
  }
}

}  // namespace bencher::storage
