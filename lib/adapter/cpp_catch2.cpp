// Catch2's benchmarks: the console reporter of versions 2 and 3, and its XML reporter.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"
#include "lib/adapter/xml.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view rule = "-------------------------------------------------------------------------------";
constexpr std::string_view form =
    "a test case between two lines of 79 hyphens, and below it rows of three lines: 'NAME 100 20 1.5 ms', "
    "'12 ns 11 ns 13 ns' (mean), '2 ns 1 ns 3 ns' (standard deviation)";
static_assert(rule.size() == 79);

/// A number and a unit before `at`. `any`: also minutes, exponents and signs, which the reporter prints and the
/// reference does not read.
template <bool any>
bool time_before(Backward& at, double& ns) {
  double factor = 0;
  if (any && at.take('m'))
    factor = 60e9;
  else if (!at.unit(factor))
    return false;
  if (!at.blanks()) return false;
  if (any) {
    const char* const end = at.at;
    while (at.at != at.begin && !blank(at.at[-1]))
      --at.at;
    if (!any_number(between(at.at, end), ns)) return false;
  } else if (!at.number(ns)) {
    return false;
  }
  ns *= factor;
  return true;
}

/// `NAME  samples  iterations  estimated time`.
template <bool any = false>
bool head_line(std::string_view line, std::string_view& prefix, double& ns) {
  Backward at(line);
  at.skip();
  if (!time_before<any>(at, ns) || !at.blanks() || !at.integer() || !at.blanks() || !at.integer() || !at.blanks())
    return false;
  prefix = at.rest();
  return true;
}

/// `PREFIX  time  time  time`; the first one is what counts.
template <bool any = false>
bool times_line(std::string_view line, std::string_view& prefix, double& ns) {
  Backward at(line);
  at.skip();
  for (int i = 0; i < 3; ++i)
    if (!time_before<any>(at, ns) || !at.blanks()) return false;
  prefix = at.rest();
  return true;
}

/// The last five lines, which is how far the reference looks.
class Window {
 public:
  void add(std::string_view line) { lines_[count_++ % size] = line; }
  bool full() const { return count_ >= size; }
  std::string_view operator[](std::size_t i) const { return lines_[(count_ + i) % size]; }

  static constexpr std::size_t size = 5;

 private:
  std::array<std::string_view, size> lines_;
  std::size_t count_ = 0;
};

class Strict {
 public:
  explicit Strict(Builder& out) : out_(out) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      window_.add(line);
      if (!window_.full()) continue;
      if (window_[0] == rule)
        test_case();
      else if (has_case_)
        row();
    }
  }

 private:
  void test_case() {
    std::string name(trimmed(window_[1]));
    for (std::size_t i = 2; i < Window::size; ++i) {
      if (window_[i] == rule) {
        case_ = name_part(name);
        has_case_ = true;
        return;
      }
      name += ' ';
      name += trimmed(window_[i]);
    }
  }

  void row() {
    std::string_view first, second, third;
    double ignored = 0, mean = 0, deviation = 0;
    if (!head_line(window_[0], first, ignored)) return;
    if (!times_line(window_[1], second, mean) || !times_line(window_[2], third, deviation)) return not_read();
    name_.assign(case_).append(": ").append(first);
    for (const auto more : {second, third})
      if (!more.empty()) name_.append(" ").append(more);
    if (!name_fits(name_)) return;
    out_.benchmark(name_);
    out_.latency({mean, mean - deviation, mean + deviation});
  }

  void not_read() {
    std::string_view prefix;
    double ns = 0;
    if (times_line<true>(window_[1], prefix, ns) && times_line<true>(window_[2], prefix, ns))
      out_.warn("benchmarks with times like 7.9e-05 ns are left out: the protocol does not read exponents");
  }

  Builder& out_;
  Window window_;
  std::string case_, name_;
  bool has_case_ = false;
};

/// Rows anywhere: without a test case, at the very end, with their names broken above, without analysis.
class Further {
 public:
  explicit Further(Builder& out) : out_(out) {}

