#include "bencher/image/unpack.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <unordered_set>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "lib/image/files.hpp"

namespace bencher {

using files::Fd;
using files::system_error;

namespace {

constexpr std::uint64_t ratio_slack = 16u << 20;
// Names kept until the end of a layer or of the image, all together; a hostile image cannot make us hold more.
constexpr std::size_t deferred_limit = 16u << 20;
constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_whiteout = ".wh..wh..opq";

std::string shown(std::string_view name) {
  std::string out = "entry '";
  for (const char c : name.substr(0, 256))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (name.size() > 256 ? "…'" : "'");
}

Error refused(std::string_view name, const std::string& why) {
  return Error(Errc::invalid_argument, shown(name) + ": " + why);
}
Error too_large(std::string_view name, const std::string& why) {
  return Error(Errc::too_large, shown(name) + ": " + why);
}
Error failed(std::string_view name, const std::string& what) {
  return system_error(shown(name) + ": " + what);
}

// `a//b/./c/` as a, b, c. Error for `..`, which could climb out.
Result<std::vector<std::string>> components(std::string_view name, std::string_view entry, std::size_t limit) {
  if (name.size() > limit)
    return too_large(entry, "a name of " + std::to_string(name.size()) + " bytes; at most " + std::to_string(limit));
  std::vector<std::string> out;
  while (!name.empty()) {
    const auto slash = name.find('/');
    const auto part = name.substr(0, slash);
    name.remove_prefix(slash == std::string_view::npos ? name.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return refused(entry, "it would land outside the image ('..' in its name)");
    out.emplace_back(part);
  }
  return out;
}

std::string joined(const std::vector<std::string>& parts, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i) out += '/';
    out += parts[i];
  }
  return out.empty() ? "." : out;
}

// Whether a link at depth `depth` below the root, read word by word, climbs out of it.
bool climbs_out(std::string_view target, std::size_t depth) {
  auto at = static_cast<std::ptrdiff_t>(target.starts_with('/') ? 0 : depth);
  while (!target.empty()) {
    const auto slash = target.find('/');
    const auto part = target.substr(0, slash);
    target.remove_prefix(slash == std::string_view::npos ? target.size() : slash + 1);
    if (part == "..") {
      if (--at < 0) return true;
    } else if (!part.empty() && part != ".") {
      ++at;
    }
  }
  return false;
}

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};
using Archive = std::unique_ptr<archive, FreeArchive>;

// The layer's tar, unpacked from gzip or zstd, hashed on its way into the tar reader.
class TarStream {
 public:
  TarStream(LayerFormat format, const LayerSource& source, std::uint64_t ratio, DigestAlgorithm algorithm)
      : source_(source), ratio_(ratio), hasher_(algorithm) {
    if (format == LayerFormat::tar) return;
    filter_.reset(archive_read_new());
    if (!filter_) throw std::bad_alloc();
    if (format == LayerFormat::gzip)
      archive_read_support_filter_gzip(filter_.get());
    else
      archive_read_support_filter_zstd(filter_.get());
    archive_read_support_format_raw(filter_.get());
    format_ = format;
  }

  /// The next piece of the tar; empty at its end.
  Result<std::string_view> next() {
    BENCHER_TRY(const auto piece, format_ ? unpacked() : packed());
    hasher_.update(piece);
    out_ += piece.size();
    if (out_ > ratio_slack && out_ / std::max<std::uint64_t>(ratio_, 1) > in_) {
      return Error(Errc::too_large, "the layer unpacks to more than " + std::to_string(ratio_) +
                                        " times its packed size; it looks like a decompression bomb");
    }
    return piece;
  }
  Digest finish() { return hasher_.finish(); }

  // For libarchive's callback: the error that made it fail.
  std::optional<Error> error;

 private:
  Result<std::string_view> packed() {
    BENCHER_TRY(const auto piece, source_());
    in_ += piece.size();
    return piece;
  }

