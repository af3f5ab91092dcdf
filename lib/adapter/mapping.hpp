// A mapping file, read; and how the rows of any format become results by it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/adapter/adapter.hpp"

#include "lib/adapter/builder.hpp"

namespace bencher::adapter {

struct MappingPlan {
  static constexpr std::size_t none = SIZE_MAX;

  enum class Format { json, lines, csv };

  /// A part of a JSON pointer.
  struct Part {
    std::string text;
    bool every = false;        ///< `*`
    std::size_t index = none;  ///< of an array's element, if the text is one
  };
  using Pointer = std::vector<Part>;

  /// A place that is read of each row. Places that are the same are one slot.
  struct Slot {
    enum class From {
      row,     ///< `pointer` within the row
      root,    ///< `pointer` within the value that the first `level` parts of `rows` lead to
      key,     ///< of the row: the key or index at the `number`-th `*`
      column,  ///< `number`, or where the header says `name`
    };
    From from = From::row;
    Pointer pointer;
    std::size_t level = 0;
    std::size_t number = none;
    std::string name;
    std::string shown;  ///< as messages name it
  };

  /// Where slots lie in a value.
  struct Node {
    struct Child;
    std::size_t slot = none;
    std::vector<Child> children;          ///< in the order of their keys
    std::vector<std::size_t> by_index{};  ///< those of `children` that may be elements of an array, in its order
    bool empty() const { return slot == none && children.empty(); }
  };

  /// A constant, or what a slot has.
  struct Text {
    std::string constant;
    std::size_t slot = none;
  };
  struct NamePart {
    Text text;
    bool optional = false;
  };
  struct Metric {
    Text measure;
    std::size_t value = none, lower = none, upper = none;
    std::optional<Text> unit;
    double factor = 1;  ///< the scale, and the unit's if that is a constant
    std::optional<Average> average;
    bool extra = false;
    bool required = false;
  };
  struct Condition {
    std::size_t slot = none;
    std::vector<std::string> texts;
    bool inverse = false;  ///< none of them may be there
  };

  Format format = Format::json;
  Pointer rows;
  std::string rows_shown;
  std::vector<Slot> slots;
  Node row;
  std::vector<Node> outer;  ///< by `level` of the slots from the root
  std::vector<NamePart> name, distinct_name;
  std::string separator = "/";
  std::vector<Condition> where;
  std::vector<Metric> metrics;
  bool required = false;
  bool header = true;
  char delimiter = ',';
  char decimal = '.';
  std::string comment;
};

struct MappingPlan::Node::Child {
  std::string key;
  std::size_t index = none;
  Node node;
};

Result<MappingPlan> read_mapping(std::string_view document);

/// The index of an array's element (RFC 6901, section 4), or `none`.
std::size_t index_in(std::string_view text);
/// Reads a pointer, with `*` only if there may be `stars`; the reason where it is none.
std::string read_pointer(std::string_view text, bool stars, MappingPlan::Pointer& out);
std::size_t star_count(const MappingPlan::Pointer& pointer);
/// The number of a slot, the same for the same place.
std::size_t slot_number(MappingPlan& plan, MappingPlan::Slot slot);
/// Makes a slot of a pointer from the top. False: up to its last `*` it is not the beginning of `rows`.
bool hang_from_root(const MappingPlan& plan, MappingPlan::Slot& slot);
/// Makes the trees of all slots, once all are there.
void plant_slots(MappingPlan& plan);

/// What a value is multiplied by for its unit.
struct UnitFactor {
  double factor = 1;
  bool time = false;  ///< the result is nanoseconds
};
UnitFactor unit_factor(std::string_view unit);
/// The reason for a unit that is no time, of a measure that is one.
std::string no_time_unit(std::string_view unit);
/// The name of a place or text, short enough to be shown.
std::string shown_text(std::string_view text);

/// One row, as its format has it. What fails, fails for good: false then, and the format knows the place and the
/// reason.
class MappedRow {
 public:
  virtual ~MappedRow() = default;
  /// Nothing where the slot is missing or null, or holds no single text, number or boolean. Stays until the slot is
  /// read again.
  virtual std::optional<std::string_view> plain(std::size_t slot) = 0;
  /// The same, but what is no single value fails.
  virtual bool text(std::size_t slot, std::optional<std::string_view>& out) = 0;
  virtual bool number(std::size_t slot, std::optional<double>& out) = 0;
  /// Keeps the reason, for a slot or (`none`) the whole row. Returns false.
  virtual bool fail(std::size_t slot, std::string reason) = 0;
  /// For warnings: `line 7`, or a pointer.
  virtual std::string place() const = 0;
};

/// Makes results of rows.
class MappedRows {
 public:
  /// `size`: of the text, which bounds what is made of it.
  MappedRows(const MappingPlan& plan, const ParseOptions& options, std::size_t size);

  const MappingPlan& plan() const { return plan_; }
  /// Whether any of the metrics is of the average that is asked for.
  bool has_average() const;
  bool add(MappedRow& row);
  std::size_t seen() const { return seen_; }
  void warn(std::string warning) { warnings_.push_back(std::move(warning)); }
  /// What may be wrong if there are no results.
  void hint(std::string hint) { hint_ = std::move(hint); }
  Result<Parsed> finish() &&;

 private:
  struct Missing {
    std::size_t count = 0;
    std::string first;
  };
  struct Known {
    std::string name;
    std::optional<Builder::MeasureId> id;
  };

  bool begin(MappedRow& row, bool& left_out);
  bool name_of(MappedRow& row, const std::vector<MappingPlan::NamePart>& parts, std::string& out, bool& has);
  bool metric(MappedRow& row, std::size_t number, bool& begun);
  bool unit_of(MappedRow& row, const MappingPlan::Metric& metric, std::string_view measure, double& factor, bool& has);
  bool missing(MappedRow& row, std::size_t slot, bool required, Missing& counted);
  bool find_measure(MappedRow& row, std::size_t number, std::string_view name);
  bool fits(MappedRow& row);

  const MappingPlan& plan_;
  Builder out_;
  std::vector<bool> wanted_;     ///< by metric: whether its average is asked for
  std::vector<Known> measures_;  ///< by metric: the last measure
  std::vector<Missing> missing_;
  Missing nameless_;
  std::size_t seen_ = 0, passed_over_ = 0, extras_ = 0;
  std::size_t names_ = 0, made_ = 0;  ///< the bytes of all names, and how many metrics there are
  std::size_t most_names_, most_made_;
  std::string name_, distinct_, hint_;
  std::vector<std::string> warnings_;
};

/// Whether the text stands for no value, as programs write that.
bool is_nothing(std::string_view text);

// The formats: all rows of a text. `text` is UTF-8. `first_line`: the number of its first line.
Result<void> read_mapped_json(std::string_view text, MappedRows& out, std::size_t first_line = 1);
Result<void> read_mapped_lines(std::string_view text, MappedRows& out);
Result<void> read_mapped_csv(std::string_view text, MappedRows& out);

}  // namespace bencher::adapter
