// One SQLite connection: prepared statements by their text, values bound, rows read in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include <SQLiteCpp/SQLiteCpp.h>

#include "bencher/base/result.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher::storage {

class Memo;

struct ConnectionOptions {
  bool read_only = false;
  int busy_timeout_ms = 5000;
  int cache_kib = 16 * 1024;
};

/// A prepared statement. SQLite's own functions are called, since SQLiteCpp's columns and bindings cost as much as the
/// b-tree does; what fails is still thrown as its exception.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Whether there is a row.
  bool step() {
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(code);
    return false;
  }
  /// An error of the last step was thrown by it.
  void reset() noexcept { sqlite3_reset(handle_); }
  sqlite3_stmt* handle() const { return handle_; }
  [[noreturn]] void fail(int code) const;

 private:
  sqlite3_stmt* handle_ = nullptr;
};

/// Column values in order of the SELECT: `row.take<T>()`.
class Row {
 public:
  explicit Row(const Statement& statement) : s_(statement.handle()) {}
  template <class T>
  T take() {
    return get<T>(at_++);
  }
  template <class T>
  void take(T& out) {
    out = take<T>();
  }
  void skip(int count) { at_ += count; }
  bool next_is_null() { return sqlite3_column_type(s_, at_) == SQLITE_NULL; }

 private:
  template <class T>
  struct is_optional : std::false_type {};
  template <class T>
  struct is_optional<std::optional<T>> : std::true_type {};

  std::string_view bytes(int i) {
    const auto* text = static_cast<const char*>(sqlite3_column_blob(s_, i));
    return text ? std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(s_, i))) : std::string_view();
  }
  template <class T>
  T get(int i) {
    if constexpr (is_optional<T>::value) {
      if (sqlite3_column_type(s_, i) == SQLITE_NULL) return std::nullopt;
      return get<typename T::value_type>(i);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return std::string(bytes(i));
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      return Timestamp{sqlite3_column_int64(s_, i)};
    } else if constexpr (std::is_base_of_v<AnyUuid, T>) {
      return T(parse_uuid(bytes(i)));
    } else if constexpr (std::is_same_v<T, bool>) {
      return sqlite3_column_int(s_, i) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      return static_cast<T>(sqlite3_column_int64(s_, i));
    } else if constexpr (std::is_floating_point_v<T>) {
      return sqlite3_column_double(s_, i);
    } else {
      static_assert(std::is_integral_v<T>);
      return static_cast<T>(sqlite3_column_int64(s_, i));
    }
  }
  static AnyUuid parse_uuid(std::string_view text);

  sqlite3_stmt* s_;
  int at_ = 0;
};

/// The rows of one running query. It holds its statement: end it before the same text runs again.
class Rows {
 public:
  explicit Rows(Statement& statement) : statement_(&statement) {}
  Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Rows& operator=(Rows&&) = delete;
  ~Rows() {
    if (statement_) statement_->reset();
  }
  bool next() { return statement_->step(); }
  Row row() { return Row(*statement_); }

 private:
  Statement* statement_;
};