  static la_ssize_t read_packed(archive* a, void* self, const void** buffer) {
    auto& stream = *static_cast<TarStream*>(self);
    try {
      auto piece = stream.packed();
      if (piece) {
        *buffer = piece->data();
        return static_cast<la_ssize_t>(piece->size());
      }
      stream.error = std::move(piece).error();
    } catch (const std::exception& e) {
      stream.error = Error(Errc::internal, e.what());
    }
    archive_set_error(a, EIO, "reading failed");
    return -1;
  }

  Error broken() {
    if (error) return *std::move(error);
    const char* text = archive_error_string(filter_.get());
    return Error(Errc::invalid_argument, std::string("the layer is not valid ") +
                                             (*format_ == LayerFormat::gzip ? "gzip" : "zstd") + ": " +
                                             (text ? text : "unknown"));
  }

  Result<std::string_view> unpacked() {
    if (!started_) {
      started_ = true;
      archive_entry* entry = nullptr;
      if (archive_read_open(filter_.get(), this, nullptr, &TarStream::read_packed, nullptr) != ARCHIVE_OK)
        return broken();
      const int code = archive_read_next_header(filter_.get(), &entry);
      if (code == ARCHIVE_EOF) return std::string_view();
      if (code < ARCHIVE_WARN) return broken();
      // Without it, what is not packed at all would be taken as it is.
      const int wanted = *format_ == LayerFormat::gzip ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD;
      if (archive_filter_code(filter_.get(), 0) != wanted)
        return Error(Errc::invalid_argument, std::string("the layer is not ") +
                                                 (wanted == ARCHIVE_FILTER_GZIP ? "gzip" : "zstd") +
                                                 ", as its media type says");
    }
    if (buffer_.empty()) buffer_.resize(64 * 1024);
    const auto got = archive_read_data(filter_.get(), buffer_.data(), buffer_.size());
    if (got < 0) return broken();
    return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
  }

  const LayerSource& source_;
  std::uint64_t ratio_;
  Hasher hasher_;
  std::optional<LayerFormat> format_;
  Archive filter_;
  std::vector<char> buffer_;
  bool started_ = false;
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
};

la_ssize_t read_tar(archive* a, void* self, const void** buffer) {
  auto& stream = *static_cast<TarStream*>(self);
  try {
    auto piece = stream.next();
    if (piece) {
      *buffer = piece->data();
      return static_cast<la_ssize_t>(piece->size());
    }
    stream.error = std::move(piece).error();
  } catch (const std::exception& e) {
    stream.error = Error(Errc::internal, e.what());
  }
  archive_set_error(a, EIO, "reading failed");
  return -1;
}

}  // namespace

struct Unpacker::Impl {
  Impl(Fd root_fd, const UnpackLimits& given) : root(std::move(root_fd)), limits(given), is_root(geteuid() == 0) {}

  Fd root;
  UnpackLimits limits;
  bool is_root;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;

  // Of this layer: what it made, by the folder's inode and the name in it, which no link can disguise.
  std::unordered_set<std::size_t> made;
  struct Link {
    std::string name, target;
  };
  std::vector<Link> links;  // whose target is not there yet
  std::size_t deferred_bytes = 0;

  // Modes that would keep the owner from working in the folder, for the end.
  struct Mode {
    std::string path;
    ino_t inode;
    mode_t mode;
  };
  std::vector<Mode> modes;

  // The folder of the last entry: most entries come after their sisters.
  std::string cached_path;
  Fd cached;

  static std::size_t key(std::uint64_t inode, std::string_view name) {
    return std::hash<std::string_view>()(name) ^ (static_cast<std::size_t>(inode) * 0x9e3779b97f4a7c15ull);
  }
  Result<void> mark(int dir, const std::string& name, std::string_view entry) {
    struct stat info {};
    if (fstat(dir, &info) != 0) return failed(entry, "cannot look at its folder");
    made.insert(key(info.st_ino, name));
    return {};
  }
  files::Keep keep() {
    return [this](std::uint64_t, std::uint64_t inode, const char* name) { return made.count(key(inode, name)) > 0; };
  }
  void forget_folder() {
    cached.reset();
    cached_path.clear();
  }

