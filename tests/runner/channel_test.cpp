// The runner's own channel: one WebSocket for all jobs.
#include <sstream>

#include "tests/runner/agent_world.hpp"
#include "tests/support/data.hpp"

namespace json = boost::json;
using namespace bencher;
using namespace bencher::runner;
using namespace bencher::runner::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr const char* other_uuid = "550e8400-e29b-41d4-a716-446655440001";

std::string job_message(const std::string& id = uuid, const std::string& config_more = "") {
  return R"({"event":"job","uuid":")" + id +
         R"(","spec":{"architecture":"x86_64","cpu":1,"memory":268435456,"disk":67108864},"config":{"registry":)"
         R"("http://r/","project":"p","digest":")" +
         Digest::of("x").str() + R"(","timeout":60,"cmd":["/bench"])" + config_more +
         R"(},"oci_token":"t","timeout":60,"created":"2025-01-01T00:00:00Z"})";
}

/// A runner on its own channel, and the server's side of it.
struct Own : World {
  explicit Own(std::string features = "") : World(Protocol::channel), server_features(std::move(features)) {
    state.options.os = "linux";
    state.options.arch = "x86_64";
    state.options.version = "0.6.12";
  }
  void open() { tell(ChannelOpened{server_features}); }
  void hear(const std::string& text) { tell(ChannelMessage{text}); }
  void lose(int code = 1006) { tell(ChannelClosed{.was_open = true, .code = code, .reason = {}}); }
  /// As far as a running program.
  void start() {
    open();
    hear(job_message());
    REQUIRE(find<Prepare>());
    ack();
    tell(Prepared{ImageConfig{}});
    REQUIRE(find<RunIteration>());
  }
  std::string logged() const {
    std::string out;
    for (const auto& action : actions)
      if (const auto* line = std::get_if<Log>(&action)) out += line->text + "\n";
    return out;
  }
  /// Lets the time pass until the channel is opened again; how long that was.
  milliseconds until_reopened() {
    const auto start = clock.now();
    REQUIRE(state.wake_at < Instant::max());
    pass(std::chrono::ceil<milliseconds>(state.wake_at - clock.now()));
    REQUIRE(find<OpenChannel>());
    CHECK(find<OpenChannel>()->job.empty());
    return std::chrono::duration_cast<milliseconds>(clock.now() - start);
  }

  std::string server_features;
};

constexpr const char* ours = "logs, resume";

}  // namespace

TEST_CASE("a server without an endpoint for claims is spoken to on the runner's own channel") {
  for (const int status : {404, 405}) {
    World world;
    REQUIRE(world.find<Claim>());
    world.tell(ClaimRefused{status, "no such path"});
    REQUIRE(world.find<OpenChannel>());
    CHECK(world.find<OpenChannel>()->job.empty());
    world.tell(ChannelOpened{});
    CHECK(world.sent() == Events{"ready"});
  }
  SUBCASE("a runner that is unknown is not such a server") {
    World world;
    world.tell(ClaimRefused{401, "no such runner"});
    CHECK(world.find<Exit>());
  }
  SUBCASE("nor is a server that had the endpoint before") {
    World world;
    world.tell(Claimed{std::optional<ClaimedJob>()});
    world.tell(ClaimRefused{404, "no"});
    CHECK(world.find<Exit>());
  }
  SUBCASE("and who asks for claims gets them only") {
    World world(Protocol::jobs);
    world.tell(ClaimRefused{404, "no"});
    CHECK(world.find<Exit>());
  }
  SUBCASE("where the channel is not there either, host, runner or key is wrong") {
    World world;
    world.tell(ClaimRefused{404, "no such path"});
    world.tell(ChannelClosed{.status = 404, .reason = "the server answered 404"});
    REQUIRE(world.find<Exit>());
    CHECK(world.find<Exit>()->code == 1);
  }
}

TEST_CASE("ready says how long to wait and who asks, and is said again when there is no job") {
  Own world;
  world.state.options.poll_timeout = seconds(55);
  CHECK_FALSE(world.find<Claim>());
  world.open();
  const auto ready =
      json::parse(R"({"event":"ready","poll_timeout":55,"runner":{"os":"linux","arch":"x86_64","version":"0.6.12"}})");
  CHECK(world.message() == ready);
  world.hear(R"({"event":"no_job"})");
  CHECK(world.message() == ready);
  CHECK(world.state.wake_at == world.clock.now() + seconds(85));
}

