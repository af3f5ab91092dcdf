// Bencher Metric Format: {benchmark: {measure: {"value", "lower_value", "upper_value"}}}.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <simdjson.h>
#include <span>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/json/reader.hpp"

namespace bencher::adapter {
namespace {

/// Keeps of several items of one name the last one, at the place of the first. Sorts hashes, and names only where
/// hashes meet, so no choice of names makes it slow.
template <class T, class NameOf>
void keep_last(std::vector<T>& items, NameOf name_of) {
  if (items.size() < 2) return;
  if (items.size() == 2) {
    if (name_of(items[0]) != name_of(items[1])) return;
    items[0] = std::move(items[1]);
    items.pop_back();
    return;
  }
  struct Entry {
    std::size_t hash;
    std::uint32_t at;
  };
  std::vector<Entry> entries(items.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i)
    entries[i] = {std::hash<std::string>()(name_of(items[i])), i};
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.hash != b.hash ? a.hash < b.hash : a.at < b.at; });
  std::vector<std::uint32_t> dropped;
  for (std::size_t first = 0; first < entries.size();) {
    std::size_t last = first + 1;
    while (last < entries.size() && entries[last].hash == entries[first].hash)
      ++last;
    if (last - first > 1) {
      const auto group = std::span(entries).subspan(first, last - first);
      std::sort(group.begin(), group.end(), [&](const Entry& a, const Entry& b) {
        const int order = name_of(items[a.at]).compare(name_of(items[b.at]));
        return order != 0 ? order < 0 : a.at < b.at;
      });
      for (std::size_t i = 0; i < group.size();) {
        std::size_t next = i + 1;
        while (next < group.size() && name_of(items[group[next].at]) == name_of(items[group[i].at]))
          dropped.push_back(group[next++].at);
        if (next - i > 1) std::swap(items[group[i].at], items[group[next - 1].at]);
        i = next;
      }
    }
    first = last;
  }
  if (dropped.empty()) return;
  std::sort(dropped.begin(), dropped.end());
  std::size_t kept = dropped.front();
  auto drop = dropped.begin();
  for (std::size_t i = kept; i < items.size(); ++i) {
    if (drop != dropped.end() && *drop == i)
      ++drop;
    else
      items[kept++] = std::move(items[i]);
  }
  items.resize(kept);
}

/// The usual text of a UUID in any of its spellings, or empty.
std::string canonical_uuid(std::string_view key) {
  if (key.size() == 45 && (key.starts_with("urn:uuid:") || key.starts_with("URN:UUID:"))) key.remove_prefix(9);
  if (key.size() == 38 && key.front() == '{' && key.back() == '}') key = key.substr(1, 36);
  if (key.size() != 32 && key.size() != 36) return {};
  const auto uuid = AnyUuid::parse(key);
  return uuid ? uuid->str() : std::string();
}

class Bmf {
 public:
  explicit Bmf(std::string_view text) : text_(text), reader_(text) {}

  Result<Results> read() {
    if (text_.starts_with("\xef\xbb\xbf"))
      reader_.fail("the text begins with a byte order mark, which JSON does not take");
    Results results;
    if (!reader_.failed()) document(results);
    if (reader_.failed()) return error();
    return results;
  }

 private:
  bool document(Results& results) {
    if (reader_.peek() != '{')
      return reader_.fail(fmt::format("expected an object of benchmarks, found {}", reader_.found()));
    reader_.take('{');
    if (!reader_.take('}')) {
      do {
        // Read into its place, so that what the pointer of an error names outlives the failure.
        auto& benchmark = results.emplace_back();
        if (!key(benchmark.name)) return false;
        benchmark_ = benchmark.name;
        if (benchmark.name.empty() || benchmark.name.size() > 1024)
          return reader_.fail(fmt::format("a benchmark name has 1 to 1024 bytes, not {}", benchmark.name.size()));
        if (!measures(benchmark.measures)) return false;
        benchmark_ = {};
      } while (reader_.take(','));
      if (!reader_.expect('}', "',' or '}'")) return false;
    }
    if (!reader_.finish()) return false;
    keep_last(results, [](const BenchmarkResult& b) -> const std::string& { return b.name; });
    return true;
  }