  // The folder that the entry is in, made where it is missing. Valid until the next call.
  Result<int> parent(const std::vector<std::string>& parts, std::string_view entry) {
    const std::string path = joined(parts, parts.size() - 1);
    if (cached && cached_path == path) return cached.get();
    Fd fd = files::open_in_root(root.get(), path, O_RDONLY | O_DIRECTORY);
    if (!fd && errno == ENOENT) {
      for (std::size_t i = 1; i < parts.size(); ++i) {
        Fd at = files::open_in_root(root.get(), joined(parts, i - 1), O_RDONLY | O_DIRECTORY);
        if (!at) return failed(entry, "cannot open its folder");
        if (mkdirat(at.get(), parts[i - 1].c_str(), 0755) == 0) {
          BENCHER_DO(count(entry));
          BENCHER_DO(mark(at.get(), parts[i - 1], entry));
        } else if (errno != EEXIST) {
          return failed(entry, "cannot make its folder");
        }
      }
      fd = files::open_in_root(root.get(), path, O_RDONLY | O_DIRECTORY);
    }
    if (!fd) {
      if (errno == ENOSYS)
        return Error(Errc::unavailable, "images need the system call openat2 (Linux 5.6 or later), which is not there");
      return failed(entry, "cannot open its folder");
    }
    cached = std::move(fd);
    cached_path = path;
    return cached.get();
  }

  Result<void> count(std::string_view entry) {
    if (++entries > limits.entries)
      return too_large(entry, "the image has more than " + std::to_string(limits.entries) + " entries");
    return {};
  }
  Result<void> charge(std::uint64_t more, std::string_view entry) {
    if (more > limits.bytes - bytes)
      return too_large(entry, "the image unpacks to more than its limit of " + std::to_string(limits.bytes) + " bytes");
    bytes += more;
    return {};
  }
  Result<void> defer(std::size_t size, std::string_view entry) {
    deferred_bytes += size;
    if (deferred_bytes > deferred_limit) return too_large(entry, "too many links or locked folders");
    return {};
  }

  // Takes away what has the name already; a folder stays if it is to be a folder.
  Result<bool> make_room(int dir, const std::string& name, bool folder, std::string_view entry) {
    struct stat info {};
    if (fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return false;
      return failed(entry, "cannot look at what is there already");
    }
    if (folder && S_ISDIR(info.st_mode)) return true;
    if (S_ISDIR(info.st_mode)) {
      BENCHER_DO(files::remove_tree(dir, name));
    } else if (unlinkat(dir, name.c_str(), 0) != 0) {
      return failed(entry, "cannot replace what is there already");
    }
    return false;
  }

  Result<void> own(int fd, archive_entry* entry, std::string_view name) {
    if (!is_root) return {};
    const auto uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    if (uid < 0 || gid < 0 || uid >= 0xffffffff || gid >= 0xffffffff)
      return refused(name, "its owner is not a user id");
    if (fchown(fd, static_cast<uid_t>(uid), static_cast<gid_t>(gid)) != 0) return failed(name, "cannot set its owner");
    return {};
  }

