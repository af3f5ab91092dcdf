// The OCI registry under /v2/ (distribution specification v1.1) over a blob store.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "bencher/base/clock.hpp"
#include "bencher/base/result.hpp"
#include "bencher/image/blob_store.hpp"

#include "lib/http/server.hpp"

namespace bencher::server {

/// What a request may work on.
struct RegistryGrant {
  std::string repository;  ///< the project's UUID as text
};

/// Who may pull and push, and which project a name means.
class RegistryAccess {
 public:
  virtual ~RegistryAccess() = default;
  /// Whether the request may pull from `name`, a project's UUID or slug, or push to it; `create` says that a push may
  /// make the project. With an empty `name` it is only asked whether the credential is any valid one.
  /// Errors: `unauthenticated`, answered with a challenge; `forbidden`; `not_found`; `invalid_argument`;
  /// `rate_limited`; `unavailable`.
  virtual http::Task<Result<RegistryGrant>> authorize(const http::RequestHead& head, std::string name, bool push,
                                                      bool create) = 0;
};

struct RegistryOptions {
  std::string registry_url;                   ///< what clients reach it by, such as `http://localhost:61016/`
  std::chrono::seconds upload_timeout{3600};  ///< an upload that nobody touches for so long is removed
  std::uint64_t max_body_size = std::uint64_t(1) << 30;  ///< of one blob, in bytes
};

/// Answers every request for a path under `/v2/`. Network thread only; file work and hashing go to `pool`.
/// Errors are answered in the form of the distribution specification.
class Registry {
 public:
  Registry(BlobStore& store, RegistryAccess& access, RegistryOptions options, boost::asio::thread_pool& pool,
           const Clock& clock);

  http::Task<void> handle(http::Exchange& exchange);

 private:
  friend class RegistryRequest;

  BlobStore& store_;
  RegistryAccess& access_;
  RegistryOptions options_;
  boost::asio::thread_pool& pool_;
  const Clock& clock_;
  std::string realm_;
  std::string service_;
  Instant expired_at_{};  // when old uploads were looked for last
};

}  // namespace bencher::server
