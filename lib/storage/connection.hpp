// One SQLite connection: prepared statements by their text, values bound, rows read in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include <SQLiteCpp/SQLiteCpp.h>

#include "bencher/base/result.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher::storage {

struct ConnectionOptions {
  bool read_only = false;
  int busy_timeout_ms = 5000;
  int cache_kib = 16 * 1024;
};

/// Column values in order of the SELECT: `row.take<T>()`.
class Row {
 public:
  explicit Row(SQLite::Statement& statement) : statement_(statement) {}
  template <class T>
  T take() {
    return get<T>(at_++);
  }
  template <class T>
  void take(T& out) {
    out = take<T>();
  }
  void skip(int count) { at_ += count; }
  bool next_is_null() { return statement_.getColumn(at_).isNull(); }

 private:
  template <class T>
  struct is_optional : std::false_type {};
  template <class T>
  struct is_optional<std::optional<T>> : std::true_type {};

  template <class T>
  T get(int i) {
    if constexpr (is_optional<T>::value) {
      if (statement_.getColumn(i).isNull()) return std::nullopt;
      return get<typename T::value_type>(i);
    } else if constexpr (std::is_same_v<T, std::string>) {
      const auto column = statement_.getColumn(i);
      const auto* text = static_cast<const char*>(column.getBlob());
      return text ? std::string(text, static_cast<std::size_t>(column.getBytes())) : std::string();
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      return Timestamp{statement_.getColumn(i).getInt64()};
    } else if constexpr (std::is_base_of_v<AnyUuid, T>) {
      return T(parse_uuid(get<std::string>(i)));
    } else if constexpr (std::is_same_v<T, bool>) {
      return statement_.getColumn(i).getInt() != 0;
    } else if constexpr (std::is_enum_v<T>) {
      return static_cast<T>(statement_.getColumn(i).getInt64());
    } else if constexpr (std::is_floating_point_v<T>) {
      return statement_.getColumn(i).getDouble();
    } else {
      static_assert(std::is_integral_v<T>);
      return static_cast<T>(statement_.getColumn(i).getInt64());
    }
  }
  static AnyUuid parse_uuid(const std::string& text);

  SQLite::Statement& statement_;
  int at_ = 0;
};

/// The rows of one running query. It holds its statement: end it before the same text runs again.
class Rows {
 public:
  explicit Rows(SQLite::Statement& statement) : statement_(&statement) {}
  Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Rows& operator=(Rows&&) = delete;
  ~Rows() {
    if (statement_) statement_->tryReset();
  }
  bool next() { return statement_->executeStep(); }
  Row row() { return Row(*statement_); }

 private:
  SQLite::Statement* statement_;
};

/// Not thread-safe: one thread at a time. Throws SQLite::Exception when SQLite fails.
class Connection {
 public:
  /// Opens (`:memory:` is allowed), sets the pragmas of WAL, full synchronisation and foreign keys. Migrates nothing.
  explicit Connection(const std::string& file, ConnectionOptions options = {});
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
    return s.exec();
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
    auto rows = query(sql, args...);
    if (!rows.next()) return std::nullopt;
    auto row = rows.row();
    return map(row);
  }
  template <class T, class... A>
  std::optional<T> value(const char* sql, const A&... args) {
    return one([](Row& row) { return row.take<T>(); }, sql, args...);
  }

  std::int64_t last_id() const { return db_.getLastInsertRowid(); }
  SQLite::Database& raw() { return db_; }

  static Error refused(std::string_view what, const SQLite::Exception& e);

 private:
  SQLite::Statement& prepared(const char* sql);

  template <class T>
  static void bind(SQLite::Statement& s, int i, const T& v, bool lives) {
    if constexpr (std::is_same_v<T, std::nullptr_t>) {
      s.bind(i);
    } else if constexpr (Row_optional<T>::value) {
      if (v)
        bind(s, i, *v, lives);
      else
        s.bind(i);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      s.bind(i, static_cast<std::int64_t>(v.seconds));
    } else if constexpr (std::is_base_of_v<AnyUuid, T>) {
      s.bind(i, v.str());
    } else if constexpr (std::is_same_v<T, bool>) {
      s.bind(i, v ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      s.bind(i, static_cast<std::int64_t>(v));
    } else if constexpr (std::is_floating_point_v<T>) {
      s.bind(i, static_cast<double>(v));
    } else if constexpr (std::is_integral_v<T>) {
      s.bind(i, static_cast<std::int64_t>(v));
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (lives)
        s.bindNoCopy(i, v);
      else
        s.bind(i, v);
    } else {
      s.bind(i, std::string(std::string_view(v)));
    }
  }
  template <class T>
  struct Row_optional : std::false_type {};
  template <class T>
  struct Row_optional<std::optional<T>> : std::true_type {};

  SQLite::Database db_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
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
