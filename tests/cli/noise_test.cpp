#include "apps/cli/noise.hpp"

#include <doctest/doctest.h>

#include "tests/cli/fake_world.hpp"

using namespace bencher;
using namespace bencher::cli;
using namespace bencher::test;

namespace {

host::Spread varying(double cv) {
  host::Spread out;
  out.samples = 1000;
  out.mean = 200;
  out.deviation = 2 * cv;
  out.p99 = 210;
  return out;
}

}  // namespace

TEST_SUITE("cli/noise") {
  TEST_CASE("the report for people has a line for each part, the score and advice") {
    const host::Survey s{.compute = varying(3),
                         .cache = varying(75),
                         .io = varying(30),
                         .steal = 2.5,
                         .switches_per_second = 1234.4,
                         .virtualization = "kvm",
                         .l1d = 48 << 10,
                         .l2 = 2 << 20,
                         .l3 = 0,
                         .duration = std::chrono::seconds(30)};
    const auto text = noise_text(s);
    for (const char* part :
         {"Platform: kvm\n", "Duration: 30 s\n", "L1d 48 KiB, L2 2 MiB, L3 unknown\n",
          "Compute      3.0 %  [--------------------] quiet ", "Cache       75.0 %  [##########----------] noisy ",
          "I/O         30.0 %  [####----------------] moderate ", "1000 samples, mean 200.0 µs, deviation 6.0 µs",
          "Steal        2.5 %  [#-------------------] moderate\n", "Context switches: 1234 a second\n",
          "Score: 51.3 dB, moderate\n", "The most varies: caches, 75.0 %."})
      CHECK_MESSAGE(text.find(part) != std::string::npos, part << " in\n" << text);
    const auto quiet = noise_text(host::Survey{});
    CHECK(quiet.find("Score: 0.0 dB, quiet") != std::string::npos);
    CHECK(quiet.find("Steal") == std::string::npos);
    CHECK(quiet.find("can be told from chance") != std::string::npos);
  }

  TEST_CASE("the metrics have the reference's names, and leave out what is unknown") {
    host::Survey s{.compute = varying(3), .cache = varying(75), .io = varying(30), .steal = 2.5};
    auto json = noise_metrics(s);
    CHECK(json["bencher::noise::compute_jitter"]["compute-jitter"]["value"].as_double() == doctest::Approx(3));
    CHECK(json["bencher::noise::cache_jitter"]["cache-jitter"]["value"].as_double() == doctest::Approx(75));
    CHECK(json["bencher::noise::io_jitter"]["io-jitter"]["value"].as_double() == doctest::Approx(30));
    CHECK(json["bencher::noise::cpu_steal"]["cpu-steal"]["value"].as_double() == 2.5);
    CHECK(json["bencher::noise::composite"]["noise-score"]["value"].as_double() == doctest::Approx(host::score(s)));
    CHECK(json.members().size() == 5);
    s.steal.reset();
    CHECK(noise_metrics(s).members().size() == 4);
  }

  TEST_CASE("the command measures this machine, tells of its progress unless quiet, and refuses a year") {
    FakeWorld w;
    CHECK(w.run({"noise", "--duration", "0", "--format", "json", "--quiet"}) == 0);
    CHECK(w.err.str().empty());
    CHECK(json::Value::parse(w.out.str()).value().contains("bencher::noise::composite"));
    CHECK(w.run({"noise", "--duration", "0"}) == 0);
    CHECK(w.out.str().find("Score: ") != std::string::npos);
    CHECK(w.err.str().find("measuring: cache") != std::string::npos);
    CHECK(w.run({"noise", "--duration", "31536000"}) == 2);
    CHECK(w.requests.empty());
  }
}
