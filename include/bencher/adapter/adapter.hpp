#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher {

/// How the output of a benchmark harness is read. An enumerator is its wire name, its value the stored integer.
enum class AdapterKind {
  magic = 0,
  json = 10,
  rust = 20,
  rust_bench = 21,
  rust_criterion = 22,
  rust_iai = 23,
  rust_gungraun = 24,
  rust_gungraun_stdout = 25,
  rust_gungraun_json = 26,
  cpp = 30,
  cpp_google = 31,
  cpp_catch2 = 32,
  go = 40,
  go_bench = 41,
  java = 50,
  java_jmh = 51,
  c_sharp = 60,
  c_sharp_dot_net = 61,
  js = 70,
  js_benchmark = 71,
  js_time = 72,
  js_vitest = 73,
  python = 80,
  python_asv = 81,
  python_pytest = 82,
  ruby = 90,
  ruby_benchmark = 91,
  shell = 100,
  shell_hyperfine = 101,
  dart = 110,
  dart_benchmark_harness = 111,
};

/// Reads a wire name, or the alias `rust_iai_callgrind`. Error: `invalid_argument`, with all names.
Result<AdapterKind> parse_adapter(std::string_view name);
/// Error: `invalid_argument` for an integer that no kind has.
Result<AdapterKind> adapter_of(int stored);
/// The wire name; a static text.
std::string_view name(AdapterKind kind);
/// `magic` for a kind that names a language only (`rust`, `cpp`, …): what a report stores for it. Others as they are.
AdapterKind normalize(AdapterKind kind);
/// All kinds in the order of their stored integers.
std::span<const AdapterKind> adapter_kinds();

/// Which average a harness that reports several is read for.
enum class Average { mean, median };
/// How several results of one report become one.
enum class Fold { min, max, mean, median };

Result<Average> parse_average(std::string_view name);
Result<Fold> parse_fold(std::string_view name);
std::string_view name(Average average);
std::string_view name(Fold fold);

/// A measured value, finite, with the finite bounds of its spread where known.
struct Metric {
  double value = 0;
  std::optional<double> lower, upper;
  bool operator==(const Metric&) const = default;
};

struct MeasureMetric {
  std::string measure;  ///< UUID, slug or name
  Metric metric;
  bool operator==(const MeasureMetric&) const = default;
};

struct BenchmarkResult {
  std::string name;  ///< UUID, slug or name; an ignore suffix is still on it
  std::vector<MeasureMetric> measures;
  bool operator==(const BenchmarkResult&) const = default;
};

/// Benchmarks, and measures in each, in order of first appearance; no name twice.
using Results = std::vector<BenchmarkResult>;

/// Reads the whole of one harness output. `magic` (and a language) takes the first adapter that gives results.
/// Error: `invalid_argument`; for JSON the message carries a pointer (RFC 6901), line, column and the reason.
Result<Results> parse(AdapterKind kind, std::string_view text, std::optional<Average> average);

/// One result of several, over the union of their benchmarks and measures.
/// `min`, `max`: the whole metric that is smallest or largest by value, then upper, then lower (a missing bound is
/// below any). `mean`: over those results that have the benchmark and measure; a missing bound counts as the value when
/// another result has one. `median`: the middle metric, or the mean of the two middle ones.
Results fold(Fold fold, std::span<const Results> results);

}  // namespace bencher
