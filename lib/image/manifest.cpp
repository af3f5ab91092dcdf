#include "bencher/image/manifest.hpp"

#include <algorithm>
#include <array>
#include <simdjson.h>
#include <utility>

namespace bencher {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

Error malformed(std::string what) {
  return Error(Errc::invalid_argument, std::move(what));
}

std::string go_architecture(std::string_view name) {
  if (name == "x86_64") return "amd64";
  if (name == "aarch64") return "arm64";
  return std::string(name);
}

// An absent or null member is empty; one of another type is an error.
Result<std::string> text(const object& from, const char* key, const std::string& where) {
  element value;
  if (from[key].get(value) || value.is_null()) return std::string();
  std::string_view found;
  if (value.get(found)) return malformed(where + ": '" + key + "' is not a string");
  return std::string(found);
}

Result<std::vector<std::string>> texts(const object& from, const char* key, const std::string& where) {
  std::vector<std::string> out;
  element value;
  if (from[key].get(value) || value.is_null()) return out;
  simdjson::dom::array array;
  if (value.get(array)) return malformed(where + ": '" + key + "' is not an array");
  for (const auto item : array) {
    std::string_view found;
    if (item.get(found)) return malformed(where + ": '" + key + "' holds something else than strings");
    if (found.find('\0') != std::string_view::npos)
      return malformed(where + ": '" + key + "' holds a string with a NUL character");
    out.emplace_back(found);
  }
  return out;
}

Result<Descriptor> descriptor(element value, const std::string& where) {
  object from;
  if (value.get(from)) return malformed(where + " is not an object");
  BENCHER_TRY(auto media_type, text(from, "mediaType", where));
  std::string_view digest_text;
  if (from["digest"].get(digest_text)) return malformed(where + ": 'digest' is missing");
  auto digest = Digest::parse(digest_text);
  if (!digest) return std::move(digest).error().within(where);
  std::uint64_t size = 0;
  if (from["size"].get(size)) return malformed(where + ": 'size' is missing or not a number of bytes");
  return Descriptor{.media_type = std::move(media_type), .digest = *std::move(digest), .size = size};
}

class Document {
 public:
  static Result<object> parse(simdjson::dom::parser& parser, std::string_view json, const std::string& what) {
    if (json.size() > max_manifest_bytes) {
      return Error(Errc::too_large, what + " of " + std::to_string(json.size()) + " bytes; at most " +
                                        std::to_string(max_manifest_bytes) + " are allowed");
    }
    element root;
    if (const auto error = parser.parse(json.data(), json.size()).get(root))
      return malformed(what + " is not valid JSON: " + simdjson::error_message(error));
    object out;
    if (root.get(out)) return malformed(what + " is not a JSON object");
    return out;
  }
};

Result<ImageIndex> parse_index(const simdjson::dom::array& manifests) {
  ImageIndex index;
  for (const auto item : manifests) {
    const std::string where = "image index: manifests[" + std::to_string(index.entries.size()) + "]";
    if (index.entries.size() == max_index_entries) {
      return Error(Errc::too_large,
                   "image index: more than " + std::to_string(max_index_entries) + " manifests are not supported");
    }
    BENCHER_TRY(auto manifest, descriptor(item, where));
    std::string os, architecture;
    object platform;
    if (!item["platform"].get(platform)) {
      BENCHER_TRY(os, text(platform, "os", where));
      BENCHER_TRY(architecture, text(platform, "architecture", where));
    }
    index.entries.push_back(
        {.manifest = std::move(manifest), .os = std::move(os), .architecture = std::move(architecture)});
  }
  if (index.entries.empty()) return malformed("image index: it names no manifest");
  return index;
}

}  // namespace