  // Those that images carry; a filesystem without them is no reason to fail.
  void extended(int fd, archive_entry* entry) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      if (!name) continue;
      const std::string_view key(name);
      if (key == "security.capability" || key.starts_with("user.")) fsetxattr(fd, name, value, size, 0);
    }
  }

  Result<void> folder(const std::vector<std::string>& parts, archive_entry* entry, std::string_view name) {
    const auto mode = static_cast<mode_t>(archive_entry_perm(entry) & 07777);
    Fd fd;
    if (parts.empty()) {
      fd = Fd(fcntl(root.get(), F_DUPFD_CLOEXEC, 0));
    } else {
      BENCHER_TRY(const int dir, parent(parts, name));
      BENCHER_TRY(const bool there, make_room(dir, parts.back(), true, name));
      if (!there && mkdirat(dir, parts.back().c_str(), 0700) != 0) return failed(name, "cannot make the folder");
      BENCHER_DO(mark(dir, parts.back(), name));
      fd = Fd(openat(dir, parts.back().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!fd) return failed(name, "cannot open the folder");
    BENCHER_DO(own(fd.get(), entry, name));
    extended(fd.get(), entry);
    // The owner's rights stay until the end where the owner is we and not root.
    const bool later = !is_root && (mode & 0700) != 0700;
    if (fchmod(fd.get(), later ? mode | 0700 : mode) != 0) return failed(name, "cannot set the mode");
    if (later) {
      struct stat info {};
      if (fstat(fd.get(), &info) != 0) return failed(name, "cannot look at the folder");
      const std::string path = joined(parts, parts.size());
      BENCHER_DO(defer(path.size() + sizeof(Mode), name));
      modes.push_back({path, info.st_ino, mode});
    }
    return {};
  }

  Result<void> regular(const std::vector<std::string>& parts, archive* tar, archive_entry* entry, TarStream& stream,
                       std::string_view name) {
    const auto size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    if (size < 0) return refused(name, "a negative size");
    BENCHER_DO(charge(static_cast<std::uint64_t>(size), name));
    BENCHER_TRY(const int dir, parent(parts, name));
    BENCHER_TRY([[maybe_unused]] const bool there, make_room(dir, parts.back(), false, name));
    Fd fd(openat(dir, parts.back().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return failed(name, "cannot make the file");
    BENCHER_DO(mark(dir, parts.back(), name));
    for (;;) {
      const void* data = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int code = archive_read_data_block(tar, &data, &length, &offset);
      if (code == ARCHIVE_EOF) break;
      if (code < ARCHIVE_WARN) return broken(tar, stream, name);
      if (offset < 0 || static_cast<std::uint64_t>(offset) + length > static_cast<std::uint64_t>(size))
        return refused(name, "its data is longer than its size says");
      const char* at = static_cast<const char*>(data);
      while (length > 0) {
        const auto wrote = pwrite(fd.get(), at, length, offset);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return failed(name, "cannot write the file");
        at += wrote;
        offset += wrote;
        length -= static_cast<std::size_t>(wrote);
      }
    }
    if (ftruncate(fd.get(), size) != 0) return failed(name, "cannot set the size");
    BENCHER_DO(own(fd.get(), entry, name));
    extended(fd.get(), entry);
    // After the owner: changing that takes setuid away.
    if (fchmod(fd.get(), static_cast<mode_t>(archive_entry_perm(entry) & 07777)) != 0)
      return failed(name, "cannot set the mode");
    if (archive_entry_mtime_is_set(entry)) {
      const timespec time{archive_entry_mtime(entry), 0};
      const timespec times[2] = {time, time};
      futimens(fd.get(), times);
    }
    return {};
  }

  Result<void> symbolic_link(const std::vector<std::string>& parts, archive_entry* entry, std::string_view name) {
    const char* text = archive_entry_symlink(entry);
    const std::string target = text ? text : "";
    if (target.empty()) return refused(name, "a symbolic link without a target");
    if (target.size() > limits.path) return too_large(name, "the target of the link is too long");
    if (climbs_out(target, parts.size() - 1))
      return refused(name, "it is a link to '" + target.substr(0, 256) + "', which is outside the image");
    BENCHER_TRY(const int dir, parent(parts, name));
    BENCHER_TRY([[maybe_unused]] const bool there, make_room(dir, parts.back(), false, name));
    if (symlinkat(target.c_str(), dir, parts.back().c_str()) != 0) return failed(name, "cannot make the link");
    if (is_root && fchownat(dir, parts.back().c_str(), static_cast<uid_t>(archive_entry_uid(entry)),
                            static_cast<gid_t>(archive_entry_gid(entry)), AT_SYMLINK_NOFOLLOW) != 0)
      return failed(name, "cannot set the owner of the link");
    return mark(dir, parts.back(), name);
  }

  // False: the target is not there (yet).
  Result<bool> hard_link(const std::string& name, const std::string& target) {
    BENCHER_TRY(const auto parts, components(name, name, limits.path));
    BENCHER_TRY(const auto target_parts, components(target, name, limits.path));
    if (parts.empty() || target_parts.empty()) return refused(name, "a hard link to or in place of the image's root");
    Fd target_dir =
        files::open_in_root(root.get(), joined(target_parts, target_parts.size() - 1), O_PATH | O_DIRECTORY);
    struct stat info {};
    if (!target_dir || fstatat(target_dir.get(), target_parts.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return false;
      return failed(name, "cannot look at the target of the hard link");
    }
    if (S_ISDIR(info.st_mode)) return refused(name, "a hard link to a folder");
    BENCHER_TRY(const int dir, parent(parts, name));
    struct stat existing {};
    if (fstatat(dir, parts.back().c_str(), &existing, AT_SYMLINK_NOFOLLOW) == 0 && existing.st_ino == info.st_ino &&
        existing.st_dev == info.st_dev) {
      BENCHER_DO(mark(dir, parts.back(), name));
      return true;
    }
    BENCHER_TRY([[maybe_unused]] const bool there, make_room(dir, parts.back(), false, name));
    if (linkat(target_dir.get(), target_parts.back().c_str(), dir, parts.back().c_str(), 0) != 0)
      return failed(name, "cannot make the hard link");
    BENCHER_DO(mark(dir, parts.back(), name));
    return true;
  }

  // `name` of a lower layer goes, with all below it.
  Result<void> whiteout(std::vector<std::string> parts, const std::string& gone, std::string_view entry) {
    if (gone.empty() || gone == "." || gone == "..") return refused(entry, "a whiteout of nothing");
    Fd dir = files::open_in_root(root.get(), joined(parts, parts.size() - 1), O_RDONLY | O_DIRECTORY);
    if (!dir) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return failed(entry, "cannot open its folder");
    }
    forget_folder();
    auto removed = files::remove_tree(dir.get(), gone, keep());
    if (!removed) return std::move(removed).error().within(shown(entry));
    return {};
  }

  Result<void> opaque(const std::vector<std::string>& parts, std::string_view entry) {
    Fd dir = files::open_in_root(root.get(), joined(parts, parts.size() - 1), O_RDONLY | O_DIRECTORY);
    if (!dir) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return failed(entry, "cannot open its folder");
    }
    forget_folder();
    auto emptied = files::empty_folder(dir.get(), keep());
    if (!emptied) return std::move(emptied).error().within(shown(entry));
    return {};
  }

  static Error broken(archive* tar, TarStream& stream, std::string_view name) {
    if (stream.error) return std::exchange(stream.error, std::nullopt).value();
    const char* text = archive_error_string(tar);
    return Error(Errc::invalid_argument, "the layer is not a valid tar" +
                                             (name.empty() ? std::string() : " at " + shown(name)) + ": " +
                                             (text ? text : "unknown"));
  }

  Result<void> one(archive* tar, archive_entry* entry, TarStream& stream) {
    const char* text = archive_entry_pathname(entry);
    if (!text) return Error(Errc::invalid_argument, "an entry of the layer has no name");
    const std::string name = text;
    BENCHER_DO(count(name));
    BENCHER_TRY(const auto parts, components(name, name, limits.path));

    if (!parts.empty() && parts.back().starts_with(whiteout_prefix)) {
      if (parts.back() == opaque_whiteout) return opaque(parts, name);
      if (parts.back().starts_with(".wh..wh.")) return {};  // aufs' own files
      return whiteout(parts, parts.back().substr(whiteout_prefix.size()), name);
    }
    if (const char* link = archive_entry_hardlink(entry)) {
      const std::string target = link;
      BENCHER_TRY(const bool linked, hard_link(name, target));
      if (!linked) {
        BENCHER_DO(defer(name.size() + target.size() + sizeof(Link), name));
        links.push_back({name, target});
      }
      return {};
    }
    const auto type = archive_entry_filetype(entry);
    if (parts.empty() && type != AE_IFDIR) return refused(name, "the image's root can only be a folder");
    switch (type) {
      case AE_IFDIR: {
        forget_folder();
        auto made_it = folder(parts, entry, name);
        forget_folder();
        return made_it;
      }
      case AE_IFREG: return regular(parts, tar, entry, stream, name);
      case AE_IFLNK: {
        auto made_it = symbolic_link(parts, entry, name);
        forget_folder();
        return made_it;
      }
      case AE_IFIFO: {
        BENCHER_TRY(const int dir, parent(parts, name));
        BENCHER_TRY([[maybe_unused]] const bool there, make_room(dir, parts.back(), false, name));
        if (mkfifoat(dir, parts.back().c_str(), static_cast<mode_t>(archive_entry_perm(entry) & 0777)) != 0)
          return failed(name, "cannot make the fifo");
        return mark(dir, parts.back(), name);
      }
      case AE_IFCHR:
        // How overlayfs writes a whiteout.
        if (archive_entry_rdevmajor(entry) == 0 && archive_entry_rdevminor(entry) == 0)
          return whiteout(parts, parts.back(), name);
        return refused(name, "it is a device, which an image may not bring");
      case AE_IFBLK: return refused(name, "it is a device, which an image may not bring");
      default: return refused(name, "its kind is not supported");
    }
  }

  Result<void> layer(LayerFormat format, const LayerSource& source, const Digest* diff_id) {
    made.clear();
    links.clear();
    TarStream stream(format, source, format == LayerFormat::tar ? UINT64_MAX : limits.ratio,
                     diff_id ? diff_id->algorithm() : DigestAlgorithm::sha256);
    Archive tar(archive_read_new());
    if (!tar) throw std::bad_alloc();
    archive_read_support_format_tar(tar.get());
    archive_read_support_format_empty(tar.get());
    if (archive_read_open(tar.get(), &stream, nullptr, &read_tar, nullptr) != ARCHIVE_OK)
      return broken(tar.get(), stream, {});
    for (;;) {
      archive_entry* entry = nullptr;
      const int code = archive_read_next_header(tar.get(), &entry);
      if (code == ARCHIVE_EOF) break;
      // A name that the locale cannot show is a warning; the bytes are there all the same.
      if (code < ARCHIVE_WARN) return broken(tar.get(), stream, {});
      BENCHER_DO(one(tar.get(), entry, stream));
    }
    for (const auto& link : links) {
      BENCHER_TRY(const bool linked, hard_link(link.name, link.target));
      if (!linked)
        return refused(link.name, "a hard link to '" + link.target.substr(0, 256) + "', which is not in the image");
    }
    forget_folder();

    // The tar reader stops at the end mark; what is behind it is part of the digest.
    for (;;) {
      BENCHER_TRY(const auto rest, stream.next());
      if (rest.empty()) break;
    }
    const Digest got = stream.finish();
    if (diff_id && got != *diff_id) {
      return Error(Errc::invalid_argument,
                   "the layer's tar is " + got.str() + ", but the image's configuration says " + diff_id->str());
    }
    return {};
  }

  Result<void> finish() {
    std::stable_sort(modes.begin(), modes.end(), [](const Mode& a, const Mode& b) {
      return std::count(a.path.begin(), a.path.end(), '/') > std::count(b.path.begin(), b.path.end(), '/');
    });
    // Deepest first: a locked folder would hide those below.
    for (const auto& mode : modes) {
      Fd fd = files::open_in_root(root.get(), mode.path, O_RDONLY | O_DIRECTORY);
      struct stat info {};
      if (!fd || fstat(fd.get(), &info) != 0 || info.st_ino != mode.inode) continue;  // replaced by a later layer
      if (fchmod(fd.get(), mode.mode) != 0) return failed(mode.path, "cannot set the mode");
    }
    modes.clear();
    return {};
  }
};

Unpacker::Unpacker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Unpacker::~Unpacker() = default;
Unpacker::Unpacker(Unpacker&&) noexcept = default;
Unpacker& Unpacker::operator=(Unpacker&&) noexcept = default;

Result<Unpacker> Unpacker::open(const std::filesystem::path& root, const UnpackLimits& limits) {
  if (mkdir(root.c_str(), 0755) != 0 && errno != EEXIST)
    return system_error("cannot make the folder '" + root.string() + "'");
  Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return system_error("cannot open the folder '" + root.string() + "'");
  return Unpacker(std::make_unique<Impl>(std::move(fd), limits));
}

Result<void> Unpacker::layer(LayerFormat format, const LayerSource& source, const Digest* diff_id) {
  return impl_->layer(format, source, diff_id);
}
Result<void> Unpacker::finish() {
  return impl_->finish();
}

}  // namespace bencher
