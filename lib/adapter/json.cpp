// Bencher Metric Format: {benchmark: {measure: {"value", "lower_value", "upper_value"}}}.

#include <algorithm>
#include <string>
#include <vector>

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
    std::size_t place = 0;
    return json::object(reader_, "an object of measures", [&](std::string_view measure) {
      Builder::MeasureId id{};
      if (!find_measure(measure, place++, id)) return false;
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

  bool find_measure(std::string_view key, std::size_t place, Builder::MeasureId& out) {
    // Most texts have the same measures in the same order in each benchmark.
    if (place < known_.size() && known_[place].key == key) {
      out = known_[place].id;
      return true;
    }
    if (const auto checked = ResourceName::parse(name_of(key)); !checked)
      return reader_.fail(checked.error().message());
    out = out_.measure(name_of(key));
    constexpr std::size_t most = 256;
    if (place < known_.size())
      known_[place] = {std::string(key), out};
    else if (place == known_.size() && place < most)
      known_.push_back({std::string(key), out});
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

  struct Known {
    std::string key;
    Builder::MeasureId id;
  };

  json::Reader reader_;
  Builder& out_;
  std::string uuid_;
  std::vector<Known> known_;  ///< the measures of the benchmark before, by their place in it
};

}  // namespace

Result<void> read_bmf(std::string_view text, Builder& out) {
  return Bmf(text, out).read();
}

}  // namespace bencher::adapter
