// An image with a shell, a sandbox, and a check that nothing is left behind.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "bencher/sandbox/sandbox.hpp"

#include "tests/support/image.hpp"

namespace bencher::sandbox::test {

namespace fs = std::filesystem;
using bencher::test::read_file;
using bencher::test::TempDir;
using bencher::test::write_file;

/// An image's root with a shell.
inline void build_root(const fs::path& root) {
  for (const char* dir : {"bin", "etc", "job", "data"})
    fs::create_directories(root / dir);
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* applet : {"sh",      "cat",   "ls",       "dd", "sleep", "id",  "mkfifo", "ln",   "env", "setsid",
                             "unshare", "mount", "hostname", "wc", "head",  "pwd", "touch",  "grep", "ps",  "true"})
    fs::create_symlink("busybox", root / "bin" / applet);
  write_file(root / "etc/passwd", "root:x:0:0::/:/bin/sh\nbench:x:1234:2345::/:/bin/sh\n");
  write_file(root / "etc/group", "root:x:0:\nstaff:x:50:\nextra:x:777:bench\n");
  write_file(root / "bin/not-executable", "#!/bin/sh\n");
  write_file(root / "bin/no-interpreter", "#!/bin/absent\n");
  chmod((root / "bin/no-interpreter").c_str(), 0755);
  write_file(root / "data/kept", "original");
}

class Sink final : public EventSink {
 public:
  void started() override {
    if (on_start) on_start();
  }
  void output(Stream stream, std::string_view bytes) override {
    (stream == Stream::stdout_ ? out : err) += bytes;
    if (bytes.size() > 64 * 1024) too_big = true;
    if (on_output) on_output();
  }
  void warning(std::string_view text) override { warnings += std::string(text) + "\n"; }

  std::string out, err, warnings;
  bool too_big = false;
  std::function<void()> on_start, on_output;
};

inline std::vector<std::string> list(const fs::path& dir) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(dir))
    out.push_back(entry.path().filename().string());
  return out;
}

inline std::size_t our_groups() {
  std::size_t count = 0;
  const std::string prefix = "bencher-" + std::to_string(getpid()) + "-";
  std::error_code ignored;
  for (auto it =
           fs::recursive_directory_iterator("/sys/fs/cgroup", fs::directory_options::skip_permission_denied, ignored);
       it != fs::recursive_directory_iterator(); it.increment(ignored))
    if (it->path().filename().string().starts_with(prefix)) ++count;
  return count;
}

/// Whether a process with this word among its arguments is alive.
inline bool alive(const std::string& word) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "cmdline", std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!text.empty() && entry.path().filename() != std::to_string(getpid()) && text.find(word) != std::string::npos)
      return true;
  }
  return false;
}

/// Kernel and initramfs are made once for all cases. Emulated, since KVM may hang: BENCHER_TEST_MICROVM says otherwise.
inline Options options_for(const std::string& name, const fs::path& work_dir) {
  Options options{.work_dir = work_dir};
  if (name != "microvm") return options;
  static const TempDir cache;
  const char* mode = std::getenv("BENCHER_TEST_MICROVM");
  options.cache_dir = cache / "cache";
  options.acceleration =
      mode && std::string_view(mode).find("kvm") != std::string_view::npos ? Acceleration::kvm : Acceleration::tcg;
  return options;
}

/// One sandbox with an image and a folder; checks at its end that nothing was left behind.
class World {
 public:
  explicit World(const std::string& name, const std::vector<int>& cpus = {})
      : mounts_(read_file("/proc/self/mountinfo")) {
    fs::permissions(dir_.path(), fs::perms(0700));
    build_root(root());
    auto options = options_for(name, dir_ / "work");
    options.cpus = cpus;
    auto made = make(name, options);
    if (made)
      sandbox_ = *std::move(made);
    else
      why_ = made.error().message();
  }
  ~World() {
    if (!sandbox_) return;
    CHECK(list(dir_ / "work").empty());
    CHECK(our_groups() == 0);
    CHECK(read_file("/proc/self/mountinfo") == mounts_);
    CHECK(read_file(root() / "data/kept") == "original");
  }

  bool usable() const {
    if (!sandbox_) MESSAGE("SKIPPED: " << why_);
    return static_cast<bool>(sandbox_);
  }
  fs::path root() const { return dir_ / "root"; }
  Sandbox& sandbox() { return *sandbox_; }

  Result<Outcome> run(Request request) { return sandbox_->run(root(), machine, request, sink); }
  Result<Outcome> shell(const std::string& script, Request request = {}) {
    request.command = {"/bin/sh", "-c", script};
    return run(std::move(request));
  }

  Machine machine{.memory = 256u << 20, .disk = 64u << 20};
  Sink sink;

 private:
  TempDir dir_;
  std::string mounts_;
  std::unique_ptr<Sandbox> sandbox_;
  std::string why_;
};

/// A machine takes seconds to come up, so only a few cases run in one, unless BENCHER_TEST_MICROVM holds `full`.
enum class InVm { full, always };

/// Runs `check` once for each sandbox that can be used here.
template <class F>
void on_each(const F& check, InVm in_vm = InVm::full) {
  for (const std::string name : {"process", "container", "microvm"}) {
    CAPTURE(name);
    const char* mode = std::getenv("BENCHER_TEST_MICROVM");
    const bool full = mode && std::string_view(mode).find("full") != std::string_view::npos;
    if (name == "microvm" && in_vm == InVm::full && !full) continue;
    World world{name};
    if (world.usable()) check(world);
  }
}

inline Outcome need(const Result<Outcome>& outcome) {
  REQUIRE_MESSAGE(outcome, outcome.error().message());
  return *outcome;
}

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace bencher::sandbox::test
