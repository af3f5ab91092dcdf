// A small benchmark: hashes, sorts and looks up numbers, and prints the time of each in Bencher Metric Format:
// nanoseconds a round (the median, with the fastest and the slowest) on standard output, progress on standard error.
// BENCH_SLOWDOWN=2 does twice the work in each round; BENCH_ROUNDS (20) says how many rounds there are.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <time.h>
#include <unordered_map>
#include <vector>

namespace {

volatile std::uint64_t sink;  // so that no work is optimized away

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  const std::uint64_t value = text ? std::strtoull(text, nullptr, 10) : otherwise;
  return value == 0 ? otherwise : value;
}

std::vector<std::uint64_t> numbers(std::size_t count) {
  std::vector<std::uint64_t> out(count);
  std::uint64_t state = 42;
  for (auto& number : out)
    number = state = state * 6364136223846793005u + 1442695040888963407u;
  return out;
}

void hash() {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (std::uint64_t i = 0; i < 1'000'000; ++i)
    value = (value ^ (i & 0xff)) * 0x100000001b3u;
  sink = value;
}

void sort() {
  auto all = numbers(20'000);
  std::sort(all.begin(), all.end());
  sink = all[all.size() / 2];
}

void look_up() {
  std::unordered_map<std::uint64_t, std::uint64_t> map;
  const auto all = numbers(10'000);
  for (const auto number : all)
    map[number] = number >> 7;
  std::uint64_t sum = 0;
  for (const auto number : all)
    sum += map.at(number);
  sink = sum;
}

}  // namespace

int main() {
  const auto slowdown = setting("BENCH_SLOWDOWN", 1), rounds = setting("BENCH_ROUNDS", 20);
  struct Row {
    const char* name;
    void (*run)();
  };
  std::string out = "{";
  for (const auto& [name, run] : {Row{"hash", hash}, Row{"sort", sort}, Row{"look_up", look_up}}) {
    std::fprintf(stderr, "running %s: %llu rounds\n", name, static_cast<unsigned long long>(rounds));
    run();  // warm
    std::vector<std::uint64_t> times;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      const auto start = now();
      for (std::uint64_t j = 0; j < slowdown; ++j)
        run();
      times.push_back(now() - start);
    }
    std::sort(times.begin(), times.end());
    out += (out.size() > 1 ? "," : "") + ("\"" + std::string(name)) + R"(":{"latency":{"value":)" +
           std::to_string(times[times.size() / 2]) + R"(,"lower_value":)" + std::to_string(times.front()) +
           R"(,"upper_value":)" + std::to_string(times.back()) + "}}";
  }
  std::printf("%s}\n", out.c_str());
  std::fprintf(stderr, "done\n");
  return 0;
}
