#include "bencher/base/name.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

namespace bencher {
namespace {

Error bad(std::string_view what, std::string_view text, std::string_view why) {
  return Error(Errc::invalid_argument,
               fmt::format("{} '{}'{} {}", what, to_valid_utf8(text.substr(0, 80)), text.size() > 80 ? "…" : "", why));
}

constexpr bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The code point at the front of `text`, which is taken off; U+FFFD for a malformed byte.
char32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (lead >= 0x80 && (length == 1 || text.size() < length)) {
    text.remove_prefix(1);
    return 0xfffd;
  }
  char32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  text.remove_prefix(length);
  return point;
}

/// ASCII stand-ins of the Latin, Greek and Cyrillic letters; "" for what has none.
std::string_view ascii_of(char32_t c) {
  // U+00C0 … U+00FF
  static constexpr std::array<std::string_view, 64> latin1{
      "A", "A", "A", "A", "A", "A", "AE", "C", "E",  "E",  "E", "E", "I", "I", "I", "I", "D",  "N", "O",  "O", "O", "O",
      "O", "x", "O", "U", "U", "U", "U",  "Y", "Th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e",  "e", "e", "e",
      "i", "i", "i", "i", "d", "n", "o",  "o", "o",  "o",  "o", "/", "o", "u", "u", "u", "u",  "y", "th", "y"};
  // U+0100 … U+017F
  static constexpr std::string_view extended_a =
      "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi  JjKkkLlLlLlLlLlNnNnNnnNnOoOoOo  "
      "RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUu"
      "WwYyYZzZzZzs";
  // U+0391 … U+03C9
  static constexpr std::array<std::string_view, 57> greek{
      "A", "B",  "G",  "D",  "E",  "Z", "E", "Th", "I", "K", "L", "M", "N", "X", "O", "P",  "R",  "",   "S",
      "T", "Y",  "Ph", "Ch", "Ps", "O", "I", "Y",  "a", "e", "e", "i", "y", "a", "b", "g",  "d",  "e",  "z",
      "e", "th", "i",  "k",  "l",  "m", "n", "x",  "o", "p", "r", "s", "s", "t", "y", "ph", "ch", "ps", "o"};
  // U+0410 … U+042F, and the same again in lower case
  static constexpr std::array<std::string_view, 32> cyrillic{
      "a", "b", "v", "g", "d", "e",  "zh", "z",  "i",  "i",    "k", "l", "m", "n", "o",  "p",
      "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "",  "y", "",  "e", "iu", "ia"};
  if (c >= 0xc0 && c <= 0xff) return latin1[c - 0xc0];
  if (c == 0x132 || c == 0x133) return "ij";
  if (c == 0x152 || c == 0x153) return "oe";
  if (c >= 0x100 && c <= 0x17f) return extended_a.substr(c - 0x100, 1);
  if (c >= 0x391 && c <= 0x3c9) return greek[c - 0x391];
  if (c >= 0x410 && c <= 0x44f) return cyrillic[(c - 0x410) % 32];
  if (c == 0x401 || c == 0x451) return "e";
  if (c == 0xb5) return "u";
  if (c == 0x1e9e) return "ss";
  return "";
}

}  // namespace

std::string slugify(std::string_view name) {
  std::string out;
  bool gap = false;
  const auto put = [&](char c) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!is_alnum(c)) {
      gap = true;
      return;
    }
    if (gap && !out.empty()) out += '-';
    gap = false;
    out += c;
  };
  while (!name.empty()) {
    const auto point = take_code_point(name);
    if (point < 0x80) {
      put(static_cast<char>(point));
      continue;
    }
    const auto text = ascii_of(point);
    if (text.empty()) gap = true;
    for (const char c : text)
      put(c);
  }
  if (out.size() > 64) {
    out.resize(64);
    while (!out.empty() && out.back() == '-')
      out.pop_back();
  }
  return out;
}

Result<Slug> Slug::parse(std::string_view text) {
  if (text.empty() || text.size() > 64) return bad("slug", text, "must have 1 to 64 bytes");
  if (text.front() == '-' || text.back() == '-' || text.find("--") != std::string_view::npos ||
      !std::all_of(text.begin(), text.end(),
                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }))
    return bad("slug", text, "must be lower-case letters and digits, joined by single hyphens");
  return Slug(std::string(text));
}

