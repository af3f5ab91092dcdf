#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/adapter/results.hpp"
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
  rust_criterion_json = 27,
  rust_divan = 28,
  cpp = 30,
  cpp_google = 31,
  cpp_catch2 = 32,
  cpp_nanobench = 33,
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
  js_mitata = 74,
  js_tinybench = 75,
  js_deno = 76,
  js_bun = 77,
  python = 80,
  python_asv = 81,
  python_pytest = 82,
  python_pyperf = 83,
  ruby = 90,
  ruby_benchmark = 91,
  shell = 100,
  shell_hyperfine = 101,
  shell_k6 = 102,
  shell_wrk = 103,
  shell_junit = 104,
  dart = 110,
  dart_benchmark_harness = 111,
  julia_benchmark_tools = 120,
};

/// Reads a wire name, or an alias: `rust_iai_callgrind`, and the bare names of tools such as `divan`. Error:
/// `invalid_argument`, with all names.
Result<AdapterKind> parse_adapter(std::string_view name);
/// Error: `invalid_argument` for an integer that no kind has.
Result<AdapterKind> adapter_of(int stored);
/// The wire name; a static text.
std::string_view name(AdapterKind kind);
/// The other name that `parse_adapter` takes, mostly the bare one of the tool; empty: there is none. A static text.
std::string_view alias(AdapterKind kind);
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

/// How a text is read.
struct ParseOptions {
  std::optional<Average> average{};
  /// Keeps what is no measure by default: memory, allocations, bytes and items per second, counters of one's own.
  bool all_measures = false;
  /// Gives benchmarks whose names collide longer ones, with parameters, modes, packages or types in them.
  bool distinct_names = false;
  /// How results of one name become one. Without it the last one stays.
  std::optional<Fold> fold_repeats{};

  bool operator==(const ParseOptions&) const = default;
};

/// What a text holds.
struct Parsed {
  AdapterKind adapter = AdapterKind::json;  ///< the one that read it: for `magic`, the one it took
  Results results;
  std::vector<std::string> warnings;  ///< what was left out or replaced, and by which option it stays
};

/// Reads the whole of one harness output. Each adapter reads the forms that its harness has had: first as narrowly as
/// the protocol's reference does, then, if that gives nothing, whatever else is plainly a result. `magic` (and a
/// language) takes the first adapter that gives results. A byte order mark, UTF-16 and, in text, terminal escapes are
/// taken off first.
/// Error: `invalid_argument`, naming the line, or for JSON a pointer (RFC 6901), line, column and the reason.
Result<Parsed> parse(AdapterKind kind, std::string_view text, const ParseOptions& options = {});

/// One result of several, over the union of their benchmarks and measures.
/// `min`, `max`: the whole metric that is smallest or largest by value, then upper, then lower (a missing bound is
/// below any). `mean`: the sum divided by the number of results, also of those that lack the benchmark or measure; a
/// missing bound counts as the value when another result has one. `median`: the middle metric of those present, or the
/// mean of the two middle ones.
Results fold(Fold fold, std::span<const Results> results);

}  // namespace bencher
