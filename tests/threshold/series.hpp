// Series that are made or recorded.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <boost/json.hpp>

#include "tests/support/json.hpp"

namespace bencher::test {

/// A generator of noise that is the same everywhere.
class Noise {
 public:
  double uniform() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    auto x = state_ ^ (state_ >> 33);
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    return (static_cast<double>(x >> 11) + 0.5) / 9007199254740992.0;
  }
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }

 private:
  std::uint64_t state_ = 42;
};

struct Labelled {
  std::vector<double> values;
  std::vector<std::size_t> changes;
};

/// Histories of real benchmarks with known changes of level.
inline std::vector<Labelled> labelled_series() {
  std::vector<Labelled> out;
  const auto file = read_json("changepoint/labelled_ci.json");
  for (const auto& one : file.at("series").as_array()) {
    Labelled series;
    for (const auto& value : one.at("series").as_array())
      series.values.push_back(value.to_number<double>());
    for (const auto& change : one.at("change_points").as_array())
      series.changes.push_back(change.to_number<std::size_t>());
    out.push_back(std::move(series));
  }
  return out;
}

}  // namespace bencher::test
