// hyperfine: `--export-json`, of version 1 and of version 2.

#include <charconv>

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"

namespace bencher::adapter {
namespace {

constexpr double to_ns = 1e9;

bool is_number(char c) {
  return c == '-' || (c >= '0' && c <= '9');
}

template <bool strict>
class Hyperfine {
 public:
  Hyperfine(std::string_view text, Builder& out)
      : reader_(text), out_(out), extras_(out), median_(out.options().average == Average::median) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"results"}, {"primary_metric", false, true}};
    const bool done = top_record(reader_, "a report of hyperfine", fields, out_, [&](std::size_t field) {
      if (field == 1) return reader_.peek() == '"' ? text(reader_, primary_) : reader_.skip();
      return json::array(reader_, "an array of results", [&](std::size_t) { return entry(); });
    });
    return finished(reader_, done, out_);
  }

 private:
  /// Of one command, in the unit that they have there.
  struct Times {
    std::optional<double> mean, stddev, median, min, max;
    std::string unit = "second";
  };

  bool entry() {
    static constexpr json::Field fields[]{{"command"},
                                          {"mean", strict},
                                          {"median", strict},
                                          {"user", strict},
                                          {"system", strict},
                                          {"min", strict},
                                          {"max", strict},
                                          {"stddev", false},
                                          {"times", false},
                                          {"exit_codes", strict},
                                          {"parameters", false},
                                          {"memory_usage_byte", false, true},
                                          {"summary", false, true}};
    std::string_view name;
    std::string parameters;
    Times t;
    std::optional<double> user, system, memory;
    extras_.clear();
    bool summed = false;
    const bool done = json::record(reader_, "a result", fields, shape_, [&](std::size_t field) {
      switch (field) {
        case 0: return name_text(reader_, name, name_scratch_);
        case 1: return number(t.mean);
        case 2: return number(t.median);
        case 3: return number(user);
        case 4: return number(system);
        case 5: return number(t.min);
        case 6: return number(t.max);
        case 7: return reader_.take_null() || number(t.stddev);
        case 8: return strict ? numbers() : reader_.skip();
        case 9: return strict ? exit_codes() : reader_.skip();
        case 10: return read_parameters(parameters);
        case 11: return memory_usage(memory);
        default: return strict ? reader_.skip() : (summed = summary(t));
      }
    });
    if (!done) return false;
    const auto& value = median_ ? t.median : t.mean;
    if (!value) return reader_.fail(median_ ? "the result has no median" : "the result has no mean");
    out_.benchmark(name);
    if (summed && t.unit != "second") {
      const auto as_is = [&](std::optional<double> v) { return v; };
      out_.metric(out_.measure(primary()), metric(t, as_is));
    } else {
      out_.latency(metric(t, [](std::optional<double> v) { return v ? std::optional(*v * to_ns) : v; }));
    }
    if (user) out_.extra("user", *user * to_ns);
    if (system) out_.extra("system", *system * to_ns);
    if (memory) out_.extra("memory", *memory);
    extras_.flush();
    if (!parameters.empty()) out_.distinct_name(fmt::format("{} ({})", name, parameters));
    return true;
  }

  template <class Scale>
  Metric metric(const Times& t, Scale scale) const {
    if (median_) return {*scale(t.median), scale(t.min), scale(t.max)};
    if (!t.stddev) return {*scale(t.mean), {}, {}};
    return {*scale(t.mean), scale(*t.mean - *t.stddev), scale(*t.mean + *t.stddev)};
  }

  std::string_view primary() const { return primary_.empty() ? std::string_view("time_wall_clock") : primary_; }

  bool number(std::optional<double>& out) {
    if (!strict) return optional_number(reader_, out);
    return reader_.number(out.emplace());
  }

  bool numbers() {
    if (reader_.take_null()) return true;
    std::string_view digits;
    return json::array(reader_, "an array of times", [&](std::size_t) { return reader_.number_text(digits); });
  }

  bool exit_codes() {
    return json::array(reader_, "an array of exit codes", [&](std::size_t) {
      if (reader_.take_null()) return true;
      const auto mark = reader_.mark();
      std::string_view digits;
      if (!reader_.number_text(digits)) return false;
      if (digits.size() == 1) return true;
      std::int32_t code = 0;
      const auto [stop, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), code);
      if (ec == std::errc() && stop == digits.data() + digits.size()) return true;
      reader_.go(mark);
      return reader_.fail("expected a 32-bit integer");
    });
  }

  bool read_parameters(std::string& out) {
    if (reader_.take_null()) return true;
    if (!out_.wants_distinct_names() || reader_.peek() != '{') return strict ? any_object(reader_) : reader_.skip();
    return json::object(reader_, "parameters", [&](std::string_view key) {
      const std::string name(key);
      std::string value;
      if (reader_.peek() == '"') {
        if (!text(reader_, value)) return false;
      } else if (is_number(reader_.peek())) {
        std::string_view digits;
        if (!reader_.number_text(digits)) return false;
        value = digits;
      } else {
        return reader_.skip();
      }
      out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, value);
      return true;
    });
  }

  /// An array with the peak of each run: its mean.
  bool memory_usage(std::optional<double>& out) {
    if (reader_.peek() != '[') return reader_.skip();
    double sum = 0;
    std::size_t count = 0;
    const bool done = json::array(reader_, "an array", [&](std::size_t) {
      if (!is_number(reader_.peek())) return reader_.skip();
      double value = 0;
      if (!reader_.number(value)) return false;
      sum += value;
      ++count;
      return true;
    });
    if (done && count > 0) out = sum / static_cast<double>(count);
    return done;
  }

  /// Version 2: {"time_wall_clock": {"unit", "mean", "stddev", "median", "min", "max"}, …}.
  bool summary(Times& out) {
    return json::object(reader_, "a summary", [&](std::string_view key) {
      if (reader_.peek() != '{') return reader_.skip();
      const std::string name(key);
      static constexpr json::Field fields[]{{"mean", false}, {"stddev", false}, {"median", false},
                                            {"min", false},  {"max", false},    {"unit", false}};
      Times t;
      const bool done = json::record(reader_, "a summary", fields, [&](std::size_t field) {
        switch (field) {
          case 0: return optional_number(reader_, t.mean);
          case 1: return optional_number(reader_, t.stddev);
          case 2: return optional_number(reader_, t.median);
          case 3: return optional_number(reader_, t.min);
          case 4: return optional_number(reader_, t.max);
          default: return text(reader_, t.unit);
        }
      });
      if (!done) return false;
      if (name == primary()) {
        out = t;
      } else if (const auto& value = median_ ? t.median : t.mean) {
        extras_.add(name, t.unit == "second" ? *value * to_ns : *value);
      }
      return true;
    });
  }

  json::Reader reader_;
  Builder& out_;
  Extras extras_;
  bool median_;
  std::string primary_, name_scratch_;
  json::Shape shape_;
};

}  // namespace

Result<void> read_hyperfine(std::string_view text, Builder& out) {
  return Hyperfine<true>(text, out).read();
}

Result<void> read_hyperfine_extended(std::string_view text, Builder& out) {
  return Hyperfine<false>(text, out).read();
}

}  // namespace bencher::adapter
