#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::sandbox {

/// What the program may use of the machine.
struct Machine {
  std::uint32_t cpu = 1;              ///< cores' worth of time
  std::uint64_t memory = 1ull << 30;  ///< bytes
  std::uint64_t disk = 10ull << 30;   ///< bytes that may be written
  std::uint32_t processes = 4096;     ///< threads count, too
  bool network = false;               ///< reach the host's network
};

struct Request {
  std::vector<std::string> command;  ///< program and arguments; not empty
  std::vector<std::pair<std::string, std::string>> env;
  std::string working_dir = "/";          ///< within the root
  std::string user;                       ///< name or number, with `:group` or without; empty: root
  std::chrono::milliseconds timeout{0};   ///< from the program's start; 0: none
  std::chrono::milliseconds grace{1000};  ///< between the polite and the final kill
  std::uint64_t max_output = 25u << 20;   ///< bytes, of each stream
  std::vector<std::string> file_paths;    ///< to collect at the end, within the root
  std::uint32_t max_file_count = 255;
  std::uint64_t max_file_bytes = 25u << 20;  ///< all files together
  bool disposable_root = false;              ///< the root may be altered: it is not needed afterwards
  std::string image_digest = {};  ///< what the root was unpacked from, if that is known: what is made of it can be kept
};

enum class Stream { stdout_, stderr_ };

/// Is told what happens, on the thread that called `run`. What it takes long for holds the program up.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void started() {}
  /// Bytes as they come, at most 64 KiB. Past the limit one last piece says that the stream was cut.
  virtual void output(Stream stream, std::string_view bytes) = 0;
  /// Something that the operator should know.
  virtual void warning(std::string_view text) { (void)text; }
};

/// How a run ended.
struct Outcome {
  int exit_code = 0;  ///< 128 + n after signal n; 127 program not found, 126 not executable
  int signal = 0;     ///< that ended the program, as far as it can be seen
  bool timed_out = false;
  bool cancelled = false;
  std::uint64_t oom_kills = 0;
  std::chrono::microseconds wall{0}, user{0}, system{0};
  std::uint64_t max_rss = 0;                                 ///< bytes, of the largest process
  std::uint64_t stdout_bytes = 0, stderr_bytes = 0;          ///< written by the program
  std::uint64_t stdout_cut_bytes = 0, stderr_cut_bytes = 0;  ///< of them not handed on
  std::map<std::string, std::string> files;                  ///< by the path asked for; missing ones are left out
};

/// How a microVM's processor is made.
enum class Acceleration {
  automatic,  ///< `kvm`, or `tcg` where guests do not come up under it
  kvm,        ///< by the machine's own processor
  tcg,        ///< emulated, and that much slower
};

struct Options {
  /// For what a run needs on disk; each run has its own folder in it, removed at the end. It is made when missing.
  std::filesystem::path work_dir;
  /// Where what is made of images is kept, for all runners of this user. Empty: /var/cache/bencher/runner for root,
  /// else below ~/.cache.
  std::filesystem::path cache_dir = {};
  std::uint64_t cache_bytes = 10ull << 30;  ///< what was used longest ago goes beyond that, but nothing in use
  /// A Linux kernel for microVMs, `boot/vmlinuz-VERSION`, with `lib/modules/VERSION` beside `boot` or in /. Empty: what
  /// Debian's packages or scripts/fetch-kernel left.
  std::filesystem::path kernel = {};
  Acceleration acceleration = Acceleration::automatic;
  /// Processors that programs run on, one for each core of theirs, and nothing else of the runner's does. Empty, or
  /// fewer than a program's cores: all that the machine has.
  std::vector<int> cpus = {};
  /// Whether everybody else is kept off them, where the kernel can.
  bool exclusive_cpus = true;
  /// Firecracker's program, for microVMs in place of QEMU. Empty: only where there is no QEMU, from PATH.
  std::filesystem::path firecracker = {};
};

/// Runs programs of an unpacked image. One run at a time.
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  virtual std::string_view name() const = 0;
  /// Runs the command on a fresh writable view of the image `root`, and waits for its end and that of everything it
  /// started. The image itself does not change, unless `disposable_root`. Nothing is left behind, after errors too.
  /// Errors, all before the program started but the last two: `invalid_argument` (the request), `unavailable` (what is
  /// missing is named), `cancelled`; `too_large` (a file to collect).
  virtual Result<Outcome> run(const std::filesystem::path& root, const Machine& machine, const Request& request,
                              EventSink& events) = 0;
  /// Ends the running `run` at once (its outcome says `cancelled`), and every later one. From any thread.
  virtual void cancel() noexcept = 0;
};

/// `process`, `container`, `microvm`: each isolates more than the one before.
std::vector<std::string_view> names();

/// The sandbox of that name, checked to be usable; `firecracker` is a spec's word for `microvm`. `process` isolates
/// nothing: for trusted images. Errors: `unavailable`, naming what is missing; `invalid_argument` for other names.
Result<std::unique_ptr<Sandbox>> make(std::string_view name, const Options& options);

/// Which sandbox a job gets, by name. `asked` is its spec's word, or empty; `choice` the runner's, one of `names()` or
/// `auto`; `floor` the least that is allowed. A spec that asks for a sandbox gets it, whatever the choice; `auto` is
/// `best` raised to the floor. Error: `invalid_argument` for words that are none, and a choice below the floor.
Result<std::string> choose(std::string_view asked, std::string_view choice, std::string_view floor,
                           std::string_view best);

/// What `auto` means here: `microvm` where one comes up under KVM, else `container`. Tries it, once each time the
/// machine started, which may take ten seconds.
std::string_view best_name(const Options& options);

/// One thing that sandboxes need, as it is on this machine.
struct Feature {
  std::string name;
  bool usable = false;
  std::string text;    ///< what is there, or what is missing
  std::string remedy;  ///< what to do; empty when it is usable
};
/// Tries each. It may take ten seconds.
std::vector<Feature> features(const Options& options);

}  // namespace bencher::sandbox
