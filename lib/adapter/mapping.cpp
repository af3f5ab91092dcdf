#include "bencher/adapter/mapping.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"

#include "lib/adapter/detect.hpp"
#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_nan.hpp"
#include "lib/adapter/mapping.hpp"
#include "lib/adapter/prepare.hpp"
#include "lib/adapter/text.hpp"

namespace bencher {

using adapter::MappingPlan;

Result<Mapping> Mapping::parse(std::string_view document) {
  auto plan = adapter::read_mapping(document);
  if (!plan) return std::move(plan).error().within("mapping");
  return Mapping(std::make_shared<const MappingPlan>(*std::move(plan)));
}

Result<Parsed> Mapping::read(std::string_view bytes, const ParseOptions& options) const {
  constexpr std::string_view what = "mapped results";
  auto prepared = adapter::Prepared::of(bytes);
  if (!prepared) return std::move(prepared).error().within(what);
  const auto text = prepared->text();
  std::optional<adapter::MappedRows> rows;
  rows.emplace(*plan_, options, text.size());
  if (!rows->has_average())
    return Error(Errc::invalid_argument,
                 fmt::format("the mapping has no {}: leave the average out or choose {}", name(*options.average),
                             options.average == Average::mean ? "median" : "mean"));
  if (plan_->format == MappingPlan::Format::json && prepared->malformed() > 0)
    return Error(Errc::invalid_argument,
                 fmt::format("{}: the text is not valid UTF-8 (line {})", what, prepared->malformed()));
  auto read = plan_->format == MappingPlan::Format::json    ? read_json(text, options, rows)
              : plan_->format == MappingPlan::Format::lines ? adapter::read_mapped_lines(text, *rows)
                                                            : adapter::read_mapped_csv(text, *rows);
  if (!read) return std::move(read).error().within(what);
  if (prepared->malformed() > 0)
    rows->warn(fmt::format("line {} is not valid UTF-8; what is malformed is read as U+FFFD", prepared->malformed()));
  auto parsed = std::move(*rows).finish();
  if (!parsed) return std::move(parsed).error().within(what);
  return parsed;
}

namespace {

/// The JSON in a text, and how many lines stand before it: some print words there. All of a text without any.
std::pair<std::string_view, std::size_t> json_of(std::string_view text) {
  std::size_t before = 0;
  for (auto rest = text; !adapter::begins_json(rest);) {
    // Over empty lines at once: each byte is looked at a few times only.
    const auto end = rest.find('\n');
    const auto next = end == std::string_view::npos ? end : rest.find_first_not_of(" \t\r\n", end);
    if (next == std::string_view::npos) return {text, 0};
    before +=
        static_cast<std::size_t>(std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(next), '\n'));
    rest.remove_prefix(next);
    if (adapter::begins_json(rest)) return {rest, before};
  }
  return {text, 0};
}

}  // namespace

Result<void> Mapping::read_json(std::string_view text, const ParseOptions& options,
                                std::optional<adapter::MappedRows>& rows) const {
  const auto [json, before] = json_of(text);
  auto read = adapter::read_mapped_json(json, *rows, before + 1);
  if (!read) {
    const auto mended = adapter::without_nan(json);
    if (!mended) return read;
    rows.emplace(*plan_, options, text.size());
    read = adapter::read_mapped_json(*mended, *rows, before + 1);
  }
  if (read && before > 0)
    rows->warn(
        fmt::format("{} left out", adapter::counted(before, "line before the JSON is", "lines before the JSON are")));
  return read;
}

