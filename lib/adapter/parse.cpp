// Which adapter reads a text, and in which of its forms.

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

#include "lib/adapter/detect.hpp"
#include "lib/adapter/text.hpp"

namespace bencher {
namespace {

using adapter::Averages;
using adapter::begins_json;
using adapter::Form;
using adapter::Prepared;
using adapter::Row;
using adapter::Shape;
using adapter::takes;
using enum AdapterKind;

/// The first line, behind others, that is like the beginning of a JSON document; 0: there is none.
std::size_t json_behind(std::string_view text) {
  std::size_t number = 0;
  adapter::Lines lines(text);
  for (std::string_view line; lines.next(line);) {
    ++number;
    if (number > 1 && (line == "{" || line == "[" || line.starts_with("{\"") || line.starts_with("[{"))) return number;
  }
  return 0;
}

Result<Parsed> read(const Row& row, Prepared& text, const ParseOptions& options) {
  if (!takes(row.averages, options.average))
    return Error(Errc::invalid_argument,
                 fmt::format("{} results have no {}: leave the average out{}", name(row.kind), name(*options.average),
                             row.averages == Averages::mean     ? " or choose mean"
                             : row.averages == Averages::median ? " or choose median"
                                                                : ""));
  const bool as_json = begins_json(text.text());
  const bool as_xml = adapter::trimmed(text.text().substr(0, 4096)).starts_with('<');
  // The reason of the form that the text has is the one worth saying; of two such that of the further one, which passes
  // over what stops the first.
  std::optional<Error> reason;
  bool reason_fits = false;
  for (const auto& form : {Form{&row, &row.strict, row.shape}, Form{&row, &row.extended, row.shape},
                           Form{&row, &row.other, row.other_shape()}}) {
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
    const bool further = form.grammar == &row.extended && (as_json || as_xml);
    if (!reason || (fits && (!reason_fits || further))) reason = std::move(parsed).error();
    reason_fits |= fits;
  }
  if (row.shape == Shape::json && !as_json)
    if (const auto line = json_behind(text.text()); line > 0)
      reason = Error(Errc::invalid_argument,
                     fmt::format("{}; what begins at line {} may be JSON, which has to stand alone: leave out what is "
                                 "printed before and behind it",
                                 reason->message(), line));
  return std::move(*reason).within(fmt::format("{} results", name(row.kind)));
}

/// Why there are no results, if that is because of the average alone.
std::optional<Error> average_missing(AdapterKind kind, Prepared& text, const ParseOptions& options) {
  if (!options.average) return {};
  auto without = options;
  without.average.reset();
  const auto found = first_of(adapter::forms_of(kind, without), text, without);
  if (!found) return {};
  for (const auto& row : adapter::rows())
    if (row.kind == found->adapter)
      if (auto again = read(row, text, options); !again) return std::move(again).error();
  return {};
}

Result<Parsed> detect(AdapterKind kind, Prepared& text, const ParseOptions& options) {
  const auto forms = adapter::forms_of(kind, options);
  if (auto found = first_of(forms, text, options)) return *std::move(found);
  if (auto reason = average_missing(kind, text, options)) return *std::move(reason);
  std::string tried;
  for (const auto& row : adapter::rows()) {
    if (!adapter::detected(row, kind)) continue;
    tried += fmt::format("{}{}", tried.empty() ? "" : ", ", name(row.kind));
    // A text that is JSON was meant for json most of the time, and a report of tests for nothing else, so these reasons
    // are worth the words.
    if ((row.kind == json && begins_json(text.text())) ||
        (row.kind == shell_junit && adapter::holds(text.plain(), "<testsuite")))
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
