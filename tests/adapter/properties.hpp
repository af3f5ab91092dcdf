// What holds for every adapter and every text, whatever is in it. The fuzzers and the tests of bad input share it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bencher/adapter/adapter.hpp"

namespace bencher::test {

/// The most bytes that the results of a text of `size` bytes may take. The shortest lines with a result, `a: 1s`, are
/// six bytes, and take 48, or twice that while there may come more.
std::size_t most_bytes(std::size_t size);
/// The same of a text that a mapping is for, which may put texts of its own before each name and make several metrics
/// of one value.
std::size_t most_mapped_bytes(std::size_t size);

/// Reads `text` twice. Empty if both times gave the same, and that is either an error with a reason or results as they
/// may be: valid, finite, no name twice, in bounded memory, and their own fold. Else what is wrong.
std::string broken_property(AdapterKind kind, std::string_view text, const ParseOptions& options = {});

/// The same for what a mapping file makes of `text`. A mapping that is none has a reason, too.
std::string broken_mapping(std::string_view document, std::string_view text, const ParseOptions& options = {});

}  // namespace bencher::test
