// Judges series by the library's tests: one JSON object a line on standard input, one answer a line on standard output,
// in order.
#include <algorithm>
#include <iostream>
#include <limits>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "bencher/threshold/auto.hpp"
#include "bencher/threshold/boundary.hpp"
#include "bencher/threshold/change_point.hpp"

using namespace bencher;
using simdjson::dom::element;

namespace {

constexpr std::string_view help =
    "detect [--changepoints [--algorithm robust|edivisive|edivisive_rank] [--replay] | --auto]\n\n"
    "Reads one JSON object a line from standard input and prints one answer a line, in order. A line that cannot be\n"
    "answered gets {\"id\",\"error\"}.\n\n"
    "  (nothing)        {\"id\",\"model\",\"history\",\"value\"}, the history newest first: baseline, limits and "
    "outlier\n"
    "  --changepoints   {\"id\",\"series\",\"params\"?}, oldest first: where the level changes. Without params, "
    "robust\n"
    "                   allows for noise whose neighbours correlate; with them it does as they say\n"
    "  --replay         as the series grows value by value: each change point once, with the run that showed it\n"
    "  --auto           {\"id\",\"series\"}: the self-calibrated test, value by value; the indices of its alerts\n";

enum class Algorithm { robust, edivisive, edivisive_rank };
struct Settings {
  enum class Mode { boundary, change_points, automatic } mode = Mode::boundary;
  Algorithm algorithm = Algorithm::robust;
  bool replay = false;
};

Error bad(std::string message) {
  return Error(Errc::invalid_argument, std::move(message));
}

Result<element> member(element object, std::string_view key) {
  element out;
  if (object[key].get(out)) return bad(fmt::format("'{}' is missing", key));
  return out;
}

/// A number. What JSON has no numbers for is a text; it is read, so that the library refuses it with its own words.
Result<double> number(element value, std::string_view what) {
  double out = 0;
  if (!value.get(out)) return out;
  std::string_view text;
  if (!value.get(text)) {
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  return bad(fmt::format("'{}' is not a number", what));
}

Result<std::vector<double>> numbers(element object, std::string_view key) {
  BENCHER_TRY(const auto list, member(object, key));
  simdjson::dom::array array;
  if (list.get(array)) return bad(fmt::format("'{}' is not a list", key));
  std::vector<double> out;
  for (const auto value : array) {
    BENCHER_TRY(const auto one, number(value, fmt::format("{}/{}", key, out.size())));
    out.push_back(one);
  }
  return out;
}

Result<std::optional<std::uint32_t>> size(element object, std::string_view key) {
  element value;
  if (object[key].get(value) || value.is_null()) return std::optional<std::uint32_t>();
  std::uint64_t out = 0;
  if (value.get(out) || out > std::numeric_limits<std::uint32_t>::max())
    return bad(fmt::format("'{}' is not a whole number of 32 bits", key));
  return std::optional(static_cast<std::uint32_t>(out));
}

Result<std::optional<double>> optional_number(element object, std::string_view key) {
  element value;
  if (object[key].get(value) || value.is_null()) return std::optional<double>();
  BENCHER_TRY(const auto out, number(value, key));
  return std::optional(out);
}

Result<Model> model_of(element object) {
  Model model;
  BENCHER_TRY(const auto test, member(object, "test"));
  std::string_view name;
  if (test.get(name)) return bad("'model/test' is not a text");
  BENCHER_TRY(model.test, parse_model_test(name));
  BENCHER_TRY(model.min_sample_size, size(object, "min_sample_size"));
  BENCHER_TRY(model.max_sample_size, size(object, "max_sample_size"));
  BENCHER_TRY(model.window, size(object, "window"));
  BENCHER_TRY(model.lower_boundary, optional_number(object, "lower_boundary"));
  BENCHER_TRY(model.upper_boundary, optional_number(object, "upper_boundary"));
  return model;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string text(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "null";
}

/// The members after `id`.
Result<std::string> judge(element line) {
  BENCHER_TRY(const auto wanted, member(line, "model"));
  BENCHER_TRY(const auto model, model_of(wanted));
  BENCHER_TRY(const auto history, numbers(line, "history"));
  BENCHER_TRY(const auto given, member(line, "value"));
  BENCHER_TRY(const auto value, number(given, "value"));
  const auto computed = compute(model, history, value);
  if (!computed) return R"("status":"error","error":)" + json_text(computed.error().message());
  const auto& boundary = *computed;
  const auto limit = outlier(boundary, value);
  return fmt::format(R"("status":"{}","baseline":{},"lower_limit":{},"upper_limit":{},"outlier":{})",
                     boundary == Boundary() ? "skipped" : "ok", text(boundary.baseline), text(boundary.lower_limit),
                     text(boundary.upper_limit),
                     !limit                   ? "null"
                     : *limit == Limit::lower ? R"("lower")"
                                              : R"("upper")");
}

/// A parameter, if it is given.
template <class T>
Result<void> read(std::optional<element> params, std::string_view key, T& out) {
  if (!params) return {};
  BENCHER_TRY(const auto value, optional_number(*params, key));
  if (!value) return {};
  if constexpr (std::is_same_v<T, double>) {
    out = *value;
  } else {
    if (!(*value >= 0 && *value <= 1e15)) return bad(fmt::format("'params/{}' is not a size", key));
    out = static_cast<T>(*value);
  }
  return {};
}

class Detector {
 public:
  static Result<Detector> make(Algorithm algorithm, element line) {
    Detector out;
    out.algorithm_ = algorithm;
    std::optional<element> params;
    if (element given; !line["params"].get(given) && !given.is_null()) params = given;
    if (algorithm == Algorithm::robust) {
      auto& o = out.robust_;
      o.autocorrelation = !params;
      BENCHER_DO(read(params, "penalty_factor", o.penalty_factor));
      BENCHER_DO(read(params, "min_size", o.min_size));
      BENCHER_DO(read(params, "clip_half_width", o.clip_half_width));
      BENCHER_DO(read(params, "clip_k", o.clip_k));
      BENCHER_DO(read(params, "max_pvalue", o.max_pvalue));
      BENCHER_DO(flag(params, "autocorrelation", o.autocorrelation));
      return out;
    }
    auto& o = out.edivisive_;
    if (algorithm == Algorithm::edivisive_rank) o = {.window_len = 100, .max_pvalue = 0.0001, .rank = true};
    BENCHER_DO(read(params, "window_len", o.window_len));
    BENCHER_DO(read(params, "max_pvalue", o.max_pvalue));
    BENCHER_DO(read(params, "min_magnitude", o.min_magnitude));
    BENCHER_DO(flag(params, "otava_merge", o.otava_merge));
    if (std::string_view transform; params && !(*params)["transform"].get(transform)) {
      if (transform != "rank" && transform != "none") return bad("'params/transform' is neither rank nor none");
      o.rank = o.rank || transform == "rank";
    }
    return out;
  }

  Result<std::vector<ChangePoint>> operator()(std::span<const double> series) const {
    if (algorithm_ == Algorithm::robust) {
      BENCHER_TRY(auto found, robust_change_points(series, robust_));
      return std::move(found.change_points);
    }
    BENCHER_TRY(const auto found, edivisive(series, edivisive_));
    std::vector<ChangePoint> out;
    for (const auto& point : found.change_points)
      out.push_back({point.index, point.pvalue});
    return out;
  }

 private:
  static Result<void> flag(std::optional<element> params, std::string_view key, bool& out) {
    element value;
    if (!params || (*params)[key].get(value)) return {};
    if (value.get(out)) return bad(fmt::format("'params/{}' is neither true nor false", key));
    return {};
  }

  Algorithm algorithm_ = Algorithm::robust;
  RobustOptions robust_;
  EdivisiveOptions edivisive_;
};

Result<std::string> change_points(element line, const Settings& settings) {
  BENCHER_TRY(const auto series, numbers(line, "series"));
  BENCHER_TRY(const auto detect, Detector::make(settings.algorithm, line));
  std::string out = R"("change_points":[)";
  bool first = true;
  const auto add = [&](const ChangePoint& point, std::optional<std::size_t> at) {
    if (!first) out += ',';
    first = false;
    out += fmt::format(R"({{"index":{},"pvalue":{})", point.index, point.pvalue);
    if (at) out += fmt::format(R"(,"reported_at":{})", *at);
    out += '}';
  };
  if (!settings.replay) {
    BENCHER_TRY(const auto found, detect(series));
    for (const auto& point : found)
      add(point, {});
    return out + "]";
  }
  constexpr std::size_t shortest = 9, same = 5;
  std::vector<std::size_t> reported;
  for (std::size_t n = shortest; n <= series.size(); ++n) {
    BENCHER_TRY(const auto found, detect(std::span(series).first(n)));
    for (const auto& point : found) {
      const auto known = [&](std::size_t at) {
        return (at > point.index ? at - point.index : point.index - at) <= same;
      };
      if (std::any_of(reported.begin(), reported.end(), known)) continue;
      reported.push_back(point.index);
      add(point, n - 1);
    }
  }
  return out + "]";
}

Result<std::string> alerts(element line) {
  BENCHER_TRY(const auto series, numbers(line, "series"));
  AutoSeries judged;
  std::string out = R"("alerts":[)";
  for (std::size_t i = 0; i < series.size(); ++i) {
    BENCHER_TRY(const auto verdict, judged.append(series[i]));
    if (verdict) out += fmt::format("{}{}", out.back() == '[' ? "" : ",", i);
  }
  return out + "]";
}

std::string answer(simdjson::dom::parser& parser, const std::string& line, const Settings& settings) {
  std::string id = "null";
  const auto result = [&]() -> Result<std::string> {
    element object;
    if (const auto code = parser.parse(line).get(object))
      return bad(fmt::format("the line is not JSON: {}", simdjson::error_message(code)));
    if (!object.is_object()) return bad("the line is not a JSON object");
    if (element given; !object["id"].get(given)) id = simdjson::minify(given);
    switch (settings.mode) {
      case Settings::Mode::boundary: return judge(object);
      case Settings::Mode::change_points: return change_points(object, settings);
      case Settings::Mode::automatic: return alerts(object);
    }
    return bad("");
  }();
  return fmt::format(R"({{"id":{},{}}})", id, result ? *result : R"("error":)" + json_text(result.error().message()));
}

Result<Settings> settings_of(int argc, char** argv) {
  Settings out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--changepoints") {
      out.mode = Settings::Mode::change_points;
    } else if (argument == "--auto") {
      out.mode = Settings::Mode::automatic;
    } else if (argument == "--replay") {
      out.replay = true;
    } else if (argument == "--algorithm" && i + 1 < argc) {
      const std::string_view name = argv[++i];
      if (name == "robust")
        out.algorithm = Algorithm::robust;
      else if (name == "edivisive")
        out.algorithm = Algorithm::edivisive;
      else if (name == "edivisive_rank")
        out.algorithm = Algorithm::edivisive_rank;
      else
        return bad(fmt::format("--algorithm: '{}' is not one of robust, edivisive, edivisive_rank", name));
    } else {
      return bad(fmt::format("'{}' is no argument; --help shows what there is", argument));
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << help;
    return 0;
  }
  const auto settings = settings_of(argc, argv);
  if (!settings) {
    std::cerr << "error: " << settings.error().message() << '\n';
    return 2;
  }
  std::ios::sync_with_stdio(false);
  simdjson::dom::parser parser;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.empty() || line == "\r") continue;
    std::cout << answer(parser, line, *settings) << '\n' << std::flush;
  }
  return 0;
}
