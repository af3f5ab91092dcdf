// The local source of results: a command, files, standard input.

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>

#include <fmt/format.h>

#include "bencher/adapter/bmf.hpp"
#include "bencher/adapter/read.hpp"
#include "bencher/base/encoding.hpp"

#include "apps/cli/child.hpp"
#include "apps/cli/run.hpp"

namespace bencher::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 64u << 20;

fs::path located(const World& world, const std::string& file) {
  const fs::path path(file);
  return path.is_absolute() ? path : fs::path(world.directory) / path;
}

}  // namespace

Result<std::string> read_file(const World& world, const std::string& file) {
  const auto path = located(world, file);
  std::ifstream in(path, std::ios::binary);
  std::error_code failed;
  if (!in || fs::is_directory(path, failed)) return Error(Errc::not_found, fmt::format("'{}' cannot be read", file));
  std::string text;
  char buffer[65536];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > largest_file)
      return Error(Errc::too_large, fmt::format("'{}' is larger than {} MiB", file, largest_file >> 20));
  }
  return text;
}

namespace {

void add_metric(json::Value& bmf, const std::string& benchmark, const char* measure, json::Value value) {
  json::Value metric;
  metric.set("value", std::move(value));
  metric.set("lower_value", nullptr);
  metric.set("upper_value", nullptr);
  json::Value measures;
  measures.set(measure, std::move(metric));
  bmf.set(to_valid_utf8(benchmark), std::move(measures));
}

/// What goes to the server: the outputs as they are, or what they hold where they are read here.
class Collected {
 public:
  Collected(World& world, const RunPlan& plan) : world_(world), plan_(plan) {}

  void add_metrics(std::string bmf) { texts_.push_back(std::move(bmf)); }
  void add(std::string text, const ResultFile& from) {
    if (!plan_.reads_here()) {
      texts_.push_back(std::move(text));
      return;
    }
    auto settings = plan_.settings;
    if (from.adapter) settings.file_adapters = {{from.path, *from.adapter}};
    const Output output{from.path, text};
    auto read = read_outputs(settings, {&output, 1});
    if (!read) throw Failure{Exit::benchmark_failed, fmt::format("no results: {}", read.error().message())};
    for (const auto& warning : read->warnings)
      world_.err << "warning: " << (from.path.empty() ? "" : from.path + ": ") << warning << '\n';
    auto& bmf = texts_.emplace_back();
    write_bmf(read->results.front(), [&](std::string_view piece) {
      bmf += piece;
      return true;
    });
  }
  std::vector<std::string> texts() && { return std::move(texts_); }

 private:
  World& world_;
  const RunPlan& plan_;
  std::vector<std::string> texts_;
};

/// Runs the command once. Empty: it failed, and may.
std::optional<Child> run_command(World& world, const RunPlan& plan) {
  // Data alone is on standard output when the report is data.
  auto& echo = plan.format == Format::human ? world.out : world.err;
  auto child = run_child({.argv = plan.argv,
                          .directory = world.directory == "." ? std::string() : world.directory,
                          .echo_out = &echo,
                          .echo_err = &world.err,
                          .quiet = plan.quiet});
  if (!child) throw Failure{Exit::benchmark_failed, child.error().message()};
  if (child->signal == SIGINT) throw Failure{Exit::interrupted, fmt::format("'{}' was interrupted", plan.display)};
  if (child->succeeded()) return *std::move(child);
  const auto failure = fmt::format("'{}' failed: {}", plan.display, child->how_it_ended());
  if (plan.allow_failure) {
    world.err << fmt::format("warning: {}; its results are left out (--allow-failure)\n", failure);
    return {};
  }
  auto message = failure;
  // What was not shown while it ran.
  if (plan.quiet) {
    if (!child->out.empty()) message += "\nstdout:\n" + child->out;
    if (!child->err.empty()) message += "\nstderr:\n" + child->err;
  }
  throw Failure{Exit::benchmark_failed, message};
}

}  // namespace

std::vector<std::string> run_iterations(World& world, const RunPlan& plan) {
  Collected results(world, plan);
  for (std::uint32_t i = 0; i < plan.iterations; ++i) {
    std::optional<Child> child;
    if (!plan.argv.empty()) {
      child = run_command(world, plan);
      if (!child) continue;
    }
    if (plan.build_time || !plan.file_sizes.empty()) {
      json::Value bmf = json::Value::object();
      for (const auto& file : plan.file_sizes) {
        std::error_code failed;
        const auto size = fs::file_size(located(world, file), failed);
        if (failed) throw Failure{Exit::benchmark_failed, fmt::format("--file-size: '{}': {}", file, failed.message())};
        add_metric(bmf, fs::path(file).filename().string(), "file-size",
                   json::Value::number(static_cast<std::int64_t>(size)));
      }
      if (plan.build_time) {
        const auto seconds = std::chrono::duration<double>(child->duration).count();
        add_metric(bmf, plan.display, "build-time", json::Value::number(std::round(seconds * 100) / 100));
      }
      results.add_metrics(bmf.compact());
    } else if (!plan.files.empty()) {
      for (const auto& file : plan.files) {
        auto text = read_file(world, file.path);
        if (!text) throw Failure{Exit::benchmark_failed, "--file: " + text.error().message()};
        results.add(*std::move(text), file);
      }
    } else if (child) {
      results.add(std::move(child->out), {});
    } else {
      results.add(*plan.input, {});
    }
  }
  return std::move(results).texts();
}

}  // namespace bencher::cli
