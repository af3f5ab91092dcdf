#include "bencher/client/registry.hpp"

#include <optional>

namespace bencher::client {

RegistrySource::RegistrySource(HttpClient& http, std::string registry, std::string repository, std::string token)
    : http_(http), token_(std::move(token)) {
  while (registry.ends_with('/'))
    registry.pop_back();
  base_ = registry + "/v2/" + repository + "/";
}

HttpRequest RegistrySource::request(const std::string& path) const {
  HttpRequest request;
  request.url = base_ + path;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

Result<HttpResponse> RegistrySource::send(const HttpRequest& request, const std::string& what) {
  BENCHER_TRY(auto response, http_.send(request));
  if (response.status >= 200 && response.status < 300) return response;
  const std::string status = what + ": the registry answered " + std::to_string(response.status);
  switch (response.status) {
    case 401: return Error(Errc::unauthenticated, status + "; the pull token is missing, wrong or expired");
    case 403: return Error(Errc::forbidden, status + "; the pull token is for another repository");
    case 404: return Error(Errc::not_found, status + "; it is not there, push the image again");
    case 429: return Error(Errc::rate_limited, status);
    default: return Error(Errc::unavailable, status, response.body.substr(0, 1000));
  }
}

Result<std::string> RegistrySource::manifest(const Digest& digest) {
  HttpRequest get = request("manifests/" + digest.str());
  get.headers.emplace_back("Accept",
                           "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
                           "application/vnd.docker.distribution.manifest.v2+json, "
                           "application/vnd.docker.distribution.manifest.list.v2+json");
  get.max_body = max_manifest_bytes;
  get.total_timeout = std::chrono::seconds(60);
  BENCHER_TRY(auto response, send(get, get.url));
  return std::move(response.body);
}

Result<void> RegistrySource::blob(const Digest& digest, const Sink& sink) {
  HttpRequest get = request("blobs/" + digest.str());
  std::optional<Error> failure;
  get.on_data = [&](std::string_view piece) {
    auto taken = sink(piece);
    if (taken) return true;
    failure = std::move(taken).error();
    return false;
  };
  const auto response = send(get, get.url);
  if (failure) return *std::move(failure);
  if (!response) return response.error();
  return {};
}

}  // namespace bencher::client
