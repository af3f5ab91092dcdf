#include "bencher/image/source.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <optional>
#include <simdjson.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "lib/image/files.hpp"

namespace bencher {

using files::Fd;
using files::system_error;

namespace {

constexpr std::size_t chunk = 64 * 1024;

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

Result<void> stream_file(int fd, const ImageSource::Sink& sink, const std::string& shown) {
  std::vector<char> buffer(chunk);
  for (;;) {
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read '" + shown + "'");
    if (got == 0) return {};
    BENCHER_DO(sink({buffer.data(), static_cast<std::size_t>(got)}));
  }
}

// Collects at most `max_manifest_bytes`.
ImageSource::Sink collect(std::string& into) {
  return [&into](std::string_view piece) -> Result<void> {
    if (into.size() + piece.size() > max_manifest_bytes)
      return Error(Errc::too_large, "more than " + std::to_string(max_manifest_bytes) + " bytes");
    into += piece;
    return {};
  };
}

std::string blob_name(const Digest& digest) {
  const auto& text = digest.str();
  return "blobs/" + text.substr(0, text.find(':')) + "/" + std::string(digest.hex());
}

}  // namespace

Result<OciLayout> OciLayout::open(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Error(Errc::not_found, "'" + path.string() + "' does not exist");
    return system_error("cannot open '" + path.string() + "'");
  }
  OciLayout layout(path, !S_ISDIR(info.st_mode), {});
  std::string index;
  auto read = layout.file("index.json", collect(index));
  if (!read) {
    return Error(Errc::invalid_argument, "'" + path.string() +
                                             "' is not an OCI image layout: " + read.error().message() +
                                             "; make one with `skopeo copy … oci:FOLDER` or `oci-archive:FILE`");
  }
  auto parsed = parse_manifest(index);
  if (!parsed) return std::move(parsed).error().within("'" + path.string() + "': index.json");
  if (!std::holds_alternative<ImageIndex>(*parsed))
    return Error(Errc::invalid_argument, "'" + path.string() + "': index.json is not an image index");
  layout.index_ = std::move(index);
  return layout;
}

Result<Digest> OciLayout::resolve(std::string_view tag) const {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array manifests;
  if (parser.parse(index_).get(root) || root["manifests"].get(manifests))
    return Error(Errc::invalid_argument, "index.json names no manifest");
  std::string tags;
  std::optional<std::string> found;
  for (const auto item : manifests) {
    std::string_view digest, name;
    if (item["digest"].get(digest)) continue;
    if (item["annotations"]["org.opencontainers.image.ref.name"].get(name)) name = {};
    if (name == (tag.empty() ? "latest" : tag) || (tag.empty() && manifests.size() == 1)) found = std::string(digest);
    if (!name.empty() && tags.size() < 1000) tags += (tags.empty() ? "" : ", ") + std::string(name);
  }
  if (!found) {
    return Error(Errc::not_found, (tag.empty() ? "the layout holds several images; name one of its tags: "
                                               : "no image tagged '" + std::string(tag) + "' in the layout; it has: ") +
                                      (tags.empty() ? "none" : tags));
  }
  return Digest::parse(*found);
}

Result<std::string> OciLayout::manifest(const Digest& digest) {
  std::string out;
  BENCHER_DO(file(blob_name(digest), collect(out)));
  return out;
}

Result<void> OciLayout::blob(const Digest& digest, const Sink& sink) {
  return file(blob_name(digest), sink);
}

