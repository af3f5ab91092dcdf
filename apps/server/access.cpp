#include "apps/server/access.hpp"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <fmt/core.h>

#include "bencher/auth/credential.hpp"
#include "bencher/base/encoding.hpp"

#include "apps/server/app.hpp"

namespace bencher::server {
namespace {

constexpr std::int64_t token_seconds = 300;

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

Error denied(std::string message) {
  return Error(Errc::forbidden, std::move(message));
}
Error unauthenticated() {
  return Error(Errc::unauthenticated, "Authentication required");
}

/// What the scopes of a token request ask for: one repository, with the actions of all scopes that name it.
Result<OciScope> read_scopes(const std::vector<std::string>& scopes) {
  OciScope out;
  for (const auto& scope : scopes) {
    const auto wrong = [&] {
      return Error(Errc::invalid_argument,
                   fmt::format("Invalid scope format: {}. Expected: repository:name:pull,push", scope));
    };
    if (!scope.starts_with("repository:")) return wrong();
    const auto rest = std::string_view(scope).substr(11);
    const auto colon = rest.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong();
    const auto name = rest.substr(0, colon);
    auto actions = rest.substr(colon + 1);
    if (actions.empty()) return wrong();
    const bool mine = !out.repository || *out.repository == name;
    if (!out.repository) out.repository = std::string(name);
    while (!actions.empty()) {
      const auto comma = actions.find(',');
      const auto action = actions.substr(0, comma);
      actions.remove_prefix(comma == std::string_view::npos ? actions.size() : comma + 1);
      if (action != "pull" && action != "push") return wrong();
      if (mine && !has(out.actions, action)) out.actions.emplace_back(action);
    }
  }
  return out;
}

/// Turns the name and secret of a token request into an audience and a subject.
struct Identity {
  std::string audience;
  std::string subject;
  Actor actor;
};

Result<Identity> identify(st::Connection& c, const Context& context, std::string_view name, std::string_view secret,
                          Timestamp now) {
  if (has_key_prefix(KeyKind::project, secret)) {
    if (!is_key(KeyKind::project, secret)) return unauthenticated();
    const auto owner = st::project_by_key(c, hash_key(secret), now);
    if (!owner || (name != owner->project.project.slug && name != owner->project.project.uuid.str()))
      return unauthenticated();
    Identity out{"oci_project", owner->project.project.uuid.str(), {}};
    out.actor.kind = Actor::Kind::project_key;
    out.actor.project = owner->project;
    return out;
  }
  const auto email = Email::parse(name);
  if (!email) return unauthenticated();
  std::optional<st::UserRow> user;
  if (has_key_prefix(KeyKind::user, secret)) {
    if (!is_key(KeyKind::user, secret)) return unauthenticated();
    if (auto owner = st::user_by_key(c, hash_key(secret), now)) user = std::move(owner->user);
  } else if (auto claims = decode_token(secret, context.config.secret_key, context.config.issuer, now);
             claims && claims->audience == "api_key" && !st::token_revoked(c, secret)) {
    user = st::user_by_email(c, claims->subject);
  }
  if (!user || user->user.locked || user->user.email != email->str()) return unauthenticated();
  Identity out{"oci_auth", user->user.email, {}};
  out.actor.kind = Actor::Kind::user;
  out.actor.user = std::move(user);
  return out;
}

/// Whether a credential may have a token for that. (A token for nobody is always given, and checked when it is used.)
Result<void> may_have(st::Connection& c, const Identity& who, const OciScope& scope) {
  if (!scope.repository || scope.actions.empty()) return {};
  const bool push = has(scope.actions, "push");
  if (who.audience == "oci_project") {
    const auto& project = who.actor.project->project;
    if (*scope.repository != project.slug && *scope.repository != project.uuid.str())
      return denied("The project key is not authorized for the requested repository");
    if (!push) return denied("Project keys cannot be used for pull-only access; ask for pull,push");
    return {};
  }
  if (who.actor.is_admin()) return {};
  if (!push) return denied("Only admins of the server can pull images");
  const auto id = ResourceId::parse(*scope.repository);
  if (!id) return {};
  const auto project = st::find_project(c, *id);
  if (project && st::has_members(c, project->organization_id) && !pipeline::permitted(c, who.actor, *project))
    return denied(fmt::format("Access denied to repository: {}. You need a role in the project", *scope.repository));
  return {};
}

struct TokenRequest {
  std::vector<std::string> scopes;
  std::optional<std::string> name;
  std::optional<std::string> secret;
};

std::string host_of(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(url);
  return parsed ? std::string(parsed->host()) : std::string("localhost");
}

std::string oci_error(std::string_view code, std::string_view message) {
  std::string out = R"({"errors":[{"code":)";
  json::write_text(out, code);
  out += R"(,"message":)";
  json::write_text(out, message);
  return out + "}]}";
}

struct Issued {
  std::string token;
  OciScope scope;
};

Task<Result<Issued>> issue(Context& context, TokenRequest request) {
  auto scope = read_scopes(request.scopes);
  if (!scope) co_return std::move(scope).error();
  const auto now = Timestamp::of(context.clock.now());
  const auto work = [&](st::Connection& c) -> Result<Identity> {
    if (!request.name) return Identity{"oci_public", "", {}};
    BENCHER_TRY(auto who, identify(c, context, *request.name, request.secret.value_or(""), now));
    BENCHER_DO(may_have(c, who, *scope));
    return who;
  };
  auto who = co_await context.read(work);
  if (!who) co_return std::move(who).error();
  TokenClaims claims;
  claims.audience = who->audience;
  claims.subject = who->subject;
  claims.issued_at = now.seconds;
  claims.expires = now.seconds + token_seconds;
  claims.issuer = context.config.issuer;
  claims.oci = *scope;
  auto token = encode_token(claims, context.config.secret_key);
  Issued out{std::move(token), *std::move(scope)};
  co_return out;
}

Task<void> refuse_token(App& app, http::Exchange& exchange, Error error, const std::vector<std::string>& scopes) {
  if (error.code() == Errc::invalid_argument || error.code() == Errc::unavailable) {
    co_await app.refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response;
  response.status = status_of(error.code());
  const auto& config = app.context().config;
  if (response.status == 401) {
    std::string challenge = fmt::format(R"(Bearer realm="{}v0/auth/oci/token",service="{}")", config.registry_url,
                                        host_of(config.registry_url));
    if (!scopes.empty()) challenge += fmt::format(R"(,scope="{}")", scopes.front());
    response.headers.push_back({"www-authenticate", std::move(challenge)});
  }
  response.headers.push_back({"access-control-allow-origin", "*"});
  response.body = oci_error(response.status == 401 ? "UNAUTHORIZED" : "DENIED", error.message());
  co_await exchange.respond(std::move(response));
}

Task<void> answer_token(http::Exchange& exchange, std::string body) {
  http::Response response;
  response.headers.push_back({"access-control-allow-origin", "*"});
  response.headers.push_back({"cache-control", "no-store"});
  response.body = std::move(body);
  co_await exchange.respond(std::move(response));
}

Task<void> get_token(App& app, http::Exchange& exchange, http::Params) {
  const auto& head = exchange.head();
  auto query = http::parse_query(head.query);
  if (!query) {
    co_await app.refuse(exchange, std::move(query).error());
    co_return;
  }
  TokenRequest request;
  for (auto& [key, value] : *query)
    if (key == "scope") request.scopes.push_back(std::move(value));
  if (const auto* header = head.header("authorization");
      header && (header->starts_with("Basic ") || header->starts_with("basic "))) {
    auto pair = base64_decode(std::string_view(*header).substr(6));
    const auto colon = pair ? pair->find(':') : std::string::npos;
    // A pair that cannot be read is a bad one, not none.
    request.name = colon == std::string::npos ? std::string() : pair->substr(0, colon);
    request.secret = colon == std::string::npos ? std::string() : pair->substr(colon + 1);
  }
  const auto scopes = request.scopes;
  auto issued = co_await issue(app.context(), std::move(request));
  if (!issued) {
    co_await refuse_token(app, exchange, std::move(issued).error(), scopes);
    co_return;
  }
  auto body = fmt::format(R"({{"token":"{}","expires_in":{},"issued_at":"{}"}})", issued->token, token_seconds,
                          Timestamp::of(app.context().clock.now()).str());
  co_await answer_token(exchange, std::move(body));
}

Task<void> post_token(App& app, http::Exchange& exchange, http::Params) {
  auto body = co_await exchange.read_body(64 * 1024);
  auto form = body ? http::parse_query(*body) : Result<http::Params>(Error(body.error()));
  if (!form) {
    co_await app.refuse(exchange, std::move(form).error());
    co_return;
  }
  TokenRequest request;
  std::string grant_type, scope_text;
  for (auto& [key, value] : *form) {
    if (key == "grant_type") grant_type = value;
    if (key == "username") request.name = value;
    if (key == "password") request.secret = value;
    if (key == "scope") scope_text = value;
  }
  if (grant_type != "password") {
    http::Response response;
    response.status = 400;
    response.body = R"({"error":"unsupported_grant_type","error_description":"only grant_type=password is supported"})";
    co_await exchange.respond(std::move(response));
    co_return;
  }
  for (std::string_view rest = scope_text; !rest.empty();) {
    const auto space = rest.find(' ');
    if (space != 0) request.scopes.emplace_back(rest.substr(0, space));
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  }
  if (!request.name) request.name = "";
  const auto scopes = request.scopes;
  auto issued = co_await issue(app.context(), std::move(request));
  if (!issued) {
    co_await refuse_token(app, exchange, std::move(issued).error(), scopes);
    co_return;
  }
  std::string scope_json;
  json::write_text(scope_json, scope_text);
  auto text = fmt::format(R"({{"access_token":"{}","expires_in":{},"scope":{},"issued_at":"{}"}})", issued->token,
                          token_seconds, scope_json, Timestamp::of(app.context().clock.now()).str());
  co_await answer_token(exchange, std::move(text));
}

void describe_token(boost::json::object& op, boost::json::object&) {
  op["responses"] = boost::json::object{{"default", boost::json::object{{"description", "a registry token"}}}};
}

const std::array<CustomEndpoint, 2> tokens{
    CustomEndpoint{
        {Verb::get, "/v0/auth/oci/token", Access::nobody_asked, "auth_oci_token_get", "Get a token for the registry"},
        get_token,
        describe_token},
    CustomEndpoint{{Verb::post, "/v0/auth/oci/token", Access::nobody_asked, "auth_oci_token_post",
                    "Get a token for the registry by name and password"},
                   post_token,
                   describe_token},
};

/// The project of a name, made by a push when it may be.
Result<RegistryGrant> grant(st::Connection& c, const pipeline::Env& env, const TokenClaims& claims,
                            const std::string& name, bool push, bool create) {
  const auto unknown = [&] { return Error(Errc::not_found, "Repository not found: " + name); };
  auto id = ResourceId::parse(name);
  if (!id) return unknown();
  auto project = st::find_project(c, *id);
  Actor actor;
  if (claims.audience == "oci_auth") {
    auto user = st::user_by_email(c, claims.subject);
    if (!user || user->user.locked) return unauthenticated();
    actor.kind = Actor::Kind::user;
    actor.user = std::move(user);
  }
  if (!project) {
    if (!push || !create || id->uuid() || claims.audience == "oci_project") return unknown();
    BENCHER_TRY(project, pipeline::create_project_on_the_fly(c, env, actor, name, name));
    return RegistryGrant{project->project.uuid.str()};
  }
  if (claims.audience == "oci_runner") return RegistryGrant{project->project.uuid.str()};
  if (claims.audience == "oci_project") {
    if (claims.subject != project->project.uuid.str())
      return denied("The project key is not authorized for the requested repository");
    return RegistryGrant{project->project.uuid.str()};
  }
  const bool claimed = st::has_members(c, project->organization_id);
  if (actor.kind == Actor::Kind::anonymous) {
    if (claimed) return unauthenticated();
    return RegistryGrant{project->project.uuid.str()};
  }
  if (!claimed && push && create) {
    BENCHER_DO(pipeline::claim_organization(c, env, project->organization_id, actor.user->id));
  } else if (claimed && !pipeline::permitted(c, actor, *project)) {
    return denied(fmt::format("Access denied to repository: {}. You need a role in the project", name));
  }
  return RegistryGrant{project->project.uuid.str()};
}

}  // namespace

std::span<const CustomEndpoint> token_endpoints() {
  return tokens;
}

Task<Result<RegistryGrant>> ProjectRegistryAccess::authorize(const http::RequestHead& head, std::string name, bool push,
                                                             bool create) {
  const auto env = context_.env();
  const auto token = bearer(head);
  if (!token) co_return unauthenticated();
  auto claims = decode_token(*token, context_.config.secret_key, context_.config.issuer, env.time());
  if (!claims) co_return Error(Errc::unauthenticated, "Invalid or expired token");
  static constexpr std::string_view audiences[] = {"oci_auth", "oci_project", "oci_public", "oci_runner"};
  if (std::find(std::begin(audiences), std::end(audiences), claims->audience) == std::end(audiences))
    co_return unauthenticated();
  if (name.empty()) co_return RegistryGrant{};
  if (push && claims->audience == "oci_runner") co_return Error(Errc::unauthenticated, "Invalid or expired token");
  if (!claims->oci || claims->oci->repository != name) co_return denied("Token not valid for repository: " + name);
  if (!has(claims->oci->actions, push ? "push" : "pull"))
    co_return denied(push ? "Token does not permit Push action" : "Token does not permit Pull action");
  // Only a push that may make or claim a project writes.
  if (push && create) {
    const auto work = [&](st::Connection& c) { return grant(c, env, *claims, name, push, create); };
    auto granted = co_await context_.write(work);
    co_return granted;
  }
  const auto work = [&](st::Connection& c) { return grant(c, env, *claims, name, push, create); };
  auto granted = co_await context_.read(work);
  co_return granted;
}

}  // namespace bencher::server
