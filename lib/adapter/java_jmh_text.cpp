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
constexpr std::string_view about = "\u2248";

/// What stands for either where the terminal or file is not UTF-8.
bool lost_sign(std::string_view word) {
  return word == "?" || word == "\ufffd";
}

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

/// JMH groups no thousands: a comma is the decimal point of the locale.
bool jmh_number(std::string_view word, double& out) {
  if (std::find(word.begin(), word.end(), ',') == word.end()) return any_number(word, out);
  std::string plain(word.substr(0, 64));
  std::replace(plain.begin(), plain.end(), ',', '.');
  return any_number(plain, out);
}

/// Without its first words: what builds and CI put before every line, such as `[INFO]` or a time.
std::string_view without_words(std::string_view line, std::size_t count) {
  Cursor at(line);
  for (; count > 0 && !at.done(); --count) {
    at.skip();
    (void)at.word();
  }
  at.skip();
  return at.rest();
}

/// How many words stand before `found`, which is within the line; too many: it is no prefix.
constexpr std::size_t most_prefix_words = 4;
std::size_t words_before(std::string_view line, std::size_t found) {
  std::size_t count = 0;
  Cursor at(line.substr(0, found));
  for (at.skip(); !at.done() && count <= most_prefix_words; at.skip(), ++count)
    (void)at.word();
  return count;
}

