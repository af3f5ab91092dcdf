#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::client {

struct HttpResponse;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< absolute, http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::filesystem::path body_file = {};  ///< sent in place of `body`, a part at a time; not followed to redirects
  /// Called with each part of a 2xx answer's body as it comes, instead of collecting it; false ends the transfer.
  std::function<bool(std::string_view)> on_data;
  /// Called before the first `on_data`, with status and headers; false ends the transfer.
  std::function<bool(const HttpResponse&)> on_response = {};
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds total_timeout{0};  ///< 0: none
  std::chrono::seconds stall_timeout{0};       ///< without a byte; 0: none
  std::uint64_t max_body = 64ull << 20;        ///< of a collected body, bytes; more is `too_large`
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;

  /// The first header of that lower-case name, or null.
  const std::string* header(std::string_view name) const;
};

struct HttpOptions {
  bool insecure = false;           ///< take any certificate
  std::string client_certificate;  ///< PEM file with certificate and key, for mutual TLS
  int max_redirects = 10;
};

/// An HTTP client that keeps its connections. It honours HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE
/// and SSL_CERT_DIR. Blocking; one thread at a time. `cancel` may be called from any thread or signal handler.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  /// Any HTTP status is a response. Errors: `unavailable` (no connection, lost, TLS; the message says which),
  /// `timed_out`, `cancelled` (by `on_data` or `cancel`), `too_large`, `invalid_argument` (the URL, the file).
  Result<HttpResponse> send(const HttpRequest& request);
  /// Ends the running `send`, and every later one, with `cancelled`.
  void cancel() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher::client
