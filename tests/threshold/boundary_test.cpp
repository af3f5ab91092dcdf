#include "bencher/threshold/boundary.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "lib/threshold/tests.hpp"
#include "tests/support/json.hpp"
#include "tests/threshold/model_data.hpp"

using namespace bencher;

namespace {

std::vector<double> history_of(const boost::json::value& one) {
  std::vector<double> history;
  for (const auto& value : one.at("history").as_array())
    history.push_back(test::number_of(value));
  return history;
}

bool finite(const Boundary& boundary) {
  for (const auto& x : {boundary.baseline, boundary.lower_limit, boundary.upper_limit})
    if (x && !std::isfinite(*x)) return false;
  return true;
}

/// Whether the rule for equal values applies, which the reference does not have.
bool equal_rule(const Model& model, std::span<const double> history) {
  if (model.max_sample_size) history = history.first(std::min<std::size_t>(history.size(), *model.max_sample_size));
  const bool distribution =
      model.test == ModelTest::z_score || model.test == ModelTest::t_test || model.test == ModelTest::log_normal;
  return distribution && threshold::all_equal(history) && history.size() >= model.min_sample_size.value_or(1) &&
         (model.test != ModelTest::log_normal || history.front() > 0);
}

}  // namespace

TEST_SUITE("threshold/boundary") {
  TEST_CASE("every recorded computation agrees within its tolerance") {
    for (const auto* file : {"static", "percentage", "z_score", "t_test", "log_normal", "iqr", "delta_iqr"}) {
      const auto cases = test::read_json(std::string("boundary/") + file + ".json");
      CHECK(cases.at("cases").as_array().size() == 136);
      for (const auto& one : cases.at("cases").as_array()) {
        CAPTURE(boost::json::serialize(one.at("id")));
        const auto model = test::model_of(one.at("model").as_object());
        const auto history = history_of(one);
        const double value = test::number_of(one.at("value"));
        const auto& expect = one.at("expect").as_object();
        const auto status = std::string(expect.at("status").as_string());
        const auto got = compute(model, history, value);
        if (status == "error") {
          REQUIRE_FALSE(got.has_value());
          CHECK(got.error().message().starts_with("Invalid Boundary"));
          continue;
        }
        if (!got) FAIL(got.error().message());
        CHECK(finite(*got));
        if (equal_rule(model, history)) {
          CHECK(got->baseline == history.front());
          CHECK(got->lower_limit == (model.lower_boundary ? got->baseline : std::nullopt));
          CHECK(got->upper_limit == (model.upper_boundary ? got->baseline : std::nullopt));
          continue;
        }
        if (status == "skipped") {
          CHECK(*got == Boundary());
          continue;
        }
        bool overflow = false;
        const auto check = [&](const char* field, std::optional<double> have) {
          CAPTURE(field);
          const auto want = test::optional_number(expect.at(field));
          if (want && !std::isfinite(*want)) {
            overflow = true;
            CHECK_FALSE(have.has_value());
            return;
          }
          REQUIRE(have.has_value() == want.has_value());
          if (!want) return;
          double tolerance = 0;
          if (const auto* tol = one.as_object().if_contains("tol")) {
            if (tol->at(field).is_null()) return;
            tolerance = test::number_of(tol->at(field));
          }
          CHECK(std::abs(*have - *want) <= tolerance);
        };
        check("baseline", got->baseline);
        check("lower_limit", got->lower_limit);
        check("upper_limit", got->upper_limit);
        if (overflow || one.as_object().contains("outlier_fragile")) continue;
        const auto& want = expect.at("outlier");
        const auto limit = outlier(*got, value);
        CHECK((limit ? (*limit == Limit::lower ? "lower" : "upper") : "none") ==
              (want.is_null() ? std::string("none") : std::string(want.as_string())));
      }
    }
  }

  TEST_CASE("changes that have no order skip delta_iqr") {
    const auto cases = test::read_json("boundary/delta_iqr_undefined.json");
    for (const auto& one : cases.at("cases").as_array()) {
      CAPTURE(boost::json::serialize(one.at("id")));
      const auto got =
          compute(test::model_of(one.at("model").as_object()), history_of(one), test::number_of(one.at("value")));
      REQUIRE(got.has_value());
      CHECK(*got == Boundary());
    }
  }

  TEST_CASE("quantiles agree with the exact ones") {
    const auto close = [](double have, double want) {
      return std::abs(have - want) <= 1e-12 * std::max(1.0, std::abs(want));
    };
    const auto data = test::read_json("boundary/quantiles.json");
    for (const auto& row : data.at("normal").as_array()) {
      CAPTURE(boost::json::serialize(row));
      CHECK(close(threshold::normal_quantile(test::number_of(row.at(0))), test::number_of(row.at(1))));
    }
    for (const auto& row : data.at("student_t").as_array()) {
      CAPTURE(boost::json::serialize(row));
      CHECK(close(threshold::student_quantile(test::number_of(row.at(1)), test::number_of(row.at(0))),
                  test::number_of(row.at(2))));
    }
  }

  TEST_CASE("equal values are exactly their baseline, and the limits of a distribution") {
    // A sum of ten times 0.1 is not 1.
    const std::vector<double> history(10, 0.1);
    for (const auto test : {ModelTest::z_score, ModelTest::t_test, ModelTest::log_normal}) {
      CAPTURE(name(test));
      Model model;
      model.test = test;
      model.lower_boundary = model.upper_boundary = 0.98;
      const auto got = compute(model, history, 0.1);
      REQUIRE(got.has_value());
      CHECK(*got == Boundary{.baseline = 0.1, .lower_limit = 0.1, .upper_limit = 0.1});
      CHECK_FALSE(outlier(*got, 0.1).has_value());
      CHECK(outlier(*got, 0.2) == Limit::upper);
      CHECK(outlier(*got, 0.0) == Limit::lower);
      // One value is no spread: there is no verdict.
      const auto single = compute(model, std::span(history).first(1), 0.2);
      REQUIRE(single.has_value());
      CHECK(*single == Boundary());
    }
    Model percentage;
    percentage.test = ModelTest::percentage;
    percentage.lower_boundary = percentage.upper_boundary = 0.0;
    CHECK(compute(percentage, history, 0.1).value() ==
          Boundary{.baseline = 0.1, .lower_limit = 0.1, .upper_limit = 0.1});
  }

  TEST_CASE("a boundary that the test does not take is named") {
    Model model;
    model.test = ModelTest::z_score;
    model.upper_boundary = 7;
    const std::vector<double> history{1, 2, 3};
    CHECK(compute(model, history, 1).error().message() ==
          "Invalid Boundary 7: the test z_score takes a boundary from 0.5 to under 1, a cumulative probability such as "
          "0.98");
    // Not looked at while there is no history to judge by.
    CHECK(compute(model, {}, 1).value() == Boundary());
  }

  TEST_CASE("what is not finite does not come in") {
    Model model;
    model.upper_boundary = 1;
    CHECK_FALSE(compute(model, std::vector<double>{NAN}, 1).has_value());
    CHECK_FALSE(compute(model, std::vector<double>{1}, INFINITY).has_value());
  }
}
