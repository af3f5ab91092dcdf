// Texts of many JSON values, one a line, with other lines between them.
#pragma once

#include <string_view>

#include "lib/adapter/text.hpp"
#include "lib/json/reader.hpp"

namespace bencher::adapter {

/// Whether the text has a line that begins as a JSON object does.
inline bool has_json_line(std::string_view text) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("{", line);)
    if (trimmed(line).starts_with('{')) return true;
  return false;
}

/// Calls `object(reader)` for each object. It takes the whole object, or fails the reader; such a line is passed over.
template <class Object>
void json_lines(std::string_view text, Object&& object) {
  // One reader for all of them is much quicker, and goes as far as there is nothing else in the text.
  std::string_view rest = text;
  {
    json::Reader reader(text);
    while (reader.peek() == '{') {
      const auto before = reader.offset();
      if (!object(reader)) {
        rest = text.substr(before);
        break;
      }
      rest = text.substr(reader.failed() ? before : std::min(reader.offset(), text.size()));
    }
  }
  Lines lines(rest);
  for (std::string_view line; lines.next_with("{", line);) {
    line = trimmed(line);
    if (!line.starts_with('{')) continue;
    json::Reader reader(line);
    (void)object(reader);
  }
}

}  // namespace bencher::adapter
