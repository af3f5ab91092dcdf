// What Gungraun (iai-callgrind before) measures: shared by the adapters of its two outputs.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bencher::adapter {

enum class GungraunTool { callgrind, cachegrind, dhat, memcheck, helgrind, drd };

struct GungraunMeasure {
  std::string_view slug;
  std::string_view label;   ///< in the text output
  std::string_view key;     ///< in the JSON summary; empty: not there
  bool cachegrind = false;  ///< whether the text output of Cachegrind has it too
};

/// The measures of a tool: Cachegrind's are Callgrind's.
std::span<const GungraunMeasure> gungraun_measures(GungraunTool tool);
/// `CALLGRIND` or `Callgrind`, …; false for any other tool.
bool gungraun_tool(std::string_view name, GungraunTool& out);

/// Without control characters but line feeds: U+0000 to U+001F, U+0080 to U+009F. Escapes are off already.
std::string strip_controls(std::string_view text);

}  // namespace bencher::adapter
