// What detection costs: each test by the length of its history, change points by the length of the series, and whole
// reports of 1,000 benchmarks with 1,000 earlier metrics each.
//
//   detection                 (everything)
//   detection tests|changes|ingest
//   detection series < FILE   (change points of the series in FILE, one a line: for change_points.py)
//
// All in this process. The reports go through `Pipeline` into a database file under TMPDIR, which is made once.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <fmt/core.h>

#include "bencher/pipeline/pipeline.hpp"
#include "bencher/threshold/boundary.hpp"
#include "bencher/threshold/change_point.hpp"
#include "bencher/threshold/series.hpp"

namespace {

using namespace bencher;
using Series = std::vector<double>;

class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed) {}
  double uniform() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    auto x = state_ ^ (state_ >> 33);
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    return (static_cast<double>(x >> 11) + 0.5) / 9007199254740992.0;
  }
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }

 private:
  std::uint64_t state_;
};

/// Normal noise of 2 % around a level that changes every `level` values; 0: never.
Series series_of(std::size_t n, std::size_t level, std::size_t seed = 0) {
  Noise noise(n + 7919 * seed);
  Series out(n);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = 1000 + (level && i / level % 2 ? 100 : 0) + 20 * noise.normal();
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Of this process, in seconds: others that run on the machine do not count.
double processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Seconds that one `work` takes: the best of some rounds of at least 20 ms in total each.
double seconds_of(const std::function<void()>& work) {
  std::size_t times = 1;
  double best = 1e9;
  for (int round = 0; round < 7;) {
    const double begin = processor_time();
    for (std::size_t i = 0; i < times; ++i)
      work();
    const double taken = processor_time() - begin;
    if (taken < 0.02) {
      times *= 2;
      continue;
    }
    best = std::min(best, taken / static_cast<double>(times));
    ++round;
  }
  return best;
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

double sink = 0;

/// Series of that length: many when they are short, since the processor learns the branches of one that comes again.
class Pool {
 public:
  explicit Pool(std::size_t n) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, 65'536 / n); ++i)
      all_.push_back(series_of(n, 0, i));
  }
  const Series& next() { return all_[at_++ % all_.size()]; }

 private:
  std::vector<Series> all_;
  std::size_t at_ = 0;
};

constexpr std::size_t lengths[] = {64, 1'000, 10'000, 100'000, 1'000'000};

void tests() {
  fmt::print("| test, µs (ns a value) |");
  for (const auto n : lengths)
    fmt::print(" {} |", n);
  fmt::print("\n|---|--:|--:|--:|--:|--:|\n");
  struct Row {
    ModelTest test;
    double boundary;
  };
  using enum ModelTest;
  for (const auto [test, b] : {Row{static_, 2000}, Row{percentage, 0.1}, Row{z_score, 0.98}, Row{t_test, 0.98},
                               Row{log_normal, 0.98}, Row{iqr, 3}, Row{delta_iqr, 3}}) {
    fmt::print("| {} |", name(test));
    for (const auto n : lengths) {
      Pool pool(n);
      Model model;
      model.test = test;
      model.upper_boundary = b;
      if (test != static_) model.lower_boundary = b;
      const double taken = seconds_of([&] { sink += must(compute(model, pool.next(), 1000)).upper_limit.value_or(0); });
      fmt::print(" {:.2f} ({:.1f}) |", taken * 1e6, taken * 1e9 / static_cast<double>(n));
      std::fflush(stdout);
    }
    fmt::print("\n");
  }
  fmt::print("\n| test, µs (ns a value) | 64 | {} |\n|---|--:|--:|\n", longest_series);
  for (const auto test : {auto_, change_point}) {
    fmt::print("| {} |", name(test));
    for (const auto n : {std::size_t{64}, longest_series}) {
      Pool pool(n);
      const double taken = seconds_of([&] { sink += must(judge_series(test, pool.next(), {}))->pvalue; });
      fmt::print(" {:.2f} ({:.1f}) |", taken * 1e6, taken * 1e9 / static_cast<double>(n));
      std::fflush(stdout);
    }
    fmt::print("\n");
  }
}

void changes() {
  fmt::print("| change points, µs (ns a value) | 100 | 1000 | 10000 | 100000 |\n|---|--:|--:|--:|--:|\n");
  struct Row {
    std::string_view name;
    std::function<std::size_t(const Series&)> run;
  };
  const Row rows[] = {
      {"robust", [](const Series& y) { return must(robust_change_points(y)).change_points.size(); }},
      {"robust, autocorrelation",
       [](const Series& y) { return must(robust_change_points(y, {.autocorrelation = true})).change_points.size(); }},
      {"e-divisive, window 50", [](const Series& y) { return must(edivisive(y)).change_points.size(); }},
      {"e-divisive on ranks, window 100",
       [](const Series& y) {
         return must(edivisive(y, {.window_len = 100, .max_pvalue = 1e-4, .rank = true})).change_points.size();
       }},
  };
  for (const auto& row : rows) {
    fmt::print("| {} |", row.name);
    for (const std::size_t n : {100u, 1'000u, 10'000u, 100'000u}) {
      const auto series = series_of(n, 60);
      const double taken = seconds_of([&] { sink += static_cast<double>(row.run(series)); });
      fmt::print(" {:.0f} ({:.0f}) |", taken * 1e6, taken * 1e9 / static_cast<double>(n));
      std::fflush(stdout);
    }
    fmt::print("\n");
  }
}

/// For each line: its length, microseconds of e-divisive as Otava does it, of robust partitioning, and what the former
/// finds.
void series() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream in(line);
    Series y;
    for (double value = 0; in >> value;)
      y.push_back(value);
    const EdivisiveOptions as_otava{.otava_merge = true};
    const double divisive =
        seconds_of([&] { sink += static_cast<double>(must(edivisive(y, as_otava)).change_points.size()); });
    const double robust =
        seconds_of([&] { sink += static_cast<double>(must(robust_change_points(y)).change_points.size()); });
    fmt::print("{} {} {}", y.size(), divisive * 1e6, robust * 1e6);
    for (const auto& point : must(edivisive(y, as_otava)).change_points)
      fmt::print(" {}", point.index);
    fmt::print("\n");
  }
}

constexpr std::size_t benchmarks = 1'000, earlier = 1'000;

/// Each benchmark's noise of 2 %, and a step of 10 % in one of a hundred when `step`.
std::string results(Noise& noise, bool step) {
  std::string out = "{";
  for (std::size_t i = 0; i < benchmarks; ++i)
    out +=
        fmt::format(R"({}"suite::module::bench_{}":{{"latency":{{"value":{:.3f}}}}})", i ? "," : "", i,
                    (1000 + static_cast<double>(i)) * (1 + 0.02 * noise.normal()) * (step && i % 100 == 0 ? 1.1 : 1));
  return out + "}";
}

NewRun run_of(std::string text, const std::optional<Model>& model) {
  NewRun run;
  run.project = *ResourceId::parse("detection");
  run.branch = *BranchNameId::parse("main");
  run.settings.adapter = AdapterKind::json;
  run.results = {std::move(text)};
  if (model) run.models = {{*ResourceNameId::parse("latency"), *model}};
  return run;
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / fmt::format("bencher-detection-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A program that has just been started over the database.
struct Opened {
  explicit Opened(const Folder& folder)
      : store(must(Store::open((folder.path() / "bencher.db").string()))),
        blobs(folder.path() / "blobs", random),
        pipeline(store, blobs, clock, random) {}
  SystemClock clock;
  SystemRandom random;
  Store store;
  BlobStore blobs;
  Pipeline pipeline;
};

void ingest() {
  const Folder folder;
  Noise noise(7);
  {
    Opened made(folder);
    must(made.pipeline.project("detection", "Detection"));
    for (std::size_t i = 0; i < earlier; ++i)
      must(made.pipeline.submit(run_of(results(noise, false), {})));
  }
  struct Row {
    std::string_view name;
    std::optional<Model> model;
  };
  using enum ModelTest;
  const Row rows[] = {
      {"none", std::nullopt},
      {"t_test 0.98, max_sample_size 64",
       Model{.test = t_test, .max_sample_size = 64, .lower_boundary = 0.98, .upper_boundary = 0.98}},
      {"t_test 0.98, all earlier values", Model{.test = t_test, .lower_boundary = 0.98, .upper_boundary = 0.98}},
      {"iqr 3, max_sample_size 1000",
       Model{.test = iqr, .max_sample_size = 1000, .lower_boundary = 3, .upper_boundary = 3}},
      {"auto", Model{.test = auto_}},
      {"change_point", Model{.test = change_point}},
  };
  fmt::print("| threshold | first report after a start, ms | later ones, ms (median of 9) |\n|---|--:|--:|\n");
  for (const auto& row : rows) {
    Opened opened(folder);
    std::vector<double> times;
    double first = 0;
    for (int i = 0; i < 10; ++i) {
      auto run = run_of(results(noise, false), row.model);
      // Without a threshold before this row, the measure's is taken away.
      run.thresholds_reset = !row.model;
      const auto begin = std::chrono::steady_clock::now();
      must(opened.pipeline.submit(run));
      const double taken = 1000 * seconds_since(begin);
      if (i == 0)
        first = taken;
      else
        times.push_back(taken);
    }
    std::nth_element(times.begin(), times.begin() + 4, times.end());
    fmt::print("| {} | {:.0f} | {:.0f} |\n", row.name, first, times[4]);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view only = argc > 1 ? argv[1] : "";
  try {
    if (only == "series") {
      series();
    } else if (only.empty() || only == "tests" || only == "changes" || only == "ingest") {
      if (only.empty() || only == "tests") tests();
      if (only.empty()) fmt::print("\n");
      if (only.empty() || only == "changes") changes();
      if (only.empty()) fmt::print("\n");
      if (only.empty() || only == "ingest") ingest();
    } else {
      fmt::print(stderr, "usage: detection [tests|changes|ingest|series]\n");
      return 2;
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "detection: {}\n", e.what());
    return 1;
  }
  // What was computed is used.
  return std::isnan(sink) ? 1 : 0;
}
