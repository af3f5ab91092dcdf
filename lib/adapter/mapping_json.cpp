// The rows of a JSON value, or of one a line. One pass finds the rows and in each the slots, along trees of their
// pointers; where the reader stood then is kept, and what a row needs is read from there.

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_nan.hpp"
#include "lib/adapter/mapping.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

using Plan = MappingPlan;
using From = Plan::Slot::From;
using Mark = json::Reader::Mark;

/// The child that an object's member is, or null.
const Plan::Node* member_of(const Plan::Node& node, std::string_view key) {
  const auto child = std::lower_bound(node.children.begin(), node.children.end(), key,
                                      [](const auto& c, std::string_view k) { return c.key < k; });
  return child != node.children.end() && child->key == key ? &child->node : nullptr;
}

/// Reads values, of which each may hold many rows.
class JsonRows final : public MappedRow {
 public:
  explicit JsonRows(MappedRows& out)
      : plan_(out.plan()),
        out_(out),
        keys_(star_count(plan_.rows)),
        marks_(plan_.slots.size()),
        owned_(plan_.slots.size()) {}

  /// Takes the value that is next. `line` is the one that it is in, or 0 where it has many.
  bool read(json::Reader& reader, std::size_t line) {
    r_ = &reader;
    line_ = line;
    return level(0, 0);
  }
  /// What stands where the rows should be, if they are not there.
  const std::string& instead() const { return instead_; }

  std::optional<std::string_view> plain(std::size_t slot) override {
    const auto& place = plan_.slots[slot];
    auto& owned = owned_[slot];
    if (place.from == From::root) return owned.there ? std::optional<std::string_view>(owned.text) : std::nullopt;
    if (place.from == From::key) {
      const auto& key = keys_[place.number];
      if (!key.is_index) return key.text;
      owned.text = std::to_string(key.index);
      return owned.text;
    }
    if (!marks_[slot]) return {};
    r_->go(marks_[slot]);
    std::string_view text;
    const char c = r_->peek();
    if (c == 't' || c == 'f') return c == 't' ? "true" : "false";
    if (c == '"' ? r_->string(text, owned.text) : (c == '-' || digit(c)) && r_->number_text(text)) return text;
    return {};
  }

  bool text(std::size_t slot, std::optional<std::string_view>& out) override {
    out = plain(slot);
    if (r_->failed()) return false;
    if (out || plan_.slots[slot].from != From::row || !marks_[slot]) return true;
    return at(slot, [&] { return r_->take_null() || r_->fail(fmt::format("expected a text, found {}", r_->found())); });
  }

  bool number(std::size_t slot, std::optional<double>& out) override {
    out.reset();
    if (plan_.slots[slot].from == From::row) return !marks_[slot] || at(slot, [&] { return number_or_nothing(out); });
    const auto text = plain(slot);
    if (!text) return true;
    // One text may be a value of many rows, so it is not a long one.
    if (text->size() <= 1024) out = decimal_in(*text);
    return out || is_nothing(*text) ||
           fail(Plan::none, fmt::format("{}, '{}', is no number", plan_.slots[slot].shown, shown_text(*text)));
  }

  bool fail(std::size_t slot, std::string reason) override {
    if (slot != Plan::none && plan_.slots[slot].from == From::row && marks_[slot])
      return at(slot, [&] { return r_->fail(std::move(reason)); });
    r_->go(row_);
    return r_->fail(std::move(reason));
  }

  std::string place() const override { return line_ > 0 ? fmt::format("line {}", line_) : here(); }

 private:
  struct Key {
    std::string_view text;
    std::size_t index = 0;
    bool is_index = false;
  };
  struct Owned {
    std::string text;  ///< of slots from the root; for others where unescaped texts are
    bool there = false;
  };

  std::string here() const {
    const auto pointer = r_->pointer();
    return pointer.empty() ? "the text" : shown_text(pointer);
  }

