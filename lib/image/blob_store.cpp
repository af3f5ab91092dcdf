// The folder:
//   lock                                   shared by all that have it open
//   tmp/                                   files on their way; a rename takes them to their place
//   uploads/<repository>/<id>              unfinished blobs; the file's time is when it was last opened
//   repositories/<repository>/blobs/<algorithm>/<first two digits>/<hex>
//   repositories/<repository>/manifests/<algorithm>/<hex>      one line with the media type, then the bytes
//   repositories/<repository>/tags/<tag>                       the digest
//   repositories/<repository>/referrers/<subject>/<digest>     the descriptor; both with '-' for ':'
//   objects/<key>.object
#include "bencher/image/blob_store.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t read_part = 256 * 1024;
constexpr std::size_t upload_limit = 1'000;
constexpr std::size_t hasher_limit = 1'000;
constexpr std::size_t page_bytes = 4 << 20;
constexpr std::size_t object_limit = 1u << 30;

[[noreturn]] void fail(const char* what, const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), fmt::format("blob store: cannot {} {}", what, path.native()));
}

class Fd {
 public:
  Fd() = default;
  Fd(const fs::path& path, int flags, mode_t mode = 0640) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

void write_at(const Fd& file, std::string_view bytes, std::uint64_t offset, const fs::path& path) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      fail("write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

std::size_t read_at(const Fd& file, char* to, std::size_t size, std::uint64_t offset, const fs::path& path) {
  for (;;) {
    const auto n = ::pread(file.get(), to, size, static_cast<off_t>(offset));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) fail("read", path);
  }
}

void sync_folder(const fs::path& path) {
  const Fd folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder || ::fsync(folder.get()) != 0) fail("sync", path);
}

/// Makes a folder and those above it, durably.
void make_folders(const fs::path& path) {
  if (::mkdir(path.c_str(), 0750) != 0) {
    if (errno == EEXIST) return;
    if (errno != ENOENT || !path.has_relative_path()) fail("make the folder", path);
    make_folders(path.parent_path());
    if (::mkdir(path.c_str(), 0750) != 0) {
      if (errno == EEXIST) return;
      fail("make the folder", path);
    }
  }
  sync_folder(path.parent_path());
}

/// An upload's age is told by its file's time.
void set_time(const Fd& file, Instant now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const timespec times[2]{{seconds, 0}, {seconds, 0}};
  ::futimens(file.get(), times);
}

/// Nothing when there is no such file.
std::optional<std::string> read_file(const fs::path& path, std::size_t limit) {
  const Fd file(path, O_RDONLY);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail("open", path);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail("read", path);
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  if (static_cast<std::uint64_t>(status.st_size) > limit) {
    errno = EFBIG;
    fail("read", path);
  }
  std::string out(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t at = 0;
  while (at < out.size()) {
    const auto n = read_at(file, out.data() + at, out.size() - at, at, path);
    if (n == 0) break;
    at += n;
  }
  out.resize(at);
  return out;
}

/// False when there was none.
bool remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    fail("remove", path);
  }
  sync_folder(path.parent_path());
  return true;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code ec;
  for (fs::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec))
    out.push_back(at->path().filename().string());
  if (ec && ec != std::errc::no_such_file_or_directory)
    throw std::system_error(ec, "blob store: cannot list " + folder.native());
  return out;
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > 128 || text[0] == '.' || text[0] == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

Result<void> check_repository(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (good) return {};
  return Error(Errc::invalid_argument,
               fmt::format("repository '{}': it is not a project's UUID", to_valid_utf8(name.substr(0, 128))));
}

Result<void> check_tag(std::string_view tag) {
  if (is_tag(tag)) return {};
  return Error(Errc::invalid_argument, fmt::format("tag '{}': it is not 1 to 128 of A-Z a-z 0-9 _ . - with no . or - "
                                                   "in front",
                                                   to_valid_utf8(tag.substr(0, 256))));
}

std::string dashed(const Digest& digest) {
  std::string out = digest.str();
  out[6] = '-';
  return out;
}

std::string_view text_of(const json::string& text) {
  return {text.data(), text.size()};
}

