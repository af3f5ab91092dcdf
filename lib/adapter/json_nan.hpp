// JSON as Python, Google Benchmark and others write it: with NaN and Infinity, which JSON does not have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bencher::adapter {

/// The text with `null` for each of these that stands outside of strings. Nothing where there is no such word, or where
/// the text does not begin as JSON.
std::optional<std::string> without_nan(std::string_view text);

}  // namespace bencher::adapter
