// Results that are too large for a message: uploaded beside the channel, and taken up by the terminal message.
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <fmt/core.h>

#include "apps/server/runner_jobs.hpp"
#include "lib/image/files.hpp"

namespace bencher::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t write_part = 1u << 20;

struct RunnerJobPath {
  ResourceId runner;
  AnyUuid job;
};
BOOST_DESCRIBE_STRUCT(RunnerJobPath, (), (runner, job))

/// What has come of one upload; unless it is whole in the end, it leaves nothing behind.
class PartFile {
 public:
  explicit PartFile(fs::path path)
      : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  ~PartFile() {
    std::error_code ignored;
    if (!kept_) fs::remove(path_, ignored);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  Result<void> append(std::string_view bytes) {
    if (!fd_) return failed();
    while (!bytes.empty()) {
      const auto n = ::write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed();
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }
  Result<void> keep_as(const fs::path& path) {
    if (!fd_ || ::rename(path_.c_str(), path.c_str()) != 0) return failed();
    kept_ = true;
    return {};
  }

 private:
  Error failed() const {
    return Error(Errc::unavailable, "the results cannot be stored now; try again", files::system_error("").message());
  }
  fs::path path_;
  files::Fd fd_;
  bool kept_ = false;
};

extern const std::array<CustomEndpoint, 1> endpoints;

http::Reply too_large(const http::RequestHead& head, std::uint64_t limit) {
  http::Reply reply;
  reply.status = 413;
  reply.body =
      fmt::format(R"({{"request_id":"{}","message":"the results are over plus.runners.max_result_bytes, {} bytes"}})",
                  head.request_id, limit);
  return reply;
}

/// Takes the body into `file`. A reply: why it was not taken.
Task<std::optional<Result<http::Reply>>> take_body(Context& context, http::Exchange& exchange, PartFile& file) {
  const auto limit = context.config.result_limit;
  if (exchange.head().content_length && *exchange.head().content_length > limit)
    co_return too_large(exchange.head(), limit);
  std::uint64_t size = 0;
  std::string part;
  for (bool more = true; more;) {
    auto read = co_await exchange.read_some();
    if (!read) co_return std::move(read).error();
    more = !read->empty();
    size += read->size();
    if (size > limit) co_return too_large(exchange.head(), limit);
    part += *read;
    if (part.empty() || (part.size() < write_part && more)) continue;
    const auto append = [&] { return file.append(part); };
    auto written = co_await context.compute(append);
    if (!written) co_return std::move(written).error();
    part.clear();
  }
  co_return std::nullopt;
}

Task<void> put_results(App& app, http::Exchange& exchange, http::Params path) {
  auto& context = app.context();
  const auto& row = endpoints[0].row;
  const auto work = [&](st::Connection& c) -> Result<st::JobRow> {
    BENCHER_TRY(auto found, the_job(c, exchange.head(), path));
    // A job that was given up as lost still takes them: its runner's word beats the guess.
    const auto status = found.job.state.status;
    if (!in_flight(status) && status != JobStatus::failed)
      return Error(Errc::conflict,
                   fmt::format("the job is {}; only a claimed or running job takes results", to_string(status)));
    return found.job;
  };
  auto job = co_await context.read(work);
  if (!job) {
    co_await app.answer(exchange, row, std::move(job).error());
    co_return;
  }
  const auto file = context.hub->results_file(job->uuid);
  PartFile part(file.string() + "." + exchange.head().request_id);
  auto refused = co_await take_body(context, exchange, part);
  if (refused) {
    co_await app.answer(exchange, row, *std::move(refused));
    co_return;
  }
  auto kept = part.keep_as(file);
  if (!kept) {
    co_await app.answer(exchange, row, std::move(kept).error());
    co_return;
  }
  // It may have ended meanwhile; then nobody else would remove the file.
  auto still = co_await context.read(work);
  if (!still) {
    std::error_code ignored;
    fs::remove(file, ignored);
    co_await app.answer(exchange, row, std::move(still).error());
    co_return;
  }
  if (!in_flight(still->state.status)) context.hub->late_results(still->uuid);
  http::Reply done;
  done.status = 204;
  co_await app.answer(exchange, row, std::move(done));
}

void describe(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<RunnerJobPath>>::describe(op, components);
  op["requestBody"] = boost::json::object{
      {"required", true}, {"content", {{"application/json", {{"schema", json::schema<JobOutputWire>(components)}}}}}};
  op["responses"] = boost::json::object{{"204", boost::json::object{{"description", "kept until the job ends"}}},
                                        {"413", boost::json::object{{"description", "over the limit"}}}};
}

const std::array<CustomEndpoint, 1> endpoints{
    CustomEndpoint{{Verb::put, "/v0/runners/{runner}/jobs/{job}/results", Access::public_, "runner_job_results_put",
                    "Upload results that are too large for a message"},
                   put_results,
                   describe},
};

}  // namespace

Task<Result<JobOutput>> results_of(Context& context, const st::JobRow& row, JobEvent event, bool uploaded,
                                   JobOutput output) {
  // What is not taken anyway needs no file: it may be gone, since the same message came before.
  if (!uploaded || !next_status(row.state.status, event)) co_return std::move(output);
  const auto file = context.hub->results_file(row.uuid);
  const auto load = [&]() -> Result<JobOutput> {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error(Errc::not_found, "no results of this job were uploaded, or they are lost; upload them again");
    std::ostringstream text;
    text << in.rdbuf();
    return parse_job_output(std::move(text).str());
  };
  auto loaded = co_await context.compute(load);
  if (loaded && output.error) loaded->error = std::move(output.error);
  co_return loaded;
}

std::span<const CustomEndpoint> runner_result_endpoints() {
  return endpoints;
}

}  // namespace bencher::server
