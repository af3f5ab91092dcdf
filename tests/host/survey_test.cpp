#include "bencher/host/survey.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/image.hpp"

using namespace bencher;
using namespace bencher::host;
using bencher::test::TempDir;
using bencher::test::write_file;
using doctest::Approx;
namespace fs = std::filesystem;

namespace {

/// Samples with that coefficient of variation, in percent.
Spread varying(double cv) {
  Spread out;
  out.mean = 100;
  out.deviation = cv;
  return out;
}

}  // namespace

TEST_SUITE("host/survey") {
  TEST_CASE("the score is the logarithm of the weighted variations, and shares the weight of what is unknown") {
    Survey s{.compute = varying(10), .cache = varying(20), .io = varying(40), .steal = 2};
    CHECK(score(s) == Approx(33 * std::log10(0.3 * 10 + 0.4 * 20 + 0.15 * 40 + 0.15 * 2)));
    s.steal.reset();
    CHECK(score(s) == Approx(33 * std::log10(0.35 * 10 + 0.45 * 20 + 0.2 * 40)));
    CHECK(score(Survey{}) == 0);
    CHECK(score(Survey{.compute = varying(1)}) == 0);
    CHECK(score(Survey{.compute = varying(1e9)}) == 100);
  }

  TEST_CASE("levels begin above their limits") {
    CHECK(level_of_cv(25) == Level::quiet);
    CHECK(level_of_cv(25.1) == Level::moderate);
    CHECK(level_of_cv(100) == Level::noisy);
    CHECK(level_of_cv(101) == Level::very_noisy);
    CHECK(level_of_steal(1) == Level::quiet);
    CHECK(level_of_steal(5.1) == Level::noisy);
    CHECK(level_of_score(40) == Level::quiet);
    CHECK(level_of_score(70.1) == Level::very_noisy);
    CHECK(to_string(Level::very_noisy) == "very noisy");
  }

  TEST_CASE("caches and what is virtual are read from the machine's files") {
    TempDir dir;
    const auto set = [&](const std::string& path, const std::string& text) {
      fs::create_directories((dir / path).parent_path());
      write_file(dir / path, text);
    };
    const auto files = system_files(dir.path().string());
    CHECK(cache_size(*files, 3) == 0);
    CHECK(virtualization(*files).empty());
    const std::string cache = "sys/devices/system/cpu/cpu0/cache/index";
    for (const auto& [index, level, type, size] : {std::tuple{"0", "1", "Instruction", "64K"},
                                                   {"1", "1", "Data", "48K"},
                                                   {"3", "3", "Unified", "32M"},
                                                   {"2", "2", "Unified", "x"}}) {
      set(cache + index + "/level", level);
      set(cache + index + "/type", type);
      set(cache + index + "/size", size);
    }
    CHECK(cache_size(*files, 1) == 48 << 10);
    CHECK(cache_size(*files, 2) == 0);
    CHECK(cache_size(*files, 3) == 32 << 20);
    set("proc/cpuinfo", "flags\t: fpu hypervisor\n");
    CHECK(virtualization(*files) == "hypervisor");
    set("sys/class/dmi/id/product_name", "VirtualBox\n");
    CHECK(virtualization(*files) == "virtual");
    set("run/.containerenv", "");
    CHECK(virtualization(*files) == "podman");
    set(".dockerenv", "");
    CHECK(virtualization(*files) == "docker");
  }

  TEST_CASE("the shortest survey has a sample of each, and leaves nothing behind") {
    TempDir dir;
    std::string told;
    const auto found = survey(*system_files(), dir.path(), std::chrono::seconds(0),
                              [&](std::string_view what) { told += std::string(what) + " "; });
    REQUIRE_MESSAGE(found, found.error().message());
    CHECK(told == "compute cache files platform ");
    CHECK(found->compute.samples == 1);
    CHECK(found->cache.median > 0);
    CHECK(found->io.median > 0);
    CHECK(fs::is_empty(dir.path()));
    const auto failed = survey(*system_files(), dir / "absent", std::chrono::seconds(0), [](std::string_view) {});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message().find("absent") != std::string::npos);
  }
}
