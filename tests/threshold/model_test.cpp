#include "bencher/threshold/model.hpp"

#include <map>
#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "tests/support/json.hpp"
#include "tests/threshold/model_data.hpp"

using namespace bencher;

TEST_SUITE("threshold/model") {
  TEST_CASE("wire names, aliases and stored integers") {
    for (const auto* text : {"static", "percentage", "z_score", "t_test", "log_normal", "iqr", "delta_iqr"}) {
      const auto test = parse_model_test(text);
      REQUIRE(test.has_value());
      CHECK(name(*test) == text);
      CHECK(model_test_of(static_cast<int>(*test)).value() == *test);
    }
    CHECK(parse_model_test("z").value() == ModelTest::z_score);
    CHECK(parse_model_test("t").value() == ModelTest::t_test);
    CHECK_FALSE(parse_model_test("static_").has_value());
    CHECK_FALSE(model_test_of(2).has_value());
  }

  TEST_CASE("every recorded model is accepted, or refused for the recorded reason") {
    // Kind of refusal to the words that tell it.
    const std::map<std::string, std::string> words{
        {"SampleSize", "is 0, it takes 1 or more"},
        {"Window", "window is 0 seconds"},
        {"NoBoundary", "neither lower_boundary nor upper_boundary"},
        {"PercentageBoundary", "percentage takes a boundary of 0 or more"},
        {"CdfBoundary", "takes a boundary from 0.5 to under 1"},
        {"IqrBoundary", "iqr takes a boundary of 0 or more"},
        {"Boundaries", "is over upper_boundary"},
        {"StaticMinSampleSize", "static takes no min_sample_size"},
        {"StaticMaxSampleSize", "static takes no max_sample_size"},
        {"StaticWindow", "static takes no window"},
        {"TestSampleSize", "takes 2 or more"},
        {"SampleSizes", "is over max_sample_size"},
    };
    const auto cases = test::read_json("boundary/models.json");
    for (const auto& one : cases.at("cases").as_array()) {
      CAPTURE(boost::json::serialize(one));
      const auto valid = validate(test::model_of(one.at("model").as_object()));
      if (one.at("error").is_null()) {
        CHECK(valid.has_value());
        continue;
      }
      REQUIRE_FALSE(valid.has_value());
      CHECK(valid.error().code() == Errc::invalid_argument);
      CAPTURE(valid.error().message());
      CHECK(valid.error().message().find(words.at(std::string(one.at("error").as_string()))) != std::string::npos);
    }
  }
}
