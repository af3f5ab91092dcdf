// Running the benchmark command.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::cli {

struct ChildOptions {
  std::vector<std::string> argv;
  std::string directory = {};        ///< empty: ours
  std::ostream* echo_out = nullptr;  ///< where its output is copied as it comes; null: nowhere
  std::ostream* echo_err = nullptr;
  bool quiet = false;
  bool without_input = false;  ///< else it has our standard input
};

struct Child {
  std::optional<int> exit_code;  ///< none: it was killed
  int signal = 0;                ///< that killed it
  std::string out, err;
  std::chrono::nanoseconds duration{};

  bool succeeded() const { return exit_code == 0; }
  /// `exit code 3`, `killed by signal 9 (Killed)`
  std::string how_it_ended() const;
};

/// Runs a program and waits for its end; what it leaves running is not waited for. Errors: `not_found` (no such
/// program), `too_large` (more than 64 MiB of output), `internal`.
Result<Child> run_child(const ChildOptions& options);

}  // namespace bencher::cli
