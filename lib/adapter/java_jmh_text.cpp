// The table that JMH prints at its end, its CSV (`-rf csv`), and where there is neither the results of each benchmark;
// the JSON is in java_jmh.cpp.

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view form = "NAME  thrpt  5  12.5 \u00b1 0.1  ops/s";
constexpr std::string_view sign = "\u00b1";

/// `ms/op` is a latency, `ops/ms` a throughput. False: another unit.
bool scale_of(std::string_view unit, bool& throughput, double& factor) {
  double ns = 0;
  throughput = unit.starts_with("ops/");
  if (throughput) {
    if (!any_unit(unit.substr(4), ns)) return false;
    factor = 1e9 / ns;
    return true;
  }
  if (!unit.ends_with("/op") || !any_unit(unit.substr(0, unit.size() - 3), ns)) return false;
  factor = ns;
  return true;
}

struct Score {
  double value = 0;
  std::optional<double> error;
  std::string_view unit;
};

/// Score, error and unit; the first two as they are printed.
void add_score(const Score& score, std::string_view extra, Builder& out) {
  bool throughput = false;
  double factor = 1;
  const auto scaled_by = [&](double by) {
    Metric metric{score.value * by, {}, {}};
    if (score.error) {
      metric.lower = (score.value - *score.error) * by;
      metric.upper = (score.value + *score.error) * by;
    }
    return metric;
  };
  if (!extra.empty())
    out.extra(extra, scaled_by(1));
  else if (scale_of(score.unit, throughput, factor))
    throughput ? out.throughput(scaled_by(factor)) : out.latency(scaled_by(factor));
}

bool is_mode(std::string_view word) {
  return word == "thrpt" || word == "avgt" || word == "sample" || word == "ss";
}

