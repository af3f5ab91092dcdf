#include "lib/threshold/rank_sum.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "lib/threshold/tests.hpp"

namespace bencher::threshold {
namespace {

constexpr std::size_t exact_up_to = 8;

/// What the two parts say together.
struct Pooled {
  double left_rank_sum = 0;
  double ties = 0;  ///< Σ t³ − t over groups of equal values
};

Pooled pool(std::span<const double> left, std::span<const double> right) {
  Pooled out;
  std::size_t i = 0, j = 0;
  while (i < left.size() || j < right.size()) {
    const double value = j == right.size() || (i < left.size() && left[i] <= right[j]) ? left[i] : right[j];
    const std::size_t before = i + j, left_before = i;
    while (i < left.size() && left[i] == value)
      ++i;
    while (j < right.size() && right[j] == value)
      ++j;
    const auto t = static_cast<double>(i + j - before);
    out.left_rank_sum += static_cast<double>(i - left_before) * (static_cast<double>(before) + (t + 1) / 2);
    out.ties += t * t * t - t;
  }
  return out;
}

/// How many arrangements of `a` values among `b` others have each statistic up to `most`: coefficients of the Gaussian
/// binomial, ∏ (1 − q^(b+i)) / (1 − q^i) for i = 1…a.
std::vector<double> arrangements(std::size_t a, std::size_t b, std::size_t most) {
  std::vector<double> count(most + 1, 0.0);
  count[0] = 1;
  for (std::size_t i = 1; i <= a; ++i) {
    for (std::size_t u = i; u <= most; ++u)
      count[u] += count[u - i];
    for (std::size_t u = most + 1; u-- > b + i;)
      count[u] -= count[u - b - i];
  }
  return count;
}

double all_arrangements(std::size_t a, std::size_t b) {
  double all = 1;
  for (std::size_t i = 1; i <= a; ++i)
    all *= static_cast<double>(b + i) / static_cast<double>(i);
  return all;
}

/// Sums of arrangements from the least statistic on. A report asks for the same few sizes once for each benchmark.
class Sums {
 public:
  /// Sizes whose sums are kept, with the statistics up to half of all: 256 KiB a thread at most.
  static constexpr std::size_t slots = 32, longest = 256;
  /// Below this all sums are whole numbers that a double holds, whatever their order.
  static constexpr double exact = 9007199254740992.0;

  const std::vector<double>& up_to(std::size_t a, std::size_t b, std::size_t most) {
    auto& slot = slots_[(5 * a + b) % slots];
    if (slot.a == a && slot.b == b && most < slot.sums.size()) return slot.sums;
    // Asked for again, it is likely to be asked for more.
    if (slot.a == a && slot.b == b) most = std::max(most, std::min(a * b / 2, 2 * most));
    slot.a = a, slot.b = b;
    slot.sums = arrangements(a, b, most);
    std::partial_sum(slot.sums.begin(), slot.sums.end(), slot.sums.begin());
    return slot.sums;
  }

 private:
  struct Slot {
    std::size_t a = 0, b = 0;
    std::vector<double> sums;
  };
  std::array<Slot, slots> slots_;
};

/// The share of arrangements whose statistic is at most `most`.
double share_up_to(std::size_t a, std::size_t b, std::size_t most) {
  const double all = all_arrangements(a, b);
  if (b <= Sums::longest && 2 * all < Sums::exact) {
    thread_local Sums sums;
    return sums.up_to(a, b, most)[most] / all;
  }
  const auto count = arrangements(a, b, most);
  return std::accumulate(count.begin(), count.end(), 0.0) / all;
}

}  // namespace

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]])
      ++end;
    const double rank = static_cast<double>(i + 1 + end) / 2;
    for (; i < end; ++i)
      ranks[order[i]] = rank;
  }
  return ranks;
}

double rank_sum_pvalue(std::span<const double> left, std::span<const double> right, double widening) {
  if (left.size() < 2 || right.size() < 2) return 1;
  const auto n1 = static_cast<double>(left.size()), n2 = static_cast<double>(right.size());
  const auto pooled = pool(left, right);
  const double u1 = pooled.left_rank_sum - n1 * (n1 + 1) / 2;
  const double u = std::max(u1, n1 * n2 - u1);
  const auto fewer = std::min(left.size(), right.size()), more = std::max(left.size(), right.size());
  if (pooled.ties == 0 && fewer <= exact_up_to) {
    const double share = share_up_to(fewer, more, static_cast<std::size_t>(n1 * n2 - u));
    if (widening == 1 || share >= 0.5) return std::min(1.0, 2 * share);
    return 2 * normal_tail(-normal_quantile(share) / widening);
  }
  const double n = n1 + n2;
  const double variance = n1 * n2 / 12 * ((n + 1) - pooled.ties / (n * (n - 1)));
  if (!(variance > 0)) return 1;
  return std::min(1.0, 2 * normal_tail((u - n1 * n2 / 2 - 0.5) / std::sqrt(variance) / widening));
}

Part part_of(std::span<const double> values) {
  Part out;
  out.size = values.size();
  if (values.empty()) return out;
  const auto n = static_cast<double>(values.size());
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  for (const double value : values)
    out.variance += (value - out.mean) * (value - out.mean);
  out.variance /= n;
  return out;
}

namespace {

/// Student's statistic. Or the p-value itself, where there is none.
struct Statistic {
  double t = 0, freedom = 0;
  std::optional<double> pvalue{};
};

Statistic student_statistic(const Part& left, const Part& right) {
  const auto n1 = static_cast<double>(left.size), n2 = static_cast<double>(right.size);
  const double freedom = n1 + n2 - 2;
  if (freedom <= 0) return {.pvalue = 1};
  const double pooled = ((n1 - 1) * left.variance + (n2 - 1) * right.variance) / freedom;
  const double distance = std::abs(left.mean - right.mean);
  if (pooled == 0) return {.pvalue = distance == 0 ? std::numeric_limits<double>::quiet_NaN() : 0.0};
  return {.t = distance / std::sqrt(pooled * (1 / n1 + 1 / n2)), .freedom = freedom};
}

}  // namespace

double student_pvalue(const Part& left, const Part& right) {
  const auto found = student_statistic(left, right);
  return found.pvalue ? *found.pvalue : 2 * student_tail(found.t, found.freedom);
}

bool student_pvalue_within(const Part& left, const Part& right, double most) {
  const auto found = student_statistic(left, right);
  if (found.pvalue) return *found.pvalue <= most;
  const double pvalue = 2 * student_tail_about(found.t, found.freedom);
  if (std::abs(pvalue - most) > about * most) return pvalue < most;
  return 2 * student_tail(found.t, found.freedom) <= most;
}

double median_in_place(std::span<double> values) {
  const auto half = values.size() / 2;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(half);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace bencher::threshold
