// Bencher Metric Format: {benchmark: {measure: {"value", "lower_value", "upper_value"}}}.

#include <string>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/json/reader.hpp"

namespace bencher::adapter {
namespace {

/// The usual text of a UUID in any of its spellings, or empty.
std::string canonical_uuid(std::string_view key) {
  if (key.size() == 45 && (key.starts_with("urn:uuid:") || key.starts_with("URN:UUID:"))) key.remove_prefix(9);
  if (key.size() == 38 && key.front() == '{' && key.back() == '}') key = key.substr(1, 36);
  if (key.size() != 32 && key.size() != 36) return {};
  const auto uuid = AnyUuid::parse(key);
  return uuid ? uuid->str() : std::string();
}

/// A document nests to 127 levels; an ignored field of a metric lies in three.
constexpr std::size_t levels_of_ignored = 127 - 3;

class Bmf {
 public:
  Bmf(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    const bool done =
        json::object(reader_, "an object of benchmarks", [&](std::string_view name) { return benchmark(name); }) &&
        reader_.finish();
    if (!done) return Error(Errc::invalid_argument, reader_.where_and_why());
    return {};
  }

 private:
  bool benchmark(std::string_view name) {
    if (name.empty() || name.size() > 1024)
      return reader_.fail(fmt::format("a benchmark name has 1 to 1024 bytes, not {}", name.size()));
    out_.benchmark(name_of(name));
    // Most texts have the same measures in the same order in each benchmark.
    return json::object(reader_, "an object of measures", measures_, [&](const json::ShapedKey& measure) {
      auto id = static_cast<Builder::MeasureId>(measure.same ? measures_.field(measure.place) : 0);
      if (!measure.same && !find_measure(measure, id)) return false;
      Metric read;
      if (!metric(read)) return false;
      out_.metric(id, read);
      return true;
    });
  }

  /// The key, or a UUID's usual text.
  std::string_view name_of(std::string_view key) {
    if (key.size() < 32 || key.size() > 45) return key;
    uuid_ = canonical_uuid(key);
    return uuid_.empty() ? key : uuid_;
  }

  bool find_measure(const json::ShapedKey& key, Builder::MeasureId& out) {
    const auto name = name_of(key.text);
    if (const auto checked = ResourceName::parse(name); !checked) return reader_.fail(checked.error().message());
    out = out_.measure(name);
    if (key.lasts) measures_.set(key.place, key.text, static_cast<std::size_t>(out));
    return true;
  }

  bool metric(Metric& out) {
    static constexpr json::Field fields[]{{"value"}, {"lower_value", false}, {"upper_value", false}};
    return json::record(
        reader_, "a metric", fields,
        [&](std::size_t field) {
          if (field == 0) return reader_.number(out.value);
          auto& bound = field == 1 ? out.lower : out.upper;
          if (reader_.take_null()) return true;
          return reader_.number(bound.emplace());
        },
        levels_of_ignored);
  }

  json::Reader reader_;
  Builder& out_;
  std::string uuid_;
  json::Shape measures_;  ///< of the benchmark before
};

}  // namespace

Result<void> read_bmf(std::string_view text, Builder& out) {
  return Bmf(text, out).read();
}

}  // namespace bencher::adapter
