// The adapters there are: one row each.
#pragma once

#include <span>
#include <string_view>

#include "bencher/adapter/adapter.hpp"

#include "lib/adapter/builder.hpp"

namespace bencher::adapter {

/// Reads all results of `text` into `out`, or says why there are none. `text` is UTF-8; for the shape `text` it has no
/// terminal escapes.
using Parse = Result<void> (*)(std::string_view text, Builder& out);

/// What a text must begin with, after blanks, to be worth a try.
enum class Shape {
  json,  ///< `{` or `[`
  text,  ///< anything
};

/// The average settings with which an adapter gives results.
enum class Averages {
  any,     ///< mean and median, which differ
  same,    ///< both, without a difference
  mean,    ///< no median
  median,  ///< no mean
  none,    ///< neither: only without the setting
};

/// What the marks of a grammar are.
enum class MarksAre {
  anywhere,  ///< they stand somewhere in the text, or for JSON in every text that is an object
  keys,      ///< the top object of the text has one of them as a key
};

/// One grammar of an adapter.
struct Grammar {
  Parse parse = nullptr;
  /// Stands in every text that the grammar finds results in; empty: there is no such text.
  std::string_view mark = {};
  /// Stands where `mark` does not; empty: `mark` always does.
  std::string_view or_mark = {};
  MarksAre marks = MarksAre::anywhere;
  /// For text: finds nothing in what is JSON as a whole, since its lines do not begin or end like those of JSON.
  bool never_json = false;
  /// Its lines may stand among those of others: detection tries it when no one else finds anything.
  bool vague = false;
  /// Stands where neither of the marks does, with `all_measures`, which finds more; empty: one of them always does.
  std::string_view extras_mark = {};
};

struct Row {
  AdapterKind kind;
  AdapterKind language;  ///< `rust`, `cpp`, …: with which it is tried; its own kind if it has none
  Shape shape;
  Averages averages;
  Repeats repeats;
  Grammar strict;        ///< what the reference reads; none for adapters that it does not have
  Grammar extended;      ///< further forms, tried where `strict` finds nothing
  bool detected = true;  ///< whether `magic` and its language try it
  Grammar other = {};    ///< further forms of the other shape; tried last
  Shape other_shape() const { return shape == Shape::json ? Shape::text : Shape::json; }
};

/// In the order in which `magic` tries them.
std::span<const Row> rows();
// One of each adapter's files.
Result<void> read_bmf(std::string_view text, Builder& out);
Result<void> read_dot_net(std::string_view text, Builder& out);
Result<void> read_dot_net_extended(std::string_view text, Builder& out);
Result<void> read_google(std::string_view text, Builder& out);
Result<void> read_google_extended(std::string_view text, Builder& out);
Result<void> read_jmh(std::string_view text, Builder& out);
Result<void> read_jmh_extended(std::string_view text, Builder& out);
Result<void> read_vitest(std::string_view text, Builder& out);
Result<void> read_vitest_extended(std::string_view text, Builder& out);
Result<void> read_pytest(std::string_view text, Builder& out);
Result<void> read_pytest_extended(std::string_view text, Builder& out);
Result<void> read_gungraun_json(std::string_view text, Builder& out);
Result<void> read_gungraun_json_extended(std::string_view text, Builder& out);
Result<void> read_hyperfine(std::string_view text, Builder& out);
Result<void> read_hyperfine_extended(std::string_view text, Builder& out);
Result<void> read_catch2(std::string_view text, Builder& out);
Result<void> read_catch2_extended(std::string_view text, Builder& out);
Result<void> read_dart(std::string_view text, Builder& out);
Result<void> read_dart_extended(std::string_view text, Builder& out);
Result<void> read_go_bench(std::string_view text, Builder& out);
Result<void> read_go_bench_extended(std::string_view text, Builder& out);
Result<void> read_js_benchmark(std::string_view text, Builder& out);
Result<void> read_js_benchmark_extended(std::string_view text, Builder& out);
Result<void> read_js_time(std::string_view text, Builder& out);
Result<void> read_js_time_extended(std::string_view text, Builder& out);
Result<void> read_asv(std::string_view text, Builder& out);
Result<void> read_asv_extended(std::string_view text, Builder& out);
Result<void> read_ruby(std::string_view text, Builder& out);
Result<void> read_ruby_extended(std::string_view text, Builder& out);
Result<void> read_rust_bench(std::string_view text, Builder& out);
Result<void> read_rust_bench_extended(std::string_view text, Builder& out);
Result<void> read_criterion(std::string_view text, Builder& out);
Result<void> read_criterion_extended(std::string_view text, Builder& out);
Result<void> read_iai(std::string_view text, Builder& out);
Result<void> read_iai_extended(std::string_view text, Builder& out);
Result<void> read_gungraun(std::string_view text, Builder& out);
Result<void> read_gungraun_extended(std::string_view text, Builder& out);
Result<void> read_gungraun_stdout(std::string_view text, Builder& out);
Result<void> read_gungraun_stdout_extended(std::string_view text, Builder& out);
// Of harnesses whose own form is JSON, and of those that the reference does not have.
Result<void> read_dot_net_text(std::string_view text, Builder& out);
Result<void> read_google_text(std::string_view text, Builder& out);
Result<void> read_jmh_text(std::string_view text, Builder& out);
Result<void> read_hyperfine_text(std::string_view text, Builder& out);
Result<void> read_divan(std::string_view text, Builder& out);
Result<void> read_vitest_text(std::string_view text, Builder& out);
Result<void> read_mitata_text(std::string_view text, Builder& out);
Result<void> read_deno_text(std::string_view text, Builder& out);
Result<void> read_pytest_text(std::string_view text, Builder& out);
Result<void> read_pyperf_text(std::string_view text, Builder& out);
Result<void> read_asv_results(std::string_view text, Builder& out);
Result<void> read_ips_results(std::string_view text, Builder& out);
Result<void> read_bun(std::string_view text, Builder& out);
Result<void> read_wrk(std::string_view text, Builder& out);
Result<void> read_junit(std::string_view text, Builder& out);
Result<void> read_criterion_json(std::string_view text, Builder& out);
Result<void> read_nanobench(std::string_view text, Builder& out);
Result<void> read_nanobench_text(std::string_view text, Builder& out);
Result<void> read_mitata(std::string_view text, Builder& out);
Result<void> read_tinybench(std::string_view text, Builder& out);
Result<void> read_tinybench_text(std::string_view text, Builder& out);
Result<void> read_deno(std::string_view text, Builder& out);
Result<void> read_pyperf(std::string_view text, Builder& out);
Result<void> read_k6(std::string_view text, Builder& out);
Result<void> read_k6_text(std::string_view text, Builder& out);
Result<void> read_benchmark_tools(std::string_view text, Builder& out);

}  // namespace bencher::adapter
