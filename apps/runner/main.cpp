#include <CLI/CLI.hpp>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "bencher/image/source.hpp"

#include "apps/runner/host.hpp"
#include "apps/runner/runner.hpp"
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
  for (const char* stale : {"job", "runs"})
    files::remove_tree(path / stale);
  return WorkDir{std::move(path), std::move(lock)};
}

int fail(const Error& error) {
  std::cerr << "Error: " << error.message() << "\n";
  return 1;
}

/// A secret on the command line is for everybody on the machine to read until it is overwritten.
void scrub(int argc, char** argv, const char* flag) {
  const std::size_t length = std::strlen(flag);
  for (int i = 1; i < argc; ++i) {
    char* value = nullptr;
    if (std::strcmp(argv[i], flag) == 0 && i + 1 < argc)
      value = argv[i + 1];
    else if (std::strncmp(argv[i], flag, length) == 0 && argv[i][length] == '=')
      value = argv[i] + length + 1;
    if (value) std::memset(value, '*', std::strlen(value));
  }
}

struct SandboxArguments {
  std::string name = "auto", floor, kernel, cache_dir, firecracker, acceleration = "auto";

  sandbox::Options options(const fs::path& work_dir) const {
    return {.work_dir = work_dir / "runs",
            .cache_dir = cache_dir,
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
  command.add_option("--cache-dir", arguments.cache_dir, "Folder for what microVMs keep of images");
  command
      .add_option("--acceleration", arguments.acceleration,
                  "Of microVMs: `kvm`, `tcg` (emulated, slow), or `auto`: kvm where guests come up under it")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
}

struct UpArguments {
  std::string host = "https://api.bencher.dev", runner, key, work_dir;
  SandboxArguments sandbox;
  runner::HostArguments care;
  unsigned poll_timeout = 30;
  std::uint64_t max_output_size = 25u << 20;
  std::uint32_t max_file_count = 255;
};

int up(const UpArguments& arguments) {
  if (arguments.runner.empty() ||
      arguments.runner.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_.") != std::string::npos) {
    std::cerr << "Error: '" << arguments.runner << "' is not a runner's UUID or slug\n";
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
  files::remove_tree(work_dir->path / "job");
  return code;
}

struct RunArguments {
  std::string image, tag, work_dir;
  SandboxArguments sandbox;
  runner::HostArguments care;
  std::vector<std::string> entrypoint, cmd, env, output;
  std::uint32_t cpus = 1, iterations = 1, max_file_count = 255;
  std::uint64_t memory = 512, disk = 1024, max_output_size = 25u << 20;  // MiB, MiB, bytes
  unsigned timeout = 300;
  bool network = false, allow_failure = false;
};

class PrintSink final : public sandbox::EventSink {
 public:
  void output(sandbox::Stream stream, std::string_view bytes) override {
    (stream == sandbox::Stream::stdout_ ? std::cout : std::cerr) << bytes << std::flush;
  }
  void warning(std::string_view text) override { std::cerr << "warning: " << text << "\n"; }
};

int run(const RunArguments& arguments) {
  auto work_dir = open_work_dir(arguments.work_dir, "local-" + std::to_string(getpid()));
  if (!work_dir) return fail(work_dir.error());
  StderrLogger logger(LogLevel::warning);
  const runner::HostCare care(arguments.care, work_dir->path, logger);
  const auto inner = [&]() -> Result<int> {
    BENCHER_TRY(auto layout, OciLayout::open(arguments.image));
    BENCHER_TRY(const auto digest, layout.resolve(arguments.tag));
    BENCHER_TRY(const auto name,
                sandbox::choose("", arguments.sandbox.name, "process", arguments.sandbox.best(work_dir->path)));
    auto sandbox_options = arguments.sandbox.options(work_dir->path);
    care.place(sandbox_options);
    BENCHER_TRY(auto box, sandbox::make(name, sandbox_options));
    PullOptions pull_options;
    pull_options.limits.bytes = arguments.disk << 20;
    fs::create_directories(work_dir->path / "job");
    const auto root = work_dir->path / "job" / "root";
    BENCHER_TRY(const auto image, pull(layout, digest, root, pull_options));

    runner::ClaimedJob job{.uuid = {},
                           .sandbox = {},
                           .architecture = {},
                           .registry = {},
                           .project = {},
                           .digest = digest,
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
    request.max_file_count = arguments.max_file_count;
    request.file_paths = arguments.output;
    request.image_digest = digest.str();
    const sandbox::Machine machine{.cpu = arguments.cpus,
                                   .memory = arguments.memory << 20,
                                   .disk = arguments.disk << 20,
                                   .network = arguments.network};
    PrintSink sink;
    for (std::uint32_t i = 0; i < arguments.iterations; ++i) {
      BENCHER_TRY(const auto outcome, box->run(root, machine, request, sink));
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
  up_command->add_option("--key", up_arguments.key, "Key of this runner; better in the environment")
      ->envname("BENCHER_RUNNER_KEY")
      ->required();
  up_command->add_option("--poll-timeout", up_arguments.poll_timeout, "Seconds that a claim waits for a job")
      ->check(CLI::Range(1, 60))
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
  auto* run_command = app.add_subcommand("run", "Run an image from disk once, without a server");
  run_command->add_option("--image", run_arguments.image, "OCI image layout: a folder or an archive")->required();
  run_command->add_option("--tag", run_arguments.tag, "Which image of the layout");
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

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  scrub(argc, argv, "--key");
  try {
    if (check_command->parsed()) return check(check_arguments);
    return up_command->parsed() ? up(up_arguments) : run(run_arguments);
  } catch (const std::exception& error) {
    std::cerr << "Error: " << error.what() << "\n";
    return 1;
  }
}