Result<void> OciLayout::file(const std::string& name, const Sink& sink) const {
  const std::string shown = path_.string() + ":" + name;
  if (!archive_) {
    Fd root(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return system_error("cannot open '" + path_.string() + "'");
    Fd fd = files::open_in_root(root.get(), name, O_RDONLY | O_NONBLOCK);
    if (!fd && errno == ENOENT) return Error(Errc::not_found, "'" + name + "' is missing");
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0) return system_error("cannot open '" + shown + "'");
    if (!S_ISREG(info.st_mode)) return Error(Errc::invalid_argument, "'" + name + "' is not a file");
    return stream_file(fd.get(), sink, shown);
  }
  std::unique_ptr<archive, FreeArchive> tar(archive_read_new());
  if (!tar) throw std::bad_alloc();
  archive_read_support_filter_gzip(tar.get());
  archive_read_support_filter_zstd(tar.get());
  archive_read_support_format_tar(tar.get());
  const auto broken = [&] {
    const char* text = archive_error_string(tar.get());
    return Error(Errc::invalid_argument,
                 "'" + path_.string() + "' cannot be read as a tar archive: " + (text ? text : "unknown"));
  };
  if (archive_read_open_filename(tar.get(), path_.c_str(), chunk) != ARCHIVE_OK) return broken();
  for (;;) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(tar.get(), &entry);
    if (code == ARCHIVE_EOF) return Error(Errc::not_found, "'" + name + "' is missing");
    if (code < ARCHIVE_WARN) return broken();
    const char* pathname = archive_entry_pathname(entry);
    std::string_view found = pathname ? pathname : "";
    if (found.starts_with("./")) found.remove_prefix(2);
    if (found != name || archive_entry_filetype(entry) != AE_IFREG) continue;
    std::vector<char> buffer(chunk);
    for (;;) {
      const auto got = archive_read_data(tar.get(), buffer.data(), buffer.size());
      if (got < 0) return broken();
      if (got == 0) return {};
      BENCHER_DO(sink({buffer.data(), static_cast<std::size_t>(got)}));
    }
  }
}

namespace {

class Puller {
 public:
  Puller(ImageSource& source, const std::filesystem::path& root, const PullOptions& options)
      : source_(source), root_(root), options_(options) {}

  Result<ImageConfig> run(const Digest& digest) {
    BENCHER_TRY(auto parsed, manifest(digest));
    if (const auto* index = std::get_if<ImageIndex>(&parsed)) {
      std::string architecture = options_.architecture;
      if (utsname name{}; architecture.empty() && uname(&name) == 0) architecture = name.machine;
      const Digest chosen = index->pick("linux", architecture).manifest.digest;
      BENCHER_TRY(parsed, manifest(chosen));
      if (!std::holds_alternative<ImageManifest>(parsed))
        return Error(Errc::invalid_argument, "manifest " + chosen.str() + " is an index within an index");
    }
    const auto& image = std::get<ImageManifest>(parsed);

    std::uint64_t total = 0;
    for (const auto& layer : image.layers) {
      // Packed layers are smaller than what they unpack to, but for a little.
      total += std::min(layer.size, UINT64_MAX - total);
      if (total > options_.limits.bytes && total - options_.limits.bytes > (64u << 20)) {
        return Error(Errc::too_large, "the image's layers are over the limit of " +
                                          std::to_string(options_.limits.bytes) +
                                          " bytes; give the spec a larger disk");
      }
      BENCHER_TRY([[maybe_unused]] const auto format, parse_layer_format(layer.media_type));
    }

    if (image.config.size > max_manifest_bytes)
      return Error(Errc::too_large,
                   "the image's configuration is over " + std::to_string(max_manifest_bytes) + " bytes");
    std::string text;
    BENCHER_DO(fetch(image.config, collect(text), "configuration"));
    BENCHER_TRY(auto config, parse_image_config(text));
    if (config.diff_ids.size() != image.layers.size()) {
      return Error(Errc::invalid_argument, "the image has " + std::to_string(image.layers.size()) +
                                               " layers, but its configuration names " +
                                               std::to_string(config.diff_ids.size()));
    }

    BENCHER_TRY(auto unpacker, Unpacker::open(root_, options_.limits));
    std::map<Digest, std::size_t> uses;
    for (const auto& layer : image.layers)
      ++uses[layer.digest];
    std::map<Digest, Fd> kept;
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      const auto& layer = image.layers[i];
      Fd& file = kept[layer.digest];
      if (!file) {
        BENCHER_TRY(file, download(layer));
      }
      auto applied = apply(unpacker, layer, config.diff_ids[i], file.get());
      if (!applied) return std::move(applied).error().within("layer " + layer.digest.str());
      if (--uses[layer.digest] == 0) kept.erase(layer.digest);
    }
    BENCHER_DO(unpacker.finish());
    return config;
  }

