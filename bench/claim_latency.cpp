// From the moment a submitter knows that its job is queued to the moment a waiting runner has it.
//
//   claim_latency [RUNNERS] [JOBS]      (default 100 and 500)
//
// RUNNERS runners, each its own, wait with `POST /v0/runners/{runner}/jobs`. First nothing happens for ten seconds, and
// what the server does in them is read from /proc. Then jobs are submitted one at a time, then ten at a time; a runner
// that gets one ends it through PATCH and waits again.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <thread>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "support.hpp"

using namespace bencher::bench;

namespace {

constexpr auto idle_time = std::chrono::seconds(10);
constexpr std::string_view digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Runner {
  std::string claim;    // the request
  std::string running;  // the two that end a job
  std::string completed;
  std::string uuid, key;
  enum class Doing { waiting, starting, ending } doing = Doing::waiting;
};

struct Times {
  std::optional<Clock::time_point> queued, received;
};

void print(std::string_view what, std::vector<double>& values) {
  fmt::print("| {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} |\n", what, values.size(), percentile(values, 0.5),
             percentile(values, 0.9), percentile(values, 0.99), percentile(values, 1));
}

class Bench {
 public:
  explicit Bench(std::size_t runners) : setup_(server_.port()), load_(server_.port(), runners + parallel, true) {
    const auto admin = sign_up(server_, setup_);
    const auto spec = setup_.json(
        201, "POST", "/v0/specs", admin.token,
        R"({"name":"small","os":"linux","architecture":"x86_64","cpu":1,"memory":1073741824,"disk":1073741824,"network":false,"fallback":true})");
    const auto spec_uuid = std::string(spec.at("uuid").as_string());
    for (std::size_t i = 0; i < runners; ++i) {
      const auto made =
          setup_.json(201, "POST", "/v0/runners", admin.token, fmt::format(R"({{"name":"runner {}"}})", i));
      Runner r;
      r.uuid = std::string(made.at("uuid").as_string());
      r.key = std::string(made.at("key").as_string());
      setup_.call(201, "POST", fmt::format("/v0/runners/{}/specs", r.uuid), admin.token,
                  fmt::format(R"({{"spec":"{}"}})", spec_uuid));
      r.claim = request("POST", fmt::format("/v0/runners/{}/jobs", r.uuid), r.key, R"({"poll_timeout":60})");
      runners_.push_back(std::move(r));
    }
    for (std::size_t i = 0; i < runners; ++i)
      load_.send(i, runners_[i].claim);
  }

  /// What the server does while all wait.
  void idle() {
    // The claims have arrived and wait once the server has been silent for a while.
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const auto before = usage(server_.pid());
    std::this_thread::sleep_for(idle_time);
    const auto after = usage(server_.pid());
    fmt::print("\nIdle, {} runners waiting, {} s: {:.2f} ms of CPU ({:.4f} % of a core)\n\n", runners_.size(),
               idle_time.count(), 1000 * (after.cpu_seconds - before.cpu_seconds),
               100 * (after.cpu_seconds - before.cpu_seconds) / static_cast<double>(idle_time.count()));
    fmt::print("| thread | times scheduled in {} s | CPU ms |\n|---|--:|--:|\n", idle_time.count());
    std::uint64_t database = 0;
    for (std::size_t i = 0; i < after.threads.size() && i < before.threads.size(); ++i) {
      const auto& a = after.threads[i];
      const auto& b = before.threads[i];
      fmt::print("| {} | {} | {:.2f} |\n", a.name, a.switches - b.switches, 1000 * (a.cpu_seconds - b.cpu_seconds));
      if (a.name.starts_with("sqlite-")) database += a.switches - b.switches;
    }
    fmt::print("\nEvery query runs on a `sqlite-…` thread; these were scheduled {} times: {}.\n\n", database,
               database == 0 ? "no query" : "NOT idle");
  }

