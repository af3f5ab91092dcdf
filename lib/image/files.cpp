#include "lib/image/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <map>
#include <memory>
#include <set>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace bencher::files {

namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

bool is_dot(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

// Opens a folder to be read and changed, giving its owner the right to first if need be.
Fd open_folder(int dir, const char* name) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Fd fd(openat(dir, name, flags));
  if (!fd && errno == EACCES) {
    struct stat info {};
    if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
        fchmodat(dir, name, info.st_mode | 0700, 0) == 0)
      fd = Fd(openat(dir, name, flags));
  }
  if (fd && geteuid() != 0) {
    struct stat info {};
    if (fstat(fd.get(), &info) == 0 && (info.st_mode & 0300) != 0300) fchmod(fd.get(), info.st_mode | 0700);
  }
  return fd;
}

// One descriptor at a time, whatever the depth: goes down by name and up by `..`.
class Remover {
 public:
  Remover(const std::string& name, const Keep& keep) : keep_(keep), shown_(name) {}

  Result<void> run(Fd top) {
    Fd at = std::move(top);
    std::vector<std::string> way;  // names from the top to `at`
    std::vector<bool> kept{false};
    for (;;) {
      BENCHER_TRY(const auto down, empty(at.get(), kept));
      if (!down.name.empty()) {
        Fd next = open_folder(at.get(), down.name.c_str());
        if (!next) {
          if (errno == ENOENT) continue;
          return fail(down.name);
        }
        at = std::move(next);
        way.push_back(down.name);
        kept.push_back(down.keep);
        visited_.emplace_back();
        continue;
      }
      if (way.empty()) {
        kept_any_ = kept.back();
        return {};
      }
      Fd up(openat(at.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!up) return fail("..");
      at = std::move(up);
      const bool keep_it = kept.back();
      kept.pop_back();
      visited_.pop_back();
      if (keep_it) {
        kept.back() = true;
        visited_.back().insert(way.back());
      } else if (unlinkat(at.get(), way.back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return fail(way.back());
      }
      way.pop_back();
    }
  }

  bool kept_any() const { return kept_any_; }

 private:
  struct Next {
    std::string name;
    bool keep = false;
  };

  Error fail(const std::string& name) { return system_error("cannot remove '" + name + "' below '" + shown_ + "'"); }

  // Removes all but folders; the first folder that is still to be entered, or an empty name.
  Result<Next> empty(int fd, std::vector<bool>& kept) {
    if (visited_.empty()) visited_.emplace_back();
    struct stat self {};
    if (keep_ && fstat(fd, &self) != 0) return fail(".");
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return fail(".");
    Dir dir(fdopendir(copy));
    if (!dir) {
      close(copy);
      return fail(".");
    }
    rewinddir(dir.get());
    while (const dirent* entry = readdir(dir.get())) {
      if (is_dot(entry->d_name)) continue;
      if (visited_.back().count(entry->d_name)) continue;
      struct stat info {};
      if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        return fail(entry->d_name);
      }
      if (keep_ && keep_(self.st_dev, self.st_ino, entry->d_name)) {
        kept.back() = true;
        visited_.back().insert(entry->d_name);
        // Kept itself, but not all that is in it.
        if (S_ISDIR(info.st_mode)) return Next{.name = entry->d_name, .keep = true};
        continue;
      }
      if (S_ISDIR(info.st_mode)) return Next{.name = entry->d_name, .keep = false};
      if (unlinkat(fd, entry->d_name, 0) != 0 && errno != ENOENT) return fail(entry->d_name);
    }
    return Next{};
  }

  const Keep& keep_;
  std::string shown_;
  std::vector<std::set<std::string>> visited_;
  bool kept_any_ = false;
};

}  // namespace

