#include <array>
#include <map>

#include <doctest/doctest.h>

#include "bencher/job/job.hpp"
#include "bencher/job/lease.hpp"

using namespace bencher;
using S = JobStatus;
using E = JobEvent;

namespace {

constexpr std::array all_statuses{S::pending,   S::claimed, S::running, S::completed,
                                  S::processed, S::failed,  S::canceled};
constexpr std::array all_events{E::claim,  E::release, E::start,   E::complete, E::fail,
                                E::cancel, E::lose,    E::overrun, E::process,  E::reject};

}  // namespace

TEST_SUITE("job/state") {
  TEST_CASE("of all pairs of status and event, these lead somewhere, and every other is refused with one text") {
    const std::map<std::pair<S, E>, S> allowed{
        {{S::pending, E::claim}, S::claimed},      {{S::pending, E::cancel}, S::canceled},
        {{S::claimed, E::release}, S::pending},    {{S::claimed, E::start}, S::running},
        {{S::claimed, E::fail}, S::failed},        {{S::claimed, E::lose}, S::failed},
        {{S::claimed, E::cancel}, S::canceled},    {{S::running, E::start}, S::running},
        {{S::running, E::complete}, S::completed}, {{S::running, E::fail}, S::failed},
        {{S::running, E::lose}, S::failed},        {{S::running, E::overrun}, S::canceled},
        {{S::running, E::cancel}, S::canceled},    {{S::completed, E::process}, S::processed},
        {{S::completed, E::reject}, S::failed},    {{S::failed, E::complete}, S::completed},
    };
    for (const auto status : all_statuses) {
      for (const auto event : all_events) {
        CAPTURE(to_string(status));
        CAPTURE(to_string(event));
        JobState state;
        state.status = status;
        const auto next = step(state, event, Timestamp{100});
        const auto found = allowed.find({status, event});
        REQUIRE(next.has_value() == (found != allowed.end()));
        if (next) {
          CHECK(next->status == found->second);
        } else {
          CHECK(next.error().code() == Errc::conflict);
          CHECK(next.error().message() ==
                "cannot " + std::string(to_string(event)) + " a job that is " + std::string(to_string(status)));
        }
      }
    }
  }

  TEST_CASE("nothing leaves processed or canceled") {
    for (const auto event : all_events) {
      CHECK_FALSE(next_status(S::processed, event).has_value());
      CHECK_FALSE(next_status(S::canceled, event).has_value());
    }
  }

  TEST_CASE("a claim and a start set their times once, and each end sets its own") {
    auto state = *step({}, E::claim, Timestamp{10});
    CHECK(state.claimed == Timestamp{10});
    CHECK(state.last_heartbeat == Timestamp{10});
    state = *step(state, E::start, Timestamp{12});
    state = *step(state, E::start, Timestamp{20});
    CHECK(state.started == Timestamp{12});
    CHECK(state.last_heartbeat == Timestamp{20});
    state = *step(state, E::complete, Timestamp{30});
    CHECK(state.completed == Timestamp{30});
    state = *step(state, E::process, Timestamp{31});
    CHECK(state.completed == Timestamp{30});
  }

  TEST_CASE("a released claim leaves no trace") {
    const auto claimed = *step({}, E::claim, Timestamp{10});
    CHECK(*step(claimed, E::release, Timestamp{11}) == JobState{});
  }

  TEST_CASE("a job is past its limit strictly after timeout and grace, and only once it has started") {
    JobState state;
    CHECK_FALSE(past_limit(state, 60, 60, Timestamp{1'000'000}));
    state.started = Timestamp{100};
    CHECK_FALSE(past_limit(state, 60, 60, Timestamp{220}));
    CHECK(past_limit(state, 60, 60, Timestamp{221}));
    CHECK(silence_event(state, 60, 60, Timestamp{220}) == E::lose);
    CHECK(silence_event(state, 60, 60, Timestamp{221}) == E::overrun);
  }

  TEST_CASE("priority, timeout and concurrency follow the plan") {
    struct Row {
      Plan plan;
      int priority;
      std::uint32_t by_default, asked_30, asked_9999;
      Concurrency concurrency;
    };
    for (const auto& row : {Row{Plan::unclaimed, 0, 60, 30, 60, Concurrency::one_per_source_ip},
                            Row{Plan::free, 100, 300, 30, 300, Concurrency::one_per_organization},
                            Row{Plan::team, 200, 3600, 30, 9999, Concurrency::unlimited},
                            Row{Plan::enterprise, 300, 3600, 30, 9999, Concurrency::unlimited}}) {
      CAPTURE(row.priority);
      CHECK(job_priority(row.plan) == row.priority);
      CHECK(job_timeout(row.plan, std::nullopt) == row.by_default);
      CHECK(job_timeout(row.plan, 30) == row.asked_30);
      CHECK(job_timeout(row.plan, 9999) == row.asked_9999);
      CHECK(concurrency_of(row.priority) == row.concurrency);
    }
  }
}