namespace {

bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x9 && c <= 0xd) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool trimmed(std::string_view text) {
  auto front = text;
  if (is_space(take_code_point(front))) return false;
  std::size_t last = text.size() - 1;
  while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xc0) == 0x80)
    --last;
  auto back = text.substr(last);
  return !is_space(take_code_point(back));
}

Result<void> check_text(std::string_view what, std::string_view text, std::size_t max) {
  if (text.empty()) return bad(what, text, "must not be empty");
  if (text.size() > max) return bad(what, text, fmt::format("has {} bytes, at most {} are allowed", text.size(), max));
  if (!is_utf8(text)) return bad(what, text, "is not valid UTF-8");
  return {};
}

}  // namespace

template <std::size_t Max>
Result<Name<Max>> Name<Max>::parse(std::string_view text) {
  BENCHER_DO(check_text("name", text, Max));
  if (!trimmed(text)) return bad("name", text, "must not begin or end with white space");
  return Name(std::string(text));
}
template class Name<64>;

Result<UserName> UserName::parse(std::string_view text) {
  BENCHER_DO(check_text("user name", text, 64));
  if (!trimmed(text)) return bad("user name", text, "must not begin or end with white space");
  for (const char c : text)
    if (!is_alnum(c) && std::string_view(" ,.'-").find(c) == std::string_view::npos)
      return bad("user name", text, "may hold letters, digits, spaces and , . ' - only");
  UserName out;
  out.text_ = text;
  return out;
}

Result<BranchName> BranchName::parse(std::string_view text) {
  BENCHER_DO(check_text("branch name", text, 256));
  const auto has = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  const auto control = std::any_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u <= 0x20 || u == 0x7f || std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
  });
  if (control) return bad("branch name", text, "must not hold control characters, spaces or any of ~ ^ : ? * [ \\");
  if (has("..") || has("@{")) return bad("branch name", text, "must not hold '..' or '@{'");
  if (text.front() == '/' || text.back() == '/' || has("//"))
    return bad("branch name", text, "must not begin or end with '/' or hold '//'");
  if (text.front() == '.' || text.ends_with(".lock"))
    return bad("branch name", text, "must not begin with '.' or end with '.lock'");
  BranchName out;
  out.text_ = text;
  return out;
}

Result<BenchmarkName> BenchmarkName::parse(std::string_view text) {
  BENCHER_DO(check_text("benchmark name", text, 1024));
  BenchmarkName out;
  out.text_ = text;
  return out;
}

Result<Email> Email::parse(std::string_view text) {
  const auto at = text.rfind('@');
  const auto wrong = [&] { return bad("e-mail address", text, "is not valid"); };
  if (at == std::string_view::npos || at == 0 || at > 64 || at + 1 >= text.size() || text.size() - at - 1 > 254)
    return wrong();
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) return wrong();
  for (const char c : local)
    if (!is_alnum(c) && std::string_view("!#$%&'*+/=?^_`{|}~.-").find(c) == std::string_view::npos &&
        static_cast<unsigned char>(c) < 0x80)
      return wrong();
  std::size_t label = 0;
  for (std::size_t i = 0; i <= domain.size(); ++i) {
    if (i == domain.size() || domain[i] == '.') {
      if (label == 0 || label > 63 || domain[i - 1] == '-') return wrong();
      label = 0;
    } else {
      if (!is_alnum(domain[i]) && !(domain[i] == '-' && label > 0) && static_cast<unsigned char>(domain[i]) < 0x80)
        return wrong();
      ++label;
    }
  }
  if (!is_utf8(text)) return wrong();
  Email out;
  out.text_ = text;
  for (auto& c : out.text_)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

Result<GitHash> GitHash::parse(std::string_view text) {
  if (text.size() != 40 || !std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      }))
    return bad("Git hash", text, "must be 40 hex digits");
  GitHash out;
  out.text_ = text;
  return out;
}

Result<ResourceId> ResourceId::parse(std::string_view text) {
  if (auto uuid = AnyUuid::parse(text)) return ResourceId(*uuid);
  if (auto slug = Slug::parse(text)) return ResourceId(*std::move(slug));
  return bad("id", text, "is neither a UUID nor a slug");
}

}  // namespace bencher
