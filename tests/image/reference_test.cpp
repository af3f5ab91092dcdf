#include "bencher/image/reference.hpp"

#include <string>

#include <doctest/doctest.h>

using bencher::ImageReference;

TEST_SUITE("image/reference") {
  TEST_CASE("a reference splits into registry, repository, tag and digest") {
    struct Row {
      const char* text;
      const char* registry;
      const char* repository;
      const char* tag;
      const char* digest;
      const char* project;
    };
    const Row rows[] = {
        {"bench", "docker.io", "bench", "latest", "", "bench"},
        {"bench:v1", "docker.io", "bench", "v1", "", "bench"},
        {"bench:5000", "docker.io", "bench", "5000", "", "bench"},
        {"bench@sha256:ab", "docker.io", "bench", "", "sha256:ab", "bench"},
        {"bench:v1@sha256:ab", "docker.io", "bench", "v1", "sha256:ab", "bench"},
        {"team/bench", "docker.io", "team/bench", "latest", "", ""},
        {"library/bench:v1", "docker.io", "library/bench", "v1", "", "bench"},
        {"localhost/library/bench", "localhost", "library/bench", "latest", "", ""},
        {"localhost/bench:v1", "localhost", "bench", "v1", "", "bench"},
        {"localhost:6610/bench", "localhost:6610", "bench", "latest", "", "bench"},
        {"localhost:6610/bench:v2", "localhost:6610", "bench", "v2", "", "bench"},
        {"ghcr.io/a/b/c:x", "ghcr.io", "a/b/c", "x", "", ""},
        {"team/bench:123", "docker.io", "team/bench:123", "latest", "", ""},
        {"[::1]:6610/bench", "[::1]:6610", "bench", "latest", "", "bench"},
    };
    for (const auto& row : rows) {
      CAPTURE(row.text);
      const auto reference = ImageReference::parse(row.text);
      REQUIRE(reference.has_value());
      CHECK(reference->str() == row.text);
      CHECK(reference->registry() == row.registry);
      CHECK(reference->repository() == row.repository);
      CHECK(reference->tag() == row.tag);
      CHECK(reference->digest() == row.digest);
      CHECK(reference->manifest() == (*row.digest ? row.digest : row.tag));
      CHECK(reference->project().value_or("") == row.project);
    }
  }

  TEST_CASE("an empty reference or part is refused, and the message says which") {
    const auto reason = [](const char* text) {
      const auto reference = ImageReference::parse(text);
      REQUIRE_FALSE(reference.has_value());
      return reference.error().message();
    };
    CHECK(reason("") == "image reference: it is empty; write NAME, NAME:TAG or NAME@DIGEST");
    CHECK(reason("bench@") == "image reference 'bench@': there is no digest after '@'");
    CHECK(reason("bench:") == "image reference 'bench:': there is no tag after ':'");
    CHECK(reason(":v1") == "image reference ':v1': there is no name in it");
    CHECK(reason("localhost/") == "image reference 'localhost/': there is no name in it");
  }

  TEST_CASE("only another registry's host makes a reference external") {
    const auto external = [](const char* text, const char* server) {
      return ImageReference::parse(text)->is_external(server);
    };
    const char* server = "http://bench.example.com:6610/";
    CHECK_FALSE(external("bench", server));
    CHECK_FALSE(external("docker.io/bench", server));
    CHECK_FALSE(external("bench.example.com:6610/bench", server));
    CHECK_FALSE(external("BENCH.example.com/bench", server));
    CHECK(external("bench.example.com:6611/bench", server));
    CHECK(external("ghcr.io/bench", server));
    CHECK_FALSE(external("bench.example.com:443/bench", "https://bench.example.com/"));
    CHECK_FALSE(external("bench.example.com:80/bench", "http://bench.example.com"));
    CHECK(external("bench.example.com:80/bench", "https://bench.example.com"));
    CHECK_FALSE(external("localhost:61016/bench", "localhost:61016"));
  }
}
