// BenchmarkDotNet: the full JSON export.

#include <array>

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_nan.hpp"

namespace bencher::adapter {
namespace {

constexpr std::array<std::string_view, 5> memory_measures{"gen0-collects", "gen1-collects", "gen2-collects",
                                                          "total-operations", "allocated"};

template <bool strict>
class DotNet {
 public:
  DotNet(std::string_view text, Builder& out)
      : reader_(text), out_(out), median_(out.options().average == Average::median) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"HostEnvironmentInfo", strict}, {"Benchmarks"}};
    const bool done = top_record(reader_, "a report of BenchmarkDotNet", fields, out_, [&](std::size_t field) {
      if (field == 0) return strict ? any_object(reader_) : reader_.skip();
      return json::array(reader_, "an array of benchmarks", [&](std::size_t) { return entry(); });
    });
    return finished(reader_, done, out_);
  }

 private:
  struct Statistics {
    double mean = 0, deviation = 0, median = 0, iqr = 0;
  };
  using Memory = std::array<std::optional<double>, 5>;

  bool entry() {
    static constexpr json::Field fields[]{{"Namespace", false},  {"Method"},
                                          {"Statistics"},        {"Memory", false},
                                          {"Type", false, true}, {"Parameters", false, true}};
    std::string space, method, type, parameters;
    std::optional<Statistics> statistics;
    std::optional<Memory> memory;
    const auto string = [&](std::string& into) {
      if (reader_.peek() == '"') return text(reader_, into);
      return reader_.skip();
    };
    const bool done = json::record(reader_, "a benchmark", fields, entry_shape_, [&](std::size_t field) {
      switch (field) {
        case 0: return reader_.take_null() || part(space);
        case 1: return part(method);
        case 2: return (!strict && reader_.take_null()) || read(statistics.emplace());
        case 3: return reader_.take_null() || read(memory.emplace());
        case 4: return string(type);
        default: return string(parameters);
      }
    });
    if (!done) return false;
    const auto name = space.empty() ? method : space + "." + method;
    if (name.size() > 1024)
      return reader_.fail(fmt::format("a benchmark's name has at most 1024 bytes, not {}", name.size()));
    if (!statistics) {
      out_.warn(fmt::format("'{}' has no statistics, so it may have failed, and is left out", name));
      return true;
    }
    out_.benchmark(name);
    out_.latency(median_ ? plus_minus(statistics->median, statistics->iqr)
                         : plus_minus(statistics->mean, statistics->deviation));
    if (memory)
      for (std::size_t i = 0; i < memory->size(); ++i)
        if ((*memory)[i]) out_.metric(out_.measure(memory_measures[i]), {*(*memory)[i], {}, {}});
    if (out_.wants_distinct_names())
      out_.distinct_name((space.empty() ? "" : space + ".") + (type.empty() ? "" : type + ".") + method +
                         (parameters.empty() ? "" : "(" + parameters + ")"));
    return true;
  }

  bool part(std::string& out) {
    std::string_view view;
    std::string scratch;
    if (!name_text(reader_, view, scratch)) return false;
    out = view;
    return true;
  }

  bool read(Statistics& out) {
    static constexpr json::Field fields[]{
        {"Mean"}, {"StandardDeviation", strict}, {"Median", strict}, {"InterquartileRange", strict}};
    return json::record(reader_, "statistics", fields, statistics_shape_, [&](std::size_t field) {
      const std::array into{&out.mean, &out.deviation, &out.median, &out.iqr};
      return decimal(reader_, *into[field]);
    });
  }

  bool read(Memory& out) {
    static constexpr json::Field fields[]{{"Gen0Collections", strict},
                                          {"Gen1Collections", strict},
                                          {"Gen2Collections", strict},
                                          {"TotalOperations", strict},
                                          {"BytesAllocatedPerOperation", strict}};
    return json::record(reader_, "memory", fields, [&](std::size_t field) {
      if (!strict) return optional_decimal(reader_, out[field]);
      std::string_view digits;
      const auto mark = reader_.mark();
      if (!reader_.number_text(digits)) return false;
      constexpr double most = 4294967295;
      double value = 0;
      reader_.go(mark);
      if (!reader_.number(value)) return false;
      if (digits.find_first_not_of("0123456789") == std::string_view::npos && value <= most) {
        out[field] = value;
        return true;
      }
      reader_.go(mark);
      return reader_.fail("expected an unsigned 32-bit integer");
    });
  }

  json::Reader reader_;
  Builder& out_;
  bool median_;
  json::Shape entry_shape_, statistics_shape_;
};

}  // namespace

Result<void> read_dot_net(std::string_view text, Builder& out) {
  return DotNet<true>(text, out).read();
}

Result<void> read_dot_net_extended(std::string_view text, Builder& out) {
  const auto mended = without_nan(text);
  if (!mended) return DotNet<false>(text, out).read();
  out.top_keys().mended();
  return DotNet<false>(*mended, out).read();
}

}  // namespace bencher::adapter
