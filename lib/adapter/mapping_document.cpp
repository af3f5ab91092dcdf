// The mapping file itself.

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/core.h>

#include "bencher/base/name.hpp"

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/mapping.hpp"
#include "lib/adapter/prepare.hpp"

namespace bencher::adapter {
namespace {

using Plan = MappingPlan;
using Mark = json::Reader::Mark;
constexpr auto none = Plan::none;

// Far more than a mapping has; they bound what one row costs.
constexpr std::size_t most_metrics = 256, most_places = 64;

class Document {
 public:
  explicit Document(std::string_view text) : r_(text) {}

  Result<Plan> read() {
    if (!whole() || !r_.finish()) return Error(Errc::invalid_argument, r_.where_and_why());
    plant_slots(plan_);
    return std::move(plan_);
  }

 private:
  bool csv() const { return plan_.format == Plan::Format::csv; }

  /// Finds the fields of an object; `read(i)` then reads the value of `names[i]`, in the order of `names` whatever
  /// their order in the text.
  template <std::size_t n, class Read>
  bool fields(const char* what, const json::Field (&names)[n], Read&& read) {
    std::array<Mark, n> at{};
    const auto begin = r_.mark();
    const bool found = json::object(r_, what, [&](std::string_view key) {
      const auto i = static_cast<std::size_t>(
          std::find_if(names, names + n, [&](const json::Field& field) { return field.name == key; }) - names);
      if (i == n) {
        std::string all;
        for (const auto& field : names)
          all += fmt::format("{}{}", all.empty() ? "" : ", ", field.name);
        return r_.fail(fmt::format("'{}' is no field of {}, which has {}", shown_text(key), what, all));
      }
      if (at[i]) return r_.fail("the field is there twice");
      at[i] = r_.mark();
      return r_.skip();
    });
    if (!found) return false;
    const auto end = r_.mark();
    for (std::size_t i = 0; i < n; ++i) {
      if (!at[i] && names[i].required)
        return fail_at(begin, fmt::format("{} lacks its field '{}'", what, names[i].name));
      if (!at[i]) continue;
      r_.go(at[i]);
      const json::Reader::Within within(r_, names[i].name);
      if (!read(i)) return false;
    }
    r_.go(end);
    return true;
  }

  bool whole() {
    // In this order: what places are is known only with the format, the rows and the header.
    static constexpr json::Field names[]{
        {"format"},           {"rows", false},          {"header", false},   {"delimiter", false},
        {"decimal", false},   {"comment", false},       {"required", false}, {"name"},
        {"separator", false}, {"distinct_name", false}, {"where", false},    {"metrics"}};
    return fields("a mapping", names, [&](std::size_t i) {
      if (i == 1 && csv()) return r_.fail("the rows of CSV are its records: leave this out");
      if (i >= 2 && i <= 5 && !csv()) return r_.fail("this is for the format csv only");
      switch (i) {
        case 0: return format();
        case 1: return rows();
        case 2: return r_.boolean(plan_.header);
        case 3: return sign(plan_.delimiter);
        case 4: return decimal();
        case 5: return comment();
        case 6: return r_.boolean(plan_.required);
        case 7: return name(plan_.name);
        case 8: return adapter::text(r_, plan_.separator);
        case 9: return name(plan_.distinct_name);
        case 10: return where();
        default: return list("an array of metrics", most_metrics, [&] { return metric(plan_.metrics.emplace_back()); });
      }
    });
  }

  /// An array with something in it.
  template <class Element>
  bool list(const char* what, std::size_t most, Element&& element) {
    const auto begin = r_.mark();
    std::size_t count = 0;
    if (!json::array(r_, what, [&](std::size_t i) {
          count = i + 1;
          return count <= most ? element() : r_.fail(fmt::format("there are at most {}", most));
        }))
      return false;
    if (count > 0) return true;
    r_.go(begin);
    return r_.fail(fmt::format("expected {}, found an empty one", what));
  }

  bool format() {
    const auto mark = r_.mark();
    std::string text;
    if (!adapter::text(r_, text)) return false;
    using enum Plan::Format;
    for (const auto& [name, format] : {std::pair{"json", json}, {"lines", lines}, {"csv", Plan::Format::csv}})
      if (text == name) return plan_.format = format, true;
    r_.go(mark);
    return r_.fail(fmt::format("format '{}' is not one of json, lines, csv", shown_text(text)));
  }

  bool rows() {
    const auto mark = r_.mark();
    if (!adapter::text(r_, plan_.rows_shown)) return false;
    const auto reason = read_pointer(plan_.rows_shown, true, plan_.rows);
    return reason.empty() || fail_at(mark, reason);
  }

  /// One byte that may part or begin something in a line.
  bool sign(char& out) {
    const auto mark = r_.mark();
    std::string text;
    if (!adapter::text(r_, text)) return false;
    if (text.size() != 1 || text[0] == '"' || text[0] == '\n' || text[0] == '\r')
      return fail_at(mark, "this is one byte, and no quote, line feed or carriage return");
    out = text[0];
    return true;
  }

