#include "apps/cli/watch.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

namespace bencher::cli {
namespace {

using namespace std::chrono_literals;

/// The server pings every 15 s; a stream that is older is opened anew, so that a dead one is not waited for.
constexpr auto stream_limit = 60s;
constexpr std::size_t longest_line = 8u << 20;
/// How long after the first Ctrl-C a second one cancels the job.
constexpr auto cancel_window = 3s;

class Watcher {
 public:
  Watcher(World& world, Api& api, const Watch& watch)
      : world_(world),
        api_(api),
        watch_(watch),
        path_(fmt::format("/v0/projects/{}/jobs/{}", percent_encoded(watch.project), percent_encoded(watch.job))),
        deadline_(world.clock.now() + watch.limit) {}

  JobEnd run() {
    world_.catch_interrupts();
    if (watch_.to_the_end) say(fmt::format("Waiting for job {}. Ctrl-C detaches; the job goes on.", watch_.job));
    while (true) {
      if (world_.interrupts() > 0) interrupted();
      if (world_.clock.now() >= deadline_)
        throw Failure{Exit::waited_too_long, fmt::format("job {} has not ended within {} s; it goes on.\n{}",
                                                         watch_.job, watch_.limit.count(), how_to_attach())};
      if (streams_)
        stream();
      else
        poll();
      if (end_) return *std::move(end_);
      if (!watch_.to_the_end && seen_) return {.status = status_, .error = {}};
    }
  }

 private:
  void say(const std::string& line) {
    if (watch_.show != Watch::Show::all) return;
    world_.err << line << '\n';
    world_.err.flush();
  }

  std::string how_to_attach() const {
    return fmt::format("Attach again: bencher job watch {} {}\nLook at it:   bencher job view {} {}", watch_.project,
                       watch_.job, watch_.project, watch_.job);
  }

  [[noreturn]] void interrupted() {
    if (world_.interrupts() < 2) {
      world_.err << fmt::format("\nDetached; the job goes on. Ctrl-C again within {} s cancels it.\n{}\n",
                                cancel_window.count(), how_to_attach());
      world_.err.flush();
      // The first wait may end at once, for the interrupt that brought us here.
      while (world_.interrupts() < 2 && !world_.wait(cancel_window)) {
      }
    }
    if (world_.interrupts() < 2) throw Failure{Exit::interrupted, fmt::format("detached from job {}", watch_.job)};
    api_.call({.method = "POST", .path = path_ + "/cancel", .body = json::Value::object()});
    throw Failure{Exit::job_canceled, fmt::format("job {} was canceled on request", watch_.job)};
  }

  void pause(std::chrono::milliseconds time) {
    const auto left = std::max<std::chrono::milliseconds>(deadline_ - world_.clock.now(), 0ms);
    world_.wait(std::min(time, left));
  }

  void stream() {
    std::string buffer, problem;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - world_.clock.now());
    const auto before = after_;
    const auto status =
        api_.stream(fmt::format("{}/output/stream?after={}{}", path_, after_, watch_.to_the_end ? "" : "&follow=false"),
                    std::min<std::chrono::milliseconds>(stream_limit, left), [&](std::string_view data) {
                      buffer += data;
                      for (auto at = buffer.find('\n'); at != std::string::npos; at = buffer.find('\n')) {
                        event(std::string_view(buffer).substr(0, at));
                        buffer.erase(0, at + 1);
                      }
                      if (buffer.size() > longest_line) problem = "a line of the job's stream is too long";
                      return !end_ && problem.empty();
                    });
    if (!problem.empty()) throw Failure{Exit::network, problem};
    if (end_) return;
    if (status && (*status == 404 || *status == 405)) {
      streams_ = false;
      return;
    }
    if (status && *status >= 400 && *status < 500 && *status != 429)
      throw Failure{cli::exit_of_status(*status),
                    fmt::format("GET {}/output/stream: {} {}", path_, *status, reason_phrase(*status))};
    if (after_ != before) failures_ = 0;
    if (status && *status == 200 && !watch_.to_the_end) {
      seen_ = true;
      return;
    }
    if (!status && status.error().code() == Errc::timed_out && left > stream_limit / 2) return;  // only old
    if (!status && status.error().code() == Errc::cancelled) return;
    // Ended or lost: again, and slower each time that nothing came.
    if (!status && ++failures_ == 1)
      say(fmt::format("The job's stream was lost ({}); connecting again.", status.error().message()));
    if (failures_ > 20)
      throw Failure{
          Exit::network,
          fmt::format("{}\n{}", status ? "the job's stream ends at once" : status.error().message(), how_to_attach())};
    if (status) ++failures_;
    pause(std::min<std::chrono::milliseconds>(30s, 500ms * failures_));
  }

