// BenchmarkTools.jl: the JSON of `BenchmarkTools.save`. It is [versions, [value, …]], each value [TYPE, fields]. Times
// are in nanoseconds.

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/samples.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

class Saved {
 public:
  Saved(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    const bool done = file();
    return finished(reader_, done, out_, failures_);
  }

 private:
  bool file() {
    static constexpr json::Field fields[]{{"BenchmarkTools"}};
    if (!reader_.take('['))
      return reader_.fail(fmt::format("expected an array of BenchmarkTools.save, found {}", reader_.found()));
    {
      const json::Reader::Within within(reader_, std::size_t{0});
      if (!members(reader_, "the versions of Julia and BenchmarkTools", fields,
                   [&](std::size_t) { return reader_.skip(); }))
        return false;
    }
    if (!reader_.expect(',', "',' and an array of values")) return false;
    {
      const json::Reader::Within within(reader_, std::size_t{1});
      const bool done = json::array(reader_, "an array of values", [&](std::size_t i) {
        place_ = i;
        return value(0);
      });
      if (!done) return false;
    }
    return reader_.expect(']', "']'");
  }

  /// [TYPE, {FIELD: …}]. Older versions write the module before the type.
  bool value(int depth) {
    std::string type;
    if (!reader_.take('[')) return reader_.fail(fmt::format("expected [TYPE, fields], found {}", reader_.found()));
    {
      const json::Reader::Within within(reader_, std::size_t{0});
      if (!text(reader_, type)) return false;
    }
    if (!reader_.expect(',', "',' and the fields")) return false;
    {
      const json::Reader::Within within(reader_, std::size_t{1});
      if (!fields_of(type, depth)) return false;
    }
    return reader_.expect(']', "']'");
  }

  bool fields_of(std::string_view type, int depth) {
    constexpr std::string_view module = "BenchmarkTools.";
    if (type.starts_with(module)) type.remove_prefix(module.size());
    if (type == "BenchmarkGroup") return group(depth);
    if (type == "Trial") return trial();
    if (type == "TrialEstimate") return estimate();
    out_.warn(fmt::format("values of the type {} are no times and are left out", excerpt(type, 40)));
    return reader_.skip();
  }

  bool group(int depth) {
    // Nobody writes so many; each costs some stack.
    constexpr int deepest = 128;
    if (depth == deepest) return reader_.fail(fmt::format("groups lie more than {} deep", deepest));
    static constexpr json::Field fields[]{{"data"}};
    return members(reader_, "a group", fields, [&](std::size_t) {
      return json::object(reader_, "benchmarks by their names", [&](std::string_view key) {
        if (reader_.peek() != '[') {
          out_.warn("values in a group that are no results of BenchmarkTools are left out");
          return reader_.skip();
        }
        const auto before = path_.size();
        if (depth > 0) path_ += '/';
        // One byte more than a name has says that it is too long, whatever follows.
        path_.append(name_part(key)).resize(std::min<std::size_t>(path_.size(), 1025));
        const bool done = value(depth + 1);
        path_.resize(before);
        return done;
      });
    });
  }

  /// {"times": […], "gctimes": […], "memory": bytes, "allocs": count}.
  bool trial() {
    static constexpr json::Field fields[]{{"times"}, {"gctimes", false}, {"memory", false}, {"allocs", false}};
    times_.clear();
    gc_times_.clear();
    std::optional<double> memory, allocs;
    const bool done = members(reader_, "a trial", fields, [&](std::size_t field) {
      switch (field) {
        case 0: return numbers(times_);
        case 1: return out_.wants_extras() ? numbers(gc_times_) : reader_.skip();
        case 2: return optional_number(reader_, memory);
        default: return optional_number(reader_, allocs);
      }
    });
    if (!done) return false;
    if (times_.empty()) {
      failures_ = true;
      out_.warn(fmt::format("'{}' has no times, so it has not run, and is left out", excerpt(path_, 100)));
      return true;
    }
    if (!begin()) return true;
    out_.latency(average_of(out_.options(), times_));
    if (!gc_times_.empty())
      out_.extra("gctime", average_of(out_.options(), gc_times_));
    else if (!out_.wants_extras())
      out_.dropped("gctime");
    extras(memory, allocs);
    return true;
  }

  /// The minimum, median or mean of a trial: which, does not stand there.
  bool estimate() {
    static constexpr json::Field fields[]{{"time"}, {"gctime", false}, {"memory", false}, {"allocs", false}};
    std::optional<double> time, gc_time, memory, allocs;
    std::optional<double>* const into[]{&time, &gc_time, &memory, &allocs};
    if (!members(reader_, "an estimate", fields, [&](std::size_t i) { return optional_number(reader_, *into[i]); }))
      return false;
    if (!time) {
      failures_ = true;
      return true;
    }
    if (!begin()) return true;
    out_.latency({*time, {}, {}});
    if (gc_time) out_.extra("gctime", *gc_time);
    extras(memory, allocs);
    return true;
  }

  bool numbers(std::vector<double>& out) {
    return json::array(reader_, "an array of times", [&](std::size_t) {
      std::optional<double> value;
      if (!optional_number(reader_, value)) return false;
      if (value) out.push_back(*value);
      return true;
    });
  }

  /// Begins the benchmark that the path leads to.
  bool begin() {
    if (path_.size() > 1024) {
      failures_ = true;
      out_.warn("benchmarks whose names have more than 1024 bytes are left out");
      return false;
    }
    if (!path_.empty()) {
      out_.benchmark(path_);
      if (out_.wants_distinct_names()) out_.distinct_name(fmt::format("{}: {}", place_ + 1, path_));
      return true;
    }
    // Only groups give names.
    out_.warn("results outside of groups have no names and are called by their place, as 'trial 1'");
    out_.benchmark(fmt::format("trial {}", place_ + 1));
    return true;
  }

  void extras(const std::optional<double>& memory, const std::optional<double>& allocs) {
    if (memory) out_.extra("memory", *memory);
    if (allocs) out_.extra("allocs", *allocs);
  }

  json::Reader reader_;
  Builder& out_;
  bool failures_ = false;
  std::size_t place_ = 0;  ///< in the array of values
  std::string path_;       ///< the names of the groups, and of what is in the last one
  std::vector<double> times_, gc_times_;
};

}  // namespace

Result<void> read_benchmark_tools(std::string_view text, Builder& out) {
  return Saved(text, out).read();
}

}  // namespace bencher::adapter
