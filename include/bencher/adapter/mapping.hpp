#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "bencher/adapter/adapter.hpp"
#include "bencher/base/result.hpp"

namespace bencher {

namespace adapter {
struct MappingPlan;
class MappedRows;
}  // namespace adapter

/// Which results any JSON or CSV holds, said by a mapping file instead of code. The file is one JSON object:
///
///     {"format": "json", "rows": "/results/*", "name": ["/suite", "/name"], "separator": "/",
///      "metrics": [{"measure": "latency", "value": "/time/mean", "lower": "/time/min", "unit": "ms"},
///                  {"measure": {"at": "/metric"}, "value": "/value", "unit": {"at": "/unit"}}]}
///     {"format": "csv", "delimiter": ";", "name": "benchmark", "metrics": [{"measure": "size", "value": "bytes"}]}
///
/// - `format`: `json`, `lines` (a JSON value a line) or `csv` (RFC 4180, one row a record).
/// - `rows`, for JSON: a pointer (RFC 6901) to the rows; `*` is every element of an array or member of an object, a key
///   that is an asterisk is `~*`. Without it the value itself is the one row.
/// - `name`: the place of the benchmark's name, or several whose texts `separator` joins. `distinct_name`: the same for
///   names that collide, with `ParseOptions::distinct_names`.
/// - `where`: places and the text, or texts, that must be there, `{"/type": "Point"}`; other rows are passed over. Or
/// an
///   array of conditions, each a place with `is` or `not`: `[{"key": true, "is": ["read", "write"]}, {"at": "/n",
///   "not": 0}]`.
/// - `required`: true makes a row without a name or a value an error; else it is left out, with a warning.
/// - `delimiter`, `decimal`, `comment`, `header`, for CSV: one byte; the decimal sign; what lines begin with that are
///   passed over; false where the first record is a row already.
/// - `metrics`, each with `measure` (a name, or `{"at": PLACE}`), `value`, `lower`, `upper` (places of numbers), `unit`
///   (a text, or `{"at": PLACE}`: times become nanoseconds, rates per second, multiples of bytes bytes; that of
///   `latency` is a time), `scale` (a factor over 0), `average` (`mean` or `median`: read for who asks for it; who does
///   not gets the mean if there is one), `extra` (true: only with `ParseOptions::all_measures`), `required`.
///
/// A place is a pointer within the row, or in CSV a column's name or its number, from 1. Or, for JSON,
/// `{"root": "/suites/*/name"}`, a pointer from the top whose `*` are those of `rows`, `{"key": true}`, the key or
/// index at the last `*` of `rows`, `{"key": 1}` at the first. A part of a name may be `{"text": "…"}`, or
/// `{"at": PLACE, "optional": true}`, which may be missing.
///
/// Rows of one name are one benchmark: a later measure replaces an earlier one, or all are folded as options say.
/// A long text gives no more metrics than it has bytes, and names of at most sixteen times its size; more is an error.
/// A value; copies share what they hold, which never changes, so any thread may read with it.
class Mapping {
 public:
  /// Reads a mapping file. Error: `invalid_argument`, naming pointer, line and column.
  static Result<Mapping> parse(std::string_view document);

  /// Reads the whole of one text, a byte order mark or UTF-16 too. The result's `adapter` is `json`, whatever the
  /// format. Error: `invalid_argument`, naming the line, and the column in CSV or the pointer in JSON.
  Result<Parsed> read(std::string_view text, const ParseOptions& options = {}) const;

 private:
  explicit Mapping(std::shared_ptr<const adapter::MappingPlan> plan) : plan_(std::move(plan)) {}

  Result<void> read_json(std::string_view text, const ParseOptions& options,
                         std::optional<adapter::MappedRows>& rows) const;

  std::shared_ptr<const adapter::MappingPlan> plan_;
};

}  // namespace bencher
