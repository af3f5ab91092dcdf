#include "lib/adapter/registry.hpp"

#include <array>

namespace bencher::adapter {

std::span<const Row> rows() {
  // A new adapter is one row here. Order of detection: json, c_sharp, cpp (catch2, google), dart, go, java, js
  // (benchmark, time, vitest), python (asv, pytest), ruby, rust (bench, criterion, iai, gungraun), shell.
  static constexpr std::array all{
      Row{AdapterKind::json, parse_json, true},
  };
  return all;
}

}  // namespace bencher::adapter
