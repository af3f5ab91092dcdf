#include "lib/sandbox/kernel.hpp"

#include <atomic>
#include <future>

#include <doctest/doctest.h>

#include "lib/sandbox/image_cache.hpp"
#include "tests/support/image.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using bencher::test::read_file;
using bencher::test::TempDir;
using bencher::test::write_file;
namespace fs = std::filesystem;

namespace {

std::string module(const std::string& name, const std::string& needs) {
  return "\x7f"
         "ELF" +
         name + std::string("\0license=GPL\0depends=", 21) + needs + std::string("\0name=", 6) + name + '\0';
}

/// A kernel's folder as a package has it, with modules that need each other.
void build_kernel(const fs::path& root) {
  write_file(root / "boot/vmlinuz-6.0-cloud", "not a kernel");
  const auto modules = root / "lib/modules/6.0-cloud";
  write_file(modules / "kernel/a/virtio_ring.ko", module("virtio_ring", ""));
  write_file(modules / "kernel/a/virtio.ko", module("virtio", "virtio_ring"));
  for (const char* name : {"virtio_mmio", "virtio_blk", "virtio_console"})
    write_file(modules / "kernel/b" / (std::string(name) + ".ko"), module(name, "virtio,virtio_ring"));
  write_file(modules / "kernel/net/net-failover.ko", module("net_failover", ""));
  write_file(modules / "kernel/net/virtio_net.ko", module("virtio_net", "net-failover,virtio"));
  write_file(modules / "kernel/fs/overlay.ko", module("overlay", ""));
  write_file(modules / "modules.builtin", "kernel/fs/squashfs/squashfs.ko\n");
}

}  // namespace

TEST_CASE("a kernel is found with its modules beside it, or what to do is said") {
  TempDir dir;
  build_kernel(dir.path());
  const auto kernel = find_kernel(dir / "boot/vmlinuz-6.0-cloud");
  REQUIRE_MESSAGE(kernel, kernel.error().message());
  CHECK(kernel->version == "6.0-cloud");
  CHECK(kernel->modules == dir / "lib/modules/6.0-cloud");
  CHECK(boot_image(*kernel).value() == "not a kernel");
  CHECK(find_kernel(dir / "boot/absent").error().message().find("absent") != std::string::npos);
  write_file(dir / "boot/vmlinuz-7", "x");
  CHECK(find_kernel(dir / "boot/vmlinuz-7").error().message().find("lib/modules/VERSION") != std::string::npos);
}

TEST_CASE("an initramfs holds init and each module after those that it needs") {
  TempDir dir;
  build_kernel(dir.path());
  const auto kernel = find_kernel(dir / "boot/vmlinuz-6.0-cloud").value();
  const auto image = make_initramfs(kernel, "the init").value();
  CHECK(image == make_initramfs(kernel, "the init").value());
  CHECK(image.starts_with("070701"));
  CHECK(image.size() % 4 == 0);
  const auto at = [&](const std::string& text) {
    const auto found = image.find(text);
    REQUIRE_MESSAGE(found != std::string::npos, text);
    return found;
  };
  CHECK(at("ELFvirtio_ring") < at(std::string("ELFvirtio\0", 10)));
  CHECK(at(std::string("ELFvirtio\0", 10)) < at("ELFvirtio_mmio"));
  CHECK(at("ELFnet_failover") < at("ELFvirtio_net"));
  CHECK(at("dev/console") < at("modules/00.ko"));
  CHECK(at("the init") < at("TRAILER!!!"));
  CHECK(image.find("squashfs") == std::string::npos);

  fs::remove(dir / "lib/modules/6.0-cloud/kernel/net/net-failover.ko");
  CHECK(make_initramfs(kernel, "x").error().message().find("net_failover") != std::string::npos);
}

