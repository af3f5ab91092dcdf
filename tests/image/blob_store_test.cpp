#include "bencher/image/blob_store.hpp"

#include <fstream>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "bencher/base/encoding.hpp"

using namespace bencher;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string repo = "01890a5d-ac96-774b-bcce-b302099a8057";
const std::string other = "01890a5d-ac96-774b-bcce-b302099a8058";
const std::string oci_manifest = "application/vnd.oci.image.manifest.v1+json";
const std::string oci_index = "application/vnd.oci.image.index.v1+json";

/// A store in a folder of its own.
struct World {
  World() {
    static int count = 0;
    root = fs::temp_directory_path() / fmt::format("bencher-store-{}-{}", ::getpid(), ++count);
    fs::remove_all(root);
    open();
  }
  ~World() {
    store.reset();
    fs::remove_all(root);
  }
  void open() {
    store.reset();
    store = std::make_unique<BlobStore>(root, random);
  }
  BlobStore* operator->() { return store.get(); }

  std::string upload(const std::string& bytes) {
    auto id = store->begin_upload(repo, clock.now());
    REQUIRE(id.has_value());
    auto upload = store->open_upload(repo, *id, clock.now());
    REQUIRE(upload.has_value());
    upload->append(bytes);
    return *id;
  }
  std::string read(const std::string& repository, const Digest& digest) {
    const auto path = store->blob_path(repository, digest);
    if (!path) return "(none)";
    std::ifstream in(*path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// How many files there are, the lock left out.
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      count += entry.is_regular_file() && entry.path().filename() != "lock";
    return count;
  }
  std::string manifest(const std::string& more = {}) {
    const auto blob = store->put_blob(repo, "{}");
    return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/x.config",)"
                       R"("digest":"{}","size":2}},"layers":[]{}}})",
                       oci_manifest, blob->str(), more);
  }

  fs::path root;
  SystemRandom random;
  ManualClock clock;
  std::unique_ptr<BlobStore> store;
};

template <class T>
Errc code(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code();
}

}  // namespace

