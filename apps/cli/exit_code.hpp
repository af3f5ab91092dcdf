// What the program ends with, and how a command ends early.
#pragma once

#include <string>
#include <utility>

#include "bencher/base/result.hpp"

namespace bencher::cli {

enum class Exit {
  ok = 0,
  internal = 1,          ///< our mistake, or output that could not be written
  usage = 2,             ///< the command line, or what it names locally, is wrong
  benchmark_failed = 3,  ///< the local command failed, or what it left could not be read
  credential = 4,        ///< missing, not valid, or without the right
  refused = 5,           ///< the server said no
  network = 6,           ///< the server could not be reached, or failed
  alerts = 7,            ///< the report has alerts, and --error-on-alert was given
  job_failed = 9,
  job_canceled = 10,
  waited_too_long = 11,
  interrupted = 130,
};

Exit exit_of(Errc code);
/// Of an HTTP status that is not a success.
Exit exit_of_status(int status);

/// Ends the command; thrown by commands, caught once by `run_cli`.
struct Failure {
  Exit exit;
  std::string message;
};

/// The value, or its error as a `Failure` with the exit code of its kind.
template <class T>
T must(Result<T> result) {
  if (!result) throw Failure{exit_of(result.error().code()), result.error().message()};
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace bencher::cli