TEST_CASE("a file of the cache is built once, whole, and not at all when that fails") {
  TempDir dir;
  auto cache = ImageCache::open(dir / "cache", 1000).value();
  int built = 0;
  const auto build = [&](const fs::path& file) -> Result<void> {
    ++built;
    write_file(file, std::string(400, 'x'));
    return {};
  };
  const auto failing = [](const fs::path& file) -> Result<void> {
    write_file(file, "half");
    return Error(Errc::unavailable, "it broke");
  };
  CHECK(cache.get("one", failing).error().message() == "it broke");
  CHECK_FALSE(fs::exists(dir / "cache/one"));
  CHECK(cache.get("one", build));
  CHECK(cache.get("one", build));
  CHECK(built == 1);
  CHECK(read_file(dir / "cache/one").size() == 400);
  for (const auto& entry : fs::directory_iterator(dir / "cache"))
    CHECK_FALSE(entry.path().filename().string().starts_with(".new-"));
}

TEST_CASE("the cache drops what was used longest ago, but nothing that is in use") {
  TempDir dir;
  auto cache = ImageCache::open(dir / "cache", 1000).value();
  const auto build = [&](const fs::path& file) -> Result<void> {
    write_file(file, std::string(400, 'x'));
    return {};
  };
  const auto held = cache.get("held", build).value();
  CHECK(cache.get("old", build));
  CHECK(cache.get("new", build));
  CHECK(fs::exists(dir / "cache/held"));
  CHECK_FALSE(fs::exists(dir / "cache/old"));
  CHECK(fs::exists(dir / "cache/new"));
}

TEST_CASE("folders are kept like files, by what they take on disk, and nothing half made") {
  TempDir dir;
  auto cache = ImageCache::open(dir / "cache", 1'000'000).value();
  int built = 0;
  const auto build = [&](const fs::path& folder) -> Result<void> {
    ++built;
    write_file(folder / "root/a/file", std::string(400'000, 'x'));
    fs::permissions(folder / "root/a", fs::perms(0555));
    return {};
  };
  const auto failing = [](const fs::path& folder) -> Result<void> {
    write_file(folder / "root/half", "half");
    return Error(Errc::unavailable, "it broke");
  };
  CHECK(cache.get_folder("one", failing).error().message() == "it broke");
  CHECK_FALSE(fs::exists(dir / "cache/one"));
  const auto held = cache.get_folder("one", build);
  REQUIRE(held);
  CHECK(cache.get_folder("one", build));
  CHECK(built == 1);
  CHECK(fs::file_size(dir / "cache/one/root/a/file") == 400'000);
  // Files and folders share one limit.
  CHECK(cache.get_folder("two", build));
  CHECK(cache.get("three", [](const fs::path& file) -> Result<void> {
    write_file(file, std::string(400'000, 'x'));
    return {};
  }));
  CHECK(fs::exists(dir / "cache/one"));
  CHECK_FALSE(fs::exists(dir / "cache/two"));
  CHECK(fs::exists(dir / "cache/three"));
  // What was used last stays longest.
  CHECK(cache.get("three", failing));
  for (const auto& entry : fs::directory_iterator(dir / "cache"))
    CHECK_FALSE(entry.path().filename().string().starts_with(".new-"));
}

TEST_CASE("two runners that want the same folder make it once, and a third's half made one is swept away") {
  TempDir dir;
  fs::create_directories(dir / "cache");
  fs::permissions(dir / "cache", fs::perms(0700));
  write_file(dir / "cache/.new-left/file/root/half", "half");
  std::atomic<int> built{0}, inside{0};
  const auto want = [&] {
    auto cache = ImageCache::open(dir / "cache", 1'000'000).value();
    return cache
        .get_folder("one",
                    [&](const fs::path& folder) -> Result<void> {
                      ++built;
                      CHECK(++inside == 1);
                      write_file(folder / "file", "x");
                      --inside;
                      return {};
                    })
        .has_value();
  };
  std::vector<std::future<bool>> runners;
  for (int i = 0; i < 8; ++i)
    runners.push_back(std::async(std::launch::async, want));
  for (auto& runner : runners)
    CHECK(runner.get());
  CHECK(built == 1);
  CHECK_FALSE(fs::exists(dir / "cache/.new-left"));
}

TEST_CASE("a cache that others may write to is refused") {
  TempDir dir;
  fs::create_directories(dir / "cache");
  fs::permissions(dir / "cache", fs::perms(0777));
  CHECK(ImageCache::open(dir / "cache", 1000).error().code() == Errc::unavailable);
}
