// mitata: `run({ format: 'json' })` of version 1, and `run({ json: true })` of 0.1. Times are in nanoseconds.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

struct Stats {
  std::optional<double> average, least, most, p25, p50, p75, p99, p999;
  std::optional<double> heap, gc;  ///< bytes, nanoseconds
  std::vector<std::pair<std::string, double>> counters;
};

/// One benchmark with one choice of arguments.
struct Run {
  std::string name, arguments;
  std::optional<Stats> stats;  ///< none: it failed
};

class Mitata {
 public:
  Mitata(std::string_view text, Builder& out)
      : reader_(text), out_(out), median_(out.options().average == Average::median) {}

  Result<void> read() {
    const auto begin = reader_.mark();
    if (out_.wants_distinct_names() && reader_.peek() == '{') {
      static constexpr json::Field in_first_pass[]{{"layout", false}};
      if (members(reader_, "a report of mitata", in_first_pass, [&](std::size_t) { return layout(); }))
        reader_.go(begin);
    }
    static constexpr json::Field fields[]{{"benchmarks"}};
    const bool done = !reader_.failed() && top_members(reader_, "a report of mitata", fields, out_, [&](std::size_t) {
      return json::array(reader_, "an array of benchmarks", [&](std::size_t) { return benchmark(); });
    });
    return finished(reader_, done, out_, failures_);
  }

 private:
  /// The names of the groups, which a benchmark names by their number.
  bool layout() {
    if (reader_.peek() != '[') return reader_.skip();
    static constexpr json::Field fields[]{{"name", false}};
    return json::array(reader_, "an array of groups", [&](std::size_t) {
      auto& into = groups_.emplace_back();
      if (reader_.peek() != '{') return reader_.skip();
      return members(reader_, "a group", fields,
                     [&](std::size_t) { return reader_.take_null() || text(reader_, into); });
    });
  }

  bool benchmark() {
    static constexpr json::Field fields[]{{"runs", false},  {"name", false},  {"alias", false},
                                          {"group", false}, {"stats", false}, {"error", false}};
    std::vector<Run> runs;
    Run only;
    std::string group;
    bool any = false, several = false;
    const bool done = members(reader_, "a benchmark", fields, [&](std::size_t field) {
      switch (field) {
        case 0:
          any = several = true;
          return json::array(reader_, "an array of runs", [&](std::size_t) { return run(runs.emplace_back()); });
        case 1: return name(only.name);
        case 2: return reader_.skip();
        case 3: return group_name(group);
        case 4: any = true; return stats(only.stats);
        default: any = true; return reader_.skip();
      }
    });
    if (!done) return false;
    if (!any) return reader_.fail("a benchmark has neither 'runs' nor 'stats' nor 'error'");
    if (!several) {
      if (only.name.empty()) return reader_.fail("a benchmark lacks its field 'name'");
      runs.push_back(std::move(only));
    }
    for (const auto& one : runs)
      add(one, group);
    return true;
  }

  bool name(std::string& out) {
    std::string_view view;
    if (!name_text(reader_, view, scratch_)) return false;
    out = view;
    return true;
  }

  bool group_name(std::string& out) {
    if (reader_.peek() == '"') return text(reader_, out);
    std::optional<double> number;
    if (!number_or_skip(reader_, number)) return false;
    if (number && *number >= 0 && *number < static_cast<double>(groups_.size()))
      out = groups_[static_cast<std::size_t>(*number)];
    return true;
  }

  bool run(Run& out) {
    static constexpr json::Field fields[]{{"name"}, {"args", false}, {"stats", false}, {"error", false}};
    bool any = false;
    const bool done = members(reader_, "a run", fields, [&](std::size_t field) {
      any |= field >= 2;
      switch (field) {
        case 0: return name(out.name);
        case 1: return arguments(out.arguments);
        case 2: return stats(out.stats);
        default: return reader_.skip();
      }
    });
    return done && (any || reader_.fail("a run has neither 'stats' nor 'error'"));
  }

