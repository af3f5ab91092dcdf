#include "lib/storage/memo.hpp"

#include <algorithm>

namespace bencher::storage {
namespace {

// About 10 MB; of values 16.
constexpr std::size_t name_limit = 20'000;
constexpr std::size_t value_limit = 2'000'000;
constexpr std::size_t seen_limit = 200'000;

}  // namespace

std::shared_ptr<const BenchmarkRow> Memo::benchmark(ProjectId project, std::string_view name) const {
  const auto names = benchmarks_.find(project);
  if (names == benchmarks_.end()) return nullptr;
  const auto found = names->second.find(name);
  return found == names->second.end() ? nullptr : found->second;
}

std::shared_ptr<const BenchmarkRow> Memo::remember(ProjectId project, std::string_view name, BenchmarkRow row) {
  auto kept = std::make_shared<const BenchmarkRow>(std::move(row));
  if (benchmarks_[project].insert_or_assign(std::string(name), kept).second) ++names_;
  return kept;
}

History& Memo::history(HeadId head, TestbedId testbed, MeasureId measure, std::size_t limit) {
  auto& history = histories_[{head, testbed, measure}];
  if (history.limit < limit) {
    for (const auto& [id, values] : history.newest_first)
      values_ -= values.size() + 1;
    history = History{limit, {}};
  }
  return history;
}

History* Memo::find_history(HeadId head, TestbedId testbed, MeasureId measure) {
  const auto found = histories_.find({head, testbed, measure});
  return found == histories_.end() ? nullptr : &found->second;
}

bool Memo::has_histories(HeadId head, TestbedId testbed) const {
  const auto first = histories_.lower_bound({head, testbed, MeasureId{INT64_MIN}});
  return first != histories_.end() && std::get<0>(first->first) == head && std::get<1>(first->first) == testbed;
}

void Memo::add(History& history, BenchmarkId benchmark, double value) {
  const auto found = history.newest_first.find(benchmark);
  if (found == history.newest_first.end()) return;
  auto& values = found->second;
  if (values.size() < history.limit) {
    values.push_back(value);
    ++values_;
  } else if (values.empty()) {
    return;
  }
  std::move_backward(values.begin(), values.end() - 1, values.end());
  values.front() = value;
}

std::vector<double>& Memo::put(History& history, BenchmarkId benchmark, std::vector<double> newest_first) {
  auto& values = history.newest_first[benchmark];
  values = std::move(newest_first);
  values_ += values.size() + 1;
  return values;
}

bool Memo::fits(std::size_t values) const {
  return values <= value_limit * 3 / 4;
}

std::unordered_set<BenchmarkId>& Memo::seen(TestbedId testbed, MeasureId measure, Timestamp now) {
  if (now != seen_at_) forget_seen();
  seen_at_ = now;
  return seen_[{testbed, measure}];
}

void Memo::trim() {
  std::size_t seen = 0;
  for (const auto& [key, benchmarks] : seen_)
    seen += benchmarks.size() + 1;
  if (seen > seen_limit) forget_seen();
  if (names_ > name_limit) forget_benchmarks();
  if (values_ > value_limit) forget_histories();
}

void Memo::forget_benchmarks() {
  benchmarks_.clear();
  names_ = 0;
}

void Memo::forget_seen() {
  seen_.clear();
}

void Memo::forget_histories() {
  histories_.clear();
  values_ = 0;
}

void Memo::forget_histories(HeadId head, TestbedId testbed) {
  auto at = histories_.lower_bound({head, testbed, MeasureId{INT64_MIN}});
  while (at != histories_.end() && std::get<0>(at->first) == head && std::get<1>(at->first) == testbed) {
    for (const auto& [id, values] : at->second.newest_first)
      values_ -= values.size() + 1;
    at = histories_.erase(at);
  }
}

}  // namespace bencher::storage
