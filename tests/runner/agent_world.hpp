// The runner's machine with a clock, for tests to tell it what happens.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "bencher/runner/agent.hpp"

namespace bencher::runner::test {

constexpr const char* uuid = "550e8400-e29b-41d4-a716-446655440000";

inline ClaimedJob make_job(std::uint32_t iterations = 1, bool allow_failure = false) {
  return {.uuid = uuid,
          .sandbox = {},
          .architecture = "x86_64",
          .memory = 1 << 30,
          .disk = 1 << 30,
          .registry = "http://r",
          .project = "p",
          .digest = Digest::of("x"),
          .image = {},
          .entrypoint = std::vector<std::string>{"/bench"},
          .cmd = {},
          .env = {},
          .timeout = std::chrono::seconds(60),
          .file_paths = {},
          .iterations = iterations,
          .allow_failure = allow_failure,
          .oci_token = "t"};
}

/// The machine with its clock, and what it did last.
struct World {
  explicit World(Protocol protocol = Protocol::automatic) {
    state.options.protocol = protocol;
    tell(Started{});
  }

  void tell(Event event) {
    if (std::holds_alternative<ChannelClosed>(event)) outstanding.clear();
    auto [next, done] = step(std::move(state), event, clock.now());
    state = std::move(next);
    actions = std::move(done);
    for (const auto& action : actions)
      if (const auto* send = std::get_if<Send>(&action); send && send->text.find("\"ready\"") == std::string::npos)
        outstanding.push_back(tells_stage(send->text));
  }
  static bool tells_stage(const std::string& text) { return boost::json::parse(text).as_object().contains("stage"); }
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    tell(Tick{});
  }
  /// Of the next message that tells no stage; those before it are acknowledged, too.
  void ack() {
    for (bool stage = true; stage;) {
      stage = !outstanding.empty() && outstanding.front();
      if (!outstanding.empty()) outstanding.pop_front();
      tell(ChannelMessage{R"({"event":"ack"})"});
    }
  }
  void cancel() { tell(ChannelMessage{R"({"event":"cancel"})"}); }

  template <class A>
  const A* find() const {
    for (const auto& action : actions)
      if (const auto* found = std::get_if<A>(&action)) return found;
    return nullptr;
  }
  /// The events of the messages sent by the last step, but for stages.
  std::vector<std::string> sent() const {
    std::vector<std::string> out;
    for (const auto& action : actions)
      if (const auto* send = std::get_if<Send>(&action); send && !tells_stage(send->text))
        out.emplace_back(boost::json::parse(send->text).at("event").as_string());
    return out;
  }
  std::vector<std::string> stages() const {
    std::vector<std::string> out;
    for (const auto& action : actions)
      if (const auto* send = std::get_if<Send>(&action); send && tells_stage(send->text))
        out.emplace_back(boost::json::parse(send->text).at("stage").as_string());
    return out;
  }
  boost::json::value message(std::size_t index = 0) const {
    for (const auto& action : actions)
      if (const auto* send = std::get_if<Send>(&action); send && !tells_stage(send->text))
        if (index-- == 0) return boost::json::parse(send->text);
    FAIL("no such message");
    return {};
  }
  void claim(ClaimedJob job = make_job()) { tell(Claimed{std::optional<ClaimedJob>(std::move(job))}); }
  /// As far as a running program.
  void start(ClaimedJob job = make_job()) {
    claim(std::move(job));
    tell(ChannelOpened{});
    ack();
    tell(Prepared{ImageConfig{}});
    REQUIRE(find<RunIteration>());
  }

  ManualClock clock;
  AgentState state;
  std::vector<Action> actions;
  std::deque<bool> outstanding;  ///< messages without an answer: whether they tell a stage
};

using Events = std::vector<std::string>;

}  // namespace bencher::runner::test
