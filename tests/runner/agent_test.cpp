#include "bencher/runner/agent.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "tests/runner/agent_world.hpp"

using namespace bencher;
using namespace bencher::runner;
using namespace bencher::runner::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("the agent begins to poll, says so, and polls again when there is no job") {
  World world;
  REQUIRE(world.find<Claim>());
  CHECK(world.find<Claim>()->poll_timeout == seconds(30));
  REQUIRE(world.find<Log>());
  CHECK(world.find<Log>()->text == "Polling for jobs");
  world.tell(Claimed{std::optional<ClaimedJob>()});
  CHECK(world.find<Claim>());
}

TEST_CASE("a job goes from claim to delivery in order") {
  World world;
  world.claim();
  REQUIRE(world.find<OpenChannel>());
  CHECK(world.find<OpenChannel>()->job == uuid);
  CHECK(world.find<Prepare>());
  world.tell(ChannelOpened{});
  CHECK(world.sent() == Events{"running"});
  world.ack();
  world.tell(Prepared{ImageConfig{}});
  REQUIRE(world.find<RunIteration>());
  CHECK(world.find<RunIteration>()->command == std::vector<std::string>{"/bench"});
  CHECK(world.find<RunIteration>()->working_dir == "/");
  CHECK(world.find<RunIteration>()->last);
  CHECK(world.stages() == Events{"pulled"});
  world.tell(ProgramStarted{});
  CHECK(world.stages() == Events{"booted"});
  world.tell(Output{false, "one\n"});
  CHECK(world.sent() == Events{"log"});
  CHECK(world.message().at("data").as_string() == "one\n");
  CHECK(world.message().at("offset").as_int64() == 0);
  world.tell(Output{true, "err"});
  world.tell(Output{false, "two"});
  CHECK(world.message().at("offset").as_int64() == 4);
  world.tell(Ended{.files = {{"/o", "f"}}});
  CHECK(world.stages() == Events{"ran"});
  CHECK(world.sent() == Events{"completed"});
  CHECK(world.message().at("results").as_array().at(0).at("stdout").as_string() == "one\ntwo");
  CHECK(world.message().at("results").as_array().at(0).at("stderr").as_string() == "err");
  CHECK(world.message().at("results").as_array().at(0).at("output").at("/o").as_string() == "f");
  CHECK(world.find<CleanUp>());
  for (int i = 0; i < 3; ++i) {
    world.ack();
    CHECK_FALSE(world.find<Claim>());
  }
  world.ack();
  CHECK(world.find<Claim>());
  CHECK(world.find<CloseChannel>());
}

TEST_CASE("what the machine is like is told once, in a heartbeat, before the program's end") {
  World world;
  world.claim();
  world.tell(Prepared{ImageConfig{}, R"({"noise":{"cv_percent":3}})"});
  CHECK(world.sent().empty());
  world.tell(ChannelOpened{});
  CHECK(world.sent() == Events{"running", "heartbeat"});
  CHECK(world.message(1).at("job") == uuid);
  CHECK(world.message(1).at("host").at("noise").at("cv_percent") == 3);
  world.ack();
  world.ack();
  world.clock.advance(seconds(1));
  world.tell(Tick{});
  CHECK(world.sent() == Events{"heartbeat"});
  CHECK_FALSE(world.message().as_object().contains("host"));
}

TEST_CASE("heartbeats come every second, from the claim to the end") {
  World world;
  world.claim();
  world.tell(ChannelOpened{});
  world.ack();
  CHECK(world.state.wake_at == world.clock.now() + seconds(1));
  for (int i = 0; i < 3; ++i) {
    world.pass(milliseconds(999));
    CHECK(world.sent().empty());
    world.pass(milliseconds(1));
    CHECK(world.sent() == Events{"heartbeat"});
    world.ack();
  }
}

