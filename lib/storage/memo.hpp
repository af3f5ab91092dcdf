// What a connection remembers of rows between transactions, because each report asks for the same ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/storage/dimensions.hpp"
#include "lib/storage/ids.hpp"

namespace bencher::storage {

/// The newest values of each benchmark that was asked for, in the order of `read_population`.
struct History {
  std::size_t limit = 0;  ///< so many of each are kept; fewer are all that there are
  std::unordered_map<BenchmarkId, std::vector<double>> newest_first;
};

/// Got from `Connection::memo`, which empties what may no longer be true: after any change of the rows other than an
/// insert, after a rollback, and after a commit of another connection. An insert is told by who does it. Bounded.
class Memo {
 public:
  /// Nothing when it is not remembered, which is not to say that there is none.
  std::shared_ptr<const BenchmarkRow> benchmark(ProjectId project, std::string_view name) const;
  std::shared_ptr<const BenchmarkRow> remember(ProjectId project, std::string_view name, BenchmarkRow row);

  /// Of all reports with a version of the head, on the testbed, whatever their spec. Stays where it is until something
  /// is forgotten.
  History& history(HeadId head, TestbedId testbed, MeasureId measure, std::size_t limit);
  History* find_history(HeadId head, TestbedId testbed, MeasureId measure);
  bool has_histories() const { return !histories_.empty(); }
  bool has_histories(HeadId head, TestbedId testbed) const;
  /// Puts a value that is newer than all others of its benchmark in front, if the benchmark's are remembered.
  void add(History& history, BenchmarkId benchmark, double value);
  /// Whether so many values may be put at once; more are not worth what they push out.
  bool fits(std::size_t values) const;
  /// Puts a benchmark's values, read now.
  std::vector<double>& put(History& history, BenchmarkId benchmark, std::vector<double> newest_first);

  /// The benchmarks whose `last_seen` with the testbed and the measure is `now` already: of the current second alone.
  /// Stays where it is until the next call.
  std::unordered_set<BenchmarkId>& seen(TestbedId testbed, MeasureId measure, Timestamp now);

  /// Forgets all when it is too much.
  void trim();
  void forget_benchmarks();
  void forget_seen();
  void forget_histories();
  void forget_histories(HeadId head, TestbedId testbed);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Names = std::unordered_map<std::string, std::shared_ptr<const BenchmarkRow>, Hash, std::equal_to<>>;
  std::unordered_map<ProjectId, Names> benchmarks_;
  std::size_t names_ = 0;
  std::map<std::tuple<HeadId, TestbedId, MeasureId>, History> histories_;
  std::size_t values_ = 0;
  Timestamp seen_at_;
  std::map<std::pair<TestbedId, MeasureId>, std::unordered_set<BenchmarkId>> seen_;
};

}  // namespace bencher::storage
