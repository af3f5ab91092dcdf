// Boost.Math is heavy to compile, so it is used here only.

#include <array>
#include <bit>
#include <cstdint>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "lib/threshold/rank_sum.hpp"
#include "lib/threshold/tests.hpp"

namespace bencher::threshold {
namespace {

namespace policies = boost::math::policies;
/// Errors come out as infinities or not-a-numbers, which the caller leaves out, never as exceptions.
using Quiet =
    policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                     policies::overflow_error<policies::ignore_error>,
                     policies::evaluation_error<policies::ignore_error>>;

/// Without the long doubles that Boost.Math takes for the last digits of a double.
using Fast = policies::normalise<Quiet, policies::promote_double<false>>::type;

/// Quantiles that were asked for lately: all benchmarks of a report have the same boundary, and most of them as many
/// values.
class Quantiles {
 public:
  template <class Compute>
  double get(double p, double degrees_of_freedom, Compute compute) {
    const auto bits = std::bit_cast<std::uint64_t>(p) ^ std::bit_cast<std::uint64_t>(degrees_of_freedom) * 3;
    auto& entry = entries_[bits * 0x9e3779b97f4a7c15u >> 58];
    if (entry.p != p || entry.degrees_of_freedom != degrees_of_freedom) entry = {p, degrees_of_freedom, compute()};
    return entry.quantile;
  }

 private:
  struct Entry {
    double p = 0, degrees_of_freedom = 0, quantile = 0;  ///< p is never 0
  };
  std::array<Entry, 64> entries_{};
};
thread_local Quantiles quantiles;

double compute_normal(double p) {
  return quantile(boost::math::normal_distribution<double, Quiet>(), p);
}

double compute_student(double p, double degrees_of_freedom) {
  return quantile(boost::math::students_t_distribution<double, Quiet>(degrees_of_freedom), p);
}

}  // namespace

double normal_quantile(double p) {
  // Student's with degrees of freedom without end, which are not asked for.
  return p == 0.5 ? 0.0 : quantiles.get(p, 0, [&] { return compute_normal(p); });
}

double student_quantile(double p, double degrees_of_freedom) {
  if (p == 0.5) return 0;
  return quantiles.get(p, degrees_of_freedom, [&] { return compute_student(p, degrees_of_freedom); });
}

double normal_tail(double deviate) {
  return cdf(complement(boost::math::normal_distribution<double, Quiet>(), deviate));
}

double student_tail(double t, double degrees_of_freedom) {
  return cdf(complement(boost::math::students_t_distribution<double, Quiet>(degrees_of_freedom), t));
}

double student_tail_about(double t, double degrees_of_freedom) {
  return cdf(complement(boost::math::students_t_distribution<double, Fast>(degrees_of_freedom), t));
}

}  // namespace bencher::threshold
