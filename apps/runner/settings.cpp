#include "apps/runner/settings.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <boost/json.hpp>

namespace bencher::runner {

namespace bj = boost::json;

namespace {

constexpr std::size_t file_limit = 1u << 20;

int line_of(std::string_view text, std::size_t at) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

Error wrong(int line, const std::string& what) {
  return Error(Errc::invalid_argument, "line " + std::to_string(line) + ": " + what);
}

/// Where the names of the outermost object's members begin, in their order. The text is valid JSON.
std::vector<std::size_t> names_in(std::string_view text) {
  std::vector<std::size_t> out;
  int depth = 0;
  bool name_next = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      if (depth == 1 && name_next) out.push_back(at);
      name_next = false;
      for (++at; text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
    } else if (c == '{' || c == '[') {
      name_next = ++depth == 1;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',') {
      name_next = depth == 1;
    }
  }
  return out;
}

Result<std::string> read_text(const std::filesystem::path& file, const std::string& what) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return Error(Errc::invalid_argument, "cannot read " + what + " '" + file.string() + "': " + std::strerror(errno));
  std::string text(file_limit + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > file_limit)
    return Error(Errc::invalid_argument,
                 what + " '" + file.string() + "' is over " + std::to_string(file_limit) + " bytes");
  return text;
}

std::string flag_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

}  // namespace

Result<std::vector<Setting>> parse_settings(std::string_view text) {
  bj::stream_parser parser;
  boost::system::error_code ec;
  const auto read = parser.write_some(text.data(), text.size(), ec);
  if (!ec) parser.finish(ec);
  if (ec) return wrong(line_of(text, std::min(read, text.size())), "not JSON: " + ec.message());
  const auto rest = text.find_first_not_of(" \t\r\n", read);
  if (rest != std::string_view::npos) return wrong(line_of(text, rest), "not JSON: something follows the object");
  const auto root = parser.release();
  if (!root.is_object()) return wrong(1, "settings are one JSON object, such as {\"host\": \"https://…\"}");
  const auto names = names_in(text);
  std::set<std::string_view> seen;
  for (const auto at : names) {
    const auto name = text.substr(at, text.find(':', at) - at);
    if (!seen.insert(name.substr(0, name.rfind('"') + 1)).second)
      return wrong(line_of(text, at), "the key is there twice");
  }
  if (names.size() != root.get_object().size()) return wrong(1, "a key is there twice");
  std::vector<Setting> out;
  std::size_t index = 0;
  for (const auto& member : root.get_object()) {
    Setting setting{std::string(member.key()), {}, line_of(text, names[index++])};
    const auto& value = member.value();
    if (value.is_string())
      setting.value = std::string(value.get_string());
    else if (value.is_bool() || value.is_int64() || value.is_uint64())
      setting.value = bj::serialize(value);
    else
      return wrong(setting.line, "'" + setting.key + "' is neither text, nor a whole number, nor true or false");
    out.push_back(std::move(setting));
  }
  return out;
}

void name_variables(CLI::App& command) {
  for (auto* option : command.get_options()) {
    if (!option->get_envname().empty() || option->get_lnames().empty() || option->get_name() == "--help") continue;
    std::string name = "BENCHER_RUNNER_" + option->get_lnames().front();
    for (char& c : name)
      c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    option->envname(name);
  }
}

Result<void> apply_settings(CLI::App& command, const std::filesystem::path& file) {
  BENCHER_TRY(const auto text, read_text(file, "the settings"));
  const auto where = "'" + file.string() + "'";
  auto settings = parse_settings(text);
  if (!settings) return std::move(settings).error().within(where);
  for (const auto& setting : *settings) {
    auto* option =
        setting.key == "config" || setting.key == "help" ? nullptr : command.get_option_no_throw(flag_of(setting.key));
    if (!option)
      return wrong(setting.line, "unknown key '" + setting.key + "'; `bencher-runner " + command.get_name() +
                                     " --help` lists the options, which are the keys, with _ for -")
          .within(where);
    try {
      option->run_callback_for_default()->default_val(setting.value);
    } catch (const CLI::ParseError& error) {
      return wrong(setting.line, "'" + setting.key + "': " + error.what()).within(where);
    }
    option->required(false);
  }
  return {};
}

std::optional<std::string> argument(int argc, const char* const* argv, std::string_view flag) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == flag && i + 1 < argc) return argv[i + 1];
    if (word.starts_with(flag) && word.substr(flag.size()).starts_with('='))
      return std::string(word.substr(flag.size() + 1));
  }
  return std::nullopt;
}

Result<std::string> choose_key(const std::string& key, Given key_given, const std::string& file, Given file_given) {
  if (key_given == Given::no && file_given == Given::no)
    return Error(Errc::invalid_argument, "the runner's key is missing; give --key-file, or BENCHER_RUNNER_KEY");
  if (key_given == file_given)
    return Error(Errc::invalid_argument, "both a key and a key file are given in the same way; give one of them");
  if (key_given > file_given) return key;
  BENCHER_TRY(auto text, read_text(file, "the key file"));
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos)
    return Error(Errc::invalid_argument, "the key file '" + file + "' is empty; write the runner's key into it");
  text = text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
  if (text.find_first_of(std::string_view(" \t\r\n\0", 5)) != std::string::npos)
    return Error(Errc::invalid_argument, "the key file '" + file + "' holds more than one word; write only the key");
  return text;
}

void hide_argument(int argc, char** argv, std::string_view flag) {
  for (int i = 1; i < argc; ++i) {
    char* value = nullptr;
    if (argv[i] == flag && i + 1 < argc)
      value = argv[i + 1];
    else if (std::strncmp(argv[i], flag.data(), flag.size()) == 0 && argv[i][flag.size()] == '=')
      value = argv[i] + flag.size() + 1;
    if (value) std::memset(value, '*', std::strlen(value));
  }
}

void hide_variable(const char* name) {
  if (char* value = std::getenv(name)) std::memset(value, '*', std::strlen(value));
  unsetenv(name);
}

}  // namespace bencher::runner
