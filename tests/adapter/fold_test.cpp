#include <cmath>
#include <limits>
#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/cases.hpp"
#include "tests/support/data.hpp"

using namespace bencher;
using test::metric;

namespace {

Results one(const Metric& m) {
  return test::results({{"b", {{"m", m}}}});
}

}  // namespace

TEST_SUITE("adapter/fold") {
  TEST_CASE("every recorded fold agrees") {
    const auto cases = boost::json::parse(test::read_data("adapters/folds.json"));
    int count = 0;
    for (const auto& item : cases.at("cases").as_array()) {
      const auto& row = item.as_object();
      CAPTURE(boost::json::serialize(row));
      const auto kind = parse_adapter(std::string(row.at("adapter").as_string())).value();
      ParseOptions options;
      if (row.at("average").is_string())
        options.average = parse_average(std::string(row.at("average").as_string())).value();
      std::vector<Results> inputs;
      bool refused = false;
      for (const auto& input : row.at("inputs").as_array()) {
        auto parsed = parse(kind, test::read_data("adapters/" + std::string(input.as_string())), options);
        refused |= !parsed;
        if (parsed) inputs.push_back(std::move(parsed->results));
      }
      ++count;
      if (row.contains("error")) {
        CHECK(refused);
        continue;
      }
      REQUIRE_FALSE(refused);
      const auto how = parse_fold(std::string(row.at("fold").as_string())).value();
      const auto expected =
          boost::json::parse(test::read_data("adapters/" + std::string(row.at("expected").as_string())));
      test::check_same(fold(how, inputs), expected.as_object());
    }
    CHECK(count > 20);
  }

  TEST_CASE("a mean is of all results, as the protocol's reference has it; a median of those that are there") {
    const std::vector<Results> inputs{one(metric(4)), {}, one(metric(5))};
    CHECK(fold(Fold::mean, inputs) == one(metric(3)));
    CHECK(fold(Fold::median, inputs) == one(metric(4.5)));
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
    const std::vector<Results> inputs{test::results({{"x", {{"m", metric(1)}}}}),
                                      test::results({{"a", {}}, {"x", {{"l", metric(2)}}}})};
    CHECK(fold(Fold::max, inputs) == test::results({{"x", {{"m", metric(1)}, {"l", metric(2)}}}, {"a", {}}}));
  }
}
