// What Gungraun (iai-callgrind before) prints: a name of three parts, and below it a block of metrics for each tool.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lib/adapter/gungraun.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "module::group::bench, and below it lines as '  Instructions:  1734|1650  (+5.09%)'";

/// Finds the measure of a label. Lines come in the order of the table most of the time.
class Labels {
 public:
  explicit Labels(Builder& out) : out_(out) {}

  void tool(GungraunTool tool) {
    tool_ = tool;
    guess_ = 0;
  }
  std::optional<Builder::MeasureId> measure(std::string_view label) {
    const auto all = gungraun_measures(tool_);
    for (std::size_t i = 0, at = guess_; i < all.size(); ++i, ++at) {
      if (at >= all.size()) at = 0;
      if (all[at].label != label) continue;
      guess_ = at + 1;
      if (tool_ == GungraunTool::cachegrind && !all[at].cachegrind) return {};
      auto& id = ids_[static_cast<std::size_t>(tool_)][at];
      if (!id) id = out_.measure(all[at].slug);
      return id;
    }
    return {};
  }

 private:
  Builder& out_;
  GungraunTool tool_ = GungraunTool::callgrind;
  std::size_t guess_ = 0;
  std::array<std::array<std::optional<Builder::MeasureId>, 40>, 6> ids_{};
};

/// The tool of a line `  ======= NAME ======`, from behind its blanks.
std::optional<std::string_view> tool_of(std::string_view line) {
  Cursor at(line);
  const auto rule = [&] {
    const char* from = at.at;
    while (at.take('=')) {
    }
    return at.at != from;
  };
  if (!rule() || !at.take(' ')) return {};
  const auto name = at.word();
  if (name.empty() || !at.take(' ') || !rule() || !at.done()) return {};
  return name;
}
std::optional<std::string_view> header_of(std::string_view line) {
  Cursor at(line);
  if (!at.blanks()) return {};
  return tool_of(at.rest());
}

/// `+1.5`, `-inf` and the like.
bool change(Cursor& at) {
  const bool plus = at.take('+');
  if (!plus && !at.take('-')) return false;
  const char sign = at.at[-1];
  const char* from = at.at;
  // Infinity stands between rows of the sign.
  while (at.take(sign)) {
  }
  if (at.take("inf")) {
    while (at.take(sign)) {
    }
    return true;
  }
  double ignored = 0;
  return at.at == from && at.number(ignored);
}

/// What follows the bar of a metric, to the end of the line.
bool comparison(Cursor at) {
  if (at.take("N/A")) {
    if (!at.blanks() || !at.take("(*")) return false;
    while (at.take('*')) {
    }
    return at.take(')') && at.done();
  }
  double old = 0;
  if (!at.number(old)) return false;
  at.skip();
  if (at.take("(No change)")) return at.done();
  return at.take('(') && change(at) && at.take("%)") && at.blanks() && at.take('[') && change(at) && at.take("x]") &&
         at.done();
}

bool metric_line(std::string_view line, std::string_view& label, double& value) {
  Cursor at(line);
  if (!at.blanks()) return false;
  const void* colon = std::memchr(at.at, ':', static_cast<std::size_t>(at.end - at.at));
  if (!colon) return false;
  label = between(at.at, static_cast<const char*>(colon));
  at.at = static_cast<const char*>(colon) + 1;
  return at.blanks() && at.number(value) && at.take('|') && comparison(at);
}

/// One part of a name: up to a colon, a blank or the end of a line.
std::string_view name_part(std::string_view text) {
  return text.substr(0, std::min(text.size(), text.find_first_of(": \t\r\n")));
}

class Strict {
 public:
  Strict(std::string_view text, Builder& out) : text_(text), out_(out), labels_(out) {}

  void read() {
    while (at_ < text_.size()) {
      if (begin())
        blocks();
      else
        skip_line();
    }
  }
  bool any() const { return any_; }
  /// Gives the benchmarks that wait for a first metric.
  void flush() {
    for (const auto name : waiting_)
      out_.benchmark(name);
    waiting_.clear();
    waits_ = false;
  }

