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
      Row{c_sharp_dot_net,
          c_sharp,
          Shape::json,
          Averages::any,
          Repeats::merge,
          {read_dot_net},
          {read_dot_net_extended}},
      Row{cpp_google, cpp, Shape::json, Averages::mean, Repeats::last, {read_google}, {read_google_extended}},
      Row{java_jmh, java, Shape::json, Averages::mean, Repeats::last, {read_jmh}, {read_jmh_extended}},
      Row{js_vitest, js, Shape::json, Averages::any, Repeats::merge, {read_vitest}, {read_vitest_extended}},
      Row{python_pytest, python, Shape::json, Averages::any, Repeats::last, {read_pytest}, {read_pytest_extended}},
      Row{rust_gungraun_json,
          rust,
          Shape::text,
          Averages::none,
          Repeats::merge,
          {read_gungraun_json, "\"version\""},
          {read_gungraun_json_extended, "\"version\""},
          false},
      Row{shell_hyperfine,
          shell,
          Shape::json,
          Averages::any,
          Repeats::last,
          {read_hyperfine},
          {read_hyperfine_extended}},
  };
  return all;
}

}  // namespace bencher::adapter