TEST_CASE("each situation is reported as it should be") {
  const auto report = [](ClaimedJob job, const std::vector<Ended>& ends) {
    World world;
    world.start(std::move(job));
    for (const auto& end : ends)
      world.tell(end);
    return world.message();
  };
  SUBCASE("a failed iteration ends the job, and is among the results") {
    const auto m = report(make_job(3), {Ended{.files = {}}, Ended{.exit_code = 2, .files = {}}});
    CHECK(m.at("event").as_string() == "failed");
    CHECK(m.at("results").as_array().size() == 2);
    CHECK(m.at("results").as_array().at(1).at("exit_code").as_int64() == 2);
    CHECK(m.at("error").as_string() == "iteration 2: the benchmark ended with exit code 2");
  }
  SUBCASE("failures that are allowed go on") {
    const auto m = report(make_job(3, true), {Ended{.files = {}}, Ended{.exit_code = 2, .files = {}},
                                              Ended{.exit_code = 9, .timed_out = true, .files = {}}});
    CHECK(m.at("event").as_string() == "completed");
    CHECK(m.at("results").as_array().at(1).at("exit_code").as_int64() == 2);
    CHECK(m.at("results").as_array().at(2).at("exit_code").as_int64() == 124);
  }
  SUBCASE("a timeout is 124, with what there was") {
    const auto m = report(make_job(), {Ended{.exit_code = 137, .timed_out = true, .files = {}}});
    CHECK(m.at("event").as_string() == "failed");
    CHECK(m.at("results").as_array().at(0).at("exit_code").as_int64() == 124);
    CHECK(m.at("error").as_string() == "timed out after 60 s");
  }
  SUBCASE("signals, missing programs and memory are named") {
    CHECK(report(make_job(), {Ended{.exit_code = 139, .files = {}}}).at("error").as_string() ==
          "the benchmark ended with exit code 139 (signal 11)");
    CHECK(report(make_job(), {Ended{.exit_code = 127, .files = {}}}).at("error").as_string() ==
          "the benchmark ended with exit code 127 (program not found)");
    CHECK(report(make_job(), {Ended{.exit_code = 137, .oom_kills = 1, .files = {}}}).at("error").as_string() ==
          "the benchmark ended with exit code 137 (out of memory)");
  }
}

TEST_CASE("an image that cannot be pulled or a sandbox that fails is a failed job without results") {
  World world;
  world.claim();
  world.tell(ChannelOpened{});
  world.ack();
  world.tell(Prepared{Error(Errc::not_found, "cannot pull the image: gone")});
  CHECK(world.sent() == Events{"failed"});
  CHECK(world.message().at("error").as_string() == "cannot pull the image: gone");
  CHECK(world.message().at("results").as_array().empty());
  World other;
  other.start();
  other.tell(RunFailed{Error(Errc::too_large, "too many files")});
  CHECK(other.message().at("error").as_string() == "too many files");
}

TEST_CASE("no iterations complete without a run, and no command fails") {
  World world;
  world.claim(make_job(0));
  world.tell(ChannelOpened{});
  world.ack();
  world.tell(Prepared{ImageConfig{}});
  CHECK_FALSE(world.find<RunIteration>());
  CHECK(world.sent() == Events{"completed"});

  World none;
  auto job = make_job();
  job.entrypoint.reset();
  none.claim(job);
  none.tell(ChannelOpened{});
  none.tell(Prepared{ImageConfig{}});
  CHECK(none.message().at("error").as_string().find("no command") != std::string::npos);
}

TEST_CASE("a cancel ends the work and is reported as such, asked for or pushed") {
  World world;
  world.start();
  world.pass(seconds(1));
  world.cancel();
  CHECK(world.find<CancelWork>());
  world.cancel();
  CHECK_FALSE(world.find<CancelWork>());
  world.tell(Ended{.exit_code = 137, .cancelled = true, .files = {}});
  CHECK(world.sent() == Events{"canceled"});
  // The cancel stood for an answer, so one is missing; the close tells all the same.
  world.ack();
  CHECK_FALSE(world.find<Claim>());
  world.tell(ChannelClosed{.was_open = true, .code = 1000, .reason = "job_canceled_by_runner"});
  CHECK(world.find<Claim>());
}

TEST_CASE("a cancel while the image is pulled ends the pull") {
  World world;
  world.claim();
  world.tell(ChannelOpened{});
  world.cancel();
  CHECK(world.find<CancelWork>());
  world.tell(Prepared{Error(Errc::cancelled, "cancelled")});
  CHECK(world.sent() == Events{"canceled"});
}

