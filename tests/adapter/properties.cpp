#include "tests/adapter/properties.hpp"

#include <cmath>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <fmt/core.h>

#include "bencher/adapter/mapping.hpp"
#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"

namespace bencher::test {
namespace {

bool finite(const Metric& metric) {
  return std::isfinite(metric.value) && std::isfinite(metric.lower.value_or(0)) &&
         std::isfinite(metric.upper.value_or(0));
}

/// Texts for people: some of what was read stands in them, but not all of it.
std::string broken_words(std::string_view what, std::string_view text) {
  constexpr std::size_t most = 16 * 1024;
  if (text.empty()) return fmt::format("{} is empty", what);
  if (text.size() > most) return fmt::format("{} has {} bytes: {:.200}…", what, text.size(), text);
  if (!is_utf8(text)) return fmt::format("{} is not UTF-8: {}", what, text);
  return {};
}

std::string broken_benchmark(const Results::Benchmark& benchmark) {
  if (benchmark.name.empty() || benchmark.name.size() > 1024 || !is_utf8(benchmark.name))
    return fmt::format("a name of {} bytes: '{}'", benchmark.name.size(), benchmark.name);
  std::set<std::string_view> measures;
  for (const auto m : benchmark.measures) {
    if (!ResourceName::parse(m.measure)) return fmt::format("the measure '{}' of '{}'", m.measure, benchmark.name);
    if (!measures.insert(m.measure).second)
      return fmt::format("the measure '{}' is twice in '{}'", m.measure, benchmark.name);
    if (!finite(m.metric)) return fmt::format("'{}' of '{}' is not finite", m.measure, benchmark.name);
  }
  return {};
}

std::string broken_parsed(const Parsed& parsed, std::size_t size, std::size_t most) {
  std::set<std::string_view> names;
  for (const auto benchmark : parsed.results) {
    if (auto broken = broken_benchmark(benchmark); !broken.empty()) return broken;
    if (!names.insert(benchmark.name).second) return fmt::format("the name '{}' is there twice", benchmark.name);
  }
  for (const auto& warning : parsed.warnings)
    if (auto broken = broken_words("a warning", warning); !broken.empty()) return broken;
  if (parsed.results.bytes() > most)
    return fmt::format("{} bytes of results from {} bytes of text", parsed.results.bytes(), size);
  for (const auto by : {Fold::min, Fold::max, Fold::mean, Fold::median})
    if (fold(by, std::span(&parsed.results, 1)) != parsed.results)
      return fmt::format("the {} of one is not itself", name(by));
  return {};
}

/// Of an error that blames what was read.
std::string broken_reason(const Error& error) {
  if (error.code() != Errc::invalid_argument) return "an error that does not blame the text";
  return broken_words("the reason", error.message());
}

/// `read()` gives the same each time: an error with a reason, or results in `most` bytes, from `size` bytes of text.
template <class Read>
std::string broken_reading(std::size_t size, std::size_t most, Read&& read) {
  const Result<Parsed> parsed = read(), again = read();
  if (parsed.has_value() != again.has_value()) return "it is read only once";
  if (!parsed) {
    if (parsed.error().message() != again.error().message()) return "two reasons for one error";
    return broken_reason(parsed.error());
  }
  if (parsed->adapter != again->adapter || parsed->results != again->results || parsed->warnings != again->warnings)
    return "read twice, it differs";
  return broken_parsed(*parsed, size, most);
}

}  // namespace

std::size_t most_bytes(std::size_t size) {
  return 2 * 65'536 + size * 24;
}

std::size_t most_mapped_bytes(std::size_t size) {
  return 6 * 65'536 + size * 112;
}

std::string broken_property(AdapterKind kind, std::string_view text, const ParseOptions& options) {
  return broken_reading(text.size(), most_bytes(text.size()), [&] { return parse(kind, text, options); });
}

std::string broken_mapping(std::string_view document, std::string_view text, const ParseOptions& options) {
  const auto mapping = Mapping::parse(document);
  if (!mapping) return broken_reason(mapping.error());
  return broken_reading(text.size(), most_mapped_bytes(text.size()), [&] { return mapping->read(text, options); });
}

}  // namespace bencher::test
