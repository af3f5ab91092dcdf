#include "lib/sandbox/image_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace bencher::sandbox {

namespace fs = std::filesystem;
using files::Fd;

namespace {

constexpr std::string_view unfinished = ".new-";

// A folder of ours to build in, locked: whose lock can be had is left from a runner that is no more.
class Workshop {
 public:
  static Result<Workshop> make(const fs::path& folder) {
    std::string name = (folder / (std::string(unfinished) + "XXXXXX")).string();
    if (!mkdtemp(name.data())) return files::system_error("cannot make a folder in '" + folder.string() + "'");
    Workshop out(name);
    out.lock_ = Fd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    flock(out.lock_.get(), LOCK_EX | LOCK_NB);
    return out;
  }
  ~Workshop() {
    if (!path_.empty()) files::remove_tree(path_);
  }
  Workshop(Workshop&& other) noexcept : path_(std::move(other.path_)), lock_(std::move(other.lock_)) {
    other.path_.clear();
  }
  Workshop& operator=(Workshop&&) = delete;
  const fs::path& path() const { return path_; }

 private:
  explicit Workshop(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
  Fd lock_;
};

void sweep(const fs::path& folder) {
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    if (!it->path().filename().string().starts_with(unfinished)) continue;
    const Fd lock(::open(it->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (lock && flock(lock.get(), LOCK_EX | LOCK_NB) == 0) files::remove_tree(it->path());
  }
}

}  // namespace

fs::path ImageCache::default_folder() {
  if (geteuid() == 0) return "/var/cache/bencher/microvm";
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/')
    return fs::path(cache) / "bencher/microvm";
  if (const char* home = std::getenv("HOME"); home && *home == '/') return fs::path(home) / ".cache/bencher/microvm";
  return "/var/tmp/bencher-microvm-" + std::to_string(geteuid());
}

Result<ImageCache> ImageCache::open(const fs::path& folder, std::uint64_t most_bytes) {
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  mkdir(folder.c_str(), 0700);
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0) return files::system_error("cannot make the cache '" + folder.string() + "'");
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0)
    return Error(Errc::unavailable,
                 "the cache '" + folder.string() + "' is not a folder that only this user writes to");
  return ImageCache(fs::absolute(folder), most_bytes);
}

// With a shared lock, which keeps it from being removed.
Fd ImageCache::find(const fs::path& file) const {
  for (;;) {
    Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return fd;
    flock(fd.get(), LOCK_SH);
    struct stat info {};
    // Removed between the two: there is a newer one, or none.
    if (fstat(fd.get(), &info) != 0 || info.st_nlink == 0) continue;
    futimens(fd.get(), nullptr);
    return fd;
  }
}

Result<Fd> ImageCache::get(const std::string& name, const Build& build, const std::function<bool()>& cancelled) {
  const auto file = folder_ / name;
  if (Fd fd = find(file)) return fd;
  // One of a few locks, so that they need no care of their own.
  const auto number = std::hash<std::string>()(name) % 16;
  const Fd lock(
      ::open((folder_ / (".lock-" + std::to_string(number))).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return files::system_error("cannot use the cache '" + folder_.string() + "'");
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return files::system_error("cannot lock the cache");
    if (cancelled && cancelled()) return Error(Errc::cancelled, "cancelled");
    poll(nullptr, 0, 20);
  }
  if (Fd fd = find(file)) return fd;
  sweep(folder_);
  BENCHER_TRY(const auto workshop, Workshop::make(folder_));
  const auto built = workshop.path() / "file";
  BENCHER_DO(build(built));
  if (chmod(built.c_str(), 0444) != 0 || ::rename(built.c_str(), file.c_str()) != 0)
    return files::system_error("cannot keep a file in the cache");
  Fd fd = find(file);
  if (!fd) return files::system_error("cannot open a file of the cache");
  make_room(name);
  return fd;
}

void ImageCache::make_room(const std::string& but) const {
  struct Row {
    fs::path path;
    std::uint64_t size;
    timespec used;
  };
  std::vector<Row> rows;
  std::uint64_t total = 0;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder_, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    struct stat info {};
    if (lstat(it->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    total += static_cast<std::uint64_t>(info.st_size);
    const auto name = it->path().filename().string();
    if (name != but && !name.starts_with('.'))
      rows.push_back({it->path(), static_cast<std::uint64_t>(info.st_size), info.st_mtim});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const auto& row : rows) {
    if (total <= most_bytes_) return;
    const Fd fd(::open(row.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || unlink(row.path.c_str()) != 0) continue;
    total -= row.size;
  }
}

}  // namespace bencher::sandbox