TEST_CASE("a lost channel does not disturb the program, and what was not acknowledged is sent again") {
  World world;
  world.start();
  world.tell(Output{false, "abc"});
  world.tell(Output{false, "def"});
  world.ack();  // of the first
  world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = "reset"});
  CHECK_FALSE(world.find<CancelWork>());
  world.tell(Output{false, "ghi"});
  CHECK(world.sent().empty());
  world.pass(seconds(1));
  CHECK(world.find<OpenChannel>());
  world.tell(ChannelOpened{});
  CHECK(world.sent() == Events{"running", "log", "log"});
  CHECK(world.message(1).at("data").as_string() == "def");
  CHECK(world.message(1).at("offset").as_int64() == 3);
  CHECK(world.message(2).at("offset").as_int64() == 6);
  world.tell(Ended{.files = {}});
  CHECK(world.message().at("results").as_array().at(0).at("stdout").as_string() == "abcdefghi");
}

TEST_CASE("an undelivered result is sent again after a reconnect, and at last dropped") {
  World world;
  world.state.options.resends = 2;
  world.start();
  world.tell(Ended{.files = {}});
  CHECK(world.sent() == Events{"completed"});
  for (int i = 0; i < 2; ++i) {
    world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
    CHECK_FALSE(world.find<Claim>());
    world.pass(seconds(30));
    world.tell(ChannelOpened{});
    CHECK(world.sent() == Events{"running", "completed"});
    world.ack();
  }
  world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
  world.pass(seconds(30));
  CHECK(world.find<Claim>());
  REQUIRE(world.find<Log>());
  CHECK(world.find<Log>()->text.find("dropped") != std::string::npos);
}

