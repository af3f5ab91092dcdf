// Vitest: `vitest bench --outputJson` (2 to 4), and the JSON reporter of 5 and of the first versions.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"

namespace bencher::adapter {
namespace {

constexpr double to_ns = 1e6;  // of milliseconds

struct Times {
  std::optional<double> hz, mean, median, sd, rme;
};

std::string joined(std::string_view group, std::string_view name) {
  constexpr std::string_view between = " > ";
  if (group.empty() || group.size() + between.size() + name.size() > 1024) return std::string(name);
  return std::string(group).append(between).append(name);
}

void add(Builder& out, std::string_view name, const Times& t) {
  const bool median = out.options().average == Average::median;
  const auto& value = median ? t.median : t.mean;
  if (!value && !t.hz) {
    out.warn(fmt::format("'{}' has no times, so it may have failed, and is left out", name));
    return;
  }
  if (!value) out.warn(fmt::format("'{}' has no {}, only a throughput", name, median ? "median" : "mean"));
  out.benchmark(name);
  if (value) out.latency(median || !t.sd ? Metric{*value * to_ns, {}, {}} : plus_minus(*value, *t.sd, to_ns));
  if (t.hz) out.throughput(t.rme ? plus_minus(*t.hz, *t.hz * (*t.rme / 100)) : Metric{*t.hz, {}, {}});
}

/// One benchmark of versions 2 to 4.
template <bool strict>
bool benchmark(json::Reader& r, json::Shape& shape, Builder& out, std::string_view group) {
  static constexpr json::Field fields[]{{"name"},           {"hz", strict}, {"mean", strict},
                                        {"median", strict}, {"sd", strict}, {"rme", strict}};
  std::string_view name;
  std::string scratch;
  Times t;
  const bool done = json::record(r, "a benchmark", fields, shape, [&](std::size_t field) {
    if (field == 0) return name_text(r, name, scratch);
    auto& into = field == 1 ? t.hz : field == 2 ? t.mean : field == 3 ? t.median : field == 4 ? t.sd : t.rme;
    return strict ? r.number(into.emplace()) : optional_number(r, into);
  });
  if (done) add(out, joined(group, name), t);
  return done;
}

template <bool strict>
bool files(json::Reader& r, Builder& out) {
  json::Shape shape;
  return json::array(r, "an array of files", [&](std::size_t) {
    static constexpr json::Field in_file[]{{"groups"}};
    return json::record(r, "a file", in_file, [&](std::size_t) {
      return json::array(r, "an array of groups", [&](std::size_t) {
        static constexpr json::Field in_group[]{{"fullName"}, {"benchmarks"}};
        std::string group;
        bool named = false;
        std::optional<json::Reader::Mark> early;
        const auto read_all = [&] {
          return json::array(r, "an array of benchmarks",
                             [&](std::size_t) { return benchmark<strict>(r, shape, out, group); });
        };
        const bool done = json::record(r, "a group", in_group, [&](std::size_t field) {
          if (field == 0) return named = text(r, group);
          if (named) return read_all();
          early = r.mark();
          return r.skip();
        });
        if (!done || !early) return done;
        // The name came after the benchmarks.
        const auto after = r.mark();
        r.go(*early);
        if (!read_all()) return false;
        r.go(after);
        return true;
      });
    });
  });
}

// Version 5:
// {"testResults":[{"assertionResults":[{"benchmarks":[{"name","tasks":[{"name","latency","throughput"}]}]}]}]}.

struct Statistics {
  std::optional<double> mean, p50, sd, rme;
};

bool statistics(json::Reader& r, Statistics& out) {
  static constexpr json::Field fields[]{{"mean", false}, {"p50", false}, {"sd", false}, {"rme", false}};
  return json::record(r, "statistics", fields, [&](std::size_t field) {
    return optional_number(r, field == 0 ? out.mean : field == 1 ? out.p50 : field == 2 ? out.sd : out.rme);
  });
}

struct Task {
  std::string name;
  Times times;
};

bool task(json::Reader& r, Task& out) {
  static constexpr json::Field fields[]{{"name"}, {"latency"}, {"throughput", false}};
  Statistics latency, throughput;
  const bool done = json::record(r, "a task", fields, [&](std::size_t field) {
    if (field == 0) return text(r, out.name);
    return statistics(r, field == 1 ? latency : throughput);
  });
  out.times = {throughput.mean, latency.mean, latency.p50, latency.sd, throughput.rme};
  return done;
}

bool suite(json::Reader& r, Builder& out) {
  static constexpr json::Field fields[]{{"name"}, {"tasks"}};
  std::string name;
  std::vector<Task> tasks;
  const bool done = json::record(r, "a benchmark", fields, [&](std::size_t field) {
    if (field == 0) return text(r, name);
    return json::array(r, "an array of tasks", [&](std::size_t) { return task(r, tasks.emplace_back()); });
  });
  if (!done) return false;
  for (const auto& t : tasks) {
    if (t.name.empty() || t.name.size() > 1024) return r.fail("a task's name has 1 to 1024 bytes");
    add(out, joined(name, t.name), t.times);
  }
  return true;
}

bool test_file(json::Reader& r, Builder& out) {
  static constexpr json::Field fields[]{{"assertionResults"}};
  return json::record(r, "a test file", fields, [&](std::size_t) {
    return json::array(r, "an array of tests", [&](std::size_t) {
      static constexpr json::Field in_test[]{{"benchmarks", false}};
      return json::record(r, "a test", in_test, [&](std::size_t) {
        return json::array(r, "an array of benchmarks", [&](std::size_t) { return suite(r, out); });
      });
    });
  });
}

/// The first versions: {"testResults": {GROUP: [benchmark]}}.
bool groups(json::Reader& r, Builder& out) {
  json::Shape shape;
  return json::object(r, "groups", [&](std::string_view key) {
    const std::string group(key);
    return json::array(r, "an array of benchmarks",
                       [&](std::size_t) { return benchmark<false>(r, shape, out, group); });
  });
}

}  // namespace

Result<void> read_vitest(std::string_view text, Builder& out) {
  json::Reader r(text);
  static constexpr json::Field fields[]{{"files"}};
  const bool done = top_record(r, "a report of Vitest", fields, out, [&](std::size_t) { return files<true>(r, out); });
  return finished(r, done, out);
}

Result<void> read_vitest_extended(std::string_view text, Builder& out) {
  json::Reader r(text);
  static constexpr json::Field fields[]{{"files", false}, {"testResults", false}};
  const bool done = top_record(r, "a report of Vitest", fields, out, [&](std::size_t field) {
    if (field == 0) return files<false>(r, out);
    if (r.peek() == '{') return groups(r, out);
    return json::array(r, "an array of test files", [&](std::size_t) { return test_file(r, out); });
  });
  return finished(r, done, out);
}

}  // namespace bencher::adapter
