// tinybench: the JSON of its tasks or results (versions 2 to 6), and of the rows of `table()`. Times of results are in
// milliseconds.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/samples.hpp"
#include "lib/adapter/text.hpp"
#include "lib/adapter/tinybench.hpp"

namespace bencher::adapter {
namespace {

constexpr double ms_to_ns = 1e6;

struct Statistics {
  std::optional<double> mean, p50, sd, mad, rme, p75, p99, p995, p999;

  std::optional<double>& at(std::size_t field) {
    std::optional<double>* const all[]{&mean, &p50, &sd, &mad, &rme, &p75, &p99, &p995, &p999};
    return *all[field];
  }
};

/// A task and its result, of whatever is there of both.
struct Task {
  std::string name;
  Statistics own;  ///< version 2 has one set, of the latency
  std::optional<Statistics> latency, throughput;
  std::optional<double> hz;
  std::vector<double> samples;
  bool result = false;  ///< it has what only a result has
  bool cells = false;   ///< it has what only a table's row has
  TinybenchFigures figures;
};

class Tinybench {
 public:
  Tinybench(std::string_view text, Builder& out)
      : reader_(text), out_(out), median_(out.options().average == Average::median) {}

  Result<void> read() {
    const bool done = json::array(reader_, "an array of tasks or results of tinybench", [&](std::size_t i) {
      Task one;
      if (!reader_.take_null() && !task(one, false)) return false;
      return add(one, i);
    });
    return finished(reader_, done, out_, failures_);
  }

 private:
  /// The fields of `Statistics` come first.
  static constexpr json::Field fields_[]{
      {"mean", false},   {"p50", false},     {"sd", false},         {"mad", false},       {"rme", false},
      {"p75", false},    {"p99", false},     {"p995", false},       {"p999", false},      {"name", false},
      {"result", false}, {"latency", false}, {"throughput", false}, {"hz", false},        {"totalTime", false},
      {"period", false}, {"samples", false}, {"state", false},      {"error", false},     {"aborted", false},
      {"Error", false},  {"Stack", false},   {"Task name", false},  {"Task Name", false},
  };

  bool task(Task& out, bool inside) {
    if (reader_.peek() != '{')
      return reader_.fail(fmt::format("expected a task or result of tinybench, found {}", reader_.found()));
    const auto field = [&](std::size_t i) {
      switch (i) {
        case 9: return name(out);
        case 10: return inside || reader_.peek() == 'n' ? reader_.skip() : task(out, true);
        case 11: return out.result = true, statistics(out.latency);
        case 12: return out.result = true, statistics(out.throughput);
        case 13: return out.result = true, optional_number(reader_, out.hz);
        case 14:
        case 15: out.result = true; return reader_.skip();
        case 16: return samples(out.samples);
        case 17: return state(out);
        case 18:
        case 20: return failure(out);
        case 19: return aborted(out);
        case 21: return reader_.skip();
        case 22:
        case 23: out.cells = true; return name(out);
        default: return number_or_skip(reader_, out.own.at(i));
      }
    };
    return json::record(reader_, "a task or result of tinybench", fields_, nullptr, field,
                        [&](std::string_view column, std::size_t) {
                          if (!out.cells || inside) return reader_.skip();
                          return cell(out.figures, std::string(column));
                        });
  }

  bool name(Task& out) {
    std::string_view view;
    if (!name_text(reader_, view, scratch_)) return false;
    out.name = view;
    return true;
  }

  bool statistics(std::optional<Statistics>& out) {
    if (reader_.take_null()) return true;
    static constexpr json::Field fields[]{{"mean", false}, {"p50", false},  {"sd", false},
                                          {"mad", false},  {"rme", false},  {"p75", false},
                                          {"p99", false},  {"p995", false}, {"p999", false}};
    auto& into = out.emplace();
    return members(reader_, "statistics", fields, [&](std::size_t i) { return optional_number(reader_, into.at(i)); });
  }

  /// They are worth the time only where nothing else has their median.
  bool samples(std::vector<double>& out) {
    if (!median_ || reader_.peek() != '[') return reader_.skip();
    return json::array(reader_, "an array of samples", [&](std::size_t) {
      std::optional<double> value;
      if (!optional_number(reader_, value)) return false;
      if (value) out.push_back(*value);
      return true;
    });
  }

