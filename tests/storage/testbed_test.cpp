#include "tests/support/store_world.hpp"

using namespace bencher;
using namespace bencher::test;

namespace {

struct TestbedWorld : StoreWorld {
  pipeline::Actor owner = user("Muriel");
  st::ProjectRow home = project(owner, "The Computer");

  std::optional<std::string> spec_name(st::TestbedId id) {
    const auto row = st::testbed_by_id(c, id);
    return row->testbed.spec ? std::optional(row->testbed.spec->name) : std::nullopt;
  }
};

}  // namespace

TEST_SUITE("storage/testbed") {
  TEST_CASE("testbed_created_without_spec") {
    TestbedWorld w;
    const auto id = w.testbed(w.home.id, "Base");
    CHECK_FALSE(st::testbed_by_id(w.c, id)->spec_id.has_value());
    CHECK_FALSE(w.spec_name(id).has_value());
  }

  TEST_CASE("testbed_assign_spec") {
    TestbedWorld w;
    const auto id = w.testbed(w.home.id, "Base");
    const auto spec = w.spec("Small");
    st::set_testbed_spec(w.c, id, spec, w.now());
    CHECK(st::testbed_by_id(w.c, id)->spec_id == spec);
    CHECK(w.spec_name(id) == "Small");
  }

  TEST_CASE("testbed_change_spec") {
    TestbedWorld w;
    const auto id = w.testbed(w.home.id, "Base", w.spec("Small"));
    st::set_testbed_spec(w.c, id, w.spec("Large"), w.now());
    CHECK(w.spec_name(id) == "Large");
  }

  TEST_CASE("testbed_clear_spec") {
    TestbedWorld w;
    const auto id = w.testbed(w.home.id, "Base", w.spec("Small"));
    st::DimensionChange change;
    change.spec_given = true;
    must(st::update_dimension(w.c, st::Dimension::testbed, static_cast<std::int64_t>(id), change, w.now()));
    CHECK_FALSE(w.spec_name(id).has_value());
  }

  TEST_CASE("multiple_testbeds_share_spec") {
    TestbedWorld w;
    const auto spec = w.spec("Small");
    const auto other = w.project(w.owner, "Another");
    const auto first = w.testbed(w.home.id, "Base", spec);
    const auto second = w.testbed(w.home.id, "Second", spec);
    const auto elsewhere = w.testbed(other.id, "Base", spec);
    CHECK(st::testbeds_of_spec(w.c, spec) == std::vector{first, second, elsewhere});
    CHECK(w.spec_name(elsewhere) == "Small");
  }

  TEST_CASE("testbed_spec_on_delete_set_null") {
    TestbedWorld w;
    const auto spec = w.spec("Small");
    const auto id = w.testbed(w.home.id, "Base", spec);
    must(st::delete_spec(w.c, spec));
    REQUIRE(st::testbed_by_id(w.c, id).has_value());
    CHECK_FALSE(st::testbed_by_id(w.c, id)->spec_id.has_value());
  }

  TEST_CASE("testbed_update_preserves_spec") {
    TestbedWorld w;
    const auto spec = w.spec("Small");
    const auto id = w.testbed(w.home.id, "Base", spec);
    st::DimensionChange change;
    change.name = "Renamed";
    must(st::update_dimension(w.c, st::Dimension::testbed, static_cast<std::int64_t>(id), change, w.now()));
    CHECK(st::testbed_by_id(w.c, id)->testbed.name == "Renamed");
    CHECK(st::testbed_by_id(w.c, id)->spec_id == spec);
  }

  TEST_CASE("testbed_with_spec_in_threshold") {
    TestbedWorld w;
    const auto testbed = w.testbed(w.home.id, "Base", w.spec("Small"));
    const auto branch = must(pipeline::create_branch(w.c, w.env(), w.home.id, *BranchName::parse("main"), {}, {}));
    const auto measure = must(pipeline::get_or_create_measure(w.c, w.env(), w.home.id, "latency"));
    must(st::insert_threshold(w.c, w.home.id, branch.id, testbed, measure.id, w.env().uuid(), w.now()));
    const auto row = st::threshold_of(w.c, branch.id, testbed, measure.id);
    REQUIRE(row.has_value());
    const auto shown = st::load_threshold(w.c, *row);
    REQUIRE(shown.testbed.spec.has_value());
    CHECK(shown.testbed.spec->name == "Small");
  }

  TEST_CASE("testbed_spec_query") {
    TestbedWorld w;
    const auto small = w.spec("Small");
    const auto large = w.spec("Large");
    const auto id = w.testbed(w.home.id, "Base", small);
    SUBCASE("the project sees the current spec") {
      CHECK(w.spec_name(id) == "Small");
    }
    SUBCASE("a report sees the spec of its job, whatever the current one is") {
      CHECK(st::testbed_for_report(w.c, id, true, large)->testbed.spec->name == "Large");
    }
    SUBCASE("a report whose job's spec is gone falls back to the current one") {
      CHECK(st::testbed_for_report(w.c, id, true, std::nullopt)->testbed.spec->name == "Small");
    }
    SUBCASE("a report without a job shows none") {
      CHECK_FALSE(st::testbed_for_report(w.c, id, false, std::nullopt)->testbed.spec.has_value());
    }
  }
}

TEST_SUITE("storage/spec") {
  TEST_CASE("at most one spec is the default, and setting one clears the other") {
    TestbedWorld w;
    const auto first = w.spec("First", true);
    CHECK(st::default_spec(w.c) == first);
    const auto second = w.spec("Second", true);
    CHECK(st::default_spec(w.c) == second);
    CHECK_FALSE(st::spec_by_id(w.c, first)->spec.fallback.has_value());
    must(st::update_spec(w.c, first, {.name = {}, .slug = {}, .fallback = true, .archived = {}}, w.now()));
    CHECK(st::default_spec(w.c) == first);
    CHECK(w.count("spec WHERE fallback IS NOT NULL") == 1);
    must(st::update_spec(w.c, first, {.name = {}, .slug = {}, .fallback = false, .archived = {}}, w.now()));
    CHECK_FALSE(st::default_spec(w.c).has_value());
  }

  TEST_CASE("the schema itself refuses a second default") {
    TestbedWorld w;
    w.spec("First", true);
    const auto second = w.spec("Second");
    CHECK_THROWS(w.c.exec("UPDATE spec SET fallback = 1 WHERE id = ?1", second));
  }

  TEST_CASE("archiving a spec clears the default and empties its testbeds") {
    TestbedWorld w;
    const auto spec = w.spec("Small", true);
    const auto id = w.testbed(w.home.id, "Base", spec);
    must(st::update_spec(w.c, spec, {.name = {}, .slug = {}, .fallback = {}, .archived = true}, w.now()));
    CHECK_FALSE(st::default_spec(w.c).has_value());
    CHECK_FALSE(w.spec_name(id).has_value());
  }

  TEST_CASE("a spec that a runner or job refers to cannot be deleted") {
    TestbedWorld w;
    const auto spec = w.spec("Small");
    w.runner("Runner", {spec});
    const auto refused = st::delete_spec(w.c, spec);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == Errc::conflict);
  }
}