TEST_SUITE("job/output") {
  TEST_CASE("the adapter gets the files asked for in the order of their paths, else standard output") {
    JobOutput output;
    IterationOutput files;
    files.stdout_ = "not this";
    files.output = std::map<std::string, std::string>{{"/out/b", "B"}, {"/out/a", "A"}};
    IterationOutput plain;
    plain.stdout_ = "C";
    plain.stderr_ = "nor this";
    IterationOutput nothing;
    IterationOutput no_files;
    no_files.stdout_ = "ignored";
    no_files.output.emplace();
    output.results = {files, plain, nothing, no_files};
    CHECK(adapter_texts(output) == std::vector<Output>{{"/out/a", "A"}, {"/out/b", "B"}, {"", "C"}});
  }

  TEST_CASE("an output survives its JSON form, and empty members are not sent") {
    JobOutput output;
    IterationOutput one;
    one.exit_code = 3;
    one.stderr_ = "bad \"quote\"\n";
    output.results = {one};
    output.error = "exit code 3";
    const auto text = print(output);
    CHECK(text == R"({"results":[{"exit_code":3,"stderr":"bad \"quote\"\n"}],"error":"exit code 3"})");
    CHECK(parse_job_output(text)->results[0].stderr_ == one.stderr_);
    CHECK_FALSE(parse_job_output("{}").has_value());
  }

  TEST_CASE("a job's configuration leaves defaults out") {
    JobConfig config;
    config.registry = "http://localhost/";
    config.digest = "sha256:00";
    config.timeout = 60;
    config.iter = 1;
    config.allow_failure = false;
    CHECK(
        print(config) ==
        R"({"registry":"http://localhost/","project":"00000000-0000-0000-0000-000000000000","digest":"sha256:00","timeout":60})");
    config.iter = 3;
    config.settings.fold = Fold::median;
    CHECK(parse_job_config(print(config))->iter == 3u);
    CHECK(parse_job_config(print(config))->settings.fold == Fold::median);
    config.settings.options = {
        .average = Average::median, .all_measures = true, .distinct_names = true, .fold_repeats = Fold::max};
    config.settings.file_adapters = {{"/out/a", AdapterKind::go_bench}};
    CHECK(parse_job_config(print(config))->settings == config.settings);
  }
}

TEST_SUITE("job/lease") {
  TEST_CASE("a job that is not heard of expires once, after the timeout and in order") {
    ManualClock clock;
    Leases leases(std::chrono::seconds(90));
    leases.renew(1, clock.now());
    clock.advance(std::chrono::seconds(1));
    leases.renew(2, clock.now());
    clock.advance(std::chrono::seconds(89));
    CHECK(leases.expired(clock.now()).empty());
    clock.advance(std::chrono::milliseconds(1));
    CHECK(leases.expired(clock.now()) == std::vector<std::int64_t>{1});
    clock.advance(std::chrono::hours(1));
    CHECK(leases.expired(clock.now()) == std::vector<std::int64_t>{2});
    CHECK(leases.expired(clock.now()).empty());
    CHECK(leases.empty());
  }

  TEST_CASE("a heartbeat moves the end, and an ended job never expires") {
    ManualClock clock;
    Leases leases(std::chrono::seconds(90));
    leases.renew(1, clock.now());
    leases.renew(2, clock.now());
    clock.advance(std::chrono::seconds(60));
    leases.renew(1, clock.now());
    leases.end(2);
    clock.advance(std::chrono::seconds(60));
    CHECK(leases.expired(clock.now()).empty());
    CHECK(leases.next() == clock.now() + std::chrono::seconds(30));
  }
}
