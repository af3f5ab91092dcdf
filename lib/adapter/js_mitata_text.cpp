// The tables that mitata and `deno bench` print for people. Deno's began as mitata's and is drawn with bars since
// version 2; mitata has one of these with its format `markdown`.

#include <algorithm>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::string_view ellipsis = "\u2026", bullet = "\u2022 ";

/// `12.5 ns`, `18'734 ns`, in quotes of Markdown; cut off the text.
bool take_time(std::string_view& text, double& ns) {
  Cursor at(text);
  at.skip();
  const char* const begin = at.at;
  const char* quote = nullptr;
  for (; !at.done() && (number_sign(*at.at) || *at.at == '\''); ++at.at)
    if (*at.at == '\'') quote = at.at;
  const auto shown = between(begin, at.at);
  if (shown.empty() || shown.size() > 40) return false;
  if (quote) {
    std::string plain(shown);
    std::erase(plain, '\'');
    if (plain.empty() || !number_in(plain, ns)) return false;
  } else if (!number_in(shown, ns)) {
    return false;
  }
  double factor = 0;
  at.skip();
  if (!at.unit(factor)) return false;
  text = at.rest();
  ns *= factor;
  return true;
}

/// `(68.36 ps … 4.89 µs)`, cut off the text.
bool take_range(std::string_view& text, Metric& out) {
  double least = 0, most = 0;
  Cursor at(text);
  at.skip();
  if (!at.take('(')) return false;
  auto rest = at.rest();
  if (!take_time(rest, least)) return false;
  at = Cursor(rest);
  at.skip();
  if (!at.take(ellipsis)) return false;
  rest = at.rest();
  if (!take_time(rest, most)) return false;
  at = Cursor(rest);
  at.skip();
  if (!at.take(')')) return false;
  text = at.rest();
  out.lower = least;
  out.upper = most;
  return true;
}

/// One benchmark, of which the line below may say more.
struct Row {
  std::string_view name, group;
  Metric latency;
};

