#include "lib/adapter/json_nan.hpp"

#include <algorithm>

#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

bool may_have_nan(std::string_view text) {
  return holds(text, "NaN") || holds(text, "Infinity");
}

std::string null_for_nan(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  std::size_t at = 0;
  while (at < text.size()) {
    const auto next = std::min(text.find_first_of("\"NI-", at), text.size());
    out.append(text, at, next - at);
    at = next;
    if (at == text.size()) break;
    if (text[at] == '"') {
      auto end = at + 1;
      while (end < text.size() && text[end] != '"')
        end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
      out.append(text, at, end - at);
      at = end;
      continue;
    }
    std::size_t size = 0;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"})
      if (text.substr(at).starts_with(word)) size = word.size();
    if (size > 0)
      out += "null";
    else
      out += text[at];
    at += std::max<std::size_t>(size, 1);
  }
  return out;
}

}  // namespace

std::optional<std::string> without_nan(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[') || !may_have_nan(text)) return {};
  return null_for_nan(text);
}

}  // namespace bencher::adapter
