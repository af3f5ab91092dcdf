// nanobench: the table that it prints, and what its CSV template renders.

#include <fmt/core.h>

#include "lib/adapter/nanobench.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view csv_header = R"("title";"name";"unit";"batch";"elapsed")";

/// The cells of a line behind its first `|`, at most `most`: the last one has the rest.
void cells_of(std::string_view line, std::size_t most, std::vector<std::string_view>& out) {
  out.clear();
  line = trimmed(line);
  if (line.starts_with('|')) line.remove_prefix(1);
  while (out.size() + 1 < most) {
    const auto bar = line.find('|');
    if (bar == std::string_view::npos) break;
    out.push_back(trimmed(line.substr(0, bar)));
    line.remove_prefix(bar + 1);
  }
  out.push_back(trimmed(line));
}

class Tables {
 public:
  explicit Tables(Builder& out) : out_(out) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      line = trimmed(line);
      if (line.starts_with(csv_header)) {
        form_ = Form::csv;
        header_ = fields_of(line.substr(csv_header.size()));
      } else if (line.starts_with('|') && header(line)) {
        form_ = Form::table;
      } else if (form_ == Form::csv && line.starts_with('"')) {
        csv_row(line);
      } else if (form_ == Form::table && line.starts_with('|')) {
        row(line);
      }
    }
  }

  bool failures() const { return failures_; }

 private:
  enum class Form { none, csv, table };

  /// `|  relative |  ns/op |  op/s |  err% |  ins/op | … |  total | TITLE`.
  bool header(std::string_view line) {
    constexpr std::size_t most = 16;
    if (!holds(line, "err%")) return false;
    auto& cells = cells_;
    cells_of(line, most, cells);
    double to_ns = 0;
    std::size_t time = SIZE_MAX, error = SIZE_MAX, last = SIZE_MAX;
    std::string_view unit;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto slash = cells[i].find('/');
      if (cells[i] == "err%") error = i;
      if (cells[i] == "total" && error != SIZE_MAX && last == SIZE_MAX) last = i + 1;
      if (time != SIZE_MAX || slash == std::string_view::npos || !any_unit(cells[i].substr(0, slash), to_ns)) continue;
      time = i;
      unit = cells[i].substr(slash + 1);
    }
    if (time == SIZE_MAX || error == SIZE_MAX) return false;
    last = last == SIZE_MAX ? cells.size() - 1 : last;
    if (last <= error || last >= cells.size()) return false;
    cells_of(line, last + 1, cells);
    title_ = cells.back();
    unit_ = unit;
    time_ = time;
    error_ = error;
    to_seconds_ = to_ns / 1e9;
    columns_ = cells;
    counters_.clear();
    for (const auto column : columns_)
      counters_.push_back(column.starts_with("ins/")   ? std::string_view("instructions")
                          : column.starts_with("cyc/") ? std::string_view("cpucycles")
                          : column.starts_with("bra/") ? std::string_view("branchinstructions")
                                                       : std::string_view());
    return true;
  }

  /// What stands in code marks; a mark in the name is doubled.
  static std::string name_in(std::string_view cell) {
    std::string out;
    auto at = cell.find('`');
    if (at == std::string_view::npos) return out;
    for (++at; at < cell.size() && out.size() <= 1024; ++at) {
      if (cell[at] == '`' && (++at == cell.size() || cell[at] != '`')) return out;
      out += cell[at];
    }
    return {};
  }

  void row(std::string_view line) {
    auto& cells = cells_;
    cells_of(line, columns_.size(), cells);
    if (cells.size() != columns_.size()) return;
    NanobenchResult one;
    one.name = name_in(cells.back());
    if (!name_fits(one.name)) return;
    one.title = title_;
    one.unit = unit_;
    double value = 0;
    if (number_in(cells[time_], value)) one.median = value * to_seconds_;
    auto error = cells[error_];
    if (error.ends_with('%')) error.remove_suffix(1);
    if (number_in(error, value)) one.error = value / 100;
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (!counters_[i].empty() && number_in(cells[i], value)) one.counters.emplace_back(counters_[i], value);
    failures_ |= !add(one, out_);
  }

  /// `;"error %";"instructions"`.
  static std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> out;
    while (line.starts_with(';')) {
      line.remove_prefix(1);
      const auto end = std::min(line.find(';'), line.size());
      auto field = line.substr(0, end);
      if (field.size() >= 2 && field.starts_with('"') && field.ends_with('"'))
        field = field.substr(1, field.size() - 2);
      out.push_back(field);
      line.remove_prefix(end);
    }
    return out;
  }

  /// `"TITLE";"NAME";"UNIT";BATCH;ELAPSED;…`, in which quotes of names are as they are.
  void csv_row(std::string_view line) {
    constexpr std::string_view between = "\";\"";
    const auto first = line.find(between), second = line.rfind(between);
    if (first == std::string_view::npos || second <= first) return;
    const auto last = line.find("\";", second + between.size());
    if (last == std::string_view::npos) return;
    NanobenchResult one;
    one.title = line.substr(1, first - 1);
    one.name = line.substr(first + between.size(), second - first - between.size());
    one.unit = line.substr(second + between.size(), last - second - between.size());
    if (!name_fits(one.name)) return;
    const auto values = fields_of(line.substr(last + 1));
    double value = 0;
    // A line that breaks off would have a part of a number.
    if (values.size() != header_.size() + 2 || !any_number(values[0], one.batch)) return;
    if (any_number(values[1], value)) one.median = value;
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (!any_number(values[i + 2], value)) continue;
      if (header_[i] == "error %") one.error = value;
      if (header_[i] == "instructions") one.counters.emplace_back("instructions", value);
      if (header_[i] == "branches") one.counters.emplace_back("branchinstructions", value);
      if (header_[i] == "branch misses") one.counters.emplace_back("branchmisses", value);
    }
    failures_ |= !add(one, out_);
  }

  Builder& out_;
  Form form_ = Form::none;
  bool failures_ = false;
  std::vector<std::string_view> cells_;
  std::vector<std::string_view> columns_;   ///< of the table
  std::vector<std::string_view> counters_;  ///< what the columns count; empty: none
  std::vector<std::string_view> header_;    ///< of the CSV, behind `elapsed`
  std::size_t time_ = 0, error_ = 0;
  double to_seconds_ = 1;
  std::string_view title_, unit_;
};

}  // namespace

Result<void> read_nanobench_text(std::string_view text, Builder& out) {
  Tables tables(out);
  tables.read(text);
  if (!out.empty()) return {};
  if (tables.failures()) return Error(Errc::invalid_argument, "the table has no benchmark in it that gave a result");
  return no_match(text, nullptr, "| ns/op | op/s | err% | total | TITLE");
}

}  // namespace bencher::adapter
