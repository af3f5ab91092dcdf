// Both outputs of Gungraun: its JSON summaries, and if there are none what it prints for people.

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

/// Stands in every summary, and in little else.
constexpr std::string_view mark = "module_path";

}  // namespace

Result<void> read_gungraun(std::string_view text, Builder& out) {
  if (holds(text, mark) && read_gungraun_json(text, out)) return {};
  return read_gungraun_stdout(text, out);
}

Result<void> read_gungraun_extended(std::string_view text, Builder& out) {
  if (holds(text, mark) && read_gungraun_json_extended(text, out)) return {};
  return read_gungraun_stdout_extended(text, out);
}

}  // namespace bencher::adapter