 private:
  Result<void> check() const {
    if (options_.cancelled && options_.cancelled()) return Error(Errc::cancelled, "the pull was cancelled");
    return {};
  }

  Result<std::variant<ImageManifest, ImageIndex>> manifest(const Digest& digest) {
    BENCHER_DO(check());
    auto bytes = source_.manifest(digest);
    if (!bytes) return std::move(bytes).error().within("manifest " + digest.str());
    if (const auto got = Digest::of(*bytes, digest.algorithm()); got != digest)
      return Error(Errc::invalid_argument,
                   "manifest " + digest.str() + " came with other contents (" + got.str() + ")");
    return parse_manifest(*bytes);
  }

  Result<void> fetch(const Descriptor& wanted, const ImageSource::Sink& sink, const std::string& what) {
    Hasher hasher(wanted.digest.algorithm());
    std::uint64_t size = 0;
    auto fetched = source_.blob(wanted.digest, [&](std::string_view piece) -> Result<void> {
      BENCHER_DO(check());
      size += piece.size();
      if (size > wanted.size)
        return Error(Errc::invalid_argument,
                     "it is larger than the " + std::to_string(wanted.size) + " bytes that the manifest says");
      hasher.update(piece);
      return sink(piece);
    });
    const std::string where = what + " " + wanted.digest.str();
    if (!fetched) return std::move(fetched).error().within(where);
    if (size != wanted.size) {
      return Error(Errc::invalid_argument, where + ": it has " + std::to_string(size) +
                                               " bytes, but the manifest says " + std::to_string(wanted.size));
    }
    if (const auto got = hasher.finish(); got != wanted.digest)
      return Error(Errc::invalid_argument, where + ": it came with other contents (" + got.str() + ")");
    return {};
  }

  Result<Fd> download(const Descriptor& layer) {
    const auto folder = root_.has_parent_path() ? root_.parent_path() : std::filesystem::path(".");
    Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file) {
      // Not every filesystem has nameless files.
      std::string name = (folder / "layer-XXXXXX").string();
      file = Fd(mkostemp(name.data(), O_CLOEXEC));
      if (!file) return system_error("cannot make a file in '" + folder.string() + "'");
      unlink(name.c_str());
    }
    BENCHER_DO(fetch(
        layer,
        [&](std::string_view piece) -> Result<void> {
          while (!piece.empty()) {
            const auto wrote = write(file.get(), piece.data(), piece.size());
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote <= 0) return system_error("cannot write a layer to '" + folder.string() + "'");
            piece.remove_prefix(static_cast<std::size_t>(wrote));
          }
          return {};
        },
        "layer"));
    return file;
  }

  Result<void> apply(Unpacker& unpacker, const Descriptor& layer, const Digest& diff_id, int fd) {
    BENCHER_TRY(const auto format, parse_layer_format(layer.media_type));
    std::vector<char> buffer(chunk);
    off_t offset = 0;
    const LayerSource pieces = [&]() -> Result<std::string_view> {
      BENCHER_DO(check());
      for (;;) {
        const auto got = pread(fd, buffer.data(), buffer.size(), offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error("cannot read a layer");
        offset += got;
        return std::string_view(buffer.data(), static_cast<std::size_t>(got));
      }
    };
    return unpacker.layer(format, pieces, &diff_id);
  }

  ImageSource& source_;
  std::filesystem::path root_;
  const PullOptions& options_;
};

}  // namespace

Result<ImageConfig> pull(ImageSource& source, const Digest& digest, const std::filesystem::path& root,
                         const PullOptions& options) {
  return Puller(source, root, options).run(digest);
}

}  // namespace bencher
