// What Bun prints with a time: console.time as `[12.5ms] NAME`, and tests of `bun test` as `(pass) NAME [12.5ms]`.

#include "lib/adapter/js_time.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {

bool bun_test_line(std::string_view line, std::string_view& name, double& ns) {
  line = trimmed(line);
  Cursor at(line);
  if (!at.take("(pass) ") && !at.take("\u2713 ") && !at.take("\u2714 ")) return false;
  line = at.rest();
  const auto open = line.rfind('[');
  if (!line.ends_with(']') || open == std::string_view::npos) return false;
  name = trimmed(line.substr(0, open));
  return name_fits(name) && duration_in(line.substr(open + 1, line.size() - open - 2), ns);
}

Result<void> read_bun(std::string_view text, Builder& out) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("]", line);) {
    std::string_view name;
    double ns = 0;
    if (!bun_line(line, name, ns) && !bun_test_line(line, name, ns)) continue;
    out.benchmark(name);
    out.latency({ns, {}, {}});
  }
  if (out.empty()) return no_match(text, nullptr, "[12.5ms] NAME' or '(pass) NAME [12.5ms]");
  return {};
}

}  // namespace bencher::adapter
