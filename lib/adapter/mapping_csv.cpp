// The rows of comma-separated values (RFC 4180). Fields that no place names are passed over.

#include <algorithm>

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/mapping.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

using Plan = MappingPlan;

/// A field as it stands in the text, without its quotes.
struct Field {
  std::string_view raw;
  bool quoted = false;
  bool doubled = false;  ///< there are quotes in it, each twice
};

/// Its text. What is not quoted has no blanks around it, which many write after the delimiter.
std::string_view text_of(const Field& field, std::string& scratch) {
  if (!field.quoted) return trimmed(field.raw);
  if (!field.doubled) return field.raw;
  scratch.clear();
  for (std::size_t i = 0; i < field.raw.size(); ++i) {
    scratch += field.raw[i];
    if (field.raw[i] == '"') ++i;
  }
  return scratch;
}

/// The records of a text, one after the other.
class Records {
 public:
  Records(std::string_view text, char delimiter, std::string_view comment)
      : rest_(text), delimiter_(delimiter), comment_(comment) {}

  /// Goes to the next record, over empty lines and comments. False at the end.
  bool next() {
    while (!rest_.empty()) {
      const auto end = std::min(rest_.find('\n'), rest_.size());
      const auto line = rest_.substr(0, end);
      const bool empty =
          line.find_first_not_of(" \t\r") == std::string_view::npos && line.find(delimiter_) == line.npos;
      if (!empty && (comment_.empty() || !line.starts_with(comment_))) return line_ = next_line_, true;
      rest_.remove_prefix(std::min(rest_.size(), end + 1));
      ++next_line_;
    }
    return false;
  }
  /// Where the record begins.
  std::size_t line() const { return line_; }

  /// Takes the record: `field(i, f)` for each of its fields.
  template <class OnField>
  Result<void> take(OnField&& field) {
    for (std::size_t i = 0;; ++i) {
      Field read;
      BENCHER_DO(rest_.starts_with('"') ? quoted(read, i) : plain(read));
      field(i, read);
      if (rest_.empty()) return {};
      const bool more = rest_.front() == delimiter_;
      rest_.remove_prefix(1);
      if (more) continue;
      ++next_line_;
      return {};
    }
  }

 private:
  /// Takes what is not quoted, up to the delimiter, the line feed or the end.
  Result<void> plain(Field& out) {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != delimiter_ && rest_[end] != '\n')
      ++end;
    const bool last = end == rest_.size() || rest_[end] == '\n';
    out.raw = rest_.substr(0, end);
    if (last && out.raw.ends_with('\r')) out.raw.remove_suffix(1);
    rest_.remove_prefix(end);
    return {};
  }

  Result<void> quoted(Field& out, std::size_t number) {
    out.quoted = true;
    const auto begin_line = next_line_;
    std::size_t end = rest_.find('"', 1);
    for (; end != std::string_view::npos && end + 1 < rest_.size() && rest_[end + 1] == '"';
         end = rest_.find('"', end + 2))
      out.doubled = true;
    if (end == std::string_view::npos)
      return Error(Errc::invalid_argument,
                   fmt::format("line {}, column {}: the quote is not closed", begin_line, number + 1));
    out.raw = rest_.substr(1, end - 1);
    next_line_ += static_cast<std::size_t>(std::count(out.raw.begin(), out.raw.end(), '\n'));
    rest_.remove_prefix(end + 1);
    if (rest_.starts_with("\r\n") || rest_ == "\r") rest_.remove_prefix(1);
    if (rest_.empty() || rest_.front() == delimiter_ || rest_.front() == '\n') return {};
    return Error(Errc::invalid_argument,
                 fmt::format("line {}, column {}: expected '{}' or the end of the line after the quote, found '{}'",
                             next_line_, number + 1, shown_text({&delimiter_, 1}), shown_text(rest_.substr(0, 1))));
  }

  std::string_view rest_;
  char delimiter_;
  std::string_view comment_;
  std::size_t line_ = 1, next_line_ = 1;
};

class CsvRows final : public MappedRow {
 public:
  CsvRows(std::string_view text, MappedRows& out)
      : plan_(out.plan()), out_(out), records_(text, plan_.delimiter, plan_.comment), cells_(plan_.slots.size()) {}

