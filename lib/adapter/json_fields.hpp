// What the JSON adapters share: names, numbers that may be strings, and how they end.
#pragma once

#include <string>
#include <string_view>

#include "lib/adapter/registry.hpp"
#include "lib/json/reader.hpp"

namespace bencher::adapter {

/// What an adapter returns at the end: nothing is left in the text, and it had results.
Result<void> finished(json::Reader& r, bool read, const Builder& out);
/// For a text that was read well but has none.
Error no_results(std::string_view what);

/// A string of 1 to 1,024 bytes: the name of a benchmark, or a part of one.
bool name_text(json::Reader& r, std::string_view& out, std::string& scratch);
/// Any string, kept.
bool text(json::Reader& r, std::string& out);
/// A number, or a string that holds one: digits with sign, point, exponent and underscores between digits.
bool decimal(json::Reader& r, double& out);
/// Like `decimal`; `null`, and a string that says `NaN`, leave `out` empty.
bool optional_decimal(json::Reader& r, std::optional<double>& out);
/// Passes over an object, or an array without elements; anything else fails.
bool any_object(json::Reader& r);

/// value ± spread, both times `factor`.
inline Metric plus_minus(double value, double spread, double factor = 1) {
  const double v = value * factor, w = spread * factor;
  return {v, v - w, v + w};
}

}  // namespace bencher::adapter
