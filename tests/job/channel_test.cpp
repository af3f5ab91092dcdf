#include "bencher/job/channel.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "tests/support/data.hpp"

using namespace bencher;
using namespace std::chrono_literals;
namespace json_value = boost::json;

namespace {

const auto some_job = *AnyUuid::parse("f3d86ced-b23b-4e6c-9f73-8764cb675250");
const Instant noon(1'700'000'000'000ms);

/// The shell: jobs that know nothing but their state.
struct Shell {
  explicit Shell(channel::State s) : state(std::move(s)) {}

  channel::State state;
  Instant now = noon;
  std::map<std::string, JobState> jobs;
  std::optional<channel::Held> next;  ///< what a poll finds
  std::optional<channel::Held> own;   ///< what a resume finds
  std::vector<std::string> said;      ///< texts, `close CODE REASON`, `drop`
  std::set<std::string> uploads;      ///< jobs whose results were uploaded
  std::vector<std::string> done;      ///< beats, logs and stages

  void tell(const channel::Event& event) {
    auto [after, actions] = channel::step(std::move(state), event, now);
    state = std::move(after);
    for (const auto& action : actions)
      std::visit([this](const auto& a) { perform(a); }, action);
  }
  void hear(std::string text) { tell(channel::Received{std::move(text)}); }
  std::string last() {
    if (said.empty()) return "";
    auto out = said.back();
    said.clear();
    return out;
  }