  Result<void> read() {
    bool more = records_.next();
    if (!more) return Error(Errc::invalid_argument, "the text has no records");
    if (plan_.header) {
      BENCHER_DO(header());
      more = records_.next();
      if (!more) return Error(Errc::invalid_argument, "the text has a header but no records");
    } else {
      for (std::size_t i = 0; i < plan_.slots.size(); ++i)
        columns_.push_back({plan_.slots[i].number, i});
      std::sort(columns_.begin(), columns_.end());
    }
    for (; more; more = records_.next()) {
      for (auto& cell : cells_)
        cell.there = false;
      auto wanted = columns_.begin();
      BENCHER_DO(records_.take([&](std::size_t i, const Field& field) {
        for (; wanted != columns_.end() && wanted->column == i; ++wanted) {
          cells_[wanted->slot].field = field;
          cells_[wanted->slot].there = true;
        }
      }));
      if (!out_.add(*this)) return Error(Errc::invalid_argument, reason_);
    }
    return {};
  }

  std::optional<std::string_view> plain(std::size_t slot) override {
    auto& cell = cells_[slot];
    if (!cell.there) return {};
    return text_of(cell.field, cell.undoubled);
  }

  bool text(std::size_t slot, std::optional<std::string_view>& out) override {
    out = plain(slot);
    if (out && out->empty()) out.reset();
    return true;
  }

  bool number(std::size_t slot, std::optional<double>& out) override {
    out.reset();
    const auto cell = plain(slot);
    if (!cell) return true;
    const auto text = trimmed(*cell);
    if (is_nothing(text)) return true;
    if (plan_.decimal == '.') {
      out = decimal_in(text);
    } else if (text.find('.') == std::string_view::npos) {
      decimal_.assign(text);
      std::replace(decimal_.begin(), decimal_.end(), plan_.decimal, '.');
      out = decimal_in(decimal_);
    }
    return out || fail(slot, fmt::format("the text '{}' is no number", shown_text(text)));
  }

  bool fail(std::size_t slot, std::string reason) override {
    reason_ = place();
    if (slot != Plan::none) reason_ += ", column " + shown(slot);
    reason_ += ": " + reason;
    return false;
  }

  std::string place() const override { return fmt::format("line {}", records_.line()); }

 private:
  std::string shown(std::size_t slot) const {
    const auto& place = plan_.slots[slot];
    return place.number == Plan::none ? fmt::format("'{}'", place.shown) : place.shown;
  }

  struct Cell {
    Field field;
    bool there = false;
    std::string undoubled;
  };
  struct Column {
    std::size_t column, slot;
    auto operator<=>(const Column&) const = default;
  };

  /// Finds out which column each slot is.
  Result<void> header() {
    constexpr std::size_t most = 16;
    std::vector<std::size_t> found(plan_.slots.size());
    std::string all, scratch;
    std::size_t count = 0;
    const auto line = records_.line();
    BENCHER_DO(records_.take([&](std::size_t i, const Field& field) {
      const auto known = trimmed(text_of(field, scratch));
      if (count++ < most) all += fmt::format("{}'{}'", all.empty() ? "" : ", ", shown_text(known));
      for (std::size_t slot = 0; slot < plan_.slots.size(); ++slot) {
        const auto& place = plan_.slots[slot];
        if (place.number == Plan::none ? place.name != known : place.number != i) continue;
        if (found[slot]++ == 0) columns_.push_back({i, slot});
      }
    }));
    for (std::size_t slot = 0; slot < found.size(); ++slot) {
      if (found[slot] > 1)
        return Error(Errc::invalid_argument, fmt::format("line {}: there are {} columns {}: name one by its number",
                                                         line, found[slot], shown(slot)));
      if (found[slot] == 0 && count == 1)
        return Error(Errc::invalid_argument,
                     fmt::format("line {}: there is no column {}; the only column is {}: is '{}' the delimiter?", line,
                                 shown(slot), all, shown_text({&plan_.delimiter, 1})));
      if (found[slot] == 0)
        return Error(Errc::invalid_argument, fmt::format("line {}: there is no column {}; the {} columns are {}{}",
                                                         line, shown(slot), count, all, count > most ? ", …" : ""));
    }
    return {};
  }

  const Plan& plan_;
  MappedRows& out_;
  Records records_;
  std::vector<Column> columns_;  ///< in their order, with the slots that are read of them
  std::vector<Cell> cells_;      ///< by slot
  std::string decimal_, reason_;
};

}  // namespace

Result<void> read_mapped_csv(std::string_view text, MappedRows& out) {
  return CsvRows(text, out).read();
}

}  // namespace bencher::adapter
