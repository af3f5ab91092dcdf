// docs/adapters.md, from the registry of adapters and the outputs under tests/data/adapters.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "bencher/base/result.hpp"

#include "tools/adapters_page/harnesses.hpp"

namespace bencher::tools {

/// The page. `root` is the checkout. Errors: an adapter without a row in `harnesses` or with two, a sample or mapping
/// that gives no results, a file that cannot be read.
Result<std::string> adapters_page(const std::filesystem::path& root, std::span<const Harness> harnesses);

}  // namespace bencher::tools
