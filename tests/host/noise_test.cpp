#include "bencher/host/noise.hpp"

#include <sched.h>

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace bencher::host;
using doctest::Approx;

TEST_SUITE("host/noise") {
  TEST_CASE("samples are described by their middle and their spread") {
    const std::vector<double> samples{4, 1, 3, 2, 100};
    const auto s = spread(samples);
    CHECK(s.samples == 5);
    CHECK(s.median == 3);
    CHECK(s.mean == Approx(22));
    CHECK(s.minimum == 1);
    CHECK(s.maximum == 100);
    CHECK(s.p99 == 100);
    CHECK(s.mad == 1);
    CHECK(s.deviation == Approx(43.6176));
    CHECK(s.cv() == Approx(198.26));
    CHECK(s.relative_mad() == Approx(33.333));
    CHECK(spread(std::vector<double>{1, 2, 3, 4}).median == 2.5);
    const auto one = spread(std::vector<double>{7});
    CHECK(one.median == 7);
    CHECK(one.cv() == 0);
    const auto none = spread({});
    CHECK(none.samples == 0);
    CHECK(none.cv() == 0);
    CHECK(none.relative_mad() == 0);
    std::vector<double> many;
    for (int i = 1; i <= 200; ++i)
      many.push_back(i);
    CHECK(spread(many).p99 == 198);
  }

  TEST_CASE("stolen time and switches come from the kernel's counters") {
    const auto before = parse_stat("cpu  100 0 50 800 20 0 10 20 5 0\ncpu0 1 2 3\nintr 5\nctxt 1000\n");
    const auto after = parse_stat("cpu  150 0 50 840 20 0 10 30 5 0\nctxt 1500\n");
    REQUIRE(before);
    REQUIRE(after);
    CHECK(before->all == 1000);
    CHECK(before->stolen == 20);
    CHECK(before->switches == 1000);
    CHECK(steal(*before, *after) == Approx(10));
    CHECK(steal(*after, *before) == 0);
    CHECK(steal(*before, *before) == 0);
    for (const char* wrong : {"", "cpu", "cpu  1 2 3", "cpux 1 2 3 4 5 6 7 8", "cpu  1 2 3 4 5 6 7 x"})
      CHECK_MESSAGE(!parse_stat(wrong), wrong);
  }

  TEST_CASE("a machine is measured within the budget, and the thread stays where it was") {
    cpu_set_t before, after;
    CPU_ZERO(&before);
    CPU_ZERO(&after);
    REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
    const auto files = system_files();
    const auto facts = read_facts(*files);
    const auto noise = measure_noise(*files, facts.online, std::chrono::milliseconds(30));
    REQUIRE(sched_getaffinity(0, sizeof after, &after) == 0);
    CHECK(CPU_EQUAL(&before, &after));
    CHECK(noise.compute.samples > 0);
    CHECK(noise.compute.minimum > 1);
    CHECK(noise.compute.median >= noise.compute.minimum);
    CHECK(noise.steal.has_value());
    CHECK(noise.took < std::chrono::seconds(2));
  }

  TEST_CASE("what a report gets is one object that says what is known and what not") {
    const Facts facts{.cpu_model = "Fast \"One\"", .kernel = "6.1", .online = {0, 1, 2, 3}, .turbo = false};
    Noise noise;
    noise.compute = spread(std::vector<double>{100, 110, 90});
    noise.steal = 1.23456;
    const auto value = boost::json::parse(host_json(
        facts, {{"aslr", "0", true, ""}, {"smt", "off", false, "no such file"}}, noise, std::vector<int>{1, 2, 3}));
    CHECK(value.at("cpu_model") == "Fast \"One\"");
    CHECK(value.at("cores") == 4);
    CHECK(value.at("benchmark_cores") == "1-3");
    CHECK(value.at("turbo") == false);
    CHECK(value.at("governor").is_null());
    CHECK(value.at_pointer("/tuning/1/reason") == "no such file");
    CHECK(value.at_pointer("/tuning/0").as_object().size() == 3);
    CHECK(value.at_pointer("/noise/cv_percent").to_number<double>() == Approx(10));
    CHECK(value.at_pointer("/noise/steal_percent").to_number<double>() == Approx(1.235));
    CHECK(value.at_pointer("/noise/mhz").is_null());
  }
}
