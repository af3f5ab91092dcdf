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
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

constexpr std::uint32_t free_slot = UINT32_MAX;

std::string shown(std::string_view name) {
  return excerpt(name, 100);
}

/// The same as `first_of_name`, by sorting: as quick for any choice of names.
std::vector<std::uint32_t> sorted_first(const Results& results) {
  std::vector<std::uint32_t> order(results.size()), first(results.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int by_name = results[a].name.compare(results[b].name);
    return by_name != 0 ? by_name < 0 : a < b;
  });
  bool repeats = false;
  for (std::size_t i = 0, head = 0; i < order.size(); ++i) {
    if (results[order[i]].name != results[order[head]].name) head = i;
    first[order[i]] = order[head];
    repeats |= i != head;
  }
  if (!repeats) first.clear();
  return first;
}

/// For each benchmark the first one of the same name. Empty where no name repeats.
std::vector<std::uint32_t> first_of_name(const Results& results) {
  const std::size_t count = results.size();
  if (count < 2) return {};
  if (count == 2)
    return results[0].name == results[1].name ? std::vector<std::uint32_t>{0, 0} : std::vector<std::uint32_t>{};
  struct Slot {
    std::uint32_t benchmark;
    std::uint32_t tag;
  };
  // Two thirds of the slots are taken in the end.
  const std::size_t size = count + count / 2 + 8;
  std::vector<Slot> slots(size, Slot{free_slot, 0});
  std::vector<std::uint32_t> first;
  const auto slot_of = [&](std::size_t hash) {
    return static_cast<std::size_t>((hash & 0xffff'ffffu) * std::uint64_t{size} >> 32);
  };
  // Hashes of a block first, so that the slots are on their way from memory when they are looked at.
  constexpr std::size_t block = 32;
  constexpr int far = 256;
  std::size_t hashes[block];
  for (std::size_t from = 0; from < count; from += block) {
    const std::size_t to = std::min(count, from + block);
    for (std::size_t i = from; i < to; ++i) {
      hashes[i - from] = std::hash<std::string_view>()(results[i].name);
      __builtin_prefetch(&slots[slot_of(hashes[i - from])], 1);
    }
    for (std::size_t i = from; i < to; ++i) {
      const std::size_t hash = hashes[i - from];
      const auto tag = static_cast<std::uint32_t>(hash >> 32);
      std::size_t at = slot_of(hash);
      int probes = 0;
      while (slots[at].benchmark != free_slot &&
             (slots[at].tag != tag || results[slots[at].benchmark].name != results[i].name)) {
        if (++at == size) at = 0;
        if (++probes == far) return sorted_first(results);
      }
      if (slots[at].benchmark == free_slot) {
        slots[at] = {static_cast<std::uint32_t>(i), tag};
      } else if (first.empty()) {
        first.resize(count);
        std::iota(first.begin(), first.end(), 0u);
      }
      if (!first.empty()) first[i] = slots[at].benchmark;
    }
  }
  return first;
}

}  // namespace

void Builder::metric(MeasureId measure, const Metric& metric) {
  Metric kept = metric;
  if (!std::isfinite(kept.value)) {
    ++not_finite_;
    return;
  }
  if (kept.lower && !std::isfinite(*kept.lower)) kept.lower.reset();
  if (kept.upper && !std::isfinite(*kept.upper)) kept.upper.reset();
  const std::size_t benchmark = results_.size() - 1;
  const auto number = static_cast<std::size_t>(measure);
  if (number >= places_.size()) places_.resize(number + 1, Place{SIZE_MAX, 0});
  auto& place = places_[number];
  if (place.benchmark == benchmark) {
    results_.set_metric(benchmark, place.at, kept);
    return;
  }
  place = {benchmark, results_.measures_of_last()};
  results_.add_metric(measure, kept);
}

void Builder::make_room(std::string_view name) {
  const auto* begin = text_.data();
  if (std::less<>()(name.data(), begin) || !std::less<>()(name.data(), begin + text_.size())) return;
  const auto done = static_cast<double>(name.data() - begin + 1);
  const auto whole = static_cast<double>(text_.size());
  // A text that begins with all of its results must not ask for more memory than texts of results need.
  constexpr double most = 2;
  const double times = std::min(1.02 * whole / done, most * whole / static_cast<double>(results_.bytes()));
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
  if (!options_.distinct_names || name.empty() || name.size() > 1024 || !has_room(name)) return;
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