  void perform(const channel::Say& a) { said.push_back(a.text); }
  void perform(const channel::Close& a) { said.push_back(fmt::format("close {} {}", a.code, a.reason)); }
  void perform(const channel::Drop&) { said.push_back("drop"); }
  void perform(const channel::Advance& a) {
    auto& job = jobs[state.held->uuid.str()];
    const auto stepped = step(job, a.event, Timestamp::of(now));
    if (stepped) job = *stepped;
    tell(channel::Advanced{stepped ? std::optional(job) : std::nullopt, job.status});
  }
  void perform(const channel::Finish& a) {
    using How = channel::Finished::How;
    const auto found = jobs.find(a.job.str());
    if (found == jobs.end()) return tell(channel::Finished{How::refused, JobStatus::canceled});
    if (channel::starts_first(a, found->second.status))
      found->second = *step(found->second, JobEvent::start, Timestamp::of(now));
    const auto before = found->second.status;
    if (a.uploaded && !uploads.contains(a.job.str())) return tell(channel::Finished{How::missing, before});
    const auto stepped = step(found->second, a.event, Timestamp::of(now));
    if (stepped) found->second = *stepped;
    if (stepped && a.event == JobEvent::complete)
      found->second = *step(found->second, JobEvent::process, Timestamp::of(now));
    tell(channel::Finished{stepped ? How::taken : How::refused, before});
  }
  void perform(const channel::Beat&) { done.push_back("beat"); }
  void perform(const channel::Log& a) {
    done.push_back(fmt::format("log {} {} {} {}", a.iteration, a.standard_error, a.offset, a.data));
  }
  void perform(const channel::Reach& a) { done.push_back(std::string(to_string(a.stage))); }
  void perform(const channel::Host& a) { done.push_back("host " + a.json.substr(0, 40)); }
  void perform(const channel::Poll& a) {
    done.push_back(fmt::format("poll {}", a.timeout.count()));
    if (next) {
      jobs[next->uuid.str()] = next->state;
      said.push_back("job");
    }
    tell(channel::Polled{std::exchange(next, {}), false});
  }
  void perform(const channel::Resume&) { tell(channel::Resumed{own}); }
};

channel::Held held(JobStatus status = JobStatus::claimed) {
  channel::Held out{some_job, {}, 60};
  out.state.status = status;
  if (status == JobStatus::running) out.state.started = Timestamp::of(noon);
  return out;
}
Shell job_channel(JobStatus status = JobStatus::claimed) {
  Shell shell(channel::open_job({}, held(status), noon));
  shell.jobs[some_job.str()] = held(status).state;
  return shell;
}
Shell runner_channel() {
  return Shell(channel::open_runner({}, noon));
}

const std::string ack = fmt::format(R"({{"event":"ack","job":"{}"}})", some_job.str());
const std::string cancel = R"({"event":"cancel"})";
const std::string running = R"({"event":"running"})", heartbeat = R"({"event":"heartbeat"})";
const std::string completed =
    fmt::format(R"({{"event":"completed","job":"{}","results":[{{"exit_code":0,"stdout":"x"}}]}})", some_job.str());
const std::string canceled = fmt::format(R"({{"event":"canceled","job":"{}"}})", some_job.str());

/// Plays the runner's part of a recorded conversation; true when every answer is the recorded one.
void replay(const std::string& file) {
  INFO(file);
  auto shell = runner_channel();
  std::vector<json_value::object> lines;
  for (std::istringstream in(test::read_data("channel/" + file)); !in.eof();) {
    std::string line;
    std::getline(in, line);
    if (!line.empty()) lines.push_back(json_value::parse(line).as_object());
  }
  const auto text_of = [](const json_value::object& line) {
    return line.contains("raw") ? std::string(line.at("raw").as_string()) : json_value::serialize(line.at("frame"));
  };
  const auto event_of = [](const json_value::object& line) {
    return line.contains("frame") ? std::string(line.at("frame").at("event").as_string()) : std::string();
  };
  // What the server is about to say tells what a poll finds, and when a job is over its time.
  const auto next_from_server = [&](std::size_t i) -> const json_value::object* {
    for (; i < lines.size(); ++i)
      if (lines[i].at("from") == "server") return &lines[i];
    return nullptr;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines[i];
    if (line.contains("http") || line.contains("opcode")) continue;
    const bool note = line.contains("note");
    if (line.at("from") == "runner") {
      if (note) {
        if (line.at("note") == "connection lost") return;
        shell.hear("");
        continue;
      }
      const auto* answer = next_from_server(i + 1);
      for (std::size_t j = i + 1; j < lines.size() && event_of(lines[i]) == "ready"; ++j) {
        if (lines[j].at("from") != "server" || event_of(lines[j]) == "ack") continue;
        if (event_of(lines[j]) == "job") {
          shell.next = held();
          shell.next->uuid = *AnyUuid::parse(std::string_view(lines[j].at("frame").at("uuid").as_string()));
        }
        break;
      }
      if (answer && event_of(*answer) == "cancel") shell.now += 121s;
      shell.hear(text_of(line));
      continue;
    }
    if (line.contains("close")) {
      if (line.at("close").as_int64() == 1001) return;
      if (std::string_view(line.at("reason").as_string()).find("exceeded") != std::string_view::npos) shell.now += 121s;
      shell.now = std::max(shell.now, shell.state.wake_at);
      shell.tell(channel::Lapsed{});
      REQUIRE_FALSE(shell.said.empty());
      CHECK(shell.said.front() ==
            fmt::format("close {} {}", line.at("close").as_int64(), std::string_view(line.at("reason").as_string())));
      return;
    }
    if (note) {
      if (line.at("note") == "no answer in 1 s") {
        CHECK(shell.said.empty());
        continue;
      }
      if (shell.said.empty()) {
        shell.now = shell.state.wake_at;
        shell.tell(channel::Lapsed{});
      }
      REQUIRE_FALSE(shell.said.empty());
      CHECK(shell.said.front() == "drop");
      return;
    }
    REQUIRE_MESSAGE(!shell.said.empty(), "nothing was said where the record has " << text_of(line));
    const auto said = shell.said.front();
    shell.said.erase(shell.said.begin());
    if (event_of(line) == "job")
      CHECK(said == "job");
    else
      CHECK(json_value::parse(said) == line.at("frame"));
  }
  // A record may end before the last answer.
  if (lines.back().at("from") == "server") CHECK(shell.said.empty());
}

}  // namespace