/// What the store has to know of a manifest.
struct Parsed {
  std::vector<Digest> blobs;
  std::vector<Digest> children;
  std::optional<Digest> subject;
  std::string artifact_type;
  json::object annotations;
};

constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";

Error invalid(std::string message) {
  return Error(Errc::invalid_argument, "manifest: " + std::move(message));
}

Result<Digest> descriptor_digest(const json::value& value, std::string_view where) {
  const auto* object = value.if_object();
  const auto* text = object ? object->if_contains("digest") : nullptr;
  if (!text || !text->is_string()) return invalid(fmt::format("{} has no 'digest'", where));
  auto digest = Digest::parse(text_of(text->get_string()));
  if (!digest) return invalid(fmt::format("{}: {}", where, digest.error().message()));
  return digest;
}

bool may_be_missing(const json::value& layer) {
  const auto* type = layer.as_object().if_contains("mediaType");
  if (!type || !type->is_string()) return false;
  const auto text = text_of(type->get_string());
  return text.find(".foreign.") != std::string_view::npos || text.find(".nondistributable.") != std::string_view::npos;
}

Result<Parsed> parse_manifest(std::string_view media_type, std::string_view bytes) {
  const bool index = media_type == oci_index || media_type == docker_list;
  if (!index && media_type != oci_manifest && media_type != docker_manifest)
    return invalid(fmt::format("the media type '{}' is not one of {}, {}, {}, {}",
                               to_valid_utf8(media_type.substr(0, 256)), oci_manifest, oci_index, docker_manifest,
                               docker_list));
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = 32;
  const auto value = json::parse(json::string_view(bytes.data(), bytes.size()), ec, {}, options);
  if (ec) return invalid("it is not JSON: " + ec.message());
  const auto* object = value.if_object();
  if (!object) return invalid("it is not a JSON object");
  const auto string = [object](json::string_view name) -> std::optional<std::string> {
    const auto* member = object->if_contains(name);
    if (!member || !member->is_string()) return std::nullopt;
    return std::string(text_of(member->get_string()));
  };
  const auto* version = object->if_contains("schemaVersion");
  if (!version || !version->is_number() || version->to_number<double>() != 2)
    return invalid("'schemaVersion' is not 2");
  if (const auto stated = string("mediaType"); stated && *stated != media_type)
    return invalid(fmt::format("the content type '{}' is not its mediaType '{}'", media_type, *stated));
  Parsed out;
  if (index) {
    const auto* list = object->if_contains("manifests");
    if (!list || !list->is_array()) return invalid("'manifests' is not a list");
    for (const auto& child : list->get_array()) {
      BENCHER_TRY(auto digest, descriptor_digest(child, "a descriptor in 'manifests'"));
      out.children.push_back(std::move(digest));
    }
  } else {
    const auto* config = object->if_contains("config");
    if (!config) return invalid("there is no 'config'");
    BENCHER_TRY(auto config_digest, descriptor_digest(*config, "'config'"));
    out.blobs.push_back(std::move(config_digest));
    const auto* layers = object->if_contains("layers");
    if (!layers || !layers->is_array()) return invalid("'layers' is not a list");
    for (const auto& layer : layers->get_array()) {
      BENCHER_TRY(auto digest, descriptor_digest(layer, "a descriptor in 'layers'"));
      if (!may_be_missing(layer)) out.blobs.push_back(std::move(digest));
    }
    if (const auto* type = config->as_object().if_contains("mediaType"); type && type->is_string())
      out.artifact_type = text_of(type->get_string());
  }
  if (const auto type = string("artifactType"); type && !type->empty())
    out.artifact_type = *type;
  else if (index)
    out.artifact_type.clear();
  if (const auto* subject = object->if_contains("subject"); subject && !subject->is_null()) {
    BENCHER_TRY(out.subject, descriptor_digest(*subject, "'subject'"));
  }
  if (const auto* annotations = object->if_contains("annotations"); annotations && annotations->is_object())
    out.annotations = annotations->get_object();
  return out;
}

}  // namespace

