// Runners by hand: claims, and what is heard on a channel.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "lib/http/websocket_client.hpp"
#include "tests/support/world.hpp"

namespace bencher::test {

/// What a scripted runner hears on a job's channel, or on its own.
class RunnerChannel {
 public:
  RunnerChannel(World& world, const std::string& runner, const std::string& job, const std::string& key)
      : client_({.url = world.server.url() + "/v0/runners/" + runner + (job.empty() ? "" : "/jobs/" + job) + "/channel",
                 .headers = {{"Authorization", "Bearer " + key}}},
                {.on_open = [] {},
                 .on_message = [this](std::string text) { push(std::move(text)); },
                 .on_closed =
                     [this](http::WebSocketClient::Closed closed) {
                       push(closed.was_open ? fmt::format("closed {} {}", closed.code, closed.reason)
                                            : fmt::format("refused {}", closed.status));
                     }}) {}
  void send(const json::value& event) { client_.send(json::serialize(event)); }
  void send_text(std::string text) { client_.send(std::move(text)); }
  /// The next message, or how it was closed.
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, ChildProcess::patience, [&] { return !messages_.empty(); }))
      throw std::runtime_error("nothing came on the channel");
    auto out = std::move(messages_.front());
    messages_.pop_front();
    return out;
  }
  std::string event() { return std::string(json::parse(next()).at("event").as_string()); }

 private:
  void push(std::string text) {
    std::lock_guard lock(mutex_);
    messages_.push_back(std::move(text));
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> messages_;
  http::WebSocketClient client_;
};

/// Claims as a runner would; JSON null when nothing came in time.
inline Reply claim(World& world, const std::string& runner, int timeout = 1) {
  auto client = world.server.client(world.runner_keys.at(runner));
  return client.post("/v0/runners/" + runner + "/jobs", {{"poll_timeout", timeout}});
}

inline std::string job_of(const Reply& report) {
  return World::must(report, 201).str("/job");
}

}  // namespace bencher::test
