// The whole program, but for `main`.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/world.hpp"

namespace bencher::cli {

/// Runs one command line, `words` being without the program's name. Does not throw.
Exit run_cli(const std::vector<std::string>& words, World& world);

}  // namespace bencher::cli
