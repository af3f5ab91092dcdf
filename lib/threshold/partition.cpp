#include <algorithm>
#include <cmath>
#include <limits>

#include "bencher/threshold/change_point.hpp"

namespace bencher {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A level that a segment which is still open may have, and the start that is best for it.
struct Piece {
  double from, to;
  std::size_t start;
};

/// Optimal partitioning with functional pruning (Maidstone et al. 2017): of all starts of the segment that is open,
/// only those are kept that are best for some level. A start enters once a segment from it is long enough, and from
/// then on its cost differs from another one's by the same amount for ever, so one that is beaten at every level stays
/// beaten.
class Partitioning {
 public:
  Partitioning(std::span<const double> z, double penalty, std::size_t min_size)
      : z_(z), penalty_(penalty), min_size_(std::max<std::size_t>(min_size, 1)) {
    sum_.resize(z.size() + 1);
    squares_.resize(z.size() + 1);
    for (std::size_t i = 0; i < z.size(); ++i) {
      sum_[i + 1] = sum_[i] + z[i];
      squares_[i + 1] = squares_[i] + z[i] * z[i];
    }
    best_.assign(z.size() + 1, infinity);
    from_.assign(z.size() + 1, 0);
  }

  Partition run() {
    Partition out;
    const std::size_t n = z_.size();
    if (n == 0) return out;
    if (n < 2 * min_size_) {
      out.cost = segment(0, n);
      return out;
    }
    best_[0] = -penalty_;
    const auto [least, most] = std::minmax_element(z_.begin(), z_.end());
    pieces_ = {{*least, *most, 0}};
    for (std::size_t t = min_size_; t <= n; ++t) {
      if (t >= 2 * min_size_) enter(t - min_size_);
      decide(t);
    }
    out.cost = best_[n];
    for (std::size_t t = n; from_[t] > 0; t = from_[t])
      out.change_points.push_back(from_[t]);
    std::reverse(out.change_points.begin(), out.change_points.end());
    return out;
  }

 private:
  double segment(std::size_t a, std::size_t b) const {
    const double s = sum_[b] - sum_[a];
    return squares_[b] - squares_[a] - s * s / static_cast<double>(b - a);
  }

  void decide(std::size_t t) {
    // A start owns several pieces at times; looking at it twice costs less than remembering that.
    for (const auto& piece : pieces_) {
      const double cost = best_[piece.start] + segment(piece.start, t) + penalty_;
      if (cost < best_[t] || (cost == best_[t] && piece.start < from_[t])) {
        best_[t] = cost;
        from_[t] = piece.start;
      }
    }
  }

  /// Gives `u` the levels at which it beats who has them: where the squared deviations from the older start `s` to `u`
  /// cost more than beginning anew, outside the two roots of a parabola.
  void enter(std::size_t u) {
    next_.clear();
    for (const auto& piece : pieces_) {
      const auto s = piece.start;
      const auto n = static_cast<double>(u - s);
      const double mean = (sum_[u] - sum_[s]) / n;
      const double least = best_[s] - best_[u] + segment(s, u);
      // Of equal ones the older stays.
      const double slack = 1e-12 * (1 + std::abs(best_[u]));
      if (least > slack) {
        add({piece.from, piece.to, u});
        continue;
      }
      const double half = std::sqrt((slack - least) / n);
      const double low = std::max(piece.from, mean - half), high = std::min(piece.to, mean + half);
      if (low > high) {
        add({piece.from, piece.to, u});
        continue;
      }
      if (piece.from < low) add({piece.from, low, u});
      add({low, high, s});
      if (high < piece.to) add({high, piece.to, u});
    }
    pieces_.swap(next_);
  }

  void add(const Piece& piece) {
    if (!next_.empty() && next_.back().start == piece.start)
      next_.back().to = piece.to;
    else
      next_.push_back(piece);
  }

  std::span<const double> z_;
  double penalty_;
  std::size_t min_size_;
  std::vector<double> sum_, squares_, best_;
  std::vector<std::size_t> from_;
  std::vector<Piece> pieces_, next_;
};

}  // namespace

Partition optimal_partition(std::span<const double> series, double penalty, std::size_t min_size) {
  return Partitioning(series, penalty, min_size).run();
}

}  // namespace bencher
