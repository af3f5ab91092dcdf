// k6: `--summary-export`, what `handleSummary` is given, and the summary of `--new-machine-readable-summary`. Times are
// in milliseconds.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr double ms_to_ns = 1e6;

struct Values {
  std::optional<double> avg, min, med, max;
  std::optional<double> count, rate, value, passes, fails;
  std::vector<std::pair<std::string, double>> percentiles;
};

struct K6Metric {
  std::string name, type, contains;
  Values values;
  bool nested = false;  ///< its values stand apart, beside its type
};

/// Those that k6 itself measures; a --summary-export does not say of others whether they are times.
bool known_time(std::string_view name) {
  name = name.substr(0, name.find('{'));
  for (const std::string_view begin : {"http_req_", "grpc_req_", "ws_", "browser_"})
    if (name.starts_with(begin)) return true;
  return name == "iteration_duration" || name == "group_duration";
}

class K6 {
 public:
  K6(std::string_view text, Builder& out)
      : reader_(text), out_(out), median_(out.options().average == Average::median) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"metrics", false}, {"root_group", false}, {"results", false}};
    static constexpr json::Field in_results[]{{"metrics"}, {"checks", false}};
    static constexpr json::Field in_checks[]{{"metrics", false}};
    bool any = false, root = false;
    bool done = top_members(reader_, "a summary of k6", fields, out_, [&](std::size_t field) {
      if (field == 1) {
        root = true;
        return reader_.skip();
      }
      any = true;
      if (field == 0) return by_name();
      return members(reader_, "results", in_results, [&](std::size_t i) {
        if (i == 0) return listed();
        return members(reader_, "checks", in_checks, [&](std::size_t) { return listed(); });
      });
    });
    if (done && !any) done = reader_.fail("a summary of k6 lacks its field 'metrics'");
    // Any report may have metrics; these have to look like those of k6.
    if (done && flat_ && !root) done = reader_.fail("a summary of k6 lacks its field 'root_group'");
    return finished(reader_, done, out_, found_);
  }

 private:
  /// {NAME: {…}}.
  bool by_name() {
    return json::object(reader_, "metrics by their names", [&](std::string_view key) {
      if (!name_fits(key)) return reader_.fail(fmt::format("a name has 1 to 1024 bytes, not {}", key.size()));
      next();
      metric_.name = key;
      if (!metric(metric_)) return false;
      flat_ |= !metric_.nested;
      add(metric_);
      return true;
    });
  }

  /// [{"name": NAME, …}].
  bool listed() {
    return json::array(reader_, "an array of metrics", [&](std::size_t) {
      next();
      if (!metric(metric_)) return false;
      if (metric_.name.empty()) return reader_.fail("a metric lacks its field 'name'");
      add(metric_);
      return true;
    });
  }

  /// Begins a metric; the memory of the one before stays.
  void next() {
    found_ = true;
    metric_.name.clear();
    metric_.type.clear();
    metric_.contains.clear();
    metric_.nested = false;
    auto percentiles = std::move(metric_.values.percentiles);
    percentiles.clear();
    metric_.values = Values{};
    metric_.values.percentiles = std::move(percentiles);
  }

  /// The values of its own, or in a field beside its type.
  bool metric(K6Metric& out) {
    return json::object(reader_, "a metric", [&](std::string_view key) {
      if (key == "values" && reader_.peek() == '{') {
        out.nested = true;
        return json::object(reader_, "values", [&](std::string_view inner) { return value(out.values, inner); });
      }
      if (reader_.peek() == '"') {
        if (key == "name" && out.name.empty()) {
          std::string_view name;
          if (!name_text(reader_, name, scratch_)) return false;
          out.name = name;
          return true;
        }
        if (key == "type") return text(reader_, out.type);
        if (key == "contains") return text(reader_, out.contains);
      }
      return value(out.values, key);
    });
  }

  bool value(Values& out, std::string_view key) {
    using Into = std::optional<double> Values::*;
    static constexpr std::pair<std::string_view, Into> known[]{
        {"avg", &Values::avg},     {"min", &Values::min},       {"med", &Values::med},     {"max", &Values::max},
        {"count", &Values::count}, {"rate", &Values::rate},     {"value", &Values::value}, {"passes", &Values::passes},
        {"fails", &Values::fails}, {"matches", &Values::passes}};
    for (const auto& [name, into] : known)
      if (key == name) return optional_number(reader_, out.*into);
    std::string percentile = percentile_of(key);
    std::optional<double> number;
    if (percentile.empty()) return reader_.skip();
    if (!optional_number(reader_, number)) return false;
    if (number) out.percentiles.emplace_back(std::move(percentile), *number);
    return true;
  }

  /// `p90` for `p(90)` and `p90`.
  static std::string percentile_of(std::string_view key) {
    if (!key.starts_with('p')) return {};
    key.remove_prefix(1);
    if (key.starts_with('(') && key.ends_with(')')) key = key.substr(1, key.size() - 2);
    if (key.empty() || key.size() > 16 || key.find_first_not_of("0123456789.") != std::string_view::npos) return {};
    return std::string("p").append(key);
  }

  void add(const K6Metric& m) {
    const auto& v = m.values;
    // The export leaves the type out.
    const bool rate = m.type.empty() ? v.passes || v.fails : m.type == "rate";
    const bool gauge = m.type.empty() ? !rate && v.value : m.type == "gauge";
    const bool counter = m.type.empty() ? !rate && !gauge && v.rate : m.type == "counter";
    if (rate) {
      // A part of all, from 0 to 1.
      const auto& part = v.rate ? v.rate : v.value;
      if (!part) return;
      out_.benchmark(m.name);
      out_.metric(out_.measure("rate"), {*part, {}, {}});
      if (v.passes) out_.extra("passes", *v.passes);
      if (v.fails) out_.extra("fails", *v.fails);
    } else if (gauge) {
      if (v.value && benchmark(m, false)) out_.extra("value", Metric{*v.value, v.min, v.max});
    } else if (counter) {
      if (!benchmark(m, v.rate.has_value())) return;
      if (v.rate) out_.throughput({*v.rate, {}, {}});
      if (v.count) out_.extra("count", *v.count);
    } else {
      trend(m);
    }
  }

  void trend(const K6Metric& m) {
    const auto& v = m.values;
    const auto& average = median_ ? v.med : v.avg;
    if (!average) {
      out_.warn(
          fmt::format("'{}' has no {}, and is left out: add it to summaryTrendStats", m.name, median_ ? "med" : "avg"));
      return;
    }
    const bool time = m.contains.empty() || m.contains == "time";
    if (m.contains.empty() && !known_time(m.name))
      out_.warn(fmt::format("'{}' is taken for milliseconds, as a --summary-export does not say", m.name));
    const double factor = time ? ms_to_ns : 1;
    out_.benchmark(m.name);
    const auto value = scaled({*average, v.min, v.max}, factor);
    if (time)
      out_.latency(value);
    else
      out_.metric(out_.measure(m.contains == "data" ? "bytes" : "value"), value);
    for (const auto& [measure, percentile] : v.percentiles)
      out_.extra(measure, percentile * factor);
    if (v.count) out_.extra("count", *v.count);
  }

  /// Begins one, or only counts it if it would have nothing but extras that nobody wants.
  bool benchmark(const K6Metric& m, bool has_measure) {
    if (!has_measure && !out_.wants_extras()) {
      out_.dropped(m.values.value ? "value" : "count");
      return false;
    }
    out_.benchmark(m.name);
    return true;
  }

  json::Reader reader_;
  Builder& out_;
  bool median_;
  bool flat_ = false, found_ = false;
  K6Metric metric_;
  std::string scratch_;
};

}  // namespace

Result<void> read_k6(std::string_view text, Builder& out) {
  return K6(text, out).read();
}

}  // namespace bencher::adapter
