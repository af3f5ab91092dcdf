// pyperf: the file of `-o` and `--append`, with one benchmark or a suite of them. Its values are of one run of the
// benchmarked code; calibrations and warm-ups stand elsewhere.

#include <algorithm>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/samples.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

/// What metadata says of a benchmark: that of the suite holds for each that says nothing itself.
struct About {
  std::string name, unit;
};

struct Benchmark {
  About about;
  std::optional<Metric> average;     ///< in its unit
  std::optional<double> peak_bytes;  ///< of the resident memory of all its processes
};

class Pyperf {
 public:
  Pyperf(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"version"}, {"benchmarks", false}, {"runs", false}, {"metadata", false}};
    std::string version;
    About common;
    bool any = false;
    const bool done = top_members(reader_, "a suite of pyperf", fields, out_, [&](std::size_t field) {
      any |= field == 1 || field == 2;
      switch (field) {
        case 0: return text(reader_, version);
        case 1: return json::array(reader_, "an array of benchmarks", [&](std::size_t) { return benchmark(); });
        case 2: return runs(found_.emplace_back());
        default: return metadata(common);
      }
    });
    if (done && !any) reader_.fail("a suite of pyperf lacks its field 'benchmarks'");
    if (done && any)
      for (const auto& one : found_)
        add(one, common);
    return finished(reader_, done && any, out_, !found_.empty());
  }

 private:
  bool metadata(About& out) {
    static constexpr json::Field fields[]{{"name", false}, {"unit", false}};
    return members(reader_, "metadata", fields,
                   [&](std::size_t field) { return text(reader_, field == 0 ? out.name : out.unit); });
  }

  bool benchmark() {
    static constexpr json::Field fields[]{{"metadata", false}, {"runs"}};
    auto& into = found_.emplace_back();
    return members(reader_, "a benchmark", fields,
                   [&](std::size_t field) { return field == 0 ? metadata(into.about) : runs(into); });
  }

  bool runs(Benchmark& out) {
    static constexpr json::Field fields[]{{"values", false}, {"metadata", false}};
    static constexpr json::Field in_metadata[]{{"mem_max_rss", false}};
    values_.clear();
    const bool done = json::array(reader_, "an array of runs", [&](std::size_t) {
      return members(reader_, "a run", fields, [&](std::size_t field) {
        if (field == 0)
          return json::array(reader_, "an array of values",
                             [&](std::size_t) { return reader_.number(values_.emplace_back()); });
        return members(reader_, "metadata", in_metadata, [&](std::size_t) {
          std::optional<double> bytes;
          if (!number_or_skip(reader_, bytes)) return false;
          if (bytes) out.peak_bytes = std::max(out.peak_bytes.value_or(*bytes), *bytes);
          return true;
        });
      });
    });
    if (done && !values_.empty()) out.average = average_of(out_.options(), values_);
    return done;
  }

  void add(const Benchmark& one, const About& common) {
    const auto& name = one.about.name.empty() ? common.name : one.about.name;
    const auto& unit = one.about.unit.empty() ? common.unit : one.about.unit;
    if (!name_fits(name)) {
      out_.warn(name.empty() ? "benchmarks without a name are left out"
                             : "benchmarks whose names have more than 1024 bytes are left out");
      return;
    }
    if (!one.average) {
      out_.warn(fmt::format("'{}' has no values, only calibrations, and is left out", name));
      return;
    }
    if (unit.empty() || unit == "second") {
      constexpr double to_ns = 1e9;
      out_.benchmark(name);
      out_.latency(scaled(*one.average, to_ns));
    } else if (unit == "byte" || unit == "integer") {
      out_.benchmark(name);
      out_.metric(out_.measure(unit == "byte" ? "memory" : "value"), *one.average);
    } else {
      out_.warn(fmt::format("'{}' is measured in '{}', which is none of second, byte and integer, and is left out",
                            name, excerpt(unit, 40)));
      return;
    }
    if (one.peak_bytes) out_.extra("mem_max_rss", *one.peak_bytes);
  }

  json::Reader reader_;
  Builder& out_;
  std::vector<Benchmark> found_;
  std::vector<double> values_;
};

}  // namespace

Result<void> read_pyperf(std::string_view text, Builder& out) {
  return Pyperf(text, out).read();
}

}  // namespace bencher::adapter
