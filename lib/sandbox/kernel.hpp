// The kernel of microVMs and what it starts with.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "bencher/base/result.hpp"

namespace bencher::sandbox {

struct Kernel {
  std::filesystem::path image;
  std::filesystem::path modules;  ///< `lib/modules/<version>`
  std::string version;
};

constexpr std::size_t most_kernel = 256u << 20;

/// Error: `unavailable`, also for a file over the limit.
Result<std::string> read_whole(const std::filesystem::path& path, std::size_t limit);

/// The kernel at `given`, or else the best that Debian's packages or scripts/fetch-kernel have left on this machine.
/// Error: `unavailable`, with what to do.
Result<Kernel> find_kernel(const std::filesystem::path& given);

/// What a bzImage carries, the ELF file that starts faster; the image itself if that cannot be told.
Result<std::string> boot_image(const Kernel& kernel);

/// An archive in cpio's newc format with `init`, a console and the modules that the machine needs, each after those
/// that it needs itself. Error: `unavailable`, naming a module that is missing.
Result<std::string> make_initramfs(const Kernel& kernel, std::string_view init, bool vsock = false);

/// gzip, xz, zstd, lz4 …, at most `limit` bytes of it. Error: `unavailable`.
Result<std::string> decompress(std::string_view bytes, std::size_t limit);

/// Our init, a static ELF program; empty where the machine is none that microVMs are built for.
std::string_view init_program();

}  // namespace bencher::sandbox