 private:
  /// A benchmark's name, across lines up to the first one that is indented.
  bool begin() {
    auto rest = text_.substr(at_);
    const auto first = name_part(rest);
    if (first.empty() || !rest.substr(first.size()).starts_with("::")) return false;
    rest.remove_prefix(first.size() + 2);
    const auto second = name_part(rest);
    if (second.empty() || !rest.substr(second.size()).starts_with("::")) return false;
    const std::size_t tail = at_ + first.size() + 2 + second.size() + 2;
    if (no_more_) return false;
    const auto end = place_of(text_.substr(tail), "\n  ");
    if (end == std::string_view::npos) {
      no_more_ = true;
      return false;
    }
    if (end == 0) return false;
    const auto name = trimmed(text_.substr(at_, tail + end - at_));
    at_ = tail + end + 1;
    kept_ = name_fits(name);
    if (!kept_) return true;
    constexpr std::size_t most_waiting = 4096;
    if (waiting_.size() == most_waiting) flush();
    if (waits_)
      waiting_.push_back(name);
    else
      out_.benchmark(name);
    return true;
  }

  void blocks() {
    labels_.tool(GungraunTool::callgrind);
    for (bool first = true;; first = false) {
      const auto before = at_;
      std::string_view line;
      if (!take_line(line)) return;
      if (const auto header = header_of(line)) {
        GungraunTool tool{};
        if (!upper_case(*header) || !gungraun_tool(*header, tool)) {
          at_ = before;
          return;
        }
        labels_.tool(tool);
      } else {
        at_ = before;
        if (!first) return;
      }
      if (!metrics()) return;
    }
  }

  /// One metric line or more.
  bool metrics() {
    bool any = false;
    for (;;) {
      const auto before = at_;
      std::string_view line, label;
      double value = 0;
      if (!take_line(line) || !metric_line(line, label, value)) {
        at_ = before;
        return any;
      }
      any = true;
      if (!kept_) continue;
      const auto measure = labels_.measure(label);
      if (!measure) continue;
      if (waits_) flush();
      any_ = true;
      out_.metric(*measure, {value, {}, {}});
    }
  }

  /// A line that has its line feed, and the empty lines after it.
  bool take_line(std::string_view& line) {
    const auto feed = text_.find('\n', at_);
    if (feed == std::string_view::npos) return false;
    line = text_.substr(at_, feed - at_);
    at_ = feed;
    while (at_ < text_.size() && text_[at_] == '\n')
      ++at_;
    return true;
  }
  void skip_line() {
    const auto feed = text_.find('\n', at_);
    at_ = feed == std::string_view::npos ? text_.size() : feed + 1;
  }
  static bool upper_case(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  }

  std::string_view text_;
  Builder& out_;
  Labels labels_;
  std::size_t at_ = 0;
  bool any_ = false;  ///< whether there was any metric
  bool waits_ = true;
  std::vector<std::string_view> waiting_;
  bool kept_ = false;     ///< whether the benchmark has a name that may be
  bool no_more_ = false;  ///< whether no indented line follows any more
};

/// Names of two parts or more, metrics without a comparison, of the old run only or without a last line feed, those
/// below a line `Baselines:`, and those of --show-grid, which begin with a bar.
void read_further(std::string_view text, Builder& out) {
  Labels labels(out);
  Lines lines(text);
  std::string_view name;
  bool begun = false, known_tool = true;
  for (std::string_view line; lines.next(line);) {
    const bool grid = line.starts_with('|');
    const bool indented = grid || (!line.empty() && blank(line.front()));
    const auto shown = trimmed(grid ? line.substr(1) : line);
    if (shown.empty()) continue;
    if (!indented && place_of(shown, "::") != std::string_view::npos) {
      name = shown;
      begun = false;
      known_tool = true;
      labels.tool(GungraunTool::callgrind);
      continue;
    }
    if (const auto header = indented ? tool_of(shown) : std::nullopt) {
      GungraunTool tool{};
      known_tool = gungraun_tool(*header, tool);
      if (known_tool) labels.tool(tool);
      continue;
    }
    const auto colon = shown.find(':');
    if (!indented || !known_tool || colon == std::string_view::npos || !name_fits(name)) continue;
    auto value_text = trimmed(shown.substr(colon + 1));
    double value = 0;
    if (!take_number(value_text, value)) continue;
    if (!value_text.empty() && value_text.front() != '|' && !blank(value_text.front())) continue;
    const auto measure = labels.measure(shown.substr(0, colon));
    if (!measure) continue;
    if (!begun) out.benchmark(name);
    begun = true;
    out.metric(*measure, {value, {}, {}});
  }
}

}  // namespace

Result<void> read_gungraun_stdout(std::string_view text, Builder& out) {
  std::string plain;
  if (has_controls(text)) text = plain = strip_controls(text);
  Strict strict(text, out);
  strict.read();
  if (!strict.any()) {
    // Benchmarks without a metric are results, but metrics that were not seen are better ones.
    read_further(text, out);
    if (out.empty()) strict.flush();
  }
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

Result<void> read_gungraun_stdout_extended(std::string_view text, Builder& out) {
  read_further(text, out);
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
