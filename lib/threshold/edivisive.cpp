#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/core.h>

#include "bencher/threshold/change_point.hpp"

#include "lib/threshold/rank_sum.hpp"

namespace bencher {
namespace {

using threshold::Part;
using threshold::part_of;
using threshold::student_pvalue;

struct Candidate {
  std::size_t at = 0;
  double divergence = 0;
};

/// Where a slice divides best: the energy distance of its two parts, over all ends of the right one.
class Divider {
 public:
  /// Of `y`, which has at least two values.
  Candidate divide(std::span<const double> y) {
    const std::size_t n = y.size();
    above_.assign(n, 0.0);
    left_.assign(n, 0.0);
    reciprocal_.resize(n + 1);
    for (std::size_t i = 1; i <= n; ++i)
      reciprocal_[i] = 1 / static_cast<double>(i);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i + 1; j < n; ++j)
        above_[j] += std::abs(y[i] - y[j]);
    Candidate best;
    best.divergence = -std::numeric_limits<double>::infinity();
    double within_left = 0;
    for (std::size_t t = 1; t < n; ++t) {
      if (t > 1) within_left += above_[t - 1];
      const double value = y[t - 1];
      for (std::size_t j = t; j < n; ++j)
        left_[j] += std::abs(value - y[j]);
      look(t, within_left, best);
    }
    return best;
  }

 private:
  /// All right parts that begin at `t`; `left_[j]` is how far value `j` is from all of the left part.
  void look(std::size_t t, double within_left, Candidate& best) const {
    const std::size_t size = above_.size();
    const auto n = static_cast<double>(t);
    const double left_share = t > 1 ? within_left * reciprocal_[t - 1] : 0.0;
    const double *above = above_.data(), *left = left_.data(), *reciprocal = reciprocal_.data();
    double most = best.divergence;
    std::size_t at = best.at;
    const auto take = [&](double q) {
      if (q > most) most = q, at = t;
    };
    // A right part of one value has nothing within it.
    double across = left[t], within_right = above[t] - left[t], m = 1;
    take(2 * reciprocal[t + 1] * (across - left_share));
    for (std::size_t k = t + 2; k <= size; ++k) {
      across += left[k - 1];
      within_right += above[k - 1] - left[k - 1];
      const double right_share = within_right * reciprocal[k - t - 1];
      m += 1;
      take(2 * reciprocal[k] * (across - m * left_share - n * right_share));
    }
    best = {at, most};
  }

