#include "apps/cli/types.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "bencher/adapter/adapter.hpp"
#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/image/reference.hpp"
#include "bencher/threshold/model.hpp"

#include "apps/cli/arguments.hpp"

namespace bencher::cli::types {
namespace {

Error bad(std::string message) {
  return Error(Errc::invalid_argument, std::move(message));
}

template <class T>
Result<void> as(std::string_view value) {
  if (auto parsed = T::parse(value); !parsed) return std::move(parsed).error();
  return {};
}

template <class Integer, Integer Least = std::numeric_limits<Integer>::min(),
          Integer Most = std::numeric_limits<Integer>::max()>
Result<void> integer(std::string_view value) {
  Integer number{};
  const auto end = value.data() + value.size();
  const auto [stop, ec] = std::from_chars(value.data(), end, number);
  // A leading zero would not be JSON.
  const auto digits = value.substr(value.starts_with('-') ? 1 : 0);
  if (ec == std::errc() && stop == end && number >= Least && number <= Most &&
      (digits.size() == 1 || !digits.starts_with('0')) && value != "-0")
    return {};
  return bad(fmt::format("'{}' is not a whole number from {} to {}", value.substr(0, 80), Least, Most));
}

Result<void> finite(std::string_view value) {
  const auto json = json::Value::parse(value);
  if (json && json->as_double()) return {};
  return bad(fmt::format("'{}' is not a finite number such as 0.98", value.substr(0, 80)));
}

Result<void> check_boolean(std::string_view value) {
  if (value == "true" || value == "false") return {};
  return bad(fmt::format("'{}' is neither true nor false", value.substr(0, 80)));
}

Result<void> check_non_empty(std::string_view value) {
  if (!value.empty() && value.front() != ' ' && value.back() != ' ') return {};
  return bad("it may not be empty, nor begin or end with a space");
}

Result<void> check_url(std::string_view value) {
  const auto colon = value.find(':');
  if (colon != std::string_view::npos && colon > 0 && colon + 1 < value.size() &&
      value.find(' ') == std::string_view::npos)
    return {};
  return bad(fmt::format("'{}' is not a URL such as https://example.com", value.substr(0, 200)));
}

// Credentials are never shown.
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_api_key(std::string_view value) {
  for (const std::string_view prefix : {"bencher_user_", "bencher_run_"}) {
    if (!value.starts_with(prefix) || value.size() != prefix.size() + 30) continue;
    return value.find_first_not_of(base64_alphabet.substr(0, 62), prefix.size()) == std::string_view::npos;
  }
  return false;
}

bool is_jwt(std::string_view value) {
  int parts = 0;
  while (true) {
    const auto dot = value.find('.');
    const auto part = value.substr(0, dot);
    if (part.empty() || part.find_first_not_of(base64_alphabet) != std::string_view::npos) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 3;
    value.remove_prefix(dot + 1);
  }
}

Result<void> check_jwt(std::string_view value) {
  if (is_jwt(value)) return {};
  return bad(is_api_key(value)
                 ? "this is an API key; give it to --key"
                 : "not a JSON web token (three parts of base64url, joined with '.'); the value is not shown");
}

Result<void> check_api_key(std::string_view value) {
  if (is_api_key(value)) return {};
  return bad(is_jwt(value)
                 ? "this is a token; give it to --token"
                 : "not an API key (bencher_user_ or bencher_run_ and 30 letters and digits); the value is not shown");
}

Result<void> check_key_value(std::string_view value) {
  const auto equals = value.find('=');
  if (equals != std::string_view::npos && equals > 0) return {};
  // The value may be a secret.
  return bad("it must have the form KEY=VALUE");
}

Result<void> check_time(std::string_view value) {
  if (auto parsed = Timestamp::parse(value); !parsed) return std::move(parsed).error();
  return {};
}

}  // namespace

constexpr auto number = Type::Json::number;
const Type text{"TEXT", Type::Json::text, nullptr};
const Type word{"VALUE", Type::Json::text, nullptr};
const Type resource_name{"NAME", Type::Json::text, as<ResourceName>};
const Type user_name{"NAME", Type::Json::text, as<UserName>};
const Type branch_name{"NAME", Type::Json::text, as<BranchName>};
const Type benchmark_name{"NAME", Type::Json::text, as<BenchmarkName>};
const Type slug{"SLUG", Type::Json::text, as<Slug>};
const Type uuid{"UUID", Type::Json::text, as<AnyUuid>};
const Type resource_id{"UUID_OR_SLUG", Type::Json::text, as<ResourceId>};
const Type name_id{"UUID_SLUG_OR_NAME", Type::Json::text, as<NameId<ResourceName>>};
const Type branch_id{"UUID_SLUG_OR_NAME", Type::Json::text, as<NameId<BranchName>>};
const Type email{"EMAIL", Type::Json::text, as<Email>};
const Type git_hash{"HASH", Type::Json::text, as<GitHash>};
const Type jwt{"TOKEN", Type::Json::text, check_jwt};
const Type api_key{"KEY", Type::Json::text, check_api_key};
const Type url{"URL", Type::Json::text, check_url};
const Type non_empty{"TEXT", Type::Json::text, check_non_empty};
const Type image{"IMAGE", Type::Json::text, as<ImageReference>};
const Type key_value{"KEY=VALUE", Type::Json::text, check_key_value};
const Type path{"PATH", Type::Json::text, nullptr};
const Type boolean{"BOOL", Type::Json::boolean, check_boolean};
const Type unix_seconds{"SECONDS", number, integer<std::int64_t, -100'000'000'000, 100'000'000'000>};
const Type rfc3339{"TIME", Type::Json::text, check_time};
const Type u8{"NUMBER", number, integer<std::uint16_t, 0, 255>};
const Type u16{"NUMBER", number, integer<std::uint16_t, 1>};
const Type u32{"NUMBER", number, integer<std::uint32_t>};
const Type u64{"NUMBER", number, integer<std::uint64_t>};
const Type i32{"NUMBER", number, integer<std::int32_t>};
const Type positive_u32{"NUMBER", number, integer<std::uint32_t, 1>};
const Type positive_i32{"NUMBER", number, integer<std::int32_t, 1>};
const Type positive_i64{"BYTES", number, integer<std::int64_t, 1>};
const Type boundary{"BOUNDARY", number, finite};
const Type plot_index{"INDEX", number, integer<std::uint16_t, 0, 64>};
const Type to_900_seconds{"SECONDS", number, integer<std::uint16_t, 1, 900>};

const std::string_view permissions = "view create edit delete manage view_role create_role edit_role delete_role";
// The name of a language only means `magic`, so it is not offered.
const std::string adapter_names = [] {
  std::string out;
  for (const auto kind : adapter_kinds())
    if (normalize(kind) == kind) out.append(out.empty() ? "" : " ").append(name(kind));
  return out;
}();
const std::string_view adapters = adapter_names;
const std::string adapter_aliases = [] {
  std::string out;
  for (const auto kind : adapter_kinds())
    if (!alias(kind).empty()) out.append(out.empty() ? "" : " ").append(alias(kind));
  return out;
}();
const std::string_view hidden_adapters = adapter_aliases;
const std::string_view tests = "static percentage z_score t_test log_normal iqr delta_iqr auto change_point";
const std::string_view hidden_tests = "z t";
const std::string_view plan_levels = "free pro team enterprise";

Flag flag(std::string_view name, std::string_view help) {
  return Flag{.name = name, .help = help};
}
Flag flag(std::string_view name, const Type& type, std::string_view help) {
  return Flag{.name = name, .type = &type, .help = help};
}

std::vector<Flag> operator+(std::vector<Flag> a, const std::vector<Flag>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<Flag> pages(std::string_view sort) {
  return {flag("sort", word, "What the list is sorted by").one_of(sort),
          flag("direction", word, "Sort upwards or downwards").one_of("asc desc"),
          flag("per-page", u8, "Items a page (the server's default is 8)"), flag("page", u32, "Which page, from 1")};
}

std::vector<Flag> archive_toggle() {
  return {flag("archive", "Archive it").excludes("unarchive").in(Place::none),
          flag("unarchive", "Take it out of the archive").excludes("archive").in(Place::none)};
}

void finish_archive(const Arguments& arguments, json::Value& body) {
  if (arguments.has("archive")) body.set("archived", true);
  if (arguments.has("unarchive")) body.set("archived", false);
}

std::vector<Flag> start_point(bool with_reset) {
  std::vector<Flag> out{
      flag("start-point-branch", branch_id, "Branch whose history this one begins with").in(Place::none),
      flag("start-point-hash", git_hash, "Commit of that branch to begin at")
          .needs("start-point-branch")
          .in(Place::none),
      flag("start-point-max-versions", u32, "How many versions of it to take over")
          .by_default("255")
          .needs("start-point-branch")
          .in(Place::none),
      flag("start-point-clone-thresholds", "Take over its thresholds too").needs("start-point-branch").in(Place::none)};
  if (with_reset) out.push_back(flag("start-point-reset", "Begin anew: a head without history").in(Place::none));
  return out;
}

void finish_start_point(const Arguments& arguments, json::Value& body) {
  const auto branch = arguments.get("start-point-branch");
  const bool reset = arguments.has("start-point-reset");
  if (!branch && !reset) return;
  json::Value start;
  if (branch) start.set("branch", *branch);
  if (const auto hash = arguments.get("start-point-hash")) start.set("hash", *hash);
  start.set("max_versions", json::Value::number_text(arguments.get_or("start-point-max-versions", "255")));
  if (arguments.has("start-point-clone-thresholds")) start.set("clone_thresholds", true);
  if (reset) start.set("reset", true);
  body.set("start_point", std::move(start));
}

std::vector<Flag> report_thresholds() {
  constexpr auto needs = "threshold-measure threshold-test";
  return {flag("threshold-measure", name_id, "Measure that gets a threshold; the other lists go with it by position")
              .list()
              .in(Place::none),
          flag("threshold-test", word, "Test of that threshold")
              .list()
              .one_of(tests)
              .also(hidden_tests)
              .needs("threshold-measure")
              .in(Place::none),
          flag("threshold-min-sample-size", positive_u32, "Least history for a verdict")
              .list()
              .none()
              .needs(needs)
              .in(Place::none),
          flag("threshold-max-sample-size", positive_u32, "Most history that counts")
              .list()
              .none()
              .needs(needs)
              .in(Place::none),
          flag("threshold-window", positive_u32, "Seconds back that count").list().none().needs(needs).in(Place::none),
          flag("threshold-lower-boundary", boundary, "Lower boundary").list().none().needs(needs).in(Place::none),
          flag("threshold-upper-boundary", boundary, "Upper boundary").list().none().needs(needs).in(Place::none),
          flag("thresholds-reset", "Take the models of all other thresholds of this branch and testbed away")
              .in(Place::none)};
}

namespace {

Model model_of(const json::Value& model) {
  const auto size = [&](const char* field) -> std::optional<std::uint32_t> {
    const auto number = model[field].as_integer();
    if (!number) return {};
    return static_cast<std::uint32_t>(*number);
  };
  return {.test = must(parse_model_test(model["test"].text())),
          .min_sample_size = size("min_sample_size"),
          .max_sample_size = size("max_sample_size"),
          .window = size("window"),
          .lower_boundary = model["lower_boundary"].as_double(),
          .upper_boundary = model["upper_boundary"].as_double()};
}

constexpr std::pair<std::string_view, std::string_view> model_fields[]{{"min-sample-size", "min_sample_size"},
                                                                       {"max-sample-size", "max_sample_size"},
                                                                       {"window", "window"},
                                                                       {"lower-boundary", "lower_boundary"},
                                                                       {"upper-boundary", "upper_boundary"}};

}  // namespace

json::Value thresholds_of(const Arguments& arguments) {
  const auto measures = arguments.all("threshold-measure");
  const auto all_tests = arguments.all("threshold-test");
  const auto too_long = [&](std::string_view flag_name, std::size_t count) {
    if (count > measures.size())
      throw Failure{Exit::usage,
                    fmt::format("--{} is there {} times, --threshold-measure only {}; the lists go together by "
                                "position ('_' leaves a place empty)",
                                flag_name, count, measures.size())};
  };
  too_long("threshold-test", all_tests.size());
  json::Value models;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    if (i >= all_tests.size())
      throw Failure{Exit::usage, fmt::format("--threshold-measure '{}' has no --threshold-test", measures[i])};
    json::Value model;
    model.set("test", std::string(name(must(parse_model_test(all_tests[i])))));
    for (const auto& [flag_name, field] : model_fields) {
      const auto full = fmt::format("threshold-{}", flag_name);
      const auto values = arguments.all(full);
      too_long(full, values.size());
      if (i < values.size() && values[i] != "_") model.set(field, json::Value::number_text(values[i]));
    }
    if (const auto ok = validate(model_of(model)); !ok)
      throw Failure{Exit::usage, fmt::format("measure '{}': {}", measures[i], ok.error().message())};
    models.set(measures[i], std::move(model));
  }
  json::Value out;
  if (!models.is_null()) out.set("models", std::move(models));
  if (arguments.has("thresholds-reset")) out.set("reset", true);
  return out;
}

std::vector<Flag> model_flags(std::string_view requirements) {
  return {flag("min-sample-size", positive_u32, "Least history for a verdict").needs(requirements),
          flag("max-sample-size", positive_u32, "Most history that counts").needs(requirements),
          flag("window", positive_u32, "Seconds back that count").needs(requirements),
          flag("lower-boundary", boundary, "Lower boundary").needs(requirements),
          flag("upper-boundary", boundary, "Upper boundary").needs(requirements)};
}

void check_model(const Arguments& arguments) {
  json::Value model;
  model.set("test", arguments.get_or("test", ""));
  for (const auto& [flag_name, field] : model_fields)
    if (const auto value = arguments.get(flag_name)) model.set(field, json::Value::number_text(*value));
  must(validate(model_of(model)));
}

}  // namespace bencher::cli::types