struct BlobStore::Impl {
  Impl(fs::path r, Random& rnd) : root(std::move(r)), random(rnd) {}

  fs::path root;
  Random& random;
  Fd lock;
  std::mutex random_mutex;
  /// One change of manifests at a time, so that what a manifest needs is not deleted while it is stored.
  std::mutex manifest_mutex;
  /// The hash states of uploads between requests, so that finishing one does not read it again; best effort.
  std::mutex hasher_mutex;
  std::map<std::string, std::pair<std::uint64_t, Hasher>, std::less<>> hashers;

  std::string new_id(Instant now) {
    const std::lock_guard guard(random_mutex);
    return AnyUuid::make(now, random).str();
  }

  fs::path repository(std::string_view name) const { return root / "repositories" / name; }
  fs::path upload(std::string_view name, std::string_view id) const { return root / "uploads" / name / id; }
  fs::path blob(std::string_view name, const Digest& digest) const {
    return repository(name) / "blobs" / digest.str().substr(0, 6) / digest.hex().substr(0, 2) / digest.hex();
  }
  fs::path manifest(std::string_view name, const Digest& digest) const {
    return repository(name) / "manifests" / digest.str().substr(0, 6) / digest.hex();
  }
  fs::path tag(std::string_view name, std::string_view text) const { return repository(name) / "tags" / text; }
  fs::path referrers(std::string_view name, const Digest& subject) const {
    return repository(name) / "referrers" / dashed(subject);
  }
  Result<fs::path> object(std::string_view key) const {
    fs::path path = root / "objects";
    std::string_view rest = key;
    int parts = 0;
    do {
      const auto slash = rest.find('/');
      const auto part = rest.substr(0, slash);
      rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
      const bool good = is_tag(part) && ++parts <= 8 && !(slash != std::string_view::npos && rest.empty());
      if (!good)
        return Error(Errc::invalid_argument,
                     fmt::format("object key '{}': it is not up to eight parts of A-Z a-z 0-9 _ . - joined by /",
                                 to_valid_utf8(key.substr(0, 256))));
      path /= part;
    } while (!rest.empty());
    path += ".object";  // so that no key is the folder of another
    return path;
  }

  /// Puts a file with these bytes at `to`, whole or not at all.
  void place(const fs::path& to, std::string_view head, std::string_view bytes) {
    const auto from = root / "tmp" / new_id(Instant());
    try {
      const Fd file(from, O_WRONLY | O_CREAT | O_EXCL);
      if (!file) fail("make", from);
      write_at(file, head, 0, from);
      write_at(file, bytes, head.size(), from);
      if (::fsync(file.get()) != 0) fail("sync", from);
      move(from, to);
    } catch (...) {
      ::unlink(from.c_str());
      throw;
    }
  }

  void move(const fs::path& from, const fs::path& to) {
    // The folder may be removed between making it and moving into it.
    for (int attempt = 0;; ++attempt) {
      make_folders(to.parent_path());
      if (::rename(from.c_str(), to.c_str()) == 0) break;
      if (errno != ENOENT || attempt == 3) fail("move a file to", to);
    }
    sync_folder(to.parent_path());
  }
};

// ---- uploads -------------------------------------------------------------------------------------------------------

struct BlobUpload::Impl {
  BlobStore::Impl& store;
  std::string repository;
  std::string id;
  fs::path path;
  Instant opened;
  Fd file;
  std::uint64_t offset = 0;
  std::optional<Hasher> hasher;  // over all bytes so far, or none
  bool ended = false;

  void keep_hasher() {
    if (!hasher) return;
    const std::lock_guard guard(store.hasher_mutex);
    if (store.hashers.size() < hasher_limit) store.hashers.insert_or_assign(id, std::pair(offset, std::move(*hasher)));
    hasher.reset();
  }
};