TEST_CASE("the machine does its job on its own channel in order, and asks for the next one on the same") {
  Own world;
  world.open();
  world.hear(job_message());
  CHECK(world.sent() == Events{"running"});
  CHECK(world.find<Prepare>());
  CHECK_FALSE(world.find<OpenChannel>());
  world.ack();
  world.tell(Prepared{ImageConfig{}});
  world.pass(seconds(1));
  CHECK(world.sent() == Events{"heartbeat"});
  world.tell(Output{false, "out"});
  CHECK(world.sent().empty());  // this server does not know logs
  world.tell(Ended{.files = {}});
  CHECK(world.sent() == Events{"completed"});
  CHECK(world.message().at("job").as_string() == uuid);
  CHECK(world.message().at("results").at(0).at("stdout").as_string() == "out");
  world.ack();  // of the heartbeat: not yet the result's
  CHECK(world.sent().empty());
  world.ack();
  CHECK(world.sent() == Events{"ready"});
  CHECK_FALSE(world.find<CloseChannel>());
  // Late acks are not the answer to `ready`.
  world.hear(std::string(R"({"event":"ack","job":")") + uuid + R"("})");
  CHECK(world.actions.empty());
  world.hear(job_message(other_uuid));
  CHECK(world.sent() == Events{"running"});
}

TEST_CASE("output goes live to a server that says that it takes it, and to no other") {
  for (const bool takes : {true, false}) {
    Own world(takes ? ours : "upload");
    world.start();
    world.tell(Output{false, "out"});
    CHECK(world.sent() == (takes ? Events{"log"} : Events{}));
    CHECK(world.state.work->log_bytes == 0);
  }
}

TEST_CASE("an answer to ready that does not come ends the channel") {
  Own world;
  world.open();
  world.pass(milliseconds(59'999));
  CHECK_FALSE(world.find<CloseChannel>());
  world.pass(milliseconds(1));
  CHECK(world.find<CloseChannel>());
  world.until_reopened();
}

TEST_CASE("the channel is opened again after 5 to 10 seconds, at random, after every kind of loss") {
  const auto delays = [](std::uint64_t seed) {
    Own world;
    world.state.random = seed;
    std::vector<milliseconds> out;
    for (int i = 0; i < 20; ++i) {
      if (i % 2)
        world.tell(ChannelClosed{.status = i % 4 == 1 ? 0 : 503, .reason = "no"});
      else {
        world.open();
        world.lose(i % 4 == 0 ? 1006 : 1001);
      }
      out.push_back(world.until_reopened());
      CHECK(out.back() >= seconds(5));
      CHECK(out.back() <= seconds(10));
    }
    return out;
  };
  CHECK(delays(1) == delays(1));
  CHECK(delays(1) != delays(2));
}

TEST_CASE("a server that hangs up as soon as the channel is open is given the reason that it has") {
  Own world;
  for (int i = 0; i < 3; ++i) {
    world.open();
    world.lose();
    CHECK((world.logged().find("--key") != std::string::npos) == (i > 0));
    world.until_reopened();
  }
}

TEST_CASE("an update that is offered is not taken, said once, and not offered again") {
  Own world;
  world.open();
  const std::string update = R"({"event":"update","version":"0.6.13","url":"https://x/runner","checksum":"00"})";
  world.hear(update);
  CHECK(world.logged().find("0.6.13") != std::string::npos);
  CHECK(world.sent() == Events{"ready"});
  CHECK_FALSE(world.message().as_object().contains("runner"));
  // Some servers hang up after an update.
  world.lose();
  world.until_reopened();
  world.open();
  CHECK(world.sent() == Events{"ready"});
  CHECK_FALSE(world.message().as_object().contains("runner"));
  world.hear(update);
  CHECK(world.logged().empty());
  world.hear(job_message());
  CHECK(world.find<Prepare>());
}

TEST_CASE("a result without an answer is sent again on the same channel, then on others, and at last dropped") {
  Own world;
  world.start();
  world.ack();
  world.tell(Ended{.files = {}});
  CHECK(world.sent() == Events{"completed"});
  int sends = 1;
  for (bool dropped = false; !dropped;) {
    world.pass(milliseconds(4999));
    CHECK(world.sent().empty());
    world.pass(milliseconds(1));
    sends += static_cast<int>(world.sent().size());
    if (world.logged().find("dropped") != std::string::npos) break;
    if (!world.find<CloseChannel>()) continue;
    world.pass(std::chrono::ceil<milliseconds>(world.state.wake_at - world.clock.now()));
    dropped = world.logged().find("dropped") != std::string::npos;
    if (dropped) break;
    REQUIRE(world.find<OpenChannel>());
    world.open();
    sends += static_cast<int>(world.sent().size());
    CHECK(world.sent() == Events{"completed"});
  }
  CHECK(sends == 6);
  CHECK_FALSE(world.state.work);
}

TEST_CASE("an ack of either copy of a result counts") {
  Own world;
  world.start();
  world.ack();
  world.tell(Ended{.files = {}});
  world.pass(seconds(5));
  CHECK(world.sent() == Events{"completed"});
  world.ack();
  CHECK(world.sent() == Events{"ready"});
  world.ack();
  CHECK(world.sent().empty());
}

TEST_CASE("a lost channel does not disturb the program: our server lets the job go on, others hear of its end") {
  SUBCASE("ours") {
    Own world(ours);
    world.start();
    world.tell(Output{false, "abc"});
    world.lose();
    CHECK_FALSE(world.find<CancelWork>());
    world.tell(Output{false, "def"});
    world.until_reopened();
    world.open();
    CHECK(world.sent() == Events{"running", "log", "log"});
    CHECK(world.message(2).at("offset").as_int64() == 3);
    world.pass(seconds(1));
    CHECK(world.sent() == Events{"heartbeat"});
  }
  SUBCASE("others") {
    Own world;
    world.start();
    world.lose();
    for (int i = 0; i < 100; ++i) {
      world.pass(seconds(1));
      CHECK_FALSE(world.find<OpenChannel>());
    }
    world.tell(Output{false, "def"});
    world.tell(Ended{.files = {}});
    REQUIRE(world.find<OpenChannel>());
    world.open();
    CHECK(world.sent() == Events{"completed"});
    world.ack();
    CHECK(world.sent() == Events{"ready"});
  }
  SUBCASE("a server that was replaced by one that cannot resume") {
    Own world(ours);
    world.start();
    world.tell(Output{false, std::string(64 * 1024, 'x')});
    world.lose();
    world.until_reopened();
    world.server_features = "";
    world.open();
    CHECK(world.sent().empty());
    world.pass(seconds(60));
    CHECK(world.sent().empty());
    CHECK_FALSE(world.state.hold_output());
    world.tell(Ended{.files = {}});
    CHECK(world.sent() == Events{"completed"});
  }
}

TEST_CASE("a result that waits for a server that is away is dropped in the end") {
  Own world;
  world.state.options.reconnects = 3;
  world.start();
  world.tell(Ended{.files = {}});
  world.lose();
  for (int i = 0; i < 3; ++i) {
    world.until_reopened();
    world.tell(ChannelClosed{.status = 0, .reason = "refused"});
  }
  REQUIRE(world.state.work);
  world.until_reopened();
  world.tell(ChannelClosed{.status = 0, .reason = "refused"});
  CHECK(world.logged().find("dropped") != std::string::npos);
  CHECK_FALSE(world.state.work);
  world.until_reopened();
}

TEST_CASE("a cancel is an answer or not; either way the end is told once and the next job asked for") {
  for (const bool pushed : {true, false}) {
    Own world(ours);
    world.start();
    world.ack();
    world.pass(seconds(1));
    world.cancel();
    CHECK(world.find<CancelWork>());
    // The server may be waiting again: no signs of life.
    world.pass(seconds(5));
    CHECK(world.sent().empty());
    world.tell(Ended{.exit_code = 137, .cancelled = true, .files = {}});
    CHECK(world.sent() == Events{"canceled"});
    world.ack();
    CHECK(world.sent() == Events{"ready"});
    if (pushed) world.ack();
    world.hear(R"({"event":"cancel"})");  // late
    CHECK(world.sent().empty());
    world.hear(R"({"event":"no_job"})");
    CHECK(world.sent() == Events{"ready"});
  }
}

TEST_CASE("a job that cannot be read is reported as failed, and the next one asked for") {
  Own world;
  world.open();
  world.hear(std::string(R"({"event":"job","uuid":")") + uuid + R"(","spec":{}})");
  CHECK(world.sent() == Events{"failed", "ready"});
  CHECK(world.message().at("job").as_string() == uuid);
  CHECK(world.message().at("error").as_string().find("config") != std::string::npos);
  world.ack();
  world.hear(job_message());
  CHECK(world.find<Prepare>());
}

TEST_CASE("messages that make no sense, at any time, change nothing") {
  for (const char* text : {"", "{", "[]", "null", R"({"event":1})", R"({"event":"nope"})", R"({"event":"ready"})"}) {
    Own world;
    world.open();
    world.hear(text);
    CHECK(world.sent().empty());
    world.hear(job_message());
    world.hear(text);
    world.hear(job_message(other_uuid));
    CHECK(world.state.work->job.uuid == uuid);
    CHECK(world.sent().empty());
  }
}

TEST_CASE("an idle runner on its own channel stops at once, a working one after its job, twice asked at once") {
  SUBCASE("waiting for a job") {
    Own world;
    world.open();
    world.tell(Shutdown{});
    CHECK(world.find<CloseChannel>());
    REQUIRE(world.find<Exit>());
    CHECK(world.find<Exit>()->code == 0);
  }
  SUBCASE("waiting to connect") {
    Own world;
    world.tell(ChannelClosed{.status = 0, .reason = "refused"});
    world.tell(Shutdown{});
    CHECK(world.find<Exit>());
  }
  SUBCASE("working") {
    Own world;
    world.start();
    world.tell(Shutdown{});
    CHECK_FALSE(world.find<CancelWork>());
    world.ack();
    world.tell(Ended{.files = {}});
    CHECK(world.sent() == Events{"completed"});
    world.ack();
    REQUIRE(world.find<Exit>());
    CHECK(world.find<Exit>()->code == 0);
    CHECK(world.sent().empty());
  }
  SUBCASE("twice") {
    Own world;
    world.start();
    world.tell(Shutdown{});
    world.tell(Shutdown{});
    CHECK(world.find<CancelWork>());
    world.ack();
    world.tell(Ended{.exit_code = 137, .cancelled = true, .files = {}});
    CHECK(world.sent() == Events{"failed"});
    world.ack();
    CHECK(world.find<Exit>());
  }
}

namespace {

/// Plays the server's side of a recorded conversation to the machine, as far as the runner of the recording did what
/// ours does; what ours does, too, is looked for in what it sent.
class Replay {
 public:
  explicit Replay(Own& world) : world_(world) {}

  void run(const std::string& name) {
    std::istringstream lines(test_data(name));
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      const auto entry = json::parse(line).as_object();
      if (entry.at("from") == "runner")
        runner_did(entry);
      else
        server_did(entry);
    }
  }

 private:
  static std::string test_data(const std::string& name) {
    return bencher::test::read_data("channel/" + name + ".jsonl");
  }

  void tell(Event event) {
    world_.tell(std::move(event));
    for (const auto& what : world_.sent())
      sent_.push_back(what);
  }
  /// Ours sent it; once for each time.
  void expect(const std::string& event) {
    const auto found = std::find(sent_.begin(), sent_.end(), event);
    CAPTURE(event);
    REQUIRE(found != sent_.end());
    sent_.erase(found);
  }

  void runner_did(const json::object& entry) {
    if (const auto* note = entry.if_contains("note"); note && note->as_string() == "connection lost")
      tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
    const auto* frame = entry.if_contains("frame");
    if (!frame) return;
    const std::string event(frame->at("event").as_string());
    if (world_.state.link.state != AgentState::Link::State::open) {
      tell(ChannelOpened{});
      if (!world_.state.work) REQUIRE(!sent_.empty());
    }
    if (event == "heartbeat") {
      world_.clock.advance(seconds(1));
      tell(Tick{});
    } else if (event == "completed" || event == "failed") {
      finish(*frame);
    } else if (event == "canceled") {
      tell(Ended{.exit_code = 137, .cancelled = true, .files = {}});
    }
    // It may have asked for the next job before it had its answer; ours does not.
    if (event != "ready") expect(event);
  }

  /// The program does what was reported of it.
  void finish(const json::value& report) {
    const auto& results = report.at("results").as_array();
    const bool failed = report.at("event").as_string() == "failed";
    if (failed && results.empty()) {
      tell(Prepared{Error(Errc::not_found, std::string(report.at("error").as_string()))});
      return;
    }
    if (world_.state.work->image.cmd.empty() && world_.state.work->iteration == 0) {
      ImageConfig image;
      image.cmd = {"/bench"};
      tell(Prepared{image});
    }
    for (const auto& result : results) {
      if (const auto* text = result.as_object().if_contains("stdout"))
        tell(Output{false, std::string(text->as_string())});
      std::map<std::string, std::string> files;
      if (const auto* output = result.as_object().if_contains("output"))
        for (const auto& file : output->as_object())
          files[std::string(file.key())] = std::string(file.value().as_string());
      tell(Ended{.exit_code = static_cast<int>(result.at("exit_code").as_int64()), .files = std::move(files)});
    }
  }

  void server_did(const json::object& entry) {
    if (const auto* frame = entry.if_contains("frame")) {
      const auto event = frame->at("event").as_string();
      if (event == "job" || event == "no_job") expect("ready");
      // What ours says beyond the recorded runner has its answers, too.
      while (event == "ack" && !world_.outstanding.empty() && world_.outstanding.front()) {
        world_.outstanding.pop_front();
        tell(ChannelMessage{R"({"event":"ack"})"});
      }
      if (event == "ack" && !world_.outstanding.empty()) world_.outstanding.pop_front();
      tell(ChannelMessage{json::serialize(*frame)});
      if (event == "job") REQUIRE(world_.find<Prepare>());
      if (event == "cancel") REQUIRE(world_.find<CancelWork>());
    } else if (const auto* code = entry.if_contains("close")) {
      tell(ChannelClosed{.was_open = true, .code = static_cast<int>(code->as_int64()), .reason = {}});
    } else if (const auto* note = entry.if_contains("note");
               note && note->as_string().starts_with("connection dropped")) {
      if (world_.state.link.state == AgentState::Link::State::opening) tell(ChannelOpened{});
      tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
    }
  }

  Own& world_;
  Events sent_;
};

}  // namespace

TEST_CASE("what servers of Bencher 0.6.12 were heard to say leaves the runner waiting for the next job") {
  for (const char* name : {"real_runner", "no_job", "runner_without_specs", "ready_old_version", "over_time",
                           "two_connections_1", "tier_limits_2", "job_unparsable", "executing_ping_binary"}) {
    CAPTURE(name);
    Own world;
    Replay(world).run(name);
    CHECK_FALSE(world.state.work);
    CHECK(world.state.phase == AgentState::Phase::claiming);
    CHECK_FALSE(world.find<Exit>());
  }
}

TEST_CASE("a server that drops an idle runner, or stops, is connected to again") {
  for (const char* name : {"idle_silence", "archived_runner", "shutdown_idle", "sigint_idle", "ready_poll_zero"}) {
    CAPTURE(name);
    Own world;
    Replay(world).run(name);
    CHECK(world.state.phase == AgentState::Phase::waiting);
    world.until_reopened();
  }
}

TEST_CASE("a server that drops a working runner, or stops, hears of the job's end when it is back") {
  for (const char* name :
       {"reconnect_1", "restart_claimed", "restart_running", "shutdown_executing", "silence", "silence_over_time"}) {
    CAPTURE(name);
    Own world;
    Replay(world).run(name);
    CHECK_FALSE(world.find<CancelWork>());
    CHECK(world.state.wake_at == Instant::max());
    ImageConfig image;
    image.cmd = {"/bench"};
    world.tell(Prepared{image});
    world.tell(Ended{.files = {}});
    REQUIRE(world.find<OpenChannel>());
    world.tell(ChannelOpened{});
    CHECK(world.sent() == Events{"completed"});
    world.ack();
    CHECK(world.sent() == Events{"ready"});
  }
}
