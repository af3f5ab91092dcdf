#include "lib/sandbox/image_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
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

// Bytes on disk, as far as they can be seen.
std::uint64_t tree_size(const fs::path& folder) {
  std::uint64_t total = 0;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(folder, options, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    struct stat info {};
    if (lstat(it->path().c_str(), &info) == 0) total += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return total;
}

constexpr const char* size_file = "size";

std::uint64_t recorded_size(const fs::path& folder) {
  std::ifstream in(folder / size_file);
  std::uint64_t size = 0;
  in >> size;
  return size;
}

// What is renamed into the cache is on the disk before its name is.
Result<void> finish_folder(const fs::path& folder) {
  std::ofstream out(folder / size_file);
  out << tree_size(folder) << "\n";
  out.close();
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out || !fd || syncfs(fd.get()) != 0)
    return files::system_error("cannot write the cache '" + folder.parent_path().string() + "'");
  return {};
}

bool drop_entry(const fs::path& path) {
  if (unlink(path.c_str()) == 0) return true;
  // A folder goes by a name that nobody looks for, and what of it cannot be removed now, later.
  const auto gone = path.parent_path() / (std::string(unfinished) + path.filename().string());
  if (::rename(path.c_str(), gone.c_str()) != 0) return false;
  files::remove_tree(gone);
  return true;
}

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
  if (geteuid() == 0) return "/var/cache/bencher/runner";
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/')
    return fs::path(cache) / "bencher/runner";
  if (const char* home = std::getenv("HOME"); home && *home == '/') return fs::path(home) / ".cache/bencher/runner";
  return "/var/tmp/bencher-cache-" + std::to_string(geteuid());
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
    struct stat ours {
    }, there{};
    // Removed between the two: there is a newer one, or none.
    if (fstat(fd.get(), &ours) != 0 || lstat(file.c_str(), &there) != 0 || ours.st_ino != there.st_ino) continue;
    futimens(fd.get(), nullptr);
    return fd;
  }
}

Result<Fd> ImageCache::get(const std::string& name, const Build& build, const std::function<bool()>& cancelled) {
  return obtain(name, false, build, cancelled);
}

Result<Fd> ImageCache::get_folder(const std::string& name, const Build& build, const std::function<bool()>& cancelled) {
  return obtain(name, true, build, cancelled);
}

Result<Fd> ImageCache::obtain(const std::string& name, bool is_folder, const Build& build,
                              const std::function<bool()>& cancelled) {
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
  if (is_folder) BENCHER_DO(finish_folder(built));
  if ((!is_folder && chmod(built.c_str(), 0444) != 0) || ::rename(built.c_str(), file.c_str()) != 0)
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
    const auto name = it->path().filename().string();
    if (lstat(it->path().c_str(), &info) != 0 || name.starts_with(unfinished)) continue;
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) continue;
    const auto size =
        S_ISDIR(info.st_mode) ? recorded_size(it->path()) : static_cast<std::uint64_t>(info.st_blocks) * 512;
    total += size;
    if (name != but && !name.starts_with('.')) rows.push_back({it->path(), size, info.st_mtim});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const auto& row : rows) {
    if (total <= most_bytes_) return;
    const Fd fd(::open(row.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !drop_entry(row.path)) continue;
    total -= row.size;
  }
}

}  // namespace bencher::sandbox
