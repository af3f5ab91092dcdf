#include "bencher/threshold/boundary.hpp"

#include <algorithm>
#include <cmath>

#include "lib/threshold/tests.hpp"

namespace bencher {
namespace {

Boundary run_test(const Model& model, std::span<const double> history) {
  switch (model.test) {
    case ModelTest::static_: return threshold::static_limits(model);
    case ModelTest::percentage: return threshold::percentage(model, history);
    case ModelTest::z_score:
    case ModelTest::t_test: return threshold::distribution(model, history);
    case ModelTest::log_normal: return threshold::log_normal(model, history);
    case ModelTest::iqr:
    case ModelTest::delta_iqr: return threshold::quartiles(model, history);
    // They judge series, not values: see series.hpp.
    case ModelTest::auto_:
    case ModelTest::change_point: break;
  }
  return {};
}

}  // namespace

Result<Boundary> compute(const Model& model, std::span<const double> history, double value) {
  const auto finite = [](double x) { return std::isfinite(x); };
  if (!finite(value) || !std::all_of(history.begin(), history.end(), finite))
    return Error(Errc::invalid_argument, "threshold: the value and its history must be finite numbers");
  if (model.max_sample_size) history = history.first(std::min<std::size_t>(history.size(), *model.max_sample_size));
  if (!model.lower_boundary && !model.upper_boundary) return Boundary();
  if (history.empty() || history.size() < model.min_sample_size.value_or(1)) return Boundary();
  if (model.lower_boundary) BENCHER_DO(check_boundary(model.test, *model.lower_boundary));
  if (model.upper_boundary) BENCHER_DO(check_boundary(model.test, *model.upper_boundary));

  auto boundary = run_test(model, history);
  for (auto* limit : {&boundary.baseline, &boundary.lower_limit, &boundary.upper_limit})
    if (*limit && !finite(**limit)) limit->reset();
  return boundary;
}

std::optional<Limit> outlier(const Boundary& boundary, double value) {
  if (boundary.lower_limit && value < *boundary.lower_limit) return Limit::lower;
  if (boundary.upper_limit && value > *boundary.upper_limit) return Limit::upper;
  return {};
}

}  // namespace bencher
