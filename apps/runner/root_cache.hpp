// Images as they were pulled and unpacked, kept between jobs.
#pragma once

#include <filesystem>
#include <string>

#include "bencher/base/result.hpp"
#include "bencher/image/source.hpp"

#include "lib/sandbox/image_cache.hpp"

namespace bencher::runner {

/// An unpacked image, which stays where it is for as long as this lives.
struct HeldImage {
  Digest digest;
  ImageConfig config;
  std::filesystem::path root;  ///< not to be changed
  files::Fd hold;
};

/// The image `digest`, from the cache, or pulled into it. `owner` is who may pull it, such as registry and project:
/// another owner's copy is not taken, since who may not pull an image may not run it either. Errors: those of `pull`;
/// `unavailable`, the cache; `too_large`, a kept image over `options.limits.bytes`.
Result<HeldImage> hold_image(sandbox::ImageCache& cache, const std::string& owner, ImageSource& source,
                             const Digest& digest, const PullOptions& options);

}  // namespace bencher::runner
