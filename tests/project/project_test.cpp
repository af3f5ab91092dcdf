#include <set>
#include <string>

#include <doctest/doctest.h>

#include "bencher/project/benchmark.hpp"
#include "bencher/project/measure.hpp"
#include "bencher/project/slug.hpp"

using namespace bencher;

TEST_SUITE("project/measure") {
  TEST_CASE("a measure is found by name, slug and tool name") {
    REQUIRE(built_in_measure("latency"));
    CHECK(built_in_measure("latency") == built_in_measure("Latency"));
    CHECK(built_in_measure("latency")->units == "nanoseconds (ns)");
    CHECK(built_in_measure("io-jitter")->name == "I/O Jitter");
    CHECK(built_in_measure("Ge")->slug == "global-bus-events");
    CHECK(built_in_measure("Suppressed Errors")->slug == "memcheck-suppressed-errors");
    CHECK(built_in_measure("DRD Contexts")->slug == "drd-contexts");
    CHECK_FALSE(built_in_measure("LATENCY"));
    CHECK_FALSE(built_in_measure("allocated"));
    CHECK_FALSE(built_in_measure(""));
  }

  TEST_CASE("slugs and names are valid and unique") {
    std::set<std::string_view> slugs, names;
    for (const auto& measure : built_in_measures()) {
      CAPTURE(measure.slug);
      CHECK(Slug::parse(measure.slug).has_value());
      CHECK(ResourceName::parse(measure.name).has_value());
      CHECK(ResourceName::parse(measure.units).has_value());
      CHECK(slugs.insert(measure.slug).second);
      CHECK(names.insert(measure.name).second);
    }
    CHECK(slugs.size() == 70);
  }
}

TEST_SUITE("project/benchmark") {
  TEST_CASE("an ignore ending is taken off, once") {
    CHECK(stored_benchmark("fib_bencher_ignore").name == "fib");
    CHECK(stored_benchmark("fib_bencher_ignore").ignored);
    CHECK(stored_benchmark("fibBencherIgnore").name == "fib");
    CHECK(stored_benchmark("fib-bencher-ignore").name == "fib");
    CHECK(stored_benchmark("fibBencherIgnore-bencher-ignore").name == "fibBencherIgnore");
    CHECK(stored_benchmark("fib").name == "fib");
    CHECK_FALSE(stored_benchmark("fib").ignored);
    CHECK_FALSE(stored_benchmark("fib_bencher_ignored").ignored);
    CHECK(stored_benchmark("BencherIgnore").name == "BencherIgnore");
  }
}

TEST_SUITE("project/slug") {
  const Instant now(std::chrono::milliseconds(1'700'000'000'123));
  const auto never = [](const Slug&) { return false; };

  TEST_CASE("a free slug is that of the name") {
    SeededRandom random(1);
    CHECK(choose_slug("My Project!", never, now, random).str() == "my-project");
    CHECK(choose_slug("my-project", never, now, random).str() == "my-project");
    CHECK(choose_slug(std::string(200, 'a'), never, now, random).str() == std::string(64, 'a'));
  }

  TEST_CASE("a taken slug gets the time and two random characters") {
    SeededRandom random(1);
    std::set<std::string> seen{"my-project"};
    const auto taken = [&](const Slug& slug) { return seen.contains(slug.str()); };
    for (int i = 0; i < 100; ++i) {
      const auto slug = choose_slug("My Project", taken, now, random).str();
      CAPTURE(slug);
      CHECK(slug.size() == 19);
      CHECK(slug.starts_with("my-project-s44we8"));
      CHECK(seen.insert(slug).second);
    }
  }

  TEST_CASE("a long one is cut to 55 bytes first, and never at a hyphen") {
    SeededRandom random(1);
    const auto once = [](const std::string& base) { return [base](const Slug& slug) { return slug.str() == base; }; };
    const std::string long_name(64, 'a');
    CHECK(choose_slug(long_name, once(long_name), now, random).str().starts_with(std::string(55, 'a') + "-s44we8"));
    const auto hyphen = std::string(54, 'a') + "-" + std::string(9, 'b');
    CHECK(choose_slug(hyphen, once(hyphen), now, random).str().starts_with(std::string(54, 'a') + "-s44we8"));
  }

  TEST_CASE("a name without a usable character gets eight characters alone") {
    SeededRandom random(1);
    const auto slug = choose_slug("!!!", never, now, random).str();
    CHECK(slug.size() == 8);
    CHECK(slug.starts_with("s44we8"));
  }

  TEST_CASE("a crowded second is left behind") {
    SeededRandom random(1);
    const auto crowded = [](const Slug& slug) { return slug.str().starts_with("x-s44we8") || slug.str() == "x"; };
    CHECK(choose_slug("x", crowded, now, random).str().size() == 10);
  }
}
