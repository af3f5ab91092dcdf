// How long each sandbox takes around a program that does nothing: from an image on disk to the program's start, and to
// the end of everything; with nothing kept of the image, and with all.
#include "bencher/sandbox/sandbox.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include "bencher/image/source.hpp"

#include "support.hpp"
#include "tests/support/image.hpp"

namespace {

using namespace bencher;
namespace fs = std::filesystem;

class Sink final : public sandbox::EventSink {
 public:
  void started() override { at = bench::Clock::now(); }
  void output(sandbox::Stream, std::string_view) override {}
  bench::Clock::time_point at;
};

constexpr std::size_t data_bytes = 64u << 20;

/// An image in a layout on disk: a shell, and data that does not compress.
Digest build_image(const fs::path& layout) {
  std::string data(data_bytes, '\0');
  std::uint64_t value = 1;
  for (char& c : data) {
    value = value * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(value >> 56);
  }
  test::Tar tar;
  tar.folder("bin").file("bin/busybox", test::read_file("/bin/busybox"), 0755).link("bin/true", "busybox");
  tar.folder("data").file("data/large", data);
  return test::Layout(layout).image({tar.str()}, R"("Entrypoint":["/bin/true"])");
}

struct Bench {
  fs::path dir;
  Digest image;
  fs::path root() const { return dir / "root"; }

  Result<ImageConfig> pull() const {
    fs::remove_all(root());
    BENCHER_TRY(auto layout, OciLayout::open(dir / "layout"));
    return bencher::pull(layout, image, root(), {});
  }
};

/// `cold`: nothing is kept of the image. Else it is unpacked already, and the microVM has its disk.
void measure(const Bench& bench, const char* label, const char* name, const sandbox::Options& options, bool cold,
             int runs) {
  std::vector<double> start, whole;
  std::string problem;
  for (int i = 0; i < runs && problem.empty(); ++i) {
    if (cold) fs::remove_all(options.cache_dir);
    const auto begin = bench::Clock::now();
    if (cold) {
      if (const auto pulled = bench.pull(); !pulled) problem = pulled.error().message();
    }
    auto box = sandbox::make(name, options);
    if (!box) {
      problem = box.error().message();
      break;
    }
    sandbox::Request request;
    request.command = {"/bin/true"};
    request.image_digest = bench.image.str();
    Sink sink;
    const auto outcome = (*box)->run(bench.root(), {.memory = 256u << 20, .disk = 1u << 30}, request, sink);
    if (!outcome || outcome->exit_code != 0) {
      problem = outcome ? "exit code " + std::to_string(outcome->exit_code) : outcome.error().message();
      break;
    }
    // The first of those that keep something makes it.
    if (!cold && i == 0) continue;
    start.push_back(bench::milliseconds(sink.at - begin));
    whole.push_back(bench::milliseconds(bench::Clock::now() - begin));
  }
  if (!problem.empty()) {
    std::printf("| %s | %s | %s | |\n", label, cold ? "cold" : "kept", problem.c_str());
    return;
  }
  std::printf("| %s | %s | %.0f | %.0f |\n", label, cold ? "cold" : "kept", bench::percentile(start, 0.5),
              bench::percentile(whole, 0.5));
  std::fflush(stdout);
}

void measure(const Bench& bench, const char* label, const char* name, const sandbox::Options& options, int runs) {
  measure(bench, label, name, options, true, runs);
  measure(bench, label, name, options, false, runs + 1);
}

}  // namespace

int main() {
  const auto dir = fs::temp_directory_path() / ("bencher-bench-sandbox-" + std::to_string(getpid()));
  const Bench bench{.dir = dir, .image = build_image(dir / "layout")};
  sandbox::Options options{.work_dir = dir / "work", .cache_dir = dir / "cache"};
  std::puts("| sandbox | image | to the first instruction, ms | whole job, ms |\n|---|---|--:|--:|");
  measure(bench, "process", "process", options, 9);
  measure(bench, "container", "container", options, 9);
  options.acceleration = sandbox::Acceleration::tcg;
  measure(bench, "microvm, emulated", "microvm", options, 5);
  options.acceleration = sandbox::Acceleration::automatic;
  if (sandbox::best_name(options) == "microvm") {
    options.acceleration = sandbox::Acceleration::kvm;
    measure(bench, "microvm, KVM", "microvm", options, 5);
  }
  fs::remove_all(dir);
}
