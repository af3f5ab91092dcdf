// Memory and time of each adapter over a million benchmarks, and over one line of up to a gibibyte. Each reading is
// done in a process of its own. Prints the peak of memory beside the text, as a multiple of the text, and the time for
// a megabyte of a text and of one twice as large: where that is linear, both are alike. Fails where the memory is more
// than four times the text, or the time for a megabyte doubles. `adapters_stress [FORM or ADAPTER…]` takes those only.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <malloc.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include "bencher/adapter/adapter.hpp"

#include "tests/adapter/many.hpp"

namespace {

using namespace bencher;

constexpr std::size_t benchmarks = 1'000'000, most_text = std::size_t{512} << 20;
constexpr double most_memory = 4, most_growth = 2;

struct Reading {
  double seconds = 0;
  double memory = 0;  ///< bytes beside the text
  std::size_t benchmarks = 0;
};

double kibibytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field)) return std::strtod(line.c_str() + field.size() + 1, nullptr);
  return 0;
}

Reading read_here(AdapterKind kind, std::string_view text) {
  ::malloc_trim(0);
  // Forgets the peak so far.
  std::ofstream("/proc/self/clear_refs") << 5;
  const double before = kibibytes("VmRSS");
  const auto begin = std::clock();
  const auto parsed = parse(kind, text);
  Reading out;
  out.seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  out.memory = 1024 * std::max(0.0, kibibytes("VmHWM") - before);
  out.benchmarks = parsed ? parsed->results.size() : 0;
  return out;
}

Reading read_apart(AdapterKind kind, std::string_view text) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const auto child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    const auto reading = read_here(kind, text);
    ::_exit(::write(ends[1], &reading, sizeof reading) == sizeof reading ? 0 : 1);
  }
  ::close(ends[1]);
  Reading out;
  const bool whole = ::read(ends[0], &out, sizeof out) == sizeof out;
  ::close(ends[0]);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0 || !whole) {
    fmt::print("reading {} bytes as {} failed\n", text.size(), name(kind));
    std::exit(1);
  }
  return out;
}

/// A text and its half, read.
struct Measured {
  std::size_t benchmarks = 0, size = 0;
  double memory = 0;           ///< as a multiple of the text
  double half = 0, whole = 0;  ///< ns a byte
  bool linear = true;
};

Measured measure(AdapterKind kind, std::string_view half, std::string_view text) {
  const auto one = read_apart(kind, half), two = read_apart(kind, text);
  Measured out{two.benchmarks, text.size(), two.memory / static_cast<double>(text.size()),
               1e9 * one.seconds / static_cast<double>(half.size()),
               1e9 * two.seconds / static_cast<double>(text.size())};
  // What is done in a moment is measured too coarsely.
  out.linear = two.seconds < 0.05 || out.whole < most_growth * out.half;
  return out;
}

bool print(std::string_view what, const Measured& m, std::size_t expected) {
  const bool small = m.memory <= most_memory, complete = m.benchmarks == expected;
  fmt::print("| {} | {} | {} | {:.2f} | {:.2f} | {:.2f} |{}{}{}\n", what, m.benchmarks, m.size >> 20, m.memory, m.half,
             m.whole, small ? "" : " TOO MUCH MEMORY", m.linear ? "" : " NOT LINEAR",
             complete ? "" : fmt::format(" NOT {} BENCHMARKS", expected));
  std::fflush(stdout);
  return m.linear && small && complete;
}

bool many(const test::Form& form) {
  const auto count = std::min(benchmarks, most_text / form.entry(999'999).size());
  const auto half = test::text_with(form, count / 2), text = test::text_with(form, count);
  return print(form.name, measure(form.kind, half, text), count);
}

std::string repeated(std::string_view part, std::size_t size) {
  std::string out;
  out.reserve(size);
  while (out.size() < size)
    out += part;
  out.resize(size);
  return out;
}

/// One line of each kind of byte. Prints the one that takes the most memory, with the time of the slowest.
bool lines(AdapterKind kind) {
  Measured worst;
  bool good = true;
  for (const std::string_view part :
       {"9", " ", "a b ", "[", "\"", "(", "\xc2\xb7", "::", ": 1 ns ", "|", ",", "<a ", "\x1b[", "\xff"}) {
    const auto text = repeated(part, std::size_t{32} << 20);
    const auto m = measure(kind, std::string_view(text).substr(0, text.size() / 2), text);
    worst.size = m.size;
    worst.memory = std::max(worst.memory, m.memory);
    if (m.whole > worst.whole) {
      worst.half = m.half;
      worst.whole = m.whole;
    }
    worst.linear &= m.linear;
  }
  good &= print(fmt::format("{}, lines of 14 kinds", name(kind)), worst, 0);
  const auto text = repeated("x", std::size_t{1} << 30);
  return print(fmt::format("{}, a line of `x`", name(kind)),
               measure(kind, std::string_view(text).substr(0, text.size() / 2), text), 0) &&
         good;
}

/// Texts of which a copy has to be made.
bool encoded() {
  const auto& form = *test::form_of(AdapterKind::go_bench);
  const auto half = test::text_with(form, benchmarks / 2), text = test::text_with(form, benchmarks);
  const auto wide = [](std::string_view plain) {
    std::string out = "\xff\xfe";
    out.reserve(2 * plain.size() + 2);
    for (const char c : plain)
      out.append(1, c).append(1, '\0');
    return out;
  };
  bool good = print("go_bench as UTF-16", measure(form.kind, wide(half), wide(text)), benchmarks);
  good &= print("go_bench, malformed", measure(form.kind, half + "\xff\n", text + "\xff\n"), benchmarks);
  return print("go_bench, coloured", measure(form.kind, "\x1b[1m\n" + half, "\x1b[1m\n" + text), benchmarks) && good;
}

}  // namespace

int main(int argc, char** argv) {
  const auto wanted = [&](std::string_view name) {
    return argc == 1 || std::any_of(argv + 1, argv + argc, [&](const char* arg) { return name == arg; });
  };
  // What is freed goes back at once, so that the next reading begins with as little.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  fmt::print(
      "| text | benchmarks | MiB | memory / text | ns a byte, half of it | ns a byte |\n|---|--:|--:|--:|--:|--:|\n");
  bool good = true;
  for (const auto& form : test::forms())
    if (wanted(form.name) || (argc > 1 && wanted(name(form.kind)))) good &= many(form);
  if (wanted("encoded")) good &= encoded();
  for (const auto kind : adapter_kinds())
    if (wanted(name(kind)) && (kind == AdapterKind::magic || normalize(kind) == kind)) good &= lines(kind);
  return good ? 0 : 1;
}
