#include <algorithm>

#include <fmt/format.h>

#include "apps/cli/arguments.hpp"

namespace bencher::cli {
namespace {

constexpr std::size_t column = 38;

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    c = c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::string row(std::string left, std::string_view right) {
  left = "  " + left;
  if (right.empty()) return left + "\n";
  if (left.size() + 2 > column) return fmt::format("{}\n{}{}\n", left, std::string(column, ' '), right);
  return fmt::format("{:{}}{}\n", left, column, right);
}

std::string flag_row(const Flag& flag, bool is_long) {
  auto left =
      flag.short_name ? fmt::format("-{}, --{}", flag.short_name, flag.name) : fmt::format("    --{}", flag.name);
  if (flag.type)
    left += flag.is_optional ? fmt::format(" [<{}>]", flag.type->placeholder)
                             : fmt::format(" <{}>", flag.type->placeholder);
  if (flag.is_list) left += "…";
  auto out = row(left, flag.help);
  const auto more = [&](const std::string& text) { out += std::string(column, ' ') + text + "\n"; };
  if (!flag.values.empty()) {
    std::string line = "[possible values: ";
    bool first = true;
    for (const auto value : split(flag.values)) {
      if (!first) line += ", ";
      first = false;
      if (line.size() + value.size() > 80) {
        more(line);
        line = " ";
      }
      line += value;
    }
    more(line + "]");
  }
  if (!flag.default_value.empty()) more(fmt::format("[default: {}]", flag.default_value));
  if (!flag.env.empty()) more(fmt::format("[env: {}]", flag.env));
  if (is_long) {
    const auto names = [](std::string_view list) {
      std::string out_names;
      for (const auto one : split(list))
        out_names +=
            (out_names.empty() ? "" : ", ") + (one == "command" ? std::string("a command") : "--" + std::string(one));
      return out_names;
    };
    if (flag.or_none) more("[_: none]");
    if (!flag.requirements.empty()) more(fmt::format("[needs: {}]", names(flag.requirements)));
    if (!flag.conflicts.empty()) more(fmt::format("[not with: {}]", names(flag.conflicts)));
  }
  return out;
}

std::string_view parent(std::string_view path) {
  const auto at = path.rfind(' ');
  return at == std::string_view::npos ? std::string_view() : path.substr(0, at);
}
std::string_view last(std::string_view path) {
  const auto at = path.rfind(' ');
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

}  // namespace

std::string usage_line(const Command& command) {
  auto out = fmt::format("Usage: bencher {} [OPTIONS]", command.path);
  for (const auto& flag : command.flags)
    if (flag.is_required) out += fmt::format(" --{} <{}>", flag.name, flag.type ? flag.type->placeholder : "");
  if (!command.one_of.empty()) {
    std::string all;
    for (const auto name : split(command.one_of))
      all += fmt::format("{}--{}", all.empty() ? "" : "|", name);
    out += fmt::format(" <{}>", all);
  }
  for (const auto& positional : command.positionals)
    out += positional.is_optional ? fmt::format(" [{}]", upper(positional.name))
                                  : fmt::format(" <{}>", upper(positional.name));
  if (command.takes_words) out += " [COMMAND]…";
  return out;
}

std::string help_page(const Command& command, bool is_long) {
  auto out = fmt::format("{}\n\n{}\n", command.summary, usage_line(command));
  if (is_long && !command.details.empty()) out += fmt::format("\n{}\n", command.details);
  if (!command.positionals.empty()) {
    out += "\nArguments:\n";
    for (const auto& positional : command.positionals)
      out += row(positional.is_optional ? fmt::format("[{}]", upper(positional.name))
                                        : fmt::format("<{}>", upper(positional.name)),
                 positional.help);
  }
  out += "\nOptions:\n";
  for (const auto& flag : command.flags)
    if (!flag.is_hidden) out += flag_row(flag, is_long);
  out += row("-h, --help", is_long ? "Print this help (-h: in short)" : "Print help (--help: all of it)");
  if (command.credential != Credential::none) {
    out += "\nConnection:\n";
    for (const auto& flag : connection_flags())
      if (is_long || flag.name == "host" || flag.name == "key") out += flag_row(flag, is_long);
  }
  return out;
}

std::string help_page(std::string_view path, bool) {
  std::string_view summary;
  for (const auto& group : groups())
    if (group.path == path) summary = group.summary;
  const auto name = path.empty() ? std::string("bencher") : fmt::format("bencher {}", path);
  auto out = fmt::format("{}\n\nUsage: {} <COMMAND>\n\nCommands:\n", summary, name);
  std::vector<std::pair<std::string_view, std::string_view>> rows;
  for (const auto& command : commands())
    if (!command.is_hidden && parent(command.path) == path) rows.emplace_back(last(command.path), command.summary);
  for (const auto& group : groups())
    if (!group.is_hidden && !group.path.empty() && parent(group.path) == path)
      rows.emplace_back(last(group.path), group.summary);
  for (const auto& [word, text] : rows)
    out += fmt::format("  {:16}{}\n", word, text);
  out += fmt::format("  {:16}{}\n", "help", "Print the help of a command");
  out += "\nOptions:\n  -h, --help      Print help\n";
  if (path.empty()) out += "  -V, --version   Print version\n";
  return out;
}

}  // namespace bencher::cli
