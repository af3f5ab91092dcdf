#include "apps/runner/runner.hpp"

#include <condition_variable>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "tests/support/image.hpp"
#include "tests/support/peer.hpp"

namespace json = boost::json;
using namespace bencher;
using namespace bencher::runner;
using namespace bencher::test;

namespace {

constexpr const char* uuid = "550e8400-e29b-41d4-a716-446655440000";

class Lines final : public Logger {
 public:
  void log(LogLevel, std::string_view event, std::initializer_list<Field>) override {
    std::lock_guard lock(mutex_);
    text_ += std::string(event) + "\n";
  }
  std::string text() {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

/// A server with one job, a registry with its image, and a runner.
class World {
 public:
  explicit World(const std::string& script, const std::string& config_more = "", const std::string& sandbox = "process")
      : layout_(dir_ / "layout") {
    Tar tar;
    tar.folder("bin").file("bin/busybox", read_file("/bin/busybox"), 0755);
    for (const char* applet : {"sh", "sleep", "cat", "head"})
      tar.link(std::string("bin/") + applet, "busybox");
    const auto digest =
        layout_.image({tar.str()}, R"("Entrypoint":["/bin/sh","-c"],"Cmd":[)" + json::serialize(script) + "]");
    peer.on_request = [this](const Request& request) { return answer(request); };
    peer.on_channel = [this](const Request&, Channel& channel) {
      ++channels;
      obey(channel);
    };
    job_ = std::string(R"({"uuid":")") + uuid +
           R"(","spec":{"architecture":"x86_64","sandbox":null,"cpu":1,"memory":268435456,"disk":67108864},)"
           R"("config":{"registry":")" +
           peer.url("/") + R"(","project":"p","digest":")" + digest.str() + R"(","timeout":60)" + config_more +
           R"(},"oci_token":"pull","timeout":60})";
    options = {.host = peer.url("/"),
               .runner = "r",
               .key = "secret-key",
               .sandbox = sandbox,
               .sandbox_options = {.work_dir = {}, .cache_dir = dir_ / "cache"},
               .work_dir = dir_ / "work",
               .agent = {}};
    options.agent.os = "linux";
  }
  ~World() {
    peer.stop();
    CHECK(std::filesystem::is_empty(dir_ / "work/runs"));
  }

  /// Runs until the job was delivered, which the server takes for a reason to stop the runner.
  int run() {
    peer.start();
    Runner runner(options, lines);
    {
      std::lock_guard lock(mutex_);
      runner_ = &runner;
    }
    const int code = runner.run();
    std::lock_guard lock(mutex_);
    runner_ = nullptr;
    return code;
  }
  void stop_runner() {
    std::lock_guard lock(mutex_);
    if (runner_) runner_->shutdown();
  }

  void keep(const json::value& message) {
    std::lock_guard lock(mutex_);
    messages.push_back(message);
  }
  /// The job as it is given on a runner's own channel.
  std::string given() const { return R"({"event":"job",)" + job_.substr(1); }
  std::vector<json::value> of(const std::string& event) {
    std::lock_guard lock(mutex_);
    std::vector<json::value> out;
    for (const auto& message : messages)
      if (message.at("event").as_string() == event) out.push_back(message);
    return out;
  }
  /// The text of a stream, put together by its offsets.
  std::string log_of(const std::string& stream) {
    std::string out;
    for (const auto& message : of("log")) {
      if (message.at("stream").as_string() != stream) continue;
      const auto offset = static_cast<std::size_t>(message.at("offset").as_int64());
      out.resize(std::min(out.size(), offset));
      CHECK(out.size() == offset);
      out += message.at("data").as_string();
    }
    return out;
  }

  /// What the server does with a message; true ends the channel.
  std::function<bool(Channel&, const json::value&)> on_message = [](Channel&, const json::value&) { return false; };
  std::function<Response(const Request&)> on_patch;
  Peer peer;
  RunnerOptions options;
  Lines lines;
  std::vector<json::value> messages;
  std::vector<std::string> patches;
  std::atomic<int> channels{0}, claims{0};

 private:
  Response answer(const Request& request) {
    const std::string target(request.target());
    if (target.starts_with("/v2/p/")) {
      if (request["authorization"] != "Bearer pull") return Peer::answer(401);
      const auto digest = Digest::parse(target.substr(target.find("sha256:")));
      return Peer::answer(200, read_file(layout_.blob_path(*digest)));
    }
    if (request["authorization"] != "Bearer secret-key") return Peer::answer(401, "{}");
    if (request.method() == beast::http::verb::post && target == "/v0/runners/r/jobs") {
      if (++claims == 1) return Peer::answer(200, job_);
      stop_runner();
      return Peer::answer(200, "null");
    }
    if (request.method() == beast::http::verb::patch && on_patch) {
      {
        std::lock_guard lock(mutex_);
        patches.push_back(request.body());
      }
      return on_patch(request);
    }
    return Peer::answer(404);
  }