BlobUpload::BlobUpload(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlobUpload::BlobUpload(BlobUpload&&) noexcept = default;
BlobUpload& BlobUpload::operator=(BlobUpload&&) noexcept = default;
BlobUpload::~BlobUpload() {
  if (!impl_ || impl_->ended) return;
  set_time(impl_->file, impl_->opened);
  impl_->keep_hasher();
}

const std::string& BlobUpload::id() const noexcept {
  return impl_->id;
}
std::uint64_t BlobUpload::offset() const noexcept {
  return impl_->offset;
}

void BlobUpload::append(std::string_view bytes) {
  try {
    write_at(impl_->file, bytes, impl_->offset, impl_->path);
  } catch (...) {
    if (::ftruncate(impl_->file.get(), static_cast<off_t>(impl_->offset)) != 0) cancel();
    throw;
  }
  if (impl_->hasher) impl_->hasher->update(bytes);
  impl_->offset += bytes.size();
}

void BlobUpload::rewind(std::uint64_t offset) {
  if (offset >= impl_->offset) return;
  if (::ftruncate(impl_->file.get(), static_cast<off_t>(offset)) != 0) fail("cut", impl_->path);
  impl_->offset = offset;
  impl_->hasher.reset();
  if (offset == 0) impl_->hasher.emplace();
}

Result<void> BlobUpload::finish(const Digest& expected) {
  if (!impl_->hasher || expected.algorithm() != DigestAlgorithm::sha256) {
    impl_->hasher.emplace(expected.algorithm());
    std::string part(read_part, '\0');
    for (std::uint64_t at = 0; at < impl_->offset;) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), impl_->offset - at));
      const auto n = read_at(impl_->file, part.data(), want, at, impl_->path);
      if (n == 0) break;
      impl_->hasher->update(std::string_view(part).substr(0, n));
      at += n;
    }
  }
  const auto actual = impl_->hasher->finish();
  impl_->hasher.reset();
  if (actual != expected) {
    cancel();
    return Error(Errc::invalid_argument,
                 fmt::format("the bytes have the digest {}, not {}", actual.str(), expected.str()));
  }
  if (::fsync(impl_->file.get()) != 0) fail("sync", impl_->path);
  impl_->store.move(impl_->path, impl_->store.blob(impl_->repository, expected));
  impl_->ended = true;
  impl_->file.reset();
  return {};
}

void BlobUpload::cancel() {
  impl_->ended = true;
  impl_->hasher.reset();
  ::unlink(impl_->path.c_str());
  impl_->file.reset();
}

Result<std::string> BlobStore::begin_upload(std::string_view repository, Instant now) {
  BENCHER_DO(check_repository(repository));
  const auto open = names_in(impl_->root / "uploads" / repository).size();
  if (open >= upload_limit)
    return Error(Errc::unavailable, fmt::format("{} uploads of this repository are open; try again later", open));
  auto id = impl_->new_id(now);
  const auto path = impl_->upload(repository, id);
  make_folders(path.parent_path());
  const Fd file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) fail("make", path);
  set_time(file, now);
  sync_folder(path.parent_path());
  return id;
}

