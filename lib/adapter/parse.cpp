// Which adapter reads a text, and in which of its forms.

#include <algorithm>

#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

#include "lib/adapter/prepare.hpp"
#include "lib/adapter/registry.hpp"

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

bool begins_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

Result<Parsed> run(const Row& row, const Grammar& grammar, Prepared& text, const ParseOptions& options) {
  Builder out(options, row.repeats);
  BENCHER_DO(grammar.parse(row.shape == Shape::json ? text.text() : text.plain(), out));
  auto parsed = std::move(out).finish(row.kind);
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
  if (row.shape == Shape::json && text.malformed() > 0)
    return Error(Errc::invalid_argument,
                 fmt::format("{} results: the text is not valid UTF-8 (line {})", name(row.kind), text.malformed()));
  const auto named = [&](Error error) { return std::move(error).within(fmt::format("{} results", name(row.kind))); };
  if (!row.strict.parse) {
    auto parsed = run(row, row.extended, text, options);
    if (!parsed) return named(std::move(parsed).error());
    return parsed;
  }
  auto parsed = run(row, row.strict, text, options);
  if (parsed) return parsed;
  if (row.extended.parse) {
    auto more = run(row, row.extended, text, options);
    if (more) return more;
    // The reason of the form that the text has.
    if (begins_json(text.text()) != (row.shape == Shape::json)) return named(std::move(more).error());
  }
  return named(std::move(parsed).error());
}

/// The first row that gives results: with what the reference reads in all of them, then with all that we read.
Result<Parsed> detect(AdapterKind kind, Prepared& text, const ParseOptions& options) {
  const bool as_json = begins_json(text.text());
  const auto candidates = [&](auto&& visit) {
    for (const auto& row : adapter::rows())
      if (row.detected && (kind == magic || row.language == kind)) visit(row);
  };
  std::optional<Parsed> found;
  for (const bool strict : {true, false}) {
    candidates([&](const Row& row) {
      const auto& grammar = strict ? row.strict : row.extended;
      if (found || !grammar.parse || !takes(row.averages, options.average)) return;
      if (row.shape == Shape::json && (!as_json || text.malformed() > 0)) return;
      if (!grammar.mark.empty() && text.plain().find(grammar.mark) == std::string_view::npos) return;
      if (auto parsed = run(row, grammar, text, options)) found = *std::move(parsed);
    });
    if (found) return *std::move(found);
  }
  std::string tried;
  candidates([&](const Row& row) {
    tried += fmt::format("{}{}", tried.empty() ? "" : ", ", name(row.kind));
    // A text that is JSON was meant for json most of the time, so its reason is worth the words.
    if (row.kind == json && as_json)
      if (const auto reason = read(row, text, options); !reason)
        tried += fmt::format(" ({})", reason.error().message());
  });
  const auto bytes = text.text();
  return Error(Errc::invalid_argument,
               fmt::format("no adapter found results in the output ({}); tried: {}",
                           bytes.empty() ? "it is empty"
                                         : fmt::format("{} bytes, {} lines", bytes.size(),
                                                       std::count(bytes.begin(), bytes.end(), '\n') + 1),
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
