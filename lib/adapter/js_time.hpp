#pragma once

#include <string_view>

namespace bencher::adapter {

/// `[12.5ms] NAME`, which is Bun's console.time.
bool bun_line(std::string_view line, std::string_view& name, double& ns);
/// `(pass) NAME [12.5ms]`, a test of `bun test` that passed.
bool bun_test_line(std::string_view line, std::string_view& name, double& ns);

}  // namespace bencher::adapter