Result<BlobUpload> BlobStore::open_upload(std::string_view repository, std::string_view id, Instant now) {
  BENCHER_DO(check_repository(repository));
  const auto unknown = [id] {
    return Error(Errc::not_found, fmt::format("there is no upload {}", to_valid_utf8(id.substr(0, 64))));
  };
  const auto uuid = AnyUuid::parse(id);
  if (!uuid || uuid->str() != id) return unknown();
  auto impl = std::unique_ptr<BlobUpload::Impl>(new BlobUpload::Impl{
      *impl_, std::string(repository), std::string(id), impl_->upload(repository, id), now, {}, 0, {}, false});
  impl->file = Fd(impl->path, O_RDWR);
  if (!impl->file) {
    if (errno == ENOENT) return unknown();
    fail("open", impl->path);
  }
  if (::flock(impl->file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("lock", impl->path);
    return Error(Errc::conflict, fmt::format("another request is writing to the upload {}", id));
  }
  struct stat status {};
  if (::fstat(impl->file.get(), &status) != 0) fail("read", impl->path);
  if (status.st_nlink == 0) return unknown();  // ended by who held it before
  struct stat named {};
  if (::stat(impl->path.c_str(), &named) != 0 || named.st_ino != status.st_ino) return unknown();
  impl->offset = static_cast<std::uint64_t>(status.st_size);
  set_time(impl->file, now);
  {
    const std::lock_guard guard(impl_->hasher_mutex);
    if (const auto at = impl_->hashers.find(id); at != impl_->hashers.end()) {
      if (at->second.first == impl->offset) impl->hasher.emplace(std::move(at->second.second));
      impl_->hashers.erase(at);
    }
  }
  if (impl->offset == 0) impl->hasher.emplace();
  return BlobUpload(std::move(impl));
}

Result<std::uint64_t> BlobStore::upload_offset(std::string_view repository, std::string_view id) const {
  BENCHER_DO(check_repository(repository));
  const auto uuid = AnyUuid::parse(id);
  struct stat status {};
  if (!uuid || uuid->str() != id || ::stat(impl_->upload(repository, id).c_str(), &status) != 0)
    return Error(Errc::not_found, fmt::format("there is no upload {}", to_valid_utf8(id.substr(0, 64))));
  return static_cast<std::uint64_t>(status.st_size);
}

std::size_t BlobStore::expire_uploads(Instant before) {
  std::size_t removed = 0;
  for (const auto& repository : names_in(impl_->root / "uploads")) {
    for (const auto& id : names_in(impl_->root / "uploads" / repository)) {
      const auto path = impl_->upload(repository, id);
      struct stat status {};
      if (::stat(path.c_str(), &status) != 0) continue;
      if (std::chrono::sys_seconds(std::chrono::seconds(status.st_mtim.tv_sec)) >= before) continue;
      const Fd file(path, O_RDWR);
      if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
      if (::unlink(path.c_str()) != 0) continue;
      ++removed;
      const std::lock_guard guard(impl_->hasher_mutex);
      impl_->hashers.erase(id);
    }
  }
  return removed;
}

// ---- blobs ---------------------------------------------------------------------------------------------------------

BlobStore::BlobStore(fs::path root, Random& random)
    : impl_(std::make_unique<Impl>(fs::absolute(std::move(root)).lexically_normal(), random)) {
  for (const char* name : {"tmp", "uploads", "repositories", "objects"})
    make_folders(impl_->root / name);
  const auto path = impl_->root / "lock";
  impl_->lock = Fd(path, O_RDWR | O_CREAT);
  if (!impl_->lock) fail("open", path);
  // Alone: whatever is in tmp, nobody is going to finish. Otherwise the first one has cleaned up.
  if (::flock(impl_->lock.get(), LOCK_EX | LOCK_NB) == 0)
    for (const auto& name : names_in(impl_->root / "tmp"))
      fs::remove_all(impl_->root / "tmp" / name);
  if (::flock(impl_->lock.get(), LOCK_SH) != 0) fail("lock", path);
}

BlobStore::~BlobStore() = default;

Result<Digest> BlobStore::put_blob(std::string_view repository, std::string_view bytes) {
  BENCHER_DO(check_repository(repository));
  auto digest = Digest::of(bytes);
  impl_->place(impl_->blob(repository, digest), {}, bytes);
  return digest;
}

Result<std::uint64_t> BlobStore::blob_size(std::string_view repository, const Digest& digest) const {
  BENCHER_DO(check_repository(repository));
  struct stat status {};
  if (::stat(impl_->blob(repository, digest).c_str(), &status) != 0)
    return Error(Errc::not_found, fmt::format("there is no blob {}", digest.str()));
  return static_cast<std::uint64_t>(status.st_size);
}

Result<fs::path> BlobStore::blob_path(std::string_view repository, const Digest& digest) const {
  BENCHER_DO(blob_size(repository, digest));
  return impl_->blob(repository, digest);
}

Result<void> BlobStore::mount_blob(std::string_view repository, std::string_view from, const Digest& digest) {
  BENCHER_DO(check_repository(repository));
  BENCHER_TRY(const auto source, blob_path(from, digest));
  const auto target = impl_->blob(repository, digest);
  make_folders(target.parent_path());
  if (::link(source.c_str(), target.c_str()) != 0 && errno != EEXIST) {
    if (errno == ENOENT) return Error(Errc::not_found, fmt::format("there is no blob {}", digest.str()));
    fail("link", target);
  }
  sync_folder(target.parent_path());
  return {};
}

Result<void> BlobStore::delete_blob(std::string_view repository, const Digest& digest) {
  BENCHER_DO(check_repository(repository));
  const std::lock_guard guard(impl_->manifest_mutex);
  if (remove_file(impl_->blob(repository, digest))) return {};
  return Error(Errc::not_found, fmt::format("there is no blob {}", digest.str()));
}

// ---- manifests -----------------------------------------------------------------------------------------------------

Result<BlobStore::PutManifest> BlobStore::put_manifest(std::string_view repository, std::string_view media_type,
                                                       std::string_view bytes, std::optional<std::string_view> tag,
                                                       DigestAlgorithm algorithm) {
  BENCHER_DO(check_repository(repository));
  if (tag) BENCHER_DO(check_tag(*tag));
  if (bytes.size() > manifest_limit)
    return Error(Errc::too_large,
                 fmt::format("manifest: it has {} bytes, over the limit of {}", bytes.size(), manifest_limit));
  BENCHER_TRY(auto parsed, parse_manifest(media_type, bytes));
  PutManifest out{Digest::of(bytes, algorithm), parsed.subject};
  const std::lock_guard guard(impl_->manifest_mutex);
  struct stat status {};
  for (const auto& digest : parsed.blobs)
    if (::stat(impl_->blob(repository, digest).c_str(), &status) != 0)
      return Error(Errc::not_found,
                   fmt::format("manifest: its blob {} is not in the repository; push it first", digest.str()));
  for (const auto& digest : parsed.children)
    if (::stat(impl_->manifest(repository, digest).c_str(), &status) != 0)
      return Error(Errc::not_found,
                   fmt::format("manifest: its manifest {} is not in the repository; push it first", digest.str()));
  std::string head(media_type);
  head += '\n';
  impl_->place(impl_->manifest(repository, out.digest), head, bytes);
  if (parsed.subject) {
    json::object descriptor{{"mediaType", json::string_view(media_type.data(), media_type.size())},
                            {"digest", out.digest.str()},
                            {"size", bytes.size()}};
    if (!parsed.artifact_type.empty()) descriptor.emplace("artifactType", parsed.artifact_type);
    if (!parsed.annotations.empty()) descriptor.emplace("annotations", std::move(parsed.annotations));
    impl_->place(impl_->referrers(repository, *parsed.subject) / dashed(out.digest), {}, json::serialize(descriptor));
  }
  if (tag) impl_->place(impl_->tag(repository, *tag), {}, out.digest.str());
  return out;
}

Result<BlobStore::Manifest> BlobStore::manifest(std::string_view repository, std::string_view reference) const {
  BENCHER_DO(check_repository(repository));
  auto digest = Digest::parse(reference);
  if (!digest) {
    if (reference.find(':') != std::string_view::npos) return std::move(digest).error();
    digest = resolve_tag(repository, reference);
    if (!digest) return std::move(digest).error();
  }
  auto text = read_file(impl_->manifest(repository, *digest), manifest_limit + 1024);
  const auto line = text ? text->find('\n') : std::string::npos;
  if (line == std::string::npos) return Error(Errc::not_found, fmt::format("there is no manifest {}", reference));
  return Manifest{text->substr(0, line), *std::move(digest), text->substr(line + 1)};
}

Result<Digest> BlobStore::resolve_tag(std::string_view repository, std::string_view tag) const {
  BENCHER_DO(check_repository(repository));
  BENCHER_DO(check_tag(tag));
  const auto text = read_file(impl_->tag(repository, tag), 256);
  if (!text) return Error(Errc::not_found, fmt::format("there is no tag {}", tag));
  return Digest::parse(*text);
}

Result<void> BlobStore::delete_tag(std::string_view repository, std::string_view tag) {
  BENCHER_DO(check_repository(repository));
  BENCHER_DO(check_tag(tag));
  const std::lock_guard guard(impl_->manifest_mutex);
  if (remove_file(impl_->tag(repository, tag))) return {};
  return Error(Errc::not_found, fmt::format("there is no tag {}", tag));
}

Result<void> BlobStore::delete_manifest(std::string_view repository, const Digest& digest) {
  BENCHER_DO(check_repository(repository));
  const std::lock_guard guard(impl_->manifest_mutex);
  BENCHER_TRY(const auto stored, manifest(repository, digest.str()));
  for (const auto& tag : names_in(impl_->repository(repository) / "tags"))
    if (read_file(impl_->tag(repository, tag), 256) == digest.str()) remove_file(impl_->tag(repository, tag));
  if (const auto parsed = parse_manifest(stored.media_type, stored.bytes); parsed && parsed->subject)
    remove_file(impl_->referrers(repository, *parsed->subject) / dashed(digest));
  remove_file(impl_->manifest(repository, digest));
  return {};
}

Result<BlobStore::Page> BlobStore::tags(std::string_view repository, std::size_t limit, std::string_view last) const {
  BENCHER_DO(check_repository(repository));
  std::set<std::string> smallest;
  for (auto& tag : names_in(impl_->repository(repository) / "tags")) {
    if (tag <= last) continue;
    smallest.insert(std::move(tag));
    if (smallest.size() > limit + 1) smallest.erase(std::prev(smallest.end()));
  }
  Page out;
  out.more = smallest.size() > limit;
  if (out.more) smallest.erase(std::prev(smallest.end()));
  out.items.assign(smallest.begin(), smallest.end());
  return out;
}

Result<BlobStore::Page> BlobStore::referrers(std::string_view repository, const Digest& digest,
                                             std::string_view artifact_type, std::string_view last) const {
  BENCHER_DO(check_repository(repository));
  const auto folder = impl_->referrers(repository, digest);
  auto names = names_in(folder);
  std::sort(names.begin(), names.end());
  std::string after(last);
  if (const auto colon = after.find(':'); colon != std::string::npos) after[colon] = '-';
  Page out;
  std::size_t size = 0;
  for (const auto& name : names) {
    if (name <= after) continue;
    auto text = read_file(folder / name, manifest_limit + 1024);
    if (!text) continue;
    if (!artifact_type.empty()) {
      boost::system::error_code ec;
      const auto value = json::parse(*text, ec);
      const auto* type = value.is_object() ? value.get_object().if_contains("artifactType") : nullptr;
      if (!type || !type->is_string() || text_of(type->get_string()) != artifact_type) continue;
    }
    if (!out.items.empty() && size + text->size() > page_bytes) {
      out.more = true;
      break;
    }
    size += text->size();
    out.items.push_back(*std::move(text));
  }
  return out;
}

Result<void> BlobStore::remove_repository(std::string_view repository) {
  BENCHER_DO(check_repository(repository));
  const std::lock_guard guard(impl_->manifest_mutex);
  for (const auto& path : {impl_->repository(repository), impl_->root / "uploads" / repository}) {
    const auto gone = impl_->root / "tmp" / impl_->new_id(Instant());
    if (::rename(path.c_str(), gone.c_str()) != 0) {
      if (errno == ENOENT) continue;
      fail("remove", path);
    }
    sync_folder(path.parent_path());
    fs::remove_all(gone);
  }
  return {};
}

// ---- job outputs ---------------------------------------------------------------------------------------------------

Result<void> BlobStore::put_object(std::string_view key, std::string_view bytes) {
  BENCHER_TRY(const auto path, impl_->object(key));
  impl_->place(path, {}, bytes);
  return {};
}

Result<std::string> BlobStore::get_object(std::string_view key) const {
  BENCHER_TRY(const auto path, impl_->object(key));
  auto text = read_file(path, object_limit);
  if (!text) return Error(Errc::not_found, fmt::format("there is no object {}", key));
  return *std::move(text);
}

Result<void> BlobStore::delete_object(std::string_view key) {
  BENCHER_TRY(const auto path, impl_->object(key));
  if (remove_file(path)) return {};
  return Error(Errc::not_found, fmt::format("there is no object {}", key));
}

}  // namespace bencher