  /// `n=1, kind=a`.
  bool arguments(std::string& out) {
    if (!out_.wants_distinct_names() || reader_.peek() != '{') return reader_.skip();
    return json::object(reader_, "arguments", [&](std::string_view key) {
      std::string value;
      std::string_view number;
      if (out.size() > 1024) return reader_.skip();
      if (!out.empty()) out += ", ";
      out.append(name_part(key)) += '=';
      if (reader_.peek() == '"') {
        if (!text(reader_, value)) return false;
        out += name_part(value);
        return true;
      }
      if (reader_.peek() != '-' && !digit(reader_.peek())) return reader_.skip();
      if (!reader_.number_text(number)) return false;
      out += name_part(number);
      return true;
    });
  }

  bool stats(std::optional<Stats>& out) {
    if (reader_.take_null()) return true;
    static constexpr json::Field fields[]{{"avg"},         {"min", false}, {"max", false},     {"p25", false},
                                          {"p50", false},  {"p75", false}, {"p99", false},     {"p999", false},
                                          {"heap", false}, {"gc", false},  {"counters", false}};
    auto& s = out.emplace();
    std::optional<double>* const into[]{&s.average, &s.least, &s.most, &s.p25, &s.p50, &s.p75, &s.p99, &s.p999};
    return members(reader_, "stats", fields, [&](std::size_t field) {
      if (field < 8) return optional_number(reader_, *into[field]);
      if (field == 10) return counters(s, "", 0);
      return average(field == 8 ? s.heap : s.gc);
    });
  }

  /// {"min", "max", "avg", …}.
  bool average(std::optional<double>& out) {
    if (reader_.peek() != '{') return reader_.skip();
    static constexpr json::Field fields[]{{"avg", false}};
    return members(reader_, "averages", fields, [&](std::size_t) { return number_or_skip(reader_, out); });
  }

  /// {"cycles": {"avg", …, "stalls": {"avg"}}}: those within others are called `cycles.stalls`.
  bool counters(Stats& out, const std::string& outer, int depth) {
    constexpr int deepest = 4;
    if (reader_.peek() != '{' || depth > deepest) return reader_.skip();
    return json::object(reader_, "counters", [&](std::string_view key) {
      if (key == "avg" && !outer.empty()) {
        std::optional<double> value;
        if (!number_or_skip(reader_, value)) return false;
        if (value) out.counters.emplace_back(outer, *value);
        return true;
      }
      if (reader_.peek() != '{') return reader_.skip();
      const std::string inner =
          outer.empty() ? std::string(name_part(key)) : fmt::format("{}.{}", outer, name_part(key));
      return counters(out, inner, depth + 1);
    });
  }

  void add(const Run& run, const std::string& group) {
    const auto& stats = run.stats;
    if (!stats || !(median_ ? stats->p50 : stats->average)) {
      failures_ = true;
      out_.warn(stats ? fmt::format("'{}' has no {}, and is left out", run.name, median_ ? "median" : "mean")
                      : fmt::format("'{}' failed and is left out", run.name));
      return;
    }
    out_.benchmark(run.name);
    if (!median_)
      out_.latency({*stats->average, stats->least, stats->most});
    else if (stats->p25 && stats->p75)
      out_.latency({*stats->p50, stats->p25, stats->p75});
    else
      out_.latency({*stats->p50, stats->least, stats->most});
    for (const auto& [measure, value] :
         {std::pair{"p75", stats->p75}, std::pair{"p99", stats->p99}, std::pair{"p999", stats->p999},
          std::pair{"heap", stats->heap}, std::pair{"gc", stats->gc}})
      if (value) out_.extra(measure, *value);
    for (const auto& [measure, value] : stats->counters)
      out_.extra(measure, value);
    if (!out_.wants_distinct_names()) return;
    std::string name = group.empty() ? run.name : fmt::format("{} > {}", name_part(group), run.name);
    if (!run.arguments.empty()) name += fmt::format(" ({})", run.arguments);
    out_.distinct_name(name);
  }

  json::Reader reader_;
  Builder& out_;
  bool median_;
  bool failures_ = false;
  std::vector<std::string> groups_;
  std::string scratch_;
};

}  // namespace

Result<void> read_mitata(std::string_view text, Builder& out) {
  return Mitata(text, out).read();
}

}  // namespace bencher::adapter
