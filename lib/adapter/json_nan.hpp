// JSON as Python writes it: with NaN and Infinity, which JSON does not have.
#pragma once

#include <string>
#include <string_view>

namespace bencher::adapter {

/// Whether there may be one of these in it.
bool may_have_nan(std::string_view text);
/// With `null` for each that stands outside of strings.
std::string null_for_nan(std::string_view text);

}  // namespace bencher::adapter