TEST_CASE("a server that does not answer is left, and the channel opened again") {
  World world;
  world.start();
  world.ack();
  world.pass(seconds(1));
  CHECK(world.sent() == Events{"heartbeat"});
  for (int i = 0; i < 29; ++i)
    world.pass(seconds(1));
  CHECK_FALSE(world.find<CloseChannel>());
  world.pass(seconds(1));
  CHECK(world.find<CloseChannel>());
  world.pass(seconds(1));
  CHECK(world.find<OpenChannel>());

  World delivering;
  delivering.start();
  delivering.tell(Ended{.files = {}});
  delivering.pass(milliseconds(9'999));
  CHECK_FALSE(delivering.find<CloseChannel>());
  delivering.pass(milliseconds(1));
  CHECK(delivering.find<CloseChannel>());
}

TEST_CASE("logs wait for acknowledgements and hold the program up when too many wait") {
  World world;
  world.start();
  for (int i = 0; i < 40; ++i)
    world.tell(Output{false, std::string(64 * 1024, 'x')});
  CHECK(world.state.work->sent_logs.size() == 16);
  CHECK(world.state.hold_output());
  world.ack();
  CHECK(world.sent() == Events{"log"});
  for (int i = 0; i < 39; ++i)
    world.ack();
  CHECK_FALSE(world.state.hold_output());
  CHECK(world.state.work->sent_logs.empty());
}

TEST_CASE("without a channel the program is not held up: the oldest logs go, and their offsets tell") {
  World world;
  world.start();
  world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
  for (int i = 0; i < 40; ++i)
    world.tell(Output{false, std::string(64 * 1024, 'x')});
  CHECK_FALSE(world.state.hold_output());
  CHECK(world.state.work->log_bytes <= world.state.options.log_backlog);
  world.pass(seconds(1));
  world.tell(ChannelOpened{});
  CHECK(world.message(1).at("offset").as_int64() == 24 * 64 * 1024);
}

TEST_CASE("more output than can be sent in the end is not kept") {
  World world;
  world.start();
  for (int i = 0; i < 200; ++i)
    world.tell(Output{false, std::string(64 * 1024, '\n')});
  CHECK(world.state.work->current.standard_output.size() < 4u << 20);
  for (int i = 0; i < 250; ++i)
    world.ack();
  world.tell(Ended{.files = {}});
  REQUIRE(world.find<Send>());
  CHECK(world.find<Send>()->text.size() < 4u << 20);
  CHECK(world.message().at("results").as_array().at(0).at("stdout").as_string().find("cut here") != std::string::npos);
}

TEST_CASE("where a WebSocket is impossible, plain requests take its place") {
  World world;
  world.claim();
  world.tell(ChannelClosed{.was_open = false, .status = 400, .reason = "no upgrade"});
  REQUIRE(world.find<Patch>());
  CHECK(world.find<Patch>()->body == R"({"status":"running"})");
  world.tell(PatchAnswered{200, R"({"status":"running"})"});
  world.pass(seconds(10));
  CHECK(world.find<Patch>());
  world.tell(PatchAnswered{200, R"({"status":"running"})"});
  world.tell(Prepared{ImageConfig{}});
  world.tell(Output{false, "out"});
  world.tell(Ended{.files = {}});
  REQUIRE(world.find<Patch>());
  CHECK(world.find<Patch>()->body == R"({"status":"completed","results":[{"exit_code":0,"stdout":"out"}]})");
  world.tell(PatchAnswered{200, R"({"status":"processed"})"});
  CHECK(world.find<Claim>());
}

TEST_CASE("without an upgrade a quick job still says that it ran first") {
  World world;
  world.claim(make_job(0));
  world.tell(Prepared{ImageConfig{}});
  world.tell(ChannelClosed{.was_open = false, .status = 501, .reason = {}});
  REQUIRE(world.find<Patch>());
  CHECK(world.find<Patch>()->body == R"({"status":"running"})");
  world.tell(PatchAnswered{200, R"({"status":"running"})"});
  REQUIRE(world.find<Patch>());
  CHECK(world.find<Patch>()->body == R"({"status":"completed","results":[]})");
}

TEST_CASE("a canceled job is learnt of by plain requests, too") {
  World world;
  world.claim();
  world.tell(ChannelClosed{.was_open = false, .status = 400, .reason = {}});
  world.tell(PatchAnswered{200, R"({"status":"canceled"})"});
  CHECK(world.find<CancelWork>());
  CHECK_FALSE(world.find<Claim>());
  world.tell(Prepared{Error(Errc::cancelled, "cancelled")});
  CHECK(world.find<Claim>());
}

TEST_CASE("a result that no request delivers is dropped in the end") {
  World world;
  world.claim();
  world.tell(ChannelClosed{.was_open = false, .status = 400, .reason = {}});
  world.tell(Prepared{Error(Errc::not_found, "gone")});
  int attempts = 1;
  for (; attempts < 100 && !world.find<Claim>(); ++attempts) {
    world.tell(PatchAnswered{0, "no connection"});
    if (!world.find<Claim>()) world.pass(seconds(31));
  }
  CHECK(attempts > 5);
  CHECK(attempts < 20);
}

TEST_CASE("channels that end as soon as they are opened are not tried for ever") {
  World world;
  world.claim();
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(world.find<Patch>());
    world.tell(ChannelOpened{});
    world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
    if (i < 2) world.pass(seconds(30));
  }
  CHECK(world.find<Patch>());
}

TEST_CASE(
    "a result that was told to a lost channel is not taken for delivered when a plain request tells of the start") {
  World world;
  world.claim();
  world.tell(ChannelOpened{});
  world.tell(Prepared{ImageConfig{}});
  world.tell(Ended{});
  CHECK(world.sent() == Events{"completed"});
  for (int i = 0; i < 2; ++i) {
    world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
    world.pass(seconds(30));
    world.tell(ChannelOpened{});
  }
  world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
  REQUIRE(world.find<Patch>());
  CHECK(world.find<Patch>()->body == patch_running());
  world.tell(PatchAnswered{200, R"({"status":"running"})"});
  REQUIRE(world.find<Patch>());
  CHECK(world.find<Patch>()->body.find("completed") != std::string::npos);
  world.tell(PatchAnswered{200, R"({"status":"processed"})"});
  CHECK(world.find<Claim>());
}

TEST_CASE("a job that the server does not want any more is given up") {
  for (const int status : {401, 403, 404, 409}) {
    World world;
    world.start();
    world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
    world.pass(seconds(1));
    world.tell(ChannelClosed{.was_open = false, .status = status, .reason = {}});
    CHECK(world.find<CancelWork>());
    world.tell(Ended{.cancelled = true, .files = {}});
    CHECK(world.find<Claim>());
  }
}

TEST_CASE("refused claims are told apart") {
  for (const int status : {400, 401, 403, 404}) {
    World world(Protocol::jobs);
    world.tell(ClaimRefused{status, "no"});
    REQUIRE(world.find<Exit>());
    CHECK(world.find<Exit>()->code == 1);
  }
  World world;
  for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
    world.tell(ClaimRefused{0, "no connection"});
    CHECK(world.state.wake_at == world.clock.now() + seconds(wait));
    world.pass(seconds(wait));
    CHECK(world.find<Claim>());
  }
  world.tell(ClaimRefused{409, "locked"});
  CHECK(world.state.wake_at == world.clock.now() + seconds(30));
}

