// Boost.Math is heavy to compile, so it is used here only.

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

}  // namespace

double normal_quantile(double p) {
  return p == 0.5 ? 0.0 : quantile(boost::math::normal_distribution<double, Quiet>(), p);
}

double student_quantile(double p, double degrees_of_freedom) {
  return p == 0.5 ? 0.0 : quantile(boost::math::students_t_distribution<double, Quiet>(degrees_of_freedom), p);
}

double normal_tail(double deviate) {
  return cdf(complement(boost::math::normal_distribution<double, Quiet>(), deviate));
}

double student_tail(double t, double degrees_of_freedom) {
  return cdf(complement(boost::math::students_t_distribution<double, Quiet>(degrees_of_freedom), t));
}

}  // namespace bencher::threshold
