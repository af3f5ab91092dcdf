#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "lib/threshold/tests.hpp"

namespace bencher::threshold {
namespace {

struct Quartiles {
  double q1, q2, q3;
};

/// Hyndman and Fan (1996), type 7. Empty when one is not finite. `values` is sorted in place and not empty.
std::optional<Quartiles> quartiles_of(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double p) {
    if (values.size() == 1) return values.front();
    const double rank = p * static_cast<double>(values.size() - 1);
    const auto i = std::min(static_cast<std::size_t>(rank), values.size() - 2);
    return values[i] + (values[i + 1] - values[i]) * (rank - static_cast<double>(i));
  };
  const Quartiles out{at(0.25), at(0.5), at(0.75)};
  if (!std::isfinite(out.q1) || !std::isfinite(out.q2) || !std::isfinite(out.q3)) return {};
  return out;
}

}  // namespace

Boundary quartiles(const Model& model, std::span<const double> history) {
  std::vector<double> values(history.begin(), history.end());
  const auto found = quartiles_of(values);
  if (!found) return {};
  double spread = found->q3 - found->q1;
  if (model.test == ModelTest::delta_iqr) {
    if (history.size() < 2) return {};
    std::vector<double> changes;
    changes.reserve(history.size() - 1);
    for (std::size_t i = 0; i + 1 < history.size(); ++i) {
      const double change = std::abs((history[i + 1] - history[i]) / history[i]);
      // 0/0 has no place in an order.
      if (std::isnan(change)) return {};
      changes.push_back(change);
    }
    const auto deltas = quartiles_of(changes);
    if (!deltas) return {};
    spread = deltas->q3 - deltas->q1;
  }
  const auto distance = [&](double b) {
    return model.test == ModelTest::delta_iqr ? found->q2 * (spread * b) : spread * b;
  };
  Boundary out{.baseline = found->q2, .lower_limit = {}, .upper_limit = {}};
  if (model.lower_boundary) out.lower_limit = found->q2 - distance(*model.lower_boundary);
  if (model.upper_boundary) out.upper_limit = found->q2 + distance(*model.upper_boundary);
  return out;
}

}  // namespace bencher::threshold