  void obey(Channel& channel) {
    for (std::string text; !(text = channel.read()).empty();) {
      const auto message = json::parse(text);
      {
        std::lock_guard lock(mutex_);
        messages.push_back(message);
      }
      if (on_message(channel, message)) return;
      channel.write(R"({"event":"ack"})");
      const auto event = message.at("event").as_string();
      if (event == "completed" || event == "failed" || event == "canceled") {
        channel.close(1000, "\"job_over\"");
        return;
      }
    }
  }

  TempDir dir_;
  Layout layout_;
  std::string job_;
  std::mutex mutex_;
  Runner* runner_ = nullptr;
};

}  // namespace

TEST_CASE("a job is claimed, pulled, run with its live output, and delivered") {
  for (const char* sandbox : {"process", "container"}) {
    CAPTURE(sandbox);
    TempDir dir;
    if (const auto made = sandbox::make(sandbox, {.work_dir = dir.path()}); !made) {
      MESSAGE("skipped: " << made.error().message());
      continue;
    }
    World world("echo out; echo err >&2; echo file > /tmp/bencher-runner-test; exit $CODE",
                R"(,"env":{"CODE":"0"},"iter":2)", sandbox);
    CHECK(world.run() == 0);
    CHECK(world.lines.text().find("Polling for jobs") != std::string::npos);
    CHECK(world.lines.text().find("secret-key") == std::string::npos);
    CHECK(world.messages.at(0).at("event").as_string() == "running");
    const auto completed = world.of("completed");
    REQUIRE_MESSAGE(completed.size() == 1, world.lines.text());
    const auto& results = completed[0].at("results").as_array();
    REQUIRE(results.size() == 2);
    CHECK(results[0].at("exit_code").as_int64() == 0);
    CHECK(results[1].at("stdout").as_string() == "out\n");
    CHECK(results[1].at("stderr").as_string() == "err\n");
    std::string logged;
    for (const auto& message : world.of("log"))
      logged +=
          std::to_string(message.at("iteration").as_int64()) + std::string(message.at("stream").as_string()) + " ";
    CHECK(logged.find("0stdout") != std::string::npos);
    CHECK(logged.find("1stderr") != std::string::npos);
    std::string stages;
    for (const auto& message : world.of("heartbeat"))
      if (const auto* stage = message.as_object().if_contains("stage")) stages += std::string(stage->as_string()) + " ";
    CHECK(stages == "pulled booted ran ");
    CHECK(world.channels == 1);
    CHECK(world.claims == 2);
    std::filesystem::remove("/tmp/bencher-runner-test");
  }
}

TEST_CASE("a server that knows only the runner's own channel gets its jobs done, and nothing that it does not know") {
  World world("echo out; echo err >&2");
  const auto serve = world.peer.on_request;
  world.peer.on_request = [serve](const Request& request) {
    return request.target() == "/v0/runners/r/jobs" ? Peer::answer(404, R"({"message":"Not Found"})") : serve(request);
  };
  std::atomic<int> readies{0};
  world.peer.on_channel = [&](const Request& request, Channel& channel) {
    CHECK(request.target() == "/v0/runners/r/channel");
    CHECK(request["authorization"] == "Bearer secret-key");
    for (std::string text; !(text = channel.read()).empty();) {
      const auto message = json::parse(text);
      world.keep(message);
      if (message.at("event") == "ready") {
        if (++readies == 3) world.stop_runner();
        // The first acknowledgement is late, as it may be.
        if (readies == 2) channel.write(R"({"event":"ack"})");
        channel.write(readies == 2 ? world.given() : R"({"event":"no_job"})");
      } else {
        channel.write(std::string(R"({"event":"ack","job":")") + uuid + "\"}");
      }
    }
  };
  CHECK(world.run() == 0);
  CHECK(readies >= 3);
  CHECK(world.of("ready")[0].at("runner").at("os") == "linux");
  CHECK(world.of("running").size() == 1);
  CHECK(world.of("log").empty());
  REQUIRE_MESSAGE(world.of("completed").size() == 1, world.lines.text());
  CHECK(world.of("completed")[0].at("results").at(0).at("stdout").as_string() == "out\n");
  CHECK(world.of("completed")[0].at("results").at(0).at("stderr").as_string() == "err\n");
}

