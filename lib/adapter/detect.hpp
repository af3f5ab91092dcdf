// Which of several grammars reads a text.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/adapter/prepare.hpp"
#include "lib/adapter/registry.hpp"

namespace bencher::adapter {

/// A grammar and what it is tried on.
struct Form {
  const Row* row;
  const Grammar* grammar;
  Shape shape;
};

/// Whether an adapter has results with that setting.
bool takes(Averages averages, std::optional<Average> average);
/// Whether `kind`, which is `magic` or a language, tries the row.
bool detected(const Row& row, AdapterKind kind);
/// What it tries, in this order: what the reference reads in all adapters, then all that we read, JSON before text, and
/// last what others may have lines of, too.
std::vector<Form> forms_of(AdapterKind kind, const ParseOptions& options);

/// Whether a text may be JSON that a harness wrote: an object, or an array of objects or arrays.
bool begins_json(std::string_view text);

/// What the form reads, or why it reads nothing. `keys`: gets those of the top object, where they are known.
Result<Parsed> run(const Form& form, Prepared& text, const ParseOptions& options, TopKeys* keys = nullptr);

/// What the first form that gives results reads.
std::optional<Parsed> first_of(const std::vector<Form>& forms, Prepared& text, const ParseOptions& options);

}  // namespace bencher::adapter
