// A request and a response as handlers see them: no Beast.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::http {

enum class Verb { get, head, post, put, patch, delete_, options, other };

struct Header {
  std::string name;
  std::string value;
};

/// Everything of a request but its body.
struct RequestHead {
  Verb verb = Verb::other;
  std::string method;                 ///< as sent
  std::string target;                 ///< as sent
  std::vector<std::string> segments;  ///< of the path: percent-decoded, empty ones left out
  std::string query;                  ///< as sent, without `?`
  std::vector<Header> headers;
  std::optional<std::uint64_t> content_length;
  bool upgrade = false;    ///< asks for a WebSocket
  std::string peer;        ///< the client's IP address, as the socket knows it
  std::string request_id;  ///< a fresh UUID, sent back as `x-request-id`

  /// The first header of that name (in any case), or null.
  const std::string* header(std::string_view name) const;
  /// `/v0/projects` for segments {v0, projects}.
  std::string path() const;
};

struct Response {
  int status = 200;
  std::vector<Header> headers{};  ///< content-length, connection, date and x-request-id are added when sent
  std::string content_type = "application/json";
  std::string body{};
};

/// The key-value pairs of a query or of a form, in order, percent-decoded (`+` is a space). Error: `invalid_argument`.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);
/// The segments of a path as `RequestHead` has them. Error: `invalid_argument` for a bad escape, bad UTF-8, `.` or
/// `..`.
Result<std::vector<std::string>> parse_path(std::string_view path);

}  // namespace bencher::http
