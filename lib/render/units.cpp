#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "lib/render/parts.hpp"

namespace bencher::render {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

struct Step {
  double bound, factor;
  std::string_view units, symbol;
};
constexpr std::array nanoseconds{
    Step{1e3, 1, "nanoseconds (ns)", "ns"},    Step{1e6, 1e3, "microseconds (µs)", "µs"},
    Step{1e9, 1e6, "milliseconds (ms)", "ms"}, Step{6e10, 1e9, "seconds (s)", "s"},
    Step{3.6e12, 6e10, "minutes (m)", "m"},    Step{unbounded, 3.6e12, "hours (h)", "h"},
};
constexpr std::array seconds{
    Step{60, 1, "seconds (s)", "s"},
    Step{3600, 60, "minutes (m)", "m"},
    Step{unbounded, 3600, "hours (h)", "h"},
};
constexpr std::array bytes{
    Step{1e3, 1, "bytes (B)", "B"},           Step{1e6, 1e3, "kilobytes (KB)", "KB"},
    Step{1e9, 1e6, "megabytes (MB)", "MB"},   Step{1e12, 1e9, "gigabytes (GB)", "GB"},
    Step{1e15, 1e12, "terabytes (TB)", "TB"}, Step{unbounded, 1e15, "petabytes (PB)", "PB"},
};
constexpr std::array generic{
    Step{1e3, 1, "", ""},          Step{1e6, 1e3, " x 1e3", ""},    Step{1e9, 1e6, " x 1e6", ""},
    Step{1e12, 1e9, " x 1e9", ""}, Step{1e15, 1e12, " x 1e12", ""}, Step{unbounded, 1e15, " x 1e15", ""},
};

template <class Steps>
const Step& pick(const Steps& steps, double smallest) {
  for (const auto& step : steps)
    if (smallest < step.bound) return step;
  return steps.back();
}

/// The text within the first brackets, or empty.
std::string_view bracketed(std::string_view units) {
  const auto open = units.find('(');
  if (open == std::string_view::npos) return {};
  const auto close = units.find(')', open);
  return close == std::string_view::npos ? std::string_view() : units.substr(open + 1, close - open - 1);
}

}  // namespace

Scale scale_for(std::string_view units, double smallest) {
  const auto scale = [](const Step& step) {
    return Scale{.factor = step.factor, .units = std::string(step.units), .symbol = std::string(step.symbol)};
  };
  if (units == "nanoseconds (ns)") return scale(pick(nanoseconds, smallest));
  if (units == "seconds (s)") return scale(pick(seconds, smallest));
  if (units == "bytes (B)") return scale(pick(bytes, smallest));
  const auto& step = pick(generic, smallest);
  return {.factor = step.factor,
          .units = std::string(units) + std::string(step.units),
          .symbol = std::string(bracketed(units)) + std::string(step.units)};
}

std::string number(double value) {
  auto text = fmt::format("{:.2f}", std::abs(value));
  for (auto at = static_cast<std::ptrdiff_t>(text.find('.')) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  const bool negative = value < 0 && text.find_first_of("123456789") != std::string::npos;
  return negative ? "-" + text : text;
}

std::string scaled(double value, const Scale& scale) {
  auto text = number(value / scale.factor);
  // The suffix of a generic unit begins with its own space.
  if (!scale.symbol.empty()) text += (scale.symbol.front() == ' ' ? "" : " ") + scale.symbol;
  return text;
}

double ratio_percent(double numerator, double denominator) {
  if (!std::isnormal(denominator) || !std::isfinite(numerator)) return 0;
  return numerator / denominator * 100;
}

std::string change_percent(double value, double baseline) {
  const double percent = ratio_percent(value - baseline, baseline);
  return (percent > 0 ? "+" : "") + number(percent) + "%";
}

}  // namespace bencher::render