  bool decimal() {
    const auto mark = r_.mark();
    return sign(plan_.decimal) &&
           (plan_.decimal != plan_.delimiter || fail_at(mark, "the decimal sign is also the delimiter"));
  }

  bool comment() {
    const auto mark = r_.mark();
    if (!adapter::text(r_, plan_.comment)) return false;
    return !plan_.comment.empty() || fail_at(mark, "what comments begin with is not empty: leave it out");
  }

  bool fail_at(Mark mark, std::string reason) {
    r_.go(mark);
    return r_.fail(std::move(reason));
  }

  /// A place by its text: a pointer, or a column's name.
  bool named(Mark mark, const std::string& text, std::size_t& slot) {
    Plan::Slot made;
    made.shown = shown_text(text);
    if (csv()) {
      if (!plan_.header) return fail_at(mark, "without a header a column is named by its number, from 1");
      made.from = Plan::Slot::From::column;
      made.name = text;
    } else if (const auto reason = read_pointer(text, false, made.pointer); !reason.empty()) {
      return fail_at(mark, reason);
    }
    slot = slot_number(plan_, std::move(made));
    return true;
  }

  bool number(std::size_t most, const char* what, std::size_t& out) {
    const auto mark = r_.mark();
    std::string_view text;
    if (!r_.number_text(text)) return false;
    out = index_in(text);
    if (out == none || out == 0 || out > most)
      return fail_at(mark, fmt::format("{} is a number from 1 to {}", what, most));
    return true;
  }

  bool column(std::size_t& slot) {
    Plan::Slot made;
    made.from = Plan::Slot::From::column;
    if (!number(1'000'000, "a column", made.number)) return false;
    made.shown = std::to_string(made.number--);
    slot = slot_number(plan_, std::move(made));
    return true;
  }

  /// `{"root": "/suites/*/name"}`: the beginning is that of `rows`, up to its last `*`.
  bool root(std::size_t& slot) {
    const auto mark = r_.mark();
    Plan::Slot made;
    std::string text;
    if (!adapter::text(r_, text)) return false;
    if (const auto reason = read_pointer(text, true, made.pointer); !reason.empty()) return fail_at(mark, reason);
    made.shown = shown_text(text);
    if (!hang_from_root(plan_, made))
      return fail_at(
          mark, fmt::format("up to its last * this is not the beginning of rows ('{}')", shown_text(plan_.rows_shown)));
    slot = slot_number(plan_, std::move(made));
    return true;
  }

  bool key(std::size_t& slot) {
    const auto mark = r_.mark();
    Plan::Slot made;
    made.from = Plan::Slot::From::key;
    const auto count = star_count(plan_.rows);
    if (count == 0) return r_.fail("rows has no *, so that no row has a key");
    if (r_.peek() == 't' || r_.peek() == 'f') {
      bool last = false;
      if (!r_.boolean(last)) return false;
      if (!last) return fail_at(mark, "this is true, or the number of a * in rows");
      made.number = count - 1;
    } else {
      if (!number(count, "a key of rows", made.number)) return false;
      --made.number;
    }
    made.shown = fmt::format("key {}", made.number + 1);
    slot = slot_number(plan_, std::move(made));
    return true;
  }

  /// A place. `part`: of a name, which may also be a constant or optional.
  bool place(std::size_t& slot, Plan::NamePart* part = nullptr) {
    const auto mark = r_.mark();
    if (r_.peek() == '"') {
      std::string text;
      return adapter::text(r_, text) && named(mark, text, slot);
    }
    if (csv() && r_.peek() != '{') return column(slot);
    static constexpr json::Field names[]{
        {"at", false}, {"root", false}, {"key", false}, {"text", false}, {"optional", false}};
    std::size_t given = 0;
    const bool read = fields("a place", names, [&](std::size_t i) {
      if (i < 4 && ++given > 1) return r_.fail("a place is one of at, root, key and text");
      if (i > 2 && !part) return r_.fail("this is for the parts of a name");
      if ((i == 1 || i == 2) && csv()) return r_.fail("this is for JSON only");
      const auto value = r_.mark();
      switch (i) {
        case 0:
          // No object in here, so that places do not nest.
          return r_.peek() == '{' ? r_.fail("expected a place, found an object") : place(slot);
        case 1: return root(slot);
        case 2: return key(slot);
        case 3:
          return adapter::text(r_, part->text.constant) &&
                 (!part->text.constant.empty() || fail_at(value, "an empty text adds nothing"));
        default: return r_.boolean(part->optional);
      }
    });
    return read && (given > 0 || fail_at(mark, "a place is one of at, root, key and text"));
  }

  bool name(std::vector<Plan::NamePart>& out) {
    const auto part = [&] {
      out.emplace_back();
      return place(out.back().text.slot, &out.back());
    };
    return r_.peek() == '[' ? list("an array of places", most_places, part) : part();
  }

  /// A constant, or the place of a text.
  bool text_or_place(Plan::Text& out) { return r_.peek() == '"' ? adapter::text(r_, out.constant) : place(out.slot); }

