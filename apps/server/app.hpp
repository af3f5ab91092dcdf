// The server's handler: finds the endpoint of a request, lets the database's threads run it, and answers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/server/api.hpp"
#include "apps/server/registry.hpp"

namespace bencher::server {

class App;

/// An endpoint that is more than one function over one connection: it reads, waits, streams or upgrades by itself.
struct CustomEndpoint {
  http::Row row;
  Task<void> (*handle)(App&, http::Exchange&, http::Params path);
  void (*describe)(boost::json::object& operation, boost::json::object& components);
};
std::span<const CustomEndpoint> run_endpoints();
std::span<const CustomEndpoint> channel_endpoints();
std::span<const CustomEndpoint> runner_channel_endpoints();
std::span<const CustomEndpoint> runner_result_endpoints();
std::span<const CustomEndpoint> stream_endpoints();
std::span<const CustomEndpoint> token_endpoints();

class App final : public http::Handler {
 public:
  App(Context& context, Registry& registry);
  ~App() override;

  Task<void> handle(http::Exchange& exchange) override;

  Context& context() { return context_; }
  /// The address that the request comes from, by the headers of a proxy.
  static std::string source_ip(const http::RequestHead& head);
  /// The whole body as text. Error: `invalid_argument` when it is too large or not declared as JSON.
  Task<Result<std::string>> read_json(http::Exchange& exchange);

  /// Answers as the API does: CORS headers, total, request id in errors.
  /// Whether it was handed on whole.
  Task<bool> answer(http::Exchange& exchange, const http::Row& row, Result<http::Reply> reply);
  /// Answers a request that was refused before anyone was asked who sends it: no CORS headers.
  Task<void> refuse(http::Exchange& exchange, Error error);

 private:
  struct Node;
  struct Found {
    const Node* node = nullptr;
    http::Params params;
  };
  void add(const http::Row& row, const Endpoint* typed, const CustomEndpoint* custom);
  Found find(const std::vector<std::string>& segments) const;
  Task<void> run(http::Exchange& exchange, const Endpoint& endpoint, http::Params params);

  Context& context_;
  Registry& registry_;
  std::unique_ptr<Node> root_;
};

/// The OpenAPI document, made of the tables.
const std::string& openapi();

int status_of(Errc code) noexcept;

}  // namespace bencher::server
