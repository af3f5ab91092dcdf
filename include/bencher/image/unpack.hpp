#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "bencher/base/result.hpp"
#include "bencher/image/digest.hpp"
#include "bencher/image/manifest.hpp"

namespace bencher {

/// What an image may cost, all layers together.
struct UnpackLimits {
  std::uint64_t bytes = 10ull << 30;  ///< of all files
  std::uint64_t entries = 1'000'000;  ///< of all layers' tars
  std::size_t path = 4096;            ///< bytes of one entry's name
  std::uint64_t ratio = 200;          ///< uncompressed over compressed, past the first 16 MiB
};

/// Gives the next piece of a packed layer, valid until the next call; empty at the end.
using LayerSource = std::function<Result<std::string_view>()>;

/// Builds an image's root folder from its layers, lowest first.
///
/// Nothing is ever written outside the folder: every name is resolved by the kernel within it (`openat2`,
/// RESOLVE_IN_ROOT), an existing link is replaced and never written through, and an entry that would land outside, is a
/// device, or goes over a limit ends the work with an error that names the entry. Whiteouts of a layer act on the
/// layers below it only. Ownership is kept when root, modes (setuid too) and extended attributes always; modes that
/// would lock the owner out of a folder are set by `finish`.
/// After an error the folder holds part of the image and the object is not to be used again. One thread at a time.
class Unpacker {
 public:
  /// `root` is made if it is not there, and is expected to be empty. Error: `unavailable`.
  static Result<Unpacker> open(const std::filesystem::path& root, const UnpackLimits& limits = {});
  ~Unpacker();
  Unpacker(Unpacker&&) noexcept;
  Unpacker& operator=(Unpacker&&) noexcept;

  /// Applies one layer and verifies that its uncompressed tar is `diff_id` (not verified when null). Errors:
  /// `invalid_argument` (malformed, refused entry, wrong digest), `too_large` (a limit), `unavailable` (the disk), or
  /// what `source` failed with.
  Result<void> layer(LayerFormat format, const LayerSource& source, const Digest* diff_id);
  /// After the last layer.
  Result<void> finish();

 private:
  struct Impl;
  explicit Unpacker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher
