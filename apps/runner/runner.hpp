// The shell around the runner's step machine: sockets, timers, the sandbox.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "bencher/base/clock.hpp"
#include "bencher/base/logger.hpp"
#include "bencher/client/http.hpp"
#include "bencher/runner/agent.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "apps/runner/host.hpp"
#include "apps/runner/result_spool.hpp"
#include "apps/runner/root_cache.hpp"
#include "lib/http/websocket_client.hpp"

namespace bencher::runner {

struct RunnerOptions {
  std::string host;    ///< the server's URL
  std::string runner;  ///< UUID or slug
  std::string key;
  std::string sandbox = "auto";            ///< for jobs whose spec asks for none
  std::string sandbox_floor = "process";   ///< no job gets less
  std::string best_sandbox = "container";  ///< what `auto` is on this machine
  sandbox::Options sandbox_options = {};   ///< but the work folder, which is below ours
  std::filesystem::path work_dir;
  std::uint32_t max_file_count = 255;
  const HostCare* care = nullptr;          ///< the machine, to be measured before each job
  std::uint64_t max_results = 256u << 20;  ///< bytes of JSON; above, they are cut to what a message holds
  AgentOptions agent;
};

/// Claims and runs jobs until it is asked to stop.
class Runner {
 public:
  Runner(RunnerOptions options, Logger& logger);
  ~Runner();

  /// Blocks. The exit code: 0 after a stop, 1 when the server refuses the runner.
  int run();
  /// The first call lets the job at hand end, the second ends it. Any thread.
  void shutdown();

 private:
  // A thread that does one thing after the other.
  class Worker {
   public:
    Worker();
    ~Worker();
    void post(std::function<void()> task);

   private:
    void loop();
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::thread thread_;
  };

  void push(Event event);
  Instant now() const;
  std::optional<Event> next(Instant until);

  void perform(const Claim& action);
  void perform(const CancelClaim& action);
  void perform(const OpenChannel& action);
  void perform(const Send& action);
  void perform(const CloseChannel& action);
  void perform(const Patch& action);
  void perform(const Prepare& action);
  void perform(const RunIteration& action);
  void perform(const CancelWork& action);
  void perform(const KeepResult& action);
  void perform(const UploadResults& action);
  void perform(const CancelUpload& action);
  void perform(const ForgetResults& action);
  void perform(const CleanUp& action);
  void perform(const Log& action);
  void perform(const Exit& action);

  std::string url(const std::string& path) const;
  Result<ImageConfig> prepare(const ClaimedJob& job);
  void iterate(const RunIteration& action);
  Uploaded upload(const UploadResults& action);

  RunnerOptions options_;
  Logger& logger_;
  SystemClock clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable room_;  // for the program's output
  std::deque<Event> events_;
  std::size_t output_bytes_ = 0;  // in events_
  bool hold_output_ = false;
  bool stopped_ = false;

  AgentState state_;
  std::optional<int> exit_code_;

  client::HttpClient claim_client_, patch_client_;
  std::mutex work_mutex_;  // for the next four
  std::unique_ptr<client::HttpClient> pull_client_;
  std::shared_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<client::HttpClient> upload_client_;
  std::atomic<bool> cancel_work_{false};
  // The worker's alone.
  std::optional<ResultSpool> spool_;
  std::optional<HeldImage> image_;

  std::unique_ptr<http::WebSocketClient> channel_;
  std::uint64_t channel_number_ = 0;

  // Last, so that they end first.
  Worker claimer_, patcher_, worker_;
};

}  // namespace bencher::runner