TEST_SUITE("job/channel") {
  TEST_CASE("the recorded conversations of runners come out the same") {
    // Those of the connection itself, not of what is said on it; and a foreign job's result, which is refused here.
    const std::set<std::string> others{
        "archived_runner.jsonl",  "message_over_limit.jsonl", "shutdown_executing.jsonl", "shutdown_idle.jsonl",
        "sigint_executing.jsonl", "sigint_idle.jsonl",        "text_while_polling.jsonl", "wrong_job_uuid.jsonl"};
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(BENCHER_TEST_DATA) + "/channel")) {
      const auto name = entry.path().filename().string();
      if (others.contains(name)) continue;
      replay(name);
      ++count;
    }
    CHECK(count > 30);
  }

  TEST_CASE("a job's channel answers each message once, in order, and ends after the result") {
    auto shell = job_channel();
    shell.hear(running);
    CHECK(shell.last() == ack);
    shell.hear(heartbeat);
    CHECK(shell.last() == ack);
    shell.hear(R"({"event":"log","iteration":1,"stream":"stderr","offset":7,"data":"hi"})");
    CHECK(shell.last() == ack);
    CHECK(shell.done == std::vector<std::string>{"beat", "log 1 true 7 hi", "beat"});
    for (const auto* nonsense : {"{", "[]", R"({"event":"nope"})", R"({"event":3})", ""}) {
      shell.hear(nonsense);
      CHECK(shell.said.empty());
    }
    shell.hear(R"({"event":"completed","exit_code":0,"stdout":"x"})");
    CHECK(shell.said == std::vector<std::string>{ack, R"(close 1000 "job_completed")"});
    CHECK(shell.state.ended);
    CHECK(shell.jobs[some_job.str()].status == JobStatus::processed);
  }

  TEST_CASE("a heartbeat can tell how far the job has come") {
    auto shell = job_channel(JobStatus::running);
    for (const auto* stage : {"pulled", "booted", "ran", "processed", "nonsense"})
      shell.hear(fmt::format(R"({{"event":"heartbeat","stage":"{}"}})", stage));
    CHECK(shell.done == std::vector<std::string>{"pulled", "beat", "booted", "beat", "ran", "beat", "beat", "beat"});
  }

  TEST_CASE("a heartbeat can say what the machine is like, in an object of a sensible size") {
    auto shell = job_channel(JobStatus::running);
    for (const auto& host : {std::string(R"({ "cores" : 2 })"), std::string("null"), std::string("5"),
                             std::string("[1]"), std::string(R"("{")"), "{\"x\":\"" + std::string(17'000, 'x') + "\"}"})
      shell.hear(R"({"event":"heartbeat","host":)" + host + "}");
    CHECK(shell.done ==
          std::vector<std::string>{R"(host {"cores":2})", "beat", "beat", "beat", "beat", "beat", "beat"});
  }

  TEST_CASE("a result before the job runs, and a foreign job's message, end the connection") {
    auto early = job_channel();
    early.hear(completed);
    CHECK(early.last() == R"(close 1008 "not_running")");
    auto foreign = job_channel();
    foreign.hear(R"({"event":"heartbeat","job":"11111111-1111-4111-8111-111111111111"})");
    CHECK(foreign.last() == R"(close 1008 "wrong_job")");
    auto runner = runner_channel();
    runner.next = held();
    runner.hear(R"({"event":"ready"})");
    runner.hear(completed);
    CHECK(runner.last() == "drop");
  }

  TEST_CASE("a cancel is said at once, and again to every sign of life on a job's channel") {
    auto shell = job_channel(JobStatus::running);
    shell.jobs[some_job.str()].status = JobStatus::canceled;
    shell.tell(channel::Canceled{});
    CHECK(shell.last() == cancel);
    shell.tell(channel::Canceled{});
    CHECK(shell.said.empty());
    shell.hear(heartbeat);
    CHECK(shell.last() == cancel);
    shell.hear(running);
    CHECK(shell.last() == cancel);
    shell.hear(canceled);
    CHECK(shell.said == std::vector<std::string>{ack, R"(close 1000 "job_canceled_by_runner")"});
  }

  TEST_CASE("a runner that does not stop after a cancel is left, long before its heartbeat is missed") {
    auto shell = job_channel(JobStatus::running);
    shell.tell(channel::Canceled{});
    CHECK(shell.state.wake_at == noon + 30s);
    shell.now += 30s;
    shell.last();
    shell.tell(channel::Lapsed{});
    CHECK(shell.last().starts_with("close 1008"));
  }

  TEST_CASE("silence ends either channel in its own way, and says whether the job was over its time") {
    auto shell = job_channel(JobStatus::running);
    shell.now += 89s;
    shell.tell(channel::Lapsed{});
    CHECK(shell.said.empty());
    shell.now += 1s;
    shell.tell(channel::Lapsed{});
    CHECK(shell.last() == R"(close 1008 "heartbeat_timeout")");
    auto late = job_channel(JobStatus::running);
    late.now += 121s;
    late.tell(channel::Lapsed{});
    CHECK(late.last() == R"(close 1008 "job_timeout_exceeded")");
    auto idle = runner_channel();
    idle.now += 90s;
    idle.tell(channel::Lapsed{});
    CHECK(idle.last() == "drop");
  }

  TEST_CASE("at its limit a job goes on, past it the next heartbeat cancels it") {
    auto shell = job_channel(JobStatus::running);
    for (shell.now += 60s; shell.now <= noon + 120s; shell.now += 60s) {
      shell.hear(heartbeat);
      CHECK(shell.last() == ack);
    }
    shell.now = noon + 121s;
    shell.hear(heartbeat);
    CHECK(shell.last() == cancel);
    CHECK(shell.jobs[some_job.str()].status == JobStatus::canceled);
  }

  TEST_CASE("saying that it runs does not carry a job past its limit") {
    auto shell = job_channel(JobStatus::running);
    shell.now = noon + 121s;
    shell.hear(running);
    CHECK(shell.last() == cancel);
    CHECK(shell.jobs[some_job.str()].status == JobStatus::canceled);
  }

  TEST_CASE("a runner that comes back goes on with its job") {
    auto shell = runner_channel();
    shell.hear(heartbeat);
    CHECK(shell.said.empty());
    shell.own = held(JobStatus::running);
    shell.jobs[some_job.str()] = held(JobStatus::running).state;
    shell.hear(heartbeat);
    CHECK(shell.last() == ack);
    CHECK(shell.state.held);
    shell.hear(completed);
    CHECK(shell.last() == ack);
    CHECK_FALSE(shell.state.held);
  }

  TEST_CASE("a result counts although the word that its job runs was lost with the connection") {
    auto shell = runner_channel();
    shell.jobs[some_job.str()] = held().state;
    shell.hear(completed);
    CHECK(shell.last() == ack);
    CHECK(shell.jobs[some_job.str()].status == JobStatus::processed);
  }

  TEST_CASE("polls are 1 to 900 seconds, 30 when nothing is said") {
    for (const auto& [body, wanted] : std::map<std::string, std::string>{
             {R"({"event":"ready"})", "poll 30"},
             {R"({"event":"ready","poll_timeout":1})", "poll 1"},
             {R"({"event":"ready","poll_timeout":900})", "poll 900"},
             {R"({"event":"ready","runner":{"os":"linux","arch":"x86_64","version":"1","channel":"canary"}})",
              "poll 30"}}) {
      auto shell = runner_channel();
      shell.hear(body);
      CHECK(shell.done == std::vector<std::string>{wanted});
      CHECK(shell.last() == R"({"event":"no_job"})");
    }
    for (const auto* body : {"0", "901", "-1", "\"5\"", "1.5"}) {
      auto shell = runner_channel();
      shell.hear(fmt::format(R"({{"event":"ready","poll_timeout":{}}})", body));
      CHECK(shell.last() == "drop");
    }
  }

  TEST_CASE("what a PATCH may do follows the table") {
    using Do = channel::PatchRule::Do;
    const auto what = [](JobStatus status, const char* wanted) {
      return channel::patch_rule(status, wanted, false).what;
    };
    CHECK(channel::patch_rule(JobStatus::running, "running", true).event == JobEvent::overrun);
    CHECK(channel::patch_rule(JobStatus::running, "completed", true).event == JobEvent::complete);
    CHECK(what(JobStatus::claimed, "running") == Do::start);
    CHECK(what(JobStatus::running, "running") == Do::start);
    CHECK(what(JobStatus::claimed, "completed") == Do::refuse);
    CHECK(what(JobStatus::running, "completed") == Do::finish);
    CHECK(what(JobStatus::processed, "completed") == Do::say);
    CHECK(what(JobStatus::failed, "completed") == Do::refuse);
    CHECK(what(JobStatus::failed, "failed") == Do::say);
    CHECK(what(JobStatus::claimed, "failed") == Do::finish);
    for (const auto* wanted : {"running", "completed", "failed"})
      CHECK(what(JobStatus::canceled, wanted) == Do::say);
  }

  TEST_CASE("results that were uploaded are taken by both channels; without them the connection ends") {
    const std::string message = fmt::format(R"({{"event":"completed","job":"{}","uploaded":true}})", some_job.str());
    for (const bool own : {false, true}) {
      for (const bool there : {false, true}) {
        CAPTURE(own);
        CAPTURE(there);
        auto shell = own ? runner_channel() : job_channel();
        if (own) {
          shell.next = held();
          shell.hear(R"({"event":"ready"})");
        }
        shell.hear(running);
        if (there) shell.uploads.insert(some_job.str());
        shell.said.clear();
        shell.hear(message);
        REQUIRE_FALSE(shell.said.empty());
        CHECK(shell.said.front() == (there ? ack : R"(close 1008 "results_missing")"));
        CHECK(shell.jobs[some_job.str()].status == (there ? JobStatus::processed : JobStatus::running));
      }
    }
  }
}
