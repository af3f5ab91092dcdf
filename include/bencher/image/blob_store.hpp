#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/clock.hpp"
#include "bencher/base/random.hpp"
#include "bencher/base/result.hpp"
#include "bencher/image/digest.hpp"

namespace bencher {

class BlobStore;

/// An unfinished blob, held by one owner at a time, across processes. Letting it go keeps what was appended, for
/// another `BlobStore::open_upload`, also after a restart. One thread at a time. Must not outlive its store.
class BlobUpload {
 public:
  ~BlobUpload();
  BlobUpload(BlobUpload&&) noexcept;
  BlobUpload& operator=(BlobUpload&&) noexcept;

  const std::string& id() const noexcept;
  /// How many bytes it has.
  std::uint64_t offset() const noexcept;
  /// Adds bytes at the end. Throws std::system_error when they cannot be written; none of them counts then.
  void append(std::string_view bytes);
  /// Forgets all bytes from `offset` on.
  void rewind(std::uint64_t offset);
  /// Checks all bytes against `expected`, and makes them a blob that survives a power failure. Ends the upload either
  /// way. Error: `invalid_argument` for other bytes; then nothing is kept.
  Result<void> finish(const Digest& expected);
  /// Ends the upload and keeps nothing.
  void cancel();

 private:
  friend class BlobStore;
  struct Impl;
  explicit BlobUpload(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Images and job outputs in one folder. A repository is named by its project's UUID text (1–64 of `a-z0-9-`); its
/// blobs and manifests are its own, shared by hard links only. Each change is durable when its function returns.
///
/// Every function may be called from any thread; several processes may use one folder. They throw std::system_error
/// when the file system fails, and give `invalid_argument` for a malformed repository, tag, id or key.
class BlobStore {
 public:
  /// The largest manifest, by the distribution specification's advice.
  static constexpr std::size_t manifest_limit = 4 << 20;

  /// Opens the folder, and makes it if it is missing. What writes that were cut off have left is removed, unfinished
  /// uploads stay.
  BlobStore(std::filesystem::path root, Random& random);
  ~BlobStore();
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  // Uploads.

  /// A new upload's id, a UUID. Error: `unavailable` while the repository has 1,000 of them.
  Result<std::string> begin_upload(std::string_view repository, Instant now);
  /// Errors: `not_found`; `conflict` while another one holds it.
  Result<BlobUpload> open_upload(std::string_view repository, std::string_view id, Instant now);
  /// How many bytes it has, whoever holds it. Error: `not_found`.
  Result<std::uint64_t> upload_offset(std::string_view repository, std::string_view id) const;
  /// Removes the uploads that nobody holds and nobody has opened since `before`; says how many.
  std::size_t expire_uploads(Instant before);

  // Blobs.

  Result<Digest> put_blob(std::string_view repository, std::string_view bytes);
  /// Error: `not_found`.
  Result<std::uint64_t> blob_size(std::string_view repository, const Digest& digest) const;
  /// The file to read it from. Error: `not_found`.
  Result<std::filesystem::path> blob_path(std::string_view repository, const Digest& digest) const;
  /// Makes a blob of `from` one of `repository` too, without a copy. Error: `not_found`.
  Result<void> mount_blob(std::string_view repository, std::string_view from, const Digest& digest);
  /// Error: `not_found`.
  Result<void> delete_blob(std::string_view repository, const Digest& digest);

  // Manifests, by digest and tag. A tag is 1–128 of `A-Za-z0-9_.-`, with no `.` or `-` in front.

  struct Manifest {
    std::string media_type;
    Digest digest;
    std::string bytes;
  };
  struct PutManifest {
    Digest digest;
    std::optional<Digest> subject;
  };
  /// Stores an image manifest or index, OCI or Docker schema 2, whose blobs and children are in the repository already
  /// (those of foreign layers need not be). Its digest has the algorithm `algorithm`. `tag` then names it.
  /// Errors: `too_large`; `invalid_argument`, it is no such manifest or its `mediaType` is not `media_type`;
  /// `not_found`, the message names the digest that is missing.
  Result<PutManifest> put_manifest(std::string_view repository, std::string_view media_type, std::string_view bytes,
                                   std::optional<std::string_view> tag,
                                   DigestAlgorithm algorithm = DigestAlgorithm::sha256);
  /// `reference` is a digest or a tag. Error: `not_found`.
  Result<Manifest> manifest(std::string_view repository, std::string_view reference) const;
  /// The digest that a tag names now. Error: `not_found`.
  Result<Digest> resolve_tag(std::string_view repository, std::string_view tag) const;
  /// Other tags and the manifest stay. Error: `not_found`.
  Result<void> delete_tag(std::string_view repository, std::string_view tag);
  /// Removes it with all its tags. Error: `not_found`.
  Result<void> delete_manifest(std::string_view repository, const Digest& digest);

  struct Page {
    std::vector<std::string> items;
    bool more = false;
  };
  /// At most `limit` tags after `last`, in byte order.
  Result<Page> tags(std::string_view repository, std::size_t limit, std::string_view last) const;
  /// Descriptors (JSON objects) of the manifests whose `subject` is `digest`, by digest and after the digest `last`:
  /// at most 4 MiB of them, or one. `artifact_type` leaves out others, unless it is empty.
  Result<Page> referrers(std::string_view repository, const Digest& digest, std::string_view artifact_type,
                         std::string_view last) const;

  /// Removes everything a repository has; nothing to remove is fine.
  Result<void> remove_repository(std::string_view repository);

  // Job outputs: bytes under a key, one to eight parts of `A-Za-z0-9_.-` (no `.` in front) joined by `/`.

  Result<void> put_object(std::string_view key, std::string_view bytes);
  /// Error: `not_found`.
  Result<std::string> get_object(std::string_view key) const;
  /// Error: `not_found`.
  Result<void> delete_object(std::string_view key);

 private:
  friend class BlobUpload;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher
