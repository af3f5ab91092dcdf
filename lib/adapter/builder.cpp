#include "lib/adapter/builder.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <span>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"

#include "lib/adapter/fold.hpp"
#include "lib/adapter/pages.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::uint32_t free_slot = UINT32_MAX;

std::string shown(std::string_view name) {
  return excerpt(name, 100);
}

/// `size` times `value`, in large pages where there are any.
template <class T>
std::vector<T> filled(std::size_t size, T value) {
  std::vector<T> out;
  out.reserve(size);
  prefer_large_pages(out.data(), size * sizeof(T));
  out.resize(size, value);
  return out;
}

/// Those that share a place by their hash with another, in order: all that repeat a name, and of others one in ten.
/// Neither pass over the names has a branch that depends on them.
std::vector<std::uint32_t> suspects(const Results& results) {
  const std::size_t count = results.size();
  struct Places {
    std::uint64_t taken, again;
  };
  constexpr std::size_t bits = 64;
  // Sixteen places for each name.
  const std::size_t size = count / 4 + 1;
  auto places = filled(size, Places{0, 0});
  auto hashes = filled(count, std::uint32_t{0});
  const auto place_of = [&](std::uint32_t hash) { return hash * std::uint64_t{size * bits} >> 32; };
  // Hashes of a block first, so that the places are on their way from memory when they are looked at.
  constexpr std::size_t block = 32;
  for (std::size_t from = 0; from < count; from += block) {
    const std::size_t to = std::min(count, from + block);
    for (std::size_t i = from; i < to; ++i) {
      hashes[i] = static_cast<std::uint32_t>(std::hash<std::string_view>()(results[i].name));
      __builtin_prefetch(&places[place_of(hashes[i]) / bits], 1);
    }
    for (std::size_t i = from; i < to; ++i) {
      const auto place = place_of(hashes[i]);
      auto& word = places[place / bits];
      const auto bit = std::uint64_t{1} << place % bits;
      word.again |= word.taken & bit;
      word.taken |= bit;
    }
  }
  // Over the hashes, of which no more are looked at than have been.
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto place = place_of(hashes[i]);
    hashes[found] = static_cast<std::uint32_t>(i);
    found += places[place / bits].again >> place % bits & 1;
  }
  hashes.resize(found);
  return hashes;
}

/// The first one of the same name for each of `some`, which are in order.
std::vector<std::uint32_t> first_by_sorting(const Results& results, const std::vector<std::uint32_t>& some) {
  auto order = some;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int by_name = results[a].name.compare(results[b].name);
    return by_name != 0 ? by_name < 0 : a < b;
  });
  std::vector<std::uint32_t> first(results.size());
  for (std::size_t i = 0, head = 0; i < order.size(); ++i) {
    if (results[order[i]].name != results[order[head]].name) head = i;
    first[order[i]] = order[head];
  }
  std::vector<std::uint32_t> out;
  out.reserve(some.size());
  for (const auto i : some)
    out.push_back(first[i]);
  return out;
}

/// The same in a hash table; where too many names have one place, by sorting, which is as quick for any names.
std::vector<std::uint32_t> first_of(const Results& results, const std::vector<std::uint32_t>& some) {
  constexpr std::size_t far = 256;
  // Two thirds of the slots are taken in the end.
  std::vector<std::uint32_t> slots(some.size() + some.size() / 2 + 8, free_slot), out;
  out.reserve(some.size());
  for (const auto i : some) {
    const auto name = results[i].name;
    // Not the bits by which they are suspects.
    auto at = static_cast<std::size_t>((std::hash<std::string_view>()(name) >> 32) * std::uint64_t{slots.size()} >> 32);
    std::size_t probes = 0;
    while (slots[at] != free_slot && results[slots[at]].name != name) {
      if (++at == slots.size()) at = 0;
      if (++probes == far) return first_by_sorting(results, some);
    }
    if (slots[at] == free_slot) slots[at] = i;
    out.push_back(slots[at]);
  }
  return out;
}

/// For each benchmark the first one of the same name. Empty where no name repeats.
std::vector<std::uint32_t> first_of_name(const Results& results) {
  if (results.size() < 2) return {};
  const auto some = suspects(results);
  const auto first_of_some = first_of(results, some);
  if (first_of_some == some) return {};
  std::vector<std::uint32_t> first(results.size());
  std::iota(first.begin(), first.end(), 0u);
  for (std::size_t i = 0; i < some.size(); ++i)
    first[some[i]] = first_of_some[i];
  return first;
}

}  // namespace

void Builder::metric(MeasureId measure, const Metric& metric) {
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!finite(metric.value)) {
    ++not_finite_;
    return;
  }
  // Most are kept as they are, and not copied: that would wait for what the caller has just written in parts.
  if (finite(metric.lower.value_or(0)) && finite(metric.upper.value_or(0))) return keep(measure, metric);
  Metric kept = metric;
  if (!finite(kept.lower.value_or(0))) kept.lower.reset();
  if (!finite(kept.upper.value_or(0))) kept.upper.reset();
  keep(measure, kept);
}

void Builder::keep(MeasureId measure, const Metric& metric) {
  // An adapter that adds to no benchmark is wrong; it must not be more than that.
  if (results_.empty()) return;
  const std::size_t benchmark = results_.size() - 1;
  const auto number = static_cast<std::size_t>(measure);
  if (number >= places_.size()) places_.resize(number + 1, Place{SIZE_MAX, 0});
  auto& place = places_[number];
  if (place.benchmark == benchmark) {
    results_.set_metric(benchmark, place.at, metric);
    return;
  }
  place = {benchmark, results_.measures_of_last()};
  results_.add_metric(measure, metric);
}