  void event(std::string_view line) {
    const auto parsed = json::Value::parse(line);
    if (!parsed || !parsed->is_object()) return;
    const auto& event = *parsed;
    if (const auto id = event["id"].as_integer()) {
      if (*id <= after_) return;  // seen before the stream was lost
      after_ = *id;
    }
    const auto& kind = event["event"].text();
    if (kind == "status") {
      status(event["status"].text(), event["position"].as_integer());
    } else if (kind == "log") {
      log(event["data"].text(), event["stream"].text() == "stderr");
    } else if (kind == "end") {
      end_ = JobEnd{.status = event["status"].text(), .error = event["error"].text()};
      status(end_->status, {});
    }
  }

  void log(const std::string& text, bool standard_error) {
    if (watch_.show == Watch::Show::nothing) return;
    auto& to = standard_error || watch_.show == Watch::Show::all ? world_.err : world_.out;
    to << text;
    to.flush();
  }

  void status(const std::string& now, std::optional<std::int64_t> position) {
    // A place in the queue changes often; it is for people who watch.
    const bool moved = position && position != position_ && world_.err_is_terminal;
    if (now == status_ && !moved) return;
    status_ = now;
    position_ = position;
    say(position ? fmt::format("Job {}, place {} in the queue", now, *position) : fmt::format("Job {}", now));
  }

  void poll() {
    if (watch_.to_the_end) pause(watch_.poll_interval);
    if (world_.interrupts() > 0) return;
    seen_ = true;
    const auto job = api_.call({.method = "GET", .path = path_, .body = {}}).body;
    const auto& now = job["status"].text();
    status(now, {});
    if (now != "processed" && now != "failed" && now != "canceled") return;
    end_ = JobEnd{.status = now, .error = job["output"]["error"].text()};
    if (watch_.show == Watch::Show::nothing) return;
    std::size_t iteration = 0;
    for (const auto& result : job["output"]["results"].items()) {
      for (const auto* name : {"stdout", "stderr"})
        if (const auto& text = result[name].text(); text.empty())
          continue;
        else if (watch_.show == Watch::Show::log)
          log(text, name == std::string_view("stderr"));
        else
          world_.err << fmt::format("\nIteration {}, {}:\n{}{}", iteration, name, text,
                                    text.back() == '\n' ? "" : "\n");
      ++iteration;
    }
  }

  World& world_;
  Api& api_;
  const Watch& watch_;
  const std::string path_;
  const Instant deadline_;
  bool streams_ = true;
  bool seen_ = false;  ///< all that there is now
  int failures_ = 0;
  std::int64_t after_ = 0;
  std::string status_;
  std::optional<std::int64_t> position_;
  std::optional<JobEnd> end_;
};

}  // namespace

JobEnd watch_job(World& world, Api& api, const Watch& watch) {
  return Watcher(world, api, watch).run();
}

Exit exit_of(const JobEnd& end) {
  if (end.status == "processed") return Exit::ok;
  return end.status == "canceled" ? Exit::job_canceled : Exit::job_failed;
}

}  // namespace bencher::cli
