#include "apps/runner/runner.hpp"

#include "bencher/client/registry.hpp"

#include "lib/image/files.hpp"

namespace bencher::runner {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Of the program's output, between the sandbox and the machine.
constexpr std::size_t queue_limit = 256 * 1024;

}  // namespace

Runner::Worker::Worker() : thread_([this] { loop(); }) {}

Runner::Worker::~Worker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Runner::Worker::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Runner::Worker::loop() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }
}

Runner::Runner(RunnerOptions options, Logger& logger) : options_(std::move(options)), logger_(logger) {
  while (options_.host.ends_with('/'))
    options_.host.pop_back();
  options_.work_dir = std::filesystem::absolute(options_.work_dir);
  state_.options = options_.agent;
}

Runner::~Runner() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_.notify_all();
  channel_.reset();
  claim_client_.cancel();
  patch_client_.cancel();
  perform(CancelWork{});
  perform(CancelUpload{});
}

int Runner::run() {
  // Signs of life do not disturb the programs. The workers were started before, and keep all processors.
  if (options_.care) host::keep_thread_on(options_.care->layout().housekeeping);
  push(Started{});
  while (!exit_code_) {
    auto event = next(state_.wake_at);
    const Event happened = event ? *std::move(event) : Event(Tick{});
    auto [state, actions] = step(std::move(state_), happened, now());
    state_ = std::move(state);
    {
      std::lock_guard lock(mutex_);
      hold_output_ = state_.hold_output();
    }
    room_.notify_all();
    for (const auto& action : actions)
      std::visit([this](const auto& a) { perform(a); }, action);
  }
  return *exit_code_;
}

void Runner::shutdown() {
  push(Shutdown{});
}

Instant Runner::now() const {
  return clock_.now();
}

void Runner::push(Event event) {
  {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  wake_.notify_one();
}

std::optional<Event> Runner::next(Instant until) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !events_.empty(); };
  // The far future is beyond what a wait can take.
  const auto most = now() + std::chrono::hours(1);
  wake_.wait_until(lock, std::min(until, most), ready);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  if (const auto* output = std::get_if<Output>(&event)) output_bytes_ -= output->bytes.size();
  return event;
}

std::string Runner::url(const std::string& path) const {
  return options_.host + "/v0/runners/" + options_.runner + path;
}

void Runner::perform(const Claim& action) {
  claimer_.post([this, poll = action.poll_timeout] {
    client::HttpRequest request;
    request.method = "POST";
    request.url = url("/jobs");
    request.headers = {{"Authorization", "Bearer " + options_.key}, {"Content-Type", "application/json"}};
    request.body = "{\"poll_timeout\":" + std::to_string(poll.count()) + "}";
    request.total_timeout = poll + seconds(30);
    request.max_body = 8u << 20;
    const auto response = claim_client_.send(request);
    if (!response) {
      push(ClaimRefused{0, response.error().message()});
    } else if (response->status != 200) {
      push(ClaimRefused{response->status, "the server answered " + std::to_string(response->status) + ": " +
                                              response->body.substr(0, 300)});
    } else {
      push(Claimed{parse_claim(response->body)});
    }
  });
}

void Runner::perform(const CancelClaim&) {
  claim_client_.cancel();
}

void Runner::perform(const OpenChannel& action) {
  perform(CloseChannel{});
  const auto number = channel_number_;
  // What a channel says after its end was decided is of no interest.
  const auto forward = [this, number](Event event) {
    std::unique_lock lock(mutex_);
    if (number != channel_number_) return;
    events_.push_back(std::move(event));
    lock.unlock();
    wake_.notify_one();
  };
  const auto features = std::make_shared<std::string>();
  channel_ = std::make_unique<http::WebSocketClient>(
      http::WebSocketClient::Options{.url = url(action.job.empty() ? "/channel" : "/jobs/" + action.job + "/channel"),
                                     .headers = {{"Authorization", "Bearer " + options_.key}}},
      http::WebSocketClient::Events{
          .on_open = [forward, features] { forward(ChannelOpened{*features}); },
          .on_message = [forward](std::string text) { forward(ChannelMessage{std::move(text)}); },
          .on_closed =
              [forward](http::WebSocketClient::Closed closed) {
                forward(ChannelClosed{closed.was_open, closed.status, closed.code, std::move(closed.reason)});
              },
          .on_upgraded =
              [features](const http::WebSocketClient::Headers& headers) {
                for (const auto& [name, value] : headers)
                  if (name == "bencher-features") *features += (features->empty() ? "" : ", ") + value;
              }});
}

