// What the forms of a report share.
#pragma once

#include <string>
#include <string_view>

#include "bencher/render/report.hpp"

namespace bencher::render {

/// `1.50 ms`
std::string scaled(double value, const Scale& scale);
/// 0 when the denominator is 0, subnormal or not finite, or the numerator is not finite.
double ratio_percent(double numerator, double denominator);
/// `+12.34%`
std::string change_percent(double value, double baseline);

/// Addresses in the console.
class Links {
 public:
  Links(const Report& report, std::string_view console_url, std::string tracking = {});

  std::string project() const;
  std::string report() const;
  std::string branch() const;
  std::string testbed() const;
  std::string benchmark(const Report::Named& benchmark) const;
  std::string measure(const Report::Named& measure) const;
  std::string threshold(const Report::Threshold& threshold) const;
  std::string alert(const Report::Alert& alert) const;
  std::string plot(const Report::Named& benchmark, const Report::Named& measure, bool lower, bool upper) const;
  std::string add_threshold() const;
  std::string claim() const;

 private:
  std::string page(std::string_view tail, std::string_view query = {}) const;

  const Report& report_;
  std::string console_;
  std::string tracking_;
};

/// The alert of that iteration, benchmark and measure, or null.
const Report::Alert* find_alert(const Report& report, std::size_t iteration, const Report::Named& benchmark,
                                const Report::Named& measure);

}  // namespace bencher::render