namespace adapter {

using Metric = MappingPlan::Metric;

UnitFactor unit_factor(std::string_view unit) {
  // No unit is that long, and one text may be the unit of many rows.
  if (unit.size() > 64) return {};
  const auto slash = unit.find('/');
  const auto counted = trimmed(unit.substr(0, slash));
  UnitFactor out;
  if (const double ns = any_time_factor(counted); ns > 0)
    out = {ns, true};
  else if (double bytes = 0;
           !counted.empty() && !digit(counted.front()) && bytes_in("1" + std::string(counted), 1000, bytes))
    out.factor = bytes;
  if (slash == std::string_view::npos) return out;
  if (const double ns = any_time_factor(trimmed(unit.substr(slash + 1))); ns > 0)
    out = {out.factor * (1e9 / ns), false};
  return out;
}

std::string no_time_unit(std::string_view unit) {
  return fmt::format("the unit '{}' of a latency is no time: ns, us, ms, s, min, h", shown_text(unit));
}

std::string shown_text(std::string_view text) {
  constexpr std::size_t most = 100;
  return text.size() <= most ? to_valid_utf8(text) : to_valid_utf8(text.substr(0, most)) + "…";
}

bool is_nothing(std::string_view text) {
  static constexpr std::string_view words[]{
      "",          "null", "NA", "N/A",  "NaN",  "nan",       "Infinity",       "inf", "-inf", "<not counted>",
      "-Infinity", "-nan", "-",  "None", "none", "undefined", "<not supported>"};
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

MappedRows::MappedRows(const MappingPlan& plan, const ParseOptions& options, std::size_t size)
    : plan_(plan),
      // A measure may have a row of its own, so rows of one name belong together.
      out_(options, Repeats::merge),
      measures_(plan.metrics.size()),
      missing_(plan.metrics.size()),
      // The same constant may be in each name, and a value be many metrics. More than this of a text is no measurement.
      most_names_(16 * size + 65'536),
      most_made_(size + 4096) {
  const bool has_mean =
      std::any_of(plan.metrics.begin(), plan.metrics.end(), [](const Metric& m) { return m.average == Average::mean; });
  const auto average = options.average.value_or(has_mean ? Average::mean : Average::median);
  for (const auto& metric : plan.metrics)
    wanted_.push_back(!metric.average || metric.average == average);
}

bool MappedRows::has_average() const {
  return std::find(wanted_.begin(), wanted_.end(), true) != wanted_.end();
}

bool MappedRows::missing(MappedRow& row, std::size_t slot, bool required, Missing& counted) {
  if (required)
    return row.fail(MappingPlan::none,
                    fmt::format("nothing is at '{}', which the mapping requires", plan_.slots[slot].shown));
  if (counted.count++ == 0) counted.first = fmt::format("'{}' in {}", plan_.slots[slot].shown, row.place());
  return true;
}

/// `has` is false where a part that is not optional is missing.
bool MappedRows::name_of(MappedRow& row, const std::vector<MappingPlan::NamePart>& parts, std::string& out, bool& has) {
  out.clear();
  has = true;
  bool first = true;
  for (const auto& part : parts) {
    std::optional<std::string_view> text = part.text.constant;
    if (part.text.slot != MappingPlan::none && !row.text(part.text.slot, text)) return false;
    if (!text || text->empty()) {
      if (part.optional) continue;
      has = false;
      return missing(row, part.text.slot, plan_.required, nameless_);
    }
    if (!first) out += plan_.separator;
    out += *text;
    first = false;
  }
  if (out.size() > 1024)
    return row.fail(MappingPlan::none, fmt::format("the name has {} bytes, 1024 is most", out.size()));
  has = !out.empty();
  return true;
}

/// What decides whether the row is read, and its name.
bool MappedRows::begin(MappedRow& row, bool& left_out) {
  for (const auto& condition : plan_.where) {
    const auto text = row.plain(condition.slot);
    const bool is = text && std::find(condition.texts.begin(), condition.texts.end(), *text) != condition.texts.end();
    if (is != condition.inverse) continue;
    ++passed_over_;
    left_out = true;
    return true;
  }
  bool has = false;
  if (!name_of(row, plan_.name, name_, has)) return false;
  left_out = !has;
  return true;
}

/// Whether the mapping makes no more of the text than may be.
bool MappedRows::fits(MappedRow& row) {
  if (names_ > most_names_)
    return row.fail(MappingPlan::none,
                    "up to here the names take more than sixteen times the text: give them shorter constants");
  if (made_ > most_made_)
    return row.fail(MappingPlan::none,
                    "up to here there are more metrics than the text has bytes: map each value once");
  return true;
}

bool MappedRows::add(MappedRow& row) {
  ++seen_;
  bool left_out = false;
  if (!begin(row, left_out)) return false;
  if (left_out) return true;
  bool begun = false;
  for (std::size_t i = 0; i < plan_.metrics.size(); ++i)
    if (wanted_[i] && !metric(row, i, begun)) return false;
  if (begun) names_ += name_.size();
  if (!fits(row)) return false;
  if (!begun || plan_.distinct_name.empty() || !out_.wants_distinct_names()) return true;
  bool has = false;
  if (!name_of(row, plan_.distinct_name, distinct_, has)) return false;
  if (has) out_.distinct_name(distinct_);
  names_ += has ? distinct_.size() : 0;
  return fits(row);
}

bool MappedRows::unit_of(MappedRow& row, const Metric& metric, std::string_view measure, double& factor, bool& has) {
  factor = metric.factor;
  has = true;
  if (!metric.unit) return true;
  const auto slot = metric.unit->slot;
  std::optional<std::string_view> unit = metric.unit->constant;
  if (slot != MappingPlan::none && !row.text(slot, unit)) return false;
  // An empty cell of CSV says that there is none, as perf does for counts.
  if (!unit && measure != "latency") unit = row.plain(slot);
  has = unit.has_value();
  if (!has) return true;
  const auto of_unit = unit_factor(*unit);
  if (measure == "latency" && !of_unit.time) return row.fail(slot, no_time_unit(*unit));
  if (slot != MappingPlan::none) factor *= of_unit.factor;
  return true;
}

/// Sees to it that `measures_[number]` is the measure of that name.
bool MappedRows::find_measure(MappedRow& row, std::size_t number, std::string_view name) {
  auto& known = measures_[number];
  if (known.id && known.name == name) return true;
  if (const auto checked = ResourceName::parse(name); !checked)
    return row.fail(plan_.metrics[number].measure.slot, checked.error().message());
  known = {std::string(name), out_.measure(name)};
  return true;
}

bool MappedRows::metric(MappedRow& row, std::size_t number, bool& begun) {
  const auto& metric = plan_.metrics[number];
  std::optional<std::string_view> measure = metric.measure.constant;
  if (metric.measure.slot != MappingPlan::none && !row.text(metric.measure.slot, measure)) return false;
  if (!measure) return missing(row, metric.measure.slot, metric.required, missing_[number]);
  std::optional<double> value;
  if (!row.number(metric.value, value)) return false;
  if (!value) return missing(row, metric.value, metric.required, missing_[number]);
  double factor = 1;
  bool has_unit = false;
  if (!unit_of(row, metric, *measure, factor, has_unit)) return false;
  if (!has_unit) return missing(row, metric.unit->slot, metric.required, missing_[number]);
  if (metric.extra && !out_.wants_extras()) {
    ++extras_;
    out_.dropped(*measure);
    return true;
  }
  if (!find_measure(row, number, *measure)) return false;
  bencher::Metric read{*value * factor, {}, {}};
  for (const auto& [slot, bound] : {std::pair{metric.lower, &read.lower}, std::pair{metric.upper, &read.upper}}) {
    if (slot == MappingPlan::none) continue;
    if (!row.number(slot, *bound)) return false;
    if (*bound) **bound *= factor;
  }
  if (!begun) out_.benchmark(name_);
  begun = true;
  out_.metric(*measures_[number].id, read);
  ++made_;
  return true;
}

Result<Parsed> MappedRows::finish() && {
  if (nameless_.count > 0)
    warn(fmt::format("{} left out; the first lacks {}",
                     counted(nameless_.count, "row has no name and is", "rows have no name and are"), nameless_.first));
  for (std::size_t i = 0; i < missing_.size(); ++i) {
    if (missing_[i].count == 0) continue;
    const auto& measure = plan_.metrics[i].measure;
    warn(fmt::format(
        "{} no {} and {} left out of it; the first lacks {}", counted(missing_[i].count, "row has", "rows have"),
        measure.slot == MappingPlan::none ? shown_text(measure.constant) : fmt::format("measure of /metrics/{}", i),
        missing_[i].count == 1 ? "is" : "are", missing_[i].first));
  }
  if (out_.empty()) {
    std::string why;
    if (passed_over_ > 0) why += fmt::format("; {} not what 'where' asks for", counted(passed_over_, "is", "are"));
    if (extras_ > 0) why += "; there are extras only, which all_measures keeps";
    for (const auto& warning : warnings_)
      why += "; " + warning;
    if (!hint_.empty()) why += "; " + hint_;
    return Error(
        Errc::invalid_argument,
        fmt::format("{} a result{}",
                    seen_ == 1 ? "the one row does not give" : fmt::format("none of {} rows gives", seen_), why));
  }
  auto parsed = std::move(out_).finish(AdapterKind::json);
  parsed.warnings.insert(parsed.warnings.begin(), std::make_move_iterator(warnings_.begin()),
                         std::make_move_iterator(warnings_.end()));
  return parsed;
}

}  // namespace adapter
}  // namespace bencher
