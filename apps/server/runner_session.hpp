// The shell around the channels' step machine: the socket, the store, those who watch.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bencher/job/channel.hpp"

#include "apps/server/runner_jobs.hpp"

namespace bencher::server {

/// One connection of a runner, of either protocol.
class RunnerSession : public RunnerConnection, public std::enable_shared_from_this<RunnerSession> {
 public:
  /// `head` and `id` are the request's and its path's: the key is looked at again with each claim.
  RunnerSession(Context& context, st::RunnerId runner, std::shared_ptr<http::WebSocket> socket, http::RequestHead head,
                std::string id);

  /// The channel of one job, until it ends.
  Task<void> run_job(st::JobRow job);
  /// The channel of a runner for all its jobs, until it ends.
  Task<void> run();

  void cancel() override;
  void close(std::uint16_t code, std::string reason) override;

 private:
  channel::Options options() const;
  Task<void> loop();
  Task<void> tell(channel::Event event);
  std::vector<channel::Action> step(const channel::Event& event);
  void sync();

  using Answer = std::optional<channel::Event>;
  Task<Answer> perform(channel::Say action);
  Task<Answer> perform(channel::Close action);
  Task<Answer> perform(channel::Drop action);
  Task<Answer> perform(channel::Advance action);
  Task<Answer> perform(channel::Finish action);
  Task<Answer> perform(channel::Beat action);
  Task<Answer> perform(channel::Log action);
  Task<Answer> perform(channel::Reach action);
  Task<Answer> perform(channel::Host action);
  Task<Answer> perform(channel::Poll action);
  Task<Answer> perform(channel::Resume action);
  Task<channel::Polled> give(const Attempt& attempt);
  channel::Held held(st::JobRow row);

  Context& context_;
  st::RunnerId runner_;
  std::shared_ptr<http::WebSocket> socket_;
  http::RequestHead head_;
  std::string id_;
  channel::State state_;
  std::optional<st::JobRow> row_;  ///< of the job that the machine holds, or is about to
  std::shared_ptr<LiveJob> live_;
};

}  // namespace bencher::server
