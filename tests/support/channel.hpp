// A scripted runner's end of a channel.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "lib/http/websocket_client.hpp"
#include "tests/support/world.hpp"

namespace bencher::test {

/// What a scripted runner hears on a job's channel, or on its own.
class Channel {
 public:
  Channel(World& world, const std::string& runner, const std::string& job, const std::string& key)
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

}  // namespace bencher::test
