#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/image/digest.hpp"

namespace bencher {

/// Points at a blob: OCI image specification, "Descriptors".
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;  ///< bytes

  bool operator==(const Descriptor&) const = default;
};

/// How a layer's tar is packed.
enum class LayerFormat { tar, gzip, zstd };

/// Reads an OCI or Docker layer's media type, the non-distributable ones too. Error: `invalid_argument`, naming it.
Result<LayerFormat> parse_layer_format(std::string_view media_type);

/// One image: its configuration and its layers, lowest first.
struct ImageManifest {
  Descriptor config;
  std::vector<Descriptor> layers;  ///< at most `max_image_layers`
};

/// Several images under one name, one for each platform (OCI index, Docker manifest list).
struct ImageIndex {
  struct Entry {
    Descriptor manifest;
    std::string os;            ///< empty when not said
    std::string architecture;  ///< as Go names it, `amd64`; empty when not said
  };
  std::vector<Entry> entries;  ///< at least one

  /// The entry for that platform, else the first. `architecture` may also be spelled `x86_64` or `aarch64`.
  const Entry& pick(std::string_view os, std::string_view architecture) const;
};

/// What an image says about running it: OCI image specification, "Image Configuration".
struct ImageConfig {
  std::string os;
  std::string architecture;
  std::string user;         ///< name or number, with `:group` or without; empty: root
  std::string working_dir;  ///< empty: `/`
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;  ///< `KEY=value`
  std::vector<Digest> diff_ids;  ///< of the layers' tars, uncompressed, lowest first
};

constexpr std::size_t max_image_layers = 512;
constexpr std::size_t max_index_entries = 4096;
/// Of a manifest, an index or a configuration, in bytes.
constexpr std::size_t max_manifest_bytes = 4u << 20;

/// Reads a manifest or an index, OCI or Docker version 2 schema 2. Errors: `too_large` over the limits above,
/// `invalid_argument` for anything else that is wrong; the message says where.
Result<std::variant<ImageManifest, ImageIndex>> parse_manifest(std::string_view json);

/// Reads an image's configuration. Errors as `parse_manifest`.
Result<ImageConfig> parse_image_config(std::string_view json);

}  // namespace bencher
