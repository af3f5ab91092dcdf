// The adapters there are: one row each.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "bencher/adapter/adapter.hpp"

namespace bencher::adapter {

using Parse = Result<Results> (*)(std::string_view text, std::optional<Average> average);

struct Row {
  AdapterKind kind;
  Parse parse;
  bool detected;  ///< whether `magic` tries it
};

/// In the order in which `magic` tries them.
std::span<const Row> rows();

Result<Results> parse_json(std::string_view text, std::optional<Average> average);

}  // namespace bencher::adapter
