// One writer, many readers: SQLite's own rule (WAL), made into threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/storage/connection.hpp"

namespace bencher::storage {

/// A file with its writer thread and its pool of readers. The writer takes all that waits, runs each piece in a
/// savepoint of one transaction, and answers all of them after the one commit is durable.
class Database {
 public:
  struct Options {
    std::string file;
    std::size_t readers = 2;
    int busy_timeout_ms = 5000;
    int cache_kib = 16 * 1024;
    std::size_t queue_limit = 4096;  ///< waiting writes or reads; more are refused
  };
  /// Runs on the writer thread inside the transaction; false or an exception rolls it back alone. It may run a second
  /// time, after the first was undone, when another of its group failed: it must not use up what it holds.
  using Write = std::function<bool(Connection&)>;
  /// Called on the writer thread after the commit; with what `Write` threw, or what the commit did.
  using Done = std::function<void(std::exception_ptr)>;
  /// Sees the database as it is at its first query, until it ends.
  using Read = std::function<void(Connection&)>;

  /// Opens and migrates. Throws when that fails.
  explicit Database(Options options);
  /// Finishes all that waits, checkpoints, closes.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Finishes all that waits and ends the threads; nothing more is taken. The destructor does it too.
  void stop();

  /// False when the queue is full or the database is stopping: then nothing was taken.
  bool write(Write work, Done done);
  bool read(Read work);
  /// Work for the pool that needs no connection.
  bool compute(std::function<void()> work);

  /// How often a statement was run on any connection so far: for tests and `no database query while idle`.
  std::uint64_t transactions() const;

 private:
  struct Job {
    Write work;
    Done done;
  };
  void write_loop();
  /// One transaction; false when it was undone and has to run with savepoints.
  bool run(std::vector<Job>& group, std::vector<std::exception_ptr>& failed, bool savepoints);
  void roll_back();
  void read_loop();
  void checkpoint_loop();

  Options options_;
  Connection writer_;
  mutable std::mutex mutex_;
  std::condition_variable writes_ready_;
  std::condition_variable reads_ready_;
  std::condition_variable checkpoint_ready_;
  std::deque<Job> writes_;
  std::deque<std::function<void(Connection*)>> reads_;
  bool stopping_ = false;
  bool checkpoint_wanted_ = false;
  int wal_pages_ = 0;
  std::uint64_t transactions_ = 0;
  std::thread write_thread_;
  std::vector<std::thread> read_threads_;
  std::thread checkpoint_thread_;
};

}  // namespace bencher::storage
