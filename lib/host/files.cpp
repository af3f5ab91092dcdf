#include "bencher/host/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace bencher::host {

namespace {

constexpr std::size_t most = 64 * 1024;

class Descriptor final : public Files::Held {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() override {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error failure(const std::string& path) {
  const int code = errno;
  const bool missing = code == ENOENT || code == ENOTDIR || code == ENXIO;
  return Error(missing ? Errc::not_found : Errc::unavailable, path + ": " + std::strerror(code));
}

class System final : public Files {
 public:
  explicit System(std::string root) : root_(std::move(root)) {}

  Result<std::string> read(const std::string& path) const override {
    const Descriptor file(open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return failure(path);
    std::string out(most, '\0');
    std::size_t size = 0;
    while (size < most) {
      const auto got = ::read(file.get(), out.data() + size, most - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure(path);
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    out.resize(size);
    return out;
  }

  Result<void> write(const std::string& path, std::string_view text) override {
    const Descriptor file(open((root_ + path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    if (file.get() < 0) return failure(path);
    const auto wrote = ::write(file.get(), text.data(), text.size());
    if (wrote < 0) return failure(path);
    if (static_cast<std::size_t>(wrote) != text.size())
      return Error(Errc::unavailable, path + ": only a part was taken");
    return {};
  }

  std::vector<std::string> list(const std::string& folder) const override {
    std::vector<std::string> out;
    DIR* dir = opendir((root_ + folder).c_str());
    if (!dir) return out;
    while (const dirent* entry = readdir(dir))
      if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
    closedir(dir);
    std::sort(out.begin(), out.end());
    return out;
  }

  Result<std::unique_ptr<Held>> hold(const std::string& path, std::string_view bytes) override {
    auto file = std::make_unique<Descriptor>(open((root_ + path).c_str(), O_WRONLY | O_CLOEXEC));
    if (file->get() < 0) return failure(path);
    if (::write(file->get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return failure(path);
    return std::unique_ptr<Held>(std::move(file));
  }

 private:
  std::string root_;
};

}  // namespace

std::unique_ptr<Files> system_files(std::string root) {
  return std::make_unique<System>(std::move(root));
}

}  // namespace bencher::host