  std::vector<double> above_;  ///< V: how far each value is from all before it
  std::vector<double> left_;
  std::vector<double> reciprocal_;
};

double relaxed(double p) {
  if (p < 0.05) return 10 * p;
  return p < 0.5 ? 2 * p : p;
}

/// The changes within one window, which begins at `begin`.
std::vector<std::size_t> split(std::span<const double> window, std::size_t begin, double max_pvalue, Divider& divider) {
  struct Interval {
    std::size_t from, to;
    std::optional<Candidate> candidate;
  };
  const auto interval = [&](std::size_t from, std::size_t to) {
    Interval out{from, to, {}};
    if (to - from >= 2) {
      out.candidate = divider.divide(window.subspan(from, to - from));
      out.candidate->at += from;
    }
    return out;
  };
  std::vector<Interval> intervals{interval(0, window.size())};
  std::vector<std::size_t> found;
  for (;;) {
    auto best = intervals.end();
    for (auto i = intervals.begin(); i != intervals.end(); ++i)
      if (i->candidate && (best == intervals.end() || i->candidate->divergence > best->candidate->divergence)) best = i;
    if (best == intervals.end()) break;
    const auto [from, to, candidate] = *best;
    const auto at = candidate->at;
    const auto left = part_of(window.subspan(from, at - from)), right = part_of(window.subspan(at, to - at));
    if (!threshold::student_pvalue_within(left, right, max_pvalue)) break;
    found.push_back(begin + at);
    *best = interval(from, at);
    intervals.insert(best + 1, interval(at, to));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::size_t next_begin(std::size_t begin, std::size_t window_len, const std::vector<std::size_t>& found) {
  return std::max(found.empty() ? 0 : found.back(), begin + window_len / 2);
}

double magnitude(const Part& left, const Part& right) {
  const auto change = [](double a, double b) { return b == 0 ? 0.0 : std::abs(a / b - 1); };
  return std::max(change(left.mean, right.mean), change(right.mean, left.mean));
}

/// Drops change points of the whole series, the least certain first, then the smallest.
class Merging {
 public:
  Merging(std::span<const double> y, const std::vector<std::size_t>& weak) : y_(y) {
    for (const auto at : weak)
      points_.push_back({at, {}, {}, 0, 0});
    for (std::size_t i = 0; i < points_.size(); ++i)
      measure(i);
  }

  std::vector<EdivisiveChangePoint> run(const EdivisiveOptions& options) {
    while (!points_.empty()) {
      auto drop = points_.begin();
      for (auto i = points_.begin(); i != points_.end(); ++i)
        if (i->pvalue > drop->pvalue) drop = i;
      if (drop->pvalue < options.max_pvalue) {
        drop = std::min_element(points_.begin(), points_.end(),
                                [](const Point& a, const Point& b) { return a.magnitude < b.magnitude; });
        if (drop->magnitude > options.min_magnitude) break;
      }
      const auto i = static_cast<std::size_t>(drop - points_.begin());
      points_.erase(drop);
      if (i < points_.size()) measure(i);
      if (options.otava_merge) {
        if (i + 1 < points_.size()) measure(i + 1);
      } else if (i > 0) {
        measure(i - 1);
      }
    }
    std::vector<EdivisiveChangePoint> out;
    for (const auto& p : points_)
      out.push_back(
          {p.at, p.left.mean, p.right.mean, std::sqrt(p.left.variance), std::sqrt(p.right.variance), p.pvalue});
    return out;
  }

 private:
  struct Point {
    std::size_t at;
    Part left, right;
    double pvalue, magnitude;
  };

  void measure(std::size_t i) {
    auto& p = points_[i];
    const auto from = i == 0 ? 0 : points_[i - 1].at;
    const auto to = i + 1 == points_.size() ? y_.size() : points_[i + 1].at;
    p.left = part_of(y_.subspan(from, p.at - from));
    p.right = part_of(y_.subspan(p.at, to - p.at));
    p.pvalue = student_pvalue(p.left, p.right);
    // Equal parts without variance: nothing is less certain.
    if (std::isnan(p.pvalue)) p.pvalue = 1;
    p.magnitude = ::bencher::magnitude(p.left, p.right);
  }

  std::span<const double> y_;
  std::vector<Point> points_;
};

Result<void> check(std::span<const double> series, const EdivisiveOptions& o) {
  const auto bad = [](std::string message) {
    return Error(Errc::invalid_argument, "change points: " + std::move(message));
  };
  if (o.window_len < 2) return bad(fmt::format("window_len is {}, it takes 2 or more", o.window_len));
  if (!(o.max_pvalue >= 0 && o.max_pvalue <= 1))
    return bad(fmt::format("max_pvalue is {}, it takes 0 to 1", o.max_pvalue));
  if (!(o.min_magnitude >= 0) || !std::isfinite(o.min_magnitude))
    return bad(fmt::format("min_magnitude is {}, it takes 0 or more", o.min_magnitude));
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!std::isfinite(series[i])) return bad(fmt::format("value {} of the series is not a finite number", i));
  return {};
}

std::span<const double> window_at(std::span<const double> y, std::size_t begin, std::size_t window_len) {
  return y.subspan(begin, std::min(window_len, y.size() - begin));
}

EdivisiveResult merged(std::span<const double> y, std::vector<std::size_t> weak, const EdivisiveOptions& options) {
  std::sort(weak.begin(), weak.end());
  weak.erase(std::unique(weak.begin(), weak.end()), weak.end());
  EdivisiveResult out;
  out.change_points = Merging(y, weak).run(options);
  out.weak = std::move(weak);
  return out;
}

}  // namespace

Result<EdivisiveResult> edivisive(std::span<const double> series, const EdivisiveOptions& options) {
  BENCHER_DO(check(series, options));
  std::vector<double> ranks;
  if (options.rank) ranks = threshold::mid_ranks(series);
  const auto y = options.rank ? std::span<const double>(ranks) : series;
  Divider divider;
  std::vector<std::size_t> weak;
  for (std::size_t begin = 0; begin < y.size();) {
    const auto found = split(window_at(y, begin, options.window_len), begin, relaxed(options.max_pvalue), divider);
    weak.insert(weak.end(), found.begin(), found.end());
    begin = next_begin(begin, options.window_len, found);
  }
  return merged(y, std::move(weak), options);
}

GrowingEdivisive::GrowingEdivisive(const EdivisiveOptions& options) : options_(options) {}

Result<void> GrowingEdivisive::append(double value) {
  if (!std::isfinite(value)) return Error(Errc::invalid_argument, "change points: the value is not a finite number");
  series_.push_back(value);
  Divider divider;
  for (;;) {
    const auto begin = whole_.empty() ? 0 : whole_.back().next;
    if (begin + options_.window_len > series_.size()) return {};
    auto found = split(window_at(series_, begin, options_.window_len), begin, relaxed(options_.max_pvalue), divider);
    const auto next = next_begin(begin, options_.window_len, found);
    whole_.push_back({begin, next, std::move(found)});
  }
}

EdivisiveResult GrowingEdivisive::result() const {
  Divider divider;
  std::vector<std::size_t> weak;
  for (const auto& window : whole_)
    weak.insert(weak.end(), window.changes.begin(), window.changes.end());
  for (std::size_t begin = whole_.empty() ? 0 : whole_.back().next; begin < series_.size();) {
    const auto found =
        split(window_at(series_, begin, options_.window_len), begin, relaxed(options_.max_pvalue), divider);
    weak.insert(weak.end(), found.begin(), found.end());
    begin = next_begin(begin, options_.window_len, found);
  }
  return merged(series_, std::move(weak), options_);
}

}  // namespace bencher
