// How many bytes of benchmark output a second each adapter reads, beside memchr over the same bytes, and how much more
// detection costs. CPU time of one thread, the best of some runs. `adapters [FORM…]` measures those only.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/many.hpp"

namespace {

using namespace bencher;

constexpr std::size_t size = 20'000'000;
constexpr int runs = 7;

/// What no adapter has results in.
constexpr test::Form plain_log{
    "plain log", AdapterKind::magic, "", [](unsigned i) {
      return fmt::format("   Compiling some-crate-{} v0.{}.3 (registry+https://example.com/index)\n", i, i % 90);
    }};

/// The CPU time of this thread: a busy machine changes it less than the time of day.
double now() {
  std::timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Work>
void time(double& best, Work&& work) {
  const auto begin = now();
  work();
  best = std::min(best, now() - begin);
}

/// False: its own adapter does not read it as it should.
bool measure(const test::Form& form) {
  const auto text = test::text_of(form, size);
  const auto parsed = parse(form.kind, text);
  if (parsed.has_value() != (&form != &plain_log)) {
    fmt::print("{:<24} {}\n", form.name, parsed ? "is read, but should not" : parsed.error().message());
    return false;
  }
  const auto count = parsed ? parsed->results.size() : 0;
  double own = 1e9, detected = 1e9, scanned = 1e9;
  std::size_t kept = 0;
  const auto read = [&](AdapterKind kind) {
    const auto again = parse(kind, text);
    kept += again ? again->results.size() : 1;
  };
  // In turns, so that a moment in which the machine is slow slows all of them.
  for (int i = 0; i < runs; ++i) {
    time(own, [&] { read(form.kind); });
    time(detected, [&] { read(AdapterKind::magic); });
    time(scanned, [&] { kept += std::memchr(text.data(), '\0', text.size()) == nullptr; });
  }
  const double megabytes = static_cast<double>(text.size()) / 1e6;
  fmt::print("| {} | {} | {:.0f} | {:.3f} | {:.2f} | {:.0f} |\n", form.name, count, megabytes / own, scanned / own,
             detected / own, count > 0 ? own * 1e9 / static_cast<double>(count) : 0);
  std::fflush(stdout);
  return kept > 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto wanted = [&](std::string_view name) {
    return argc == 1 || std::any_of(argv + 1, argv + argc, [&](const char* arg) { return name == arg; });
  };
  fmt::print("| form | benchmarks | MB/s | of memchr | magic / adapter | ns each |\n|---|--:|--:|--:|--:|--:|\n");
  bool good = true;
  for (const auto& form : test::forms())
    if (wanted(form.name)) good &= measure(form);
  if (wanted(plain_log.name)) good &= measure(plain_log);
  for (const auto kind : adapter_kinds())
    if (argc == 1 && normalize(kind) == kind && kind != AdapterKind::magic && !test::form_of(kind)) {
      fmt::print("{:<24} has no form in tests/adapter/many.cpp\n", name(kind));
      good = false;
    }
  return good ? 0 : 1;
}
