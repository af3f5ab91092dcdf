#include "apps/cli/run_local.hpp"

#include <filesystem>
#include <ostream>
#include <unistd.h>

#include <fmt/format.h>

#include "bencher/image/source.hpp"
#include "bencher/pipeline/pipeline.hpp"
#include "bencher/runner/job.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "apps/cli/exit_code.hpp"

namespace bencher::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view local_name = "local";

/// Shows the program's output as it comes, and keeps it.
class ShowAndKeep final : public sandbox::EventSink {
 public:
  explicit ShowAndKeep(std::ostream* to) : to_(to) {}
  void output(sandbox::Stream stream, std::string_view bytes) override {
    const bool standard = stream == sandbox::Stream::stdout_;
    (standard ? out : err) += (standard ? out_utf8_ : err_utf8_).feed(bytes);
    if (to_) *to_ << bytes << std::flush;
  }
  void warning(std::string_view text) override {
    if (to_) *to_ << "warning: " << text << '\n';
  }
  void finish() {
    out += out_utf8_.finish();
    err += err_utf8_.finish();
  }
  std::string out, err;

 private:
  std::ostream* to_;
  runner::Utf8Stream out_utf8_, err_utf8_;
};

/// A folder that goes when it is done with.
struct WorkFolder {
  explicit WorkFolder(fs::path p) : path(std::move(p)) { fs::create_directories(path); }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

struct Layout {
  std::string path;
  std::string tag;
};

/// `path`, or `path:tag` when no such path exists.
Layout layout_of(const std::string& image) {
  if (fs::exists(image)) return {image, ""};
  const auto colon = image.rfind(':');
  if (colon != std::string::npos && fs::exists(image.substr(0, colon)))
    return {image.substr(0, colon), image.substr(colon + 1)};
  throw Failure{Exit::usage,
                fmt::format("'{}' is not there; with --local, --image takes the path of an OCI image layout, a "
                            "folder or an archive",
                            image)};
}

}  // namespace

struct LocalHistory::Impl {
  Impl(World& w, const std::string& dir, bool q)
      : world(w),
        directory(dir),
        quiet(q),
        store(must(Store::open((directory / "bencher.db").string()))),
        blobs(directory / "registry", world.random),
        pipeline(store, blobs, world.clock, world.random) {}

  Uuid<Runner> runner() {
    if (const auto known = pipeline.runner(std::string(local_name))) return known->uuid;
    const auto spec = pipeline.spec(std::string(local_name));
    const auto uuid =
        spec ? spec->uuid
             : must(pipeline.add_spec(
                        {.name = std::string(local_name), .memory = 4ll << 30, .disk = 4ll << 30, .is_default = true}))
                   .uuid;
    return must(pipeline.add_runner(std::string(local_name), {uuid})).uuid;
  }

