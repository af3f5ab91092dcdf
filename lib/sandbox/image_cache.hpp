// What is dear to make and the same for many runs: unpacked images, disks made of them, kernels, initramfs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "bencher/base/result.hpp"

#include "lib/image/files.hpp"

namespace bencher::sandbox {

/// A folder that runners of one user share. A file or folder in it is there whole or not at all, and stays while
/// somebody has it open.
class ImageCache {
 public:
  /// Makes the folder. Errors: `unavailable`, also when it belongs to somebody else or others may write to it.
  static Result<ImageCache> open(const std::filesystem::path& folder, std::uint64_t most_bytes);

  using Build = std::function<Result<void>(const std::filesystem::path& file)>;
  /// The file of that name, a single word, to read; it is built when it is not there, by one runner at a time, and
  /// older ones go when all together become too large. Errors: those of `build`; `unavailable`; `cancelled`.
  Result<files::Fd> get(const std::string& name, const Build& build, const std::function<bool()>& cancelled = {});

  /// The same for a folder, which `build` makes: what is in it stays as it is.
  Result<files::Fd> get_folder(const std::string& name, const Build& build,
                               const std::function<bool()>& cancelled = {});

  const std::filesystem::path& folder() const { return folder_; }

  /// Where it is when nothing else is said: of the machine for root, else of the user.
  static std::filesystem::path default_folder();

 private:
  ImageCache(std::filesystem::path folder, std::uint64_t most_bytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}
  Result<files::Fd> obtain(const std::string& name, bool is_folder, const Build& build,
                           const std::function<bool()>& cancelled);
  files::Fd find(const std::filesystem::path& file) const;
  void make_room(const std::string& but) const;

  std::filesystem::path folder_;
  std::uint64_t most_bytes_;
};

}  // namespace bencher::sandbox