void Runner::perform(const Send& action) {
  if (channel_) channel_->send(action.text);
}

void Runner::perform(const CloseChannel&) {
  {
    std::lock_guard lock(mutex_);
    ++channel_number_;
  }
  channel_.reset();
}

void Runner::perform(const Patch& action) {
  patcher_.post([this, action] {
    client::HttpRequest request;
    request.method = "PATCH";
    request.url = url("/jobs/" + action.job);
    request.headers = {{"Authorization", "Bearer " + options_.key}, {"Content-Type", "application/json"}};
    request.body = action.body;
    request.total_timeout = seconds(30);
    const auto response = patch_client_.send(request);
    push(response ? PatchAnswered{response->status, response->body} : PatchAnswered{0, response.error().message()});
  });
}

void Runner::perform(const Prepare& action) {
  cancel_work_ = false;
  worker_.post([this, job = action.job] {
    spool_.emplace(options_.work_dir / "results", options_.max_results);
    try {
      Prepared prepared{prepare(job)};
      // Last before the program, and with nothing of ours at work.
      if (prepared.image && options_.care) prepared.host = options_.care->measure(job.cpu);
      push(std::move(prepared));
    } catch (const std::exception& e) {
      push(Prepared{Error(Errc::internal, std::string("the image could not be prepared: ") + e.what())});
    }
  });
}

Result<ImageConfig> Runner::prepare(const ClaimedJob& job) {
  BENCHER_TRY(const auto name, sandbox::choose(job.sandbox.value_or(""), options_.sandbox, options_.sandbox_floor,
                                               options_.best_sandbox));
  sandbox::Options sandbox_options = options_.sandbox_options;
  sandbox_options.work_dir = options_.work_dir / "runs";
  BENCHER_TRY(auto made, sandbox::make(name, sandbox_options));
  client::HttpClient* http = nullptr;
  {
    std::lock_guard lock(work_mutex_);
    sandbox_ = std::move(made);
    pull_client_ = std::make_unique<client::HttpClient>();
    http = pull_client_.get();
  }
  if (cancel_work_) return Error(Errc::cancelled, "cancelled");
  BENCHER_TRY(auto cache,
              sandbox::ImageCache::open(
                  sandbox_options.cache_dir.empty() ? sandbox::ImageCache::default_folder() : sandbox_options.cache_dir,
                  sandbox_options.cache_bytes));
  client::RetryPolicy retry;
  retry.wait = [this](milliseconds time) {
    std::unique_lock lock(mutex_);
    return !room_.wait_for(lock, time, [this] { return stopped_ || cancel_work_; });
  };
  client::RegistrySource source(*http, job.registry, job.project, job.oci_token, retry);
  PullOptions pull_options;
  pull_options.limits.bytes = job.disk;
  pull_options.cancelled = [this] { return cancel_work_.load(); };
  auto image = hold_image(cache, job.registry + "\n" + job.project, source, job.digest, pull_options);
  if (!image) return std::move(image).error().within("cannot pull the image");
  image_ = *std::move(image);
  return image_->config;
}

void Runner::perform(const RunIteration& action) {
  worker_.post([this, action] {
    try {
      iterate(action);
    } catch (const std::exception& e) {
      push(RunFailed{Error(Errc::internal, std::string("the sandbox failed: ") + e.what())});
    }
  });
}