  /// Runs the image once for each iteration asked for.
  JobOutput execute(const ClaimedJob& claimed, OciLayout& layout, const Digest& digest) {
    const WorkFolder work(fs::temp_directory_path() / fmt::format("bencher-run-{}", ::getpid()));
    const auto wanted = world.env("BENCHER_SANDBOX").value_or("container");
    auto box = must(sandbox::make(wanted, {.work_dir = work.path / "runs"}));
    PullOptions options;
    options.limits.bytes = static_cast<std::uint64_t>(claimed.spec.disk);
    const auto root = work.path / "root";
    const auto image = must(pull(layout, digest, root, options));

    const auto& config = claimed.config;
    runner::ClaimedJob job{.uuid = claimed.uuid.str(),
                           .sandbox = {},
                           .architecture = {},
                           .registry = {},
                           .project = {},
                           .digest = digest,
                           .image = config.image.value_or(""),
                           .entrypoint = config.entrypoint,
                           .cmd = config.cmd,
                           .env = {},
                           .file_paths = config.file_paths.value_or(std::vector<std::string>()),
                           .build_time = config.build_time.value_or(false),
                           .file_size = config.file_size.value_or(false),
                           .oci_token = {}};
    if (config.env) job.env.assign(config.env->begin(), config.env->end());

    sandbox::Request request;
    request.command = runner::command_of(job, image);
    if (request.command.empty())
      throw Failure{Exit::job_failed,
                    "the image has no entrypoint and no command; name one with --entrypoint or --exec"};
    request.env = runner::env_of(job, image);
    request.working_dir = image.working_dir.empty() ? "/" : image.working_dir;
    request.user = image.user;
    request.image_digest = digest.str();
    request.timeout = std::chrono::seconds(claimed.timeout);
    request.file_paths = job.file_paths;
    const sandbox::Machine machine{.cpu = static_cast<std::uint32_t>(claimed.spec.cpu),
                                   .memory = static_cast<std::uint64_t>(claimed.spec.memory),
                                   .disk = static_cast<std::uint64_t>(claimed.spec.disk),
                                   .network = claimed.spec.network};
    JobOutput output;
    for (std::uint32_t i = 0; i < config.iter.value_or(1); ++i) {
      ShowAndKeep sink(quiet ? nullptr : &world.err);
      const auto outcome = must(box->run(root, machine, request, sink));
      sink.finish();
      IterationOutput iteration;
      iteration.exit_code = outcome.timed_out ? 124 : outcome.exit_code;
      iteration.stdout_ = std::move(sink.out);
      iteration.stderr_ = std::move(sink.err);
      if (job.build_time || job.file_size) {
        auto measured = runner::measured(job, outcome.files, outcome.wall);
        if (!measured.empty()) iteration.output = std::move(measured);
      } else if (!outcome.files.empty()) {
        iteration.output = outcome.files;
      }
      output.results.push_back(std::move(iteration));
      if (config.allow_failure.value_or(false)) continue;
      if (outcome.timed_out)
        output.error = fmt::format("iteration {} timed out after {} s", i, claimed.timeout);
      else if (outcome.exit_code != 0)
        output.error = fmt::format("iteration {} ended with exit code {}{}", i, outcome.exit_code,
                                   outcome.oom_kills > 0 ? " (out of memory)" : "");
      if (output.error) break;
    }
    return output;
  }

  World& world;
  fs::path directory;
  bool quiet;
  Store store;
  BlobStore blobs;
  Pipeline pipeline;
};

LocalHistory::LocalHistory(World& world, const std::string& directory, bool quiet) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) throw Failure{Exit::usage, fmt::format("cannot make the folder '{}': {}", directory, failed.message())};
  impl_ = std::make_unique<Impl>(world, directory, quiet);
}

LocalHistory::~LocalHistory() = default;

json::Value LocalHistory::submit(const json::Value& body) {
  auto& pipeline = impl_->pipeline;
  auto run = must(parse_new_run(body.compact()));
  if (!run.project) run.project = *ResourceId::parse(local_name);
  if (run.project->slug()) must(pipeline.project(run.project->slug()->str(), context_project_name(run)));
  const auto show = [](const Report& report) { return must(json::Value::parse(print(report))); };
  if (!run.job) return show(must(pipeline.submit(run)));

  const auto where = layout_of(run.job->image);
  auto layout = must(OciLayout::open(where.path));
  const auto digest = must(layout.resolve(where.tag));
  const auto runner = impl_->runner();
  run.job->image = fmt::format("{}@{}", local_name, digest.str());
  const auto report = must(pipeline.submit(run));
  const auto uuid = *report.job;
  // A run that was broken off may have left an older job: it is given up, so that this one is next.
  for (;;) {
    const auto claimed = must(pipeline.claim(runner));
    if (!claimed) throw Failure{Exit::internal, "the job that was just submitted is not in the queue"};
    if (claimed->uuid != uuid) {
      must(pipeline.cancel(claimed->uuid));
      continue;
    }
    must(pipeline.start(uuid));
    JobOutput output;
    try {
      output = impl_->execute(*claimed, layout, digest);
    } catch (const Failure& failure) {
      output.error = failure.message;
      must(pipeline.fail(uuid, output));
      throw Failure{Exit::job_failed, "the job failed: " + failure.message};
    }
    const auto job = output.error ? must(pipeline.fail(uuid, output)) : must(pipeline.complete(uuid, output));
    if (job.status == JobStatus::failed)
      throw Failure{
          Exit::job_failed,
          "the job failed: " + (job.output && job.output->error ? *job.output->error : std::string("see its output"))};
    return show(must(pipeline.report(report.uuid)));
  }
}

}  // namespace bencher::cli
