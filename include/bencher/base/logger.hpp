#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace bencher {

/// error: act now; warning: look today; info: rare milestones; debug: for us.
enum class LogLevel { debug, info, warning, error };

/// Where the library tells what happened. Implementations are safe to call from any thread and do not throw.
class Logger {
 public:
  using Field = std::pair<std::string_view, std::string_view>;

  virtual ~Logger() = default;
  virtual void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) = 0;
};

/// Forgets everything.
class NullLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view, std::initializer_list<Field>) override {}
};

}  // namespace bencher
