// What the page of adapters says of each that its registry and its data do not.
#pragma once

#include <span>
#include <string_view>

#include "bencher/adapter/adapter.hpp"

namespace bencher::tools {

struct Harness {
  AdapterKind kind;
  std::string_view tool;
  std::string_view forms;   ///< which outputs are read, in Markdown
  std::string_view sample;  ///< the file that is shown, below tests/data/adapters
  std::string_view from{};  ///< what the excerpt's first line holds; empty: it begins with the file
  bool open = false;        ///< the text names its measures as it likes
};

/// One of every adapter, in any order.
std::span<const Harness> harnesses();

}  // namespace bencher::tools
