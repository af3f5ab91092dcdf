#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bencher {

/// A measured value, finite, with the finite bounds of its spread where known.
struct Metric {
  double value = 0;
  std::optional<double> lower, upper;
  bool operator==(const Metric&) const = default;
};

/// Benchmarks, each with its measures and their metrics, in order of first appearance. Names are UUIDs, slugs or names
/// as the harness gives them (an ignore suffix is still on). Everything lies in a few arrays, so that a million
/// benchmarks cost no more than their bytes; what is read out of it are views that live as long as it is not changed.
class Results {
 public:
  /// Stands for a measure's name within these results.
  enum class MeasureId : std::uint32_t {};

  struct MeasureMetric {
    std::string_view measure;
    Metric metric;
  };

  /// What the loops below run over: `at(i)` of something that has `size()`.
  template <class Owner>
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = decltype(std::declval<const Owner&>()[0]);
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = value_type;

    Iterator(const Owner* owner, std::size_t at) : owner_(owner), at_(at) {}
    value_type operator*() const { return (*owner_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Owner* owner_;
    std::size_t at_;
  };

  class Measures {
   public:
    Measures(const Results* results, std::size_t first, std::size_t count)
        : results_(results), first_(first), count_(count) {}
    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }
    MeasureMetric operator[](std::size_t i) const {
      const auto& cell = results_->cells_[first_ + i];
      return {results_->measures_[cell.measure], results_->metric_of(cell)};
    }
    MeasureId id(std::size_t i) const { return MeasureId{results_->cells_[first_ + i].measure}; }
    Iterator<Measures> begin() const { return {this, 0}; }
    Iterator<Measures> end() const { return {this, count_}; }

   private:
    const Results* results_;
    std::size_t first_, count_;
  };

  struct Benchmark {
    std::string_view name;
    Measures measures;
  };

  std::size_t size() const { return benchmarks_.size(); }
  bool empty() const { return benchmarks_.empty(); }
  Benchmark operator[](std::size_t i) const {
    const auto& end = benchmarks_[i];
    const auto begin = i > 0 ? benchmarks_[i - 1] : Row{};
    return {std::string_view(names_).substr(begin.name, end.name - begin.name),
            {this, begin.cells, end.cells - begin.cells}};
  }
  Iterator<Results> begin() const { return {this, 0}; }
  Iterator<Results> end() const { return {this, size()}; }

  /// The id of a measure, the same for the same name. A name is kept once.
  MeasureId measure(std::string_view name);
  std::string_view measure_name(MeasureId id) const { return measures_[static_cast<std::uint32_t>(id)]; }
  /// Begins a benchmark; what `add_metric` adds is its. Whoever adds sees to it that no name comes twice.
  void add_benchmark(std::string_view name);
  void add_metric(MeasureId measure, const Metric& metric);
  void add_metric(std::string_view measure_name, const Metric& metric) { add_metric(measure(measure_name), metric); }
  /// How many measures the last benchmark has so far.
  std::size_t measures_of_last() const { return cells_.size() - (size() > 1 ? benchmarks_[size() - 2].cells : 0); }
  /// Changes the metric of measure `at` of benchmark `benchmark`.
  void set_metric(std::size_t benchmark, std::size_t at, const Metric& metric);
  /// Room for `times` as much as there is now.
  void make_room(double times);
  /// Gives back room that is not used, where there is much.
  void shrink();
  /// Bytes in use, about.
  std::size_t bytes() const;

  /// Same benchmarks, measures and metrics in the same order.
  bool operator==(const Results& other) const;

 private:
  /// Where a benchmark's name and cells end; they begin where those of the one before end.
  struct Row {
    std::uint64_t name = 0, cells = 0;
  };
  struct Cell {
    double value;
    std::uint32_t measure;
    std::uint32_t bounds;  ///< their place, or `unbounded`
  };
  /// A missing one is a NaN: no stored number is one.
  struct Bounds {
    double lower, upper;
  };

  Metric metric_of(const Cell& cell) const {
    Metric out;
    out.value = cell.value;
    if (cell.bounds == unbounded) return out;
    const auto& bounds = bounds_[cell.bounds];
    if (bounds.lower == bounds.lower) out.lower = bounds.lower;
    if (bounds.upper == bounds.upper) out.upper = bounds.upper;
    return out;
  }
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  static constexpr std::uint32_t unbounded = UINT32_MAX;

  std::string names_;
  std::vector<Row> benchmarks_;
  std::vector<Cell> cells_;
  std::vector<Bounds> bounds_;
  std::vector<std::string> measures_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;  ///< of `measures_`, once there are many
};

inline void Results::add_benchmark(std::string_view name) {
  names_.append(name);
  benchmarks_.push_back({names_.size(), cells_.size()});
}

inline void Results::add_metric(MeasureId measure, const Metric& metric) {
  Cell cell{metric.value, static_cast<std::uint32_t>(measure), unbounded};
  if (metric.lower || metric.upper) {
    cell.bounds = static_cast<std::uint32_t>(bounds_.size());
    bounds_.push_back({metric.lower.value_or(none), metric.upper.value_or(none)});
  }
  cells_.push_back(cell);
  benchmarks_.back().cells = cells_.size();
}

}  // namespace bencher
