// A world in memory: scripted answers, a clock that waits move, no process and no network.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "apps/cli/arguments.hpp"
#include "apps/cli/cli.hpp"

namespace bencher::test {

struct FakeWorld {
  std::ostringstream out, err;
  ManualClock clock;
  SeededRandom random{42};
  std::map<std::string, std::string, std::less<>> variables{{"BENCHER_HOST", "http://bencher.test"}};
  std::optional<std::string> input;
  int interrupts = 0;
  std::vector<std::chrono::milliseconds> waits;
  std::function<void()> on_wait = [] {};
  std::vector<client::HttpRequest> requests;
  /// What answers; the version check answers itself unless a script handles it.
  std::function<Result<client::HttpResponse>(const client::HttpRequest&)> server =
      [](const client::HttpRequest& request) {
        return answer(500, R"({"message":"nobody expects )" + request.url + "\"}");
      };

  cli::World world{
      .out = out,
      .err = err,
      .clock = clock,
      .random = random,
      .env = [this](std::string_view name) -> std::optional<std::string> {
        const auto at = variables.find(name);
        if (at == variables.end() || at->second.empty()) return {};
        return at->second;
      },
      .send = [this](const client::HttpRequest& request, const client::HttpOptions&) { return send(request); },
      .wait =
          [this](std::chrono::milliseconds time) {
            waits.push_back(time);
            const int before = interrupts;
            on_wait();
            clock.advance(time);
            return interrupts == before;
          },
      .interrupts = [this] { return interrupts; },
      .catch_interrupts = [] {},
      .read_input = [this]() -> Result<std::optional<std::string>> { return input; }};

  static client::HttpResponse answer(int status, std::string body,
                                     std::vector<std::pair<std::string, std::string>> headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
  }

  Result<client::HttpResponse> send(const client::HttpRequest& request) {
    requests.push_back(request);
    if (request.url.ends_with("/v0/server/version")) return answer(200, R"({"version":"0.6.12"})");
    if (request.url.ends_with("/v0/server/config/console")) return answer(200, R"({"url":"http://console.test/"})");
    return server(request);
  }

  int run(const std::vector<std::string>& words) { return static_cast<int>(cli::run_cli(words, world)); }

  /// Requests but for the version and the console, as `METHOD path`.
  std::vector<std::string> sent() const {
    std::vector<std::string> list;
    for (const auto& request : requests) {
      const auto path = request.url.substr(std::string("http://bencher.test").size());
      if (path != "/v0/server/version" && path != "/v0/server/config/console")
        list.push_back(request.method + " " + path);
    }
    return list;
  }
};

}  // namespace bencher::test
