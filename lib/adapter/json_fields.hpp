// What the JSON adapters share: names, numbers that may be strings, and how they end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/adapter/registry.hpp"
#include "lib/json/reader.hpp"

namespace bencher::adapter {

/// What an adapter returns at the end: nothing is left in the text, and it had results. `failures`: there were
/// benchmarks, but without a result.
Result<void> finished(json::Reader& r, bool read, const Builder& out, bool failures = false);
/// For a text that was read well but has none.
Error no_results(std::string_view what);

/// A string of 1 to 1,024 bytes: the name of a benchmark, or a part of one.
bool name_text(json::Reader& r, std::string_view& out, std::string& scratch);
/// Any string, kept.
bool text(json::Reader& r, std::string& out);
/// A number, or a string that holds one: digits with sign, point, exponent and underscores between digits.
bool decimal(json::Reader& r, double& out);
/// The number in a text, as `decimal` takes it; nothing if it is none, or too large for a double.
std::optional<double> decimal_in(std::string_view text);
/// Like `decimal`; `null`, and a string that says `NaN`, leave `out` empty.
bool optional_decimal(json::Reader& r, std::optional<double>& out);
/// A number, or `null`, which leaves `out` empty.
bool optional_number(json::Reader& r, std::optional<double>& out);
/// The same, but any other value leaves `out` empty too.
bool number_or_skip(json::Reader& r, std::optional<double>& out);
/// Passes over an object, or an array without elements; anything else fails.
bool any_object(json::Reader& r);

/// `json::record` for what is an object only, never an array of its fields.
template <std::size_t n, class Read>
bool members(json::Reader& r, const char* what, const json::Field (&fields)[n], Read&& read) {
  if (r.peek() != '{') return r.fail(std::string("expected ") + what + ", found " + r.found());
  return json::record(r, what, fields, std::forward<Read>(read));
}

/// `json::record` for the whole of a text; tells `out` the keys that an object has.
template <std::size_t n, class Read>
bool top_record(json::Reader& r, const char* what, const json::Field (&fields)[n], Builder& out, Read&& read) {
  if (r.peek() == '{') out.top_keys().begin();
  const auto known = [&](std::size_t field) {
    out.top_keys().add(fields[field].name);
    return read(field);
  };
  return json::record(r, what, fields, nullptr, known, [&](std::string_view key, std::size_t) {
    out.top_keys().add(key);
    return r.skip();
  });
}
template <std::size_t n, class Read>
bool top_members(json::Reader& r, const char* what, const json::Field (&fields)[n], Builder& out, Read&& read) {
  if (r.peek() != '{') return r.fail(std::string("expected ") + what + ", found " + r.found());
  return top_record(r, what, fields, out, std::forward<Read>(read));
}

/// Where extras of a benchmark wait until it has its name.
class Extras {
 public:
  explicit Extras(Builder& out) : out_(out) {}
  /// Reads the value of the extra `name`, times `factor`; a value that is no number is passed over.
  bool read(json::Reader& r, std::string_view name, double factor = 1);
  /// Keeps a value until `flush`.
  void add(std::string_view name, double value) { waiting_.emplace_back(name, value); }
  /// Adds them to the builder's current benchmark.
  void flush();
  void clear() { waiting_.clear(); }

 private:
  Builder& out_;
  std::vector<std::pair<std::string, double>> waiting_;
};

/// To nanoseconds: the factor of a unit of time, or 0.
double time_factor(std::string_view unit);
/// The same with minutes, hours and days, and the long names that tools print.
double any_time_factor(std::string_view unit);

/// The metric times `factor`.
inline Metric scaled(const Metric& m, double factor) {
  const auto times = [&](std::optional<double> v) { return v ? std::optional(*v * factor) : v; };
  return {m.value * factor, times(m.lower), times(m.upper)};
}

/// value ± spread, both times `factor`.
inline Metric plus_minus(double value, double spread, double factor = 1) {
  const double v = value * factor, w = spread * factor;
  return {v, v - w, v + w};
}

}  // namespace bencher::adapter
