// The statements that really ran, and how SQLite goes about each of them.
#pragma once

#include <algorithm>
#include <cctype>
#include <mutex>
#include <sqlite3.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include "lib/storage/connection.hpp"

namespace bencher::test {

/// Notes the text of each statement that the watched connections run, once. It outlives the connections or is
/// unwatched before. From any thread.
class StatementLog {
 public:
  void watch(sqlite3* db) {
    const auto seen = [](unsigned, void* self, void* statement, void*) {
      static_cast<StatementLog*>(self)->add(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
      return 0;
    };
    if (sqlite3_trace_v2(db, SQLITE_TRACE_STMT, seen, this) != SQLITE_OK)
      throw std::runtime_error("cannot watch the statements of a connection");
  }
  static void unwatch(sqlite3* db) { sqlite3_trace_v2(db, 0, nullptr, nullptr); }

  /// What has been noted so far, in order; then nothing is.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(texts_, {});
  }

 private:
  void add(const char* text) {
    if (!text) return;
    const std::lock_guard lock(mutex_);
    if (std::find(texts_.begin(), texts_.end(), text) == texts_.end()) texts_.emplace_back(text);
  }

  std::mutex mutex_;
  std::vector<std::string> texts_;
};

/// What `work` runs on the connection.
template <class F>
std::vector<std::string> statements_of(storage::Connection& c, F work) {
  StatementLog log;
  log.watch(c.raw().getHandle());
  try {
    work();
  } catch (...) {
    StatementLog::unwatch(c.raw().getHandle());
    throw;
  }
  StatementLog::unwatch(c.raw().getHandle());
  return log.take();
}

struct QueryPlan {
  std::string sql;
  std::vector<std::string> lines;

  bool has(std::string_view part) const {
    return std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.find(part) != std::string::npos; });
  }
  /// Whether the statement names the table.
  bool names(std::string_view table) const {
    const auto in_word = [&](std::size_t at) {
      return at < sql.size() && (std::isalnum(static_cast<unsigned char>(sql[at])) || sql[at] == '_');
    };
    for (auto at = sql.find(table); at != std::string::npos; at = sql.find(table, at + 1))
      if ((at == 0 || !in_word(at - 1)) && !in_word(at + table.size())) return true;
    return false;
  }
};

inline QueryPlan plan_of(storage::Connection& c, const std::string& sql) {
  QueryPlan plan{sql, {}};
  SQLite::Statement s(c.raw(), "EXPLAIN QUERY PLAN " + sql);
  while (s.executeStep())
    plan.lines.push_back(s.getColumn(3).getString());
  return plan;
}

inline std::vector<QueryPlan> plans_of(storage::Connection& c, const std::vector<std::string>& statements) {
  std::vector<QueryPlan> plans;
  for (const auto& sql : statements)
    plans.push_back(plan_of(c, sql));
  return plans;
}

inline std::string describe(const std::vector<QueryPlan>& plans) {
  std::string out;
  for (const auto& plan : plans)
    out += fmt::format("{}\n    {}\n", plan.sql, fmt::join(plan.lines, "\n    "));
  return out;
}

/// Each line that goes over a whole table or index, makes an index for itself, or sorts jobs: empty where every
/// statement finds what it wants by an index that is there.
inline std::string faults(const std::vector<QueryPlan>& plans) {
  std::string out;
  for (const auto& plan : plans)
    for (const auto& line : plan.lines) {
      const bool scans = line.starts_with("SCAN ") && line != "SCAN CONSTANT ROW";
      const bool searches_blindly =
          line.starts_with("SEARCH ") && line.find("PRIMARY KEY") == std::string::npos &&
          (line.find("INDEX") == std::string::npos || line.find("AUTOMATIC") != std::string::npos);
      const bool sorts_jobs = plan.names("job") && line.find("TEMP B-TREE FOR ORDER BY") != std::string::npos;
      if (scans || searches_blindly || sorts_jobs) out += line + " <- " + plan.sql + "\n";
    }
  return out;
}

/// Whether a statement of them goes that way.
inline bool any_has(const std::vector<QueryPlan>& plans, std::string_view part) {
  return std::any_of(plans.begin(), plans.end(), [&](const auto& plan) { return plan.has(part); });
}

}  // namespace bencher::test
