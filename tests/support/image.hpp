// Tar archives and OCI layouts made by hand, hostile ones too.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "bencher/image/digest.hpp"

namespace bencher::test {

/// A folder that is gone at the end.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "bencher-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path.string());
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

/// Writes ustar records without any check of what they say.
class Tar {
 public:
  struct Entry {
    std::string name;
    char type = '0';  ///< 0 file, 1 hard link, 2 symbolic link, 3 character device, 4 block device, 5 folder, 6 fifo
    std::string data = {};
    std::string link = {};
    unsigned mode = 0644;
    unsigned uid = 0, gid = 0;
    unsigned major = 0, minor = 0;
  };

  Tar& add(const Entry& entry) {
    std::string header(512, '\0');
    if (entry.name.size() > 100) return pax(entry);
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    const auto octal = [](std::size_t width, std::uint64_t value) {
      char text[32];
      std::snprintf(text, sizeof text, "%0*llo", static_cast<int>(width), static_cast<unsigned long long>(value));
      return std::string(text);
    };
    put(0, entry.name);
    put(100, octal(7, entry.mode));
    put(108, octal(7, entry.uid));
    put(116, octal(7, entry.gid));
    put(124, octal(11, entry.data.size()));
    put(136, octal(11, 1'700'000'000));
    put(148, "        ");
    put(156, std::string(1, entry.type));
    put(157, entry.link);
    put(257, std::string("ustar\00000", 8));
    put(329, octal(7, entry.major));
    put(337, octal(7, entry.minor));
    unsigned sum = 0;
    for (const char c : header)
      sum += static_cast<unsigned char>(c);
    put(148, octal(6, sum) + std::string("\0 ", 2));
    text_ += header + entry.data;
    text_.append((512 - entry.data.size() % 512) % 512, '\0');
    return *this;
  }
  Tar& file(const std::string& name, const std::string& data, unsigned mode = 0644) {
    return add({.name = name, .data = data, .mode = mode});
  }
  Tar& folder(const std::string& name, unsigned mode = 0755) { return add({.name = name, .type = '5', .mode = mode}); }
  Tar& link(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '2', .link = target, .mode = 0777});
  }
  Tar& hard_link(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '1', .link = target});
  }
  /// With the name in a pax record, as UTF-8.
  Tar& pax(Entry entry) {
    const std::string name = entry.name;
    std::string record = " path=" + name + "\n";
    std::size_t size = record.size() + 1;
    while (std::to_string(size).size() + record.size() != size)
      size = std::to_string(size).size() + record.size();
    add({.name = "PaxHeaders/x", .type = 'x', .data = std::to_string(size) + record});
    entry.name = "short";
    return add(entry);
  }

  std::string str() const { return text_ + std::string(1024, '\0'); }

 private:
  std::string text_;
};

inline std::string pack(const std::string& data, int filter) {
  std::string out(data.size() + 64 * 1024, '\0');
  std::size_t used = 0;
  archive* a = archive_write_new();
  archive_write_set_format_raw(a);
  archive_write_add_filter(a, filter);
  archive_write_set_bytes_per_block(a, 0);
  archive_write_open_memory(a, out.data(), out.size(), &used);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, "x");
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(a, entry);
  archive_write_data(a, data.data(), data.size());
  archive_entry_free(entry);
  archive_write_close(a);
  archive_write_free(a);
  out.resize(used);
  return out;
}
inline std::string gzip(const std::string& data) {
  return pack(data, ARCHIVE_FILTER_GZIP);
}
inline std::string zstd(const std::string& data) {
  return pack(data, ARCHIVE_FILTER_ZSTD);
}

/// An OCI layout in a folder.
class Layout {
 public:
  explicit Layout(std::filesystem::path path) : path_(std::move(path)) {
    write_file(path_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  }

  Digest blob(const std::string& data) {
    auto digest = Digest::of(data);
    write_file(path_ / "blobs" / "sha256" / std::string(digest.hex()), data);
    return digest;
  }
  static std::string descriptor(const std::string& media_type, const Digest& digest, std::size_t size,
                                const std::string& more = {}) {
    return R"({"mediaType":")" + media_type + R"(","digest":")" + digest.str() + R"(","size":)" + std::to_string(size) +
           more + "}";
  }
  /// An image of these layers (plain tars), gzipped; `config` is what is within the braces of "config".
  Digest image(const std::vector<std::string>& tars, const std::string& config, const std::string& tag = "latest") {
    std::string layers, ids;
    for (const auto& tar : tars) {
      const auto packed = gzip(tar);
      layers += (layers.empty() ? "" : ",") +
                descriptor("application/vnd.oci.image.layer.v1.tar+gzip", blob(packed), packed.size());
      ids += (ids.empty() ? "\"" : ",\"") + Digest::of(tar).str() + "\"";
    }
    const std::string text = R"({"architecture":"amd64","os":"linux","config":{)" + config +
                             R"(},"rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
    const std::string manifest = R"({"schemaVersion":2,"config":)" +
                                 descriptor("application/vnd.oci.image.config.v1+json", blob(text), text.size()) +
                                 R"(,"layers":[)" + layers + "]}";
    auto digest = blob(manifest);
    index({descriptor("application/vnd.oci.image.manifest.v1+json", digest, manifest.size(),
                      R"(,"annotations":{"org.opencontainers.image.ref.name":")" + tag + "\"}")});
    return digest;
  }
  void index(const std::vector<std::string>& entries) {
    for (const auto& entry : entries)
      entries_ += (entries_.empty() ? "" : ",") + entry;
    write_file(path_ / "index.json", R"({"schemaVersion":2,"manifests":[)" + entries_ + "]}");
  }
  std::filesystem::path blob_path(const Digest& digest) const {
    return path_ / "blobs" / "sha256" / std::string(digest.hex());
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::string entries_;
};

}  // namespace bencher::test