  bool state(Task& out) {
    if (reader_.peek() != '"') return reader_.skip();
    std::string state;
    if (!text(reader_, state)) return false;
    out.figures.failed |= state == "errored" || state == "aborted";
    return true;
  }

  bool failure(Task& out) {
    if (reader_.take_null()) return true;
    out.figures.failed = true;
    return reader_.skip();
  }

  bool aborted(Task& out) {
    if (reader_.peek() != 't' && reader_.peek() != 'f') return reader_.skip();
    bool is = false;
    if (!reader_.boolean(is)) return false;
    out.figures.failed |= is;
    return true;
  }

  /// One of a table's row, a text or a number.
  bool cell(TinybenchFigures& out, const std::string& column) {
    std::string_view value;
    if (reader_.peek() == '"') {
      if (!reader_.string(value, scratch_)) return false;
    } else if (reader_.peek() == '-' || digit(reader_.peek())) {
      if (!reader_.number_text(value)) return false;
    } else {
      return reader_.skip();
    }
    (void)take_cell(out, column, value);
    return true;
  }

  bool add(Task& one, std::size_t place) {
    auto& f = one.figures;
    if (!one.cells) figures(one);
    std::string name = one.name;
    if (name.empty()) {
      if (!one.result && !f.failed)
        return reader_.fail("expected a task or result of tinybench, which has a name or a totalTime");
      // `bench.results` is by place only.
      name = fmt::format("task {}", place + 1);
      out_.warn("results without names are called by their place, as 'task 1': print each task's name and result");
    }
    failures_ |= !adapter::add(name, f, out_);
    return true;
  }

  void figures(Task& one) {
    const bool whole = one.latency.has_value();
    if (!whole && !one.result) return;
    auto& f = one.figures;
    const auto& l = whole ? *one.latency : one.own;
    if (l.mean) f.mean = l.sd ? plus_minus(*l.mean, *l.sd, ms_to_ns) : Metric{*l.mean * ms_to_ns, {}, {}};
    if (l.p50)
      f.median = l.mad ? plus_minus(*l.p50, *l.mad, ms_to_ns) : Metric{*l.p50 * ms_to_ns, {}, {}};
    else if (!one.samples.empty())
      f.median = scaled(median_of(one.samples), ms_to_ns);
    if (one.throughput && one.throughput->mean) {
      const auto& t = *one.throughput;
      f.throughput_mean = t.rme ? plus_minus(*t.mean, *t.mean * (*t.rme / 100)) : Metric{*t.mean, {}, {}};
      if (t.p50) f.throughput_median = t.mad ? plus_minus(*t.p50, *t.mad) : Metric{*t.p50, {}, {}};
    } else if (one.hz) {
      f.throughput_mean = l.rme ? plus_minus(*one.hz, *one.hz * (*l.rme / 100)) : Metric{*one.hz, {}, {}};
    }
    for (const auto& [measure, value] :
         {std::pair{"p75", l.p75}, std::pair{"p99", l.p99}, std::pair{"p995", l.p995}, std::pair{"p999", l.p999}})
      if (value) f.extras.emplace_back(measure, *value * ms_to_ns);
  }

  json::Reader reader_;
  Builder& out_;
  bool median_;
  bool failures_ = false;
  std::string scratch_;
};

}  // namespace

bool add(std::string_view name, const TinybenchFigures& f, Builder& out) {
  const bool median = out.options().average == Average::median;
  const auto& latency = median ? f.median : f.mean;
  if (f.failed || !latency) {
    out.warn(f.failed             ? fmt::format("'{}' failed and is left out", name)
             : f.mean || f.median ? fmt::format("'{}' has no {}, and is left out", name, median ? "median" : "mean")
                                  : fmt::format("'{}' has no result, so it may not have run, and is left out", name));
    return false;
  }
  const auto with_margin = [&](const Metric& m) {
    return f.margin && !m.lower ? plus_minus(m.value, m.value * (*f.margin / 100)) : m;
  };
  out.benchmark(name);
  out.latency(with_margin(*latency));
  if (const auto& t = median && f.throughput_median ? f.throughput_median : f.throughput_mean)
    out.throughput(with_margin(*t));
  for (const auto& [measure, value] : f.extras)
    out.extra(measure, value);
  return true;
}

Result<void> read_tinybench(std::string_view text, Builder& out) {
  return Tinybench(text, out).read();
}

}  // namespace bencher::adapter
