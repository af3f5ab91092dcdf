// Both outputs of Gungraun: its JSON summaries, and if there are none what it prints for people.

#include "lib/adapter/registry.hpp"

namespace bencher::adapter {

Result<void> read_gungraun(std::string_view text, Builder& out) {
  if (read_gungraun_json(text, out)) return {};
  return read_gungraun_stdout(text, out);
}

Result<void> read_gungraun_extended(std::string_view text, Builder& out) {
  if (read_gungraun_json_extended(text, out)) return {};
  return read_gungraun_stdout_extended(text, out);
}

}  // namespace bencher::adapter