/// `10⁻⁵`, as JMH prints what is too small for its digits.
bool power_of_ten(std::string_view word, double& out) {
  if (!word.starts_with("10")) return false;
  word.remove_prefix(2);
  static constexpr std::string_view digits[]{"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                             "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  std::string plain = "1e";
  if (word.starts_with("\u207b")) {
    plain += '-';
    word.remove_prefix(3);
  }
  while (!word.empty()) {
    const auto* found = std::find_if(std::begin(digits), std::end(digits), [&](auto d) { return word.starts_with(d); });
    if (found == std::end(digits)) return false;
    plain += static_cast<char>('0' + (found - std::begin(digits)));
    word.remove_prefix(found->size());
  }
  return any_number(plain, out);
}

class Table {
 public:
  explicit Table(Builder& out) : out_(out) {}

  void read(std::string_view text) {
    Lines lines(text);
    bool in_table = false;
    for (std::string_view line; lines.next(line);) {
      const auto shown = trimmed(line);
      if (shown.starts_with("Benchmark ") && header(shown))
        in_table = true;
      else if (in_table)
        in_table = row(shown);
    }
  }

 private:
  /// False: it has too many words for a row.
  bool split(std::string_view line) {
    words_.clear();
    Cursor at(line);
    for (at.skip(); !at.done() && words_.size() <= most_columns; at.skip())
      words_.push_back(at.word());
    return words_.size() <= most_columns;
  }

  bool header(std::string_view line) {
    if (!split(line)) return false;
    const auto has = [&](std::string_view word) {
      return std::find(words_.begin(), words_.end(), word) != words_.end();
    };
    if (!has("Mode") || !has("Score") || !has("Units")) return false;
    parameters_.clear();
    for (const auto word : words_)
      if (word.size() > 2 && word.front() == '(' && word.back() == ')' && !word.ends_with("%)"))
        parameters_.push_back(word.substr(1, word.size() - 2));
    return true;
  }

  /// NAME, its parameters, the mode, a count or none, score, error or none, unit.
  bool row(std::string_view line) {
    if (!split(line)) return false;
    const auto mode = std::find_if(words_.begin(), words_.end(), is_mode);
    if (mode == words_.begin() || words_.end() - mode < 3) return false;
    Score score;
    score.unit = words_.back();
    auto& values = values_;
    values.clear();
    std::copy_if(mode + 1, words_.end() - 1, std::back_inserter(values),
                 [](std::string_view word) { return word != sign && word != "\u2248"; });
    double number = 0;
    const auto read = [&](std::string_view word, double& out) {
      return any_number(word, out) || power_of_ten(word, out);
    };
    // The count is missing where there is one iteration only, and with it the error.
    const bool has_sign = std::find(mode, words_.end(), sign) != words_.end();
    std::size_t at = 0;
    std::uint64_t count = 0;
    if (values.size() >= 2 && integer_in(values[0], count) && (values.size() > 2 || !has_sign)) at = 1;
    if (at >= values.size() || !read(values[at], score.value)) return false;
    if (at + 1 < values.size() && read(values[at + 1], number)) score.error = number;
    add(score, *mode, mode);
    return true;
  }

  void add(const Score& score, std::string_view mode, std::vector<std::string_view>::iterator mode_at) {
    auto name = words_.front();
    auto& parameters = scratch_;
    parameters.clear();
    const auto count = static_cast<std::size_t>(mode_at - words_.begin());
    for (std::size_t i = 1; i < count; ++i) {
      if (words_[i] == "N/A") continue;
      if (!parameters.empty()) parameters += ", ";
      if (i <= parameters_.size()) parameters.append(name_part(parameters_[i - 1])).append("=");
      parameters += words_[i];
    }
    // A row `NAME:gc.alloc.rate` or `NAME:NAME·p0.50` is another figure of the benchmark above.
    const auto colon = name.rfind(':');
    if (colon != std::string_view::npos && name.substr(0, colon) == name_ && parameters == row_parameters_) {
      auto extra = name.substr(colon + 1);
      if (const auto dot = extra.find("\u00b7"); dot != std::string_view::npos) extra = extra.substr(dot + 2);
      add_score(score, extra, out_);
      return;
    }
    bool throughput = false;
    double factor = 0;
    if (!name_fits(name) || !scale_of(score.unit, throughput, factor)) return;
    name_ = name;
    row_parameters_ = parameters;
    out_.benchmark(name);
    add_score(score, {}, out_);
    if (out_.wants_distinct_names())
      out_.distinct_name(fmt::format("{} [{}{}{}]", name, mode, parameters.empty() ? "" : ", ", parameters));
  }

  Builder& out_;
  std::vector<std::string_view> words_, parameters_, values_;
  std::string_view name_;
  std::string row_parameters_, scratch_;
};

/// `"Benchmark","Mode","Threads","Samples","Score","Score Error (99.9%)","Unit","Param: n"`.
void read_csv(std::string_view text, Builder& out) {
  CsvRecord cells;
  const char separator = text.starts_with("\"Benchmark\";") ? ';' : ',';
  if (!cells.take(text, separator)) return;
  const std::vector<std::string> header(cells.begin(), cells.end());
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(
        std::find_if(header.begin(), header.end(), [&](const auto& h) { return h.starts_with(name); }) -
        header.begin());
  };
  const auto mode = column("Mode"), value = column("Score"), error = column("Score Error"), unit = column("Unit");
  while (cells.take(text, separator)) {
    const auto cell = [&](std::size_t i) { return i < cells.size() ? trimmed(cells[i]) : std::string_view{}; };
    Score score;
    score.unit = cell(unit);
    double number = 0, factor = 0;
    bool throughput = false;
    if (!name_fits(cell(0)) || !any_number(cell(value), score.value) || !scale_of(score.unit, throughput, factor))
      continue;
    if (any_number(cell(error), number)) score.error = number;
    out.benchmark(cell(0));
    add_score(score, {}, out);
    if (!out.wants_distinct_names()) continue;
    std::string parameters;
    for (auto i = unit + 1; i < std::min(header.size(), cells.size()); ++i)
      if (header[i].starts_with("Param: ") && !cell(i).empty())
        parameters += fmt::format(", {}={}", name_part(header[i]).substr(7), cell(i));
    out.distinct_name(fmt::format("{} [{}{}]", cell(0), cell(mode), parameters));
  }
}

/// `Result "NAME":` and below it `29.5 ±(99.9%) 0.3 ops/s [Average]`: from a run that was broken off.
void read_log(std::string_view text, Builder& out) {
  Lines lines(text);
  std::string_view name;
  for (std::string_view line; lines.next(line);) {
    const auto shown = trimmed(line);
    if (shown.starts_with("Result ")) {
      name = shown.substr(7);
      if (name.ends_with(':')) name.remove_suffix(1);
      if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
      continue;
    }
    if (!name_fits(name) || shown.empty() || !digit(shown.front())) continue;
    Cursor at(shown);
    Score score;
    double number = 0, factor = 0;
    bool throughput = false;
    if (!any_number(at.word(), score.value) || !at.blanks()) continue;
    if (at.take(sign)) {
      (void)at.word();
      at.skip();
      if (!any_number(at.word(), number) || !at.blanks()) continue;
      score.error = number;
    }
    score.unit = at.word();
    if (!scale_of(score.unit, throughput, factor)) continue;
    out.benchmark(name);
    add_score(score, {}, out);
    name = {};
  }
}

}  // namespace

Result<void> read_jmh_text(std::string_view text, Builder& out) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("\"Benchmark\"", line);)
    if (line.starts_with("\"Benchmark\"")) {
      read_csv(between(line.data(), text.data() + text.size()), out);
      break;
    }
  if (out.empty()) Table(out).read(text);
  if (out.empty()) read_log(text, out);
  if (out.empty()) return no_match(text, nullptr, form);
  return {};
}

}  // namespace bencher::adapter
