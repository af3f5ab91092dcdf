// Files below a folder that must not be left: by descriptors, resolved by the kernel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "bencher/base/result.hpp"

namespace bencher::files {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// `message: reason` for the current `errno`, as `unavailable`.
Error system_error(std::string message);

/// Opens `path` as if `root` were `/`: links resolve within it, magic links not at all. With O_CLOEXEC added.
/// An Fd that holds nothing, and errno, on failure.
Fd open_in_root(int root, const std::string& path, int flags, bool follow_links = true);

/// Removes `name` in `dir` and all below it, without following links, entering at any depth. Whatever `keep` says true
/// for stays, and the folders on the way to it: it is given the device and inode of the folder and the name in it.
/// Files of a folder that its owner cannot write are removed, too. A missing name is fine.
using Keep = std::function<bool(std::uint64_t device, std::uint64_t inode, const char* name)>;
Result<void> remove_tree(int dir, const std::string& name, const Keep& keep = {});
/// The same for all that is in the folder `dir`, which stays itself.
Result<void> empty_folder(int dir, const Keep& keep = {});
/// Removes the tree at a path as far as it goes; never throws.
void remove_tree(const std::filesystem::path& path) noexcept;

/// Copies the tree `from` to `to`, which is made: files (sharing their blocks where the filesystem can), folders, links
/// and fifos, with modes, times and, as root, owners; hard links stay together. Error: `unavailable`, or `cancelled`
/// when `cancelled` says so.
Result<void> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                       const std::function<bool()>& cancelled = {});

}  // namespace bencher::files
