// Which adapter reads a text, and in which of its forms.

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

#include "lib/adapter/marks.hpp"
#include "lib/adapter/prepare.hpp"
#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher {
namespace {

using adapter::Averages;
using adapter::Builder;
using adapter::Grammar;
using adapter::Prepared;
using adapter::Row;
using adapter::Shape;
using enum AdapterKind;

bool takes(Averages averages, std::optional<Average> average) {
  if (!average) return true;
  switch (averages) {
    case Averages::any:
    case Averages::same: return true;
    case Averages::mean: return *average == Average::mean;
    case Averages::median: return *average == Average::median;
    case Averages::none: return false;
  }
  return false;
}

/// Whether a text may be JSON that a harness wrote: an object, or an array of objects or arrays. `[ 50.00%]` and
/// `[3.15ms]` are beginnings of others.
bool begins_json(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  const auto second = text.find_first_not_of(blanks, first + 1);
  if (second == std::string_view::npos) return true;
  const std::string_view inside = text[first] == '{' ? "\"}" : "{[]";
  return inside.find(text[second]) != std::string_view::npos;
}

/// A grammar and what it is tried on.
struct Form {
  const Row* row;
  const Grammar* grammar;
  Shape shape;
};

Result<Parsed> run(const Form& form, Prepared& text, const ParseOptions& options) {
  const auto whole = form.shape == Shape::json ? text.text() : text.plain();
  Builder out(options, form.row->repeats, whole);
  BENCHER_DO(form.grammar->parse(whole, out));
  if (out.names_too_long())
    return Error(Errc::invalid_argument,
                 "the names of the benchmarks take more than four times the text: give their groups shorter names");
  const auto kind = out.plainly().value_or(form.row->kind);
  auto parsed = std::move(out).finish(kind);
  if (text.malformed() > 0)
    parsed.warnings.push_back(
        fmt::format("line {} is not valid UTF-8; what is malformed is read as U+FFFD", text.malformed()));
  return parsed;
}

Result<Parsed> read(const Row& row, Prepared& text, const ParseOptions& options) {
  if (!takes(row.averages, options.average))
    return Error(Errc::invalid_argument,
                 fmt::format("{} results have no {}: leave the average out{}", name(row.kind), name(*options.average),
                             row.averages == Averages::mean     ? " or choose mean"
                             : row.averages == Averages::median ? " or choose median"
                                                                : ""));
  const bool as_json = begins_json(text.text());
  // The reason of the form that the text has is the one worth saying.
  std::optional<Error> reason;
  bool reason_fits = false;
  for (const auto& form :
       {Form{&row, &row.strict, row.shape}, Form{&row, &row.extended, row.shape}, Form{&row, &row.text, Shape::text}}) {
    if (!form.grammar->parse) continue;
    if (form.shape == Shape::json && text.malformed() > 0) {
      if (!reason)
        reason = Error(Errc::invalid_argument, fmt::format("the text is not valid UTF-8 (line {})", text.malformed()));
      continue;
    }
    auto parsed = run(form, text, options);
    if (parsed) parsed->adapter = row.kind;
    if (parsed) return parsed;
    const bool fits = (form.shape == Shape::json) == as_json;
    if (!reason || (fits && !reason_fits)) reason = std::move(parsed).error();
    reason_fits |= fits;
  }
  return std::move(*reason).within(fmt::format("{} results", name(row.kind)));
}

/// The first form that gives results, of those whose literals stand in the text.
std::optional<Parsed> first_of(const std::vector<Form>& forms, Prepared& text, const ParseOptions& options) {
  const bool as_json = begins_json(text.text()), as_array = adapter::trimmed(text.text()).starts_with('[');
  std::vector<const Form*> worth;
  std::vector<std::string_view> marks;
  for (const auto& form : forms) {
    if (form.shape == Shape::json && (!as_json || text.malformed() > 0)) continue;
    if (form.shape == Shape::json && as_array) {
      worth.push_back(&form);
      marks.emplace_back();
      continue;
    }
    for (const auto mark : {form.grammar->mark, form.grammar->or_mark}) {
      if (mark.empty() && !marks.empty() && worth.back() == &form) continue;
      worth.push_back(&form);
      marks.push_back(mark);
    }
  }
  adapter::Marks in_text(text.plain(), std::move(marks));
  const Form* tried = nullptr;
  for (auto i = in_text.next(0); i < worth.size(); i = in_text.next(i + 1)) {
    if (worth[i] == tried) continue;
    tried = worth[i];
    if (auto parsed = run(*tried, text, options)) return *std::move(parsed);
  }
  return {};
}

/// The first row that gives results: with what the reference reads in all of them, then with all that we read.
Result<Parsed> detect(AdapterKind kind, Prepared& text, const ParseOptions& options) {
  std::vector<Form> forms, further;
  const auto candidate = [&](const Row& row) { return row.detected && (kind == magic || row.language == kind); };
  for (const auto& row : adapter::rows()) {
    if (!candidate(row) || !takes(row.averages, options.average)) continue;
    if (row.strict.parse) forms.push_back({&row, &row.strict, row.shape});
    if (row.extended.parse) further.push_back({&row, &row.extended, row.shape});
    if (row.text.parse) further.push_back({&row, &row.text, Shape::text});
  }
  forms.insert(forms.end(), further.begin(), further.end());
  if (auto found = first_of(forms, text, options)) return *std::move(found);
  std::string tried;
  for (const auto& row : adapter::rows()) {
    if (!candidate(row)) continue;
    tried += fmt::format("{}{}", tried.empty() ? "" : ", ", name(row.kind));
    // A text that is JSON was meant for json most of the time, so its reason is worth the words.
    if (row.kind == json && begins_json(text.text()))
      if (const auto reason = read(row, text, options); !reason)
        tried += fmt::format(" ({})", reason.error().message());
  }
  const auto bytes = text.text();
  const auto lines = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n')) + 1;
  return Error(Errc::invalid_argument,
               fmt::format("no adapter found results in the output ({}); tried: {}",
                           bytes.empty() ? "it is empty"
                                         : fmt::format("{}, {}", adapter::counted(bytes.size(), "byte", "bytes"),
                                                       adapter::counted(lines, "line", "lines")),
                           tried));
}

}  // namespace

Result<Parsed> parse(AdapterKind kind, std::string_view bytes, const ParseOptions& options) {
  auto text = Prepared::of(bytes);
  if (!text) return std::move(text).error();
  for (const auto& row : adapter::rows())
    if (row.kind == kind) return read(row, *text, options);
  return detect(kind, *text, options);
}

}  // namespace bencher
