// What lives between requests: runners that wait for jobs, jobs in flight, and those who watch them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bencher/job/lease.hpp"
#include "bencher/job/log.hpp"

#include "apps/server/context.hpp"
#include "lib/http/notifier.hpp"

namespace bencher::server {

/// A runner's wait for a job. It is woken by a job that it could take, not by every job.
class JobWait {
 public:
  JobWait(boost::asio::io_context& io, std::vector<storage::SpecId> wanted) : specs(std::move(wanted)), notifier(io) {}
  std::vector<storage::SpecId> specs;
  http::Notifier notifier;
  bool woken = false;
};

/// The log of one job, kept in a file of lines while the job lives and for a while after, so that who watches late or
/// comes back misses nothing. A line's id is where the next one begins.
class JobLog {
 public:
  JobLog(boost::asio::io_context& io, std::filesystem::path file);
  ~JobLog();

  /// Appends an event; `members` is JSON without braces, such as `"event":"ping"`. Past the limit, log lines are
  /// dropped after one that says so.
  void append(std::string_view members);
  void append_log(std::uint32_t iteration, bool is_stderr, std::string_view data);
  std::uint64_t size() const { return size_; }
  /// Up to `max` bytes of whole lines from `from`.
  std::string read(std::uint64_t from, std::size_t max) const;

  LogProgress progress;
  http::Notifier changed;
  bool ended = false;
  int watchers = 0;  ///< streams that follow it

 private:
  std::filesystem::path file_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  bool full_ = false;
};

/// A runner's connection, as those see it who have something to say to it.
class RunnerConnection {
 public:
  virtual ~RunnerConnection() = default;
  /// The job at hand was canceled.
  virtual void cancel() = 0;
  virtual void close(std::uint16_t code, std::string reason) = 0;
};

/// One job in flight.
struct LiveJob {
  storage::JobId id{};
  AnyUuid uuid;
  bool canceled = false;
  std::weak_ptr<RunnerConnection> connection;  ///< of its runner, to push a cancel to
  Timestamp persisted_heartbeat;
  bool told_host = false;  ///< by the runner, of its machine
};

/// Network thread only.
class JobHub {
 public:
  JobHub(Context& context, std::filesystem::path log_dir);

  // Waiting runners.
  std::shared_ptr<JobWait> enter(std::vector<storage::SpecId> specs);
  void leave(const std::shared_ptr<JobWait>& wait);
  /// Wakes the runner that has waited longest for a job of that spec.
  void wake(storage::SpecId spec);
  void wake_all();
  /// Ends every wait and every stream, so that the server can stop: a claim is answered with no job, a stream is cut
  /// where it is, and who follows it comes back with the id of the last line.
  void stop();
  bool stopping() const { return stopping_; }
  std::size_t waiting() const { return waits_.size(); }

  // Jobs in flight.
  std::shared_ptr<LiveJob> live(storage::JobId id, const AnyUuid& uuid);
  void ended(storage::JobId id);
  void heard_of(storage::JobId id);
  /// Tells the runner of a job that was canceled, at once.
  void cancel(const AnyUuid& uuid);
  /// The job is that connection's now; one that had it before is closed.
  void attach(LiveJob& job, std::weak_ptr<RunnerConnection> connection);

  // Runners' connections.
  void connected(storage::RunnerId runner, std::weak_ptr<RunnerConnection> connection);
  /// Ends what the runner has open: its key is not valid any more.
  void close_runner(storage::RunnerId runner, std::string_view reason);

  /// Where uploaded results of a job are until it ends.
  std::filesystem::path results_file(const AnyUuid& uuid) const { return log_dir_ / (uuid.str() + ".results.json"); }

  /// Results were uploaded for a job that was given up as lost. Its end may never come, so only a few of them are kept.
  void late_results(const AnyUuid& uuid);

  // Logs.
  std::shared_ptr<JobLog> log(const AnyUuid& uuid);
  std::shared_ptr<JobLog> find_log(const AnyUuid& uuid);
  /// Tells the watchers a new status; a final one ends the log.
  void status(const AnyUuid& uuid, JobStatus status, std::optional<std::uint32_t> position,
              const std::optional<std::string>& error);
  /// Tells the watchers of pending jobs where they stand now.
  void positions_changed();

  /// Fails or cancels the jobs of the database that no runner speaks for; takes up those in flight at the start.
  Task<void> recover();
  /// Looks for silent jobs, each second while there are any. Ends when cancelled.
  Task<void> watch_leases();

 private:
  Task<void> expire(storage::JobId id);

  Context& context_;
  std::filesystem::path log_dir_;
  std::list<std::shared_ptr<JobWait>> waits_;
  std::unordered_map<std::int64_t, std::shared_ptr<LiveJob>> live_;
  std::unordered_multimap<std::int64_t, std::weak_ptr<RunnerConnection>> connections_;  // by runner
  std::unordered_map<AnyUuid, std::shared_ptr<JobLog>> logs_;
  std::list<AnyUuid> late_results_;
  std::list<AnyUuid> finished_logs_;
  std::uint64_t finished_bytes_ = 0;
  Leases leases_;
  http::Notifier lease_added_;
  bool stopping_ = false;
};

}  // namespace bencher::server
