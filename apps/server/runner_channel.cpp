// Runners, by the newer protocol: one WebSocket for a runner's whole life, on which it asks for jobs, is given them and
// reports them.
#include "apps/server/runner_session.hpp"

namespace bencher::server {
namespace {

struct RunnerPath {
  ResourceId runner;
};
BOOST_DESCRIBE_STRUCT(RunnerPath, (), (runner))

extern const std::array<CustomEndpoint, 1> channels;

Task<void> runner_channel(App& app, http::Exchange& exchange, http::Params path) {
  auto& context = app.context();
  const std::string id(path[0].second);
  const auto work = [&](st::Connection& c) { return the_runner(c, exchange.head(), id); };
  auto runner = co_await context.read(work);
  if (!runner) {
    co_await app.answer(exchange, channels[0].row, std::move(runner).error());
    co_return;
  }
  auto head = exchange.head();
  announce_features(exchange);
  auto socket = co_await exchange.upgrade(context.config.body_limit);
  if (!socket) {
    if (socket.error().code() == Errc::invalid_argument) co_await app.refuse(exchange, std::move(socket).error());
    co_return;
  }
  std::shared_ptr<http::WebSocket> shared = *std::move(socket);
  auto session = std::make_shared<RunnerSession>(context, runner->id, std::move(shared), std::move(head), id);
  co_await session->run();
}

void describe(boost::json::object& op, boost::json::object& components) {
  http::detail::Arg<Path<RunnerPath>>::describe(op, components);
  op["responses"] = boost::json::object{{"101", boost::json::object{{"description", "a WebSocket"}}}};
}

const std::array<CustomEndpoint, 1> channels{
    CustomEndpoint{{Verb::get, "/v0/runners/{runner}/channel", Access::public_, "runner_channel",
                    "The channel of a runner, for all its jobs"},
                   runner_channel,
                   describe},
};

}  // namespace

std::span<const CustomEndpoint> runner_channel_endpoints() {
  return channels;
}

}  // namespace bencher::server