void Builder::make_room(std::string_view name) {
  const auto* begin = text_.data();
  if (std::less<>()(name.data(), begin) || !std::less<>()(name.data(), begin + text_.size())) return;
  const auto done = static_cast<double>(name.data() - begin + 1);
  const auto whole = static_cast<double>(text_.size());
  // Later names are longer, as they are numbered; what is not written to takes no memory. A text that begins with all
  // of its results must not ask for more than texts of results need, though.
  constexpr double most = 3;
  const double times = std::min(1.5 * whole / done, most * whole / static_cast<double>(results_.bytes()));
  if (times > 1) results_.make_room(times);
}

void Builder::extra(std::string_view measure, const Metric& m) {
  if (options_.all_measures) {
    if (!std::isfinite(m.value)) return;
    if (!ResourceName::parse(measure)) return;
    metric(results_.measure(measure), m);
    return;
  }
  dropped(measure);
}

void Builder::dropped(std::string_view what) {
  // Harnesses name few things; more than these are counted together.
  constexpr std::size_t named = 16;
  for (auto& d : dropped_)
    if (d.what == what) {
      ++d.count;
      return;
    }
  if (dropped_.size() < named)
    dropped_.push_back({std::string(what), 1});
  else
    ++dropped_others_;
}

void Builder::distinct_name(std::string_view name) {
  if (!options_.distinct_names || results_.empty() || name.empty() || name.size() > 1024 || !has_room(name)) return;
  const std::size_t benchmark = results_.size() - 1;
  if (!distinct_.empty() && distinct_.back().benchmark == benchmark) distinct_.pop_back();
  distinct_.push_back({benchmark, std::string(name)});
}

void Builder::warn(std::string warning) {
  constexpr std::size_t most = 64;
  if (warnings_.size() < most && std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
    warnings_.push_back(std::move(warning));
}

void Builder::use_distinct_names(const std::vector<std::uint32_t>& first) {
  std::vector<bool> collides(results_.size());
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i] != i) collides[i] = collides[first[i]] = true;
  Results renamed;
  auto next = distinct_.begin();
  for (std::size_t i = 0; i < results_.size(); ++i) {
    while (next != distinct_.end() && next->benchmark < i)
      ++next;
    const bool has = next != distinct_.end() && next->benchmark == i;
    renamed.add_benchmark(collides[i] && has ? std::string_view(next->name) : results_[i].name);
    for (const auto m : results_[i].measures)
      renamed.add_metric(m.measure, m.metric);
  }
  results_ = std::move(renamed);
}

std::size_t Builder::join(const std::vector<std::uint32_t>& first) {
  // The members of each name as a chain from its first one.
  std::vector<std::uint32_t> next(first.size(), free_slot), last(first.size());
  for (std::uint32_t i = 0; i < first.size(); ++i) {
    if (first[i] != i) next[last[first[i]]] = i;
    last[first[i]] = i;
  }
  Results joined;
  std::size_t replacing = 0;
  struct Collected {
    std::string_view measure;
    std::vector<Metric> metrics;
  };
  for (std::uint32_t i = 0; i < first.size(); ++i) {
    if (first[i] != i) continue;
    joined.add_benchmark(results_[i].name);
    const bool one = next[i] == free_slot || (repeats_ == Repeats::last && !options_.fold_repeats);
    if (one) {
      for (auto member = i; member != last[i]; member = next[member])
        ++replacing;
      for (const auto m : results_[last[i]].measures)
        joined.add_metric(m.measure, m.metric);
      continue;
    }
    std::vector<Collected> all;
    std::map<std::string_view, std::size_t> at;
    for (std::uint32_t member = i; member != free_slot; member = next[member]) {
      bool replaces = false;
      for (const auto m : results_[member].measures) {
        const auto [place, fresh] = at.try_emplace(m.measure, all.size());
        if (fresh) all.push_back({m.measure, {}});
        all[place->second].metrics.push_back(m.metric);
        replaces |= !fresh;
      }
      replacing += replaces;
    }
    for (auto& c : all)
      joined.add_metric(c.measure,
                        options_.fold_repeats ? fold_metrics(*options_.fold_repeats, c.metrics) : c.metrics.back());
  }
  results_ = std::move(joined);
  return replacing;
}

Parsed Builder::finish(AdapterKind adapter) && {
  auto first = first_of_name(results_);
  if (!first.empty() && !distinct_.empty()) {
    use_distinct_names(first);
    first = first_of_name(results_);
  }
  if (!first.empty()) {
    const auto at = std::mismatch(first.begin(), first.end(), first.begin(), [n = 0u](auto a, auto) mutable {
                      return a == n++;
                    }).first;
    const auto name = shown(results_[static_cast<std::size_t>(at - first.begin())].name);
    const auto replacing = join(first);
    if (!options_.fold_repeats && replacing > 0)
      warn(fmt::format("{} what came before ('{}' is the first): fold them with fold_repeats{}",
                       counted(replacing, "result repeats a name and replaces", "results repeat a name and replace"),
                       name, options_.distinct_names ? "" : ", or tell them apart with distinct_names"));
  }
  if (not_finite_ > 0)
    warn(fmt::format("{} left out",
                     counted(not_finite_, "value is no finite number and is", "values are no finite numbers and are")));
  if (!dropped_.empty()) {
    std::string what;
    for (const auto& d : dropped_)
      what += fmt::format("{}{} × {}", what.empty() ? "" : ", ", shown(d.what), d.count);
    if (dropped_others_ > 0) what += fmt::format(", others × {}", dropped_others_);
    warn(fmt::format("not kept as measures: {}; all_measures keeps them", what));
  }
  results_.shrink();
  return Parsed{adapter, std::move(results_), std::move(warnings_)};
}

}  // namespace bencher::adapter
