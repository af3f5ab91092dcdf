#include "lib/sandbox/kernel.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <unistd.h>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

namespace bencher::sandbox {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_module = 64u << 20;
constexpr std::string_view prefix = "vmlinuz-";

// Those that a distribution does not build in; what they need comes by itself.
constexpr const char* wanted_modules[] = {"virtio_mmio", "virtio_blk", "virtio_console",
                                          "squashfs",    "overlay",    "virtio_net"};

template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T value{};
  if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// `boot/vmlinuz-V` has its modules in `lib/modules/V` beside `boot`, or in the machine's.
fs::path modules_of(const fs::path& image, const std::string& version) {
  std::error_code ignored;
  const auto beside = fs::absolute(image).parent_path().parent_path() / "lib/modules" / version;
  if (fs::is_directory(beside / "kernel", ignored)) return beside;
  for (const char* folder : {"/lib/modules", "/usr/lib/modules"}) {
    const auto there = fs::path(folder) / version;
    if (fs::is_directory(there / "kernel", ignored)) return there;
  }
  return {};
}

std::string version_of(const fs::path& image) {
  const auto name = image.filename().string();
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string();
}

std::vector<fs::path> kernel_folders() {
  std::vector<fs::path> out;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/')
    out.push_back(fs::path(cache) / "bencher/kernel/boot");
  else if (const char* home = std::getenv("HOME"); home && *home == '/')
    out.push_back(fs::path(home) / ".cache/bencher/kernel/boot");
  out.push_back("/var/cache/bencher/kernel/boot");
  out.push_back("/boot");
  return out;
}

std::string module_name(const fs::path& path) {
  std::string name = path.filename().string();
  name.resize(std::min(name.size(), name.find(".ko")));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// `depends=a,b` in its .modinfo section: entries that each end with a NUL.
std::vector<std::string> needs_of(std::string_view module) {
  constexpr std::string_view key("\0depends=", 9);
  std::vector<std::string> out;
  const auto at = module.find(key);
  if (at == std::string_view::npos) return out;
  auto list = module.substr(at + key.size());
  list = list.substr(0, std::min(list.find('\0'), list.size()));
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    out.emplace_back(list.substr(0, comma));
    std::replace(out.back().begin(), out.back().end(), '-', '_');
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

class Modules {
 public:
  explicit Modules(const Kernel& kernel) : version_(kernel.version) {
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(kernel.modules / "kernel", error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (it->path().filename().string().find(".ko") != std::string::npos)
        paths_.emplace(module_name(it->path()), it->path());
    }
    std::ifstream in(kernel.modules / "modules.builtin");
    for (std::string line; std::getline(in, line);)
      built_in_.insert(module_name(line));
  }

  // Adds it after what it needs.
  Result<void> add(const std::string& name, int depth = 0) {
    if (built_in_.contains(name) || !seen_.insert(name).second) return {};
    const auto path = paths_.find(name);
    if (path == paths_.end() || depth > 16)
      return Error(Errc::unavailable, "the kernel " + version_ + " has no module '" + name + "'");
    BENCHER_TRY(auto bytes, read_whole(path->second, most_module));
    if (!bytes.starts_with("\x7f"
                           "ELF")) {
      BENCHER_TRY(bytes, decompress(bytes, most_module));
    }
    for (const auto& needed : needs_of(bytes))
      BENCHER_DO(add(needed, depth + 1));
    ordered_.push_back(std::move(bytes));
    return {};
  }
  const std::vector<std::string>& ordered() const { return ordered_; }

 private:
  std::string version_;
  std::map<std::string, fs::path> paths_;
  std::set<std::string> built_in_, seen_;
  std::vector<std::string> ordered_;
};

class Cpio {
 public:
  void add(const std::string& name, std::uint32_t mode, std::string_view data, std::uint32_t major = 0,
           std::uint32_t minor = 0) {
    out_ += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                        ++inode_, mode, 0, 0, 1, 0, data.size(), 0, 0, major, minor, name.size() + 1, 0);
    out_ += name + '\0';
    pad();
    out_ += data;
    pad();
  }
  std::string end() && {
    add("TRAILER!!!", 0, {});
    return std::move(out_);
  }

 private:
  void pad() { out_.append((4 - out_.size() % 4) % 4, '\0'); }
  std::string out_;
  std::uint32_t inode_ = 0;
};

}  // namespace

Result<std::string> read_whole(const fs::path& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const auto size = in ? static_cast<std::int64_t>(in.tellg()) : -1;
  if (size < 0) return Error(Errc::unavailable, "cannot read '" + path.string() + "'");
  if (static_cast<std::uint64_t>(size) > limit) return Error(Errc::unavailable, "'" + path.string() + "' is too large");
  std::string out(static_cast<std::size_t>(size), '\0');
  in.seekg(0);
  if (!in.read(out.data(), size)) return Error(Errc::unavailable, "cannot read '" + path.string() + "'");
  return out;
}

Result<Kernel> find_kernel(const fs::path& given) {
  std::error_code error;
  if (!given.empty()) {
    if (!fs::is_regular_file(given, error))
      return Error(Errc::unavailable, "there is no kernel '" + given.string() + "'");
    Kernel kernel{.image = given, .modules = {}, .version = version_of(given)};
    kernel.modules = modules_of(given, kernel.version);
    if (kernel.version.empty() || kernel.modules.empty()) {
      return Error(Errc::unavailable, "the kernel '" + given.string() +
                                          "' has no modules: give a file boot/vmlinuz-VERSION with lib/modules/VERSION "
                                          "beside boot");
    }
    return kernel;
  }
  // Cloud kernels are made for virtual machines; otherwise the newest of the first folder that has any.
  std::vector<Kernel> found;
  for (const auto& folder : kernel_folders()) {
    std::vector<Kernel> here;
    for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
      const auto version = version_of(it->path());
      if (version.empty() || access(it->path().c_str(), R_OK) != 0) continue;
      auto modules = modules_of(it->path(), version);
      if (!modules.empty()) here.push_back({.image = it->path(), .modules = std::move(modules), .version = version});
    }
    std::sort(here.begin(), here.end(), [](const Kernel& a, const Kernel& b) { return a.version > b.version; });
    found.insert(found.end(), here.begin(), here.end());
  }
  if (found.empty()) {
    return Error(Errc::unavailable,
                 "there is no kernel for microVMs; run scripts/fetch-kernel, install linux-image-cloud-amd64, or give "
                 "--kernel");
  }
  const auto cloud = std::find_if(found.begin(), found.end(),
                                  [](const Kernel& k) { return k.version.find("cloud") != std::string::npos; });
  return cloud != found.end() ? *cloud : found.front();
}

