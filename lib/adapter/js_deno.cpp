// Deno: `deno bench --json`. Times are in nanoseconds.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

struct Times {
  std::optional<double> average, least, most, p75, p99, p995, p999;
};

struct Bench {
  std::string name, group, origin;
  std::vector<std::optional<Times>> results;  ///< none for one that failed
};

class Deno {
 public:
  Deno(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"benches"}, {"runtime", false}};
    const bool done = top_members(reader_, "a report of deno bench", fields, out_, [&](std::size_t field) {
      if (field == 1) return reader_.skip();
      return json::array(reader_, "an array of benches", [&](std::size_t) {
        Bench bench;
        if (!read(bench)) return false;
        add(bench);
        return true;
      });
    });
    return finished(reader_, done, out_, failures_);
  }

 private:
  bool optional_text(std::string& out) { return reader_.take_null() || text(reader_, out); }

  bool read(Bench& out) {
    // The first versions had one `result`.
    static constexpr json::Field fields[]{
        {"origin", false}, {"group", false}, {"name"}, {"results", false}, {"result", false}};
    bool any = false;
    const bool done = members(reader_, "a bench", fields, [&](std::size_t field) {
      switch (field) {
        case 0: return optional_text(out.origin);
        case 1: return optional_text(out.group);
        case 2: {
          std::string_view name;
          if (!name_text(reader_, name, scratch_)) return false;
          out.name = name;
          return true;
        }
        case 3:
          any = true;
          return json::array(reader_, "an array of results",
                             [&](std::size_t) { return result(out.results.emplace_back()); });
        default: any = true; return result(out.results.emplace_back());
      }
    });
    return done && (any || reader_.fail("a bench lacks its field 'results'"));
  }

  /// {"ok": {…}} or {"failed": …}.
  bool result(std::optional<Times>& out) {
    static constexpr json::Field fields[]{{"ok", false}, {"failed", false}};
    static constexpr json::Field in_ok[]{{"avg"},        {"min", false},  {"max", false}, {"p75", false},
                                         {"p99", false}, {"p995", false}, {"p999", false}};
    bool either = false;
    const bool done = members(reader_, "a result", fields, [&](std::size_t field) {
      either = true;
      if (field == 1) return reader_.skip();
      if (reader_.take_null()) return true;
      auto& t = out.emplace();
      std::optional<double>* const into[]{&t.average, &t.least, &t.most, &t.p75, &t.p99, &t.p995, &t.p999};
      return members(reader_, "times", in_ok, [&](std::size_t i) { return optional_number(reader_, *into[i]); });
    });
    return done && (either || reader_.fail("a result has neither 'ok' nor 'failed'"));
  }

  void add(const Bench& bench) {
    for (const auto& times : bench.results) {
      if (!times || !times->average) {
        failures_ = true;
        out_.warn(fmt::format("'{}' failed and is left out", bench.name));
        continue;
      }
      out_.benchmark(bench.name);
      out_.latency({*times->average, times->least, times->most});
      for (const auto& [measure, value] : {std::pair{"p75", times->p75}, std::pair{"p99", times->p99},
                                           std::pair{"p995", times->p995}, std::pair{"p999", times->p999}})
        if (value) out_.extra(measure, *value);
      if (!out_.wants_distinct_names()) continue;
      std::string name;
      for (const std::string_view part : {std::string_view(bench.origin), std::string_view(bench.group)})
        if (!part.empty()) name.append(name_part(part)).append(" > ");
      out_.distinct_name(name + bench.name);
    }
  }

  json::Reader reader_;
  Builder& out_;
  bool failures_ = false;
  std::string scratch_;
};

}  // namespace

Result<void> read_deno(std::string_view text, Builder& out) {
  return Deno(text, out).read();
}

}  // namespace bencher::adapter
