#include "bencher/image/source.hpp"

#include <map>

#include <doctest/doctest.h>

#include "tests/support/image.hpp"

namespace fs = std::filesystem;
using namespace bencher;
using namespace bencher::test;

namespace {

const std::string config = R"("Entrypoint":["/bench"],"Env":["A=b"])";

/// The layout's files as one tar.
std::string archive_of(const fs::path& layout) {
  Tar tar;
  for (const auto& entry : fs::recursive_directory_iterator(layout))
    if (entry.is_regular_file()) tar.file("./" + fs::relative(entry.path(), layout).string(), read_file(entry.path()));
  return tar.str();
}

/// Counts what is asked for.
class Counting final : public ImageSource {
 public:
  explicit Counting(ImageSource& inner) : inner_(inner) {}
  Result<std::string> manifest(const Digest& digest) override { return inner_.manifest(digest); }
  Result<void> blob(const Digest& digest, const Sink& sink) override {
    ++blobs[digest];
    return inner_.blob(digest, sink);
  }
  std::map<Digest, int> blobs;

 private:
  ImageSource& inner_;
};

}  // namespace

TEST_CASE("an image is pulled from a layout folder and from its archive") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto digest = layout.image(
      {Tar().file("bench", "1", 0755).str(), Tar().file("data/x", "2").file(".wh.none", "").str()}, config);
  write_file(dir / "layout.tar", archive_of(dir / "layout"));
  write_file(dir / "layout.tar.gz", gzip(archive_of(dir / "layout")));
  for (const char* name : {"layout", "layout.tar", "layout.tar.gz"}) {
    CAPTURE(name);
    auto source = OciLayout::open(dir / name);
    REQUIRE_MESSAGE(source, source.error().message());
    REQUIRE(source->resolve());
    CHECK(*source->resolve() == digest);
    CHECK(*source->resolve("latest") == digest);
    const auto root = dir / (std::string(name) + ".root");
    const auto pulled = pull(*source, digest, root);
    REQUIRE_MESSAGE(pulled, pulled.error().message());
    CHECK(pulled->entrypoint == std::vector<std::string>{"/bench"});
    CHECK(read_file(root / "bench") == "1");
    CHECK(read_file(root / "data/x") == "2");
  }
}

TEST_CASE("equal layers are fetched once") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto tar = Tar().file("a", "1").str();
  const auto digest = layout.image({tar, Tar().file("b", "1").str(), tar}, config);
  auto source = OciLayout::open(layout.path());
  REQUIRE(source);
  Counting counting(*source);
  REQUIRE(pull(counting, digest, dir / "root"));
  for (const auto& [blob, count] : counting.blobs)
    CHECK(count == 1);
  CHECK(counting.blobs.size() == 3);
}

TEST_CASE("a tag that is not there is told with those that are") {
  TempDir dir;
  Layout layout(dir / "layout");
  layout.image({Tar().file("a", "1").str()}, config, "v1");
  layout.image({Tar().file("a", "2").str()}, config, "v2");
  auto source = OciLayout::open(layout.path());
  REQUIRE(source);
  CHECK(source->resolve("v1").has_value());
  CHECK(source->resolve("v3").error().message().find("v1, v2") != std::string::npos);
  CHECK(source->resolve().error().code() == Errc::not_found);
}

TEST_CASE("what is no layout is refused with a way out") {
  TempDir dir;
  write_file(dir / "folder/x", "");
  write_file(dir / "file", "no tar");
  CHECK(OciLayout::open(dir / "missing").error().code() == Errc::not_found);
  for (const char* name : {"folder", "file"}) {
    const auto opened = OciLayout::open(dir / name);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message().find("skopeo") != std::string::npos);
  }
}

TEST_CASE("the manifest for this machine is taken from an index within the layout") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto other = layout.image({Tar().file("which", "arm64").str()}, config, "a");
  const auto ours = layout.image({Tar().file("which", "amd64").str()}, config, "b");
  const std::string type = "application/vnd.oci.image.manifest.v1+json";
  const auto entry = [&](const Digest& digest, const std::string& architecture) {
    return Layout::descriptor(type, digest, fs::file_size(layout.blob_path(digest)),
                              R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}");
  };
  const auto index =
      layout.blob(R"({"schemaVersion":2,"manifests":[)" + entry(other, "arm64") + "," + entry(ours, "amd64") + "]}");
  auto source = OciLayout::open(layout.path());
  REQUIRE(source);
  REQUIRE(pull(*source, index, dir / "root", {.architecture = "x86_64", .limits = {}, .cancelled = {}}));
  CHECK(read_file(dir / "root/which") == "amd64");
}

TEST_CASE("bytes that are not what the digest says are refused") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto tar = Tar().file("a", "1").str();
  const auto digest = layout.image({tar}, config);
  auto source = OciLayout::open(layout.path());
  REQUIRE(source);
  const auto layer = layout.blob_path(Digest::of(gzip(tar)));
  const auto original = read_file(layer);
  SUBCASE("changed") {
    auto changed = original;
    changed[changed.size() / 2] ^= 1;
    write_file(layer, changed);
  }
  SUBCASE("longer") {
    write_file(layer, original + "x");
  }
  SUBCASE("shorter") {
    write_file(layer, original.substr(1));
  }
  SUBCASE("missing") {
    fs::remove(layer);
  }
  SUBCASE("manifest") {
    const auto text = read_file(layout.blob_path(digest));
    write_file(layout.blob_path(digest), text + " ");
  }
  const auto pulled = pull(*source, digest, dir / "root");
  REQUIRE_FALSE(pulled);
  CHECK(pulled.error().message().find("sha256:") != std::string::npos);
}

TEST_CASE("a layer whose tar is not the one that the configuration names is refused") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto tar = Tar().file("a", "1").str();
  const auto packed = gzip(tar);
  const std::string text = R"({"rootfs":{"diff_ids":[")" + Digest::of("other").str() + "\"]}}";
  const auto manifest = [&](const std::string& config_text, const std::string& layers) {
    return layout.blob(R"({"schemaVersion":2,"config":)" +
                       Layout::descriptor("c", layout.blob(config_text), config_text.size()) + R"(,"layers":[)" +
                       layers + "]}");
  };
  const auto layer =
      Layout::descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layout.blob(packed), packed.size());
  const auto wrong = manifest(text, layer), none = manifest("{}", layer),
             foreign = manifest(text, Layout::descriptor("application/x-rar", layout.blob(packed), packed.size()));
  layout.index({Layout::descriptor("m", wrong, 1)});
  auto source = OciLayout::open(layout.path());
  REQUIRE(source);
  CHECK(pull(*source, wrong, dir / "r1").error().message().find(Digest::of("other").str()) != std::string::npos);
  CHECK(pull(*source, none, dir / "r2").error().message().find("1 layers") != std::string::npos);
  CHECK(pull(*source, foreign, dir / "r3").error().message().find("application/x-rar") != std::string::npos);
}

TEST_CASE("a pull ends when it is cancelled") {
  TempDir dir;
  Layout layout(dir / "layout");
  const auto digest = layout.image({Tar().file("a", std::string(500'000, 'x')).str()}, config);
  auto source = OciLayout::open(layout.path());
  REQUIRE(source);
  int asked = 0;
  const auto pulled =
      pull(*source, digest, dir / "root", {.architecture = {}, .limits = {}, .cancelled = [&] { return ++asked > 3; }});
  REQUIRE_FALSE(pulled);
  CHECK(pulled.error().code() == Errc::cancelled);
}
