// Everything outside of the program that a command may touch, so that tests can stand in for it.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bencher/base/clock.hpp"
#include "bencher/base/random.hpp"
#include "bencher/client/http.hpp"

namespace bencher::cli {

struct World {
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  Random& random;
  /// The variable, where it is set and not empty.
  std::function<std::optional<std::string>(std::string_view)> env;
  std::function<Result<client::HttpResponse>(const client::HttpRequest&, const client::HttpOptions&)> send;
  /// Waits that long; false if it was cut short by an interrupt that had not been seen yet.
  std::function<bool(std::chrono::milliseconds)> wait;
  /// How many times Ctrl-C was pressed since `catch_interrupts`.
  std::function<int()> interrupts;
  /// From now on Ctrl-C ends a running `send` with `cancelled` instead of the program.
  std::function<void()> catch_interrupts;
  /// All of standard input, or none if it is a terminal. Error: `too_large`.
  std::function<Result<std::optional<std::string>>()> read_input;
  std::string directory = ".";  ///< where relative paths and the search for a repository begin
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

/// The real one. One a process, since signals are its own.
class RealWorld {
 public:
  RealWorld();
  ~RealWorld();
  World& get();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher::cli