/// The name of another figure without the benchmark's: `gc.time` of `alloc:·gc.time`, `p0.50` of `x:x·p0.50`.
std::string_view figure(std::string_view extra) {
  if (const auto dot = extra.find("\u00b7"); dot != std::string_view::npos) return extra.substr(dot + 2);
  while (extra.starts_with('?') || extra.starts_with("\ufffd"))
    extra.remove_prefix(extra.front() == '?' ? 1 : 3);
  return extra;
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
    for (std::string_view line; in_table ? lines.next(line) : lines.next_with("Benchmark ", line);) {
      const auto shown = trimmed(line);
      if (in_table && row(prefix_words_ == 0 ? shown : without_words(shown, prefix_words_))) continue;
      in_table = false;
      const auto at = place_of(line, "Benchmark ");
      if (const auto before = at == std::string_view::npos ? most_prefix_words + 1 : words_before(line, at);
          before <= most_prefix_words && (at == 0 || blank(line[at - 1])) && header(trimmed(line.substr(at)))) {
        prefix_words_ = before;
        in_table = true;
      }
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
    ends_.clear();
    std::size_t column = 0;
    const char* counted = line.data();
    for (const auto word : words_)
      if (word.size() > 2 && word.front() == '(' && word.back() == ')' && !word.ends_with("%)")) {
        parameters_.push_back(word.substr(1, word.size() - 2));
        const char* const end = word.data() + word.size();
        ends_.push_back(column += points_in(between(counted, end)));
        counted = end;
      }
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
                 [](std::string_view word) { return word != sign && word != about && !lost_sign(word); });
    double number = 0;
    const auto read = [&](std::string_view word, double& out) {
      return (decimal_ == Decimal::point ? any_number(word, out) : jmh_number(word, out)) || power_of_ten(word, out);
    };
    // The count is missing where there is one iteration only, and with it the error.
    const bool has_sign = std::find(mode, words_.end(), sign) != words_.end();
    std::size_t at = 0;
    std::uint64_t count = 0;
    if (values.size() >= 2 && integer_in(values[0], count) && (values.size() > 2 || !has_sign)) at = 1;
    if (at >= values.size()) return false;
    if (decimal_ == Decimal::open)
      decimal_ = values[at].find(',') != std::string_view::npos   ? Decimal::comma
                 : values[at].find('.') != std::string_view::npos ? Decimal::point
                                                                  : Decimal::open;
    if (!read(values[at], score.value)) {
      out_.warn("rows whose score is no number that can be read are left out");
      return true;
    }
    if (at + 1 < values.size() && read(values[at + 1], number)) score.error = number;
    add(line, score, *mode, mode);
    return true;
  }

  /// Where the values have blanks in them, each ends in its column.
  bool cut_at_columns(std::string_view line, std::string_view name, const char* mode) {
    by_column_.clear();
    auto from = static_cast<std::size_t>(name.data() + name.size() - line.data());
    std::size_t end = 0, last_column = 0;
    for (const auto column : ends_) {
      end += byte_of(line.substr(end), column - last_column);
      last_column = column;
      if (end <= from || line.data() + end >= mode || !blank(line[end]) || blank(line[end - 1])) return false;
      by_column_.push_back(trimmed(line.substr(from, end - from)));
      from = end;
    }
    return trimmed(between(line.data() + from, mode)).empty();
  }

  void add(std::string_view line, const Score& score, std::string_view mode,
           std::vector<std::string_view>::iterator mode_at) {
    const auto name = words_.front();
    auto& parameters = scratch_;
    parameters.clear();
    auto count = static_cast<std::size_t>(mode_at - words_.begin());
    if (count != parameters_.size() + 1 && cut_at_columns(line, name, mode.data())) {
      words_.resize(1);
      words_.insert(words_.end(), by_column_.begin(), by_column_.end());
      count = words_.size();
    }
    for (std::size_t i = 1; i < count; ++i) {
      if (words_[i] == "N/A") continue;
      if (!parameters.empty()) parameters += ", ";
      if (i <= parameters_.size()) parameters.append(name_part(parameters_[i - 1])).append("=");
      parameters += words_[i];
    }
    // A row `NAME:gc.alloc.rate` or `NAME:NAME·p0.50` is another figure of the benchmark above.
    const auto colon = name.rfind(':');
    if (colon != std::string_view::npos && colon > 0 && name.substr(0, colon) == name_ &&
        parameters == row_parameters_) {
      add_score(score, figure(name.substr(colon + 1)), out_);
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
  std::vector<std::string_view> words_, parameters_, values_, by_column_;
  std::vector<std::size_t> ends_;  ///< of the parameters' columns, in code points
  std::size_t prefix_words_ = 0;
  enum class Decimal { open, point, comma } decimal_ = Decimal::open;
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
  std::string last_name, last_parameters, parameters;
  while (cells.take(text, separator)) {
    const auto cell = [&](std::size_t i) { return i < cells.size() ? trimmed(cells[i]) : std::string_view{}; };
    Score score;
    score.unit = cell(unit);
    double number = 0, factor = 0;
    bool throughput = false;
    const auto name = cell(0);
    if (!name_fits(name) || !jmh_number(cell(value), score.value)) continue;
    if (jmh_number(cell(error), number)) score.error = number;
    parameters = cell(mode);
    for (auto i = unit + 1; i < std::min(header.size(), cells.size()); ++i)
      if (header[i].starts_with("Param: ") && !cell(i).empty())
        parameters += fmt::format(", {}={}", name_part(header[i]).substr(7), cell(i));
    // Like in the table, `NAME:gc.time` is another figure of the benchmark above.
    if (const auto colon = name.rfind(':'); colon != std::string_view::npos && colon > 0 &&
                                            name.substr(0, colon) == last_name && parameters == last_parameters) {
      add_score(score, figure(name.substr(colon + 1)), out);
      continue;
    }
    if (!scale_of(score.unit, throughput, factor)) continue;
    last_name = name;
    last_parameters = parameters;
    out.benchmark(name);
    add_score(score, {}, out);
    if (out.wants_distinct_names()) out.distinct_name(fmt::format("{} [{}]", name, parameters));
  }
}

/// `29.5 ±(99.9%) 0.3 ops/s [Average]`, `≈ 10⁻³ ops/us`, `mean = 0.6 ±(99.9%) 5.7 us/op`.
bool log_score(std::string_view line, Score& score) {
  Cursor at(line);
  if (at.take("mean")) {
    at.skip();
    if (!at.take('=')) return false;
    at.skip();
  }
  auto word = at.word();
  if (word == about || lost_sign(word)) {
    at.skip();
    word = at.word();
  }
  if (!(jmh_number(word, score.value) || power_of_ten(word, score.value)) || !at.blanks()) return false;
  if (!at.rest().starts_with("ops/") && (at.take(sign) || at.take('?') || at.take("\ufffd"))) {
    (void)at.word();
    at.skip();
    double number = 0;
    if (!jmh_number(at.word(), number) || !at.blanks()) return false;
    score.error = number;
  }
  score.unit = at.word();
  bool throughput = false;
  double factor = 0;
  return scale_of(score.unit, throughput, factor);
}

/// `Result "NAME":` and below it its score: from a run that was broken off.
void read_log(std::string_view text, Builder& out) {
  constexpr std::string_view head = "Result ";
  Lines lines(text);
  std::string_view name;
  std::size_t prefix_words = 0;
  for (std::string_view line; name.empty() ? lines.next_with(head, line) : lines.next(line);) {
    if (const auto at = place_of(line, head); at != std::string_view::npos) {
      prefix_words = words_before(line, at);
      if (prefix_words > most_prefix_words || (at > 0 && !blank(line[at - 1]))) continue;
      name = trimmed(line.substr(at + head.size()));
      if (name.ends_with(':')) name.remove_suffix(1);
      if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
      if (!name_fits(name)) name = {};
      continue;
    }
    const auto shown = without_words(trimmed(line), prefix_words);
    // Some have their count first.
    if (shown.starts_with("N = ")) continue;
    Score score;
    if (!log_score(shown, score)) {
      if (shown.starts_with('#')) name = {};
      continue;
    }
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
