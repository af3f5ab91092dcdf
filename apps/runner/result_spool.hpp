// The whole results of a job, for an upload: in memory while they are few, else in files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bencher/base/result.hpp"
#include "bencher/runner/job.hpp"

#include "lib/image/files.hpp"

namespace bencher::runner {

/// Bytes that are written in order and read once: in memory up to a megabyte, then in a file.
class SpillFile {
 public:
  explicit SpillFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~SpillFile() { clear(); }
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  Result<void> append(std::string_view bytes);
  /// Gives everything to `take`, a part at a time.
  Result<void> read(const std::function<Result<void>(std::string_view)>& take) const;
  /// Writes what is still in memory to the file, which is there from then on.
  Result<void> flush();
  void clear();
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return on_disk_ + buffer_.size(); }

 private:
  std::filesystem::path path_;
  files::Fd fd_;
  std::uint64_t on_disk_ = 0;
  std::string buffer_;
};

/// The document `{"results":[…],"error":"…"}` as it grows, iteration by iteration. One thread at a time.
class ResultSpool {
 public:
  /// Files are made in `dir` when they are needed; `limit` is the document's, in bytes.
  ResultSpool(const std::filesystem::path& dir, std::uint64_t limit);

  /// Of the running iteration.
  void output(bool standard_error, std::string_view bytes);
  /// The iteration is among the results.
  void keep(int exit_code, const std::map<std::string, std::string>& files);
  /// It is not.
  void drop();
  /// The document as a file. Errors: `too_large`; `unavailable`, the disk. May be called again.
  Result<std::filesystem::path> finish(const std::string& error);

 private:
  void write(std::string_view json);
  void write_text(std::string_view key, const SpillFile& text);

  std::uint64_t limit_;
  SpillFile streams_[2];
  SpillFile document_;
  bool first_ = true;
  bool finished_ = false;
  std::optional<Error> error_;
};

}  // namespace bencher::runner
