#include "bencher/adapter/results.hpp"

#include "lib/adapter/pages.hpp"

namespace bencher {

Results::MeasureId Results::measure(std::string_view name) {
  constexpr std::size_t few = 8;
  if (measures_.size() <= few) {
    for (std::uint32_t i = 0; i < measures_.size(); ++i)
      if (measures_[i] == name) return MeasureId{i};
  } else if (const auto known = by_name_.find(name); known != by_name_.end()) {
    return MeasureId{known->second};
  }
  measures_.emplace_back(name);
  // A tree rather than a hash table: no choice of names makes it slow.
  if (measures_.size() > few)
    for (auto i = static_cast<std::uint32_t>(by_name_.size()); i < measures_.size(); ++i)
      by_name_.emplace(measures_[i], i);
  return MeasureId{static_cast<std::uint32_t>(measures_.size() - 1)};
}

void Results::set_metric(std::size_t benchmark, std::size_t at, const Metric& metric) {
  auto& cell = cells_[(benchmark > 0 ? benchmarks_[benchmark - 1].cells : 0) + at];
  cell.value = metric.value;
  if (cell.bounds == unbounded) {
    if (!metric.lower && !metric.upper) return;
    cell.bounds = static_cast<std::uint32_t>(bounds_.size());
    bounds_.emplace_back();
  }
  bounds_[cell.bounds] = {metric.lower.value_or(none), metric.upper.value_or(none)};
}

void Results::make_room(double times) {
  const auto grow = [&](auto& v) {
    v.reserve(static_cast<std::size_t>(static_cast<double>(v.size()) * times) + 16);
    adapter::prefer_large_pages(v.data(), v.capacity() * sizeof(v[0]));
  };
  grow(names_);
  grow(benchmarks_);
  grow(cells_);
  if (!bounds_.empty()) grow(bounds_);
}

void Results::shrink() {
  const auto much = [](const auto& v) { return v.capacity() > 4096 && v.capacity() / 2 > v.size(); };
  if (much(names_)) names_.shrink_to_fit();
  if (much(benchmarks_)) benchmarks_.shrink_to_fit();
  if (much(cells_)) cells_.shrink_to_fit();
  if (much(bounds_)) bounds_.shrink_to_fit();
}

std::size_t Results::bytes() const {
  return names_.capacity() + benchmarks_.capacity() * sizeof(Row) + cells_.capacity() * sizeof(Cell) +
         bounds_.capacity() * sizeof(Bounds);
}

bool Results::operator==(const Results& other) const {
  if (size() != other.size()) return false;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto a = (*this)[i], b = other[i];
    if (a.name != b.name || a.measures.size() != b.measures.size()) return false;
    for (std::size_t j = 0; j < a.measures.size(); ++j)
      if (a.measures[j].measure != b.measures[j].measure || a.measures[j].metric != b.measures[j].metric) return false;
  }
  return true;
}

}  // namespace bencher
