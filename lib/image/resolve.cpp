#include "bencher/image/resolve.hpp"

#include <fmt/core.h>

namespace bencher {

Result<Digest> LocalImageResolver::resolve(const ImageReference& reference, std::string_view repository) {
  if (reference.is_external(registry_))
    return Error(
        Errc::invalid_argument,
        fmt::format("External registries not yet supported: '{}' in image '{}'; push the image to this server's "
                    "registry and name it without a registry",
                    reference.registry(), reference.str()));
  if (!reference.digest().empty()) {
    auto digest = Digest::parse(reference.digest());
    if (!digest) return std::move(digest).error().within(fmt::format("image '{}'", reference.str()));
    return digest;
  }
  if (auto digest = find_tag_(repository, reference.tag())) return *std::move(digest);
  return Error(Errc::invalid_argument,
               fmt::format("image '{}': the project has no tag '{}'; push it first", reference.str(), reference.tag()));
}

}  // namespace bencher
