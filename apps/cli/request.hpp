// The request of a resource command, made from its row of the table. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/cli/arguments.hpp"

namespace bencher::cli {

struct Request {
  std::string method = "GET";
  std::string path;  ///< from `/v0/` on, percent-encoded, with the query
  std::optional<json::Value> body;
};

/// Throws `Failure` where values do not go together.
Request build_request(const Command& command, const Arguments& arguments);

/// RFC 3986: everything but unreserved characters is encoded.
std::string percent_encoded(std::string_view text);

}  // namespace bencher::cli
