#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bencher/base/result.hpp"

namespace bencher {

/// The name of an image as people write it: `bench`, `bench:v1`, `bench@sha256:…`,
/// `registry.example.com:5000/team/bench:v1`.
class ImageReference {
 public:
  /// The registry that a name without one belongs to.
  static constexpr std::string_view default_registry = "docker.io";

  /// Splits `text`; a tag that is not written is `latest`, unless there is a digest. The parts are not checked further:
  /// what they name may exist or not. Error: `invalid_argument` for an empty text or an empty part.
  static Result<ImageReference> parse(std::string_view text);

  /// As given to `parse`.
  const std::string& str() const noexcept { return text_; }
  /// Host, with the port if one was written; `default_registry` if no registry was written.
  const std::string& registry() const noexcept { return registry_; }
  /// The name within the registry, without an implied `library/`.
  const std::string& repository() const noexcept { return repository_; }
  /// Empty when there is a digest and no tag was written beside it.
  const std::string& tag() const noexcept { return tag_; }
  /// The text after the first `@`, not checked; empty without one. It wins over the tag.
  const std::string& digest() const noexcept { return digest_; }
  /// What a manifest is asked for by: the digest, else the tag.
  const std::string& manifest() const noexcept { return digest_.empty() ? tag_ : digest_; }

  /// The project that the repository names: UUID or slug, when it has exactly one component beside the
  /// `library/` that Docker Hub implies.
  std::optional<std::string> project() const;

  /// Whether it lives in another registry than `server`, the URL (or host, or host and port) of our own. A name without
  /// a registry is our own, and so is our host without a port.
  bool is_external(std::string_view server) const;

  bool operator==(const ImageReference&) const = default;

 private:
  ImageReference() = default;

  std::string text_;
  std::string registry_;
  std::string repository_;
  std::string tag_;
  std::string digest_;
};

}  // namespace bencher
