#include "bencher/image/unpack.hpp"

#include <fcntl.h>

#include <doctest/doctest.h>

#include "lib/image/files.hpp"
#include "tests/support/image.hpp"

namespace fs = std::filesystem;
using namespace bencher;
using namespace bencher::test;

namespace {

LayerSource pieces(const std::string& data, std::size_t size = 1000) {
  return [&data, size, at = std::size_t{0}]() mutable -> Result<std::string_view> {
    const auto piece = std::string_view(data).substr(at, size);
    at += piece.size();
    return piece;
  };
}

/// Unpacks the tars over each other.
Result<void> unpack(const fs::path& root, const std::vector<Tar>& layers, const UnpackLimits& limits = {}) {
  BENCHER_TRY(auto unpacker, Unpacker::open(root, limits));
  for (const auto& layer : layers) {
    const std::string data = layer.str();
    const Digest id = Digest::of(data);
    BENCHER_DO(unpacker.layer(LayerFormat::tar, pieces(data), &id));
  }
  return unpacker.finish();
}

bool there(const fs::path& path) {
  return fs::symlink_status(path).type() != fs::file_type::not_found;
}

unsigned mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("a layer becomes files, folders and links with their modes") {
  TempDir dir;
  const auto root = dir / "root";
  Tar tar;
  tar.folder("./").folder("usr/", 0711).folder("usr/bin/").file("usr/bin/bench", "#!/bin/sh\n", 04755);
  tar.file("/etc/conf", std::string(100'000, 'c')).file("empty", "", 0600);
  tar.link("bin", "usr/bin").hard_link("usr/bin/again", "usr/bin/bench").add({.name = "pipe", .type = '6'});
  const auto done = unpack(root, {tar});
  REQUIRE_MESSAGE(done, done.error().message());
  CHECK(read_file(root / "usr/bin/bench") == "#!/bin/sh\n");
  CHECK(mode_of(root / "usr/bin/bench") == 04755);
  CHECK(mode_of(root / "usr") == 0711);
  CHECK(read_file(root / "etc/conf").size() == 100'000);
  CHECK(mode_of(root / "empty") == 0600);
  CHECK(fs::read_symlink(root / "bin") == "usr/bin");
  CHECK(fs::equivalent(root / "usr/bin/again", root / "usr/bin/bench"));
  CHECK(fs::is_fifo(root / "pipe"));
}

TEST_CASE("gzip and zstd layers are unpacked, and the digest is that of the tar inside") {
  for (const auto format : {LayerFormat::gzip, LayerFormat::zstd}) {
    TempDir dir;
    const std::string tar = Tar().file("a", "hello").str();
    const std::string packed = format == LayerFormat::gzip ? gzip(tar) : zstd(tar);
    const Digest id = Digest::of(tar), other = Digest::of("x");
    auto unpacker = Unpacker::open(dir / "root");
    REQUIRE(unpacker);
    const auto done = unpacker->layer(format, pieces(packed, 7), &id);
    REQUIRE_MESSAGE(done, done.error().message());
    CHECK(read_file(dir / "root/a") == "hello");
    const auto wrong = unpacker->layer(format, pieces(packed), &other);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message().find(other.str()) != std::string::npos);
  }
}

TEST_CASE("a layer that is not what its media type says is refused") {
  TempDir dir;
  const std::string tar = Tar().file("a", "hello").str();
  const std::string junk(5000, 'j');
  const std::string cut = gzip(tar).substr(0, 40);
  auto unpacker = Unpacker::open(dir / "root");
  REQUIRE(unpacker);
  CHECK_FALSE(unpacker->layer(LayerFormat::gzip, pieces(tar), nullptr));
  CHECK_FALSE(unpacker->layer(LayerFormat::zstd, pieces(tar), nullptr));
  CHECK_FALSE(unpacker->layer(LayerFormat::tar, pieces(junk), nullptr));
  CHECK_FALSE(unpacker->layer(LayerFormat::gzip, pieces(cut), nullptr));
}

TEST_CASE("what the source fails with reaches the caller") {
  TempDir dir;
  auto unpacker = Unpacker::open(dir / "root");
  REQUIRE(unpacker);
  for (const auto format : {LayerFormat::tar, LayerFormat::gzip}) {
    const LayerSource failing = []() -> Result<std::string_view> { return Error(Errc::cancelled, "stop it"); };
    const auto done = unpacker->layer(format, failing, nullptr);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::cancelled);
    CHECK(done.error().message() == "stop it");
  }
}

TEST_CASE("an entry that would land outside, a device or a broken link is refused by name") {
  struct Row {
    Tar tar;
    std::string name;
  };
  const Row rows[] = {
      {Tar().file("../evil", "x"), "../evil"},
      {Tar().file("a/../../evil", "x"), "a/../../evil"},
      {Tar().file("/../evil", "x"), "/../evil"},
      {Tar().link("up", "../outside"), "up"},
      {Tar().link("a/b/up", "../../../outside"), "a/b/up"},
      {Tar().link("abs", "/../outside"), "abs"},
      {Tar().hard_link("h", "../../etc/passwd"), "h"},
      {Tar().hard_link("h", "missing"), "h"},
      {Tar().folder("d").hard_link("h", "d"), "h"},
      {Tar().add({.name = "dev/sda", .type = '4', .major = 8}), "dev/sda"},
      {Tar().add({.name = "dev/mem", .type = '3', .major = 1, .minor = 1}), "dev/mem"},
      {Tar().file(".", "x"), "."},
      {Tar().file("a", "x").file("a/b", "x"), "a/b"},
      {Tar().file("x/.wh...", ""), "x/.wh..."},
      {Tar().file("x/.wh.", ""), "x/.wh."},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    TempDir dir;
    const auto done = unpack(dir / "root", {row.tar});
    REQUIRE_FALSE(done);
    CHECK_MESSAGE(done.error().message().find("'" + row.name + "'") != std::string::npos, done.error().message());
    CHECK_FALSE(there(dir / "evil"));
    CHECK_FALSE(there(dir / "outside"));
  }
}

TEST_CASE("links that lead out of the folder on the disk are followed within the image only") {
  TempDir dir;
  const auto root = dir / "root";
  write_file(dir / "victim/file", "untouched");
  // An absolute link counts from the image's root, whatever is at that place of the machine.
  Tar tar;
  tar.folder("real").link("abs", "/real").file("abs/inside", "x");
  tar.link("victim", (dir / "victim").string()).file("victim/file", "overwritten");
  const auto done = unpack(root, {tar});
  CHECK(read_file(root / "real/inside") == "x");
  CHECK(read_file(dir / "victim/file") == "untouched");
  REQUIRE_FALSE(done);  // the link's target does not exist within the image
  CHECK(done.error().message().find("victim/file") != std::string::npos);
}

TEST_CASE("a link is replaced by a file of its name, never written through") {
  TempDir dir;
  const auto root = dir / "root";
  Tar lower, upper;
  lower.file("target", "old").link("name", "target").folder("d").link("dl", "d");
  upper.file("name", "new").folder("dl").file("dl/x", "1");
  const auto done = unpack(root, {lower, upper});
  REQUIRE_MESSAGE(done, done.error().message());
  CHECK(read_file(root / "target") == "old");
  CHECK(read_file(root / "name") == "new");
  CHECK_FALSE(fs::is_symlink(root / "name"));
  CHECK_FALSE(fs::is_symlink(root / "dl"));
  CHECK_FALSE(there(root / "d/x"));
}

TEST_CASE("a folder of a lower layer behind a link is filled through the link") {
  TempDir dir;
  const auto root = dir / "root";
  Tar lower, upper;
  lower.folder("usr").folder("usr/lib").link("lib", "usr/lib");
  upper.file("lib/x.so", "elf");
  REQUIRE(unpack(root, {lower, upper}));
  CHECK(read_file(root / "usr/lib/x.so") == "elf");
  CHECK(fs::is_symlink(root / "lib"));
}

TEST_CASE("whiteouts remove what lower layers brought, and nothing of their own layer") {
  TempDir dir;
  const auto root = dir / "root";
  Tar lower, upper;
  lower.file("gone", "1").file("kept", "1").file("tree/a/b", "1").file("opaque/old/x", "1").file("opaque/old2", "1");
  lower.file("again", "1").file("dev", "1").link("ln", "kept").file("both/old", "1");
  upper.file("opaque/new", "2").file("opaque/old/y", "2").file("opaque/.wh..wh..opq", "");
  upper.file(".wh.gone", "").file(".wh.tree", "").file(".wh.never", "").file("nowhere/.wh.x", "").file(".wh.ln", "");
  upper.file("again", "2").file(".wh.again", "").add({.name = "dev", .type = '3'});
  upper.folder("both").file("both/new", "2").file(".wh.both", "").file(".wh..wh.plnk", "");
  const auto done = unpack(root, {lower, upper});
  REQUIRE_MESSAGE(done, done.error().message());
  CHECK_FALSE(there(root / "gone"));
  CHECK(there(root / "kept"));
  CHECK_FALSE(there(root / "tree"));
  CHECK(read_file(root / "opaque/new") == "2");
  CHECK(read_file(root / "opaque/old/y") == "2");
  CHECK_FALSE(there(root / "opaque/old/x"));
  CHECK_FALSE(there(root / "opaque/old2"));
  CHECK(read_file(root / "again") == "2");
  CHECK_FALSE(there(root / "dev"));
  CHECK_FALSE(there(root / "ln"));
  CHECK_FALSE(there(root / "nowhere"));
  CHECK(read_file(root / "both/new") == "2");
  CHECK_FALSE(there(root / "both/old"));
  for (const auto& entry : fs::recursive_directory_iterator(root))
    CHECK_FALSE(entry.path().filename().string().starts_with(".wh."));
}

TEST_CASE("a whiteout does not follow a link out of its folder") {
  TempDir dir;
  const auto root = dir / "root";
  write_file(dir / "victim/file", "untouched");
  Tar lower, upper;
  lower.link("d", (dir / "victim").string());
  upper.file("d/.wh.file", "").file("d/.wh..wh..opq", "");
  REQUIRE(unpack(root, {lower, upper}));
  CHECK(read_file(dir / "victim/file") == "untouched");
}

TEST_CASE("more bytes, entries, name or ratio than the limits end the work with the entry's name") {
  const auto fails = [](const Tar& tar, const UnpackLimits& limits, const std::string& name) {
    TempDir dir;
    const auto done = unpack(dir / "root", {tar}, limits);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::too_large);
    CHECK_MESSAGE(done.error().message().find(name) != std::string::npos, done.error().message());
  };
  fails(Tar().file("a", std::string(600, 'x')).file("big", std::string(600, 'x')), {.bytes = 1000}, "'big'");
  fails(Tar().file("a", "").file("b", "").file("third", ""), {.entries = 2}, "'third'");
  fails(Tar().file("deep/er/x", ""), {.entries = 2}, "'deep/er/x'");
  fails(Tar().file("a/long-name", ""), {.path = 5}, "'a/long-name'");

  TempDir dir;
  const std::string bomb = gzip(Tar().file("zeros", std::string(40 << 20, '\0')).str());
  auto unpacker = Unpacker::open(dir / "root");
  REQUIRE(unpacker);
  const auto done = unpacker->layer(LayerFormat::gzip, pieces(bomb, 64 * 1024), nullptr);
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::too_large);
}