class Table {
 public:
  explicit Table(Builder& out) : out_(out) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      const auto shown = trimmed(line);
      if (open_ && below(shown)) continue;
      close();
      if (shown.starts_with('|'))
        piped(shown);
      else if (!named_group(shown))
        plain(shown);
    }
    close();
  }
  bool failures() const { return failures_; }

 private:
  /// `• NAME`, and `group NAME` of Deno.
  bool named_group(std::string_view line) {
    constexpr std::string_view word = "group ";
    if (!line.starts_with(bullet) && !(deno_ && line.starts_with(word))) return false;
    group_ = trimmed(line.substr(line.starts_with(bullet) ? bullet.size() : word.size()));
    return true;
  }

  /// `NAME  12.5 ns/iter …`.
  void plain(std::string_view line) {
    constexpr std::string_view per = "/iter";
    const auto place = place_of(line, per);
    if (place == std::string_view::npos) {
      // Both of them print it before a bench's error.
      if (const auto error = place_of(line, "  error: "); error != std::string_view::npos && header_) {
        failures_ = true;
        out_.warn(fmt::format("'{}' failed and is left out", excerpt(trimmed(line.substr(0, error)), 100)));
      }
      if (!line.starts_with("benchmark ") || !holds(line, "avg")) return;
      header_ = true;
      deno_ = holds(line, "iter/s");
      columns_.clear();
      // What stands behind the range: p75, p99 and so on.
      for (Cursor at(line.substr(line.rfind(')') + 1)); at.skip(), !at.done() && columns_.size() < 8;)
        columns_.push_back(at.word());
      return;
    }
    // Others print `ns/iter` too.
    if (!header_) return;
    auto rest = line.substr(place + per.size());
    double factor = 0;
    Backward at(line.substr(0, place));
    if (!at.unit(factor)) return;
    at.skip();
    const char* const end = at.at;
    while (at.at != at.begin && (number_sign(at.at[-1]) || at.at[-1] == '\''))
      --at.at;
    auto value = between(at.at, line.data() + place);
    Row row;
    if (at.at == end || !at.blanks() || !take_time(value, row.latency.value)) return;
    const auto name = trimmed(at.rest());
    if (!name_fits(name)) return;
    row.name = name;
    row.group = group_;
    if (take_range(rest, row.latency)) {
      add_percentiles(rest);
    } else {
      // Deno has the rate here, mitata 1 a percentile and the range on the line below.
      double number = 0;
      auto after = trimmed(rest);
      if (deno_ && take_number(after, number) && take_range(after, row.latency))
        add_percentiles(after);
      else if (!columns_.empty())
        add_percentiles(rest);
      else if (double ns = 0; take_time(rest, ns))
        extras_.emplace_back("p75", ns);
    }
    open_ = std::move(row);
  }

  void add_percentiles(std::string_view rest) {
    double ns = 0;
    for (std::size_t i = 0; i < columns_.size() && take_time(rest, ns); ++i)
      extras_.emplace_back(columns_[i], ns);
  }

  /// `(68.36 ps … 4.89 µs) 122.31 ps`, of the row above. True if it is one.
  bool below(std::string_view line) {
    double ns = 0;
    if (open_->latency.lower || !take_range(line, open_->latency)) return false;
    if (take_time(line, ns)) extras_.emplace_back("p99", ns);
    return true;
  }

  /// `| benchmark | time/iter (avg) | iter/s | (min … max) | p75 |` or `| NAME | avg | min | p75 | p99 | max |`, a
  /// rule, or a row.
  void piped(std::string_view line) {
    if (!pipe_cells(line, cells_) || cells_.size() < 2) return;
    if (cells_[1] == "avg" || cells_[1] == "time/iter (avg)") {
      header_ = true;
      deno_ = cells_[1] != "avg";
      columns_.assign(cells_.begin(), cells_.end());
      if (!deno_)
        group_ = cells_[0].starts_with(bullet) ? trimmed(cells_[0].substr(bullet.size())) : std::string_view();
      return;
    }
    if (!header_ || cells_[0].empty() || cells_[0].find_first_not_of('-') == std::string_view::npos) return;
    Row row;
    if (cells_[1].starts_with("error")) {
      failures_ = true;
      out_.warn(fmt::format("'{}' failed and is left out", excerpt(cells_[0], 100)));
      return;
    }
    if (cells_.size() != columns_.size() || !name_fits(cells_[0])) return;
    row.name = cells_[0];
    row.group = group_;
    for (std::size_t i = 1; i < cells_.size(); ++i) {
      auto cell = cells_[i];
      if (cell.size() >= 2 && cell.starts_with('`') && cell.ends_with('`')) cell = cell.substr(1, cell.size() - 2);
      double ns = 0;
      if (columns_[i].starts_with('(')) {
        (void)take_range(cell, row.latency);
      } else if (columns_[i] != "iter/s" && take_time(cell, ns)) {
        if (i == 1)
          row.latency.value = ns;
        else if (columns_[i] == "min")
          row.latency.lower = ns;
        else if (columns_[i] == "max")
          row.latency.upper = ns;
        else
          extras_.emplace_back(columns_[i], ns);
      } else if (i == 1) {
        extras_.clear();
        return;
      }
    }
    open_ = std::move(row);
  }

  void close() {
    if (!open_) return;
    out_.benchmark(open_->name);
    out_.latency(open_->latency);
    for (const auto& [measure, ns] : extras_)
      out_.extra(measure, ns);
    if (out_.wants_distinct_names() && !open_->group.empty())
      out_.distinct_name(fmt::format("{} > {}", name_part(open_->group), open_->name));
    open_.reset();
    extras_.clear();
  }

  Builder& out_;
  std::optional<Row> open_;
  std::vector<std::pair<std::string_view, double>> extras_;  ///< of the row that is read, or open
  bool header_ = false, deno_ = false, failures_ = false;
  std::string_view group_;
  std::vector<std::string_view> columns_, cells_;
};

Result<void> finished(const Table& table, std::string_view text, const Builder& out, std::string_view form) {
  if (!out.empty()) return {};
  if (table.failures()) return Error(Errc::invalid_argument, "the table has no benchmark in it that gave a result");
  return no_match(text, nullptr, form);
}

}  // namespace

Result<void> read_mitata_text(std::string_view text, Builder& out) {
  constexpr std::string_view form = "NAME  12.5 ns/iter";
  if (out.options().average == Average::median && holds(text, "/iter"))
    return Error(Errc::invalid_argument, "mitata's table has no median: choose mean, or run it with format: 'json'");
  if (holds(text, "iter/s")) return no_match(text, nullptr, form);
  Table table(out);
  table.read(text);
  return finished(table, text, out, form);
}

Result<void> read_deno_text(std::string_view text, Builder& out) {
  Table table(out);
  table.read(text);
  return finished(table, text, out, "| NAME | 12.5 ns | 80,000,000 | (10 ns \u2026 20 ns) |");
}

}  // namespace bencher::adapter
