// JSON as Python, Google Benchmark and others write it: with NaN and Infinity, which JSON does not have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bencher::adapter {

/// Whether there may be one of these in it.
bool may_have_nan(std::string_view text);
/// With `null` for each that stands outside of strings.
std::string null_for_nan(std::string_view text);
/// The same for what begins as JSON; nothing where there is no such word.
std::optional<std::string> without_nan(std::string_view text);

}  // namespace bencher::adapter