void Runner::iterate(const RunIteration& action) {
  // Waits while there is more output than the machine wants now.
  class Sink final : public sandbox::EventSink {
   public:
    explicit Sink(Runner& runner) : runner_(runner) {}
    void started() override { runner_.push(ProgramStarted{}); }
    void output(sandbox::Stream stream, std::string_view bytes) override {
      runner_.spool_->output(stream == sandbox::Stream::stderr_, bytes);
      {
        std::unique_lock lock(runner_.mutex_);
        runner_.room_.wait(lock, [&] {
          return runner_.stopped_ || runner_.cancel_work_ ||
                 (!runner_.hold_output_ && runner_.output_bytes_ < queue_limit);
        });
        runner_.output_bytes_ += bytes.size();
        runner_.events_.push_back(Output{stream == sandbox::Stream::stderr_, std::string(bytes)});
      }
      runner_.wake_.notify_one();
    }
    void warning(std::string_view text) override { runner_.logger_.log(LogLevel::warning, text, {}); }

   private:
    Runner& runner_;
  } sink(*this);

  std::shared_ptr<sandbox::Sandbox> box;
  {
    std::lock_guard lock(work_mutex_);
    box = sandbox_;
  }
  sandbox::Machine machine{
      .cpu = action.job.cpu, .memory = action.job.memory, .disk = action.job.disk, .network = action.job.network};
  sandbox::Request request;
  request.command = action.command;
  request.env = action.env;
  request.working_dir = action.working_dir;
  request.user = action.user;
  request.timeout = action.job.timeout;
  request.max_output = options_.agent.max_output;
  request.file_paths = action.job.file_paths;
  request.max_file_count = options_.max_file_count;
  request.max_file_bytes = options_.agent.max_output;
  request.image_digest = action.job.digest.str();
  auto outcome = box->run(image_->root, machine, request, sink);
  if (!outcome) {
    push(RunFailed{std::move(outcome).error()});
    return;
  }
  push(Ended{.exit_code = outcome->exit_code,
             .timed_out = outcome->timed_out,
             .cancelled = outcome->cancelled,
             .oom_kills = outcome->oom_kills,
             .wall = outcome->wall,
             .files = std::move(outcome->files)});
}

void Runner::perform(const CancelWork&) {
  cancel_work_ = true;
  {
    // So that a waiting sink does not miss it.
    std::lock_guard lock(mutex_);
  }
  room_.notify_all();
  std::lock_guard lock(work_mutex_);
  if (pull_client_) pull_client_->cancel();
  if (sandbox_) sandbox_->cancel();
}

void Runner::perform(const KeepResult& action) {
  worker_.post([this, action] {
    if (spool_) spool_->keep(action.exit_code, action.files);
  });
}

void Runner::perform(const UploadResults& action) {
  {
    std::lock_guard lock(work_mutex_);
    upload_client_ = std::make_unique<client::HttpClient>();
  }
  worker_.post([this, action] { push(upload(action)); });
}

Uploaded Runner::upload(const UploadResults& action) {
  constexpr std::uint64_t slowest = 64 * 1024;  // bytes a second
  if (!spool_) return {400, "there are none"};
  const auto file = spool_->finish(action.error);
  if (!file) return {413, file.error().message()};
  client::HttpRequest request;
  request.method = "PUT";
  request.url = url("/jobs/" + action.job + "/results");
  request.headers = {{"Authorization", "Bearer " + options_.key}, {"Content-Type", "application/json"}};
  request.body_file = *file;
  request.total_timeout = seconds(60 + std::filesystem::file_size(*file) / slowest);
  client::HttpClient* http = nullptr;
  {
    std::lock_guard lock(work_mutex_);
    http = upload_client_.get();
  }
  const auto response = http->send(request);
  if (!response) return {0, response.error().message()};
  return {response->status, std::to_string(response->status) + ": " + response->body.substr(0, 300)};
}

void Runner::perform(const CancelUpload&) {
  std::lock_guard lock(work_mutex_);
  if (upload_client_) upload_client_->cancel();
}

void Runner::perform(const ForgetResults&) {
  worker_.post([this] {
    spool_.reset();
    files::remove_tree(options_.work_dir / "results");
  });
}

void Runner::perform(const CleanUp&) {
  worker_.post([this] {
    {
      std::lock_guard lock(work_mutex_);
      sandbox_.reset();
      pull_client_.reset();
    }
    image_.reset();
  });
}

void Runner::perform(const Log& action) {
  logger_.log(action.level, action.text, {});
}

void Runner::perform(const Exit& action) {
  exit_code_ = action.code;
}

}  // namespace bencher::runner
