// Criterion.rs: the messages of `cargo criterion --message-format=json`, one a line. What Criterion keeps below
// target/criterion is no such message, and does not say its benchmark's name.

#include <fmt/core.h>

#include "bencher/base/name.hpp"

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/json_lines.hpp"

namespace bencher::adapter {
namespace {

struct Estimate {
  Metric metric;
  std::string unit;
};

struct Message {
  std::string reason, id;
  std::optional<Estimate> typical, mean, median;
  std::optional<double> per_iteration;  ///< bytes or elements
};

bool estimate(json::Reader& r, std::optional<Estimate>& out) {
  if (r.take_null()) return true;
  static constexpr json::Field fields[]{{"estimate"}, {"lower_bound", false}, {"upper_bound", false}, {"unit", false}};
  auto& into = out.emplace();
  return members(r, "an estimate", fields, [&](std::size_t field) {
    switch (field) {
      case 0: return r.number(into.metric.value);
      case 1: return optional_number(r, into.metric.lower);
      case 2: return optional_number(r, into.metric.upper);
      default: return r.take_null() || text(r, into.unit);
    }
  });
}

bool message(json::Reader& r, Message& out) {
  static constexpr json::Field fields[]{{"reason", false},  {"id", false},   {"throughput", false},
                                        {"typical", false}, {"mean", false}, {"median", false}};
  return members(r, "a message", fields, [&](std::size_t field) {
    switch (field) {
      case 0: return text(r, out.reason);
      case 1: return r.peek() == '"' ? text(r, out.id) : r.skip();
      case 2:
        return json::array(r, "an array of throughputs", [&](std::size_t) {
          static constexpr json::Field in_throughput[]{{"per_iteration"}};
          std::optional<double> count;
          const bool done =
              members(r, "a throughput", in_throughput, [&](std::size_t) { return r.number(count.emplace()); });
          if (!out.per_iteration) out.per_iteration = count;
          return done;
        });
      default: return estimate(r, field == 3 ? out.typical : field == 4 ? out.mean : out.median);
    }
  });
}

class Messages {
 public:
  explicit Messages(Builder& out) : out_(out) {}

  void add(const Message& m) {
    if (!name_fits(m.id)) {
      out_.warn("benchmarks whose ids do not have 1 to 1024 bytes are left out");
      return;
    }
    const auto& found = chosen(m);
    if (!found) {
      out_.warn(fmt::format("'{}' has no {}, and is left out", m.id, wanted()));
      return;
    }
    const double to_ns = found->unit.empty() ? 1 : any_time_factor(found->unit);
    if (to_ns == 0) {
      // Another measurement than time, by the name of its unit.
      if (!ResourceName::parse(found->unit)) return;
      out_.benchmark(m.id);
      out_.metric(out_.measure(found->unit), found->metric);
      return;
    }
    out_.benchmark(m.id);
    const auto time = scaled(found->metric, to_ns);
    out_.latency(time);
    if (m.per_iteration) {
      const auto per_second = [&](std::optional<double> ns) {
        return ns ? std::optional(*m.per_iteration / *ns * 1e9) : ns;
      };
      out_.extra("thrpt", Metric{*per_second(time.value), per_second(time.upper), per_second(time.lower)});
    }
  }

 private:
  /// Criterion's own choice is the slope where it has one, else the mean.
  const std::optional<Estimate>& chosen(const Message& m) const {
    if (out_.options().average == Average::median) return m.median;
    return out_.options().average == Average::mean || !m.typical ? m.mean : m.typical;
  }
  std::string_view wanted() const { return out_.options().average == Average::median ? "median" : "mean"; }

  Builder& out_;
};

}  // namespace

Result<void> read_criterion_json(std::string_view text, Builder& out) {
  Messages messages(out);
  std::string why;
  std::size_t read = 0;
  json_lines(text, [&](json::Reader& r) {
    Message m;
    if (!message(r, m)) {
      if (why.empty()) why = r.where_and_why();
      return false;
    }
    if (m.reason != "benchmark-complete") return true;
    ++read;
    messages.add(m);
    return true;
  });
  if (!out.empty()) return {};
  if (read > 0) return no_results("benchmark in it that gave a result");
  return Error(Errc::invalid_argument, why.empty() ? "no line is a message with the reason 'benchmark-complete'" : why);
}

}  // namespace bencher::adapter