  /// The texts that a condition names, or one of them.
  bool texts(Plan::Condition& condition) {
    const auto value = [&] { return plain(condition.texts.emplace_back()); };
    return r_.peek() == '[' ? list("an array of texts", most_metrics, value) : value();
  }

  /// `{"key": true, "is": ["read", "write"]}`: a place of any kind, and `is` or `not`.
  bool condition(Plan::Condition& out) {
    static constexpr json::Field names[]{{"at", false}, {"root", false}, {"key", false}, {"is", false}, {"not", false}};
    const auto mark = r_.mark();
    std::size_t places = 0;
    const bool read = fields("a condition", names, [&](std::size_t i) {
      if (i < 3 && ++places > 1) return r_.fail("a place is one of at, root and key");
      if ((i == 1 || i == 2) && csv()) return r_.fail("this is for JSON only");
      if (i == 4 && !out.texts.empty()) return r_.fail("a condition has one of is and not");
      switch (i) {
        case 0: return r_.peek() == '{' ? r_.fail("expected a place, found an object") : place(out.slot);
        case 1: return root(out.slot);
        case 2: return key(out.slot);
        default: out.inverse = i == 4; return texts(out);
      }
    });
    if (!read) return false;
    if (places == 0) return fail_at(mark, "a condition has a place: at, root or key");
    return !out.texts.empty() || fail_at(mark, "a condition has one of is and not");
  }

  bool where() {
    if (r_.peek() == '[')
      return list("an array of conditions", most_places, [&] { return condition(plan_.where.emplace_back()); });
    return json::object(r_, "an object of conditions", [&](std::string_view key) {
      if (plan_.where.size() == most_places) return r_.fail(fmt::format("there are at most {}", most_places));
      auto& condition = plan_.where.emplace_back();
      const auto mark = r_.mark();
      if (csv() && !plan_.header) {
        Plan::Slot made;
        made.from = Plan::Slot::From::column;
        made.number = index_in(key);
        if (made.number == none || made.number-- == 0)
          return r_.fail("without a header a column is named by its number, from 1");
        made.shown = key;
        condition.slot = slot_number(plan_, std::move(made));
      } else if (!named(mark, std::string(key), condition.slot)) {
        return false;
      }
      return texts(condition);
    });
  }

  /// A text, number or boolean as text.
  bool plain(std::string& out) {
    if (r_.peek() == '"') return adapter::text(r_, out);
    if (r_.peek() == 't' || r_.peek() == 'f') {
      bool value = false;
      if (!r_.boolean(value)) return false;
      out = value ? "true" : "false";
      return true;
    }
    std::string_view text;
    if (!r_.number_text(text)) return false;
    out = text;
    return true;
  }

  bool metric(Plan::Metric& out) {
    static constexpr json::Field names[]{{"measure"},        {"value"},        {"lower", false},
                                         {"upper", false},   {"unit", false},  {"scale", false},
                                         {"average", false}, {"extra", false}, {"required", false}};
    out.required = plan_.required;
    return fields("a metric", names, [&](std::size_t i) {
      const auto mark = r_.mark();
      switch (i) {
        case 0: {
          if (!text_or_place(out.measure)) return false;
          if (out.measure.slot != none) return true;
          const auto checked = ResourceName::parse(out.measure.constant);
          return checked || fail_at(mark, checked.error().message());
        }
        case 1: return place(out.value);
        case 2: return place(out.lower);
        case 3: return place(out.upper);
        case 4: return unit(out);
        case 5: {
          double scale = 0;
          if (!r_.number(scale)) return false;
          out.factor *= scale;
          return (scale > 0 && std::isfinite(out.factor) && out.factor > 0) || fail_at(mark, "a scale is over 0");
        }
        case 6: {
          std::string text;
          if (!adapter::text(r_, text)) return false;
          const auto average = parse_average(text);
          if (!average) return fail_at(mark, average.error().message());
          out.average = *average;
          return true;
        }
        case 7: return r_.boolean(out.extra);
        default: return r_.boolean(out.required);
      }
    });
  }

  bool unit(Plan::Metric& out) {
    const auto mark = r_.mark();
    Plan::Text text;
    if (!text_or_place(text)) return false;
    out.unit = std::move(text);
    if (out.unit->slot != none) return true;
    const auto of_unit = unit_factor(out.unit->constant);
    if (out.measure.slot == none && out.measure.constant == "latency" && !of_unit.time)
      return fail_at(mark, no_time_unit(out.unit->constant));
    out.factor = of_unit.factor;
    return true;
  }

  json::Reader r_;
  Plan plan_;
};

}  // namespace

Result<MappingPlan> read_mapping(std::string_view document) {
  auto prepared = Prepared::of(document);
  if (!prepared) return std::move(prepared).error();
  if (prepared->malformed() > 0)
    return Error(Errc::invalid_argument, fmt::format("the text is not valid UTF-8 (line {})", prepared->malformed()));
  return Document(prepared->text()).read();
}

}  // namespace bencher::adapter
