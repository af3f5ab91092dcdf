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

/// One grammar of an adapter.
struct Grammar {
  Parse parse = nullptr;
  /// Stands in every text that the grammar finds results in; empty: there is no such text.
  std::string_view mark = {};
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

}  // namespace bencher::adapter
