#pragma once

#include <string>

#include "bencher/base/result.hpp"
#include "bencher/client/http.hpp"
#include "bencher/image/source.hpp"

namespace bencher::client {

/// One repository of an OCI registry (distribution specification 1.1), read with a Bearer token that is sent as it is.
class RegistrySource final : public ImageSource {
 public:
  /// `registry` is an http or https URL; `repository` a name such as `team/bench`; `token` may be empty. `http` must
  /// outlive this object; its `cancel` ends a running transfer.
  RegistrySource(HttpClient& http, std::string registry, std::string repository, std::string token);

  Result<std::string> manifest(const Digest& digest) override;
  Result<void> blob(const Digest& digest, const Sink& sink) override;

 private:
  HttpRequest request(const std::string& path) const;
  Result<HttpResponse> send(const HttpRequest& request, const std::string& what);

  HttpClient& http_;
  std::string base_;  ///< `https://host/v2/team/bench/`
  std::string token_;
};

}  // namespace bencher::client
