#include "apps/server/app.hpp"

#include <map>

#include <fmt/core.h>

namespace bencher::server {

using http::Header;
using http::Reply;
using http::Response;

namespace {

std::string_view method_name(Verb verb) {
  switch (verb) {
    case Verb::get: return "GET";
    case Verb::head: return "HEAD";
    case Verb::post: return "POST";
    case Verb::put: return "PUT";
    case Verb::patch: return "PATCH";
    case Verb::delete_: return "DELETE";
    case Verb::options: return "OPTIONS";
    case Verb::other: return "OTHER";
  }
  return "OTHER";
}

std::string error_body(const http::RequestHead& head, std::string_view message, std::string_view code = {}) {
  std::string out = R"({"request_id":)";
  json::write_text(out, head.request_id);
  if (!code.empty()) {
    out += R"(,"error_code":)";
    json::write_text(out, code);
  }
  out += R"(,"message":)";
  json::write_text(out, message);
  out += '}';
  return out;
}

void add_cors(Response& response, std::string methods, bool with_authorization) {
  response.headers.push_back({"access-control-allow-origin", "*"});
  response.headers.push_back({"access-control-allow-methods", std::move(methods)});
  response.headers.push_back(
      {"access-control-allow-headers", with_authorization ? "Content-Type, Authorization" : "Content-Type"});
  response.headers.push_back({"access-control-expose-headers", "X-Total-Count"});
}

constexpr std::array all_tables{alert_endpoints,        auth_endpoints, dimension_endpoints, job_endpoints,
                                organization_endpoints, perf_endpoints, project_endpoints,   report_endpoints,
                                runner_endpoints,       spec_endpoints, system_endpoints,    threshold_endpoints,
                                detection_endpoints,    user_endpoints};
constexpr std::array all_custom{run_endpoints,           channel_endpoints, runner_channel_endpoints,
                                runner_result_endpoints, stream_endpoints,  token_endpoints};

}  // namespace

int status_of(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument: return 400;
    case Errc::unauthenticated: return 401;
    case Errc::payment_required: return 402;
    case Errc::forbidden: return 403;
    case Errc::not_found: return 404;
    case Errc::conflict: return 409;
    // The reference answers a body over its limit so.
    case Errc::too_large: return 400;
    case Errc::rate_limited: return 429;
    case Errc::unavailable: return 503;
    case Errc::timed_out: return 503;
    case Errc::cancelled: return 503;
    case Errc::internal: return 500;
  }
  return 500;
}

struct App::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literal;
  std::unique_ptr<Node> parameter;
  std::map<Verb, std::pair<const Endpoint*, const CustomEndpoint*>> methods;
  std::map<Verb, std::vector<std::string>> names;  // of the path's parameters, by their place
  std::vector<Verb> order;
};

App::App(Context& context, Registry& registry)
    : context_(context), registry_(registry), root_(std::make_unique<Node>()) {
  for (const auto table : all_tables)
    for (const auto& e : table())
      add(e.row, &e, nullptr);
  for (const auto table : all_custom)
    for (const auto& e : table())
      add(e.row, nullptr, &e);
}

App::~App() = default;

void App::add(const http::Row& row, const Endpoint* typed, const CustomEndpoint* custom) {
  auto* node = root_.get();
  std::vector<std::string> names;
  std::string_view path = row.path.substr(1);
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.front() == '{') {
      names.emplace_back(part.substr(1, part.size() - 2));
      if (!node->parameter) node->parameter = std::make_unique<Node>();
      node = node->parameter.get();
    } else {
      auto& next = node->literal[std::string(part)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    }
  }
  if (!node->methods.emplace(row.method, std::pair(typed, custom)).second)
    throw std::logic_error(fmt::format("two endpoints for {} {}", method_name(row.method), row.path));
  node->names[row.method] = std::move(names);
  node->order.push_back(row.method);
}

