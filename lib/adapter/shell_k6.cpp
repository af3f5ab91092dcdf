// k6: `--summary-export`, what `handleSummary` is given, and the summary of `--new-machine-readable-summary`, whose
// times are in milliseconds; also the summary that it prints at the end of a test.

#include <algorithm>

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/registry.hpp"
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
  double to_ns = ms_to_ns;

  /// Begins another one; the memory of the one before stays.
  void reset() {
    name.clear();
    type.clear();
    contains.clear();
    nested = false;
    auto percentiles = std::move(values.percentiles);
    percentiles.clear();
    values = Values{};
    values.percentiles = std::move(percentiles);
  }
};

/// Those that k6 itself measures; a --summary-export does not say of others whether they are times.
bool known_time(std::string_view name) {
  name = name.substr(0, name.find('{'));
  for (const std::string_view begin : {"http_req_", "grpc_req_", "ws_", "browser_"})
    if (name.starts_with(begin)) return true;
  return name == "iteration_duration" || name == "group_duration";
}

/// Up to eight bytes as a number, for a switch.
constexpr std::uint64_t packed(std::string_view word) {
  std::uint64_t out = 0;
  for (const char c : word)
    out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

std::optional<double>* known(Values& values, std::string_view key) {
  if (key.size() > 8) return nullptr;
  switch (packed(key)) {
    case packed("avg"): return &values.avg;
    case packed("min"): return &values.min;
    case packed("med"): return &values.med;
    case packed("max"): return &values.max;
    case packed("count"): return &values.count;
    case packed("rate"): return &values.rate;
    case packed("value"): return &values.value;
    case packed("fails"): return &values.fails;
    case packed("passes"):
    case packed("matches"): return &values.passes;
    default: return nullptr;
  }
}

/// `p90` for `p(90)` and `p90`.
std::string percentile_of(std::string_view key) {
  if (!key.starts_with('p')) return {};
  key.remove_prefix(1);
  if (key.starts_with('(') && key.ends_with(')')) key = key.substr(1, key.size() - 2);
  if (key.empty() || key.size() > 14) return {};
  for (const char c : key)
    if (!digit(c) && c != '.') return {};
  return std::string("p").append(key);
}

/// Makes results of metrics.
class Measured {
 public:
  explicit Measured(Builder& out) : out_(out), median_(out.options().average == Average::median) {}

  /// How long the test took, for counters without a rate.
  void took(double seconds) { seconds_ = seconds; }

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
      auto per_second = v.rate;
      if (!per_second && v.count && seconds_ > 0) per_second = *v.count / seconds_;
      if (!benchmark(m, per_second.has_value())) return;
      if (per_second) out_.throughput({*per_second, {}, {}});
      if (v.count) out_.extra("count", *v.count);
    } else {
      trend(m);
    }
  }

 private:
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
    const double factor = time ? m.to_ns : 1;
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

  Builder& out_;
  bool median_;
  double seconds_ = 0;
};

class K6 {
 public:
  K6(std::string_view text, Builder& out) : reader_(text), out_(out), measured_(out) {}

