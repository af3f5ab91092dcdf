#include "apps/cli/arguments.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace bencher::cli {
namespace {

bool contains(std::string_view list, std::string_view word) {
  const auto words = split(list);
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Edits from one to the other: a letter more, less or another, or two neighbours swapped.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

/// The last word of a path.
std::string_view last(std::string_view path) {
  const auto at = path.rfind(' ');
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

std::string_view parent(std::string_view path) {
  const auto at = path.rfind(' ');
  return at == std::string_view::npos ? std::string_view() : path.substr(0, at);
}

const Command* find_command(std::string_view group, std::string_view word) {
  for (const auto& command : commands())
    if (parent(command.path) == group && (last(command.path) == word || contains(command.aliases, word)))
      return &command;
  return nullptr;
}

const Group* find_group(std::string_view group, std::string_view word) {
  if (word.empty()) return nullptr;
  for (const auto& one : groups())
    if (!one.path.empty() && parent(one.path) == group && (last(one.path) == word || contains(one.aliases, word)))
      return &one;
  return nullptr;
}

std::string shown(std::string_view word) {
  return std::string(word.substr(0, 100));
}

/// A usage error; ends the parse.
struct Usage {
  std::string message;
};

}  // namespace

class CommandParser {
 public:
  CommandParser(const Command& command, const Env& env) : command_(command), env_(env) {
    for (const auto& flag : command.flags)
      flags_.push_back(&flag);
    if (command.credential != Credential::none)
      for (const auto& flag : connection_flags())
        flags_.push_back(&flag);
  }

  /// False: help was asked for.
  bool read(const std::vector<std::string>& words, std::size_t from, bool& long_help) {
    bool only_positionals = false;
    for (std::size_t i = from; i < words.size(); ++i) {
      const auto& word = words[i];
      if (!only_positionals && word == "--") {
        only_positionals = true;
        continue;
      }
      if (only_positionals || word.size() < 2 || word[0] != '-') {
        if (command_.takes_words) {
          arguments_.words_.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
          break;
        }
        positional(word);
        continue;
      }
      if (word == "-h" || word == "--help") {
        long_help = word == "--help";
        return false;
      }
      i += flag(word, i + 1 < words.size() ? &words[i + 1] : nullptr);
    }
    return true;
  }

  Arguments finish() {
    for (const auto* flag : flags_) {
      const auto name = std::string(flag->name);
      if (!flag->env.empty() && !arguments_.values_.contains(name)) {
        if (const auto value = env_(flag->env)) {
          check(*flag, *value, fmt::format("{} (the variable {})", name, flag->env));
          arguments_.env_[name].push_back(*value);
        }
      }
      if (!flag->default_value.empty()) arguments_.defaults_[name].emplace_back(flag->default_value);
    }
    for (const auto* flag : flags_) {
      if (flag->is_required && !arguments_.has(flag->name))
        throw Usage{fmt::format("--{} is missing{}", flag->name,
                                flag->env.empty() ? "" : fmt::format("; give it, or set {}", flag->env))};
      if (!arguments_.has(flag->name)) continue;
      for (const auto other : split(flag->conflicts)) {
        // A flag that is written wins over a variable that is only set.
        if (arguments_.given(flag->name) && arguments_.env_.contains(other)) {
          arguments_.env_.erase(arguments_.env_.find(other));
          continue;
        }
        if (arguments_.given(other) && !arguments_.given(flag->name)) continue;
        if (arguments_.has(other)) throw Usage{fmt::format("--{} and --{} exclude each other", flag->name, other)};
      }
      for (const auto other : split(flag->requirements)) {
        const bool there = other == "command" ? has_words() : arguments_.has(other);
        if (there || !arguments_.given(flag->name)) continue;
        throw Usage{other == "command" ? fmt::format("--{} needs a command to run", flag->name)
                                       : fmt::format("--{} needs --{}", flag->name, other)};
      }
    }
    if (!command_.one_of.empty()) {
      std::string all;
      int count = 0;
      for (const auto name : split(command_.one_of)) {
        all += fmt::format("{}--{}", all.empty() ? "" : ", ", name);
        count += arguments_.has(name);
      }
      if (count != 1) throw Usage{fmt::format("exactly one of {} is needed", all)};
    }
    for (const auto& positional : command_.positionals)
      if (!positional.is_optional && !arguments_.positional(positional.name))
        throw Usage{fmt::format("<{}> is missing: {}", upper(positional.name), positional.help)};
    return std::move(arguments_);
  }

  static std::string upper(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
      c = c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return out;
  }

 private:
  bool has_words() const { return !arguments_.words_.empty() || env_("BENCHER_CMD"); }

  void positional(const std::string& word) {
    const auto at = arguments_.positionals_.size();
    if (at >= command_.positionals.size()) throw Usage{fmt::format("'{}' is one word too many", shown(word))};
    const auto& positional = command_.positionals[at];
    if (positional.type->check)
      if (const auto ok = positional.type->check(word); !ok)
        throw Usage{fmt::format("<{}>: {}", upper(positional.name), ok.error().message())};
    arguments_.positionals_[std::string(positional.name)] = word;
  }

  /// How many further words it took.
  std::size_t flag(const std::string& word, const std::string* next) {
    const bool is_long = word.starts_with("--");
    const auto equals = word.find('=');
    const auto name = std::string_view(word).substr(is_long ? 2 : 1,
                                                    equals == std::string::npos ? equals : equals - (is_long ? 2 : 1));
    const auto* found = find(name, is_long);
    if (!found) unknown(word.substr(0, equals), name, is_long);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = word.substr(equals + 1);
    auto& values = arguments_.values_[std::string(found->name)];
    if (!values.empty() && !found->is_list) throw Usage{fmt::format("--{} is there twice", found->name)};
    if (!found->type) {
      if (value) throw Usage{fmt::format("--{} takes no value", found->name)};
      values.emplace_back(found->sends);
      return 0;
    }
    std::size_t taken = 0;
    const bool may_take = !found->is_optional || (next && contains(found->values, *next));
    if (!value && next && may_take && (next->size() < 2 || next->front() != '-')) {
      value = *next;
      taken = 1;
    }
    if (!value && found->is_optional) {
      values.emplace_back();
      return 0;
    }
    if (!value)
      throw Usage{fmt::format("--{0} needs a value: --{0} <{1}>; one that begins with '-' is written --{0}=<{1}>",
                              found->name, found->type->placeholder)};
    check(*found, *value, fmt::format("--{}", found->name));
    values.push_back(*std::move(value));
    return taken;
  }

  static void check(const Flag& flag, const std::string& value, const std::string& where) {
    if (flag.or_none && value == "_") return;
    if (!flag.values.empty()) {
      if (contains(flag.values, value) || contains(flag.hidden_values, value)) return;
      if (!flag.or_prefix.empty() && value.starts_with(flag.or_prefix)) return;
      const auto close = nearest(value, split(flag.values));
      std::string all;
      for (const auto one : split(flag.values))
        all += fmt::format("{}{}", all.empty() ? "" : ", ", one);
      throw Usage{fmt::format("{}: '{}' is not one of {}{}", where, shown(value), all,
                              close.empty() ? "" : fmt::format("; did you mean '{}'?", close))};
    }
    if (!flag.type->check) return;
    const auto ok = flag.type->check(value);
    if (!ok) throw Usage{fmt::format("{}: {}", where, ok.error().message())};
  }

  const Flag* find(std::string_view name, bool is_long) const {
    for (const auto* flag : flags_) {
      if (is_long ? flag->name == name || contains(flag->aliases, name)
                  : name.size() == 1 && flag->short_name != 0 && flag->short_name == name[0])
        return flag;
    }
    return nullptr;
  }

  [[noreturn]] void unknown(std::string_view word, std::string_view name, bool is_long) const {
    std::vector<std::string_view> known;
    for (const auto* flag : flags_)
      if (!flag->is_hidden) known.push_back(flag->name);
    const auto close = is_long ? nearest(name, known) : std::string_view();
    std::string hint = close.empty() ? "" : fmt::format("; did you mean '--{}'?", close);
    if (command_.takes_words && hint.empty())
      hint = "; if it belongs to the command, write the command before it, or '--'";
    throw Usage{fmt::format("'{}' is not a flag of 'bencher {}'{}", shown(word), command_.path, hint)};
  }

  const Command& command_;
  const Env& env_;
  std::vector<const Flag*> flags_;
  Arguments arguments_;
};

bool Arguments::has(std::string_view flag) const {
  return values_.contains(flag) || env_.contains(flag);
}
bool Arguments::given(std::string_view flag) const {
  return values_.contains(flag);
}

std::vector<std::string> Arguments::all(std::string_view flag) const {
  for (const auto* source : {&values_, &env_, &defaults_})
    if (const auto at = source->find(flag); at != source->end()) return at->second;
  return {};
}

std::optional<std::string> Arguments::get(std::string_view flag) const {
  auto values = all(flag);
  if (values.empty()) return {};
  return std::move(values.front());
}

std::string Arguments::get_or(std::string_view flag, std::string_view fallback) const {
  return get(flag).value_or(std::string(fallback));
}

std::optional<std::string> Arguments::positional(std::string_view name) const {
  const auto at = positionals_.find(name);
  if (at == positionals_.end()) return {};
  return at->second;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  // A third of the letters may be wrong; short words have to be closer.
  std::size_t least = std::max<std::size_t>(2, word.size() / 3 + 1);
  for (const auto one : known) {
    if (word.size() >= 3 && (one.starts_with(word) || word.starts_with(one)) && one.size() >= 3 && least > 0) {
      best = one;
      least = 0;
    } else if (const auto far = distance(word.substr(0, 64), one); far < least) {
      best = one;
      least = far;
    }
  }
  return best;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find(' ');
    if (end != 0) out.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

Parsed parse_command_line(const std::vector<std::string>& words, const Env& env) {
  Parsed out;
  std::string_view group;
  bool help = false;
  for (std::size_t i = 0;; ++i) {
    if (i == words.size()) {
      out.text = help_page(group, help);
      // A group alone does nothing: that is a mistake, unless help was asked for.
      out.exit = help ? Exit::ok : Exit::usage;
      return out;
    }
    const auto& word = words[i];
    if (word == "-h" || word == "--help") {
      out.text = help_page(group, word == "--help");
      return out;
    }
    if (group.empty() && !help && (word == "-V" || word == "--version")) {
      out.text = fmt::format("bencher {} (API {})\n", program_version, api_version);
      return out;
    }
    if (word == "help" && !help) {
      help = true;
      continue;
    }
    if (const auto* found = find_group(group, word)) {
      group = found->path;
      continue;
    }
    const auto* command = find_command(group, word);
    if (!command) {
      std::vector<std::string_view> known{"help"};
      for (const auto& one : groups())
        if (!one.is_hidden && !one.path.empty() && parent(one.path) == group) known.push_back(last(one.path));
      for (const auto& one : commands())
        if (!one.is_hidden && parent(one.path) == group) known.push_back(last(one.path));
      const auto close = nearest(word, known);
      out.text =
          fmt::format("error: '{}' is not a command of 'bencher{}{}'{}\n\nSee 'bencher{}{} --help'.\n", shown(word),
                      group.empty() ? "" : " ", group, close.empty() ? "" : fmt::format("; did you mean '{}'?", close),
                      group.empty() ? "" : " ", group);
      out.exit = Exit::usage;
      return out;
    }
    if (help) {
      out.text = help_page(*command, true);
      return out;
    }
    try {
      CommandParser parser(*command, env);
      bool long_help = false;
      if (!parser.read(words, i + 1, long_help)) {
        out.text = help_page(*command, long_help);
        return out;
      }
      out.arguments = parser.finish();
      out.command = command;
    } catch (const Usage& usage) {
      out.text = fmt::format("error: {}\n\n{}\n\nSee 'bencher {} --help'.\n", usage.message, usage_line(*command),
                             command->path);
      out.exit = Exit::usage;
    }
    return out;
  }
}

}  // namespace bencher::cli