Result<LayerFormat> parse_layer_format(std::string_view media_type) {
  static constexpr std::array<std::pair<std::string_view, LayerFormat>, 9> known{{
      {"application/vnd.oci.image.layer.v1.tar", LayerFormat::tar},
      {"application/vnd.oci.image.layer.v1.tar+gzip", LayerFormat::gzip},
      {"application/vnd.oci.image.layer.v1.tar+zstd", LayerFormat::zstd},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar", LayerFormat::tar},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerFormat::gzip},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LayerFormat::zstd},
      {"application/vnd.docker.image.rootfs.diff.tar", LayerFormat::tar},
      {"application/vnd.docker.image.rootfs.diff.tar.gzip", LayerFormat::gzip},
      {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerFormat::gzip},
  }};
  for (const auto& [name, format] : known)
    if (name == media_type) return format;
  return Error(Errc::invalid_argument, "layer media type '" + std::string(media_type) +
                                           "' is not supported; use an OCI or Docker tar layer, plain, gzip or zstd");
}

const ImageIndex::Entry& ImageIndex::pick(std::string_view os, std::string_view architecture) const {
  const std::string wanted = go_architecture(architecture);
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.os == os && go_architecture(entry.architecture) == wanted;
  });
  return found == entries.end() ? entries.front() : *found;
}

Result<std::variant<ImageManifest, ImageIndex>> parse_manifest(std::string_view json) {
  simdjson::dom::parser parser;
  BENCHER_TRY(const auto root, Document::parse(parser, json, "image manifest"));
  std::int64_t version = 2;
  if (!root["schemaVersion"].get(version) && version != 2) {
    return malformed("image manifest: schema version " + std::to_string(version) +
                     " is not supported; push the image again with a current tool");
  }
  simdjson::dom::array manifests;
  if (!root["manifests"].get(manifests)) {
    BENCHER_TRY(auto index, parse_index(manifests));
    return std::variant<ImageManifest, ImageIndex>(std::move(index));
  }

  element config;
  if (root["config"].get(config)) return malformed("image manifest: neither 'config' nor 'manifests' is there");
  BENCHER_TRY(auto config_descriptor, descriptor(config, "image manifest: config"));
  simdjson::dom::array layers;
  if (root["layers"].get(layers)) return malformed("image manifest: 'layers' is missing");
  ImageManifest manifest{.config = std::move(config_descriptor), .layers = {}};
  for (const auto item : layers) {
    const std::string where = "image manifest: layers[" + std::to_string(manifest.layers.size()) + "]";
    if (manifest.layers.size() == max_image_layers) {
      return Error(Errc::too_large,
                   "image manifest: more than " + std::to_string(max_image_layers) + " layers are not supported");
    }
    BENCHER_TRY(auto layer, descriptor(item, where));
    manifest.layers.push_back(std::move(layer));
  }
  return std::variant<ImageManifest, ImageIndex>(std::move(manifest));
}

Result<ImageConfig> parse_image_config(std::string_view json) {
  simdjson::dom::parser parser;
  const std::string what = "image configuration";
  BENCHER_TRY(const auto root, Document::parse(parser, json, what));
  ImageConfig out;
  BENCHER_TRY(out.os, text(root, "os", what));
  BENCHER_TRY(out.architecture, text(root, "architecture", what));
  object config;
  if (!root["config"].get(config)) {
    BENCHER_TRY(out.user, text(config, "User", what));
    BENCHER_TRY(out.working_dir, text(config, "WorkingDir", what));
    BENCHER_TRY(out.entrypoint, texts(config, "Entrypoint", what));
    BENCHER_TRY(out.cmd, texts(config, "Cmd", what));
    BENCHER_TRY(out.env, texts(config, "Env", what));
  }
  object rootfs;
  if (!root["rootfs"].get(rootfs)) {
    BENCHER_TRY(const auto ids, texts(rootfs, "diff_ids", what));
    if (ids.size() > max_image_layers)
      return Error(Errc::too_large, what + ": more than " + std::to_string(max_image_layers) + " layers");
    for (const auto& id : ids) {
      auto digest = Digest::parse(id);
      if (!digest) return std::move(digest).error().within(what + ": diff_ids");
      out.diff_ids.push_back(*std::move(digest));
    }
  }
  return out;
}

}  // namespace bencher