  Result<void> read() {
    static constexpr json::Field fields[]{
        {"metrics", false}, {"root_group", false}, {"results", false}, {"config", false}};
    static constexpr json::Field in_config[]{{"duration", false}};
    static constexpr json::Field in_results[]{{"metrics"}, {"checks", false}};
    static constexpr json::Field in_checks[]{{"metrics", false}};
    bool any = false, root = false;
    bool done = top_members(reader_, "a summary of k6", fields, out_, [&](std::size_t field) {
      if (field == 1) {
        root = true;
        return reader_.skip();
      }
      if (field == 3) {
        if (reader_.peek() != '{') return reader_.skip();
        std::optional<double> seconds;
        const bool read = members(reader_, "the configuration", in_config,
                                  [&](std::size_t) { return optional_number(reader_, seconds); });
        if (seconds) measured_.took(*seconds);
        return read;
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
      measured_.add(metric_);
      return true;
    });
  }

  /// [{"name": NAME, …}].
  bool listed() {
    return json::array(reader_, "an array of metrics", [&](std::size_t) {
      next();
      if (!metric(metric_)) return false;
      if (metric_.name.empty()) return reader_.fail("a metric lacks its field 'name'");
      measured_.add(metric_);
      return true;
    });
  }

  void next() {
    found_ = true;
    metric_.reset();
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
    if (auto* into = known(out, key)) return optional_number(reader_, *into);
    std::string percentile = percentile_of(key);
    std::optional<double> number;
    if (percentile.empty()) return reader_.skip();
    if (!optional_number(reader_, number)) return false;
    if (number) out.percentiles.emplace_back(std::move(percentile), *number);
    return true;
  }

  json::Reader reader_;
  Builder& out_;
  Measured measured_;
  bool flat_ = false, found_ = false;
  K6Metric metric_;
  std::string scratch_;
};

/// `1m2.5s`, `727.62\u00b5s`, in nanoseconds.
bool go_duration(std::string_view text, double& ns) {
  ns = 0;
  do {
    double value = 0, factor = 0;
    if (!take_number(text, value)) return false;
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    if (!any_unit(unit, factor)) return false;
    ns += value * factor;
    text.remove_prefix(unit.size());
  } while (!text.empty());
  return true;
}

/// The summary that k6 prints: `http_reqs......: 40 38.7/s`, the whole test's before that of its groups and scenarios.
class Summary {
 public:
  explicit Summary(Builder& out) : measured_(out) { found_.to_ns = 1; }

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);) {
      line = trimmed(line);
      if (line.starts_with("\u2588 ")) {
        part_ = line.substr(4).starts_with("GROUP:") || line.substr(4).starts_with("SCENARIO:");
        continue;
      }
      const auto dots = part_ ? std::string_view::npos : place_of(line, "...: ");
      if (dots != std::string_view::npos) metric(line.substr(0, dots), line.substr(dots + 5));
    }
  }

 private:
  void metric(std::string_view name, std::string_view values) {
    for (const std::string_view mark : {"\u2713 ", "\u2717 "})
      if (name.starts_with(mark)) name.remove_prefix(mark.size());
    while (name.ends_with('.'))
      name.remove_suffix(1);
    name = trimmed(name);
    found_.reset();
    if (name.starts_with('{') && name.ends_with('}')) {
      if (parent_.empty()) return;
      found_.name.append(parent_).append("{").append(trimmed(name.substr(1, name.size() - 2))).append("}");
    } else {
      parent_ = name_part(name);
      found_.name = parent_;
    }
    values = trimmed(values);
    if (name_fits(found_.name) && (trend(values, found_) || rate(values, found_) || count(values, found_)))
      measured_.add(found_);
  }

  /// `12.5`, or `12.5ms` in nanoseconds.
  static bool value_of(Cursor& at, double& value, bool& time) {
    // As nearly all of them are.
    auto plain = at;
    double factor = 0;
    if (plain.number(value) && digit(*at.at) && std::find(at.at, plain.at, ',') == plain.at) {
      time = plain.unit(factor);
      if (time) value *= factor;
      if (plain.done() || blank(*plain.at)) {
        at = plain;
        return true;
      }
    }
    const auto shown = at.word();
    time = !any_number(shown, value);
    return !time || go_duration(shown, value);
  }

  /// `avg=1.5ms min=1ms`; also what follows the value of a gauge.
  static bool statistics(std::string_view text, K6Metric& out) {
    Cursor at(text);
    for (at.skip(); !at.done(); at.skip()) {
      const char* const begin = at.at;
      while (!at.done() && *at.at != '=' && !blank(*at.at))
        ++at.at;
      const auto key = between(begin, at.at);
      double value = 0;
      bool time = false;
      if (!at.take('=') || !value_of(at, value, time)) return false;
      if (time)
        out.contains = "time";
      else if (out.contains.empty())
        out.contains = "default";
      if (auto* into = known(out.values, key))
        *into = value;
      else if (auto percentile = percentile_of(key);
               !percentile.empty() && out.values.percentiles.size() < most_columns)
        out.values.percentiles.emplace_back(std::move(percentile), value);
    }
    return true;
  }

  static bool trend(std::string_view text, K6Metric& out) {
    out.type = "trend";
    return text.substr(0, text.find(' ')).find('=') != std::string_view::npos && statistics(text, out);
  }

  /// `50.00% 40 out of 80`, before version 0.57 `50.00% \u2713 40 \u2717 40`.
  static bool rate(std::string_view text, K6Metric& out) {
    Cursor at(text);
    double percent = 0, passes = 0, others = 0;
    const auto word = at.word();
    if (!word.ends_with('%') || !any_number(word.substr(0, word.size() - 1), percent)) return false;
    out.type = "rate";
    out.values.rate = percent / 100;
    at.skip();
    const bool marked = at.take("\u2713");
    at.skip();
    if (!any_number(at.word(), passes) || !at.blanks() || !at.take(marked ? "\u2717" : "out of")) return true;
    at.skip();
    if (!any_number(at.word(), others)) return true;
    const double all = marked ? passes + others : others;
    out.values.passes = passes;
    out.values.fails = all - passes;
    if (all > 0) out.values.rate = passes / all;
    return true;
  }

  /// `40 38.7/s`, `4.6 kB 4.5 kB/s`, and a gauge, `3 min=3 max=3`.
  static bool count(std::string_view text, K6Metric& out) {
    auto value = amount(text);
    if (!value) return false;
    text = trimmed(text);
    if (text.ends_with("/s")) {
      text.remove_suffix(2);
      out.type = "counter";
      out.values.count = value;
      out.values.rate = amount(text);
      return out.values.rate && text.empty();
    }
    out.type = "gauge";
    if (!statistics(text, out)) return false;
    out.values.value = value;
    // In milliseconds, as in JSON.
    if (out.contains == "time")
      for (auto* v : {&out.values.value, &out.values.min, &out.values.max})
        if (*v) **v /= ms_to_ns;
    return true;
  }

  /// `40`, `4.6 kB`, `12.5ms`, cut off.
  static std::optional<double> amount(std::string_view& text) {
    Cursor at(text);
    const auto word = at.word();
    double value = 0;
    if (!any_number(word, value)) {
      if (!go_duration(word, value)) return {};
      text = at.rest();
      return value;
    }
    text = at.rest();
    at.skip();
    const auto unit = at.word();
    if (unit.ends_with('B') && bytes_in(between(word.data(), unit.data() + unit.size()), 1000, value)) text = at.rest();
    return value;
  }

  Measured measured_;
  K6Metric found_;
  std::string_view parent_;
  bool part_ = false;  ///< within the results of a group or a scenario
};

/// What `handleSummary` prints stands among what k6 prints itself.
std::string_view json_within(std::string_view text) {
  Lines lines(text);
  for (std::string_view line; lines.next_with("{", line);) {
    const auto content = trimmed(line);
    if (!content.starts_with('{')) continue;
    if (content.size() > 1 && content.ends_with('}')) {
      if (holds(content, "\"metrics\"")) return content;
    } else if (content == "{") {
      const auto end = text.rfind("\n}");
      if (end == std::string_view::npos || text.data() + end < line.data()) return {};
      return between(line.data(), text.data() + end + 2);
    }
  }
  return {};
}

}  // namespace

Result<void> read_k6_text(std::string_view text, Builder& out) {
  Summary(out).read(text);
  if (!out.empty()) return {};
  if (const auto json = json_within(text); !json.empty()) return K6(json, out).read();
  return no_match(text, nullptr, "http_req_duration......: avg=1.5ms min=1ms med=1.4ms max=3ms");
}

Result<void> read_k6(std::string_view text, Builder& out) {
  return K6(text, out).read();
}

}  // namespace bencher::adapter
