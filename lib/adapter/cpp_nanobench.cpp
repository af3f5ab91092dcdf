// nanobench: what its JSON template renders, and templates of one's own that keep its names. Times are in seconds for
// one call; a call may be a batch of many units.

#include <fmt/core.h>

#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/nanobench.hpp"
#include "lib/adapter/samples.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

/// Appends what stands between the quotes of a text as JSON has it.
void escape(std::string_view raw, std::string& out) {
  for (const char c : raw) {
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
}

/// nanobench puts names in as they are, and prints what is no number as `nan` or `inf`. It writes one field a line,
/// which tells where a name ends though quotes are in it. Lines stay where they are.
std::string repaired(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    const auto line = text.substr(from, end - from);
    const std::string_view feed = end < text.size() ? "\n" : "";
    from = end + 1;
    const auto shown = trimmed(line);
    const auto key_end = shown.starts_with('"') ? shown.find('"', 1) : std::string_view::npos;
    const auto colon = key_end == std::string_view::npos ? key_end : shown.find_first_not_of(' ', key_end + 1);
    if (colon == std::string_view::npos || shown[colon] != ':') {
      out.append(line).append(feed);
      continue;
    }
    auto value = trimmed(shown.substr(colon + 1));
    const bool comma = value.ends_with(',');
    if (comma) value = trimmed(value.substr(0, value.size() - 1));
    out.append(line.substr(0, static_cast<std::size_t>(shown.data() - line.data()))).append(shown.substr(0, colon + 1));
    out += ' ';
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      out += '"';
      escape(value.substr(1, value.size() - 2), out);
      out += '"';
    } else if (value == "nan" || value == "-nan" || value == "inf" || value == "-inf") {
      out += "null";
    } else {
      out += value;
    }
    out.append(comma ? "," : "").append(feed);
  }
  return out;
}

constexpr std::string_view counters[]{"instructions", "cpucycles",          "contextswitches",
                                      "pagefaults",   "branchinstructions", "branchmisses"};

class Nanobench {
 public:
  Nanobench(std::string_view text, Builder& out) : reader_(text), out_(out) {}

  Result<void> read() {
    static constexpr json::Field fields[]{{"results"}};
    const auto all = [&] { return json::array(reader_, "an array of results", [&](std::size_t) { return result(); }); };
    const bool done = reader_.peek() == '[' ? all()
                                            : top_members(reader_, "a report of nanobench", fields, out_,
                                                          [&](std::size_t) { return all(); });
    if (!done || !reader_.finish()) return Error(Errc::invalid_argument, reader_.where_and_why());
    bool failures = false;
    for (const auto& one : found_)
      failures |= !add(one, out_);
    return finished(reader_, done, out_, failures);
  }

 private:
  bool result() {
    static constexpr json::Field fields[]{{"name"},
                                          {"median(elapsed)"},
                                          {"title", false},
                                          {"unit", false},
                                          {"batch", false},
                                          {"medianAbsolutePercentError(elapsed)", false},
                                          {"measurements", false},
                                          {"median(instructions)", false},
                                          {"median(cpucycles)", false},
                                          {"median(contextswitches)", false},
                                          {"median(pagefaults)", false},
                                          {"median(branchinstructions)", false},
                                          {"median(branchmisses)", false}};
    static_assert(std::size(fields) == 7 + std::size(counters));
    std::string_view name;
    auto& one = found_.emplace_back();
    std::optional<double> batch;
    std::optional<double> counted[std::size(counters)];
    values_.clear();
    const bool done = members(reader_, "a result", fields, [&](std::size_t field) {
      switch (field) {
        case 0: return name_text(reader_, name, scratch_);
        case 1: return optional_number(reader_, one.median);
        case 2: return reader_.take_null() || text(reader_, one.title);
        case 3: return reader_.take_null() || text(reader_, one.unit);
        case 4: return optional_number(reader_, batch);
        case 5: return optional_number(reader_, one.error);
        case 6: return measurements();
        default: return optional_number(reader_, counted[field - 7]);
      }
    });
    if (!done) return false;
    one.name = name;
    one.batch = batch.value_or(1);
    if (!values_.empty()) one.mean = mean_of(values_);
    for (std::size_t i = 0; i < std::size(counters); ++i)
      if (counted[i]) one.counters.emplace_back(counters[i], *counted[i]);
    return true;
  }

  bool measurements() {
    if (out_.options().average != Average::mean) return reader_.skip();
    static constexpr json::Field fields[]{{"elapsed"}};
    return json::array(reader_, "an array of measurements", [&](std::size_t) {
      return members(reader_, "a measurement", fields, [&](std::size_t) {
        std::optional<double> value;
        if (!optional_number(reader_, value)) return false;
        if (value) values_.push_back(*value);
        return true;
      });
    });
  }

  json::Reader reader_;
  Builder& out_;
  std::vector<NanobenchResult> found_;
  std::vector<double> values_;
  std::string scratch_;
};

}  // namespace

bool add(const NanobenchResult& one, Builder& out) {
  const auto& options = out.options();
  std::optional<Metric> average = one.mean;
  if (options.average != Average::mean) {
    average.reset();
    if (one.median) average = plus_minus(*one.median, *one.median * one.error.value_or(0));
    if (average && !one.error) average = Metric{*one.median, {}, {}};
  }
  if (!average) {
    out.warn(fmt::format("'{}' has no {}, and is left out", one.name,
                         options.average == Average::mean ? "measurements to have a mean" : "median"));
    return false;
  }
  out.benchmark(one.name);
  out.latency(scaled(*average, 1e9));
  if (one.unit != "op" && !one.unit.empty())
    out.extra(fmt::format("{}/s", name_part(one.unit)), one.batch / average->value);
  bool counted = false;
  for (const auto& [measure, value] : one.counters)
    counted |= value != 0;
  // All of them are 0 where the machine lets nobody count.
  if (counted)
    for (const auto& [measure, value] : one.counters)
      out.extra(measure, value);
  if (out.wants_distinct_names() && !one.title.empty())
    out.distinct_name(fmt::format("{} > {}", name_part(one.title), one.name));
  return true;
}

Result<void> read_nanobench(std::string_view text, Builder& out) {
  auto read = Nanobench(text, out).read();
  if (read || !out.empty() || !holds(text, "(elapsed)\"")) return read;
  // What is well-formed had no results; what is not has given none yet.
  const auto mended = repaired(text);
  out.top_keys().mended();
  return Nanobench(mended, out).read();
}

}  // namespace bencher::adapter
