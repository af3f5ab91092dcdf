#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "bencher/base/result.hpp"

namespace bencher {

/// How a threshold judges a new value by its history. An enumerator is its wire name (`static` for `static_`), its
/// value the stored integer.
enum class ModelTest {
  t_test = 0,   ///< Student's t prediction interval
  z_score = 1,  ///< normal distribution
  log_normal = 10,
  static_ = 20,       ///< the boundaries are the limits
  percentage = 30,    ///< share of the mean
  iqr = 40,           ///< interquartile range around the median
  delta_iqr = 41,     ///< interquartile range of the relative changes
  auto_ = 50,         ///< self-calibrated: no number to choose
  change_point = 51,  ///< whether the series has changed its level
};

/// Whether the test looks at a whole series for a change of its level, with no boundaries.
constexpr bool looks_for_changes(ModelTest test) {
  return test == ModelTest::auto_ || test == ModelTest::change_point;
}

/// Reads a wire name, or `z`, `t`. Error: `invalid_argument`, with all names.
Result<ModelTest> parse_model_test(std::string_view name);
/// Error: `invalid_argument` for an integer that no test has.
Result<ModelTest> model_test_of(int stored);
/// The wire name; a static text.
std::string_view name(ModelTest test);

/// The rule of a threshold.
struct Model {
  ModelTest test = ModelTest::static_;
  std::optional<std::uint32_t> min_sample_size{};  ///< fewer values in the history: no verdict
  std::optional<std::uint32_t> max_sample_size{};  ///< only that many of the newest values count
  std::optional<std::uint32_t> window{};           ///< only values of the last that many seconds count
  std::optional<double> lower_boundary{}, upper_boundary{};
  bool operator==(const Model&) const = default;
};

/// Whether the model may be stored. Error: `invalid_argument`; the message names the field and what it takes.
Result<void> validate(const Model& model);

/// Whether `boundary` is one that `test` takes: finite; 0.5 to under 1 for distributions; not negative for percentage
/// and the quartile tests. Error: `invalid_argument`, beginning with `Invalid Boundary`.
Result<void> check_boundary(ModelTest test, double boundary);

}  // namespace bencher
