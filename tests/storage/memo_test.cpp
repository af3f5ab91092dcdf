#include "lib/storage/memo.hpp"

#include <algorithm>
#include <filesystem>
#include <unistd.h>

#include "tests/support/store_world.hpp"

using namespace bencher;
using namespace bencher::test;

namespace {

/// A sequence of things that happen to a project, the same for the same seed.
class Story {
 public:
  Story(std::uint64_t seed, bool remembers) : choices_(seed), remembers_(remembers) {}

  /// What a report said of each of its metrics; empty for what is no report.
  std::vector<Boundary> step() {
    if (!remembers_) world_.c.forget();
    world_.clock.advance(std::chrono::seconds(choose(2)));
    // Mostly plain reports, one after the other, so that there is something remembered to be wrong.
    const auto what = choose(20);
    if (what <= 2 && !reports_.empty()) return erase();
    if (what == 3 && !reports_.empty()) return change_benchmark();
    return report(what == 4);
  }

 private:
  std::uint64_t choose(std::uint64_t count) { return choices_.below(count); }

  std::vector<Boundary> report(bool broken) {
    auto run = StoreWorld::run("p", 1);
    const auto branch = std::min<std::uint64_t>(choose(10), 2);
    run.branch = *BranchNameId::parse(branch == 2 ? "main" : branch == 1 ? "left" : "right");
    if (branch != 2) {
      run.start_point.emplace();
      run.start_point->branch = *BranchNameId::parse("main");
      run.start_point->reset = choose(10) == 0;
    }
    run.testbed = *ResourceNameId::parse(choose(8) == 0 ? "slow" : "fast");
    if (choose(8) == 0) run.hash = *GitHash::parse(std::string(39, '0') + static_cast<char>('0' + choose(4)));
    run.start_time = run.end_time = Timestamp{static_cast<std::int64_t>(1000 + choose(50))};
    Model model{.test = ModelTest::percentage, .upper_boundary = 9};
    if (choose(8) != 0) model.max_sample_size = choose(8) == 0 ? 2 + static_cast<std::uint32_t>(choose(4)) : 3;
    if (choose(16) == 0) model.window = 20;
    if (choose(8) != 0) run.models = {{*ResourceNameId::parse("latency"), model}};
    if (choose(30) == 0) run.thresholds_reset = true;
    run.results.clear();
    for (auto iterations = 1 + choose(2); iterations > 0; --iterations) {
      std::string text = "{";
      // Few benchmarks are read one by one, many all at once.
      const auto benchmarks = choose(3) == 0 ? 20 : 1 + choose(3);
      for (std::uint64_t i = 0; i < benchmarks; ++i)
        text += (i == 0 ? "\"b" : ",\"b") + std::to_string(i) + R"(":{"latency":{"value":)" +
                std::to_string(1 + choose(1000)) + "}}";
      run.results.push_back(text + "}");
    }
    // The last result of a broken run cannot be stored, when everything before it has been.
    if (broken) run.results.push_back(R"({"00000000-0000-7000-8000-000000000000":{"latency":{"value":1}}})");
    const auto done = world_.submit(run, world_.anonymous());
    CHECK((!broken || !done));
    if (!done) return {};
    reports_.push_back(done->report.uuid);
    std::vector<Boundary> out;
    for (const auto& iteration : done->report.results)
      for (const auto& result : iteration)
        for (const auto& m : result.measures)
          out.push_back(m.boundary.value_or(Boundary{}));
    // What was answered is what is stored.
    const auto row = st::report_by_uuid(world_.c, done->report.uuid);
    const auto stored = st::load_report(world_.c, *row, true);
    CHECK(stored.results == done->report.results);
    CHECK(stored.counts == done->report.counts);
    return out;
  }

  std::vector<Boundary> erase() {
    const auto newest = std::min<std::size_t>(reports_.size(), 4);
    const auto at = static_cast<std::ptrdiff_t>(reports_.size() - 1 - choose(newest));
    const auto row = st::report_by_uuid(world_.c, reports_[static_cast<std::size_t>(at)]);
    st::delete_report(world_.c, *row);
    reports_.erase(reports_.begin() + at);
    return {};
  }

  std::vector<Boundary> change_benchmark() {
    const auto project = st::find_project(world_.c, *ResourceId::parse("p"));
    const auto b0 = st::find_benchmark(world_.c, project->id, {st::Key::By::name, "b0"});
    st::DimensionChange change;
    if (choose(2) == 0) {
      change.archived = true;
    } else {
      change.name = "was b0, " + std::to_string(++renamed_);
      change.slug = "was-b0-" + std::to_string(renamed_);
    }
    if (b0)
      must(st::update_dimension(world_.c, st::Dimension::benchmark, static_cast<std::int64_t>(b0->id), change,
                                world_.now()));
    return {};
  }

  StoreWorld world_;
  SeededRandom choices_;
  bool remembers_;
  std::vector<Uuid<Report>> reports_;
  int renamed_ = 0;
};

}  // namespace

TEST_SUITE("storage/memo") {
  TEST_CASE("what is remembered says what the tables say, whatever happens to them") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(seed);
      Story remembering(seed, true), reading(seed, false);
      for (int step = 0; step < 60; ++step) {
        CAPTURE(step);
        REQUIRE(remembering.step() == reading.step());
      }
    }
  }

  TEST_CASE("a commit of another connection empties it") {
    const auto file =
        (std::filesystem::temp_directory_path() / ("bencher-memo-test-" + std::to_string(::getpid()))).string();
    std::filesystem::remove(file);
    {
      st::Connection mine(file), other(file);
      st::migrate(mine, st::newest_version());
      mine.memo().remember(st::ProjectId{1}, "b", {});
      CHECK(mine.memo().benchmark(st::ProjectId{1}, "b"));
      CHECK_FALSE(mine.memo().benchmark(st::ProjectId{2}, "b"));
      other.exec("UPDATE server SET created = 1");
      CHECK(mine.memo().benchmark(st::ProjectId{1}, "b"));
      other.exec("INSERT INTO organization (uuid, name, slug, created, modified) VALUES ('u', 'o', 'o', 0, 0)");
      CHECK_FALSE(mine.memo().benchmark(st::ProjectId{1}, "b"));
    }
    for (const auto* ending : {"", "-wal", "-shm"})
      std::filesystem::remove(file + ending);
  }

  TEST_CASE("it is bounded: past the limit all is forgotten") {
    st::Memo memo;
    auto& history = memo.history(st::HeadId{1}, st::TestbedId{1}, st::MeasureId{1}, 1024);
    for (int i = 0; i < 2000; ++i)
      memo.put(history, st::BenchmarkId{i}, std::vector<double>(1024, 1));
    CHECK(memo.fits(1'000'000));
    CHECK_FALSE(memo.fits(2'000'000));
    for (int i = 0; i <= 20'000; ++i)
      memo.remember(st::ProjectId{1}, std::to_string(i), {});
    CHECK(memo.has_histories(st::HeadId{1}, st::TestbedId{1}));
    memo.trim();
    CHECK_FALSE(memo.has_histories());
    CHECK_FALSE(memo.benchmark(st::ProjectId{1}, "7"));
  }

  TEST_CASE("which series were seen is remembered within the second, until a dimension goes or a transaction fails") {
    const auto file =
        (std::filesystem::temp_directory_path() / ("bencher-seen-test-" + std::to_string(::getpid()))).string();
    std::filesystem::remove(file);
    {
      st::Connection c(file);
      st::migrate(c, st::newest_version());
      const auto seen = [&](std::int64_t second) -> auto& {
        return c.memo().seen(st::TestbedId{1}, st::MeasureId{1}, Timestamp{second});
      };
      seen(1).insert(st::BenchmarkId{7});
      CHECK(seen(1).contains(st::BenchmarkId{7}));
      CHECK_FALSE(c.memo().seen(st::TestbedId{2}, st::MeasureId{1}, Timestamp{1}).contains(st::BenchmarkId{7}));
      CHECK_FALSE(seen(2).contains(st::BenchmarkId{7}));
      CHECK(seen(1).empty());
      seen(1).insert(st::BenchmarkId{7});
      c.exec("BEGIN");
      c.exec("ROLLBACK");
      CHECK(seen(1).empty());
      c.exec("PRAGMA foreign_keys = OFF");
      c.exec(
          "INSERT INTO testbed (id, uuid, project_id, name, slug, created, modified) VALUES (1, 'u', 1, 'n', 's', 0, "
          "0)");
      seen(1).insert(st::BenchmarkId{7});
      CHECK(seen(1).size() == 1);
      c.exec("DELETE FROM testbed WHERE id = 1");
      CHECK(seen(1).empty());
    }
    for (const auto* ending : {"", "-wal", "-shm"})
      std::filesystem::remove(file + ending);
  }

  TEST_CASE("a newer value goes in front, and only so many are kept") {
    st::Memo memo;
    auto& history = memo.history(st::HeadId{1}, st::TestbedId{1}, st::MeasureId{1}, 2);
    memo.put(history, st::BenchmarkId{1}, {});
    for (const double value : {1, 2, 3})
      memo.add(history, st::BenchmarkId{1}, value);
    memo.add(history, st::BenchmarkId{2}, 9);
    CHECK(history.newest_first.at(st::BenchmarkId{1}) == std::vector<double>{3, 2});
    CHECK_FALSE(history.newest_first.contains(st::BenchmarkId{2}));
    CHECK(memo.history(st::HeadId{1}, st::TestbedId{1}, st::MeasureId{1}, 3).newest_first.empty());
    memo.forget_histories(st::HeadId{1}, st::TestbedId{1});
    CHECK(memo.find_history(st::HeadId{1}, st::TestbedId{1}, st::MeasureId{1}) == nullptr);
  }
}
