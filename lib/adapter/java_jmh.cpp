// JMH: `-rf json`.

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/json_fields.hpp"

namespace bencher::adapter {
namespace {

template <bool strict>
class Jmh {
 public:
  Jmh(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    const bool done = json::array(reader_, "an array of benchmarks of JMH", [&](std::size_t) { return entry(); });
    return finished(reader_, done, out_);
  }

 private:
  struct Score {
    std::optional<double> score, lower, upper;
    std::string unit;
  };
  struct Secondary {
    std::string name;
    Score score;
  };
  enum class Kind { none, latency, throughput };

  bool entry() {
    static constexpr json::Field fields[]{
        {"benchmark"}, {"primaryMetric"}, {"secondaryMetrics", strict}, {"mode", false, true}, {"params", false, true}};
    std::string_view name;
    std::string mode, params;
    Score primary;
    secondary_.clear();
    const bool done = json::record(reader_, "a benchmark", fields, entry_shape_, [&](std::size_t field) {
      switch (field) {
        case 0: return name_text(reader_, name, name_scratch_);
        case 1: return read(primary);
        case 2: return secondaries();
        case 3: return reader_.peek() == '"' ? text(reader_, mode) : reader_.skip();
        default: return parameters(params);
      }
    });
    if (!done) return false;
    if (!primary.score) {
      out_.warn("benchmarks without a score are left out");
      return true;
    }
    out_.benchmark(name);
    const auto kind = convert(primary);
    if (kind == Kind::none)
      return reader_.fail(fmt::format("'{}' is no scoreUnit that can be read", excerpt(primary.unit, 40)));
    const Metric metric{*primary.score, primary.lower, primary.upper};
    kind == Kind::latency ? out_.latency(metric) : out_.throughput(metric);
    for (auto& s : secondary_) {
      if (!s.score.score) continue;
      convert(s.score);
      out_.extra(s.name, Metric{*s.score.score, s.score.lower, s.score.upper});
    }
    if (out_.wants_distinct_names() && (!mode.empty() || !params.empty()))
      out_.distinct_name(fmt::format("{} [{}{}{}]", name, mode, mode.empty() || params.empty() ? "" : ", ", params));
    return true;
  }

  /// To nanoseconds, or to operations a second.
  Kind convert(Score& s) {
    const auto each = [&](auto&& f) {
      for (auto* value : {&s.score, &s.lower, &s.upper})
        if (*value) *value = f(**value);
    };
    const std::string_view unit = s.unit;
    if (const auto at = unit.find("/op"); at != std::string_view::npos && at + 3 == unit.size()) {
      const double factor = strict ? time_factor(unit.substr(0, at)) : any_time_factor(unit.substr(0, at));
      if (factor == 0) return Kind::none;
      each([&](double v) { return v * factor; });
      return Kind::latency;
    }
    if (unit.starts_with("ops/")) {
      const auto per = unit.substr(4);
      if (!strict && time_factor(per) == 0) {
        const double seconds = any_time_factor(per) / 1e9;
        if (seconds == 0) return Kind::none;
        each([&](double v) { return v / seconds; });
        return Kind::throughput;
      }
      const double seconds = per == "s"                ? 1
                             : per == "ms"             ? 1 / 1e3
                             : per == "ns"             ? 1 / 1e9
                             : per == "ps"             ? 1 / 1e12
                             : time_factor(per) == 1e3 ? 1 / 1e6
                                                       : 0;
      if (seconds == 0) return Kind::none;
      each([&](double v) { return v / seconds; });
      return Kind::throughput;
    }
    return Kind::none;
  }

  bool read(Score& out) {
    static constexpr json::Field fields[]{{"score"}, {"scoreConfidence", strict}, {"scoreUnit"}};
    return json::record(reader_, "a metric", fields, metric_shape_, [&](std::size_t field) {
      switch (field) {
        case 0: return strict ? decimal(reader_, out.score.emplace()) : optional_decimal(reader_, out.score);
        case 1: return confidence(out);
        default: return text(reader_, out.unit);
      }
    });
  }

  bool confidence(Score& out) {
    std::size_t count = 0;
    const bool done = json::array(reader_, "two bounds", [&](std::size_t i) {
      if (++count > 2) return reader_.fail("expected two bounds");
      auto& bound = i == 0 ? out.lower : out.upper;
      return strict ? decimal(reader_, bound.emplace()) : optional_decimal(reader_, bound);
    });
    return done && (count == 2 || reader_.fail("expected two bounds"));
  }

  bool secondaries() {
    if (reader_.peek() != '{') return any_object(reader_);
    if (!out_.wants_extras()) {
      return json::object(reader_, "secondary metrics", [&](std::string_view key) {
        out_.dropped(plain(key));
        return reader_.skip();
      });
    }
    return json::object(reader_, "secondary metrics", [&](std::string_view key) {
      if (reader_.peek() != '{') return reader_.skip();
      Secondary s{std::string(plain(key)), {}};
      static constexpr json::Field fields[]{
          {"score", false, true}, {"scoreConfidence", false, true}, {"scoreUnit", false, true}};
      const bool done = json::record(reader_, "a metric", fields, [&](std::size_t field) {
        const char c = reader_.peek();
        if (field == 0 && (c == '-' || (c >= '0' && c <= '9'))) return reader_.number(s.score.score.emplace());
        if (field == 2 && c == '"') return text(reader_, s.score.unit);
        return reader_.skip();
      });
      if (done) secondary_.push_back(std::move(s));
      return done;
    });
  }

  /// Profilers put a dot before their names.
  static std::string_view plain(std::string_view key) {
    if (key.starts_with("\u00b7")) key.remove_prefix(2);
    return key;
  }

  bool parameters(std::string& out) {
    if (reader_.peek() != '{') return reader_.skip();
    return json::object(reader_, "parameters", [&](std::string_view key) {
      const std::string name(key);
      if (reader_.peek() != '"') return reader_.skip();
      std::string value;
      if (!text(reader_, value)) return false;
      out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, value);
      return true;
    });
  }

  json::Reader reader_;
  Builder& out_;
  std::string name_scratch_;
  std::vector<Secondary> secondary_;
  json::Shape entry_shape_, metric_shape_;
};

}  // namespace

Result<void> read_jmh(std::string_view text, Builder& out) {
  return Jmh<true>(text, out).read();
}

Result<void> read_jmh_extended(std::string_view text, Builder& out) {
  return Jmh<false>(text, out).read();
}

}  // namespace bencher::adapter