  /// Submits `count` jobs, `together` at a time; the next ones when all of those have ended.
  std::vector<double> jobs(std::size_t count, std::size_t together) {
    times_.clear();
    std::size_t submitted = 0, ended = 0, batch = 0;
    std::vector<std::string> submissions(together);
    const auto submit = [&] {
      batch = 0;
      for (std::size_t i = 0; i < together; ++i) {
        // Nobody's jobs run one at a time for each address; these come from as many.
        auto text = request(
            "POST", "/v0/run", "",
            fmt::format(
                R"({{"project":"claim-latency","context":{{}},"branch":"main","testbed":"bench","start_time":"2024-01-01T00:00:00Z","end_time":"2024-01-01T00:00:00Z","results":[],"settings":{{"adapter":"json"}},"job":{{"image":"claim-latency@{}"}}}})",
                digest));
        text.insert(text.find("\r\n") + 2, fmt::format("X-Forwarded-For: 192.0.2.{}\r\n", i));
        submissions[i] = std::move(text);
        load_.send(runners_.size() + i, submissions[i]);
        ++submitted;
      }
    };
    const auto on_answer = [&](std::size_t at, Answer& answer) {
      const auto now = Clock::now();
      if (at >= runners_.size()) {
        if (answer.status != 201) throw std::runtime_error("submit: " + answer.body);
        times_[job_of(answer.body)].queued = now;
        return true;
      }
      auto& r = runners_[at];
      if (answer.status != 200) throw std::runtime_error(fmt::format("runner: {} {}", answer.status, answer.body));
      switch (r.doing) {
        case Runner::Doing::waiting: {
          if (answer.body == "null") {
            load_.send(at, r.claim);
            break;
          }
          const auto job = uuid_of(answer.body);
          times_[job].received = now;
          const auto path = fmt::format("/v0/runners/{}/jobs/{}", r.uuid, job);
          r.running = request("PATCH", path, r.key, R"({"status":"running"})");
          r.completed =
              request("PATCH", path, r.key,
                      R"({"status":"completed","exit_code":0,"stdout":"{\"a\":{\"latency\":{\"value\":1}}}"})");
          r.doing = Runner::Doing::starting;
          load_.send(at, r.running);
          break;
        }
        case Runner::Doing::starting:
          r.doing = Runner::Doing::ending;
          load_.send(at, r.completed);
          break;
        case Runner::Doing::ending:
          r.doing = Runner::Doing::waiting;
          load_.send(at, r.claim);
          ++ended;
          if (++batch == together) {
            if (submitted >= count) return false;
            submit();
          }
          break;
      }
      return true;
    };
    submit();
    load_.run(Clock::now() + std::chrono::minutes(5), on_answer);
    if (ended < count) throw std::runtime_error(fmt::format("only {} of {} jobs ended in five minutes", ended, count));
    // The last answers to submitters may be on their way still; the jobs are not.
    std::vector<double> out;
    for (const auto& [job, t] : times_)
      if (t.queued && t.received) out.push_back(milliseconds(*t.received - *t.queued));
    return out;
  }

  static constexpr std::size_t parallel = 10;

 private:
  static std::string text_after(const std::string& body, std::string_view mark) {
    const auto at = body.find(mark);
    if (at == std::string::npos) throw std::runtime_error("no " + std::string(mark) + " in " + body);
    return body.substr(at + mark.size(), 36);
  }
  static std::string uuid_of(const std::string& body) { return text_after(body, R"({"uuid":")"); }
  static std::string job_of(const std::string& body) { return text_after(body, R"("job":")"); }

  Server server_;
  Client setup_;
  Load load_;
  std::vector<Runner> runners_;
  std::map<std::string, Times> times_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::size_t runners = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
    const std::size_t jobs = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 500;
    if (runners < Bench::parallel || jobs == 0) {
      fmt::print(stderr, "usage: claim_latency [RUNNERS, at least {}] [JOBS]\n", Bench::parallel);
      return 2;
    }
    Bench bench(runners);
    bench.idle();
    fmt::print("| submitted → received, ms | jobs | p50 | p90 | p99 | max |\n|---|--:|--:|--:|--:|--:|\n");
    auto one = bench.jobs(jobs, 1);
    print("one at a time", one);
    auto ten = bench.jobs(jobs, Bench::parallel);
    print("ten at a time", ten);
    fmt::print("\n(A negative time: the runner had the job before its submitter had the answer.)\n");
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "claim_latency: {}\n", e.what());
    return 1;
  }
}
