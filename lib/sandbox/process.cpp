// A plain process of this machine: limits and a sure end, but no isolation.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "lib/sandbox/backend.hpp"

namespace bencher::sandbox {

using files::Fd;

namespace {

class Process final : public Sandbox {
 public:
  explicit Process(const Options& options) : options_(options) {}

  std::string_view name() const override { return "process"; }
  void cancel() noexcept override { cancel_.set(); }

  Result<Outcome> run(const std::filesystem::path& image, const Machine& machine, const Request& request,
                      EventSink& events) override {
    BENCHER_DO(check_request(machine, request));
    events.warning("the process sandbox isolates nothing: the program can reach all that the runner can");
    if (!request.user.empty() && request.user != "0" && request.user != "root")
      events.warning("the process sandbox does not switch to the image's user '" + request.user + "'");

    BENCHER_TRY(const auto folder, RunFolder::make(options_.work_dir));
    std::filesystem::path root = image;
    if (!request.disposable_root) {
      root = folder.path() / "root";
      BENCHER_DO(files::copy_tree(image, root, [this] { return cancel_.is_set(); }));
    }
    Fd root_fd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_fd) return files::system_error("cannot open the image's root '" + root.string() + "'");
    Program program;
    if (auto outcome = cannot_start(root_fd.get(), request, events, program)) return *std::move(outcome);

    std::optional<Cgroup> group;
    const auto cpus = cpus_for(options_, machine.cpu, events);
    if (auto made = Cgroup::create(machine, {.cpus = cpus, .exclusive = options_.exclusive_cpus}))
      group.emplace(*std::move(made));
    else
      events.warning("limits hold for each process only, not for all together: " + made.error().message());

    Fd working_dir = files::open_in_root(root_fd.get(), request.working_dir, O_PATH | O_DIRECTORY);
    if (!working_dir) working_dir = files::open_in_root(root_fd.get(), "/", O_PATH | O_DIRECTORY);
    Launch launch;
    launch.program = program.path;
    launch.arguments = request.command;
    launch.env = environment(request, {});
    launch.working_dir = working_dir.get();
    launch.cpus = cpus;
    launch.limits = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, machine.disk}, {RLIMIT_NOFILE, 65536}};
    // Address space that is only reserved counts here, so it is for want of anything better.
    if (!group) {
      launch.limits.push_back({RLIMIT_AS, machine.memory});
      launch.limits.push_back({RLIMIT_DATA, machine.memory});
    }
    if (request.timeout.count() > 0) {
      // A last resort, above what the timeout lets any number of threads use.
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(request.timeout + request.grace).count() + 1;
      launch.limits.push_back(
          {RLIMIT_CPU, static_cast<std::uint64_t>(seconds) * std::max(1u, std::thread::hardware_concurrency())});
    }
    StartFailure failure;
    auto outcome = supervise(launch,
                             {.request = request,
                              .events = events,
                              .cancel = cancel_,
                              .cgroup = group ? &*group : nullptr,
                              .terminate_by_cgroup = false,
                              .open_root = [&](int) { return Fd(fcntl(root_fd.get(), F_DUPFD_CLOEXEC, 0)); }},
                             failure);
    if (outcome || failure.step != "exec") return outcome;
    // Found, but the kernel cannot start it: an interpreter that is missing, or no program at all.
    const std::string line =
        "bencher: '" + request.command[0] + "' cannot be started: " + outcome.error().message() + "\n";
    events.output(Stream::stderr_, line);
    Outcome ended;
    ended.exit_code = failure.code == ENOENT ? 127 : 126;
    ended.stderr_bytes = line.size();
    return ended;
  }

 private:
  Options options_;
  CancelFlag cancel_;
};

}  // namespace

Result<std::unique_ptr<Sandbox>> make_process(const Options& options) {
  Cgroup::sweep();
  return std::unique_ptr<Sandbox>(std::make_unique<Process>(options));
}

}  // namespace bencher::sandbox