  bool measures(std::vector<MeasureMetric>& out) {
    if (!open("an object of measures")) return false;
    if (reader_.take('}')) return true;
    do {
      auto& measure = out.emplace_back();
      if (!key(measure.measure)) return false;
      measure_ = measure.measure;
      const auto plain = [](char c) { return c > 0x20 && c < 0x7f; };
      const auto& name = measure.measure;
      if (name.empty() || name.size() > 64 || !plain(name.front()) || !plain(name.back()))
        if (const auto checked = ResourceName::parse(name); !checked) return reader_.fail(checked.error().message());
      if (!metric(measure.metric)) return false;
      measure_ = {};
    } while (reader_.take(','));
    if (!reader_.expect('}', "',' or '}'")) return false;
    keep_last(out, [](const MeasureMetric& m) -> const std::string& { return m.measure; });
    return true;
  }

  bool metric(Metric& out) {
    if (reader_.peek() == '[') return metric_array(out);
    if (!open("a metric object")) return false;
    bool has_value = false, has_lower = false, has_upper = false;
    if (!reader_.take('}')) {
      do {
        std::string_view field;
        if (!reader_.string(field, scratch_) || !reader_.expect(':', "':' after the key")) return false;
        // `name` is a literal: the key itself may be in the scratch.
        const auto once = [&](bool& has, std::string_view name) {
          field_ = name;
          if (has) return reader_.fail("the field is there twice");
          return has = true;
        };
        if (field == "value") {
          if (!once(has_value, "value") || !reader_.number(out.value)) return false;
        } else if (field == "lower_value") {
          if (!once(has_lower, "lower_value") || !bound(out.lower)) return false;
        } else if (field == "upper_value") {
          if (!once(has_upper, "upper_value") || !bound(out.upper)) return false;
        } else if (!reader_.skip(4)) {
          return false;
        }
        field_ = {};
      } while (reader_.take(','));
      if (!reader_.expect('}', "',' or '}'")) return false;
    }
    return has_value || reader_.fail("the metric lacks its value");
  }

  /// The three fields in order, without their names.
  bool metric_array(Metric& out) {
    reader_.take('[');
    return reader_.number(out.value) && reader_.expect(',', "','") && bound(out.lower) && reader_.expect(',', "','") &&
           bound(out.upper) && reader_.expect(']', "']' after three numbers");
  }

  bool bound(std::optional<double>& out) {
    if (reader_.take_null()) return true;
    double value = 0;
    if (!reader_.number(value)) return false;
    out = value;
    return true;
  }

  bool open(const char* what) {
    return reader_.take('{') || reader_.fail(fmt::format("expected {}, found {}", what, reader_.found()));
  }

  bool key(std::string& out) {
    std::string_view text;
    if (!reader_.string(text, scratch_) || !reader_.expect(':', "':' after the key")) return false;
    if (text.size() >= 32 && text.size() <= 45) out = canonical_uuid(text);
    if (out.empty()) out = text;
    return true;
  }

  Error error() {
    std::string pointer;
    for (const auto part : {benchmark_, measure_, field_}) {
      if (part.empty()) break;
      pointer += '/';
      for (const char c : to_valid_utf8(part.substr(0, 200)))
        c == '~' ? pointer += "~0" : c == '/' ? pointer += "~1" : pointer += c;
    }
    const auto before = text_.substr(0, reader_.offset());
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto start = before.rfind('\n');
    const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return Error(Errc::invalid_argument,
                 fmt::format("json results{}{}: {} (line {}, column {})", pointer.empty() ? "" : " at ", pointer,
                             reader_.reason(), line, column));
  }

  std::string_view text_;
  json::Reader reader_;
  std::string scratch_;
  std::string_view benchmark_, measure_, field_;  ///< where the reader stands
};

}  // namespace

Result<Results> parse_json(std::string_view text, std::optional<Average>) {
  if (!simdjson::validate_utf8(text.data(), text.size()))
    return Error(Errc::invalid_argument, "json results: the text is not valid UTF-8");
  return Bmf(text).read();
}

}  // namespace bencher::adapter
