// Texts of any number of benchmarks in the forms that the adapters read, for tests and benchmarks.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "bencher/adapter/adapter.hpp"

namespace bencher::test {

/// A form that a harness writes its results in.
struct Form {
  std::string_view name;  ///< the adapter's for its first form, then what the form is called
  AdapterKind kind;
  std::string_view head;
  std::string (*entry)(unsigned i);  ///< benchmark `i`, in the shape and length that the harness gives it
  std::string_view separator = {};   ///< between entries
  std::string_view tail = {};
};

/// All forms; those of one adapter follow each other.
std::span<const Form> forms();
/// The first form of an adapter; null for one that has none.
const Form* form_of(AdapterKind kind);

/// `count` benchmarks, no name twice.
std::string text_with(const Form& form, std::size_t count);
/// As many benchmarks as make about `size` bytes.
std::string text_of(const Form& form, std::size_t size);

// Those whose entries are JSON; the parts of `forms`.
std::span<const Form> json_forms();
/// And those of the harnesses that the reference does not have.
std::span<const Form> beyond_forms();

}  // namespace bencher::test
