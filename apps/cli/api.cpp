#include "apps/cli/api.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

#include <fmt/format.h>

#include "bencher/base/encoding.hpp"

namespace bencher::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view hosted = "https://api.bencher.dev";
/// No answer may take longer; a large report needs its time.
constexpr auto answer_limit = 10min;

template <class T>
T to_number(const std::string& text) {
  T out{};
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

/// Failures that another try would only repeat: no such host, no trust.
bool is_final(const Error& error) {
  if (error.code() != Errc::unavailable && error.code() != Errc::timed_out) return true;
  return error.message().find("cannot be resolved") != std::string::npos ||
         error.message().find("no trusted TLS connection") != std::string::npos;
}

/// Whether the API documents that success for the method.
bool is_documented(std::string_view method, int status) {
  if (method == "POST") return status == 200 || status == 201 || status == 202;
  return status == (method == "DELETE" ? 204 : 200);
}

bool is_retried(int status) {
  return status >= 500 || status == 429;
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "";
  }
}

std::string error_message(int status, std::string_view body) {
  auto out = fmt::format("Status: {} {}", status, reason_phrase(status));
  const auto json = json::Value::parse(body);
  if (json && (*json)["message"].is_string()) {
    out += "\nMessage: " + (*json)["message"].text();
    if ((*json)["error_code"].is_string()) out += "\nError code: " + (*json)["error_code"].text();
    if ((*json)["request_id"].is_string()) out += "\nRequest: " + (*json)["request_id"].text();
  } else if (!body.empty()) {
    out += "\nBody: " + to_valid_utf8(body.substr(0, 1000));
  }
  return out;
}

Api::Api(World& world, const Command& command, const Arguments& arguments)
    : world_(world),
      host_(arguments.get_or("host", hosted)),
      credential_(arguments.get_or("key", "")),
      connect_timeout_(to_number<int>(arguments.get_or("timeout", "15"))),
      first_wait_(to_number<int>(arguments.get_or("retry-after", "1"))),
      longest_wait_(to_number<int>(arguments.get_or("max-retry-after", "30"))),
      attempts_(to_number<int>(arguments.get_or("attempts", "35"))) {
  while (host_.ends_with('/'))
    host_.pop_back();
  if (credential_.empty()) credential_ = arguments.get_or("token", "");
  strict_ = arguments.has("strict");
  options_.insecure = arguments.has("insecure-host");
  options_.client_certificate = world.env("SSL_CLIENT_CERT").value_or("");
  if (command.credential == Credential::required && credential_.empty())
    throw Failure{Exit::credential,
                  fmt::format("'bencher {}' needs a credential: give --key (or set BENCHER_API_KEY)", command.path)};
  if (!host_.starts_with("http://") && !host_.starts_with("https://"))
    throw Failure{Exit::usage, fmt::format("--host: '{}' does not begin with http:// or https://", host_)};
}

client::HttpRequest Api::http_request(const Request& request) const {
  client::HttpRequest out;
  out.method = request.method;
  out.url = host_ + request.path;
  out.headers = {{"accept", "application/json"}, {"api-version", std::string(api_version)}};
  if (!credential_.empty()) out.headers.emplace_back("authorization", "Bearer " + credential_);
  if (request.body) {
    out.headers.emplace_back("content-type", "application/json");
    out.body = request.body->compact();
  }
  out.connect_timeout = connect_timeout_;
  out.total_timeout = answer_limit;
  return out;
}

Result<client::HttpResponse> Api::send(const Request& request) {
  const auto http = http_request(request);
  auto wait = first_wait_;
  for (int attempt = 1;; ++attempt) {
    auto response = world_.send(http, options_);
    std::string cause;
    auto pause = std::min(wait, longest_wait_);
    if (!response) {
      if (is_final(response.error()) || attempt >= attempts_) return response;
      cause = response.error().message();
    } else {
      if (!is_retried(response->status) || attempt >= attempts_) return response;
      cause =
          fmt::format("{} {}: {} {}", request.method, request.path, response->status, reason_phrase(response->status));
      if (const auto* after = response->header("retry-after")) {
        const auto seconds = to_number<int>(*after);
        // A day or a date is not what a command waits for.
        if (seconds > 0 && seconds <= 900) pause = std::chrono::seconds(seconds);
      }
    }
    world_.err << fmt::format("{}\nTry {} of {} failed; trying again in {} s.\n", cause, attempt, attempts_,
                              pause.count());
    world_.err.flush();
    if (!world_.wait(pause)) return Error(Errc::cancelled, "interrupted");
    wait = std::min(wait * 2, longest_wait_);
  }
}

void Api::check_version() {
  if (std::exchange(version_checked_, true)) return;
  const auto response = must(send({.method = "GET", .path = "/v0/server/version", .body = {}}));
  const auto body = json::Value::parse(response.body);
  if (response.status != 200 || !body || !(*body)["version"].is_string()) {
    if (response.status >= 500) throw Failure{Exit::network, error_message(response.status, response.body)};
    world_.err << fmt::format("warning: {} does not tell its version; is it a Bencher server?\n", host_);
    return;
  }
  const auto& version = (*body)["version"].text();
  if (version != api_version)
    world_.err << fmt::format("warning: the server at {} speaks API version {}, this program {}; {}\n", host_, version,
                              api_version,
                              host_ == hosted ? "update this program" : "use the same version on both sides");
}

Answer Api::call(const Request& request) {
  check_version();
  auto response = must(send(request));
  if (response.status < 200 || response.status > 299)
    throw Failure{exit_of_status(response.status), fmt::format("{} {}{}\n{}", request.method, host_, request.path,
                                                               error_message(response.status, response.body))};
  if (strict_ && !is_documented(request.method, response.status))
    throw Failure{Exit::network, fmt::format("{} {}{}: answered {}, which the API does not document (--strict)",
                                             request.method, host_, request.path, response.status)};
  Answer out{.status = response.status, .body = {}, .text = std::move(response.body)};
  if (!out.text.empty()) {
    auto body = json::Value::parse(out.text);
    if (!body)
      throw Failure{Exit::network, fmt::format("{} {}{}: the answer is not JSON ({})", request.method, host_,
                                               request.path, body.error().message())};
    out.body = *std::move(body);
  }
  return out;
}

Result<int> Api::stream(const std::string& path, std::chrono::milliseconds limit,
                        const std::function<bool(std::string_view)>& on_data) {
  auto http = http_request({.method = "GET", .path = path, .body = {}});
  http.headers.front().second = "application/x-ndjson";
  http.total_timeout = limit;
  http.on_data = on_data;
  BENCHER_TRY(const auto response, world_.send(http, options_));
  return response.status;
}

std::string Api::console_url() {
  auto out = host_ == hosted ? std::string("https://bencher.dev") : host_;
  if (host_ != hosted) {
    const auto response = must(send({.method = "GET", .path = "/v0/server/config/console", .body = {}}));
    const auto body = json::Value::parse(response.body);
    if (response.status == 200 && body && (*body)["url"].is_string())
      out = (*body)["url"].text();
    else
      world_.err << "warning: the server does not tell the address of its console; links lead to the server itself\n";
  }
  while (out.ends_with('/'))
    out.pop_back();
  return out;
}

}  // namespace bencher::cli