  /// What the first `depth` parts of `rows` lead to; `star` of them are `*`.
  bool level(std::size_t depth, std::size_t star) {
    if (depth == plan_.rows.size()) return row();
    if (!plan_.outer[depth].empty()) {
      // What is beside the rows may come after them.
      const auto begin = r_->mark();
      for (std::size_t i = 0; i < plan_.slots.size(); ++i)
        if (plan_.slots[i].from == From::root && plan_.slots[i].level == depth) owned_[i].there = false;
      if (!walk<false>(plan_.outer[depth])) return false;
      r_->go(begin);
    }
    const auto& part = plan_.rows[depth];
    const auto inner = [&](Key key) {
      if (!part.every) return level(depth + 1, star);
      keys_[star] = key;
      return level(depth + 1, star + 1);
    };
    bool found = part.every;
    if (r_->peek() == '[')
      return json::array(*r_, "", [&](std::size_t i) {
        return part.every || part.index == i ? inner({{}, i, true}) : r_->skip();
      });
    if (r_->peek() != '{') {
      if (instead_.empty()) instead_ = fmt::format("{} is {}", here(), r_->found());
      return r_->skip();
    }
    const auto begin = r_->mark();
    const bool done = json::object(*r_, "", [&](std::string_view key) {
      if (!part.every && key != part.text) return r_->skip();
      if (!part.every && std::exchange(found, true)) return r_->fail("the field is there twice");
      return inner({key, 0, false});
    });
    if (done && !found && instead_.empty()) look_around(begin, part.text);
    return done;
  }

  /// Says which keys there are where the one looked for is not.
  void look_around(Mark begin, std::string_view wanted) {
    constexpr std::size_t most = 12;
    const auto end = r_->mark();
    r_->go(begin);
    std::string keys;
    std::size_t count = 0;
    json::object(*r_, "", [&](std::string_view key) {
      if (count++ < most) keys += fmt::format("{}'{}'", keys.empty() ? "" : ", ", shown_text(key));
      return r_->skip();
    });
    r_->go(end);
    instead_ = fmt::format("{} has no '{}' but {}{}", here(), shown_text(wanted), keys.empty() ? "nothing" : keys,
                           count > most ? ", …" : "");
  }

  bool row() {
    std::fill(marks_.begin(), marks_.end(), Mark());
    row_ = r_->mark();
    if (r_->peek() == '[' && (plan_.rows.empty() || !plan_.rows.back().every))
      out_.hint(fmt::format("the row is an array: its elements are '{}/*'", shown_text(plan_.rows_shown)));
    if (!walk<true>(plan_.row)) return false;
    const auto end = r_->mark();
    if (!out_.add(*this)) return false;
    r_->go(end);
    return true;
  }

  /// Goes over a value and finds the slots in it: where they are, or from the root, what they hold.
  template <bool marks>
  bool walk(const Plan::Node& node) {
    if (node.slot != Plan::none && !take<marks>(node.slot)) return false;
    const char c = r_->peek();
    if (node.children.empty() || (c != '{' && c != '[')) return r_->skip();
    if (c == '{')
      return json::object(*r_, "", [&](std::string_view key) {
        const auto* child = member_of(node, key);
        return child ? walk<marks>(*child) : r_->skip();
      });
    auto next = node.by_index.begin();
    return json::array(*r_, "", [&](std::size_t i) {
      if (next == node.by_index.end() || node.children[*next].index != i) return r_->skip();
      return walk<marks>(node.children[*next++].node);
    });
  }

  template <bool marks>
  bool take(std::size_t slot) {
    auto& owned = owned_[slot];
    if (marks ? static_cast<bool>(marks_[slot]) : owned.there) return r_->fail("the field is there twice");
    const auto mark = marks_[slot] = r_->mark();
    if (marks) return true;
    std::string_view text;
    const char c = r_->peek();
    owned.there = c != 'n';
    if (c == '"')
      owned.text = r_->string(text, scratch_) ? text : std::string_view();
    else if (c == 't' || c == 'f')
      owned.text = c == 't' ? "true" : "false";
    else if (c == '-' || digit(c))
      owned.text = r_->number_text(text) ? text : std::string_view();
    else if (c != 'n')
      return r_->fail(fmt::format("expected a text, found {}", r_->found()));
    if (r_->failed()) return false;
    r_->go(mark);
    return true;
  }