TEST_CASE("names beyond ASCII and beyond a hundred characters are kept as they are") {
  TempDir dir;
  const std::string name = "größe-測定";
  const std::string deep = std::string(90, 'a') + "/" + std::string(90, 'b');
  Tar tar;
  tar.pax({.name = name, .data = "1"}).file(deep, "2");
  const auto done = unpack(dir / "root", {tar});
  REQUIRE_MESSAGE(done, done.error().message());
  CHECK(read_file(dir / "root" / fs::path(name)) == "1");
  CHECK(read_file(dir / "root" / fs::path(deep)) == "2");
}

TEST_CASE("a tree deeper than there are descriptors can be removed") {
  TempDir dir;
  const auto top = dir / "top";
  files::Fd at(open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 3000; ++i) {
    const char* name = i == 0 ? "top" : "d";
    REQUIRE(mkdirat(at.get(), name, i % 100 == 99 ? 0500 : 0700) == 0);
    at = files::Fd(openat(at.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(at);
  }
  files::remove_tree(top);
  CHECK_FALSE(there(top));
}

TEST_CASE("a copied tree is equal, with its links, modes and times") {
  TempDir dir;
  write_file(dir / "from/a/file", std::string(200'000, 'x'));
  fs::create_hard_link(dir / "from/a/file", dir / "from/b");
  fs::create_symlink("a/file", dir / "from/link");
  fs::create_directories(dir / "from/ro");
  write_file(dir / "from/ro/f", "y");
  REQUIRE(chmod((dir / "from/ro").c_str(), 0555) == 0);
  REQUIRE(files::copy_tree(dir / "from", dir / "to"));
  CHECK(read_file(dir / "to/a/file").size() == 200'000);
  CHECK(fs::equivalent(dir / "to/a/file", dir / "to/b"));
  CHECK_FALSE(fs::equivalent(dir / "to/b", dir / "from/b"));
  CHECK(fs::read_symlink(dir / "to/link") == "a/file");
  CHECK(mode_of(dir / "to/ro") == 0555);
  CHECK(fs::last_write_time(dir / "to/a/file") == fs::last_write_time(dir / "from/a/file"));
  const auto stopped = files::copy_tree(dir / "from", dir / "third", [] { return true; });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code() == Errc::cancelled);
}