TEST_CASE("a malformed job does not stop the runner") {
  World world;
  world.tell(Claimed{Error(Errc::invalid_argument, "bad")});
  CHECK_FALSE(world.find<Exit>());
  world.pass(seconds(1));
  CHECK(world.find<Claim>());
}

TEST_CASE("an idle runner stops at once, a working one after its job") {
  World idle;
  idle.tell(Shutdown{});
  CHECK(idle.find<CancelClaim>());
  idle.tell(ClaimRefused{0, "cancelled"});
  REQUIRE(idle.find<Exit>());
  CHECK(idle.find<Exit>()->code == 0);

  World working;
  working.start();
  working.tell(Shutdown{});
  CHECK_FALSE(working.find<CancelWork>());
  working.tell(Ended{.files = {}});
  CHECK(working.sent() == Events{"completed"});
  working.ack();
  REQUIRE(working.find<Exit>());
  CHECK(working.find<Exit>()->code == 0);
}

TEST_CASE("a second stop ends the work and reports it") {
  World world;
  world.start();
  world.tell(Shutdown{});
  world.tell(Shutdown{});
  CHECK(world.find<CancelWork>());
  world.tell(Ended{.exit_code = 137, .cancelled = true, .files = {}});
  CHECK(world.sent() == Events{"failed"});
  CHECK(world.message().at("error").as_string().find("stopped") != std::string::npos);
  world.ack();
  CHECK(world.find<Exit>());
}

TEST_CASE("a job that is claimed while the runner stops is reported") {
  World world;
  world.tell(Shutdown{});
  world.claim();
  CHECK_FALSE(world.find<Prepare>());
  world.tell(ChannelOpened{});
  CHECK(world.sent() == Events{"running", "failed"});
  world.ack();
  world.ack();
  CHECK(world.find<Exit>());
}

TEST_CASE("iterations restart the offsets of the log") {
  World world;
  world.start(make_job(2));
  world.tell(Output{false, "first"});
  world.tell(Ended{.files = {}});
  REQUIRE(world.find<RunIteration>());
  CHECK(world.find<RunIteration>()->iteration == 1);
  world.tell(Output{false, "second"});
  CHECK(world.message().at("iteration").as_int64() == 1);
  CHECK(world.message().at("offset").as_int64() == 0);
}

TEST_CASE("stages are told once, when they are reached; after a reconnect, what was missed") {
  World world;
  world.start(make_job(3));
  world.tell(ProgramStarted{});
  CHECK(world.stages() == Events{"booted"});
  world.tell(Ended{.files = {}});
  CHECK(world.stages().empty());
  world.tell(ProgramStarted{});
  CHECK(world.stages().empty());
  world.tell(ChannelClosed{.was_open = true, .code = 1006, .reason = {}});
  world.tell(Ended{.exit_code = 1, .files = {}});
  CHECK(world.stages().empty());
  world.pass(seconds(1));
  world.tell(ChannelOpened{});
  CHECK(world.stages() == Events{"ran"});
  CHECK(world.sent() == Events{"running", "failed"});

  World plain;
  plain.claim();
  plain.tell(ChannelClosed{.was_open = false, .status = 400, .reason = {}});
  plain.tell(PatchAnswered{200, R"({"status":"running"})"});
  plain.tell(Prepared{ImageConfig{}});
  CHECK_FALSE(plain.find<Patch>());
}

