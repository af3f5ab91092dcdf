#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "bencher/base/result.hpp"
#include "bencher/client/http.hpp"
#include "bencher/image/source.hpp"

namespace bencher::client {

/// What a transfer does when the connection is lost, or the registry answers 429 or 5xx: it goes on where it was.
struct RetryPolicy {
  int attempts = 7;                      ///< one after the other without a byte more
  int most_attempts = 100;               ///< of one transfer
  std::chrono::milliseconds first{250};  ///< pause after the first, doubled by each one without a byte more
  std::chrono::milliseconds most{10'000};
  /// Pauses; false ends the transfer. None: sleeps.
  std::function<bool(std::chrono::milliseconds)> wait = {};
};

/// One repository of an OCI registry (distribution specification 1.1), read with a Bearer token that is sent as it is.
class RegistrySource final : public ImageSource {
 public:
  /// `registry` is an http or https URL; `repository` a name such as `team/bench`; `token` may be empty. `http` must
  /// outlive this object; its `cancel` ends a running transfer.
  RegistrySource(HttpClient& http, std::string registry, std::string repository, std::string token,
                 RetryPolicy retry = {});

  Result<std::string> manifest(const Digest& digest) override;
  /// The same by a tag, and its digest.
  Result<Digest> resolve(const std::string& tag);
  Result<void> blob(const Digest& digest, const Sink& sink) override;

 private:
  HttpRequest request(const std::string& path) const;
  HttpRequest manifest_request(const std::string& reference) const;
  Result<HttpResponse> send(const HttpRequest& request);
  Result<HttpResponse> send_again(const HttpRequest& request);
  Result<void> pause(int attempt, int idle, const Error& error);

  HttpClient& http_;
  std::string base_;  ///< `https://host/v2/team/bench/`
  std::string token_;
  RetryPolicy retry_;
};

}  // namespace bencher::client