  void read(std::string_view text) {
    Lines all(text);
    std::vector<std::string_view> lines;
    // As many as a row or a test case's head may span are looked at together.
    constexpr std::size_t ahead = 12;
    std::size_t first = 0;
    for (std::string_view line; all.next(line);) {
      lines.push_back(line);
      while (lines.size() - first >= ahead)
        first += one(std::span(lines).subspan(first));
      if (first < 64 * ahead) continue;
      lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(first));
      first = 0;
    }
    while (first < lines.size())
      first += one(std::span(lines).subspan(first));
  }

 private:
  static bool is_rule(std::string_view line) {
    line = trimmed(line);
    return line.size() >= 20 && line.find_first_not_of('-') == std::string_view::npos;
  }

  /// Reads what begins with the first of the lines; how many it took.
  std::size_t one(std::span<const std::string_view> lines) {
    const auto shown = trimmed(lines[0]);
    if (is_rule(shown)) {
      above_.clear();
      return test_case(lines);
    }
    if (shown.starts_with("benchmark name")) {
      no_analysis_ = holds(shown, "mean");
      return 1;
    }
    std::string_view first;
    double estimate = 0;
    if (head_line<true>(lines[0], first, estimate)) return row(lines, first, estimate);
    if (shown.empty() || shown.find_first_not_of(".=~") == std::string_view::npos)
      above_.clear();
    else if (above_.size() <= 1024)
      above_.append(above_.empty() ? "" : " ").append(shown.substr(0, 1024));
    return 1;
  }

  std::size_t test_case(std::span<const std::string_view> lines) {
    std::string name;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      std::string_view prefix;
      double ignored = 0;
      if (is_rule(lines[i])) {
        if (!name.empty()) case_ = name_part(name);
        return i;  // that rule may be the first of the next one: it is looked at again
      }
      if (trimmed(lines[i]).empty() || head_line<true>(lines[i], prefix, ignored)) break;
      name.append(name.empty() ? "" : " ").append(trimmed(lines[i]));
    }
    return 1;
  }

  std::size_t row(std::span<const std::string_view> lines, std::string_view first, double estimate) {
    std::string_view second, third;
    double mean = 0, deviation = 0;
    const bool analysed = lines.size() > 1 && times_line<true>(lines[1], second, mean);
    const bool has_deviation = analysed && lines.size() > 2 && times_line<true>(lines[2], third, deviation);
    std::string name = case_;
    if (!name.empty()) name += ": ";
    name += above_;
    for (const auto part : {trimmed(first), trimmed(second), trimmed(third)})
      if (!part.empty()) name.append(name.empty() || name.ends_with(": ") ? "" : " ").append(part);
    above_.clear();
    if (name_fits(name) && (analysed || no_analysis_)) {
      out_.benchmark(name);
      if (has_deviation)
        out_.latency({mean, mean - deviation, mean + deviation});
      else
        out_.latency({analysed ? mean : estimate, {}, {}});
    }
    return has_deviation ? 3 : analysed ? 2 : 1;
  }

  Builder& out_;
  std::string case_, above_;
  bool no_analysis_ = false;
};

Result<void> read_xml(std::string_view text, Builder& out) {
  // What the program printed before may have angle brackets.
  const auto root = place_of(text, "<Catch");
  Xml xml(text, root == std::string_view::npos ? 0 : root);
  struct Level {
    std::size_t depth;
    std::string name;
  };
  std::vector<Level> cases;
  std::string name, number;
  std::optional<double> mean, deviation;
  const auto value = [&](std::optional<double>& into) {
    double read = 0;
    if (xml.attribute("value", number) && any_number(number, read)) into = read;
  };
  for (auto token = xml.next(); token != Xml::Token::end; token = xml.next()) {
    const auto tag = xml.name();
    if (token == Xml::Token::open) {
      if (tag == "TestCase" || tag == "Section") {
        (void)xml.attribute("name", name);
        cases.push_back({xml.depth(), std::string(name_part(trimmed(name)))});
      } else if (tag == "BenchmarkResults") {
        std::string bench;
        (void)xml.attribute("name", bench);
        name.clear();
        for (const auto& level : cases)
          name.append(name.empty() ? "" : " ").append(level.name);
        name.append(name.empty() ? "" : ": ").append(bench);
        mean.reset();
        deviation.reset();
      } else if (tag == "mean") {
        value(mean);
      } else if (tag == "standardDeviation") {
        value(deviation);
      }
    } else {
      if (!cases.empty() && xml.depth() < cases.back().depth) cases.pop_back();
      if (tag == "BenchmarkResults" && mean && name_fits(name)) {
        out.benchmark(name);
        if (deviation)
          out.latency({*mean, *mean - *deviation, *mean + *deviation});
        else
          out.latency({*mean, {}, {}});
      }
    }
  }
  if (xml.failed()) return xml.error();
  if (out.empty()) return Error(Errc::invalid_argument, "the XML has no BenchmarkResults with a mean");
  return {};
}

Error no_rows(std::string_view text) {
  for (const std::string_view other : {"\"catch2-version\"", "<testsuites", "<testExecutions"})
    if (holds(text.substr(0, 4096), other))
      return Error(Errc::invalid_argument,
                   "of Catch2's reporters only console and xml print benchmarks: use '--reporter xml'");
  return no_match(text, nullptr, form);
}

}  // namespace

Result<void> read_catch2(std::string_view text, Builder& out) {
  Strict(out).read(text);
  if (out.empty()) return no_rows(text);
  return {};
}

Result<void> read_catch2_extended(std::string_view text, Builder& out) {
  if (holds(text, "<BenchmarkResults")) return read_xml(text, out);
  Further(out).read(text);
  if (out.empty()) return no_rows(text);
  return {};
}

}  // namespace bencher::adapter
