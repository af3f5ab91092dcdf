#include "apps/cli/request.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bencher::cli {
namespace {

std::string field_of(const Flag& flag) {
  std::string out(flag.field.empty() ? flag.name : flag.field);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

json::Value json_of(const Flag& flag, const std::string& value) {
  if (flag.or_none && value == "_") return nullptr;
  switch (flag.type->json) {
    case Type::Json::number: return json::Value::number_text(value);
    case Type::Json::boolean: return value == "true";
    case Type::Json::text: break;
  }
  return value;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Request build_request(const Command& command, const Arguments& arguments) {
  Request out;
  out.method = command.method;
  const bool short_url =
      !command.url_without_positionals.empty() && !arguments.positional(command.positionals.front().name);
  out.path = short_url ? command.url_without_positionals : command.url;
  const auto fill = [&](std::string_view name, std::string_view value) {
    const auto place = fmt::format("{{{}}}", name);
    if (const auto at = out.path.find(place); at != std::string::npos)
      out.path.replace(at, place.size(), percent_encoded(value));
  };
  const bool has_body = command.method == "POST" || command.method == "PATCH" || command.method == "PUT";
  json::Value body = json::Value::object();
  for (const auto& positional : command.positionals) {
    const auto value = arguments.positional(positional.name);
    if (!value) continue;
    if (positional.field.empty())
      fill(positional.name, *value);
    else
      body.set(positional.field, *value);
  }

  char separator = '?';
  for (const auto& flag : command.flags) {
    const auto place = flag.place != Place::automatic ? flag.place : has_body ? Place::body : Place::query;
    const auto field = field_of(flag);
    const auto values = arguments.all(flag.name);
    if (place == Place::none) continue;
    if (values.empty() && !(flag.is_always_sent && place == Place::body)) continue;
    if (place == Place::path) {
      fill(field, values.front());
    } else if (place == Place::query) {
      std::string text;
      for (std::size_t i = 0; i < values.size(); ++i)
        text += (i ? "," : "") + (flag.or_none && values[i] == "_" ? std::string() : values[i]);
      if (flag.in_milliseconds) text = text == "0" ? text : text + "000";
      out.path += fmt::format("{}{}={}", std::exchange(separator, '&'), field, percent_encoded(text));
    } else if (!flag.type) {
      body.set(field, !values.empty() && values.front() == "true");
    } else if (flag.is_list) {
      auto list = json::Value::array();
      for (const auto& value : values)
        list.push(json_of(flag, value));
      body.set(field, std::move(list));
    } else {
      body.set(field, json_of(flag, values.front()));
    }
  }
  if (command.finish) command.finish(arguments, body);
  if (has_body) out.body = std::move(body);
  return out;
}

}  // namespace bencher::cli
