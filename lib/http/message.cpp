#include "lib/http/message.hpp"

#include <algorithm>

#include "bencher/base/encoding.hpp"

namespace bencher::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return Error(Errc::invalid_argument, "the URL holds a '%' that two hex digits do not follow");
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!is_utf8(out)) return Error(Errc::invalid_argument, "the URL is not valid UTF-8");
  return out;
}

}  // namespace

const std::string* RequestHead::header(std::string_view name) const {
  for (const auto& h : headers)
    if (std::equal(h.name.begin(), h.name.end(), name.begin(), name.end(),
                   [](char a, char b) { return lower(a) == lower(b); }))
      return &h.value;
  return nullptr;
}

std::string RequestHead::path() const {
  if (segments.empty()) return "/";
  std::string out;
  for (const auto& s : segments) {
    out += '/';
    out += s;
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto item = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (item.empty()) continue;
    const auto equals = item.find('=');
    BENCHER_TRY(auto key, decode(item.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      BENCHER_TRY(value, decode(item.substr(equals + 1), true));
    }
    out.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

Result<std::vector<std::string>> parse_path(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto end = path.find('/');
    const auto item = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (item.empty()) continue;
    BENCHER_TRY(auto segment, decode(item, false));
    if (segment == "." || segment == "..") return Error(Errc::invalid_argument, "the path holds '.' or '..'");
    out.push_back(std::move(segment));
  }
  return out;
}

}  // namespace bencher::http
