// airspeed velocity's files of results, below `results_dir`: {"results": {NAME: [result, params, …]}}, version 2. Times
// are in seconds. What a benchmark measures is told by the beginning of its function's name, as asv itself does.

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_nan.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

using Numbers = std::vector<std::optional<double>>;

/// One benchmark, with a value for each combination of its parameters.
struct Entry {
  Numbers values, lower, upper;  ///< the latter are quartiles
  std::vector<std::vector<std::string>> parameters;
  bool failed = false;
};

class Saved {
 public:
  Saved(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"results"}};
    const bool done = members(reader_, "a file of asv's results", fields, [&](std::size_t) {
      return json::object(reader_, "benchmarks by their names", [&](std::string_view name) {
        const std::string kept(name);
        Entry one;
        if (!entry(one)) return false;
        add(kept, one);
        return true;
      });
    });
    return finished(reader_, done, out_, failures_);
  }

 private:
  bool entry(Entry& out) {
    if (reader_.take_null()) return true;
    return json::array(reader_, "an array of columns", [&](std::size_t column) {
      switch (column) {
        case 0: return numbers(out.values);
        case 1: return parameters(out.parameters);
        case 7: return numbers(out.lower);
        case 8: return numbers(out.upper);
        default: return reader_.skip();
      }
    });
  }

  bool numbers(Numbers& out) {
    if (reader_.peek() != '[') return reader_.skip();
    return json::array(reader_, "an array of values",
                       [&](std::size_t) { return number_or_skip(reader_, out.emplace_back()); });
  }

  bool parameters(std::vector<std::vector<std::string>>& out) {
    if (reader_.peek() != '[') return reader_.skip();
    return json::array(reader_, "an array of parameters", [&](std::size_t) {
      auto& choices = out.emplace_back();
      return json::array(reader_, "an array of a parameter's values",
                         [&](std::size_t) { return text(reader_, choices.emplace_back()); });
    });
  }

  /// `NAME(a, b)`, by the values of the parameters, of which the last one changes first; without Python's quotes, as
  /// asv prints them.
  static std::string with_parameters(std::string_view name, const Entry& one, std::size_t place) {
    if (one.parameters.empty()) return std::string(name);
    std::vector<std::string_view> chosen(one.parameters.size());
    for (auto i = one.parameters.size(); i-- > 0;) {
      const auto& choices = one.parameters[i];
      if (choices.empty()) return std::string(name);
      std::string_view shown = choices[place % choices.size()];
      if (shown.size() >= 2 && (shown.front() == '\'' || shown.front() == '"') && shown.back() == shown.front())
        shown = shown.substr(1, shown.size() - 2);
      chosen[i] = name_part(shown);
      place /= choices.size();
    }
    std::string out(name);
    for (std::size_t i = 0; i < chosen.size() && out.size() <= 1024; ++i)
      out.append(i == 0 ? "(" : ", ").append(chosen[i]);
    return out + ")";
  }

  enum class Kind { time, memory, value };

  static Kind kind_of(std::string_view name) {
    name = name.substr(name.rfind('.') + 1);
    for (const std::string_view word : {"mem", "peakmem", "Mem", "PeakMem"})
      if (name.starts_with(word)) return Kind::memory;
    return name.starts_with("track") || name.starts_with("Track") ? Kind::value : Kind::time;
  }

  void add(std::string_view name, const Entry& one) {
    const auto kind = kind_of(name);
    bool any = false;
    for (std::size_t i = 0; i < one.values.size(); ++i) {
      if (!one.values[i]) continue;
      const auto whole = with_parameters(name, one, i);
      if (!name_fits(whole)) {
        out_.warn("benchmarks whose names have more than 1024 bytes are left out");
        continue;
      }
      any = true;
      out_.benchmark(whole);
      // As asv prints it: half of what lies between the quartiles, to both sides.
      Metric metric{*one.values[i], {}, {}};
      if (i < one.lower.size() && i < one.upper.size() && one.lower[i] && one.upper[i])
        metric = plus_minus(metric.value, (*one.upper[i] - *one.lower[i]) / 2);
      if (kind == Kind::time)
        out_.latency(scaled(metric, 1e9));
      else
        out_.metric(out_.measure(kind == Kind::memory ? "memory" : "value"), metric);
    }
    if (any) return;
    failures_ = true;
    out_.warn(fmt::format("'{}' failed or was skipped, and is left out", excerpt(name, 100)));
  }

  json::Reader reader_;
  Builder& out_;
  bool failures_ = false;
};

}  // namespace

Result<void> read_asv_results(std::string_view text, Builder& out) {
  const auto mended = without_nan(text);
  return Saved(mended ? *mended : text, out).read();
}

}  // namespace bencher::adapter
