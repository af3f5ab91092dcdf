#include "lib/storage/database.hpp"

#include <optional>
#include <pthread.h>
#include <sqlite3.h>

namespace bencher::storage {
namespace {

constexpr std::size_t group_limit = 256;
// Pages of the write-ahead log: from the first number a checkpoint starts beside the writer, from the second the writer
// waits for one.
constexpr int checkpoint_pages = 4000;
constexpr int checkpoint_pages_hard = 40'000;

void name_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}

}  // namespace

Database::Database(Options options)
    : options_(std::move(options)),
      writer_(options_.file,
              {.read_only = false, .busy_timeout_ms = options_.busy_timeout_ms, .cache_kib = options_.cache_kib}) {
  migrate(writer_, newest_version());
  sqlite3_wal_hook(
      writer_.raw().getHandle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Database*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  write_thread_ = std::thread([this] { write_loop(); });
  for (std::size_t i = 0; i < options_.readers; ++i)
    read_threads_.emplace_back([this] { read_loop(); });
  checkpoint_thread_ = std::thread([this] { checkpoint_loop(); });
}

Database::~Database() {
  stop();
  sqlite3_wal_checkpoint_v2(writer_.raw().getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

void Database::stop() {
  if (!write_thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  writes_ready_.notify_all();
  reads_ready_.notify_all();
  write_thread_.join();
  for (auto& t : read_threads_)
    t.join();
  checkpoint_ready_.notify_all();
  checkpoint_thread_.join();
}

bool Database::write(Write work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || writes_.size() >= options_.queue_limit) return false;
    writes_.push_back({std::move(work), std::move(done)});
  }
  writes_ready_.notify_one();
  return true;
}

bool Database::read(Read work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || reads_.size() >= options_.queue_limit) return false;
    reads_.emplace_back([work = std::move(work)](Connection* c) {
      const Snapshot snapshot(*c);
      work(*c);
    });
  }
  reads_ready_.notify_one();
  return true;
}

bool Database::compute(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || reads_.size() >= options_.queue_limit) return false;
    reads_.emplace_back([work = std::move(work)](Connection*) { work(); });
  }
  reads_ready_.notify_one();
  return true;
}

std::uint64_t Database::transactions() const {
  const std::lock_guard lock(mutex_);
  return transactions_;
}

void Database::roll_back() {
  auto* db = writer_.raw().getHandle();
  if (sqlite3_get_autocommit(db) == 0) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
}

// A savepoint has SQLite copy every page that is changed after it, which costs a large report a quarter of its time.
// What fails has nearly always changed nothing yet, so a group first runs without any; when one fails that has, all of
// it is undone and runs again, each piece in a savepoint.
bool Database::run(std::vector<Job>& group, std::vector<std::exception_ptr>& failed, bool savepoints) {
  auto* db = writer_.raw().getHandle();
  writer_.exec("BEGIN IMMEDIATE");
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto before = sqlite3_total_changes(db);
    bool keep = false;
    try {
      std::optional<Savepoint> savepoint;
      if (savepoints) savepoint.emplace(writer_);
      keep = group[i].work(writer_);
      if (savepoint && keep) savepoint->commit();
    } catch (...) {
      failed[i] = std::current_exception();
      keep = false;
      // SQLite has ended the transaction by itself (disk full, I/O error): nothing of the group is there.
      if (sqlite3_get_autocommit(db) != 0) std::rethrow_exception(failed[i]);
    }
    if (savepoints || keep || sqlite3_total_changes(db) == before) continue;
    roll_back();
    return group.size() == 1;
  }
  writer_.exec("COMMIT");
  return true;
}

void Database::write_loop() {
  name_thread("sqlite-writer");
  std::vector<Job> group;
  std::vector<std::exception_ptr> failed;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      writes_ready_.wait(lock, [&] { return stopping_ || !writes_.empty(); });
      if (writes_.empty()) return;
      while (!writes_.empty() && group.size() < group_limit) {
        group.push_back(std::move(writes_.front()));
        writes_.pop_front();
      }
      ++transactions_;
    }
    failed.assign(group.size(), nullptr);
    std::exception_ptr whole;
    try {
      if (!run(group, failed, false)) {
        failed.assign(group.size(), nullptr);
        run(group, failed, true);
      }
    } catch (...) {
      whole = std::current_exception();
      roll_back();
    }
    for (std::size_t i = 0; i < group.size(); ++i)
      group[i].done(failed[i] ? failed[i] : whole);
    group.clear();
    if (wal_pages_ >= checkpoint_pages_hard) {
      sqlite3_wal_checkpoint_v2(writer_.raw().getHandle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
      wal_pages_ = 0;
    } else if (wal_pages_ >= checkpoint_pages) {
      const std::lock_guard lock(mutex_);
      checkpoint_wanted_ = true;
      checkpoint_ready_.notify_one();
    }
  }
}

void Database::read_loop() {
  name_thread("sqlite-reader");
  std::unique_ptr<Connection> connection;
  for (;;) {
    std::function<void(Connection*)> work;
    {
      std::unique_lock lock(mutex_);
      reads_ready_.wait(lock, [&] { return stopping_ || !reads_.empty(); });
      if (reads_.empty()) return;
      work = std::move(reads_.front());
      reads_.pop_front();
      ++transactions_;
    }
    // Opened at the first use: a server that was never asked holds no reader.
    if (!connection)
      connection =
          std::make_unique<Connection>(options_.file, ConnectionOptions{.read_only = true,
                                                                        .busy_timeout_ms = options_.busy_timeout_ms,
                                                                        .cache_kib = options_.cache_kib});
    work(connection.get());
  }
}

void Database::checkpoint_loop() {
  name_thread("sqlite-checkpt");
  std::unique_ptr<Connection> connection;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      checkpoint_ready_.wait(lock, [&] { return stopping_ || checkpoint_wanted_; });
      if (stopping_) return;
      checkpoint_wanted_ = false;
    }
    if (!connection) connection = std::make_unique<Connection>(options_.file, ConnectionOptions{.cache_kib = 64});
    sqlite3_wal_checkpoint_v2(connection->raw().getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
}

}  // namespace bencher::storage
