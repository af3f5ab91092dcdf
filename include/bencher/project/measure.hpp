#pragma once

#include <span>
#include <string_view>

namespace bencher {

/// A measure that is known before any project has it: what a run that names it gets.
struct BuiltInMeasure {
  std::string_view name, slug, units;
};

/// The built-in measure of that name, slug, or (for the checkers of Valgrind) tool name such as `Errors`; null if there
/// is none. Case matters.
const BuiltInMeasure* built_in_measure(std::string_view text);
/// All of them, in the order in which they are looked up.
std::span<const BuiltInMeasure> built_in_measures();

/// The units of a measure that is made on first use and is not built in.
inline constexpr std::string_view default_units = "Measure (units)";

}  // namespace bencher
