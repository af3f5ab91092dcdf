#include "tools/adapters_page/excerpt.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace bencher::tools {
namespace {

constexpr std::size_t most_lines = 18, most_columns = 140;
constexpr std::string_view left_out = "…";

/// A line that is not longer than most, whole characters only.
std::string cut(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with(' '))
    line.remove_suffix(1);
  std::size_t columns = 0, at = 0;
  for (; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xc0) != 0x80;
    if (begins && columns++ == most_columns) break;
  }
  return std::string(line.substr(0, at)) + std::string(at < line.size() ? left_out : "");
}

std::string lines_from(std::string_view text, bool begun) {
  std::string out = begun ? std::string(left_out) + "\n" : std::string();
  for (std::size_t i = 0; !text.empty(); ++i) {
    if (i == most_lines) return out + std::string(left_out) + "\n";
    const auto end = std::min(text.find('\n'), text.size());
    out += cut(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

Result<std::string> excerpt(std::string_view text, std::string_view from) {
  const auto hit = text.find(from);
  if (hit == text.npos) return Error(Errc::invalid_argument, fmt::format("the sample does not hold '{}'", from));
  if (from.empty()) return excerpt(text);
  const auto feed = text.rfind('\n', hit);
  return lines_from(text.substr(feed == text.npos ? 0 : feed + 1), feed != text.npos);
}

std::string excerpt(std::string_view text) {
  const auto first = text.find_first_not_of("\r\n");
  return first == text.npos ? std::string() : lines_from(text.substr(first), false);
}

std::string block(std::string_view text, std::string_view language) {
  // Longer than any fence in it.
  std::string fence = "```";
  while (text.find(fence) != text.npos)
    fence += '`';
  return fmt::format("{}{}\n{}{}{}", fence, language, text, text.empty() || text.ends_with('\n') ? "" : "\n", fence);
}

std::string_view language_of(std::string_view file) {
  const auto is = [&](std::string_view end) { return file.ends_with(end); };
  return is(".json") ? "json" : is(".xml") ? "xml" : is(".csv") ? "csv" : "text";
}

}  // namespace bencher::tools
