// mock

#include "apps/cli/mock.hpp"

#include <cmath>
#include <ostream>

#include <fmt/format.h>

#include "apps/cli/arguments.hpp"
#include "apps/cli/types.hpp"
#include "apps/cli/world.hpp"

namespace bencher::cli {

using namespace types;

json::Value mock_results(const Mock& mock, Random& random) {
  json::Value out = json::Value::object();
  const double scale = std::pow(10.0, mock.pow);
  for (std::uint64_t c = 0; c < mock.count; ++c) {
    json::Value benchmark = json::Value::object();
    for (const auto& measure : mock.measures) {
      // 53 bits make every double of [0, 1) with that spacing equally likely.
      const double share = static_cast<double>(random.next() >> 11) * 0x1p-53;
      const double value = scale * (static_cast<double>(c) + share);
      if (!std::isfinite(value * 1.1))
        throw Failure{Exit::usage, fmt::format("--pow {}: values of that size are no 64-bit floats", mock.pow)};
      json::Value metric;
      metric.set("value", json::Value::number(value));
      metric.set("lower_value", json::Value::number(value - value * 0.1));
      metric.set("upper_value", json::Value::number(value + value * 0.1));
      benchmark.set(measure, std::move(metric));
    }
    out.append(fmt::format("bencher::mock_{}", c), std::move(benchmark));
  }
  return out;
}

namespace {

Exit mock(World& world, const Command&, const Arguments& arguments) {
  const auto seed = arguments.get("seed");
  SeededRandom seeded(seed ? std::stoull(*seed) : world.random.next());
  const Mock wanted{.count = std::stoull(*arguments.get("count")),
                    .measures = arguments.all("measure"),
                    .pow = std::stoi(*arguments.get("pow"))};
  if (wanted.count > 1'000'000) throw Failure{Exit::usage, "--count: at most 1000000 benchmarks"};
  world.out << mock_results(wanted, seeded).indented() << '\n';
  if (arguments.has("fail")) throw Failure{Exit::internal, "failed, as --fail asked for"};
  if (arguments.has("flaky") && world.random.below(2) == 0) throw Failure{Exit::internal, "failed, as --flaky may"};
  return Exit::ok;
}

}  // namespace

void add_mock(std::vector<Command>& table) {
  table.push_back({.path = "mock",
                   .summary = "Print made-up results",
                   .run = mock,
                   .flags = {flag("seed", u64, "Makes the results repeatable"),
                             flag("count", u64, "How many benchmarks").by_default("5"),
                             flag("measure", name_id, "A measure").list().by_default("latency"),
                             flag("pow", i32, "Values have that power of ten").by_default("1"),
                             flag("fail", "Fail after printing").excludes("flaky"),
                             flag("flaky", "Fail half of the time").excludes("fail")}});
}

}  // namespace bencher::cli
