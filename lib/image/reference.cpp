#include "bencher/image/reference.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

namespace bencher {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Error wrong(std::string_view text, std::string_view why) {
  return Error(Errc::invalid_argument,
               fmt::format("image reference '{}': {}", to_valid_utf8(text.substr(0, 256)), why));
}

}  // namespace

Result<ImageReference> ImageReference::parse(std::string_view text) {
  if (text.empty())
    return Error(Errc::invalid_argument, "image reference: it is empty; write NAME, NAME:TAG or NAME@DIGEST");
  ImageReference out;
  out.text_ = text;
  std::string_view name = text;
  const auto at = name.find('@');
  if (at != std::string_view::npos) {
    out.digest_ = name.substr(at + 1);
    name = name.substr(0, at);
    if (out.digest_.empty()) return wrong(text, "there is no digest after '@'");
  }
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos) {
    const auto left = name.substr(0, colon);
    const auto right = name.substr(colon + 1);
    const bool port = left.find('/') != std::string_view::npos && all_digits(right);
    if (right.find('/') == std::string_view::npos && !port) {
      if (right.empty()) return wrong(text, "there is no tag after ':'");
      out.tag_ = right;
      name = left;
    }
  }
  if (out.tag_.empty() && out.digest_.empty()) out.tag_ = "latest";
  const auto slash = name.find('/');
  const auto first = name.substr(0, slash);
  const bool host =
      slash != std::string_view::npos && (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  out.registry_ = host ? first : default_registry;
  out.repository_ = host ? name.substr(slash + 1) : name;
  if (out.repository_.empty()) return wrong(text, "there is no name in it");
  return out;
}

std::optional<std::string> ImageReference::project() const {
  std::string_view name = repository_;
  if (constexpr std::string_view implied = "library/"; registry_ == default_registry && name.starts_with(implied))
    name.remove_prefix(implied.size());
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(name);
}

bool ImageReference::is_external(std::string_view server) const {
  if (registry_ == default_registry) return false;
  std::string own = lower(server);
  std::string_view port = "443";
  if (const auto scheme = own.find("://"); scheme != std::string::npos) {
    if (own.compare(0, scheme, "http") == 0) port = "80";
    own.erase(0, scheme + 3);
  }
  own.erase(std::min(own.size(), own.find('/')));
  const auto asked = lower(registry_);
  if (asked == own) return false;
  // What follows the last ':' is a port, unless it is the middle of an IPv6 address.
  const auto colon = own.rfind(':');
  if (colon != std::string::npos && all_digits(std::string_view(own).substr(colon + 1)))
    return asked != own.substr(0, colon);
  return asked != fmt::format("{}:{}", own, port);
}

}  // namespace bencher