namespace {

constexpr const char* takes_uploads = "logs, resume, upload";

/// A job whose output is over what a message holds has ended.
void end_large(World& world) {
  world.claim();
  world.tell(ChannelOpened{takes_uploads});
  world.ack();
  world.tell(Prepared{ImageConfig{}});
  for (int i = 0; i < 70; ++i) {
    world.tell(Output{false, std::string(64 * 1024, 'x')});
    while (!world.state.work->sent_logs.empty())
      world.ack();
  }
  world.tell(Ended{.files = {{"/o", "f"}}});
}

}  // namespace

TEST_CASE("results over a message's limit are uploaded, and the terminal message says so") {
  World world;
  end_large(world);
  REQUIRE(world.find<KeepResult>());
  CHECK(world.find<KeepResult>()->files.at("/o") == "f");
  REQUIRE(world.find<UploadResults>());
  CHECK(world.find<UploadResults>()->job == uuid);
  CHECK(world.sent().empty());
  // The job lives as long as the upload takes.
  world.pass(seconds(1));
  CHECK(world.sent() == Events{"heartbeat"});
  world.tell(Uploaded{204, ""});
  CHECK(world.message() ==
        boost::json::parse(R"({"event":"completed","job":"550e8400-e29b-41d4-a716-446655440000","uploaded":true})"));
  SUBCASE("a server that restarted gets them again") {
    world.tell(ChannelClosed{.was_open = true, .code = 1001, .reason = {}});
    world.pass(seconds(1));
    world.tell(ChannelOpened{takes_uploads});
    CHECK(world.find<UploadResults>());
    world.tell(Uploaded{204, ""});
    CHECK(world.message().as_object().contains("uploaded"));
  }
  SUBCASE("then they are forgotten") {
    world.ack();
    world.ack();
    CHECK(world.find<ForgetResults>());
  }
}

TEST_CASE("an upload that fails is tried again; one that is refused leaves the results cut") {
  for (const int status : {413, 404, 405, 409}) {
    World world;
    end_large(world);
    world.tell(Uploaded{status, "no"});
    CHECK_FALSE(world.find<UploadResults>());
    CHECK(world.message().at("results").at(0).at("stdout").as_string().find("cut here") != std::string::npos);
  }
  World world;
  end_large(world);
  for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
    world.tell(Uploaded{wait == 4 ? 503 : 0, "lost"});
    CHECK_FALSE(world.find<UploadResults>());
    for (int i = 0; i < wait; ++i) {
      CHECK_FALSE(world.find<UploadResults>());
      world.pass(seconds(1));
      world.ack();
    }
    CHECK(world.state.work->upload == AgentState::Work::Upload::running);
  }
  world.tell(Uploaded{0, "lost"});
  CHECK(world.message().as_object().contains("results"));
}

TEST_CASE("a result that is too large for this server's messages is uploaded, too") {
  World world;
  world.claim();
  world.tell(ChannelOpened{takes_uploads});
  world.tell(Prepared{ImageConfig{}});
  world.tell(Ended{.files = {}});
  CHECK(world.sent() == Events{"completed"});
  world.tell(ChannelClosed{.was_open = true, .code = 1009, .reason = {}});
  world.pass(seconds(1));
  world.tell(ChannelOpened{takes_uploads});
  CHECK(world.find<UploadResults>());
}

TEST_CASE("nothing is uploaded that a message holds, that was canceled, or that the server does not take") {
  World small;
  small.claim();
  small.tell(ChannelOpened{takes_uploads});
  small.tell(Prepared{ImageConfig{}});
  small.tell(Ended{.files = {}});
  CHECK_FALSE(small.find<UploadResults>());

  World impatient;
  end_large(impatient);
  impatient.tell(Shutdown{});
  CHECK_FALSE(impatient.find<CancelUpload>());
  impatient.tell(Shutdown{});
  CHECK(impatient.find<CancelUpload>());
  CHECK(impatient.message().as_object().contains("results"));
}