TEST_SUITE("image/blob_store") {
  TEST_CASE("an upload in pieces becomes a blob under its digest, sha256 or sha512") {
    for (const auto algorithm : {DigestAlgorithm::sha256, DigestAlgorithm::sha512}) {
      World world;
      const auto id = world.upload("hello ");
      CHECK(*world->upload_offset(repo, id) == 6);
      auto upload = world->open_upload(repo, id, world.clock.now());
      CHECK(upload->offset() == 6);
      upload->append("world");
      const auto digest = Digest::of("hello world", algorithm);
      CHECK(upload->finish(digest).has_value());
      CHECK(world.read(repo, digest) == "hello world");
      CHECK(*world->blob_size(repo, digest) == 11);
      CHECK(code(world->upload_offset(repo, id)) == Errc::not_found);
      CHECK(code(world->open_upload(repo, id, world.clock.now())) == Errc::not_found);
      CHECK(code(world->blob_size(other, digest)) == Errc::not_found);
      CHECK(world.files() == 1);
    }
  }

  TEST_CASE("other bytes than promised leave nothing behind") {
    World world;
    const auto id = world.upload("hello");
    const auto done = world->open_upload(repo, id, world.clock.now())->finish(Digest::of("hullo"));
    CHECK(code(done) == Errc::invalid_argument);
    CHECK(done.error().message() ==
          fmt::format("the bytes have the digest {}, not {}", Digest::of("hello").str(), Digest::of("hullo").str()));
    CHECK(code(world->upload_offset(repo, id)) == Errc::not_found);
    CHECK(code(world->blob_size(repo, Digest::of("hello"))) == Errc::not_found);
    CHECK(world.files() == 0);
  }

  TEST_CASE("an unfinished upload goes on after a restart, and what a write cut off has left is removed") {
    World world;
    const auto id = world.upload(std::string(700'000, 'a'));
    std::ofstream(world.root / "tmp" / "half-written") << "half";
    world.open();
    CHECK_FALSE(fs::exists(world.root / "tmp" / "half-written"));
    auto upload = world->open_upload(repo, id, world.clock.now());
    REQUIRE(upload.has_value());
    CHECK(upload->offset() == 700'000);
    upload->append("b");
    const auto digest = Digest::of(std::string(700'000, 'a') + "b");
    CHECK(upload->finish(digest).has_value());
    CHECK(*world->blob_size(repo, digest) == 700'001);
  }

  TEST_CASE("a second process does not remove what the first one is writing") {
    World world;
    std::ofstream(world.root / "tmp" / "being-written") << "half";
    BlobStore second(world.root, world.random);
    CHECK(fs::exists(world.root / "tmp" / "being-written"));
  }

  TEST_CASE("an upload has one owner at a time, and can be cut back or cancelled") {
    World world;
    const auto id = world.upload("12345");
    {
      auto upload = world->open_upload(repo, id, world.clock.now());
      CHECK(code(world->open_upload(repo, id, world.clock.now())) == Errc::conflict);
      CHECK(world->expire_uploads(world.clock.now() + 1h) == 0);
      upload->rewind(2);
      upload->append("x");
      CHECK(upload->offset() == 3);
    }
    auto again = world->open_upload(repo, id, world.clock.now());
    CHECK(again->finish(Digest::of("12x")).has_value());
    const auto second = world.upload("z");
    world->open_upload(repo, second, world.clock.now())->cancel();
    CHECK(code(world->upload_offset(repo, second)) == Errc::not_found);
    CHECK(code(world->open_upload(repo, "../../../etc/passwd", world.clock.now())) == Errc::not_found);
    CHECK(code(world->open_upload("..", second, world.clock.now())) == Errc::invalid_argument);
  }

  TEST_CASE("uploads that nobody has opened for long expire, those in use do not") {
    World world;
    const auto old = world.upload("old");
    world.clock.advance(2h);
    const auto fresh = world.upload("fresh");
    CHECK(world->expire_uploads(world.clock.now() - 1h) == 1);
    CHECK(code(world->upload_offset(repo, old)) == Errc::not_found);
    CHECK(*world->upload_offset(repo, fresh) == 5);
  }

  TEST_CASE("a mounted blob is the other repository's own") {
    World world;
    const auto digest = *world->put_blob(repo, "layer");
    CHECK(code(world->mount_blob(other, repo, Digest::of("missing"))) == Errc::not_found);
    CHECK(world->mount_blob(other, repo, digest).has_value());
    CHECK(world->mount_blob(other, repo, digest).has_value());
    CHECK(world->delete_blob(repo, digest).has_value());
    CHECK(code(world->delete_blob(repo, digest)) == Errc::not_found);
    CHECK(world.read(other, digest) == "layer");
  }

  TEST_CASE("a manifest is found by digest and by each of its tags, until one or all are deleted") {
    World world;
    const auto bytes = world.manifest();
    const auto put = world->put_manifest(repo, oci_manifest, bytes, "v1");
    REQUIRE(put.has_value());
    CHECK(put->digest == Digest::of(bytes));
    CHECK_FALSE(put->subject.has_value());
    CHECK(world->put_manifest(repo, oci_manifest, bytes, "v2").has_value());
    CHECK(world->put_manifest(repo, oci_manifest, bytes, std::nullopt, DigestAlgorithm::sha512)->digest ==
          Digest::of(bytes, DigestAlgorithm::sha512));
    for (const auto& reference : {std::string("v1"), std::string("v2"), put->digest.str()}) {
      const auto manifest = world->manifest(repo, reference);
      REQUIRE(manifest.has_value());
      CHECK(manifest->bytes == bytes);
      CHECK(manifest->media_type == oci_manifest);
      CHECK(manifest->digest == put->digest);
    }
    CHECK(*world->resolve_tag(repo, "v1") == put->digest);
    CHECK(world->delete_tag(repo, "v1").has_value());
    CHECK(code(world->delete_tag(repo, "v1")) == Errc::not_found);
    CHECK(code(world->manifest(repo, "v1")) == Errc::not_found);
    CHECK(world->manifest(repo, "v2").has_value());
    CHECK(world->delete_manifest(repo, put->digest).has_value());
    CHECK(code(world->manifest(repo, "v2")) == Errc::not_found);
    CHECK(code(world->manifest(repo, put->digest.str())) == Errc::not_found);
    CHECK(code(world->delete_manifest(repo, put->digest)) == Errc::not_found);
    CHECK(world->tags(repo, 10, "")->items.empty());
  }

  TEST_CASE("a tag moves to the manifest that was put last") {
    World world;
    const auto first = world->put_manifest(repo, oci_manifest, world.manifest(), "latest");
    const auto second =
        world->put_manifest(repo, oci_manifest, world.manifest(R"(,"annotations":{"n":"2"})"), "latest");
    CHECK(*world->resolve_tag(repo, "latest") == second->digest);
    CHECK(world->manifest(repo, first->digest.str()).has_value());
  }

  TEST_CASE("a manifest that is broken, or whose parts are missing, is refused with the reason") {
    World world;
    const auto good = world.manifest();
    const auto reason = [&](const std::string& type, const std::string& bytes) {
      const auto put = world->put_manifest(repo, type, bytes, "t");
      REQUIRE_FALSE(put.has_value());
      return put.error().message();
    };
    const auto missing = Digest::of("missing").str();
    CHECK(reason("application/json", good).starts_with("manifest: the media type 'application/json' is not one of "));
    CHECK(reason(oci_manifest, "{").starts_with("manifest: it is not JSON: "));
    CHECK(reason(oci_manifest, "[]") == "manifest: it is not a JSON object");
    CHECK(reason(oci_manifest, R"({"schemaVersion":1})") == "manifest: 'schemaVersion' is not 2");
    CHECK(reason(oci_manifest, R"({"schemaVersion":2})") == "manifest: there is no 'config'");
    CHECK(reason(oci_manifest, R"({"schemaVersion":2,"config":{"digest":1}})") == "manifest: 'config' has no 'digest'");
    CHECK(reason(oci_manifest, R"({"schemaVersion":2,"config":{"digest":"x"}})") ==
          "manifest: 'config': image digest: no ':' between algorithm and hex");
    CHECK(reason(oci_index, good) ==
          fmt::format("manifest: the content type '{}' is not its mediaType '{}'", oci_index, oci_manifest));
    CHECK(reason(oci_index, R"({"schemaVersion":2})") == "manifest: 'manifests' is not a list");
    CHECK(reason(oci_index, R"({"schemaVersion":2,"manifests":[{"digest":")" + missing + R"("}]})") ==
          "manifest: its manifest " + missing + " is not in the repository; push it first");
    CHECK(reason(oci_manifest, R"({"schemaVersion":2,"config":{"digest":")" + missing + R"("},"layers":[]})") ==
          "manifest: its blob " + missing + " is not in the repository; push it first");
    CHECK(reason(oci_manifest, std::string(100, '[')).starts_with("manifest: it is not JSON: "));
    CHECK(code(world->put_manifest(repo, oci_manifest, std::string(BlobStore::manifest_limit + 1, ' '), "t")) ==
          Errc::too_large);
    CHECK(code(world->put_manifest(repo, oci_manifest, good, "..bad")) == Errc::invalid_argument);
    CHECK(code(world->put_manifest(repo, oci_manifest, good, std::string(129, 'a'))) == Errc::invalid_argument);
    CHECK(code(world->manifest(repo, "../v1")) == Errc::invalid_argument);
    CHECK(world->tags(repo, 10, "")->items.empty());
  }

  TEST_CASE("an index needs its children, a foreign layer need not be there") {
    World world;
    const auto child = world->put_manifest(repo, oci_manifest, world.manifest(), std::nullopt);
    const auto index = fmt::format(R"({{"schemaVersion":2,"manifests":[{{"digest":"{}"}}]}})", child->digest.str());
    CHECK(world->put_manifest(repo, oci_index, index, "multi").has_value());
    const auto config = world->put_blob(repo, "{}");
    const auto foreign = fmt::format(R"({{"schemaVersion":2,"config":{{"digest":"{}"}},"layers":[{{"digest":"{}",)"
                                     R"("mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}}]}})",
                                     config->str(), Digest::of("far away").str());
    CHECK(
        world->put_manifest(repo, "application/vnd.docker.distribution.manifest.v2+json", foreign, "win").has_value());
  }

  TEST_CASE("tags come sorted and in pages") {
    World world;
    const auto bytes = world.manifest();
    for (const char* tag : {"c", "a", "B", "_x", "b.1"})
      CHECK(world->put_manifest(repo, oci_manifest, bytes, tag).has_value());
    const auto all = world->tags(repo, 100, "");
    CHECK(all->items == std::vector<std::string>{"B", "_x", "a", "b.1", "c"});
    CHECK_FALSE(all->more);
    const auto page = world->tags(repo, 2, "B");
    CHECK(page->items == std::vector<std::string>{"_x", "a"});
    CHECK(page->more);
    const auto rest = world->tags(repo, 2, "a");
    CHECK(rest->items == std::vector<std::string>{"b.1", "c"});
    CHECK_FALSE(rest->more);
    CHECK(world->tags(other, 2, "")->items.empty());
  }

  TEST_CASE("referrers are the manifests that name a subject, with their type and annotations, until deleted") {
    World world;
    const auto subject = Digest::of("not there yet");
    const auto about = fmt::format(R"(,"subject":{{"mediaType":"x","digest":"{}","size":1}})", subject.str());
    const auto sbom = world->put_manifest(
        repo, oci_manifest, world.manifest(R"(,"artifactType":"application/x.sbom","annotations":{"a":"b"})" + about),
        std::nullopt);
    REQUIRE(sbom.has_value());
    CHECK(sbom->subject == subject);
    const auto plain = world->put_manifest(repo, oci_manifest, world.manifest(about), std::nullopt);
    auto all = world->referrers(repo, subject, "", "");
    REQUIRE(all->items.size() == 2);
    CHECK_FALSE(all->more);
    auto filtered = world->referrers(repo, subject, "application/x.sbom", "");
    REQUIRE(filtered->items.size() == 1);
    CHECK(filtered->items[0] ==
          fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{},"artifactType":"application/x.sbom",)"
                      R"("annotations":{{"a":"b"}}}})",
                      oci_manifest, sbom->digest.str(), world->manifest(repo, sbom->digest.str())->bytes.size()));
    // Without an artifactType, a manifest's is its config's media type.
    CHECK(world->referrers(repo, subject, "application/x.config", "")->items.size() == 1);
    const auto first = std::min(sbom->digest.str(), plain->digest.str());
    CHECK(world->referrers(repo, subject, "", first)->items.size() == 1);
    CHECK(world->delete_manifest(repo, sbom->digest).has_value());
    CHECK(world->referrers(repo, subject, "", "")->items.size() == 1);
    CHECK(world->referrers(other, subject, "", "")->items.empty());
  }

  TEST_CASE("referrers over 4 MiB come in pages") {
    World world;
    const auto subject = Digest::of("subject");
    for (int i = 0; i < 3; ++i) {
      const auto more = fmt::format(R"(,"subject":{{"digest":"{}"}},"annotations":{{"n":"{}{}"}})", subject.str(),
                                    std::string(2'000'000, 'x'), i);
      CHECK(world->put_manifest(repo, oci_manifest, world.manifest(more), std::nullopt).has_value());
    }
    CHECK(world->referrers(repo, subject, "", "")->items.size() == 2);
    CHECK(world->referrers(repo, subject, "", "")->more);
  }

  TEST_CASE("a removed repository takes everything with it, and only that") {
    World world;
    CHECK(world->put_manifest(repo, oci_manifest, world.manifest(), "v1").has_value());
    world.upload("unfinished");
    const auto kept = *world->put_blob(other, "kept");
    CHECK(world->remove_repository(repo).has_value());
    CHECK(world->remove_repository(repo).has_value());
    CHECK(code(world->manifest(repo, "v1")) == Errc::not_found);
    CHECK(world.read(other, kept) == "kept");
    CHECK(world.files() == 1);
  }

  TEST_CASE("job outputs are kept under a key, and no key leaves the folder") {
    World world;
    CHECK(code(world->get_object("job/1/stdout")) == Errc::not_found);
    CHECK(world->put_object("job/1/stdout", "one").has_value());
    CHECK(world->put_object("job/1", std::string("t\0wo", 4)).has_value());
    CHECK(world->put_object("job/1/stdout", "three").has_value());
    world.open();
    CHECK(*world->get_object("job/1/stdout") == "three");
    CHECK(*world->get_object("job/1") == std::string("t\0wo", 4));
    CHECK(world->delete_object("job/1").has_value());
    CHECK(code(world->delete_object("job/1")) == Errc::not_found);
    for (const char* bad : {"", "/", "/x", "x/", "../x", "x/../y", "x//y", ".x", "a b", "1/2/3/4/5/6/7/8/9"}) {
      CAPTURE(bad);
      CHECK(code(world->put_object(bad, "")) == Errc::invalid_argument);
      CHECK(code(world->get_object(bad)) == Errc::invalid_argument);
    }
  }

  TEST_CASE("many threads can use one store") {
    World world;
    const auto bytes = world.manifest();
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10; ++i) {
          const auto blob = fmt::format("{} {}", t, i % 5);
          auto id = world->begin_upload(repo, Instant());
          auto upload = world->open_upload(repo, *id, Instant());
          upload->append(blob);
          if (!upload->finish(Digest::of(blob))) ++failures;
          if (!world->put_manifest(repo, oci_manifest, bytes, fmt::format("t{}", i))) ++failures;
          if (!world->put_object("same/key", blob)) ++failures;
        }
      });
    for (auto& thread : threads)
      thread.join();
    CHECK(failures == 0);
    CHECK(world->tags(repo, 100, "")->items.size() == 10);
    CHECK(std::distance(fs::directory_iterator(world.root / "tmp"), fs::directory_iterator()) == 0);
  }

  TEST_CASE("a folder that cannot be made is an exception that names it") {
    SystemRandom random;
    CHECK_THROWS_WITH_AS(BlobStore("/proc/nowhere", random), doctest::Contains("/proc/nowhere"), std::system_error);
  }
}