void Fd::reset() noexcept {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Error system_error(std::string message) {
  const int code = errno;
  return Error(Errc::unavailable, std::move(message) + ": " + std::strerror(code));
}

Fd open_in_root(int root, const std::string& path, int flags, bool follow_links) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (follow_links ? 0u : RESOLVE_NO_SYMLINKS);
  // EAGAIN: something was renamed meanwhile; the kernel asks to try again.
  for (int attempt = 0; attempt < 16; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return Fd();
}

Result<void> remove_tree(int dir, const std::string& name, const Keep& keep) {
  struct stat info {};
  if (fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return system_error("cannot remove '" + name + "'");
  }
  bool keep_self = false;
  if (keep) {
    struct stat self {};
    if (fstat(dir, &self) != 0) return system_error("cannot remove '" + name + "'");
    keep_self = keep(self.st_dev, self.st_ino, name.c_str());
  }
  if (!S_ISDIR(info.st_mode)) {
    if (!keep_self && unlinkat(dir, name.c_str(), 0) != 0 && errno != ENOENT)
      return system_error("cannot remove '" + name + "'");
    return {};
  }
  Fd fd = open_folder(dir, name.c_str());
  if (!fd) return system_error("cannot remove '" + name + "'");
  Remover remover(name, keep);
  BENCHER_DO(remover.run(std::move(fd)));
  if (!keep_self && !remover.kept_any() && unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return system_error("cannot remove '" + name + "'");
  return {};
}

Result<void> empty_folder(int dir, const Keep& keep) {
  Fd fd = open_folder(dir, ".");
  if (!fd) return system_error("cannot empty a folder");
  return Remover(".", keep).run(std::move(fd));
}

void remove_tree(const std::filesystem::path& path) noexcept {
  try {
    auto clean = path.lexically_normal();
    if (!clean.has_filename()) clean = clean.parent_path();
    const auto parent = clean.has_parent_path() ? clean.parent_path() : std::filesystem::path(".");
    Fd dir(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (dir) (void)remove_tree(dir.get(), clean.filename().string());
  } catch (...) {  // out of memory: the folder stays
  }
}

namespace {

class Copier {
 public:
  Copier(const std::function<bool()>& cancelled, Fd to) : cancelled_(cancelled), root_(std::move(to)) {}

  // `path` is relative to both roots; folders are visited with a list instead of recursion.
  Result<void> run(Fd from) {
    from_ = std::move(from);
    std::vector<std::string> folders{"."};
    std::vector<std::string> filled;
    while (!folders.empty()) {
      const std::string folder = std::move(folders.back());
      folders.pop_back();
      filled.push_back(folder);
      Fd source = open_in_root(from_.get(), folder, O_RDONLY | O_DIRECTORY, false);
      Fd target = open_in_root(root_.get(), folder, O_RDONLY | O_DIRECTORY, false);
      if (!source || !target) return system_error("cannot copy the folder '" + folder + "'");
      Dir dir(fdopendir(fcntl(source.get(), F_DUPFD_CLOEXEC, 0)));
      if (!dir) return system_error("cannot read the folder '" + folder + "'");
      while (const dirent* entry = readdir(dir.get())) {
        if (is_dot(entry->d_name)) continue;
        if (cancelled_ && cancelled_()) return Error(Errc::cancelled, "cancelled while copying the image");
        BENCHER_TRY(const bool is_folder, one(source.get(), target.get(), folder, entry->d_name));
        if (is_folder) folders.push_back(folder + "/" + entry->d_name);
      }
    }
    // Last, deepest first: a folder's mode could keep us from filling it, and filling it changes its times.
    for (auto folder = filled.rbegin(); folder != filled.rend(); ++folder) {
      Fd source = open_in_root(from_.get(), *folder, O_RDONLY | O_DIRECTORY, false);
      Fd target = open_in_root(root_.get(), *folder, O_RDONLY | O_DIRECTORY, false);
      struct stat info {};
      if (!source || !target || fstat(source.get(), &info) != 0)
        return system_error("cannot copy the folder '" + *folder + "'");
      BENCHER_DO(attributes(target.get(), info, *folder));
    }
    return {};
  }

 private:
  Result<void> attributes(int fd, const struct stat& info, const std::string& shown) {
    if (geteuid() == 0 && fchown(fd, info.st_uid, info.st_gid) != 0)
      return system_error("cannot set the owner of '" + shown + "'");
    if (fchmod(fd, info.st_mode & 07777) != 0) return system_error("cannot set the mode of '" + shown + "'");
    const timespec times[2] = {info.st_atim, info.st_mtim};
    futimens(fd, times);
    return {};
  }

  Result<bool> one(int from, int to, const std::string& folder, const char* name) {
    const std::string shown = folder + "/" + name;
    struct stat info {};
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return system_error("cannot read '" + shown + "'");
    if (S_ISDIR(info.st_mode)) {
      if (mkdirat(to, name, 0700) != 0) return system_error("cannot make the folder '" + shown + "'");
      return true;
    }
    if (S_ISLNK(info.st_mode)) {
      std::string link(static_cast<std::size_t>(info.st_size) + 1, '\0');
      const auto size = readlinkat(from, name, link.data(), link.size());
      if (size < 0) return system_error("cannot read the link '" + shown + "'");
      link.resize(static_cast<std::size_t>(size));
      if (symlinkat(link.c_str(), to, name) != 0) return system_error("cannot make the link '" + shown + "'");
      if (geteuid() == 0 && fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
        return system_error("cannot set the owner of '" + shown + "'");
      return false;
    }
    if (info.st_nlink > 1) {
      const auto [first, added] = links_.try_emplace({info.st_dev, info.st_ino}, shown);
      if (!added) {
        if (linkat(root_.get(), first->second.c_str(), to, name, 0) != 0)
          return system_error("cannot link '" + shown + "'");
        return false;
      }
    }
    if (S_ISFIFO(info.st_mode)) {
      if (mkfifoat(to, name, info.st_mode & 0777) != 0) return system_error("cannot make the fifo '" + shown + "'");
      return false;
    }
    if (!S_ISREG(info.st_mode)) return false;  // sockets and devices are not the image's
    Fd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    Fd target(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!source || !target) return system_error("cannot copy '" + shown + "'");
    if (ioctl(target.get(), FICLONE, source.get()) != 0) {
      for (std::uint64_t left = static_cast<std::uint64_t>(info.st_size); left > 0;) {
        if (cancelled_ && cancelled_()) return Error(Errc::cancelled, "cancelled while copying the image");
        const auto copied = copy_file_range(source.get(), nullptr, target.get(), nullptr,
                                            static_cast<std::size_t>(std::min<std::uint64_t>(left, 64u << 20)), 0);
        if (copied < 0) return system_error("cannot copy '" + shown + "'");
        if (copied == 0) break;
        left -= static_cast<std::uint64_t>(copied);
      }
    }
    BENCHER_DO(attributes(target.get(), info, shown));
    return false;
  }

  const std::function<bool()>& cancelled_;
  Fd root_;
  Fd from_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
};

}  // namespace

Result<void> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                       const std::function<bool()>& cancelled) {
  if (mkdir(to.c_str(), 0700) != 0) return system_error("cannot make the folder '" + to.string() + "'");
  Fd source(open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!source) return system_error("cannot open the folder '" + from.string() + "'");
  Fd target(open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target) return system_error("cannot open the folder '" + to.string() + "'");
  return Copier(cancelled, std::move(target)).run(std::move(source));
}

}  // namespace bencher::files