TEST_CASE("output arrives while the program runs") {
  World world("echo first; while [ ! -e /tmp/bencher-live-test ]; do sleep 0.01; done; echo second");
  std::filesystem::remove("/tmp/bencher-live-test");
  // The program goes on only after its first line was seen here.
  world.on_message = [](Channel&, const json::value& message) {
    if (message.at("event").as_string() == "log") write_file("/tmp/bencher-live-test", "");
    return false;
  };
  CHECK(world.run() == 0);
  CHECK(world.log_of("stdout") == "first\nsecond\n");
  CHECK(world.of("completed").size() == 1);
  std::filesystem::remove("/tmp/bencher-live-test");
}

TEST_CASE("much output arrives whole and in order, a bounded part of it at a time") {
  World world("head -c 3000000 /dev/zero");
  CHECK(world.run() == 0);
  CHECK(world.log_of("stdout").size() == 3'000'000);
  for (const auto& message : world.of("log"))
    CHECK(message.at("data").as_string().size() <= 64 * 1024);
}

TEST_CASE("a job goes on over a broken channel, and its log where it left off") {
  World world("echo one; while [ ! -e /tmp/bencher-break-test ]; do sleep 0.01; done; echo two");
  std::filesystem::remove("/tmp/bencher-break-test");
  world.on_message = [&](Channel&, const json::value& message) {
    if (message.at("event").as_string() == "log" && world.channels == 1) return true;  // hangs up without an answer
    if (message.at("event").as_string() == "running" && world.channels == 2) write_file("/tmp/bencher-break-test", "");
    return false;
  };
  CHECK(world.run() == 0);
  CHECK(world.channels == 2);
  CHECK(world.log_of("stdout") == "one\ntwo\n");
  CHECK(world.of("running").size() == 2);
  REQUIRE(world.of("completed").size() == 1);
  CHECK(world.of("completed")[0].at("results").at(0).at("stdout").as_string() == "one\ntwo\n");
  std::filesystem::remove("/tmp/bencher-break-test");
}

TEST_CASE("a pushed cancel ends a running program at once") {
  World world("echo up; sleep 1000");
  world.on_message = [](Channel& channel, const json::value& message) {
    if (message.at("event").as_string() == "log") channel.write(R"({"event":"cancel"})");
    return false;
  };
  const auto start = std::chrono::steady_clock::now();
  CHECK(world.run() == 0);
  CHECK(world.of("canceled").size() == 1);
  CHECK(world.of("completed").empty());
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("where the server has no WebSockets the result comes by PATCH") {
  World world("echo out; exit 3");
  world.peer.on_upgrade = [](const Request&) { return 400; };
  world.on_patch = [](const Request& request) {
    const auto status = json::parse(request.body()).at("status");
    return Peer::answer(200, json::serialize(json::object{{"status", status}}));
  };
  CHECK(world.run() == 0);
  REQUIRE(world.patches.size() >= 2);
  CHECK(world.patches.front() == R"({"status":"running"})");
  const auto last = json::parse(world.patches.back());
  CHECK(last.at("status").as_string() == "failed");
  CHECK(last.at("results").at(0).at("exit_code").as_int64() == 3);
  CHECK(last.at("error").as_string().find("exit code 3") != std::string::npos);
}

TEST_CASE("a spec for the microVM and an image that is not there fail their jobs with the reason") {
  {
    World world("true", R"(,"cmd":["true"])");
    world.options.sandbox = "firecracker";
    world.options.sandbox_options.kernel = "/absent/vmlinuz-0";
    std::filesystem::create_directories(world.options.work_dir / "runs");
    CHECK(world.run() == 0);
    REQUIRE(world.of("failed").size() == 1);
    CHECK(world.of("failed")[0].at("error").as_string().find("microVM") != std::string::npos);
  }
  World world("true");
  const auto serve = world.peer.on_request;
  world.peer.on_request = [serve](const Request& request) {
    return request.target().starts_with("/v2/") ? Peer::answer(404) : serve(request);
  };
  CHECK(world.run() == 0);
  REQUIRE(world.of("failed").size() == 1);
  CHECK(world.of("failed")[0].at("error").as_string().find("404") != std::string::npos);
  CHECK(world.of("failed")[0].at("results").as_array().empty());
}

TEST_CASE("a stop lets the job end, a second one ends it") {
  World world("echo up; sleep 1000");
  world.on_message = [&](Channel&, const json::value& message) {
    if (message.at("event").as_string() == "log") {
      world.stop_runner();
      world.stop_runner();
    }
    return false;
  };
  CHECK(world.run() == 0);
  REQUIRE(world.of("failed").size() == 1);
  CHECK(world.of("failed")[0].at("error").as_string().find("stopped") != std::string::npos);
  CHECK(world.claims == 1);
}

TEST_CASE("a key that the server does not take ends the runner with 1") {
  World world("true");
  world.options.key = "wrong";
  std::filesystem::create_directories(world.options.work_dir / "runs");
  CHECK(world.run() == 1);
  CHECK(world.lines.text().find("--key") != std::string::npos);
}
