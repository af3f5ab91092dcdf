// noise

#include "apps/cli/noise.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "bencher/host/survey.hpp"

#include "apps/cli/arguments.hpp"
#include "apps/cli/types.hpp"
#include "apps/cli/world.hpp"

namespace bencher::cli {

using namespace types;
using host::Level;
using host::Survey;

namespace {

constexpr const char* rule = "────────────────────────────────────────────────────────────\n";

std::string bytes(std::uint64_t size) {
  if (size == 0) return "unknown";
  return size >= 1u << 20 ? fmt::format("{} MiB", size >> 20) : fmt::format("{} KiB", size >> 10);
}

/// Twenty characters for all of `whole`.
std::string bar(double value, double whole) {
  const auto full = static_cast<std::size_t>(std::clamp(value / whole * 20, 0.0, 20.0) + 0.5);
  return std::string(full, '#') + std::string(20 - full, '-');
}

std::string part(const char* name, const host::Spread& s) {
  return fmt::format("{:<9}{:>7.1f} %  [{}] {:<10}  {} samples, mean {:.1f} µs, deviation {:.1f} µs, p99 {:.1f} µs\n",
                     name, s.cv(), bar(s.cv(), 150), host::to_string(host::level_of_cv(s.cv())), s.samples, s.mean,
                     s.deviation, s.p99);
}

std::string advice(const Survey& s, Level level) {
  if (level == Level::quiet) return "Small changes can be told from chance on this machine.\n";
  const auto most = std::max({s.compute.cv(), s.cache.cv(), s.io.cv()});
  const char* what = most == s.compute.cv() ? "arithmetic" : most == s.cache.cv() ? "caches" : "files";
  return fmt::format(
      "The most varies: {}, {:.1f} %. Changes well below that are chance here.\n"
      "End other programs, or use a machine of its own and a runner, which tunes it.\n",
      what, most);
}

}  // namespace

std::string noise_text(const Survey& s) {
  const auto db = score(s);
  std::string out = "Noise of this machine\n";
  out += rule;
  out += fmt::format("Platform: {}\n", s.virtualization.empty() ? "nothing virtual is known" : s.virtualization);
  out += fmt::format("Duration: {} s\n", s.duration.count());
  out += fmt::format("Caches: L1d {}, L2 {}, L3 {}\n\n", bytes(s.l1d), bytes(s.l2), bytes(s.l3));
  out += part("Compute", s.compute) + part("Cache", s.cache) + part("I/O", s.io);
  if (s.steal)
    out += fmt::format("{:<9}{:>7.1f} %  [{}] {}\n", "Steal", *s.steal, bar(*s.steal, 50),
                       host::to_string(host::level_of_steal(*s.steal)));
  if (s.switches_per_second) out += fmt::format("Context switches: {:.0f} a second\n", *s.switches_per_second);
  out += fmt::format("\nScore: {:.1f} dB, {}\n", db, host::to_string(host::level_of_score(db)));
  out += rule;
  return out + advice(s, host::level_of_score(db));
}

json::Value noise_metrics(const Survey& s) {
  auto out = json::Value::object();
  const auto add = [&](const char* benchmark, const char* measure, double value) {
    auto metric = json::Value::object();
    metric.set("value", json::Value::number(value));
    auto measures = json::Value::object();
    measures.set(measure, std::move(metric));
    out.set(fmt::format("bencher::noise::{}", benchmark), std::move(measures));
  };
  add("compute_jitter", "compute-jitter", s.compute.cv());
  add("cache_jitter", "cache-jitter", s.cache.cv());
  add("io_jitter", "io-jitter", s.io.cv());
  if (s.steal) add("cpu_steal", "cpu-steal", *s.steal);
  add("composite", "noise-score", score(s));
  return out;
}

namespace {

Exit noise(World& world, const Command&, const Arguments& arguments) {
  const auto seconds = std::stoull(*arguments.get("duration"));
  if (seconds > 86'400) throw Failure{Exit::usage, "--duration: at most 86400 seconds"};
  const bool quiet = arguments.has("quiet");
  const auto files = host::system_files();
  const auto found = host::survey(*files, std::filesystem::temp_directory_path(), std::chrono::seconds(seconds),
                                  [&](std::string_view what) {
                                    if (!quiet) world.err << "measuring: " << what << std::endl;
                                  });
  if (!found) throw Failure{Exit::internal, found.error().message()};
  world.out << (arguments.get("format") == "json" ? noise_metrics(*found).indented() + '\n' : noise_text(*found));
  return Exit::ok;
}

}  // namespace

void add_noise(std::vector<Command>& table) {
  table.push_back({.path = "noise",
                   .summary = "Measure how noisy this machine is",
                   .run = noise,
                   .flags = {flag("duration", u64, "Seconds").by_default("30"),
                             flag("format", word, "Form").one_of("human json").by_default("human"),
                             flag("quiet", "Only the result")}});
}

}  // namespace bencher::cli