App::Found App::find(const std::vector<std::string>& segments) const {
  const auto* node = root_.get();
  std::vector<std::string> values;
  for (const auto& segment : segments) {
    if (const auto it = node->literal.find(segment); it != node->literal.end()) {
      node = it->second.get();
    } else if (node->parameter) {
      values.push_back(segment);
      node = node->parameter.get();
    } else {
      return {};
    }
  }
  Found found;
  if (node->methods.empty()) return found;
  found.node = node;
  for (auto& value : values)
    found.params.emplace_back(std::string(), std::move(value));
  return found;
}

std::string App::source_ip(const http::RequestHead& head) {
  if (const auto* fly = head.header("fly-client-ip")) return fly->substr(0, 64);
  if (const auto* forwarded = head.header("x-forwarded-for")) {
    auto first = forwarded->substr(0, forwarded->find(','));
    const auto from = first.find_first_not_of(' ');
    const auto to = first.find_last_not_of(' ');
    if (from != std::string::npos) return first.substr(from, std::min<std::size_t>(to - from + 1, 64));
  }
  return "127.0.0.1";
}

Task<Result<std::string>> App::read_json(http::Exchange& exchange) {
  const auto& head = exchange.head();
  if (const auto* type = head.header("content-type")) {
    auto media = std::string_view(*type).substr(0, type->find(';'));
    while (!media.empty() && media.back() == ' ')
      media.remove_suffix(1);
    std::string lower(media);
    for (auto& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (lower != "application/json")
      co_return Error(Errc::invalid_argument,
                      fmt::format("unsupported content-type '{}'; send application/json", lower));
  }
  auto body = co_await exchange.read_body(context_.config.body_limit);
  if (!body && body.error().code() == Errc::too_large)
    co_return Error(Errc::invalid_argument,
                    fmt::format("the body is larger than {} bytes; send less, or raise server.request_body_max_bytes",
                                context_.config.body_limit));
  co_return body;
}

Task<void> App::refuse(http::Exchange& exchange, Error error) {
  Response response;
  response.status = status_of(error.code());
  response.body = error_body(exchange.head(), error.message());
  co_await exchange.respond(std::move(response));
}

Task<bool> App::answer(http::Exchange& exchange, const http::Row& row, Result<Reply> reply) {
  const auto& head = exchange.head();
  Response response;
  if (!reply) {
    const auto& error = reply.error();
    response.status = status_of(error.code());
    std::string_view message = error.message();
    std::string code;
    if (error.code() == Errc::internal) {
      code = head.request_id;
      context_.logger.log(LogLevel::error, "internal error",
                          {{"request_id", head.request_id}, {"message", message}, {"detail", error.detail()}});
      message = "internal error; report it with this request id";
    }
    response.body = error_body(head, message, code);
    if (response.status == 503) response.headers.push_back({"retry-after", "1"});
    add_cors(response, "GET, POST, PUT, PATCH, DELETE, OPTIONS", true);
    const bool refused = co_await exchange.respond(std::move(response));
    co_return refused;
  }
  response.status = reply->status;
  response.body = std::move(reply->body);
  const bool open_get = row.method == Verb::get && (row.access == Access::public_ || row.access == Access::console);
  const bool anonymous = row.access == Access::nobody_asked || (open_get && !bearer(head));
  add_cors(response, std::string(method_name(row.method)), !anonymous);
  response.headers.push_back({"x-total-count", std::to_string(reply->total)});
  const bool answered = co_await exchange.respond(std::move(response));
  co_return answered;
}

Task<void> App::run(http::Exchange& exchange, const Endpoint& endpoint, http::Params params) {
  const auto& head = exchange.head();
  http::Input input;
  input.path = std::move(params);
  auto query = http::parse_query(head.query);
  if (!query) {
    co_await refuse(exchange, std::move(query).error());
    co_return;
  }
  input.query = *std::move(query);
  const bool changes = endpoint.row.method != Verb::get && !endpoint.row.reads_only;
  if (endpoint.row.method != Verb::get && endpoint.row.method != Verb::delete_) {
    auto body = co_await read_json(exchange);
    if (!body) {
      co_await refuse(exchange, std::move(body).error());
      co_return;
    }
    input.body = *std::move(body);
  }
  auto bound = endpoint.bind(input);
  if (!bound) {
    co_await refuse(exchange, std::move(bound).error());
    co_return;
  }
  const auto env = context_.env(source_ip(head));
  std::vector<std::function<void()>> after_commit;
  const auto work = [&](st::Connection& c) -> Result<Reply> {
    BENCHER_TRY(auto actor, authenticate(c, context_, head, endpoint.row.access, env.time()));
    Call call{c, context_, env, head, std::move(actor), {}};
    auto reply = (*bound)(call);
    after_commit = std::move(call.after_commit);
    return reply;
  };
  Result<Reply> reply = Reply{};
  if (endpoint.row.access == Access::nobody_asked && !changes) {
    reply = co_await context_.read(work);
  } else if (changes) {
    reply = co_await context_.write(work);
  } else {
    reply = co_await context_.read(work);
  }
  if (reply)
    for (const auto& action : after_commit)
      action();
  co_await answer(exchange, endpoint.row, std::move(reply));
}

Task<void> App::handle(http::Exchange& exchange) {
  const auto& head = exchange.head();
  if (!head.segments.empty() && head.segments.front() == "v2") {
    co_await registry_.handle(exchange);
    co_return;
  }
  auto found = find(head.segments);
  if (!found.node) {
    auto missing = Error(Errc::not_found, "Not Found");
    co_await refuse(exchange, std::move(missing));
    co_return;
  }
  if (head.verb == Verb::options) {
    std::string methods;
    for (const auto verb : found.node->order) {
      if (!methods.empty()) methods += ", ";
      methods += method_name(verb);
    }
    Response response;
    response.body = "null";
    add_cors(response, std::move(methods), true);
    response.headers.push_back({"x-total-count", "1"});
    co_await exchange.respond(std::move(response));
    co_return;
  }
  const auto method = found.node->methods.find(head.verb);
  if (method == found.node->methods.end()) {
    Response response;
    response.status = 405;
    for (const auto verb : found.node->order)
      response.headers.push_back({"allow", std::string(method_name(verb))});
    response.headers.push_back({"allow", "OPTIONS"});
    response.body = error_body(head, "Method Not Allowed");
    co_await exchange.respond(std::move(response));
    co_return;
  }
  const auto& names = found.node->names.at(head.verb);
  for (std::size_t i = 0; i < names.size(); ++i)
    found.params[i].first = names[i];
  const auto [typed, custom] = method->second;
  if (custom)
    co_await custom->handle(*this, exchange, std::move(found.params));
  else
    co_await run(exchange, *typed, std::move(found.params));
}

const std::string& openapi() {
  static const std::string document = [] {
    namespace bj = boost::json;
    bj::object paths, components;
    const auto put = [&](const http::Row& row, auto describe) {
      bj::object op{{"operationId", row.id}, {"summary", row.summary}};
      describe(op, components);
      std::string verb(method_name(row.method));
      for (auto& c : verb)
        c = static_cast<char>(c - 'A' + 'a');
      auto& path = paths[row.path].is_object() ? paths[row.path].get_object() : paths[row.path].emplace_object();
      path[verb] = std::move(op);
    };
    for (const auto table : all_tables)
      for (const auto& e : table())
        put(e.row, e.describe);
    for (const auto table : all_custom)
      for (const auto& e : table())
        put(e.row, e.describe);
    return bj::serialize(bj::object{{"openapi", "3.0.3"},
                                    {"info", {{"title", "Bencher API"}, {"version", "0.6.12"}}},
                                    {"paths", std::move(paths)},
                                    {"components", {{"schemas", std::move(components)}}}});
  }();
  return document;
}

}  // namespace bencher::server
