// Google Benchmark: `--benchmark_format=json`.

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_nan.hpp"

namespace bencher::adapter {
namespace {

/// Fields of an entry that are no values measured.
bool is_about(std::string_view key) {
  static constexpr std::array names{std::string_view("family_index"),
                                    std::string_view("per_family_instance_index"),
                                    std::string_view("run_name"),
                                    std::string_view("run_type"),
                                    std::string_view("repetitions"),
                                    std::string_view("repetition_index"),
                                    std::string_view("threads"),
                                    std::string_view("iterations"),
                                    std::string_view("aggregate_name"),
                                    std::string_view("aggregate_unit"),
                                    std::string_view("label"),
                                    std::string_view("error_occurred"),
                                    std::string_view("error_message"),
                                    std::string_view("skipped"),
                                    std::string_view("skip_message"),
                                    std::string_view("cpu_coefficient"),
                                    std::string_view("real_coefficient"),
                                    std::string_view("big_o"),
                                    std::string_view("rms")};
  return std::find(names.begin(), names.end(), key) != names.end();
}

template <bool strict>
class Google {
 public:
  Google(std::string_view text, Builder& out) : reader_(text), out_(out), extras_(out) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"context", strict}, {"benchmarks"}};
    const bool done = top_record(reader_, "a report of Google Benchmark", fields, out_, [&](std::size_t field) {
      if (field == 0) return strict ? context() : reader_.skip();
      return json::array(reader_, "an array of benchmarks", [&](std::size_t) { return entry(); });
    });
    return finished(reader_, done, out_);
  }

 private:
  bool context() {
    static constexpr json::Field fields[]{{"caches"}};
    return json::record(reader_, "the context", fields, [&](std::size_t) {
      return json::array(reader_, "an array of caches", [&](std::size_t) { return any_object(reader_); });
    });
  }

  bool entry() {
    static constexpr json::Field fields[]{
        {"name"}, {"real_time", strict}, {"time_unit", strict}, {"cpu_time", false, true}};
    std::string_view name, unit;
    std::optional<double> time, cpu;
    failed_ = relative_ = false;
    extras_.clear();
    const bool done = json::record(
        reader_, "a benchmark", fields, &shape_,
        [&](std::size_t field) {
          switch (field) {
            case 0: return name_text(reader_, name, name_scratch_);
            case 1: return strict ? decimal(reader_, time.emplace()) : optional_decimal(reader_, time);
            case 2: return time_unit(unit);
            default: return cpu_time(cpu);
          }
        },
        [&](std::string_view key, std::size_t place) { return unknown(key, place); });
    if (!done) return false;
    if (failed_) {
      out_.warn("benchmarks that ended with an error or were skipped are left out");
      return true;
    }
    if (!time) {
      out_.warn("entries without a time (of Complexity(), skipped ones) are left out");
      return true;
    }
    if (relative_) {
      out_.warn("aggregates that are percentages are left out");
      return true;
    }
    if (unit.empty()) {
      out_.warn("entries without a time_unit are left out");
      return true;
    }
    out_.benchmark(name);
    out_.latency({*time * factor_, {}, {}});
    if (cpu) out_.extra("cpu_time", *cpu * factor_);
    extras_.flush();
    return true;
  }

  bool time_unit(std::string_view& unit) {
    const auto mark = reader_.mark();
    if (!reader_.string(unit, unit_scratch_)) return false;
    if (unit == unit_ && !unit.empty()) return true;
    factor_ = strict ? time_factor(unit) : any_time_factor(unit);
    if (factor_ == 0) {
      reader_.go(mark);
      return reader_.fail(fmt::format("'{}' is no unit of time", excerpt(unit, 40)));
    }
    unit_ = unit;
    return true;
  }

  bool cpu_time(std::optional<double>& cpu) {
    if (!out_.wants_extras()) return extras_.read(reader_, "cpu_time");
    if (reader_.peek() == '"' || reader_.peek() == 'n') return reader_.skip();
    return reader_.number(cpu.emplace());
  }

  /// Counters, and bytes and items per second. Entries have the same fields in the same order, so the kind of a field
  /// is known by its place.
  bool unknown(std::string_view key, std::size_t place) {
    if (place >= known_.size() && place < json::Shape::most) known_.resize(place + 1);
    bool about = false;
    if (place < known_.size() && known_[place].first == key) {
      about = known_[place].second;
    } else {
      about = is_about(key);
      if (place < known_.size()) known_[place] = {std::string(key), about};
    }
    if (!strict && about) return find_failure(key);
    return about ? reader_.skip() : extras_.read(reader_, key);
  }

  /// What makes an entry none with a time.
  bool find_failure(std::string_view key) {
    const char next = reader_.peek();
    if (key == "aggregate_unit" && next == '"') {
      std::string_view unit;
      if (!reader_.string(unit, unit_scratch_)) return false;
      relative_ = unit == "percentage";
      return true;
    }
    if ((key == "error_occurred" || key == "skipped") && next == 't') failed_ = true;
    return reader_.skip();
  }

  json::Reader reader_;
  Builder& out_;
  bool failed_ = false, relative_ = false;
  Extras extras_;
  std::string name_scratch_, unit_scratch_, unit_;
  double factor_ = 0;
  json::Shape shape_;
  std::vector<std::pair<std::string, bool>> known_;  ///< unknown fields, by their place
};

}  // namespace

Result<void> read_google(std::string_view text, Builder& out) {
  return Google<true>(text, out).read();
}

Result<void> read_google_extended(std::string_view text, Builder& out) {
  const auto mended = without_nan(text);
  if (!mended) return Google<false>(text, out).read();
  out.top_keys().mended();
  return Google<false>(*mended, out).read();
}

}  // namespace bencher::adapter
