// How long each sandbox takes around a program that does nothing: from the call to the program's start, and to the end
// of everything. A microVM also with nothing kept from earlier runs.
#include "bencher/sandbox/sandbox.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include "support.hpp"

namespace {

using namespace bencher;
namespace fs = std::filesystem;

class Sink final : public sandbox::EventSink {
 public:
  void started() override { at = bench::Clock::now(); }
  void output(sandbox::Stream, std::string_view) override {}
  bench::Clock::time_point at;
};

fs::path build_root(const fs::path& dir) {
  fs::create_directories(dir / "root/bin");
  fs::copy_file("/bin/busybox", dir / "root/bin/busybox");
  fs::create_symlink("busybox", dir / "root/bin/true");
  return dir / "root";
}

void measure(const char* label, const char* name, const sandbox::Options& options, const fs::path& root, bool cold,
             int runs) {
  std::vector<double> start, whole;
  std::string problem;
  for (int i = 0; i < runs; ++i) {
    if (cold) fs::remove_all(options.cache_dir);
    const auto begin = bench::Clock::now();
    auto box = sandbox::make(name, options);
    if (!box) {
      problem = box.error().message();
      break;
    }
    sandbox::Request request;
    request.command = {"/bin/true"};
    request.image_digest = "sha256:" + std::string(64, '1');
    Sink sink;
    const auto outcome = (*box)->run(root, {.memory = 256u << 20, .disk = 1u << 30}, request, sink);
    if (!outcome || outcome->exit_code != 0) {
      problem = outcome ? "exit code " + std::to_string(outcome->exit_code) : outcome.error().message();
      break;
    }
    start.push_back(bench::milliseconds(sink.at - begin));
    whole.push_back(bench::milliseconds(bench::Clock::now() - begin));
  }
  if (!problem.empty()) {
    std::printf("| %s | %s | |\n", label, problem.c_str());
    return;
  }
  std::printf("| %s | %.0f | %.0f |\n", label, bench::percentile(start, 0.5), bench::percentile(whole, 0.5));
  std::fflush(stdout);
}

}  // namespace

int main() {
  const auto dir = fs::temp_directory_path() / ("bencher-bench-sandbox-" + std::to_string(getpid()));
  const auto root = build_root(dir);
  sandbox::Options options{.work_dir = dir / "work", .cache_dir = dir / "cache"};
  std::puts("| program that does nothing | to its start, ms | whole run, ms |\n|---|--:|--:|");
  measure("process", "process", options, root, false, 20);
  measure("container", "container", options, root, false, 20);
  options.acceleration = sandbox::Acceleration::tcg;
  measure("microvm, emulated, nothing kept", "microvm", options, root, true, 5);
  measure("microvm, emulated", "microvm", options, root, false, 10);
  options.acceleration = sandbox::Acceleration::automatic;
  if (sandbox::best_name(options) == "microvm") {
    options.acceleration = sandbox::Acceleration::kvm;
    measure("microvm, KVM, nothing kept", "microvm", options, root, true, 5);
    measure("microvm, KVM", "microvm", options, root, false, 10);
  }
  fs::remove_all(dir);
}
