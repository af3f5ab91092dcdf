#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>

#include "lib/threshold/tests.hpp"

namespace bencher::threshold {
namespace {

/// Room for some values; on the stack when they are few. Not initialized.
class Scratch {
 public:
  explicit Scratch(std::size_t size) : size_(size) {
    if (size > few_.size()) many_ = std::make_unique_for_overwrite<double[]>(size);
  }
  std::span<double> values() { return {many_ ? many_.get() : few_.data(), size_}; }

 private:
  std::size_t size_;
  std::array<double, 256> few_;
  std::unique_ptr<double[]> many_;
};

/// Two neighbours in ascending order.
struct Pair {
  double at, after;
};
/// Those that a quartile lies between, for each of the three.
using Pairs = std::array<Pair, 3>;

constexpr std::array quarters{0.25, 0.5, 0.75};

/// Where, in ascending order of `n` values, of which there are two or more, a quartile's first neighbour is.
struct Place {
  std::size_t at;
  double share;  ///< of the way to the next
};
Place place_of(double quarter, std::size_t n) {
  const double rank = quarter * static_cast<double>(n - 1);
  const auto at = std::min(static_cast<std::size_t>(rank), n - 2);
  return {at, rank - static_cast<double>(at)};
}

auto at(std::span<double> values, std::size_t i) {
  return values.begin() + static_cast<std::ptrdiff_t>(i);
}

/// Puts `values` into order only as far as it is needed.
Pairs select(std::span<double> values) {
  const std::size_t n = values.size();
  const auto [a, b, c] = std::array{place_of(0.25, n).at, place_of(0.5, n).at, place_of(0.75, n).at};
  constexpr std::size_t apart = 32;  // enough for the three pairs not to overlap
  if (n < apart) {
    std::sort(values.begin(), values.end());
    return {Pair{values[a], values[a + 1]}, Pair{values[b], values[b + 1]}, Pair{values[c], values[c + 1]}};
  }
  std::nth_element(values.begin(), at(values, b), values.end());
  std::nth_element(values.begin(), at(values, a), at(values, b));
  std::nth_element(at(values, b + 1), at(values, c), values.end());
  return {Pair{values[a], *std::min_element(at(values, a + 1), at(values, b + 1))},
          Pair{values[b], *std::min_element(at(values, b + 1), at(values, c + 1))},
          Pair{values[c], *std::min_element(at(values, c + 1), values.end())}};
}

/// Many values: a sample says between which two values each quartile surely lies, and only those between are put into
/// order (Floyd and Rivest 1975). Empty when the sample was too unlike the whole.
std::optional<Pairs> select_by_sample(std::span<const double> values) {
  constexpr std::size_t sample_size = 2048;
  // Standard errors of a rank in the sample: one quartile in 16,000 is missed.
  constexpr double margin = 4;
  std::array<double, sample_size> sample;
  std::uint64_t state = 1;
  for (auto& one : sample) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    one = values[static_cast<std::size_t>(((state >> 32) * values.size()) >> 32)];
  }
  std::sort(sample.begin(), sample.end());

  struct Bracket {
    double from, to;
    std::size_t below = 0, inside = 0;
    std::unique_ptr<double[]> values;
  };
  std::array<Bracket, 3> brackets;
  for (std::size_t k = 0; k < 3; ++k) {
    const double quarter = quarters[k], s = sample_size;
    const double middle = quarter * s, error = margin * std::sqrt(s * quarter * (1 - quarter));
    brackets[k].from = sample[static_cast<std::size_t>(middle - error)];
    brackets[k].to = sample[static_cast<std::size_t>(middle + error)];
    brackets[k].values = std::make_unique_for_overwrite<double[]>(values.size());
  }
  auto& [x, y, z] = brackets;
  double *in_x = x.values.get(), *in_y = y.values.get(), *in_z = z.values.get();
  std::size_t under_x = 0, under_y = 0, under_z = 0;
  // Without branches, which could not be foretold: each value is written, and stays if it is inside.
  for (const double value : values) {
    under_x += value < x.from;
    under_y += value < y.from;
    under_z += value < z.from;
    *in_x = *in_y = *in_z = value;
    in_x += static_cast<std::size_t>(value >= x.from) & static_cast<std::size_t>(value <= x.to);
    in_y += static_cast<std::size_t>(value >= y.from) & static_cast<std::size_t>(value <= y.to);
    in_z += static_cast<std::size_t>(value >= z.from) & static_cast<std::size_t>(value <= z.to);
  }
  x.below = under_x, y.below = under_y, z.below = under_z;
  x.inside = static_cast<std::size_t>(in_x - x.values.get());
  y.inside = static_cast<std::size_t>(in_y - y.values.get());
  z.inside = static_cast<std::size_t>(in_z - z.values.get());

  Pairs out;
  for (std::size_t k = 0; k < 3; ++k) {
    const auto& bracket = brackets[k];
    const auto place = place_of(quarters[k], values.size()).at;
    if (place < bracket.below || place + 1 >= bracket.below + bracket.inside) return {};
    const std::span<double> inside(bracket.values.get(), bracket.inside);
    const auto first = at(inside, place - bracket.below);
    std::nth_element(inside.begin(), first, inside.end());
    out[k] = {*first, *std::min_element(first + 1, inside.end())};
  }
  return out;
}

Pairs pairs_of(std::span<const double> values) {
  constexpr std::size_t many = 16'384;  // below, a sample costs more than it saves
  if (values.size() >= many)
    if (const auto found = select_by_sample(values)) return *found;
  Scratch scratch(values.size());
  std::copy(values.begin(), values.end(), scratch.values().begin());
  return select(scratch.values());
}

struct Quartiles {
  double q1, q2, q3;
};

/// Hyndman and Fan (1996), type 7, of values of which there is at least one. Empty when one is not finite.
std::optional<Quartiles> quartiles_of(std::span<const double> values) {
  const auto pairs = values.size() > 1 ? pairs_of(values) : Pairs{};
  const auto quartile = [&](std::size_t k) {
    return pairs[k].at + (pairs[k].after - pairs[k].at) * place_of(quarters[k], values.size()).share;
  };
  const auto out =
      values.size() > 1 ? Quartiles{quartile(0), quartile(1), quartile(2)} : Quartiles{values[0], values[0], values[0]};
  if (!std::isfinite(out.q1) || !std::isfinite(out.q2) || !std::isfinite(out.q3)) return {};
  return out;
}

}  // namespace

Boundary quartiles(const Model& model, std::span<const double> history) {
  const auto found = quartiles_of(history);
  if (!found) return {};
  double spread = found->q3 - found->q1;
  if (model.test == ModelTest::delta_iqr) {
    if (history.size() < 2) return {};
    Scratch changes(history.size() - 1);
    for (std::size_t i = 0; i + 1 < history.size(); ++i) {
      const double change = std::abs((history[i + 1] - history[i]) / history[i]);
      // 0/0 has no place in an order.
      if (std::isnan(change)) return {};
      changes.values()[i] = change;
    }
    const auto deltas = quartiles_of(changes.values());
    if (!deltas) return {};
    spread = deltas->q3 - deltas->q1;
  }
  const auto distance = [&](double b) {
    return model.test == ModelTest::delta_iqr ? found->q2 * (spread * b) : spread * b;
  };
  Boundary out{.baseline = found->q2, .lower_limit = {}, .upper_limit = {}};
  if (model.lower_boundary) out.lower_limit = found->q2 - distance(*model.lower_boundary);
  if (model.upper_boundary) out.upper_limit = found->q2 + distance(*model.upper_boundary);
  return out;
}

}  // namespace bencher::threshold
