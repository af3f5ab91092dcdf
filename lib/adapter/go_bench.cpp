// Go's testing package: `go test -bench`, as text and as the events of `go test -json` (cmd/test2json).

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "lib/adapter/json_lines.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "BenchmarkName-8  1000  5.0 ns/op";

/// The package of the lines that follow, where these have such a line.
void find_package(std::string_view passed, std::string_view& package) {
  Lines lines(passed);
  for (std::string_view line; lines.next_with("pkg:", line);)
    if (line.starts_with("pkg:")) package = trimmed(line.substr(4));
}

void add_distinct(std::string_view package, std::string_view name, Builder& out) {
  if (!package.empty() && out.wants_distinct_names())
    out.distinct_name(std::string(name_part(package)).append(".").append(name));
}

struct Pair {
  double value;
  std::string_view unit;
};

/// `5.0 ns/op  64 B/op  2 allocs/op`, as far as it goes.
void read_pairs(Cursor at, std::vector<Pair>& out) {
  out.clear();
  while (!at.done() && out.size() < most_columns) {
    double value = 0;
    if (!any_number(at.word(), value) || !at.blanks()) return;
    const auto unit = at.word();
    if (unit.empty()) return;
    out.push_back({value, unit});
    at.skip();
  }
}

/// Counts them without reading their numbers.
void drop_pairs(Cursor at, Builder& out) {
  while (!at.done() && (digit(*at.at) || *at.at == '-')) {
    (void)at.word();
    if (!at.blanks()) return;
    const auto unit = at.word();
    if (unit.empty()) return;
    out.dropped(unit);
    at.skip();
  }
}

/// Exactly the reference's line. What follows the time is left in `rest`.
bool strict_line(std::string_view line, std::string_view& name, double& ns, std::string_view& rest) {
  Cursor at(line);
  name = at.word();
  double value = 0, factor = 0;
  if (!name_fits(name) || !at.blanks() || !at.integer() || !at.blanks() || !at.number(value) || !at.blanks() ||
      !at.unit(factor) || !at.take("/op"))
    return false;
  ns = value * factor;
  rest = {};
  if (at.done()) return true;
  if (!at.blanks()) return false;
  rest = at.rest();
  return at.number(value) && at.blanks();
}

/// Behind the last `/op`, or the beginning.
const char* last_time(std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* last = text.data();
  while (const char* at = find(last, end, "/op"))
    last = at + 3;
  return last;
}

constexpr std::string_view no_time =
    "benchmarks without ns/op have no latency and are left out; all_measures keeps what else they have";

/// The iterations and metrics of `name`, in any order.
bool any_result(std::string_view name, Cursor at, std::string_view package, std::vector<Pair>& pairs, Builder& out) {
  if (!name_fits(name) || !at.integer() || !at.blanks()) return false;
  read_pairs(at, pairs);
  const Pair* time = nullptr;
  double to_ns = 0;
  for (const auto& pair : pairs)
    if (double factor = 0;
        !time && pair.unit.ends_with("/op") && any_unit(pair.unit.substr(0, pair.unit.size() - 3), factor)) {
      time = &pair;
      to_ns = factor;
    }
  // A benchmark may have measures of its own only.
  if (!time && (pairs.empty() || !name.starts_with("Benchmark"))) return false;
  if (!time && !out.wants_extras()) {
    out.warn(std::string(no_time));
    return false;
  }
  out.benchmark(name);
  if (time) out.latency({time->value * to_ns, {}, {}});
  for (const auto& pair : pairs)
    if (&pair != time) out.extra(pair.unit, pair.value);
  add_distinct(package, name, out);
  return true;
}

/// Behind what a benchmark printed before its result: the iterations and metrics at the end of the line.
Cursor result_at_end(Cursor at) {
  std::array<const char*, 64> words{};
  std::size_t count = 0;
  for (at.skip(); !at.done(); at.skip()) {
    words[count++ % words.size()] = at.at;
    (void)at.word();
  }
  const auto word = [&](std::size_t i) {
    Cursor one(between(words[i % words.size()], at.end));
    return one.word();
  };
  const auto first = count > words.size() ? count - words.size() : 0;
  double ignored = 0;
  auto from = count;
  while (from >= first + 3 && !any_number(word(from - 1), ignored) && any_number(word(from - 2), ignored))
    from -= 2;
  return Cursor(from == count ? at.rest() : between(words[(from - 1) % words.size()], at.end));
}

/// Reads lines with results in any order of their metrics, with blanks around them, with their name on a line of
/// its own above, or with other words before and behind it, where the benchmark prints something itself.
class Further {
 public:
  explicit Further(Builder& out) : out_(out) {}

  void read(std::string_view text, std::string_view package) {
    std::string_view name;
    Lines lines(text);
    const char* const end = text.data() + text.size();
    const char* const last = out_.wants_extras() ? end : last_time(text);
    const char* time = text.data();
    for (std::string_view line; lines.next(line);) {
      // Tables of other harnesses have its words too: without a result so far there is none behind the last time.
      if (line.data() >= last && out_.empty()) break;
      const auto shown = trimmed(line);
      Cursor at(shown);
      if (at.take("pkg:")) {
        package = trimmed(at.rest());
        continue;
      }
      const auto word = at.word();
      if (word.empty()) continue;
      at.skip();
      // What a test logs is indented, and may look like a result.
      const bool may_be_name = shown.data() == line.data() || word.starts_with("Benchmark");
      if (may_be_name && result(word, at, package)) {
        name = {};
      } else if (word.starts_with("Benchmark")) {
        name = has_time(shown, time, end) && within(shown, package) ? std::string_view() : word;
      } else if (!name.empty() && digit(word.front()) && result(name, Cursor(shown), package)) {
        name = {};
      } else if (has_time(shown, time, end) && within(shown, package)) {
        name = {};
      }
    }
  }

