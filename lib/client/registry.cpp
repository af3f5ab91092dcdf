#include "bencher/client/registry.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

namespace bencher::client {

namespace {

/// Whether it may go better another time.
bool passes(const Error& error) {
  return error.code() == Errc::unavailable || error.code() == Errc::timed_out || error.code() == Errc::rate_limited;
}

/// Where a part begins, by `Content-Range: bytes 10-19/20`.
std::optional<std::uint64_t> begin_of(const HttpResponse& response) {
  const std::string* range = response.header("content-range");
  if (!range || !range->starts_with("bytes ")) return std::nullopt;
  std::uint64_t begin = 0;
  const char* text = range->data() + 6;
  const auto [end, ec] = std::from_chars(text, range->data() + range->size(), begin);
  if (ec != std::errc() || end == range->data() + range->size() || *end != '-') return std::nullopt;
  return begin;
}

}  // namespace

RegistrySource::RegistrySource(HttpClient& http, std::string registry, std::string repository, std::string token,
                               RetryPolicy retry)
    : http_(http), token_(std::move(token)), retry_(std::move(retry)) {
  while (registry.ends_with('/'))
    registry.pop_back();
  base_ = registry + "/v2/" + repository + "/";
}

HttpRequest RegistrySource::request(const std::string& path) const {
  HttpRequest request;
  request.url = base_ + path;
  request.stall_timeout = std::chrono::seconds(60);
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

Result<HttpResponse> RegistrySource::send(const HttpRequest& request) {
  BENCHER_TRY(auto response, http_.send(request));
  if (response.status >= 200 && response.status < 300) return response;
  const std::string status = request.url + ": the registry answered " + std::to_string(response.status);
  switch (response.status) {
    case 401: return Error(Errc::unauthenticated, status + "; the pull token is missing, wrong or expired");
    case 403: return Error(Errc::forbidden, status + "; the pull token is for another repository");
    case 404: return Error(Errc::not_found, status + "; it is not there, push the image again");
    case 416: return Error(Errc::invalid_argument, status + "; it is shorter than before");
    case 429: return Error(Errc::rate_limited, status);
    default: return Error(Errc::unavailable, status, response.body.substr(0, 1000));
  }
}

/// The error, when it is to be the last attempt. `attempt` counts all of a transfer, `idle` those without a byte more.
Result<void> RegistrySource::pause(int attempt, int idle, const Error& error) {
  if (!passes(error)) return error;
  if (idle >= retry_.attempts || attempt >= retry_.most_attempts)
    return Error(error.code(), error.message() + "; given up after " + std::to_string(attempt) + " attempts",
                 error.detail());
  const auto time = std::min(retry_.most, retry_.first * (1 << std::clamp(idle - 1, 0, 16)));
  if (!retry_.wait) {
    std::this_thread::sleep_for(time);
  } else if (!retry_.wait(time)) {
    return Error(Errc::cancelled, "cancelled");
  }
  return {};
}

Result<HttpResponse> RegistrySource::send_again(const HttpRequest& request) {
  for (int attempt = 1;; ++attempt) {
    auto response = send(request);
    if (response) return response;
    BENCHER_DO(pause(attempt, attempt, response.error()));
  }
}

HttpRequest RegistrySource::manifest_request(const std::string& reference) const {
  HttpRequest get = request("manifests/" + reference);
  get.headers.emplace_back("Accept",
                           "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
                           "application/vnd.docker.distribution.manifest.v2+json, "
                           "application/vnd.docker.distribution.manifest.list.v2+json");
  get.max_body = max_manifest_bytes;
  get.total_timeout = std::chrono::seconds(60);
  return get;
}

Result<std::string> RegistrySource::manifest(const Digest& digest) {
  BENCHER_TRY(auto response, send_again(manifest_request(digest.str())));
  return std::move(response.body);
}

Result<Digest> RegistrySource::resolve(const std::string& tag) {
  BENCHER_TRY(const auto response, send_again(manifest_request(tag)));
  return Digest::of(response.body);
}

Result<void> RegistrySource::blob(const Digest& digest, const Sink& sink) {
  std::uint64_t taken = 0;  // bytes given to the sink
  int idle = 0;
  for (int attempt = 1;; ++attempt) {
    HttpRequest get = request("blobs/" + digest.str());
    if (taken > 0) get.headers.emplace_back("Range", "bytes=" + std::to_string(taken) + "-");
    std::optional<Error> failure;
    std::uint64_t skip = 0;  // of a registry that sends everything again
    const std::uint64_t before = taken;
    get.on_response = [&](const HttpResponse& response) {
      if (response.status != 206) {
        skip = taken;
        return true;
      }
      if (begin_of(response) == taken) return true;
      failure = Error(Errc::invalid_argument, get.url + ": the registry sent another part than was asked for");
      return false;
    };
    get.on_data = [&](std::string_view piece) {
      const auto known = std::min<std::uint64_t>(skip, piece.size());
      skip -= known;
      piece.remove_prefix(known);
      if (piece.empty()) return true;
      taken += piece.size();
      auto done = sink(piece);
      if (done) return true;
      failure = std::move(done).error();
      return false;
    };
    const auto response = send(get);
    if (failure) return *std::move(failure);
    if (response) return {};
    idle = taken > before ? 1 : idle + 1;
    BENCHER_DO(pause(attempt, idle, response.error()));
  }
}

}  // namespace bencher::client