Result<std::string> boot_image(const Kernel& kernel) {
  BENCHER_TRY(auto image, read_whole(kernel.image, most_kernel));
  // Linux's x86 boot protocol, 2.08 and later: where the payload is, after the real-mode sectors.
  if (image.size() < 0x1000 || image.substr(0x202, 4) != "HdrS" || number_at<std::uint16_t>(image, 0x206) < 0x208)
    return image;
  std::size_t sectors = static_cast<unsigned char>(image[0x1f1]);
  if (sectors == 0) sectors = 4;
  const std::size_t at = (sectors + 1) * 512 + number_at<std::uint32_t>(image, 0x248);
  const std::size_t size = number_at<std::uint32_t>(image, 0x24c);
  if (size < 8 || at > image.size() || size > image.size() - at) return image;
  // The last four bytes are the size of what it holds.
  const auto payload = std::string_view(image).substr(at, size - 4);
  auto plain = decompress(payload, most_kernel);
  if (!plain ||
      !plain->starts_with("\x7f"
                          "ELF") ||
      plain->size() != number_at<std::uint32_t>(image, at + size - 4))
    return image;
  return plain;
}

Result<std::string> make_initramfs(const Kernel& kernel, std::string_view init, bool vsock) {
  Modules modules(kernel);
  for (const char* name : wanted_modules)
    BENCHER_DO(modules.add(name));
  if (vsock) {
    BENCHER_DO(modules.add("vmw_vsock_virtio_transport"));
  }
  Cpio out;
  out.add("dev", 0040755, {});
  out.add("dev/console", 0020600, {}, 5, 1);
  out.add("modules", 0040755, {});
  for (std::size_t i = 0; i < modules.ordered().size(); ++i)
    out.add(fmt::format("modules/{:02}.ko", i), 0100600, modules.ordered()[i]);
  out.add("init", 0100700, init);
  return std::move(out).end();
}

Result<std::string> decompress(std::string_view bytes, std::size_t limit) {
  const std::unique_ptr<archive, void (*)(archive*)> reader(archive_read_new(),
                                                            [](archive* a) { archive_read_free(a); });
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  const auto failed = [&] {
    const char* text = archive_error_string(reader.get());
    return Error(Errc::unavailable, std::string("cannot decompress: ") + (text ? text : "unknown format"));
  };
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    return failed();
  std::string out;
  std::vector<char> buffer(1u << 20);
  for (;;) {
    const auto got = archive_read_data(reader.get(), buffer.data(), buffer.size());
    if (got < 0) return failed();
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > limit) return Error(Errc::unavailable, "it is too large");
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace bencher::sandbox
