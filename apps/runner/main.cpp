#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <random>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include "bencher/client/registry.hpp"
#include "bencher/image/reference.hpp"
#include "bencher/image/source.hpp"

#include "apps/runner/host.hpp"
#include "apps/runner/runner.hpp"
#include "apps/runner/settings.hpp"
#include "lib/image/files.hpp"

namespace {

using namespace bencher;
namespace fs = std::filesystem;

constexpr const char* version = "0.6.12";

/// One line each on standard error: time, level, event, key=value.
class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(LogLevel least = LogLevel::info)
      : log_("runner", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    log_.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    log_.set_level(least == LogLevel::info ? spdlog::level::info : spdlog::level::warn);
    log_.flush_on(spdlog::level::trace);
  }
  void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) override {
    std::string line(event);
    for (const auto& [key, value] : fields)
      line += " " + std::string(key) + "=" + std::string(value);
    // What came from elsewhere stays on its line.
    for (char& c : line)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    switch (level) {
      case LogLevel::debug: log_.debug("{}", line); return;
      case LogLevel::info: log_.info("{}", line); return;
      case LogLevel::warning: log_.warn("{}", line); return;
      case LogLevel::error: log_.error("{}", line); return;
    }
  }

 private:
  spdlog::logger log_;
};

/// A folder of ours alone, locked against other runners.
struct WorkDir {
  fs::path path;
  files::Fd lock;
};

