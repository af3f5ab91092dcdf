// Google Benchmark's console table and its CSV; the JSON is in cpp_google.cpp.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "NAME  4.87 ns  1.04 ns  10000000";

bool is_time_unit(std::string_view word, double& factor) {
  return word.size() <= 3 && any_unit(word, factor);
}

/// What stands in the place of times in the rows of Complexity() and of relative deviations.
bool is_no_time(std::string_view word) {
  static constexpr std::array<std::string_view, 8> words{"%", "N", "lgN", "NlgN", "N^2", "N^3", "(1)", "f(N)"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Whether what seems to be a name is such a row, `NAME 0.5 % 0.1 %`, and the times are of its label. Not inlined, nor
/// are others below: they are seldom asked, in loops that are worth their speed.
[[gnu::noinline]] bool has_no_time(std::string_view name) {
  std::array<std::string_view, 4> words{};
  Cursor at(name);
  for (at.skip(); !at.done(); at.skip()) {
    std::rotate(words.begin(), words.begin() + 1, words.end());
    words[3] = at.word();
    double number = 0;
    if (words[1] == words[3] && is_no_time(words[3]) && any_number(words[0], number) && any_number(words[2], number))
      return true;
  }
  return false;
}

class Console {
 public:
  explicit Console(Builder& out) : out_(out) {}

  void read(std::string_view text) {
    Lines lines(text);
    // Rows have a unit of time; other lines are looked at for errors, and for where the columns of counters end.
    const bool errors = holds(text, "ED: '");
    for (std::string_view line; errors || !columns_.empty() ? lines.next(line) : lines.next_with("s ", line);) {
      if (line.starts_with("Benchmark") && holds(line, "Iterations")) {
        columns_ = line.substr(place_of(line, "Iterations") + 10);
        if (holds(columns_, "UserCounters...")) columns_ = {};
        continue;
      }
      if (!row(line) && (holds(line, "ERROR OCCURRED") || holds(line, "SKIPPED: ")))
        out_.warn("benchmarks that ended with an error or were skipped are left out");
    }
  }

 private:
  struct Word {
    std::string_view text;
    bool number;
  };

  /// Finds the first place in a line with `time unit time unit count`; what is before is the name, which may have
  /// blanks.
  bool row(std::string_view line) {
    std::array<Word, 8> words{};
    std::size_t count = 0;
    Cursor at(line);
    for (at.skip(); !at.done(); at.skip()) {
      const auto word = at.word();
      // The count may have its sign of thousands; a name is not read as a number for nothing.
      words[count++ % words.size()] = {word, digit(word.front()) || word.front() == '-' || word.front() == '.'};
      if (count < 6) continue;
      const auto last = [&](std::size_t i) -> const Word& { return words[(count - 5 + i) % words.size()]; };
      double real_unit = 0, cpu_unit = 0, real = 0, cpu = 0;
      std::uint64_t iterations = 0;
      if (!last(0).number || !last(2).number || !last(4).number || !is_time_unit(last(1).text, real_unit) ||
          !is_time_unit(last(3).text, cpu_unit) || !any_number(last(0).text, real) || !any_number(last(2).text, cpu) ||
          !integer_in(last(4).text, iterations))
        continue;
      const auto name = trimmed(between(line.data(), last(0).text.data()));
      if (!name_fits(name) || (count > 6 && has_no_time(name))) return false;
      out_.benchmark(name);
      out_.latency({real * real_unit, {}, {}});
      out_.extra("cpu_time", cpu * cpu_unit);
      counters(at);
      return true;
    }
    return false;
  }

  /// `Foo=42.5 bytes_per_second=231.059Mi/s`, or with --benchmark_counters_tabular the values of the columns, which end
  /// where the names above them do.
  void counters(Cursor at) {
    const char* const begin = at.at;
    std::size_t taken = 0;
    for (at.skip(); !at.done(); at.skip()) {
      const auto word = at.word();
      const auto equals = word.find('=');
      const auto name = equals != std::string_view::npos
                            ? word.substr(0, equals)
                            : column_that_ends(static_cast<std::size_t>(at.at - begin), taken);
      if (name.empty()) continue;
      if (!out_.wants_extras()) {
        out_.dropped(name);
        continue;
      }
      double value = 0;
      std::string_view rest;
      std::string text(equals == std::string_view::npos ? word : word.substr(equals + 1));
      // Before version 1.8 the prefix of bytes stood for powers of 1024 without saying so.
      if (name == "bytes_per_second" && text.ends_with("/s") && text.size() > 3 && !digit(text[text.size() - 3]) &&
          text[text.size() - 3] != 'i')
        text.insert(text.size() - 2, "i");
      if (!scaled(text, value, rest)) continue;
      if (rest.empty() || rest == "/s" || rest == "s") out_.extra(name, value);
    }
  }

  /// The name of the column that ends there; what stands before it is `taken`.
  [[gnu::noinline]] std::string_view column_that_ends(std::size_t end, std::size_t& taken) const {
    if (end > columns_.size() || blank(columns_[end - 1]) || (end < columns_.size() && !blank(columns_[end])))
      return {};
    const auto name = trimmed(columns_.substr(taken, end - taken));
    taken = end;
    return name;
  }

  Builder& out_;
  std::string_view columns_;  ///< the names of counters, in their places behind Iterations
};

/// The CSV after its header line; what stands before that is the context.
void read_csv(std::string_view text, Builder& out) {
  CsvRecord cells;
  if (!cells.take(text, ',')) return;
  const std::vector<std::string> header(cells.begin(), cells.end());
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const auto time = column("real_time"), cpu_time = column("cpu_time"), unit = column("time_unit"),
             error = column("error_occurred"), label = column("label"), iterations = column("iterations"),
             message = column("error_message");
  std::vector<std::size_t> counters;
  for (std::size_t i = 1; i < header.size(); ++i)
    if (i != time && i != cpu_time && i != unit && i != error && i != label && i != iterations && i != message)
      counters.push_back(i);
  while (cells.take(text, ',')) {
    const auto cell = [&](std::size_t i) { return i < cells.size() ? trimmed(cells[i]) : std::string_view{}; };
    double value = 0, cpu = 0, factor = 0;
    if (cell(error) == "true" || (cell(time).empty() && !cell(message).empty())) {
      out.warn("benchmarks that ended with an error or were skipped are left out");
      continue;
    }
    if (!name_fits(cell(0)) || !any_unit(cell(unit), factor) || !any_number(cell(time), value)) continue;
    out.benchmark(cell(0));
    out.latency({value * factor, {}, {}});
    if (any_number(cell(cpu_time), cpu)) out.extra("cpu_time", cpu * factor);
    for (const auto i : counters)
      if (any_number(cell(i), value)) out.extra(header[i], value);
  }
}

}  // namespace

Result<void> read_google_text(std::string_view text, Builder& out) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("real_time", line);)
    if (line.starts_with("name,iterations,")) {
      read_csv(between(line.data(), text.data() + text.size()), out);
      break;
    }
  if (out.empty()) Console(out).read(text);
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
