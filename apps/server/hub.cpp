#include "apps/server/hub.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <fmt/core.h>

#include "apps/server/job_output.hpp"
#include "lib/job/json.hpp"

namespace bencher::server {
namespace {

namespace fs = std::filesystem;

/// Bytes of one job's log; what the job prints past it is kept with its output only.
constexpr std::uint64_t log_limit = 256ull << 20;
/// Of jobs that have ended; who comes later gets the log made anew from the kept output.
constexpr std::size_t finished_logs_kept = 256;
constexpr std::uint64_t finished_bytes_kept = 1ull << 30;
/// Uploads for jobs that were given up as lost.
constexpr std::size_t late_results_kept = 16;
constexpr std::chrono::milliseconds forever{std::chrono::hours(24 * 365)};

}  // namespace

JobLog::JobLog(boost::asio::io_context& io, fs::path file) : changed(io), file_(std::move(file)) {
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open the job log " + file_.string());
}

JobLog::~JobLog() {
  ::close(fd_);
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void JobLog::append(std::string_view members) {
  const auto line = fmt::format("{{\"id\":{},{}}}\n", size_, members);
  std::string_view left = line;
  while (!left.empty()) {
    const auto n = ::pwrite(fd_, left.data(), left.size(), static_cast<off_t>(size_ + (line.size() - left.size())));
    if (n < 0) {
      if (errno == EINTR) continue;
      // A full disk must not end the job: the line is lost, its output is still delivered with the result.
      return;
    }
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  size_ += line.size();
  changed.notify_all();
}

void JobLog::append_log(std::uint32_t iteration, bool is_stderr, std::string_view data) {
  if (full_ || data.empty()) return;
  if (size_ + data.size() > log_limit) {
    full_ = true;
    data = "\n[the log is cut here; the job goes on, and its whole output is kept with its result]\n";
  }
  std::string text;
  json::write_text(text, data);
  append(fmt::format(R"("event":"log","iteration":{},"stream":"{}","data":{})", iteration,
                     is_stderr ? "stderr" : "stdout", text));
}

std::string JobLog::read(std::uint64_t from, std::size_t max) const {
  if (from >= size_) return {};
  for (;;) {
    std::string text(std::min<std::uint64_t>(max, size_ - from), '\0');
    const auto n = ::pread(fd_, text.data(), text.size(), static_cast<off_t>(from));
    if (n <= 0) return {};
    text.resize(static_cast<std::size_t>(n));
    const auto last = text.rfind('\n');
    if (last != std::string::npos) {
      text.resize(last + 1);
      return text;
    }
    max *= 4;  // one line longer than that
  }
}

JobHub::JobHub(Context& context, fs::path log_dir)
    : context_(context),
      log_dir_(std::move(log_dir)),
      leases_(std::chrono::seconds(context.config.heartbeat_timeout)),
      lease_added_(context.io) {
  std::error_code ignored;
  fs::remove_all(log_dir_, ignored);
  fs::create_directories(log_dir_);
}

std::shared_ptr<JobWait> JobHub::enter(std::vector<storage::SpecId> specs) {
  auto wait = std::make_shared<JobWait>(context_.io, std::move(specs));
  waits_.push_back(wait);
  return wait;
}

void JobHub::leave(const std::shared_ptr<JobWait>& wait) {
  waits_.remove(wait);
}

void JobHub::wake(storage::SpecId spec) {
  for (const auto& wait : waits_) {
    if (wait->woken || std::find(wait->specs.begin(), wait->specs.end(), spec) == wait->specs.end()) continue;
    wait->woken = true;
    wait->notifier.notify_all();
    return;
  }
}

void JobHub::wake_all() {
  for (const auto& wait : waits_) {
    wait->woken = true;
    wait->notifier.notify_all();
  }
}

void JobHub::stop() {
  stopping_ = true;
  wake_all();
  for (const auto& [uuid, log] : logs_)
    log->changed.notify_all();
}

std::shared_ptr<LiveJob> JobHub::live(storage::JobId id, const AnyUuid& uuid) {
  auto& slot = live_[static_cast<std::int64_t>(id)];
  if (!slot) {
    slot = std::make_shared<LiveJob>();
    slot->id = id;
    slot->uuid = uuid;
    heard_of(id);
  }
  return slot;
}

void JobHub::ended(storage::JobId id) {
  leases_.end(static_cast<std::int64_t>(id));
  if (const auto job = live_.find(static_cast<std::int64_t>(id)); job != live_.end()) {
    std::error_code ignored;
    fs::remove(results_file(job->second->uuid), ignored);
  }
  live_.erase(static_cast<std::int64_t>(id));
}

void JobHub::late_results(const AnyUuid& uuid) {
  late_results_.remove(uuid);
  late_results_.push_back(uuid);
  if (late_results_.size() <= late_results_kept) return;
  std::error_code ignored;
  fs::remove(results_file(late_results_.front()), ignored);
  late_results_.pop_front();
}

void JobHub::heard_of(storage::JobId id) {
  const bool first = leases_.empty();
  leases_.renew(static_cast<std::int64_t>(id), context_.clock.now());
  if (first) lease_added_.notify_all();
}

void JobHub::cancel(const AnyUuid& uuid) {
  for (auto& [id, job] : live_) {
    if (job->uuid != uuid) continue;
    job->canceled = true;
    if (auto connection = job->connection.lock()) connection->cancel();
  }
}

void JobHub::attach(LiveJob& job, std::weak_ptr<RunnerConnection> connection) {
  const auto older = job.connection.lock();
  job.connection = std::move(connection);
  if (older && older != job.connection.lock()) older->close(1008, R"("superseded")");
}

void JobHub::connected(storage::RunnerId runner, std::weak_ptr<RunnerConnection> connection) {
  const auto key = static_cast<std::int64_t>(runner);
  const auto [first, last] = connections_.equal_range(key);
  for (auto it = first; it != last;)
    it = it->second.expired() ? connections_.erase(it) : std::next(it);
  connections_.emplace(key, std::move(connection));
}

void JobHub::close_runner(storage::RunnerId runner, std::string_view reason) {
  const auto [first, last] = connections_.equal_range(static_cast<std::int64_t>(runner));
  std::vector<std::shared_ptr<RunnerConnection>> open;
  for (auto it = first; it != last; ++it)
    if (auto connection = it->second.lock()) open.push_back(std::move(connection));
  connections_.erase(first, last);
  for (const auto& connection : open)
    connection->close(1008, fmt::format("\"{}\"", reason));
  // Its claims that wait look at its key again.
  wake_all();
}

std::shared_ptr<JobLog> JobHub::log(const AnyUuid& uuid) {
  auto& slot = logs_[uuid];
  if (!slot) slot = std::make_shared<JobLog>(context_.io, log_dir_ / (uuid.str() + ".ndjson"));
  return slot;
}

std::shared_ptr<JobLog> JobHub::find_log(const AnyUuid& uuid) {
  const auto found = logs_.find(uuid);
  return found == logs_.end() ? nullptr : found->second;
}

void JobHub::status(const AnyUuid& uuid, JobStatus status, std::optional<std::uint32_t> position,
                    const std::optional<std::string>& error) {
  auto stream = log(uuid);
  if (stream->ended) return;
  if (!is_final(status)) {
    std::string members = fmt::format(R"("event":"status","status":"{}")", to_string(status));
    if (position) members += fmt::format(R"(,"position":{})", *position);
    stream->append(members);
    return;
  }
  std::string members = fmt::format(R"("event":"end","status":"{}")", to_string(status));
  if (error) {
    members += R"(,"error":)";
    json::write_text(members, *error);
  }
  stream->ended = true;
  stream->append(members);
  finished_logs_.push_back(uuid);
  finished_bytes_ += stream->size();
  while (finished_logs_.size() > finished_logs_kept ||
         (finished_bytes_ > finished_bytes_kept && finished_logs_.size() > 1)) {
    const auto oldest = logs_.find(finished_logs_.front());
    if (oldest != logs_.end()) {
      finished_bytes_ -= oldest->second->size();
      logs_.erase(oldest);
    }
    finished_logs_.pop_front();
  }
}

void JobHub::positions_changed() {
  // Only those that somebody could be watching: a pending job's log has nothing but its states.
  auto refresh = [this]() -> Task<void> {
    std::vector<AnyUuid> open;
    for (const auto& [uuid, log] : logs_)
      if (!log->ended && log->watchers > 0) open.push_back(uuid);
    if (open.empty()) co_return;
    const auto work = [&](storage::Connection& c) {
      std::vector<std::pair<AnyUuid, std::uint32_t>> out;
      for (const auto& uuid : open)
        if (const auto job = storage::find_job(c, uuid))
          if (const auto position = storage::queue_position(c, *job)) out.emplace_back(uuid, *position);
      return out;
    };
    const auto positions = co_await context_.read(work);
    for (const auto& [uuid, position] : positions)
      status(uuid, JobStatus::pending, position, std::nullopt);
  };
  context_.spawn(std::move(refresh));
}

Task<void> JobHub::recover() {
  struct Found {
    std::vector<storage::JobRow> in_flight;
    std::vector<storage::JobRow> completed;
  };
  const auto env = context_.env();
  const auto work = [&](storage::Connection& c) {
    pipeline::ensure_server(c, env);
    return Found{storage::jobs_in_flight(c), storage::completed_jobs(c)};
  };
  const auto found = co_await context_.write(work);
  const auto now = env.time();
  for (const auto& job : found.in_flight) {
    const auto claimed = job.state.claimed.value_or(job.created);
    const bool stale =
        job.state.status == JobStatus::claimed && now.seconds - claimed.seconds > context_.config.heartbeat_timeout;
    live(job.id, job.uuid);
    if (stale) co_await expire(job.id);
  }
  for (const auto& job : found.completed) {
    const auto load = [&](storage::Connection& c) {
      const auto project = storage::project_by_id(c, storage::project_of_job(c, job))->project.uuid;
      return std::pair(load_output(context_.blobs, project, job.uuid), pipeline::job_settings(c, job));
    };
    const auto [output, settings] = co_await context_.read(load);
    Result<ReadResults> parsed = Error(Errc::not_found, "the job's output was lost");
    if (output) parsed = read_outputs(settings, adapter_texts(*output));
    const auto process = [&](storage::Connection& c) { return pipeline::complete(c, env, job, parsed); };
    auto done = co_await context_.write(process);
    if (!done)
      context_.logger.log(LogLevel::error, "job left unprocessed",
                          {{"job", job.uuid.str()}, {"message", done.error().message()}});
  }
}

Task<void> JobHub::expire(storage::JobId id) {
  const auto env = context_.env();
  struct Expired {
    storage::JobRow job;
    Uuid<Project> project;
    std::vector<storage::SpecId> pending;
  };
  const auto work = [&](storage::Connection& c) -> Result<Expired> {
    const auto job = storage::job_by_id(c, id);
    if (!job) return Error(Errc::not_found, "the job is gone");
    const auto event = silence_event(job->state, job->timeout, context_.config.job_grace, env.time());
    BENCHER_TRY(auto row, pipeline::advance(c, env, *job, event));
    const auto project = storage::project_by_id(c, storage::project_of_job(c, row))->project.uuid;
    return Expired{std::move(row), project, storage::pending_specs(c)};
  };
  auto expired = co_await context_.write(work);
  ended(id);
  if (!expired) co_return;
  const std::string why = expired->job.state.status == JobStatus::canceled
                              ? "the job ran past its time limit, and its runner went silent"
                              : "the runner went silent: no heartbeat within the time limit";
  context_.logger.log(LogLevel::warning, "job lost", {{"job", expired->job.uuid.str()}, {"message", why}});
  JobOutput output;
  output.error = why;
  const auto keep = [&] {
    return store_output(context_.blobs, expired->project, expired->job.uuid, output).has_value();
  };
  co_await context_.compute(keep);
  status(expired->job.uuid, expired->job.state.status, std::nullopt, why);
  for (const auto spec : expired->pending)
    wake(spec);
}

Task<void> JobHub::watch_leases() {
  boost::asio::steady_timer timer(context_.io);
  for (;;) {
    if (leases_.empty()) {
      co_await lease_added_.wait(forever);
      continue;
    }
    timer.expires_after(std::chrono::seconds(1));
    co_await timer.async_wait(boost::asio::use_awaitable);
    const auto silent = leases_.expired(context_.clock.now());
    for (const auto id : silent) {
      const auto job = static_cast<storage::JobId>(id);
      co_await expire(job);
    }
  }
}

}  // namespace bencher::server
