#include "lib/adapter/registry.hpp"

#include <array>

namespace bencher::adapter {

using enum AdapterKind;

std::span<const Row> rows() {
  // A new adapter is one row here. Order of detection: json, c_sharp, cpp (catch2, google), dart, go, java, js
  // (benchmark, time, vitest), python (asv, pytest), ruby, rust (bench, criterion, iai, gungraun), shell; then those
  // that the reference does not have.
  static constexpr std::array all{
      Row{json, json, Shape::json, Averages::same, Repeats::last, {read_bmf}, {}},
  };
  return all;
}

}  // namespace bencher::adapter
