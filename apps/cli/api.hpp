// Calls to the server: credential, retries, errors in words.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "apps/cli/arguments.hpp"
#include "apps/cli/request.hpp"
#include "apps/cli/world.hpp"

namespace bencher::cli {

struct Answer {
  int status = 0;
  json::Value body;  ///< null for an empty body
  std::string text;  ///< the body as it came
};

class Api {
 public:
  /// Reads the connection flags. Throws `Failure` if the command needs a credential and there is none.
  Api(World& world, const Command& command, const Arguments& arguments);

  /// Sends, with retries, and checks the server's version before the first time. Throws `Failure` unless the answer is
  /// a success.
  Answer call(const Request& request);
  /// One GET whose answer comes in parts; no retry. The status is returned whatever it is.
  /// Errors: those of `HttpClient::send`.
  Result<int> stream(const std::string& path, std::chrono::milliseconds limit,
                     const std::function<bool(std::string_view)>& on_data);
  /// The web console's address, without a slash at its end; the host where it cannot be had.
  std::string console_url();

  const std::string& host() const { return host_; }
  bool has_credential() const { return !credential_.empty(); }
  bool has_project_key() const { return credential_.starts_with("bencher_run_"); }

 private:
  Result<client::HttpResponse> send(const Request& request);
  client::HttpRequest http_request(const Request& request) const;
  void check_version();

  World& world_;
  std::string host_;
  std::string credential_;
  client::HttpOptions options_;
  std::chrono::seconds connect_timeout_, first_wait_, longest_wait_;
  int attempts_;
  bool strict_ = false;
  bool version_checked_ = false;
};

/// The message of an error answer: `{"message": …}`, else the text, with the status before it.
std::string error_message(int status, std::string_view body);
/// `Not Found` for 404.
std::string_view reason_phrase(int status);

}  // namespace bencher::cli
