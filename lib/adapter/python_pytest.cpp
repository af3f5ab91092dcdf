// pytest-benchmark: `--benchmark-json`.

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_nan.hpp"

namespace bencher::adapter {
namespace {

template <bool strict>
class Pytest {
 public:
  Pytest(std::string_view text, Builder& out)
      : reader_(text), out_(out), extras_(out), median_(out.options().average == Average::median) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"machine_info", strict}, {"commit_info", strict}, {"benchmarks"}};
    const bool done = top_record(reader_, "a report of pytest-benchmark", fields, out_, [&](std::size_t field) {
      if (field < 2) return strict ? any_object(reader_) : reader_.skip();
      return json::array(reader_, "an array of benchmarks", [&](std::size_t) { return entry(); });
    });
    return finished(reader_, done, out_);
  }

 private:
  struct Stats {
    std::optional<double> mean, stddev, median, iqr;
  };

  bool entry() {
    static constexpr json::Field fields[]{{"fullname"}, {"stats"}, {"extra_info", false, true}};
    std::string_view name;
    Stats stats;
    extras_.clear();
    const bool done = json::record(reader_, "a benchmark", fields, entry_shape_, [&](std::size_t field) {
      switch (field) {
        case 0: return name_text(reader_, name, name_scratch_);
        case 1: return read(stats);
        default: return extra_info();
      }
    });
    if (!done) return false;
    const auto& value = median_ ? stats.median : stats.mean;
    const auto& spread = median_ ? stats.iqr : stats.stddev;
    if (!value) {
      out_.warn("benchmarks without the average asked for are left out");
      return true;
    }
    constexpr double to_ns = 1e9;
    out_.benchmark(name);
    out_.latency(spread ? plus_minus(*value, *spread, to_ns) : Metric{*value * to_ns, {}, {}});
    extras_.flush();
    return true;
  }

  bool read(Stats& out) {
    static constexpr json::Field fields[]{
        {"mean", strict}, {"stddev", strict}, {"median", strict}, {"iqr", strict}, {"ops", false, true}};
    return json::record(reader_, "stats", fields, stats_shape_, [&](std::size_t field) {
      if (field == 4) return extras_.read(reader_, "throughput");
      auto& into = field == 0 ? out.mean : field == 1 ? out.stddev : field == 2 ? out.median : out.iqr;
      return strict ? decimal(reader_, into.emplace()) : optional_decimal(reader_, into);
    });
  }

  /// What a test has put beside its times.
  bool extra_info() {
    if (reader_.peek() != '{') return reader_.skip();
    return json::object(reader_, "extra_info",
                        [&](std::string_view key) { return extras_.read(reader_, std::string(key)); });
  }

  json::Reader reader_;
  Builder& out_;
  Extras extras_;
  bool median_;
  std::string name_scratch_;
  json::Shape entry_shape_, stats_shape_;
};

}  // namespace

Result<void> read_pytest(std::string_view text, Builder& out) {
  return Pytest<true>(text, out).read();
}

Result<void> read_pytest_extended(std::string_view text, Builder& out) {
  const auto mended = without_nan(text);
  if (!mended) return Pytest<false>(text, out).read();
  out.top_keys().mended();
  return Pytest<false>(*mended, out).read();
}

}  // namespace bencher::adapter