  bool number_or_nothing(std::optional<double>& out) {
    if (r_->peek() == '"') {
      const auto mark = r_->mark();
      std::string_view text;
      if (!r_->string(text, scratch_)) return false;
      if (is_nothing(trimmed(text))) return true;
      r_->go(mark);
    }
    return optional_decimal(*r_, out);
  }

  /// Calls `read` where a slot of the row is.
  template <class Read>
  bool at(std::size_t slot, Read&& read) {
    r_->go(marks_[slot]);
    return within(plan_.slots[slot].pointer.data(), plan_.slots[slot].pointer.size(), read);
  }
  template <class Read>
  bool within(const Plan::Part* parts, std::size_t count, Read& read) {
    if (count == 0) return read();
    const json::Reader::Within in(*r_, parts->text);
    return within(parts + 1, count - 1, read);
  }

  const Plan& plan_;
  MappedRows& out_;
  json::Reader* r_ = nullptr;
  std::size_t line_ = 0;
  std::vector<Key> keys_;
  std::vector<Mark> marks_;
  std::vector<Owned> owned_;
  Mark row_;
  std::string scratch_, instead_;
};

Error nothing_there(const Plan& plan, const std::string& instead) {
  return Error(Errc::invalid_argument, fmt::format("no rows are at '{}'{}{}", shown_text(plan.rows_shown),
                                                   instead.empty() ? "" : ": ", instead));
}

}  // namespace

Result<void> read_mapped_json(std::string_view text, MappedRows& out, std::size_t first_line) {
  json::Reader reader(text);
  JsonRows rows(out);
  const bool read = rows.read(reader, 0);
  const char next = read ? reader.peek() : '\0';
  if (!read || !reader.finish())
    return Error(Errc::invalid_argument,
                 reader.where_and_why(first_line) + (next == '{' || next == '[' ? ": where each line has its own "
                                                                                  "value, the format is lines"
                                                                                : ""));
  if (out.seen() == 0) return nothing_there(out.plan(), rows.instead());
  return {};
}

Result<void> read_mapped_lines(std::string_view text, MappedRows& out) {
  JsonRows rows(out);
  Lines lines(text);
  std::size_t number = 0, others = 0;
  std::string reason;
  for (std::string_view line; lines.next(line);) {
    ++number;
    if (trimmed(line).empty()) continue;
    json::Reader reader(line);
    const auto begin = reader.mark();
    // What others write between the lines, or one that was cut off, costs no result.
    if (reader.skip() && reader.finish()) {
      reader.go(begin);
      if (!rows.read(reader, number)) return Error(Errc::invalid_argument, reader.where_and_why(number));
      continue;
    }
    if (const auto mended = without_nan(line)) {
      json::Reader again(*mended);
      const auto first = again.mark();
      if (again.skip() && again.finish()) {
        again.go(first);
        if (!rows.read(again, number)) return Error(Errc::invalid_argument, again.where_and_why(number));
        continue;
      }
    }
    if (others++ == 0) reason = reader.where_and_why(number);
  }
  if (out.seen() == 0 && others == 0 && number == 0) return Error(Errc::invalid_argument, "the text is empty");
  if (out.seen() == 0 && others > 0)
    return Error(Errc::invalid_argument, fmt::format("no line is a JSON value with rows: {}", reason));
  if (out.seen() == 0) return nothing_there(out.plan(), rows.instead());
  if (others > 0)
    out.warn(fmt::format("{} left out: {}",
                         counted(others, "line is no JSON value and is", "lines are no JSON values and are"), reason));
  return {};
}

}  // namespace bencher::adapter
