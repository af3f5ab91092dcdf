// The one table of commands. Parsing, help, suggestions and the requests of resource commands all come from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"

#include "apps/cli/exit_code.hpp"
#include "lib/json/value.hpp"

namespace bencher::cli {

class Arguments;
struct World;

/// What a value must look like, and what it becomes in JSON.
struct Type {
  enum class Json { text, number, boolean };
  std::string_view placeholder;  ///< as help shows it: `SLUG`
  Json json = Json::text;
  Result<void> (*check)(std::string_view) = nullptr;  ///< null: any text
};

/// Where a resource command sends a value.
enum class Place { automatic, body, query, path, none };

/// Texts with several items are separated by spaces.
struct Flag {
  std::string_view name;       ///< long name, without dashes
  const Type* type = nullptr;  ///< null: a switch
  std::string_view help = {};
  char short_name = 0;
  std::string_view aliases = {}, values = {}, hidden_values = {}, conflicts = {}, requirements = {}, default_value = {},
                   env = {};
  std::string_view or_prefix = {};  ///< a value that begins so is taken beside `values`
  std::string_view field = {};      ///< in body, query or path; empty: the name with `_` for `-`
  std::string_view sends = "true";  ///< of a switch
  Place place = Place::automatic;
  bool is_required = false;
  bool is_list = false;
  bool is_optional = false;  ///< the value may be left out; the next word is only taken if it is one of `values`
  bool is_hidden = false;
  bool is_secret = false;       ///< its value is never shown
  bool or_none = false;         ///< `_` means none: null in a body, an empty item in a list of the query
  bool is_always_sent = false;  ///< a switch that sends false when absent
  bool in_milliseconds = false;

  Flag& required() { return is_required = true, *this; }
  Flag& list() { return is_list = true, *this; }
  Flag& optional_value() { return is_optional = true, *this; }
  Flag& hidden() { return is_hidden = true, *this; }
  Flag& secret() { return is_secret = true, *this; }
  Flag& none() { return or_none = true, *this; }
  Flag& always() { return is_always_sent = true, *this; }
  Flag& milliseconds() { return in_milliseconds = true, *this; }
  Flag& short_form(char c) { return short_name = c, *this; }
  Flag& alias(std::string_view text) { return aliases = text, *this; }
  Flag& one_of(std::string_view text) { return values = text, *this; }
  Flag& also(std::string_view text) { return hidden_values = text, *this; }
  Flag& or_prefixed(std::string_view text) { return or_prefix = text, *this; }
  Flag& excludes(std::string_view text) { return conflicts = text, *this; }
  Flag& needs(std::string_view text) { return requirements = text, *this; }
  Flag& by_default(std::string_view text) { return default_value = text, *this; }
  Flag& from_env(std::string_view text) { return env = text, *this; }
  Flag& as(std::string_view text) { return field = text, *this; }
  Flag& sending(std::string_view text) { return sends = text, *this; }
  Flag& in(Place where) { return place = where, *this; }
};

struct Positional {
  std::string_view name;  ///< the `{name}` of the path
  const Type* type = nullptr;
  std::string_view help = {};
  bool is_optional = false;
  std::string_view field = {};  ///< of the body, for what is not part of the path
};

/// none: no request to the API. optional: sent when there is one.
enum class Credential { none, optional, required };

struct Command {
  std::string_view path;          ///< `project key list`
  std::string_view aliases = {};  ///< of the last word
  std::string_view summary;
  /// Null: one request, made from the members below.
  Exit (*run)(World&, const Command&, const Arguments&) = nullptr;
  std::vector<Positional> positionals = {};
  std::vector<Flag> flags = {};
  Credential credential = Credential::none;
  std::string_view method = {}, url = {};  ///< `/v0/projects/{project}/keys`
  std::string_view url_without_positionals = {};
  /// Completes the body with what is not one flag, one member.
  void (*finish)(const Arguments&, json::Value& body) = nullptr;
  std::string_view one_of = {};  ///< exactly one of these flags
  bool takes_words = false;      ///< all words from the first positional on are its own
  bool is_hidden = false;
  std::string_view details = {};  ///< more for the long help
};

struct Group {
  std::string_view path = {}, aliases = {}, summary = {};
  bool is_hidden = false;
};

const std::vector<Group>& groups();
const std::vector<Command>& commands();
/// The flags of every command that talks to the API.
const std::vector<Flag>& connection_flags();

/// The parts of a text that are separated by spaces.
std::vector<std::string_view> split(std::string_view text);

// One function a file: the commands of a group, added to the table.
void add_run(std::vector<Command>& table);
void add_mock(std::vector<Command>& table);
void add_noise(std::vector<Command>& table);
void add_archive(std::vector<Command>& table);
void add_not_built(std::vector<Command>& table);
void add_organization(std::vector<Command>& table);
void add_project(std::vector<Command>& table);
void add_report(std::vector<Command>& table);
void add_job(std::vector<Command>& table);
void add_perf(std::vector<Command>& table);
void add_dimension(std::vector<Command>& table);
void add_threshold(std::vector<Command>& table);
void add_user(std::vector<Command>& table);
void add_runner(std::vector<Command>& table);
void add_server(std::vector<Command>& table);

}  // namespace bencher::cli
