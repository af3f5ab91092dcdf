// Models of the recorded cases.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "bencher/threshold/model.hpp"

namespace bencher::test {

/// A number, or one of the texts for what JSON does not have.
inline double number_of(const boost::json::value& value) {
  if (!value.is_string()) return value.to_number<double>();
  const auto& text = value.as_string();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return text == "Infinity" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

inline std::optional<double> optional_number(const boost::json::value& value) {
  if (value.is_null()) return {};
  return number_of(value);
}

inline Model model_of(const boost::json::object& object) {
  const auto size = [&](const char* field) -> std::optional<std::uint32_t> {
    const auto& value = object.at(field);
    if (value.is_null()) return {};
    return value.to_number<std::uint32_t>();
  };
  return {.test = parse_model_test(std::string(object.at("test").as_string())).value(),
          .min_sample_size = size("min_sample_size"),
          .max_sample_size = size("max_sample_size"),
          .window = size("window"),
          .lower_boundary = optional_number(object.at("lower_boundary")),
          .upper_boundary = optional_number(object.at("upper_boundary"))};
}

}  // namespace bencher::test
