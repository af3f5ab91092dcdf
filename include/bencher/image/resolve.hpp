#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bencher/base/result.hpp"
#include "bencher/image/digest.hpp"
#include "bencher/image/reference.hpp"

namespace bencher {

/// Where images come from: finds the digest of what a reference names. Other registries can be added behind it.
class ImageResolver {
 public:
  virtual ~ImageResolver() = default;
  /// `repository` is the project's, by its UUID. Error: `invalid_argument`, it is not there, or not supported.
  virtual Result<Digest> resolve(const ImageReference& reference, std::string_view repository) = 0;
};

/// Images of this server's own registry: a tag through a look-up, a digest as it is.
class LocalImageResolver final : public ImageResolver {
 public:
  /// `find_tag(repository, tag)` gives the digest of a tag. `registry` is the URL of the server's registry.
  using FindTag = std::function<std::optional<Digest>(std::string_view repository, std::string_view tag)>;
  LocalImageResolver(std::string registry, FindTag find_tag)
      : registry_(std::move(registry)), find_tag_(std::move(find_tag)) {}
  Result<Digest> resolve(const ImageReference& reference, std::string_view repository) override;
  /// Before the first `resolve`, when the URL was not known yet.
  void set_registry(std::string url) { registry_ = std::move(url); }

 private:
  std::string registry_;
  FindTag find_tag_;
};

}  // namespace bencher
