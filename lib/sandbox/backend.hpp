// What the backends share.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "lib/image/files.hpp"
#include "lib/sandbox/supervisor.hpp"

namespace bencher::sandbox {

/// A run's folder in the work folder; gone with the object.
class RunFolder {
 public:
  static Result<RunFolder> make(const std::filesystem::path& work_dir);
  ~RunFolder();
  RunFolder(RunFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  RunFolder& operator=(RunFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// The end of a run whose program cannot even be started: 127, 126, or 1 for a missing working folder, with the reason
/// on standard error. Nothing when it can; `program` is filled then.
std::optional<Outcome> cannot_start(int root, const Request& request, EventSink& events, Program& program);

/// `KEY=value`, with PATH and HOME where they are missing.
std::vector<std::string> environment(const Request& request, const User& user);

/// The first `count` processors of the options', or none, and a warning, when they are too few.
std::vector<int> cpus_for(const Options& options, std::uint32_t count, EventSink& events);

Result<std::unique_ptr<Sandbox>> make_process(const Options& options);
Result<std::unique_ptr<Sandbox>> make_container(const Options& options);
Result<std::unique_ptr<Sandbox>> make_microvm(const Options& options);

}  // namespace bencher::sandbox
