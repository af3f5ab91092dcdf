#include "bencher/image/manifest.hpp"

#include <doctest/doctest.h>

using namespace bencher;

namespace {

const std::string hex(64, 'a');
std::string descriptor(const std::string& type, const std::string& digit = "a", const std::string& more = {}) {
  return R"({"mediaType":")" + type + R"(","digest":"sha256:)" + std::string(64, digit[0]) + R"(","size":7)" + more +
         "}";
}
const std::string layer_type = "application/vnd.oci.image.layer.v1.tar+gzip";

}  // namespace

TEST_CASE("a manifest has a configuration and layers in order") {
  const auto parsed = parse_manifest(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
                                     R"("config":)" +
                                     descriptor("application/vnd.oci.image.config.v1+json") + R"(,"layers":[)" +
                                     descriptor(layer_type, "b") + "," + descriptor(layer_type, "c") + "]}");
  REQUIRE(parsed);
  const auto& manifest = std::get<ImageManifest>(*parsed);
  CHECK(manifest.config.digest.str() == "sha256:" + hex);
  CHECK(manifest.config.size == 7);
  REQUIRE(manifest.layers.size() == 2);
  CHECK(manifest.layers[1].digest.hex()[0] == 'c');
  CHECK(manifest.layers[1].media_type == layer_type);
}

TEST_CASE("an index picks the platform under either name, else the first") {
  const std::string type = "application/vnd.oci.image.manifest.v1+json";
  const auto parsed =
      parse_manifest(R"({"schemaVersion":2,"manifests":[)" +
                     descriptor(type, "a", R"(,"platform":{"os":"windows","architecture":"amd64"})") + "," +
                     descriptor(type, "b", R"(,"platform":{"os":"linux","architecture":"arm64"})") + "," +
                     descriptor(type, "c", R"(,"platform":{"os":"linux","architecture":"amd64"})") + "," +
                     descriptor(type, "d") + "]}");
  REQUIRE(parsed);
  const auto& index = std::get<ImageIndex>(*parsed);
  CHECK(index.pick("linux", "x86_64").manifest.digest.hex()[0] == 'c');
  CHECK(index.pick("linux", "amd64").manifest.digest.hex()[0] == 'c');
  CHECK(index.pick("linux", "aarch64").manifest.digest.hex()[0] == 'b');
  CHECK(index.pick("linux", "riscv64").manifest.digest.hex()[0] == 'a');
}

TEST_CASE("what is no manifest is refused with the place of the mistake") {
  struct Row {
    std::string text, says;
  };
  const std::string config = R"("config":)" + descriptor("c");
  for (const auto& [text, says] : {
           Row{"", "not valid JSON"},
           Row{"[]", "not a JSON object"},
           Row{"{\"schemaVersion\":1,\"fsLayers\":[]}", "schema version 1"},
           Row{"{}", "neither 'config' nor 'manifests'"},
           Row{"{" + config + "}", "'layers' is missing"},
           Row{"{" + config + R"(,"layers":[1]})", "layers[0]"},
           Row{"{" + config + R"(,"layers":[{"digest":"sha256:x","size":1}]})", "layers[0]"},
           Row{"{" + config + R"(,"layers":[{"digest":"sha256:)" + hex + R"(","size":-1}]})", "'size'"},
           Row{R"({"manifests":[]})", "no manifest"},
       }) {
    CAPTURE(text);
    const auto parsed = parse_manifest(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK_MESSAGE(parsed.error().message().find(says) != std::string::npos, parsed.error().message());
  }
}

TEST_CASE("more layers, manifests or bytes than the limits are refused") {
  std::string layers, manifests;
  for (std::size_t i = 0; i <= max_image_layers; ++i)
    layers += (i ? "," : "") + descriptor(layer_type);
  CHECK(parse_manifest(R"({"config":)" + descriptor("c") + R"(,"layers":[)" + layers + "]}").error().code() ==
        Errc::too_large);
  for (std::size_t i = 0; i <= max_index_entries; ++i)
    manifests += (i ? "," : "") + descriptor("m");
  CHECK(parse_manifest(R"({"manifests":[)" + manifests + "]}").error().code() == Errc::too_large);
  CHECK(parse_manifest(std::string(max_manifest_bytes + 1, ' ')).error().code() == Errc::too_large);
}

TEST_CASE("an image configuration tells how to run the image") {
  const auto parsed = parse_image_config(R"({"architecture":"amd64","os":"linux","config":{"User":"bench:staff",
    "WorkingDir":"/w","Entrypoint":["/bin/bench"],"Cmd":["-n","3"],"Env":["PATH=/bin","A=b"]},
    "rootfs":{"type":"layers","diff_ids":["sha256:)" +
                                         hex + R"("]},"history":[]})");
  REQUIRE(parsed);
  CHECK(parsed->user == "bench:staff");
  CHECK(parsed->working_dir == "/w");
  CHECK(parsed->entrypoint == std::vector<std::string>{"/bin/bench"});
  CHECK(parsed->cmd == std::vector<std::string>{"-n", "3"});
  CHECK(parsed->env == std::vector<std::string>{"PATH=/bin", "A=b"});
  CHECK(parsed->diff_ids.size() == 1);
}

TEST_CASE("an image configuration may leave everything out or null, but not mistype it") {
  CHECK(parse_image_config("{}").has_value());
  CHECK(parse_image_config(R"({"config":{"Entrypoint":null,"Cmd":null,"Env":null,"User":""}})")->entrypoint.empty());
  CHECK_FALSE(parse_image_config(R"({"config":{"Entrypoint":"sh"}})"));
  CHECK_FALSE(parse_image_config(R"({"config":{"Env":[1]}})"));
  CHECK_FALSE(parse_image_config(R"({"config":{"Cmd":["a\u0000b"]}})"));
  CHECK_FALSE(parse_image_config(R"({"rootfs":{"diff_ids":["md5:1"]}})"));
}

TEST_CASE("layer media types of OCI and Docker are known, others named") {
  CHECK(*parse_layer_format("application/vnd.oci.image.layer.v1.tar") == LayerFormat::tar);
  CHECK(*parse_layer_format("application/vnd.oci.image.layer.v1.tar+zstd") == LayerFormat::zstd);
  CHECK(*parse_layer_format("application/vnd.docker.image.rootfs.diff.tar.gzip") == LayerFormat::gzip);
  CHECK(parse_layer_format("application/x-rar").error().message().find("application/x-rar") != std::string::npos);
}
