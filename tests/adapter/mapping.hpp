// Texts read by mapping files.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "bencher/adapter/mapping.hpp"

#include "tests/adapter/cases.hpp"

namespace bencher::test {

/// What `text` holds by the mapping; fails the test if that is nothing.
inline Parsed mapped(std::string_view mapping, std::string_view text, const ParseOptions& options = {}) {
  const auto read = Mapping::parse(mapping);
  if (!read) FAIL(read.error().message());
  auto parsed = read->read(text, options);
  if (!parsed) FAIL(parsed.error().message());
  return *std::move(parsed);
}

/// The message with which `text` is refused.
inline std::string not_mapped(std::string_view mapping, std::string_view text, const ParseOptions& options = {}) {
  const auto read = Mapping::parse(mapping);
  if (!read) FAIL(read.error().message());
  const auto parsed = read->read(text, options);
  if (parsed) FAIL("read: ", as_bmf(parsed->results));
  CHECK(parsed.error().code() == Errc::invalid_argument);
  return parsed.error().message();
}

/// The message with which a mapping is refused.
inline std::string no_mapping(std::string_view document) {
  const auto read = Mapping::parse(document);
  if (read) FAIL("taken");
  CHECK(read.error().code() == Errc::invalid_argument);
  return read.error().message();
}

}  // namespace bencher::test
