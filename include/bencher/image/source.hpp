#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bencher/base/result.hpp"
#include "bencher/image/digest.hpp"
#include "bencher/image/manifest.hpp"
#include "bencher/image/unpack.hpp"

namespace bencher {

/// Where an image comes from: an OCI layout on disk, or a registry (`bencher/client/registry.hpp`).
class ImageSource {
 public:
  /// Takes a piece of a blob; an error ends the transfer with that error.
  using Sink = std::function<Result<void>(std::string_view)>;

  virtual ~ImageSource() = default;
  /// The bytes of the manifest or index with that digest, at most `max_manifest_bytes`; the caller verifies them.
  virtual Result<std::string> manifest(const Digest& digest) = 0;
  /// The bytes of a blob, in order; the caller verifies them. Error: `not_found`, `unavailable`, or the sink's.
  virtual Result<void> blob(const Digest& digest, const Sink& sink) = 0;
};

/// An OCI image layout (version 1.0.0): a folder, or a tar archive of one, plain, gzip or zstd.
class OciLayout final : public ImageSource {
 public:
  /// Errors: `not_found`; `invalid_argument` when it is something else.
  static Result<OciLayout> open(const std::filesystem::path& path);

  /// The digest that `tag` names in the layout's index (annotation `org.opencontainers.image.ref.name`); with no tag
  /// the only entry, or the one tagged `latest`. Error: `not_found`, listing the tags there are.
  Result<Digest> resolve(std::string_view tag = {}) const;

  Result<std::string> manifest(const Digest& digest) override;
  Result<void> blob(const Digest& digest, const Sink& sink) override;

 private:
  OciLayout(std::filesystem::path path, bool archive, std::string index)
      : path_(std::move(path)), archive_(archive), index_(std::move(index)) {}
  Result<void> file(const std::string& name, const Sink& sink) const;

  std::filesystem::path path_;
  bool archive_;
  std::string index_;
};

struct PullOptions {
  std::string architecture;  ///< `x86_64`, `amd64`, …; empty: this machine's
  UnpackLimits limits;
  /// Asked between pieces; true ends the pull with `cancelled`.
  std::function<bool()> cancelled;
};

/// Fetches the image `digest`, verifies every digest and size, and unpacks it into the new folder `root`. Layers pass
/// through a nameless file beside `root`, one at a time; equal layers are fetched once. A failure leaves `root` for the
/// caller to remove.
Result<ImageConfig> pull(ImageSource& source, const Digest& digest, const std::filesystem::path& root,
                         const PullOptions& options = {});

}  // namespace bencher
