// How adapters put together what they read: one rule for repeated names, dropped values and warnings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/adapter/adapter.hpp"

namespace bencher::adapter {

/// What becomes of several results of one name in one text.
enum class Repeats {
  last,   ///< the last one stays, whole
  merge,  ///< the measures of a later one replace those of an earlier one; others stay
};

/// What is known of a JSON text once it has been read: the keys of its top object.
class TopKeys {
 public:
  /// From here on all of them are added.
  void begin() { complete_ = true; }
  void add(std::string_view key) {
    constexpr std::size_t most = 64;
    complete_ &= keys_.size() < most;
    if (complete_) keys_.emplace_back(key);
  }
  /// The text is no JSON but was taken for it.
  void mended() { mended_ = true; }

  bool of_json() const { return !mended_; }
  /// False if the object is known not to have it.
  bool may_have(std::string_view key) const {
    return !complete_ || mended_ || std::find(keys_.begin(), keys_.end(), key) != keys_.end();
  }

 private:
  bool complete_ = false, mended_ = false;
  std::vector<std::string> keys_;
};

class Builder {
 public:
  using MeasureId = Results::MeasureId;

  /// `text` is what is read: how far names are into it tells how many there will be.
  Builder(const ParseOptions& options, Repeats repeats, std::string_view text = {})
      : options_(options), repeats_(repeats), text_(text) {}

  const ParseOptions& options() const { return options_; }

  /// Begins a benchmark. Its name is 1 to 1,024 bytes.
  void benchmark(std::string_view name) {
    if (!has_room(name)) return;
    results_.add_benchmark(name);
    if (results_.size() == sample) make_room(name);
  }
  /// Adds a metric to the benchmark. A measure that it has already is replaced. A value that is not finite is left out,
  /// with a warning; so is a bound, without one.
  void metric(MeasureId measure, const Metric& metric);
  void latency(const Metric& m) { metric(id(latency_, "latency"), m); }
  void throughput(const Metric& m) { metric(id(throughput_, "throughput"), m); }
  MeasureId measure(std::string_view name) { return results_.measure(name); }

  /// A value that is a measure only with `all_measures`; else it is counted for a warning by the measure's name.
  /// A value that is not finite, or an invalid measure's name, is left out.
  void extra(std::string_view measure, const Metric& metric);
  void extra(std::string_view measure, double value) { extra(measure, Metric{value, {}, {}}); }
  /// Counts a value that is left out without `all_measures`, where its number need not be read for that.
  void dropped(std::string_view what);
  /// Whether anybody wants the extras; for an adapter that would have to work for them.
  bool wants_extras() const { return options_.all_measures; }

  /// The name that the benchmark gets where its plain one comes more than once and `distinct_names` is set.
  void distinct_name(std::string_view name);
  bool wants_distinct_names() const { return options_.distinct_names; }

  /// Says that all of the text is in a form that only another adapter's harness prints: detection then takes that one.
  void only_printed_by(AdapterKind adapter) { plainly_ = adapter; }
  std::optional<AdapterKind> plainly() const { return plainly_; }

  TopKeys& top_keys() { return top_keys_; }

  /// Each text is kept once.
  void warn(std::string warning);

  std::size_t size() const { return results_.size(); }
  bool empty() const { return results_.empty(); }
  /// Whether the names are together much longer than the text: a long name of a group before each of very many short
  /// ones. Nothing is added any more then, and what is there is of no use.
  bool names_too_long() const { return names_ > most_names(); }

  /// The results, no name twice, and the warnings.
  Parsed finish(AdapterKind adapter) &&;

 private:
  MeasureId id(std::uint32_t& cached, std::string_view name) {
    if (cached == unknown) cached = static_cast<std::uint32_t>(results_.measure(name));
    return MeasureId{cached};
  }
  std::size_t most_names() const { return text_.data() ? 4 * text_.size() + 65'536 : SIZE_MAX; }
  bool has_room(std::string_view name) {
    names_ += name.size();
    return !names_too_long();
  }
  /// Room for as many as the text seems to have, once `sample` are read.
  void make_room(std::string_view name);
  void use_distinct_names(const std::vector<std::uint32_t>& first);
  /// Makes one of all that have a name. Returns how many had something replaced.
  std::size_t join(const std::vector<std::uint32_t>& first);

  static constexpr std::uint32_t unknown = UINT32_MAX;
  static constexpr std::size_t sample = 1024;
  /// Where the benchmark that is being added has a measure.
  struct Place {
    std::size_t benchmark;
    std::size_t at;
  };
  struct Dropped {
    std::string what;
    std::size_t count;
  };
  struct Renamed {
    std::size_t benchmark;
    std::string name;
  };

  const ParseOptions& options_;
  Repeats repeats_;
  std::string_view text_;
  Results results_;
  std::uint32_t latency_ = unknown, throughput_ = unknown;
  std::vector<Place> places_;  ///< by measure
  std::size_t names_ = 0;      ///< their bytes, of longer ones too
  std::size_t not_finite_ = 0;
  std::vector<Dropped> dropped_;
  std::size_t dropped_others_ = 0;
  std::vector<Renamed> distinct_;
  std::optional<AdapterKind> plainly_;
  TopKeys top_keys_;
  std::vector<std::string> warnings_;
};

}  // namespace bencher::adapter
