// From words to a command and its arguments.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/command.hpp"

namespace bencher::cli {

/// The values of one call, checked against the command's flags.
class Arguments {
 public:
  /// Whether it stands on the command line or in its variable; a default does not count.
  bool has(std::string_view flag) const;
  /// Whether it stands on the command line.
  bool given(std::string_view flag) const;
  /// The value, or the default.
  std::optional<std::string> get(std::string_view flag) const;
  std::string get_or(std::string_view flag, std::string_view fallback) const;
  std::vector<std::string> all(std::string_view flag) const;
  std::optional<std::string> positional(std::string_view name) const;
  /// The words of a command that takes all of them.
  const std::vector<std::string>& words() const { return words_; }

 private:
  friend class CommandParser;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::map<std::string, std::vector<std::string>, std::less<>> env_, defaults_;
  std::map<std::string, std::string, std::less<>> positionals_;
  std::vector<std::string> words_;
};

/// What a command line asks for: a command, or a text to print.
struct Parsed {
  const Command* command = nullptr;
  Arguments arguments;
  std::string text;      ///< of help, version or the usage error, when there is no command
  Exit exit = Exit::ok;  ///< of that text; not `ok`: it goes to standard error
};

using Env = std::function<std::optional<std::string>(std::string_view)>;
/// `words` without the program's name.
Parsed parse_command_line(const std::vector<std::string>& words, const Env& env);

/// The help page of a command, or of a group by its path (`""` is the program). Ends in a line feed.
std::string help_page(const Command& command, bool is_long);
std::string help_page(std::string_view group, bool is_long);
/// `Usage: bencher …`
std::string usage_line(const Command& command);

/// The one of `known` that `word` was probably meant to be, or empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

inline constexpr std::string_view api_version = "0.6.12";
inline constexpr std::string_view program_version = "0.1.0";

}  // namespace bencher::cli