Result<WorkDir> open_work_dir(const std::string& given, const std::string& name) {
  fs::path path = given;
  if (path.empty()) {
    std::string safe = name;
    for (char& c : safe)
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
    path = fs::path("/var/tmp") / ("bencher-runner-" + std::to_string(geteuid()));
    mkdir(path.c_str(), 0700);
    struct stat info {};
    // Others may write to /var/tmp, too.
    if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid())
      return Error(Errc::unavailable, "'" + path.string() + "' belongs to somebody else; give --work-dir");
    path /= safe.empty() ? "local" : safe;
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Error(Errc::unavailable, "cannot make the work folder '" + path.string() + "': " + error.message());
  chmod(path.c_str(), 0700);
  files::Fd lock(open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return files::system_error("cannot use the work folder '" + path.string() + "'");
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error(Errc::conflict,
                 "the work folder '" + path.string() + "' is in use by another runner; give --work-dir");
  for (const char* stale : {"job", "runs", "results"})
    files::remove_tree(path / stale);
  return WorkDir{std::move(path), std::move(lock)};
}

int fail(const Error& error) {
  std::cerr << "Error: " << error.message() << "\n";
  return 1;
}

struct SandboxArguments {
  std::string name = "auto", floor, kernel, cache_dir, firecracker, acceleration = "auto";
  std::uint64_t cache_size = 10ull << 30;  // bytes

  sandbox::Options options(const fs::path& work_dir) const {
    return {.work_dir = work_dir / "runs",
            .cache_dir = cache_dir,
            .cache_bytes = cache_size,
            .kernel = kernel,
            .acceleration = acceleration == "kvm"   ? sandbox::Acceleration::kvm
                            : acceleration == "tcg" ? sandbox::Acceleration::tcg
                                                    : sandbox::Acceleration::automatic,
            .firecracker = firecracker};
  }
  // Who says `process` for all jobs trusts them all.
  std::string least() const { return !floor.empty() ? floor : name == "process" ? "process" : "container"; }
  // What `auto` stands for; only looked for when it is said.
  std::string best(const fs::path& work_dir) const {
    return std::string(name == "auto" ? sandbox::best_name(options(work_dir)) : "container");
  }
};

void add_sandbox_options(CLI::App& command, SandboxArguments& arguments, bool with_floor) {
  std::vector<std::string> names{"auto"};
  for (const auto name : sandbox::names())
    names.emplace_back(name);
  names.emplace_back("firecracker");  // a spec's word for microvm
  command
      .add_option("--sandbox", arguments.name,
                  "What jobs run in when their spec does not say; `auto`: microvm where KVM works, else container; "
                  "`process` isolates nothing")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  if (with_floor) {
    names.erase(names.begin());
    command
        .add_option("--sandbox-floor", arguments.floor,
                    "The least that a job runs in, whatever its spec says; container, unless --sandbox is process")
        ->check(CLI::IsMember(names));
  }
  command.add_option("--kernel", arguments.kernel, "Linux kernel of microVMs, boot/vmlinuz-VERSION; else looked for");
  command.add_option("--firecracker", arguments.firecracker, "Program to run microVMs with, in place of QEMU");
  command.add_option("--cache-dir", arguments.cache_dir,
                     "Folder for images that were pulled, and what is made of them; shared by this user's runners");
  command
      .add_option("--cache-size", arguments.cache_size,
                  "Bytes of that folder, with KiB, MiB, GiB or TiB; what was used longest ago goes beyond")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("10GiB");
  command
      .add_option("--acceleration", arguments.acceleration,
                  "Of microVMs: `kvm`, `tcg` (emulated, slow), or `auto`: kvm where guests come up under it")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
}

std::string machine_architecture() {
  utsname name{};
  uname(&name);
  return name.machine;
}

struct UpArguments {
  std::string host = "https://api.bencher.dev", runner, key, key_file, work_dir;
  SandboxArguments sandbox;
  runner::HostArguments care;
  std::string protocol = "auto";
  unsigned poll_timeout = 30, reconnect_delay = 5;  // seconds
  std::uint64_t max_output_size = 25u << 20;
  std::uint32_t max_file_count = 255;
};

int up(const UpArguments& arguments) {
  if (arguments.runner.empty() ||
      arguments.runner.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_.") != std::string::npos) {
    std::cerr << "Error: '" << arguments.runner << "' is not a runner's UUID or slug; give --runner\n";
    return 2;
  }
  auto work_dir = open_work_dir(arguments.work_dir, arguments.runner);
  if (!work_dir) return fail(work_dir.error());
  // Better now than with the first job.
  const auto best = arguments.sandbox.best(work_dir->path);
  auto sandbox_options = arguments.sandbox.options(work_dir->path);
  const auto name = sandbox::choose("", arguments.sandbox.name, arguments.sandbox.least(), best);
  if (!name) return fail(name.error());
  if (auto sandbox = sandbox::make(*name, sandbox_options); !sandbox) return fail(sandbox.error());

  StderrLogger logger;
  struct stat info {};
  if (!arguments.key_file.empty() && stat(arguments.key_file.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    logger.log(LogLevel::warning, "others than this user may read the key file; chmod 600",
               {{"file", arguments.key_file}});
  const runner::HostCare care(arguments.care, work_dir->path, logger);
  care.place(sandbox_options);
  logger.log(LogLevel::info, "jobs run in the sandbox", {{"name", *name}, {"floor", arguments.sandbox.least()}});
  runner::RunnerOptions options{.host = arguments.host,
                                .runner = arguments.runner,
                                .key = arguments.key,
                                .sandbox = arguments.sandbox.name,
                                .sandbox_floor = arguments.sandbox.least(),
                                .best_sandbox = best,
                                .sandbox_options = sandbox_options,
                                .work_dir = work_dir->path,
                                .max_file_count = arguments.max_file_count,
                                .care = &care,
                                .agent = {}};
  options.agent.protocol = arguments.protocol == "jobs"      ? runner::Protocol::jobs
                           : arguments.protocol == "channel" ? runner::Protocol::channel
                                                             : runner::Protocol::automatic;
  options.agent.os = "linux";
  options.agent.arch = machine_architecture();
  options.agent.version = version;
  std::random_device random;
  options.agent.seed = std::uint64_t{random()} << 32 | random();
  // A server that refuses is not asked without a pause.
  options.agent.reconnect = std::max(std::chrono::milliseconds(100),
                                     std::chrono::milliseconds(std::chrono::seconds(arguments.reconnect_delay)));
  options.agent.poll_timeout = std::chrono::seconds(arguments.poll_timeout);
  options.agent.max_output = arguments.max_output_size;

  // Every thread has them blocked; one waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1})
    sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  int code = 0;
  {
    runner::Runner runner(std::move(options), logger);
    std::thread waiter([&] {
      for (int count = 1;; ++count) {
        int number = 0;
        if (sigwait(&signals, &number) != 0 || number == SIGUSR1) return;
        if (count > 2) _exit(1);
        logger.log(LogLevel::info, count == 1 ? "stopping" : "stopping at once", {});
        runner.shutdown();
      }
    });
    code = runner.run();
    pthread_kill(waiter.native_handle(), SIGUSR1);
    waiter.join();
  }
  return code;
}

struct RunArguments {
  std::string image, tag, token, work_dir;
  SandboxArguments sandbox;
  runner::HostArguments care;
  std::vector<std::string> entrypoint, cmd, env, output;
  std::uint32_t cpus = 1, iterations = 1, max_file_count = 255;
  std::uint64_t memory = 512, disk = 1024, max_output_size = 25u << 20;  // MiB, MiB, bytes
  unsigned timeout = 300, grace_period = 1;                              // seconds
  bool network = false, allow_failure = false;
};

class PrintSink final : public sandbox::EventSink {
 public:
  void output(sandbox::Stream stream, std::string_view bytes) override {
    (stream == sandbox::Stream::stdout_ ? std::cout : std::cerr) << bytes << std::flush;
  }
  void warning(std::string_view text) override { std::cerr << "warning: " << text << "\n"; }
};

/// Where a registry is: those on this machine speak plain HTTP.
std::string registry_url(const std::string& host) {
  const auto name = host.substr(0, host.find(':'));
  if (name == "localhost" || name == "127.0.0.1") return "http://" + host;
  return host == ImageReference::default_registry ? "https://registry-1.docker.io" : "https://" + host;
}

/// The image of a layout on disk, unpacked into the work folder, or of a registry, unpacked in the cache.
Result<runner::HeldImage> find_image(const RunArguments& arguments, const fs::path& work_dir,
                                     const PullOptions& options) {
  std::error_code ignored;
  const bool on_disk = fs::exists(arguments.image, ignored);
  const auto reference = ImageReference::parse(arguments.image);
  const bool is_path = arguments.image.starts_with('/') || arguments.image.starts_with('.');
  if (on_disk || is_path || !reference) {
    BENCHER_TRY(auto layout, OciLayout::open(arguments.image));
    BENCHER_TRY(const auto digest, layout.resolve(arguments.tag));
    fs::create_directories(work_dir / "job");
    runner::HeldImage image{digest, {}, work_dir / "job" / "root", {}};
    BENCHER_TRY(image.config, pull(layout, digest, image.root, options));
    return image;
  }
  const auto url = registry_url(reference->registry());
  const bool official = reference->registry() == ImageReference::default_registry &&
                        reference->repository().find('/') == std::string::npos;
  const auto repository = (official ? "library/" : "") + reference->repository();
  client::HttpClient http;
  client::RegistrySource source(http, url, repository, arguments.token);
  auto digest = reference->digest().empty() ? source.resolve(arguments.tag.empty() ? reference->tag() : arguments.tag)
                                            : Digest::parse(reference->digest());
  if (!digest) return std::move(digest).error().within("'" + arguments.image + "' is nothing on disk, and no image");
  const auto cache_options = arguments.sandbox.options(work_dir);
  BENCHER_TRY(auto cache,
              sandbox::ImageCache::open(
                  cache_options.cache_dir.empty() ? sandbox::ImageCache::default_folder() : cache_options.cache_dir,
                  cache_options.cache_bytes));
  return runner::hold_image(cache, url + "\n" + repository, source, *digest, options);
}

int run(const RunArguments& arguments) {
  auto work_dir = open_work_dir(arguments.work_dir, "local-" + std::to_string(getpid()));
  if (!work_dir) return fail(work_dir.error());
  StderrLogger logger(LogLevel::warning);
  const runner::HostCare care(arguments.care, work_dir->path, logger);
  const auto inner = [&]() -> Result<int> {
    if (arguments.iterations == 0) return 0;
    BENCHER_TRY(const auto name,
                sandbox::choose("", arguments.sandbox.name, "process", arguments.sandbox.best(work_dir->path)));
    auto sandbox_options = arguments.sandbox.options(work_dir->path);
    care.place(sandbox_options);
    BENCHER_TRY(auto box, sandbox::make(name, sandbox_options));
    PullOptions pull_options;
    pull_options.limits.bytes = arguments.disk << 20;
    BENCHER_TRY(const auto held, find_image(arguments, work_dir->path, pull_options));
    const auto& image = held.config;

    runner::ClaimedJob job{.uuid = {},
                           .sandbox = {},
                           .architecture = {},
                           .registry = {},
                           .project = {},
                           .digest = held.digest,
                           .image = {},
                           .entrypoint = {},
                           .cmd = {},
                           .env = {},
                           .file_paths = {},
                           .oci_token = {}};
    if (!arguments.entrypoint.empty()) job.entrypoint = arguments.entrypoint;
    if (!arguments.cmd.empty()) job.cmd = arguments.cmd;
    for (const auto& variable : arguments.env) {
      const auto equals = variable.find('=');
      if (equals == std::string::npos || equals == 0)
        return Error(Errc::invalid_argument,
                     "'" + variable + "' is not an environment variable; write --env KEY=VALUE");
      job.env.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
    }
    sandbox::Request request;
    request.command = runner::command_of(job, image);
    request.env = runner::env_of(job, image);
    request.working_dir = image.working_dir.empty() ? "/" : image.working_dir;
    request.user = image.user;
    request.timeout = std::chrono::seconds(arguments.timeout);
    request.max_output = request.max_file_bytes = arguments.max_output_size;
    request.grace = std::chrono::seconds(arguments.grace_period);
    request.max_file_count = arguments.max_file_count;
    request.file_paths = arguments.output;
    request.image_digest = held.digest.str();
    const sandbox::Machine machine{.cpu = arguments.cpus,
                                   .memory = arguments.memory << 20,
                                   .disk = arguments.disk << 20,
                                   .network = arguments.network};
    PrintSink sink;
    for (std::uint32_t i = 0; i < arguments.iterations; ++i) {
      BENCHER_TRY(const auto outcome, box->run(held.root, machine, request, sink));
      for (const auto& [path, text] : outcome.files) {
        std::cerr << "== " << path << "\n";
        std::cout << text << std::flush;
      }
      if (arguments.allow_failure) continue;
      if (outcome.timed_out)
        return Error(Errc::timed_out, "timed out after " + std::to_string(arguments.timeout) + " s");
      if (outcome.exit_code != 0) {
        return Error(Errc::conflict, "the benchmark ended with exit code " + std::to_string(outcome.exit_code) +
                                         (outcome.oom_kills ? " (out of memory)" : ""));
      }
    }
    return 0;
  };
  auto code = inner();
  const auto path = work_dir->path;
  work_dir->lock.reset();
  for (const char* part : {"job", "runs"})
    files::remove_tree(path / part);
  if (arguments.work_dir.empty()) files::remove_tree(path);
  if (!code) return fail(code.error());
  return *code;
}

int check(const SandboxArguments& arguments) {
  auto work_dir = open_work_dir({}, "check-" + std::to_string(getpid()));
  if (!work_dir) return fail(work_dir.error());
  const auto options = arguments.options(work_dir->path);
  auto features = sandbox::features(options);
  for (auto& feature : runner::host_features())
    features.push_back(std::move(feature));
  const auto best = sandbox::choose("", arguments.name, "process", arguments.best(work_dir->path));
  work_dir->lock.reset();
  files::remove_tree(work_dir->path);
  if (!best) return fail(best.error());
  bool usable = false;
  for (const auto& feature : features) {
    std::string name = feature.name;
    name.resize(std::max<std::size_t>(name.size(), 14), ' ');
    std::cout << name << (feature.usable ? "yes  " : "no   ") << feature.text;
    if (!feature.remedy.empty()) std::cout << "; " << feature.remedy;
    std::cout << "\n";
    usable = usable || (feature.usable && feature.name == *best);
  }
  std::cout << "--sandbox " << arguments.name << " means " << *best << " here\n";
  return usable ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs benchmark jobs of a bencher server", "bencher-runner");
  app.set_version_flag("--version", std::string("bencher-runner ") + version);
  app.require_subcommand(1);

  UpArguments up_arguments;
  auto* up_command = app.add_subcommand("up", "Claim jobs from a server and run them, until stopped");
  up_command->add_option("--host", up_arguments.host, "URL of the server")
      ->envname("BENCHER_HOST")
      ->capture_default_str();
  up_command->add_option("--runner", up_arguments.runner, "UUID or slug of this runner")
      ->envname("BENCHER_RUNNER")
      ->required();
  auto* key_option = up_command->add_option("--key", up_arguments.key, "Key of this runner; better in a file")
                         ->envname("BENCHER_RUNNER_KEY");
  auto* key_file_option =
      up_command->add_option("--key-file", up_arguments.key_file, "File with the key of this runner");
  std::string config;
  up_command->add_option("--config", config,
                         "File with settings, one JSON object: {\"cache_size\": \"20GiB\"} is --cache-size 20GiB. "
                         "Flags count more than the environment, and that more than the file");
  up_command
      ->add_option("--protocol", up_arguments.protocol,
                   "How to talk to the server: `jobs`, a claim and a channel for each job; `channel`, one channel for "
                   "all, as Bencher 0.6.12 has it; `auto`: jobs where the server has it")
      ->check(CLI::IsMember({"auto", "jobs", "channel"}))
      ->capture_default_str();
  up_command
      ->add_option("--poll-timeout", up_arguments.poll_timeout,
                   "Seconds that a claim waits for a job; 60 at most by `jobs`")
      ->check(CLI::Range(1, 900))
      ->capture_default_str();
  up_command
      ->add_option("--reconnect-delay", up_arguments.reconnect_delay,
                   "Seconds until a lost channel is opened again, and as much again at random; of `channel`")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  add_sandbox_options(*up_command, up_arguments.sandbox, true);
  up_command->add_option("--max-output-size", up_arguments.max_output_size, "Bytes of each output stream")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  up_command->add_option("--max-file-count", up_arguments.max_file_count, "Output files of a job")
      ->capture_default_str();
  up_command->add_option("--work-dir", up_arguments.work_dir, "Folder for images while they run");
  runner::add_host_options(*up_command, up_arguments.care);

  RunArguments run_arguments;
  auto* run_command = app.add_subcommand("run", "Run an image once, without a server");
  run_command
      ->add_option(
          "--image", run_arguments.image,
          "OCI image layout, a folder or an archive; or an image of a registry, such as localhost:61016/bench:v1")
      ->required();
  run_command->add_option("--tag", run_arguments.tag, "Which image of the layout or repository");
  run_command->add_option("--token", run_arguments.token, "Bearer token for the registry");
  add_sandbox_options(*run_command, run_arguments.sandbox, false);
  run_command->add_option("--entrypoint", run_arguments.entrypoint, "In place of the image's")->expected(1, 64);
  run_command->add_option("--cmd", run_arguments.cmd, "In place of the image's")->expected(1, 64);
  run_command->add_option("--env", run_arguments.env, "KEY=VALUE, repeatable")->expected(1)->take_all();
  run_command->add_option("--output", run_arguments.output, "File to print at the end, repeatable")
      ->expected(1)
      ->take_all();
  run_command->add_option("--vcpus", run_arguments.cpus, "Cores")->check(CLI::PositiveNumber)->capture_default_str();
  run_command->add_option("--memory", run_arguments.memory, "MiB")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  run_command->add_option("--disk", run_arguments.disk, "MiB")->check(CLI::Range(1, 1 << 30))->capture_default_str();
  run_command->add_option("--timeout", run_arguments.timeout, "Seconds of each iteration")->capture_default_str();
  run_command
      ->add_option("--grace-period", run_arguments.grace_period,
                   "Seconds between the polite and the final end of a program that is out of time")
      ->check(CLI::Range(1, 900))
      ->capture_default_str();
  run_command->add_option("--iter", run_arguments.iterations, "Iterations")->capture_default_str();
  run_command->add_option("--max-output-size", run_arguments.max_output_size, "Bytes of each output stream")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  run_command->add_option("--max-file-count", run_arguments.max_file_count, "Output files")->capture_default_str();
  run_command->add_option("--work-dir", run_arguments.work_dir, "Folder for the image while it runs");
  run_command->add_flag("--network", run_arguments.network, "Let it reach the network");
  runner::add_host_options(*run_command, run_arguments.care);
  run_command->add_flag("--allow-failure", run_arguments.allow_failure, "Go on after a failed iteration");

  SandboxArguments check_arguments;
  auto* check_command = app.add_subcommand("check", "Say which sandboxes this machine has, and what the rest need");
  add_sandbox_options(*check_command, check_arguments, false);

  for (auto* command : {up_command, run_command, check_command})
    runner::name_variables(*command);
  const char* config_variable = std::getenv("BENCHER_RUNNER_CONFIG");
  const bool is_up = argc > 1 && std::string_view(argv[1]) == "up";
  auto config_file = is_up ? runner::argument(argc, argv, "--config") : std::nullopt;
  if (is_up && !config_file && config_variable && *config_variable) config_file = config_variable;
  if (config_file) {
    if (auto applied = runner::apply_settings(*up_command, *config_file); !applied) {
      std::cerr << "Error: " << applied.error().message() << "\n";
      return 2;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto given = [&](const char* flag, const CLI::Option* option, const std::string& value) {
    using runner::Given;
    return runner::argument(argc, argv, flag) ? Given::by_flag
           : option->count() > 0              ? Given::by_variable
           : !value.empty()                   ? Given::by_settings
                                              : Given::no;
  };
  if (up_command->parsed()) {
    const auto key_given = given("--key", key_option, up_arguments.key);
    const auto file_given = given("--key-file", key_file_option, up_arguments.key_file);
    auto key = runner::choose_key(up_arguments.key, key_given, up_arguments.key_file, file_given);
    if (!key) {
      std::cerr << "Error: " << key.error().message() << "\n";
      return 2;
    }
    if (key_given >= file_given) up_arguments.key_file.clear();
    up_arguments.key = *std::move(key);
  }
  runner::hide_argument(argc, argv, "--key");
  runner::hide_argument(argc, argv, "--token");
  runner::hide_variable("BENCHER_RUNNER_KEY");
  runner::hide_variable("BENCHER_RUNNER_TOKEN");
  try {
    if (check_command->parsed()) return check(check_arguments);
    return up_command->parsed() ? up(up_arguments) : run(run_arguments);
  } catch (const std::exception& error) {
    std::cerr << "Error: " << error.what() << "\n";
    return 1;
  }
}
