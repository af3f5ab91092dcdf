#include <cmath>
#include <limits>
#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/support/data.hpp"

using namespace bencher;

namespace {

Results read(const std::string& name) {
  auto results = parse(AdapterKind::json, test::read_data("adapters/" + name), {});
  if (!results) FAIL(results.error().message());
  return *std::move(results);
}

const Metric* find(const Results& results, std::string_view benchmark, std::string_view measure) {
  for (const auto& one : results)
    if (one.name == benchmark)
      for (const auto& metric : one.measures)
        if (metric.measure == measure) return &metric.metric;
  return nullptr;
}

bool close(std::optional<double> a, std::optional<double> b) {
  return a.has_value() == b.has_value() && (!a || std::abs(*a - *b) <= 1e-12 * std::abs(*b));
}

Metric metric(double value) {
  return {.value = value, .lower = {}, .upper = {}};
}
Results one(const Metric& metric) {
  return {{"b", {{"m", metric}}}};
}

}  // namespace

TEST_SUITE("adapter/fold") {
  TEST_CASE("every recorded fold agrees, but that a mean counts only the results that have the benchmark and measure") {
    const auto cases = boost::json::parse(test::read_data("adapters/folds.json"));
    for (const auto& item : cases.at("cases").as_array()) {
      const auto& row = item.as_object();
      if (row.contains("error")) continue;
      CAPTURE(boost::json::serialize(row));
      std::vector<Results> inputs;
      for (const auto& input : row.at("inputs").as_array())
        inputs.push_back(read(std::string(input.as_string())));
      const auto how = parse_fold(std::string(row.at("fold").as_string())).value();
      const auto folded = fold(how, inputs);
      const auto expected = read(std::string(row.at("expected").as_string()));
      REQUIRE(folded.size() == expected.size());
      for (const auto& benchmark : expected) {
        for (const auto& [measure, want] : benchmark.measures) {
          CAPTURE(benchmark.name);
          const auto* got = find(folded, benchmark.name, measure);
          REQUIRE(got);
          // The reference divides by the number of all results.
          double present = 0;
          for (const auto& input : inputs)
            present += find(input, benchmark.name, measure) != nullptr;
          const double scale = how == Fold::mean ? static_cast<double>(inputs.size()) / present : 1;
          CHECK(close(got->value, want.value * scale));
          CHECK(close(got->lower, want.lower ? std::optional(*want.lower * scale) : std::nullopt));
          CHECK(close(got->upper, want.upper ? std::optional(*want.upper * scale) : std::nullopt));
        }
      }
    }
  }

  TEST_CASE("a mean does not shrink for results that lack the benchmark") {
    const std::vector<Results> inputs{one(metric(4)), {}, one(metric(6))};
    CHECK(fold(Fold::mean, inputs) == one(metric(5)));
  }

  TEST_CASE("finite values have a finite mean and median") {
    constexpr double most = std::numeric_limits<double>::max();
    const std::vector<Results> inputs{one(metric(most)), one(metric(most))};
    CHECK(fold(Fold::mean, inputs) == one(metric(most)));
    CHECK(fold(Fold::median, inputs) == one(metric(most)));
  }

  TEST_CASE("nothing folds to nothing") {
    CHECK(fold(Fold::median, {}).empty());
  }

  TEST_CASE("the union keeps the order of first appearance") {
    const std::vector<Results> inputs{{{"x", {{"m", metric(1)}}}}, {{"a", {}}, {"x", {{"l", metric(2)}}}}};
    CHECK(fold(Fold::max, inputs) == Results{{"x", {{"m", metric(1)}, {"l", metric(2)}}}, {"a", {}}});
  }
}