/// Not thread-safe: one thread at a time. Throws SQLite::Exception when SQLite fails.
class Connection {
 public:
  /// Opens (`:memory:` is allowed), sets the pragmas of WAL, full synchronisation and foreign keys. Migrates nothing.
  explicit Connection(const std::string& file, ConnectionOptions options = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// `sql` must live as long as the connection: statements are kept by its address.
  template <class... A>
  Rows query(const char* sql, const A&... args) {
    auto& s = prepared(sql);
    int i = 0;
    (bind(s, ++i, args, false), ...);
    return Rows(s);
  }
  /// Runs to its end; the number of rows changed.
  template <class... A>
  int exec(const char* sql, const A&... args) {
    auto& s = prepared(sql);
    int i = 0;
    (bind(s, ++i, args, true), ...);
    const Rows guard(s);
    while (s.step()) {
    }
    return sqlite3_changes(db_.getHandle());
  }
  /// The same for a change that the world may refuse: a broken constraint is `conflict`, told as `what` is.
  template <class... A>
  Result<int> change(std::string_view what, const char* sql, const A&... args) {
    try {
      return exec(sql, args...);
    } catch (const SQLite::Exception& e) {
      return refused(what, e);
    }
  }
  /// The first row, mapped by `map(Row&)`, or nothing.
  template <class M, class... A>
  auto one(M map, const char* sql, const A&... args) -> std::optional<std::invoke_result_t<M&, Row&>> {
    auto& s = prepared(sql);
    int i = 0;
    (bind(s, ++i, args, true), ...);
    Rows rows(s);
    if (!rows.next()) return std::nullopt;
    auto row = rows.row();
    return map(row);
  }
  template <class T, class... A>
  std::optional<T> value(const char* sql, const A&... args) {
    return one([](Row& row) { return row.take<T>(); }, sql, args...);
  }

  std::int64_t last_id() const { return db_.getLastInsertRowid(); }
  /// What is remembered of earlier transactions and still true. Only for a connection that writes, inside a
  /// transaction.
  Memo& memo();
  /// After a rollback: nothing that was read in it is true.
  void forget() noexcept;
  SQLite::Database& raw() { return db_; }

  static Error refused(std::string_view what, const SQLite::Exception& e);

 private:
  Statement& prepared(const char* sql);
  void watch();

  static void check(const Statement& s, int code) {
    if (code != SQLITE_OK) s.fail(code);
  }
  /// `lives`: the value is there until the statement has ended, so that it need not be copied.
  static void bind_text(const Statement& s, int i, std::string_view text, bool lives) {
    check(s, sqlite3_bind_text64(s.handle(), i, text.data() ? text.data() : "", text.size(),
                                 lives ? SQLITE_STATIC : SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  template <class T>
  static void bind(const Statement& s, int i, const T& v, bool lives) {
    if constexpr (std::is_same_v<T, std::nullptr_t>) {
      check(s, sqlite3_bind_null(s.handle(), i));
    } else if constexpr (Row_optional<T>::value) {
      if (v)
        bind(s, i, *v, lives);
      else
        check(s, sqlite3_bind_null(s.handle(), i));
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      check(s, sqlite3_bind_int64(s.handle(), i, v.seconds));
    } else if constexpr (std::is_base_of_v<AnyUuid, T>) {
      bind_text(s, i, v.str(), false);
    } else if constexpr (std::is_same_v<T, bool>) {
      check(s, sqlite3_bind_int(s.handle(), i, v ? 1 : 0));
    } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
      check(s, sqlite3_bind_int64(s.handle(), i, static_cast<std::int64_t>(v)));
    } else if constexpr (std::is_floating_point_v<T>) {
      check(s, sqlite3_bind_double(s.handle(), i, static_cast<double>(v)));
    } else {
      bind_text(s, i, std::string_view(v), lives);
    }
  }
  template <class T>
  struct Row_optional : std::false_type {};
  template <class T>
  struct Row_optional<std::optional<T>> : std::true_type {};

  SQLite::Database db_;
  std::unordered_map<const char*, std::unique_ptr<Statement>> statements_;
  std::unique_ptr<Memo> memo_;
  std::int64_t data_version_ = 0;
};

/// All that is read while it lives is of one moment. Without it each statement takes and gives back SQLite's lock,
/// which costs more than a look-up.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& connection_;
};

/// All or nothing: rolls back unless `commit` was called. Nests as savepoints do.
class Savepoint {
 public:
  explicit Savepoint(Connection& connection);
  ~Savepoint();
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool done_ = false;
};

int schema_version(Connection& connection);
int newest_version() noexcept;
/// Brings the schema to `to`, up or down, each step in a transaction. Throws when the file is newer than this program.
void migrate(Connection& connection, int to);

}  // namespace bencher::storage