 private:
  bool result(std::string_view name, Cursor at, std::string_view package) {
    return any_result(name, at, package, pairs_, out_);
  }

  /// Whether `/op` is in the line; `time` goes through the text with the lines.
  static bool has_time(std::string_view line, const char*& time, const char* end) {
    if (time && time < line.data()) time = find(line.data(), end, "/op");
    return time && time < line.data() + line.size();
  }

  /// `printed BenchmarkName-8  printed 1000  5.0 ns/op`.
  bool within(std::string_view line, std::string_view package) {
    const auto at = line.rfind("Benchmark");
    if (at == std::string_view::npos || (at > 0 && !blank(line[at - 1]))) return false;
    Cursor rest(line.substr(at));
    const auto name = rest.word();
    return result(name, result_at_end(rest), package);
  }

  Builder& out_;
  std::vector<Pair> pairs_;
};

/// What each package printed, put together again: test2json cuts a line where the program flushed it.
struct Outputs {
  std::vector<std::pair<std::string, std::string>> packages;
  std::map<std::string, std::size_t, std::less<>> places;

  void add(std::string_view package, std::string_view output) {
    auto place = places.find(package);
    if (place == places.end()) {
      place = places.emplace(std::string(package), packages.size()).first;
      packages.emplace_back(package, "");
    }
    packages[place->second].second += output;
  }
};

/// Results without a time, which are of use only with all measures.
[[gnu::noinline]] void own_measures(std::string_view passed, std::string_view& package, std::vector<Pair>& pairs,
                                    Builder& out) {
  Lines lines(passed);
  for (std::string_view line; lines.next_with("Benchmark", line);) {
    if (out.wants_distinct_names()) find_package(lines.passed(), package);
    Cursor at(line);
    const auto name = at.word();
    at.skip();
    if (name.starts_with("Benchmark")) any_result(name, at, package, pairs, out);
  }
}

/// A line with `s/op` in it that the reference does not read: says what is left out.
[[gnu::noinline]] void not_strict(std::string_view line, std::string_view package, std::vector<Pair>& pairs,
                                  Builder& out) {
  // An event of go test -json.
  if (line.starts_with('{')) return;
  Cursor at(line);
  const auto name = at.word();
  at.skip();
  if (name.starts_with("Benchmark") && at.integer() && at.blanks()) {
    read_pairs(at, pairs);
    if (!pairs.empty() && std::none_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.unit == "ns/op"; })) {
      if (out.wants_extras())
        any_result(name, Cursor(trimmed(line.substr(name.size()))), package, pairs, out);
      else
        out.warn(std::string(no_time));
      return;
    }
  }
  double value = 0, factor = 0;
  Cursor cut(line);
  if (holds(line, "Benchmark") ||
      (cut.integer() && cut.blanks() && cut.number(value) && cut.blanks() && cut.unit(factor) && cut.take("/op")))
    out.warn(
        "results whose line was cut by what the benchmark itself printed are left out; go test -json keeps them apart");
}

Outputs read_events(std::string_view text) {
  Outputs outputs;
  std::string package_text, output_text, action_text;
  json_lines(text, [&](json::Reader& r) {
    std::string_view package, output, action;
    const bool read = json::object(r, "an event", [&](std::string_view key) {
      if (r.peek() != '"') return r.skip();
      if (key == "Package") return r.string(package, package_text);
      if (key == "Output") return r.string(output, output_text);
      if (key == "Action") return r.string(action, action_text);
      return r.skip();
    });
    if (read && action == "output") outputs.add(package, output);
    return read;
  });
  return outputs;
}

Error none_found(std::string_view text, const char* near) {
  if (near && holds(text.substr(0, 4096), "sec/op"))
    return Error(Errc::invalid_argument,
                 "this is a comparison by benchstat, which rounds: give what go test -bench printed");
  return no_match(text, near, form);
}

}  // namespace

Result<void> read_go_bench(std::string_view text, Builder& out) {
  Lines lines(text);
  std::string_view package;
  const char* near = nullptr;
  std::vector<Pair> pairs;
  bool found = false;
  const bool extras = out.wants_extras();
  auto rest_of_text = text;
  for (std::string_view line; lines.next_with("s/op", line);) {
    if (extras) {
      own_measures(lines.passed(), package, pairs, out);
      rest_of_text = lines.rest();
    }
    if (out.wants_distinct_names()) find_package(lines.passed(), package);
    std::string_view name, rest;
    double ns = 0;
    if (!strict_line(line, name, ns, rest)) {
      if (!near) near = line.data();
      not_strict(line, package, pairs, out);
      continue;
    }
    found = true;
    out.benchmark(name);
    out.latency({ns, {}, {}});
    if (!rest.empty()) {
      if (out.wants_extras()) {
        read_pairs(Cursor(rest), pairs);
        for (const auto& pair : pairs)
          out.extra(pair.unit, pair.value);
      } else {
        drop_pairs(Cursor(rest), out);
      }
    }
    add_distinct(package, name, out);
  }
  if (extras) own_measures(rest_of_text, package, pairs, out);
  if (!found) return none_found(text, near);
  return {};
}

Result<void> read_go_bench_extended(std::string_view text, Builder& out) {
  if (trimmed(text.substr(0, 4096)).starts_with('{') || has_json_line(text)) {
    const auto outputs = read_events(text);
    for (const auto& [package, output] : outputs.packages)
      Further(out).read(output, package);
  }
  if (out.empty()) Further(out).read(text, {});
  if (out.empty()) return none_found(text, nullptr);
  return {};
}

}  // namespace bencher::adapter
