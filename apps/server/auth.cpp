// Signing up, in and the confirmation of it.
#include <fmt/core.h>

#include "bencher/auth/credential.hpp"
#include "bencher/project/slug.hpp"

#include "apps/server/api.hpp"
#include "lib/auth/json.hpp"

namespace bencher::server {
namespace {

constexpr std::int64_t confirm_seconds = 1800;
constexpr std::int64_t session_seconds = 2592000;

struct Signup {
  UserName name;
  std::optional<Slug> slug;
  Email email;
  std::optional<std::string> plan;
  std::optional<std::string> invite;
  std::optional<AnyUuid> claim;
  bool i_agree = false;
  std::optional<std::string> recaptcha_token;
};
BOOST_DESCRIBE_STRUCT(Signup, (), (name, slug, email, plan, invite, claim, i_agree, recaptcha_token))
struct Login {
  Email email;
  std::optional<std::string> plan;
  std::optional<std::string> invite;
  std::optional<std::string> recaptcha_token;
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, plan, invite, recaptcha_token))
struct Ack {
  std::string email;
};
BOOST_DESCRIBE_STRUCT(Ack, (), (email))
struct Confirm {
  std::string token;
};
BOOST_DESCRIBE_STRUCT(Confirm, (), (token))
struct AuthUser {
  User user;
  std::string token;
  Timestamp creation;
  Timestamp expiration;
};
BOOST_DESCRIBE_STRUCT(AuthUser, (), (user, token, creation, expiration))

std::string issue(Call& call, std::string_view audience, std::string_view email, std::int64_t seconds) {
  TokenClaims claims;
  claims.audience = audience;
  claims.issued_at = call.now().seconds;
  claims.expires = call.now().seconds + seconds;
  claims.issuer = call.context.config.issuer;
  claims.subject = email;
  return encode_token(claims, call.context.config.secret_key);
}

/// Without a mail server the message goes to the log, where the operator of a private server reads it.
void send_confirmation(Call& call, const User& user, std::string_view subject, const std::optional<std::string>& plan) {
  const auto token = issue(call, "auth", user.email, confirm_seconds);
  const auto url = fmt::format("{}auth/confirm?{}token={}", call.context.config.console_url,
                               plan ? "plan=" + *plan + "&" : "", token);
  const auto message = fmt::format("To: {} <{}>\nSubject: {}\nBody: \n{}\nConfirmation Token: {}", user.name,
                                   user.email, subject, url, token);
  call.after_commit.push_back([&logger = call.context.logger, message] {
    logger.log(LogLevel::info, "mail", {{"message", message}});
  });
}

/// Adds the user to the organization that an invite is for.
Result<void> accept_invite(Call& call, st::UserId user, const std::string& email, const std::string& invite) {
  auto claims = decode_token(invite, call.context.config.secret_key, call.context.config.issuer, call.now());
  if (!claims || claims->audience != "invite" || !claims->organization)
    return Error(Errc::unauthenticated, "the invite is not valid; ask for a new one");
  if (claims->subject != email) return Error(Errc::unauthenticated, "the invite was sent to another address");
  BENCHER_TRY(const auto id, ResourceId::parse(*claims->organization));
  const auto organization = st::find_organization(call.c, id);
  if (!organization) return not_found("organization", id.str());
  return st::insert_organization_role(call.c, organization->id, user, "leader", call.now());
}

Result<Accepted<Ack>> signup(Call& call, const Body<Signup>& body) {
  const auto& in = body.value;
  if (!in.i_agree)
    return Error(Errc::forbidden, "signing up needs `i_agree` to be true: agree to the terms of the server");
  User user;
  user.uuid = Uuid<User>(call.env.uuid());
  user.name = in.name.str();
  user.slug = pipeline::free_slug(call.env, text(in.slug), user.name,
                                  [&](std::string_view s) { return st::user_slug_taken(call.c, s); });
  user.email = in.email.str();
  user.admin = st::count_users(call.c) == 0;
  user.created = call.now();
  BENCHER_TRY(const auto id, st::insert_user(call.c, user));
  if (in.invite) {
    BENCHER_DO(accept_invite(call, id, user.email, *in.invite));
  } else if (in.claim) {
    const auto organization = st::find_organization(call.c, ResourceId(*in.claim));
    if (!organization) return not_found("organization", in.claim->str());
    if (st::has_members(call.c, organization->id))
      return Error(Errc::unauthenticated, "the organization has been claimed already");
    BENCHER_DO(pipeline::claim_organization(call.c, call.env, organization->id, id));
  } else {
    BENCHER_DO(pipeline::personal_organization(call.c, call.env, st::UserRow{id, user}));
  }
  send_confirmation(call, user, "Confirm your Bencher account", in.plan);
  return Accepted<Ack>{{user.email}};
}

Result<Accepted<Ack>> login(Call& call, const Body<Login>& body) {
  const auto row = st::user_by_email(call.c, body.value.email.str());
  if (!row) return Error(Errc::not_found, fmt::format("there is no user '{}'; sign up first", body.value.email.str()));
  if (row->user.locked) return Error(Errc::forbidden, "the account is locked; ask an admin of the server");
  if (body.value.invite) BENCHER_DO(accept_invite(call, row->id, row->user.email, *body.value.invite));
  send_confirmation(call, row->user, "Log in to Bencher", body.value.plan);
  return Accepted<Ack>{{row->user.email}};
}

Result<Ok<AuthUser>> confirm(Call& call, const Body<Confirm>& body) {
  if (!is_jwt(body.value.token)) return Error(Errc::invalid_argument, "/token: not a JSON Web Token");
  auto claims = decode_token(body.value.token, call.context.config.secret_key, call.context.config.issuer, call.now());
  if (!claims || claims->audience != "auth")
    return Error(Errc::unauthenticated, "the confirmation token is not valid; log in again to get a new one");
  const auto row = st::user_by_email(call.c, claims->subject);
  if (!row) return Error(Errc::not_found, fmt::format("there is no user '{}'", claims->subject));
  if (row->user.locked) return Error(Errc::forbidden, "the account is locked; ask an admin of the server");
  return Ok<AuthUser>{{row->user, issue(call, "client", row->user.email, session_seconds), call.now(),
                       Timestamp{call.now().seconds + session_seconds}}};
}

constexpr std::array table{
    endpoint<signup>({Verb::post, "/v0/auth/signup", Access::nobody_asked, "auth_signup_post", "Sign up"}),
    endpoint<login>({Verb::post, "/v0/auth/login", Access::nobody_asked, "auth_login_post", "Log in"}),
    endpoint<confirm>({Verb::post, "/v0/auth/confirm", Access::nobody_asked, "auth_confirm_post",
                       "Turn a confirmation token into a session token"}),
};

}  // namespace

std::span<const Endpoint> auth_endpoints() {
  return table;
}

}  // namespace bencher::server
